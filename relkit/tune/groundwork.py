"""The groundwork of a study: the traffic that is played, how long trouble lasts, what is searched, and what is wanted."""

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Final

import numpy as np

from relkit.exceptions import ParameterError
from relkit.policies.codes import COUNT
from relkit.policies.policy import Policy
from relkit.policies.presets import changed, presets
from relkit.simulation.arrivals import poisson, replayed
from relkit.simulation.calibrate import Calibration
from relkit.simulation.replay import Incident
from relkit.simulation.scenario import Scenario
from relkit.tune.goal import Goal, Limit
from relkit.tune.results import Sweep
from relkit.tune.space import Linear, Log, Range, Space, Whole
from relkit.tune.stray import stray_opens
from relkit.tune.suite import around

SMALL_SUITE: Final = ("healthy", "outage", "brownout", "rate_limit", "flapping", "gray")
"""What a page plays when no sweep is stored; `relkit tune` plays all twelve."""
BASE: Final = "a count window"
"""Name of the breaker that is searched: of the last so many calls, what share must fail."""
MOST_FALSE_OPENS: Final = 30.0 / 7.0
"""Openings a month on healthy traffic that a setting may have: one a week."""
_MOST_REQUESTS: Final = 6_000
_LONGEST_S: Final = (
    12_000.0  # the kernel keeps a row a second: longer runs of a quiet service cost time and tell nothing
)
_FEWEST_REQUESTS: Final = 1_000
_ENDLESS_S: Final = 100_000.0
_VERY_FEWEST: Final = 200
_IDLE_S: Final = 600.0
_CALLS_IN_TROUBLE: Final = 20.0
_MOST_TROUBLE: Final = 0.2  # of a run
_LONGEST_OPEN_S: Final = 300.0
_SLACK: Final = 0.01
_HEALTHY_SLACK: Final = 0.002
_STEP: Final = 1e-3


def base_of(calibration: Calibration, cost_microusd: int = 0) -> Scenario:
    """Return the calibrated traffic as it is played: at most 6,000 requests and about 3½ hours, without its own bad times.

    Rates that differ by the hour become the one that a request sees on average, Σ λ² l / Σ λ l: a run is shorter than a day, and
    would else show what the log's first hour is like. Where the log's own times are played, idle stretches are cut to ten
    minutes: by then a breaker has forgotten what was before.

    Parameters
    ----------
    calibration : Calibration
        Of the log.
    cost_microusd : int
        Price of a call, millionths of a dollar, from the log; 0 where nothing knows it.
    """
    scenario = calibration.scenario
    arrivals = scenario.arrivals
    if not arrivals.times_s and not arrivals.modulated:
        squares = sum(rate * rate * length for rate, length in zip(arrivals.rates, arrivals.lengths_s, strict=True))
        came = sum(rate * length for rate, length in zip(arrivals.rates, arrivals.lengths_s, strict=True))
        arrivals = replace(arrivals, rates=poisson(float(f"{squares / came:.4g}")).rates, lengths_s=(1.0,))
    if arrivals.times_s:
        gaps = np.minimum(np.diff(np.array(arrivals.times_s), prepend=arrivals.times_s[0]), _IDLE_S)
        arrivals = replayed(np.round(np.cumsum(gaps), 6).tolist())
    wanted = int(min(_MOST_REQUESTS, max(_FEWEST_REQUESTS, arrivals.mean_rate * _LONGEST_S)))
    wanted = min(wanted, max(int(arrivals.mean_rate * _ENDLESS_S), _VERY_FEWEST))
    if arrivals.times_s:
        wanted = min(wanted, len(arrivals.times_s))
    models = tuple(replace(model, cost_microusd=cost_microusd) for model in scenario.models)
    return scenario.changed(requests=wanted, arrivals=arrivals, episodes=(), models=models)


def trouble_s(base: Scenario, incidents: Sequence[Incident]) -> float:
    """Return how long the suite's trouble lasts: as the log's longest incident, with at least 20 calls in it.

    Never more than a fifth of the run, so that health before and after is seen too.
    """
    longest = max((one.length_s for one in incidents), default=0.0)
    least = _CALLS_IN_TROUBLE / max(base.arrivals.mean_rate, 1e-9)
    return float(f"{min(max(longest, least), _MOST_TROUBLE * base.duration_s):.3g}")


def suite_of(base: Scenario, bad_s: float, *, small: bool = False) -> tuple[Scenario, ...]:
    """Return the twelve scenarios around the traffic, or the six that a page plays."""
    suite = around(base, bad_s)
    return tuple(each for each in suite if each.name in SMALL_SUITE) if small else suite


