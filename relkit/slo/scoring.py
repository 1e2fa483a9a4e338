"""The arithmetic of scores: alerts against incidents, as arrays of positions; definitions in docs/alerts.md.

Clock: entry i of a grid is known at instant i + 1. So an incident of the minutes s..e-1 runs from instant s to e, an
alert that fires in the positions a..b-1 is told at instant a + 1 and is off at instant b + 1.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from relkit.slo.firing import Spans, joined
from relkit.slo.minutes import Bools, Floats, Ints
from relkit.units import MINUTES_PER_DAY

MERGE_MINUTES: Final = 30
"""Firing runs at most so far apart are one alert: whoever was paged is still at it."""
GRACE_MINUTES: Final = 5
"""An alert that starts so soon after the end of an incident still tells of it."""


@dataclass(frozen=True, slots=True, eq=False)
class Matches:
    """Which alert told of which incident.

    Parameters
    ----------
    alerts : integer array
        Alerts as [start, end) positions, runs close together merged.
    is_true : bool array
        For each alert, whether it overlaps an incident.
    incidents : integer array
        The significant incidents as [start, end) positions.
    delay : float array
        For each incident the minutes from its start until someone is told; NaN where nobody was.
    reset : float array
        For each incident told of, minutes from its end until the alert is off; NaN otherwise.
    """

    alerts: Spans
    is_true: Bools
    incidents: Spans
    delay: Floats
    reset: Floats

    @property
    def is_told(self) -> Bools:
        """Return for each incident whether anyone was told."""
        return ~np.isnan(self.delay)

    @property
    def precision(self) -> float | None:
        """Return true alerts / alerts; None without an alert."""
        return float(self.is_true.mean()) if len(self.alerts) else None

    @property
    def recall(self) -> float | None:
        """Return incidents told / incidents; None without an incident."""
        return float(self.is_told.mean()) if len(self.incidents) else None

    @property
    def f1(self) -> float | None:
        """Return 2PR / (P + R); 0 where either is 0, None without an incident."""
        if not len(self.incidents):
            return None
        return float(f1_of(self.precision or 0.0, self.recall or 0.0))


def match(firing: Spans, incidents: Spans, grace: int = GRACE_MINUTES, merge: int = MERGE_MINUTES) -> Matches:
    """Match firing runs with incidents.

    >>> found = match(np.array([[12, 20], [90, 95]]), np.array([[10, 15], [40, 50]]))
    >>> found.precision, found.recall, found.delay.tolist(), found.reset.tolist()
    (0.5, 0.5, [3.0, nan], [6.0, nan])
    """
    alerts = joined([firing], merge)
    starts, ends = incidents[:, 0], incidents[:, 1] + grace
    # Alerts are apart from each other and in order, so what overlaps an incident is one stretch of them
    first = np.searchsorted(alerts[:, 1], starts, side="right")
    beyond = np.searchsorted(alerts[:, 0], ends, side="left")
    told = first < beyond
    is_true = np.zeros(len(alerts) + 1, dtype=np.int64)
    np.add.at(is_true, first[told], 1)
    np.add.at(is_true, beyond[told], -1)
    # The delay is that of the first run itself: a merged alert may have been silent when the incident began
    run = np.searchsorted(firing[:, 1], starts, side="right")
    fires = told & (run < len(firing))
    at = firing[np.minimum(run, max(len(firing) - 1, 0)), 0] if len(firing) else starts
    delay = np.where(fires & (at < ends), np.maximum(at - starts, 0) + 1.0, np.nan)
    told = ~np.isnan(delay)
    last = alerts[np.maximum(beyond - 1, 0), 1] if len(alerts) else starts
    reset = np.where(told, np.maximum(last + 1 - incidents[:, 1], 0), np.nan)
    return Matches(alerts, np.cumsum(is_true)[:-1] > 0, incidents, delay, reset)


def f1_of(precision: npt.ArrayLike, recall: npt.ArrayLike) -> Floats:
    """Return 2PR / (P + R), 0 where both are 0.

    >>> f1_of([1.0, 0.0], [0.5, 0.0]).round(3).tolist()
    [0.667, 0.0]
    """
    p, r = np.asarray(precision, dtype=np.float64), np.asarray(recall, dtype=np.float64)
    total = p + r
    f1: Floats = np.divide(2 * p * r, total, out=np.zeros_like(total), where=total > 0)
    return f1


def quantile_of_delays(delay: Floats, censored_at: Floats, level: float) -> float | None:
    """Return a quantile of the delay by Kaplan and Meier: an incident nobody was told of was waited for until its end.

    Parameters
    ----------
    delay : float array
        Minutes, NaN where nobody was told.
    censored_at : float array
        For each incident how long one could have waited: its duration and the grace.
    level : float
        0.5 for the median.

    Returns
    -------
    float or None
        None where so many went untold that the quantile is beyond what was seen. The mean of those found would call a
        rule quick that finds only the easy ones.

    >>> quantile_of_delays(np.array([1.0, 3.0, np.nan]), np.array([9.0, 9.0, 2.0]), 0.5)
    3.0
    >>> quantile_of_delays(np.array([1.0, np.nan, np.nan]), np.array([9.0, 9.0, 9.0]), 0.5) is None
    True
    """
    told = ~np.isnan(delay)
    time = np.where(told, delay, censored_at)
    survival = 1.0
    for at in np.unique(time[told]):
        waiting = np.count_nonzero(time >= at)
        survival *= 1 - np.count_nonzero(told & (time == at)) / waiting
        if survival <= 1 - level + 1e-12:
            return float(at)
    return None


def by_day(found: Matches, size: int) -> Ints:
    """Count true alerts, alerts, incidents told and incidents for each day of the grid: the blocks of the bootstrap.

    A true alert belongs to the day of the incident it tells of, so that a day carries both sides of what happened.

    >>> by_day(match(np.array([[12, 20]]), np.array([[10, 15]])), 1440).tolist()
    [[1, 1, 1, 1]]
    """
    days = max(1, -(-size // MINUTES_PER_DAY))
    counts = np.zeros((days, 4), dtype=np.int64)
    home = found.alerts[:, 0].copy()
    if len(found.incidents):
        place = np.searchsorted(found.incidents[:, 1] + GRACE_MINUTES, found.alerts[:, 0], side="right")
        home = np.where(found.is_true, found.incidents[np.minimum(place, len(found.incidents) - 1), 0], home)
    np.add.at(counts[:, 0], home[found.is_true] // MINUTES_PER_DAY, 1)
    np.add.at(counts[:, 1], home // MINUTES_PER_DAY, 1)
    at = found.incidents[:, 0] // MINUTES_PER_DAY
    np.add.at(counts[:, 2], at[found.is_told], 1)
    np.add.at(counts[:, 3], at, 1)
    return counts


def resamples(days: int, draws: int, seed: int) -> Ints:
    """Return how often each day is drawn in each resample: rows are resamples.

    >>> resamples(5, 2, 0).sum(axis=1).tolist()
    [5, 5]
    """
    return np.random.default_rng(seed).multinomial(days, np.full(days, 1 / days), size=draws)


def rates_of(counts: npt.NDArray[np.int64]) -> tuple[Floats, Floats, Floats]:
    """Return precision, recall and F1 of sums of `by_day`; NaN precision without alerts, NaN all without incidents."""
    true, alerts, told, incidents = (counts[..., place].astype(np.float64) for place in range(4))
    nan = np.full(true.shape, np.nan)
    precision = np.divide(true, alerts, out=nan.copy(), where=alerts > 0)
    recall = np.divide(told, incidents, out=nan.copy(), where=incidents > 0)
    f1 = np.where(incidents > 0, f1_of(np.nan_to_num(precision), np.nan_to_num(recall)), np.nan)
    return precision, recall, f1


def interval(values: Floats, level: float) -> tuple[float, float] | None:
    """Return the percentile interval of resampled values; None where fewer than half of them exist.

    >>> [round(end) for end in interval(np.arange(101.0), 0.9)]
    [5, 95]
    """
    told = values[~np.isnan(values)]
    if 2 * told.size < values.size or not told.size:
        return None
    low, high = np.quantile(told, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)
