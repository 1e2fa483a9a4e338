"""When requests come, read from a log: how coarse its clock is, how bursty it is, and the simplest process that tells it."""

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
from scipy.stats import chi2

from relkit.simulation.arrivals import Arrivals, in_visits, modulated, poisson, replayed, varying
from relkit.simulation.calibrate.hidden import fit_rates
from relkit.simulation.calibrate.visiting import HOUR_S, fit_visits
from relkit.simulation.visits import Visits, followed

Floats = npt.NDArray[np.float64]
_RESOLUTIONS_S: Final = (3600.0, 60.0, 1.0, 0.1, 0.01, 0.001)
_LEAST_P: Final = 0.001
_TRIES: Final = 40
_MOST_BINS: Final = 200_000
_WHY: Final = {
    "varying": "within each hour counts are as even as chance makes them",
    "visits": "at a rate by the hour, requests that follow each other are as bursty as the log",
}


@dataclass(frozen=True, slots=True)
class Arriving:
    """What a log says of its arrivals.

    Parameters
    ----------
    process : str
        poisson, varying, visits, modulated or replayed: the first of these that tells the log.
    arrivals : Arrivals
        For a scenario.
    tie_share : float
        Share of requests that come at the very time of the one before.
    resolution_s : float
        Step of the log's clock in seconds; 0 where none can be seen.
    variation : float
        Standard deviation of the time between requests over its mean: 1 for Poisson arrivals.
    dispersion : float
        Variance of the counts in windows of `window_s` over their mean: 1 for Poisson arrivals.
    window_s : float
        Seconds that hold about five requests, and at least the clock's step.
    sentence : str
        What was chosen, and why.
    """

    process: str
    arrivals: Arrivals
    tie_share: float
    resolution_s: float
    variation: float
    dispersion: float
    window_s: float
    sentence: str


def read_arrivals(times_s: Floats) -> Arriving:
    """Choose the simplest process that tells the times of a log.

    Parameters
    ----------
    times_s : array of float, shape (requests,)
        Ascending, seconds from the start of the log.

    Returns
    -------
    Arriving

    Notes
    -----
    Poisson where the index of dispersion is that of a Poisson process at two widths of windows (chi-square, p > 0.001
    each); else a rate by the hour where the same holds within the hours; else, by the hour too, requests that follow each
    other in visits; else two states of a modulated Poisson process; else the times themselves. Of all but the first and last,
    40 logs drawn must be as dispersed as this one at three widths.

    Examples
    --------
    >>> rng = np.random.default_rng(3)
    >>> read_arrivals(np.sort(rng.uniform(0.0, 1000.0, 4000))).process
    'poisson'
    """
    gaps = np.diff(times_s)
    span_s = max(float(times_s[-1] - times_s[0]), 1e-9)
    resolution_s = _resolution(times_s)
    ties = float(np.mean(gaps == 0.0)) if gaps.size else 0.0
    mean_gap = max(float(np.mean(gaps)) if gaps.size else span_s, 1e-12)
    variation = float(np.std(gaps) / mean_gap) if gaps.size else 0.0
    short_s = max(5.0 * mean_gap, resolution_s, span_s / _MOST_BINS)
    long_s = max(span_s / 40.0, short_s)
    rate = times_s.size / span_s
    flat = [_poisson_p(times_s, width) for width in (short_s, long_s)]
    widths = (short_s, math.sqrt(short_s * long_s), long_s)
    if min(flat) > _LEAST_P:
        process, arrivals, why = "poisson", poisson(rate), "counts are as even as chance makes them"
    elif (by_hour := _by_hour(times_s, widths)) is not None:
        process, arrivals = by_hour
        why = _WHY[process]
        if arrivals.visits is not None:
            visits = arrivals.visits
            why += f": {visits.mean_requests:.2g} of one user on average, {visits.gap_median_s:.3g} s apart"
    elif (states := _modulated(times_s, widths, resolution_s)) is not None:
        process, arrivals, why = "modulated", states, "a quiet and a busy state by turns are as bursty as the log"
    else:
        arrivals = replayed((times_s - times_s[0]).tolist())
        process, why = "replayed", "no simpler process is as bursty as the log"
    spread = dispersion(times_s, short_s)
    told = f"Arrivals are taken as {process}: {why} (counts in windows of {short_s:.3g} s vary {spread:.1f} times as much as Poisson's)."
    return Arriving(process, arrivals, ties, resolution_s, variation, spread, short_s, told)


def dispersion(times_s: Floats, width_s: float, span_s: float | None = None) -> float:
    """Return the variance of counts in windows over their mean, 1 for Poisson arrivals.

    Parameters
    ----------
    times_s : array of float
        Seconds.
    width_s : float
        Width of the windows, seconds.
    span_s : float, optional
        Length of the log; by default to the last time.
    """
    counts = counts_in(times_s, width_s, span_s)
    return float(np.var(counts, ddof=1)) / max(float(np.mean(counts)), 1e-12) if counts.size > 1 else 1.0


def counts_in(times_s: Floats, width_s: float, span_s: float | None = None) -> npt.NDArray[np.int64]:
    """Count times in whole windows from the first time on."""
    start = float(times_s[0]) if span_s is None else 0.0
    span = float(times_s[-1]) - start if span_s is None else span_s
    windows = max(int(span / width_s), 1)
    places = ((times_s - start) / width_s).astype(np.int64)
    return np.bincount(places[(places >= 0) & (places < windows)], minlength=windows)


