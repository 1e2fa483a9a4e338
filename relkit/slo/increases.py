"""What Prometheus' `increase()` says of two counters, minute by minute, gaps and restarts included.

Minutes become the samples of two counters that a scrape each minute would have seen; from there on the arithmetic is
that of Prometheus 2 (promql/functions.go, extrapolatedRate), so that a rule evaluated here and there says the same.
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from relkit.exceptions import DataError, ParameterError
from relkit.slo.minutes import Floats, Ints, Minutes, utc_text

Places = npt.NDArray[np.int64]


class Increases:
    """Window sums of bad and valid requests as Prometheus sees them, at the end of each minute.

    Parameters
    ----------
    minutes : Minutes
        The counts. Minute i becomes the sample at instant i + 1; a minute without data is a scrape that failed, so
        there is no sample; at instant 0 both counters stand at 0 (series are initialised at zero).
    restarts : sequence of int
        Unix minutes at whose start the process began anew, its counters at zero.

    Notes
    -----
    Over the window [t - w, t] the increase is last minus first sample, plus what was counted before each drop, times
    a factor that extends it to the edges of the window; the factor is 1 where both edges hold a sample. A counter is
    never extended below zero, so beside a gap a young counter grows by another factor than an old one (the last entry
    of the example: 3 of 20, where 2 of 10 were counted). Fewer than two samples: no value. A restart after which a counter is already at or over
    its old value is not seen by Prometheus; so it is not seen here.

    Examples
    --------
    >>> grid = Minutes(0, [9, 0, 10, 8], [1, 0, 0, 2], [0] * 4, [0] * 4, [True, False, True, True])
    >>> bad, valid = Increases(grid).over(2)
    >>> bad.tolist(), valid.tolist()
    ([1.0, 2.0, 0.0, 3.0], [10.0, 20.0, 10.0, 20.0])
    """

    def __init__(self, minutes: Minutes, restarts: Sequence[int] = ()) -> None:
        size = len(minutes)
        there = np.concatenate(([True], minutes.covered))
        self.size = size
        self._full = bool(minutes.covered.all())
        starts = _restarts(restarts, minutes)
        self._values: list[Ints] = []
        self._sums: list[Ints] = []
        for counts in (minutes.bad, minutes.valid):
            values = _values(counts, starts)
            self._values.append(values)
            self._sums.append(_seen(values, there) if starts.size else _cumulative(counts))
        places = np.arange(size + 1)
        self._last = np.maximum.accumulate(np.where(there, places, 0))
        self._next = np.minimum.accumulate(np.where(there, places, size + 1)[::-1])[::-1]
        self._many = np.cumsum(there)

    def over(self, window: int, places: Places | None = None) -> tuple[Floats, Floats]:
        """Return the increases of bad and of valid requests over a window of so many minutes.

        Parameters
        ----------
        window : int
            Minutes, at least 1.
        places : integer array, optional
            Positions of the minutes asked for; all of them by default.

        Returns
        -------
        tuple of float array
            NaN where Prometheus has no value.
        """
        if window < 1:
            raise ParameterError.of("window", window, "at least 1 minute", "give whole minutes")
        at = np.arange(1, self.size + 1) if places is None else places + 1
        start = np.maximum(at - window, 0)
        if self._full:
            # Only the very first windows lack a sample at their start. The counters stand at zero there, and a counter
            # is not extended below zero: the increase is what was counted.
            bad, valid = (sums[at] - sums[start] for sums in self._sums)
            return bad.astype(np.float64), valid.astype(np.float64)
        first, last = self._next[start], self._last[at]
        told = first < last
        first = np.where(told, first, 0)
        last = np.where(told, last, 0)
        rough = np.flatnonzero(told & ((first != at - window) | (last != at)))
        found = []
        for sums, values in zip(self._sums, self._values, strict=True):
            grown = (sums[last] - sums[first]).astype(np.float64)
            grown[~told] = np.nan
            grown[rough] *= self._stretch(
                at[rough], window, first[rough], last[rough], grown[rough], values[first[rough]]
            )
            found.append(grown)
        return found[0], found[1]

    def _stretch(self, at: Places, window: int, first: Places, last: Places, grown: Floats, value: Ints) -> Floats:
        """Return the factor by which an increase is extended to the edges of its window (all spans in seconds, as there)."""
        to_start = 60.0 * (first - (at - window))
        to_end = 60.0 * (at - last)
        sampled = 60.0 * (last - first)
        apart = sampled / (self._many[last] - self._many[first])
        with np.errstate(divide="ignore", invalid="ignore"):
            to_zero = sampled * (value / grown)
        to_start = np.where((grown > 0) & (to_zero < to_start), to_zero, to_start)
        near = apart * 1.1
        reach = sampled + np.where(to_start < near, to_start, apart / 2)
        reach = reach + np.where(to_end < near, to_end, apart / 2)
        factor: Floats = reach / sampled
        return factor


def counter_samples(minutes: Minutes, restarts: Sequence[int] = ()) -> tuple[list[int | None], list[int | None]]:
    """Return the samples of the counters of bad and of valid requests that `Increases` speaks of, None where missing.

    One more than there are minutes: the first is the zero at the start of the grid.

    >>> grid = Minutes(0, [9, 0, 10], [1, 0, 0], [0] * 3, [0] * 3, [True, False, True])
    >>> counter_samples(grid, restarts=[2])
    ([0, 1, None, 0], [0, 10, None, 10])
    """
    starts = _restarts(restarts, minutes)
    there = [True, *minutes.covered.tolist()]
    bad, valid = (
        [value if seen else None for value, seen in zip(_values(counts, starts).tolist(), there, strict=True)]
        for counts in (minutes.bad, minutes.valid)
    )
    return bad, valid


def minutes_of_counters(start_minute: int, bad: Sequence[int | None], valid: Sequence[int | None]) -> Minutes:
    """Return the minutes behind two counters that were read once a minute; a reset counts from zero, a gap is missing.

    Parameters
    ----------
    start_minute : int
        Unix minute of the first reading.
    bad, valid : sequence of int or None
        Readings, None where there is none. What grew over a gap is counted in the minute after it.

    Raises
    ------
    DataError
        For readings that differ in length, are negative, or count more bad than valid requests in a minute.

    >>> grid = minutes_of_counters(0, [0, 1, None, 0], [0, 12, None, 10])
    >>> grid.bad.tolist(), grid.valid.tolist(), grid.covered.tolist()
    ([1, 0, 0], [12, 0, 10], [True, False, True])
    """
    if len(bad) != len(valid) or len(bad) < 2:
        raise DataError(f"two counters of the same length, at least 2, are needed; got {len(bad)} and {len(valid)}")
    grown: list[Ints] = []
    there = np.array([a is not None and b is not None for a, b in zip(bad, valid, strict=True)])
    for name, readings in (("bad", bad), ("valid", valid)):
        known = np.array([reading if reading is not None else 0 for reading in readings], dtype=np.int64)
        if known.min() < 0:
            raise DataError(
                f"the counter of {name} requests is negative at {utc_text(start_minute + int(known.argmin()))}"
            )
        places = np.flatnonzero(there)
        steps = np.zeros(len(known), dtype=np.int64)
        readings_there = known[places]
        change = np.diff(readings_there)
        steps[places[1:]] = np.where(change < 0, readings_there[1:], change)
        grown.append(steps[1:])
    good = grown[1] - grown[0]
    if good.min() < 0:
        at = utc_text(start_minute + int(good.argmin()))
        raise DataError(f"more bad than valid requests at {at}: the counters do not belong together")
    none = np.zeros(len(good), dtype=np.int64)
    return Minutes(start_minute, good, grown[0], none, none, there[1:])


def _restarts(restarts: Sequence[int], minutes: Minutes) -> Places:
    starts = np.unique(np.asarray(restarts, dtype=np.int64)) - minutes.start_minute
    if starts.size and (starts[0] < 0 or starts[-1] >= len(minutes)):
        allowed = f"minutes from {minutes.start_minute} to {minutes.end_minute - 1}"
        raise ParameterError.of("restarts", list(restarts), allowed, "name minutes of the grid")
    return starts


def _cumulative(counts: Ints) -> Ints:
    return np.concatenate((np.zeros(1, dtype=np.int64), np.cumsum(counts, dtype=np.int64)))


def _values(counts: Ints, starts: Places) -> Ints:
    """Return what a counter shows at each instant: what was counted since its process began."""
    sums = _cumulative(counts)
    if not starts.size:
        return sums
    place = np.searchsorted(starts, np.arange(len(sums)), side="left") - 1  # the sample at the restart is the old one
    since: Ints = np.where(place >= 0, sums[starts[np.maximum(place, 0)]], 0)
    return sums - since


def _seen(values: Ints, there: npt.NDArray[np.bool_]) -> Ints:
    """Sum what Prometheus sees: each step between samples, and the whole value after a drop."""
    places = np.flatnonzero(there)
    shown = values[places]
    change = np.diff(shown)
    steps = np.zeros(len(values), dtype=np.int64)
    steps[places[1:]] = np.where(change < 0, shown[1:], change)
    return np.cumsum(steps)
