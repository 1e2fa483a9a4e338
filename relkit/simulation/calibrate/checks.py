"""Does a log drawn from the calibrated model look like the log? Statistics, bands, and one p-value each."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
from scipy.stats import t as student

from relkit.simulation.calibrate.arriving import dispersion
from relkit.simulation.calibrate.model import Drawn, TrafficModel, draw_log

Floats = npt.NDArray[np.float64]
REPLICATES: Final = 99
FALSE_ALARM: Final = 0.05
_MINUTE_S: Final = 60.0
_FEWEST: Final = 20
_LEAST_SPREAD: Final = 0.01


@dataclass(frozen=True, slots=True)
class Check:
    """One property of the log beside what the calibrated model gives.

    Parameters
    ----------
    name : str
        What is compared.
    observed : float or None
        In the log; None where it cannot be seen there.
    low, middle, high : float
        Band of the model: 2.5 %, 50 % and 97.5 % of the logs drawn from it.
    p : float or None
        Two-sided p-value; None where nothing was compared.
    passed : bool
        Whether it is above the level of one check.
    unit : str
        Of the numbers: ratio, calls, s or share.
    why_not : str
        Why nothing was compared; else empty.
    """

    name: str
    observed: float | None
    low: float
    middle: float
    high: float
    p: float | None
    passed: bool
    unit: str
    why_not: str = ""


def error_dispersion(log: Drawn) -> float | None:
    """Variance of the failures of a minute over that of independent ones, 1 where they are independent.

    Σ (k − n p)² / (n p (1 − p)) over minutes with attempts, divided by their number less one.
    """
    width = max(_MINUTE_S, log.span_s / 2000.0)
    place = (log.start_s / width).astype(np.int64)
    n, k = np.bincount(place), np.bincount(place, weights=log.failed)
    share = float(np.mean(log.failed))
    if not _FEWEST <= log.failed.sum() <= log.failed.size - _FEWEST or np.count_nonzero(n) < 5:
        return None
    seen = n > 0
    spread = n[seen] * share * (1.0 - share)
    return float(np.sum((k[seen] - n[seen] * share) ** 2 / spread) / (np.count_nonzero(seen) - 1))


def mean_failure_run(log: Drawn) -> float | None:
    """Mean number of failures in a row, in the order of starts."""
    if log.failed.sum() < _FEWEST:
        return None
    begins = log.failed & ~np.concatenate([[False], log.failed[:-1]])
    return float(log.failed.sum() / begins.sum())


def longest_bad_window(log: Drawn) -> float | None:
    """Largest share of all failures that lie in one fiftieth of the log."""
    if log.failed.sum() < _FEWEST:
        return None
    place = np.minimum((log.start_s / log.span_s * 50.0).astype(np.int64), 49)
    return float(np.bincount(place, weights=log.failed, minlength=50).max() / log.failed.sum())


def _quantile(level: float, *, bad: bool) -> Callable[[Drawn], float | None]:
    def statistic(log: Drawn) -> float | None:
        answered = ~log.failed & ~np.isnan(log.latency_s) & (log.latency_s > 0.0)
        chosen = log.latency_s[answered & (_bad_minutes(log) == bad)]
        return float(np.quantile(chosen, level)) if chosen.size >= _FEWEST else None

    return statistic


def _bad_minutes(log: Drawn) -> npt.NDArray[np.bool_]:
    """Whether each attempt starts in a stretch with at least three failures and three times the usual share of them."""
    width = min(_MINUTE_S, max(log.span_s / max(log.start_s.size / 10.0, 1.0), 1.0))
    place = (log.start_s / width).astype(np.int64)
    n, k = np.bincount(place), np.bincount(place, weights=log.failed)
    limit = min(3.0 * float(np.mean(log.failed)), 0.3)
    bad: npt.NDArray[np.bool_] = ((k >= 3) & (k >= limit * n))[place]
    return bad


def timeout_share(log: Drawn) -> float | None:
    """Share of attempts that the client gave up."""
    return float(np.mean(log.timed_out)) if log.timed_out.any() else None


def _tries_share(number: int) -> Callable[[Drawn], float | None]:
    def statistic(log: Drawn) -> float | None:
        made = int(np.count_nonzero(log.number == number))
        return made / max(log.arrived_s.size, 1) if made >= 5 else None

    return statistic


def _arrival_dispersion(windows: float) -> Callable[[Drawn], float | None]:
    def statistic(log: Drawn) -> float | None:
        width = max(log.span_s / windows, 5.0 * log.span_s / max(log.arrived_s.size, 1))
        return dispersion(log.arrived_s, width, log.span_s) if log.span_s / width >= 10 else None

    return statistic


@dataclass(frozen=True, slots=True)
class _Statistic:
    name: str
    unit: str
    of: Callable[[Drawn], float | None]


STATISTICS: Final = (
    _Statistic("dispersion of errors per minute", "ratio", error_dispersion),
    _Statistic("failures in a row", "calls", mean_failure_run),
    _Statistic("failures in the worst fiftieth", "share", longest_bad_window),
    _Statistic("p50 in good minutes", "s", _quantile(0.5, bad=False)),
    _Statistic("p95 in good minutes", "s", _quantile(0.95, bad=False)),
    _Statistic("p50 in bad minutes", "s", _quantile(0.5, bad=True)),
    _Statistic("calls given up", "share", timeout_share),
    _Statistic("requests with a 2nd attempt", "share", _tries_share(2)),
    _Statistic("requests with a 3rd attempt", "share", _tries_share(3)),
    _Statistic("dispersion of arrivals, short windows", "ratio", _arrival_dispersion(2000.0)),
    _Statistic("dispersion of arrivals, long windows", "ratio", _arrival_dispersion(40.0)),
)


def check_model(
    model: TrafficModel, log: Drawn, rng: np.random.Generator, *, blind: str = "", replicates: int = REPLICATES
) -> tuple[Check, ...]:
    """Compare a log with logs drawn from a model.

    Parameters
    ----------
    model : TrafficModel
        The model.
    log : Drawn
        The log as observed.
    rng : numpy.random.Generator
        Source of the draws.
    blind : str
        Why errors cannot be compared, where the log's own breaker hid calls; else empty.
    replicates : int
        Logs drawn.

    Returns
    -------
    tuple of Check

    Notes
    -----
    Each statistic is compared on the log scale: (observed − mean) / (sd √(1 + 1/B)) against Student's t with B − 1
    degrees of freedom, Bonferroni over the statistics compared, so that a right model is stamped in at most 5 % of
    logs (Rubin 1984, Gelman et al. 1996; the normal form needs far fewer draws than counting ranks).
    """
    observed = [statistic.of(log) for statistic in STATISTICS]
    drawn = [draw_log(model, rng) for _ in range(replicates)]
    found: list[tuple[_Statistic, float | None, Floats, str]] = []
    for place, statistic in enumerate(STATISTICS):
        values = np.array([math.nan if (value := statistic.of(one)) is None else value for one in drawn])
        there, why = values[~np.isnan(values)], ""
        if model.arrivals.times_s and statistic.name.startswith("dispersion of arrivals"):
            why = "arrivals are those of the log"
        elif blind and place not in _SEEN_ANYWAY:
            why = blind
        elif observed[place] is None and there.size <= replicates // 2:
            why = "too few such calls in the log"
        found.append((statistic, observed[place], there, why))
    level = FALSE_ALARM / max(sum(not why for *_, why in found), 1)
    return tuple(_checked(*one, level=level, replicates=replicates) for one in found)


_SEEN_ANYWAY: Final = frozenset({3, 4, 9, 10})  # latency of good minutes, and arrivals: a breaker does not hide these


def _checked(
    statistic: _Statistic, observed: float | None, values: Floats, why: str, *, level: float, replicates: int
) -> Check:
    low, middle, high = (float(x) for x in np.quantile(values, (0.025, 0.5, 0.975))) if values.size else (0.0, 0.0, 0.0)
    if why:
        return Check(statistic.name, observed, low, middle, high, None, True, statistic.unit, why)
    if observed is None or values.size <= replicates // 2:
        # One has it and the other mostly has not: how many of the drawn logs are like this one in that?
        p = (replicates - values.size if observed is None else values.size) / replicates
        return Check(statistic.name, observed, low, middle, high, p, p >= level, statistic.unit)
    logs = np.log(np.maximum(values, 1e-9))
    spread = max(float(np.std(logs, ddof=1)), _LEAST_SPREAD)
    far = abs(math.log(max(observed, 1e-9)) - float(np.mean(logs))) / (spread * math.sqrt(1.0 + 1.0 / values.size))
    p = float(2.0 * student.sf(far, values.size - 1))
    return Check(statistic.name, observed, low, middle, high, p, p >= level, statistic.unit)
