"""What the explorer shows: 320 points around a choice, each with a summary and its course in 120 steps, small enough for a page."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any, Final

import numpy as np
from scipy.special import stdtrit

from relkit.policies.policy import Policy
from relkit.policies.presets import changed, presets
from relkit.simulation.run import simulate
from relkit.simulation.scenario import Scenario
from relkit.tune.course import BINS, Counts, course_of
from relkit.tune.grid import MIN_CALLS, SHARES, fixed_text
from relkit.tune.measures import NAMES, RAW, interval_of, measure_run
from relkit.tune.results import Values

SCENARIOS: Final = ("outage", "brownout", "flapping")
GHOSTS: Final = ("plan-fixed", "plan", "pybreaker", "resilience4j-count", "polly-8")
SUMMARY: Final = ("success", "wasted_per_1k", "detection_s", "p95_s", "recovery_s")
SEEDS: Final = (1, 2, 3, 4, 5)
"""Runs of a point: each summary has an interval from them, and two points are compared run by run on the same luck."""
_LEVEL: Final = 0.95
_APART: Final = (
    "The choice has no count window, so it is none of these points; they lie around the window that was searched. "
)
_SERIES: Final = ("answered", "failed", "rejected")
_TOKENS: Final = {"failure_share": 0.123457, "min_calls": 7}


@dataclass(frozen=True, slots=True)
class Explored:
    """The explorer's numbers.

    Parameters
    ----------
    record : mapping
        Plain values, ready for JSON: settings, scenarios, points, presets, reference, text, choice, fixed, stamp.
    """

    record: Mapping[str, Any]


def packed(values: Counts) -> list[int]:
    """Write numbers as value, length, value, length, ...

    >>> packed(np.array([0, 0, 3, 3, 3, 1]))
    [0, 2, 3, 3, 1, 1]
    """
    if not len(values):
        return []
    edges = np.flatnonzero(np.diff(values)) + 1
    starts = np.concatenate(([0], edges))
    lengths = np.diff(np.concatenate((starts, [len(values)])))
    return [int(number) for pair in zip(values[starts], lengths, strict=True) for number in pair]


def unpacked(pairs: Sequence[int]) -> list[int]:
    """Read what `packed` wrote.

    >>> unpacked([0, 2, 3, 3, 1, 1])
    [0, 0, 3, 3, 3, 1]
    """
    return [value for value, length in zip(pairs[::2], pairs[1::2], strict=True) for _ in range(length)]


def explored(
    centre: Policy, open_times: Sequence[float], suite: Sequence[Scenario], text: str, *, ghosts: Sequence[Policy] = (),
    seeds: Sequence[int] = SEEDS, stamp: str = "", is_choice: bool = True,
) -> Explored:  # fmt: skip
    """Play every point of the explorer.

    Parameters
    ----------
    centre : Policy
        With a count window; what no slider moves is its.
    open_times : sequence of float
        Eight of them, seconds.
    suite : sequence of Scenario
        Those that can be looked at.
    text : str
        The settings as a relkit.toml, with `{failure_share}`, `{open_s}` and `{min_calls}` for the three; see `template_of`.
    ghosts : sequence of Policy
        Presets drawn beside a point.
    seeds : sequence of int
        At least two. The summary is over all of them, the course is the first one's.
    stamp : str
        What the calibration says against itself.
    is_choice : bool
        Whether the centre is the choice itself; one without a count window is no point of the explorer, which then says so.

    Returns
    -------
    Explored
        Of each point `s` has mean and t interval of each summary, as `interval_of` gives them, and `v` its value in each run,
        from which two points are compared. Counts of a step are told as the difference to the first point's, run-length
        encoded: away from the trouble all points agree, and the record stays small.
    """
    assert centre.breaker is not None
    cube = list(product(range(len(SHARES)), range(len(open_times)), range(len(MIN_CALLS))))
    policies = [
        changed(centre, failure_share=SHARES[row], open_s=open_times[column], min_calls=MIN_CALLS[depth])
        for row, column, depth in cube
    ]
    scenarios: list[dict[str, Any]] = []
    for scenario in suite:
        reference, arrivals, bin_s = _reference(scenario, policies[0], seeds[0])
        scenarios.append(
            {
                "name": scenario.name,
                "bin_s": round(bin_s, 6),
                "trouble": [[round(each.start_s, 3), round(each.end_s, 3)] for each in scenario.episodes],
                "arrivals": packed(arrivals),
                "reference": {name: packed(reference[name]) for name in _SERIES},
                "points": [_point(scenario, policy, seeds, reference) for policy in policies],
                "presets": [{"name": ghost.name, **_point(scenario, ghost, seeds, reference)} for ghost in ghosts],
            }
        )
    return Explored(
        {
            "settings": {"failure_share": list(SHARES), "open_s": list(open_times), "min_calls": list(MIN_CALLS)},
            "summary": list(SUMMARY),
            "runs": len(seeds),
            "level": _LEVEL,
            "t": round(float(stdtrit(len(seeds) - 1, (1.0 + _LEVEL) / 2.0)), 4),
            "bins": BINS,
            "scenarios": scenarios,
            "choice": _nearest(centre, open_times),
            "is_choice": is_choice,
            "fixed": ("" if is_choice else _APART)
            + fixed_text(centre).replace(f", at least {centre.breaker.min_calls} of them", ""),
            "text": text,
            "stamp": stamp,
        }
    )


def ghosts_of(today: Policy) -> tuple[Policy, ...]:
    """Return the presets that are drawn beside a point, today's setting first."""
    found = {today.hash: today}
    for name in GHOSTS:
        found.setdefault(presets[name].hash, presets[name])
    return tuple(found.values())


