"""What a run is judged by: one number a measure, computed from the Run alone; and their intervals over seeds.

Missing is never good: a dead dependency that no breaker noticed counts as noticed when the trouble was over, and a
run without an answer has no latency and no price, which no limit accepts.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from scipy.special import stdtrit

from relkit.errors.kinds import ADVICE
from relkit.exceptions import ParameterError
from relkit.intervals import wilson_of_share
from relkit.policies.codes import OPEN
from relkit.simulation.demo_draws import Floats
from relkit.simulation.room import COUNTERS
from relkit.simulation.run import Run
from relkit.simulation.scenario import Scenario
from relkit.simulation.workload import CACHED, FAILED, KINDS, STALE
from relkit.units import MICROUSD_PER_USD

RECOVERED: Final = 0.95  # of the success share before the trouble
_STRETCH_S: Final = 10.0  # recovery is read from stretches of at least so long
_STRETCH_CALLS: Final = 50.0  # and of so many requests
_MOST_DEAD: Final = 10_000  # dead parts of a flapping episode that are looked at


@dataclass(frozen=True, slots=True)
class Measure:
    """A number that a run is judged by.

    Parameters
    ----------
    name : str
        As in tables and goals, with its unit.
    unit : str
        share, s, per_s, calls, usd or factor.
    more_is_better : bool
        Which way is better.
    says : str
        What it is, in a few words.

    Examples
    --------
    >>> measure("p95_s").more_is_better
    False
    """

    name: str
    unit: str
    more_is_better: bool
    says: str


MEASURES: Final = (
    Measure("success", "share", True, "requests answered, of those that could be"),
    Measure("p50_s", "s", False, "median latency of answers, waits included"),
    Measure("p95_s", "s", False, "95th percentile of the latency of answers, waits included"),
    Measure("p99_s", "s", False, "99th percentile of the latency of answers, waits included"),
    Measure("goodput_per_s", "per_s", True, "answers a second"),
    Measure("wasted_per_1k", "calls", False, "attempts sent to a dead dependency, per 1,000 requests"),
    Measure("detection_s", "s", False, "from the death of a dependency to the opening of its breaker"),
    Measure("detection_calls", "calls", False, "attempts that failed until then"),
    Measure("detected", "share", True, "breakers that opened while the dependency was dead"),
    Measure("recovery_s", "s", False, f"from the end of the trouble to {RECOVERED:.0%} of the success before it"),
    Measure("amplification", "factor", False, "attempts for one request that the cache did not answer"),
    Measure("usd_per_answer", "usd", False, "dollars per answered request"),
    Measure("bad_before_opening", "calls", False, "requests lost until the breaker opened"),
    Measure("budget_spent_share", "share", False, "share of the ErrorBudget lost until the breaker opened"),
)  # fmt: skip
"""All measures, in the order of their columns; the last follows from the one before and the objective."""

NAMES: Final = tuple(each.name for each in MEASURES)
RAW: Final = NAMES[:-1]
"""What a run alone tells."""

_BAD: Final = np.array([False, *(a.sli == "bad" for a in sorted(ADVICE.values(), key=lambda one: one.int_code))])
_OUT: Final = np.array([False, *(a.sli == "excluded" for a in sorted(ADVICE.values(), key=lambda one: one.int_code))])
_ARRIVALS, _FRESH, _REJECTED = (COUNTERS.index(name) for name in ("arrivals", "fresh", "rejected"))
assert len(_BAD) == KINDS


def measure(name: str) -> Measure:
    """Return a measure by its name.

    Raises
    ------
    ParameterError
        For a name that is none.
    """
    if name not in NAMES:
        raise ParameterError.of("measure", name, ", ".join(NAMES), "use one of these names")
    return MEASURES[NAMES.index(name)]


def dead_parts(scenario: Scenario) -> list[tuple[int, float, float]]:
    """Return when which model fails every attempt: its place, from when and before when, in seconds, in order of time.

    Examples
    --------
    >>> from relkit.simulation.suite import w0
    >>> dead_parts(w0())
    [(0, 600.0, 660.0)]
    """
    found: list[tuple[int, float, float]] = []
    for episode in scenario.episodes:
        if episode.share < 1.0:
            continue
        for place, model in enumerate(scenario.models):
            if episode.where not in {"*", model.name, model.provider}:
                continue
            if episode.period_s == 0.0 or episode.bad_share >= 1.0:
                found.append((place, episode.start_s, episode.end_s))
                continue
            periods = math.ceil((episode.end_s - episode.start_s) / episode.period_s)
            for number in range(min(periods, _MOST_DEAD)):
                start_s = episode.start_s + number * episode.period_s
                found.append((place, start_s, min(start_s + episode.period_s * episode.bad_share, episode.end_s)))
    return sorted(found, key=lambda part: (part[1], part[0]))


def measure_run(run: Run, dead: Sequence[tuple[int, float, float]] | None = None) -> Floats:
    """Return the raw measures of a run, in the order of `RAW`; NaN where the scenario has no such thing to measure.

    Parameters
    ----------
    run : Run
        Complete. With attempts, where the scenario has a dead dependency.
    dead : sequence, optional
        `dead_parts(run.scenario)`, where many runs share it.

    Raises
    ------
    ParameterError
        For a run that was interrupted, or one without the attempts it needs.

    Examples
    --------
    >>> from relkit.policies.presets import presets
    >>> from relkit.simulation.run import simulate
    >>> from relkit.simulation.suite import w0
    >>> run = simulate(w0(40_000), presets["pybreaker"], 1, keep_attempts=True)
    >>> found = dict(zip(RAW, measure_run(run).tolist()))
    >>> found["detected"], found["detection_s"] < 5.0
    (1.0, True)
    """
    if not run.complete:
        raise ParameterError.of("run", "interrupted", "a complete run", "play it to its end")
    parts = dead_parts(run.scenario) if dead is None else dead
    if parts and run.attempts is None:
        remedy = "simulate with keep_attempts=True"
        raise ParameterError.of("run", "without attempts", "a run with attempts, where a dependency dies", remedy)
    requests = run.requests
    outcome, kind, latency_s = requests["outcome"], requests["kind"], requests["latency_s"]
    is_answer = outcome <= STALE
    failed = outcome >= FAILED
    excluded = int(np.count_nonzero(failed & _OUT[kind]))
    answers = int(np.count_nonzero(is_answer))
    valid = len(requests) - excluded
    found = np.full(len(RAW), math.nan)
    found[0] = answers / valid if valid else math.nan
    if answers:
        found[1:4] = quantiles(latency_s if answers == len(requests) else latency_s[is_answer], (0.5, 0.95, 0.99))
        found[11] = int(requests["cost_microusd"].sum()) / answers / MICROUSD_PER_USD
    found[4] = answers / max(float(requests["arrival_s"][-1]), 1e-9)
    asked = len(requests) - int(np.count_nonzero(outcome == CACHED))
    found[10] = int(requests["attempts"].sum()) / asked if asked else math.nan
    if run.scenario.episodes:
        found[9] = _recovery_s(run)
    if parts:
        assert run.attempts is not None
        _measure_death(run, parts, failed & _BAD[kind], found)
    return found


def quantiles(values: Floats, levels: Sequence[float]) -> Floats:
    """Return quantiles by linear interpolation, as numpy's default; faster, since it sorts only what it must.

    >>> quantiles(np.array([3.0, 1.0, 2.0, 4.0]), (0.5, 0.75)).tolist()
    [2.5, 3.25]
    """
    places = [level * (len(values) - 1) for level in levels]
    lows = [int(place) for place in places]
    highs = [min(low + 1, len(values) - 1) for low in lows]
    ordered = np.partition(values, sorted({*lows, *highs}))
    return np.array(
        [
            ordered[low] + (ordered[high] - ordered[low]) * (place - low)
            for place, low, high in zip(places, lows, highs, strict=True)
        ]
    )


def _measure_death(run: Run, parts: Sequence[tuple[int, float, float]], bad: np.ndarray, found: Floats) -> None:
    """Fill in what concerns a dead dependency; its breaker is looked at in the first part."""
    attempts, changes = run.attempts, run.transitions
    assert attempts is not None
    sent_s, model = attempts["start_s"], attempts["model"]
    wasted = 0
    for place, start_s, end_s in parts:
        wasted += int(np.count_nonzero((model == place) & (sent_s >= start_s) & (sent_s < end_s)))
    found[5] = 1000.0 * wasted / len(run.requests)
    place, start_s, end_s = parts[0]
    clients = run.scenario.clients
    opened_s = np.full(clients, end_s)
    of_model = changes[(changes["model"] == place) & (changes["at_s"] < end_s)]
    # Who was open already when the dependency died has nothing to notice; later changes overwrite earlier ones.
    before = of_model[of_model["at_s"] < start_s]
    last = np.zeros(clients, dtype=np.int64)
    last[before["client"]] = before["state"]
    opened_s[last == OPEN] = start_s
    openings = of_model[(of_model["at_s"] >= start_s) & (of_model["state"] == OPEN)]
    np.minimum.at(opened_s, openings["client"], openings["at_s"])
    found[6] = float(opened_s.mean()) - start_s
    ended_s = sent_s + attempts["latency_s"]
    until_s = start_s + found[6]
    failing = (model == place) & (attempts["kind"] != 0) & (ended_s >= start_s) & (ended_s <= until_s)
    found[7] = np.count_nonzero(failing) / clients
    found[8] = float(np.mean(opened_s < end_s))
    finished_s = run.requests["arrival_s"] + run.requests["latency_s"]
    found[12] = np.count_nonzero(bad & (finished_s >= start_s) & (finished_s <= until_s))


def _recovery_s(run: Run) -> float:
    """Seconds from the end of the last episode to the first stretch that is as good as before; at most what was seen."""
    scenario = run.scenario
    start_s = min(episode.start_s for episode in scenario.episodes)
    end_s = max(episode.end_s for episode in scenario.episodes)
    ended = run.seconds[:, _FRESH : _REJECTED + 1].sum(axis=1)
    good = run.seconds[:, _FRESH : _FRESH + 3].sum(axis=1)
    whole = int(start_s)
    usual = good[:whole].sum() / ended[:whole].sum() if ended[:whole].sum() else 1.0
    stretch = math.ceil(max(_STRETCH_S, _STRETCH_CALLS / max(scenario.arrivals.mean_rate, 1e-9)))
    first = math.ceil(end_s)
    after = len(ended) - first
    if after <= 0:
        return 0.0
    sums = np.cumsum(np.concatenate(([0], ended[first:]))), np.cumsum(np.concatenate(([0], good[first:])))
    width = min(stretch, after)
    all_of, good_of = (each[width:] - each[:-width] for each in sums)
    is_well = (all_of > 0) & (good_of >= RECOVERED * usual * all_of)
    return float(np.argmax(is_well)) if is_well.any() else float(after)


@dataclass(frozen=True, slots=True)
class Measured:
    """A measure's mean over seeds, with its interval.

    Parameters
    ----------
    measure : str
        Its name.
    value : float or None
        The mean; None where it could not be measured in every run.
    low, high : float or None
        Interval at `level`; None for fewer than two seeds.
    level : float
        Confidence level.
    n : int
        Seeds.
    """

    measure: str
    value: float | None
    low: float | None
    high: float | None
    level: float
    n: int


def interval_of(name: str, values: Sequence[float] | Floats, requests: int = 0, level: float = 0.95) -> Measured:
    """Return the mean of a measure over seeds with a t interval; of success never narrower than Wilson's.

    Parameters
    ----------
    name : str
        Of the measure.
    values : sequence of float
        One a seed.
    requests : int
        Requests of a run: equal values in all seeds do not make a share certain.
    level : float
        Confidence level in (0, 1).

    Notes
    -----
    mean ± t(n−1) s/√n; a share is cut to [0, 1]. A value missing in one run is missing.

    Examples
    --------
    >>> found = interval_of("success", [1.0, 1.0], requests=1000)
    >>> found.value, round(found.low, 4), found.high
    (1.0, 0.9981, 1.0)
    """
    if not 0.0 < level < 1.0:
        raise ParameterError.of("level", level, "0 < level < 1", "pass a share such as 0.95")
    its = measure(name)
    seen = np.asarray(values, dtype=np.float64)
    if len(seen) == 0 or np.isnan(seen).any():
        return Measured(name, None, None, None, level, len(seen))
    mean = float(seen.mean())
    if len(seen) < 2:
        return Measured(name, mean, None, None, level, len(seen))
    half = float(stdtrit(len(seen) - 1, (1.0 + level) / 2.0)) * float(seen.std(ddof=1)) / math.sqrt(len(seen))
    low, high = mean - half, mean + half
    if name == "success" and requests:
        least = wilson_of_share(min(max(mean, 0.0), 1.0), requests * len(seen), level)
        low, high = min(low, least[0]), max(high, least[1])
    if its.unit == "share" and name != "budget_spent_share":
        low, high = max(low, 0.0), min(high, 1.0)
    return Measured(name, mean, max(low, 0.0), high, level, len(seen))