def space_of(today: Policy) -> Space:
    """Return what is searched: a count window with its share, length and least calls, and the open time; presets beside it.

    The rest of the base, retries among it, is today's. A preset takes part with its breaker and today's retries; where
    its open time outlasts these, it takes part as it is.

    Examples
    --------
    >>> list(space_of(presets["plan-fixed"]).ranges)
    ['failure_share', 'open_s', 'min_calls', 'window_calls']
    """
    if today.breaker is None:
        raise ParameterError.of("today", today.name, "a policy with a breaker", "name a preset that has one")
    longest = _LONGEST_OPEN_S
    if today.retry is not None:
        loops = (today.retry.transient, today.retry.rate_limited)
        longest = min(longest, *(each.deadline_s for each in loops if each.max_attempts != 1), _LONGEST_OPEN_S)
    base = changed(
        replace(today, name=BASE, fallback=None), family=COUNT, failure_threshold=0, window_calls=30, min_calls=5,
        failure_share=0.5, open_s=min(today.breaker.open_s, longest),
    )  # fmt: skip
    ranges: dict[str, Range] = {
        "failure_share": Linear(0.2, 0.9),
        "open_s": Log(min(1.0, longest / 10.0), longest),
        "min_calls": Whole(2, 10, log=True),
        "window_calls": Whole(10, 100, log=True),
    }
    rivals = [_with_todays_retries(each, today) for name, each in presets.items() if each.breaker is not None]
    own = replace(today, fallback=None)
    return Space(base, ranges, [own, *(each for each in rivals if each.hash != own.hash and each.name != own.name)])


def _with_todays_retries(preset: Policy, today: Policy) -> Policy:
    try:
        return replace(preset, retry=today.retry, retry_budget=today.retry_budget, fallback=None)
    except ParameterError:
        return replace(preset, fallback=None)


def usual_goal(found: Sweep, today: Policy) -> Goal:
    """Return what is wanted where nobody says: the fewest wasted calls, with about as much success as today.

    One point of success less than today in the worst scenario, and a fifth of a point less in health, are given for it, and
    two standard errors: the sweep has few seeds, and a limit must not be what their luck makes it.
    """
    success = found.of("success")[found.place_of(today.hash)]
    means, errors = success.mean(axis=1), success.std(axis=1, ddof=1) / math.sqrt(success.shape[1])

    def bound(place: int, slack: float) -> float:
        low = float(means[place]) - slack - 2.0 * float(errors[place])
        return round(max(math.floor(low / _STEP) * _STEP, 0.0), 6)

    limits = [Limit("success", bound(int(means.argmin()), _SLACK), at_least=True)]
    if "healthy" in found.scenario_names:
        limit = bound(found.scenario_names.index("healthy"), _HEALTHY_SLACK)
        limits.append(Limit("success", limit, at_least=True, scenarios=("healthy",)))
    return Goal("wasted_per_1k", tuple(limits))


def usual_failing(calibration: Calibration, requests: int) -> float:
    """Return the share of attempts that fail in ordinary times, and of a log that shows none what it could have hidden: 3 / n.

    Examples
    --------
    >>> from relkit.simulation.traffic import traffic_of
    >>> from relkit.simulation.calibrate import calibrate
    >>> rng = np.random.default_rng(1)
    >>> calm = calibrate(traffic_of(rng.uniform(0, 3600, 600), rng.uniform(0.2, 0.6, 600), np.ones(600, bool)))
    >>> usual_failing(calm, 600)
    0.005
    """
    return max(calibration.model.failing, 3.0 / max(requests, 3))


def steady(found: Sweep, failing: float, calls_per_s: float) -> Sweep:
    """Return a sweep without the candidates that would open for nothing more often than once a week on healthy traffic.

    Short runs show no false opening, so a closed form tells it; where there is none, a candidate stays.

    Parameters
    ----------
    found : Sweep
        All candidates.
    failing : float
        Share of attempts that fail in ordinary times.
    calls_per_s : float
        Rate of the calls.
    """
    kept = [
        place
        for place, each in enumerate(found.candidates)
        if (openings := false_opens_of(each.policy, failing, calls_per_s)) is None or openings <= MOST_FALSE_OPENS
    ]
    return replace(found, candidates=tuple(found.candidates[place] for place in kept), values=found.values[kept])


def false_opens_of(policy: Policy, failing: float, calls_per_s: float) -> float | None:
    """Return openings a month on healthy traffic by the closed form; None where there is none."""
    assert policy.breaker is not None
    openings = stray_opens(policy.breaker, calls_per_s, min(failing, 0.999))
    return None if openings is None else openings.value