def template_of(text: str) -> str:
    """Turn the text of a policy with the telling values of `telling` into a template.

    Raises
    ------
    ValueError
        One of the three is not in the text.
    """
    for name, value in (*_TOKENS.items(), ("open_s", None)):
        number = r"[\d.e+-]+" if value is None else re.escape(f"{value}")
        text, found = re.subn(rf"\b{name} = {number}", f"{name} = {{{name}}}", text, count=1)
        if not found:
            raise ValueError(f"{name} is not in the settings as they are written")
    return text


def telling(centre: Policy) -> Policy:
    """Return the centre with values that `template_of` finds again in its text."""
    return changed(centre, **_TOKENS, open_s=1.2345)


def _reference(scenario: Scenario, policy: Policy, seed: int) -> tuple[dict[str, Counts], Counts, float]:
    course = course_of(simulate(scenario, policy, seed))
    return {name: getattr(course, name) for name in _SERIES}, course.arrivals, course.bin_s


def _point(scenario: Scenario, policy: Policy, seeds: Sequence[int], reference: Mapping[str, Counts]) -> dict[str, Any]:
    runs = [simulate(scenario, policy, seed, keep_attempts=True) for seed in seeds]
    raw = np.stack([measure_run(run) for run in runs])
    course = course_of(runs[0])
    columns = [(name, raw[:, NAMES.index(name)]) for name in SUMMARY]
    point: dict[str, Any] = {
        "s": [_interval(name, values, scenario.requests) for name, values in columns],
        "v": [
            None if np.isnan(values).any() else [_plain(value) for value in values.tolist()] for _, values in columns
        ],
    }
    point |= {name[0]: packed(getattr(course, name) - reference[name]) for name in _SERIES}
    return point | {"o": packed(course.open_tenths())}


def _interval(name: str, values: Values, requests: int) -> list[float] | None:
    told = interval_of(name, values, requests, _LEVEL)
    if told.value is None or told.low is None or told.high is None:
        return None
    return [_plain(told.value), _plain(told.low), _plain(told.high)]


def _plain(value: float) -> float:
    """Five digits are more than is known."""
    return float(f"{value:.5g}")


def _nearest(centre: Policy, open_times: Sequence[float]) -> list[int]:
    cfg = centre.breaker
    assert cfg is not None
    return [
        int(np.argmin(np.abs(np.array(SHARES) - cfg.failure_share))),
        int(np.argmin(np.abs(np.log(np.array(open_times) / cfg.open_s)))),
        int(np.argmin(np.abs(np.log(np.array(MIN_CALLS) / max(cfg.min_calls, 1))))),
    ]


assert set(SUMMARY) <= set(RAW)