def draw_arrivals(arrivals: Arrivals, span_s: float, rng: np.random.Generator) -> Floats:
    """Draw arrival times within a span, in seconds, ascending.

    >>> draw_arrivals(poisson(10.0), 100.0, np.random.default_rng(1)).size
    1001
    """
    if arrivals.times_s:
        times = np.asarray(arrivals.times_s)
        return times[times <= span_s]
    if arrivals.modulated:
        number = int(2.0 * span_s / sum(arrivals.lengths_s)) + 20
        lengths = rng.exponential(arrivals.lengths_s, (number, len(arrivals.lengths_s))).ravel()
    elif len(arrivals.rates) == 1:
        lengths = np.array([span_s])
    else:
        lengths = np.tile(arrivals.lengths_s, int(span_s / sum(arrivals.lengths_s)) + 1)
    rates = np.tile(arrivals.rates, lengths.size // len(arrivals.rates))
    if arrivals.visits is not None:
        times = _visiting(arrivals.visits, rates, lengths, rng)
    else:
        times = _poisson(rates, lengths, rng)
        times.sort()
    return times[(times >= 0.0) & (times <= span_s)]


def _poisson(rates: Floats, lengths: Floats, rng: np.random.Generator) -> Floats:
    counts = rng.poisson(rates * lengths)
    starts = np.cumsum(lengths) - lengths
    return np.repeat(starts, counts) + rng.random(int(counts.sum())) * np.repeat(lengths, counts)


def _visiting(visits: Visits, rates: Floats, lengths: Floats, rng: np.random.Generator) -> Floats:
    lead_s = visits.lead_s
    before, pieces = np.concatenate([rates[:1], rates]), np.concatenate([[lead_s], lengths])
    begins = _poisson(before / visits.mean_requests, pieces, rng) - lead_s
    more = rng.geometric(1.0 - visits.again, begins.size) - 1
    return followed(begins, more, visits.gaps_s(rng.standard_normal(int(more.sum()))))


def _resolution(times_s: Floats) -> float:
    for step in _RESOLUTIONS_S:
        if np.all(np.abs(times_s / step - np.rint(times_s / step)) * step < 2e-7):
            return step
    return 0.0


def _poisson_p(times_s: Floats, width_s: float, *, by_hour: bool = False) -> float:
    counts = counts_in(times_s, width_s)
    if counts.size < 5:
        return 1.0
    expected = np.full(counts.size, np.mean(counts))
    lost = 1
    if by_hour:
        piece = (np.arange(counts.size) * width_s / HOUR_S).astype(np.int64)
        sums = np.bincount(piece, weights=counts)
        expected = (sums / np.maximum(np.bincount(piece), 1))[
            piece
        ]  # where windows are longer than hours, some hold none
        lost = int(piece[-1]) + 1
    usable = expected > 0.0
    statistic = float(np.sum((counts[usable] - expected[usable]) ** 2 / expected[usable]))
    free = max(int(np.count_nonzero(usable)) - lost, 1)
    upper = float(chi2.sf(statistic, free))
    return 2.0 * min(upper, 1.0 - upper)


def _hours(times_s: Floats) -> list[tuple[float, float]]:
    place = ((times_s - times_s[0]) / HOUR_S).astype(np.int64)
    counts = np.bincount(place)
    lengths = np.full(counts.size, HOUR_S)
    lengths[-1] = max(float(times_s[-1] - times_s[0]) - HOUR_S * (counts.size - 1), 1.0)
    return [(float(length), float(number / length)) for length, number in zip(lengths, counts, strict=True)]


def _by_hour(times_s: Floats, widths: tuple[float, float, float]) -> tuple[str, Arrivals] | None:
    """Requests on their own at a rate by the hour, or in visits; None where neither is as bursty as the log."""
    if float(times_s[-1] - times_s[0]) < 6 * HOUR_S:
        return None
    hours = varying(_hours(times_s))
    if _poisson_p(times_s, widths[0], by_hour=True) > _LEAST_P and _is_as_bursty(hours, times_s, widths):
        return "varying", hours
    visits = fit_visits(times_s - times_s[0])
    if visits is None:
        return None
    following = in_visits(hours, visits)
    return ("visits", following) if _is_as_bursty(following, times_s, widths) else None


def _modulated(times_s: Floats, widths: tuple[float, float, float], resolution_s: float) -> Arrivals | None:
    fine_s = max(widths[0] / 5.0, resolution_s)
    counts = counts_in(times_s, fine_s)
    if counts.size < 50:
        return None
    states = fit_rates(fine_s, counts)
    span_s = float(times_s[-1] - times_s[0])
    if span_s / (states.good_s + states.bad_s) < 5.0 or min(states.good_s, states.bad_s) < 0.5 * fine_s:
        return None
    found = modulated([(states.good_s, states.good_level), (states.bad_s, states.bad_level)])
    return found if _is_as_bursty(found, times_s, widths) else None


def _is_as_bursty(arrivals: Arrivals, times_s: Floats, widths: tuple[float, float, float]) -> bool:
    """Whether the log is as dispersed as logs drawn from a process, at each width within three standard deviations."""
    span_s = float(times_s[-1] - times_s[0])
    rng = np.random.default_rng(0)
    seen = np.array([_log_dispersion(times_s - times_s[0], width, span_s) for width in widths])
    drawn = np.array([
        [_log_dispersion(times, width, span_s) for width in widths]
        for times in (draw_arrivals(arrivals, span_s, rng) for _ in range(_TRIES))
    ])  # fmt: skip
    off = np.abs(seen - drawn.mean(axis=0)) / np.maximum(drawn.std(axis=0, ddof=1), 1e-9)
    return float(off.max()) < 3.0


def _log_dispersion(times_s: Floats, width_s: float, span_s: float) -> float:
    return math.log(max(dispersion(times_s, width_s, span_s), 1e-6)) if times_s.size > 1 else 0.0
