"""Minutes: requests counted on a dense grid of clock minutes, with missing kept apart from zero.

A minute without traffic is an answer (nobody asked); a minute without data is none. Averages, windows and verdicts
treat them differently, so the difference is a field here and not a guess later.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from relkit.exceptions import DataError, ParameterError
from relkit.units import SECONDS_PER_MINUTE

Gap = tuple[int, int]
"""A missing stretch: first unix minute without data, first unix minute with data again."""

Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.float64]

SHORTEST_SILENCE: Final = 5
"""Minutes of silence that are always taken for quiet: one scrape lost, one deploy."""


@dataclass(frozen=True, slots=True)
class Totals:
    """Sums over a stretch of minutes, in requests.

    >>> Totals(good=98, bad=2, excluded=5, unknown=1).valid
    100
    """

    good: int
    bad: int
    excluded: int
    unknown: int

    @property
    def valid(self) -> int:
        """Return the denominator of the indicator: good + bad."""
        return self.good + self.bad


@dataclass(frozen=True, slots=True, eq=False)
class Minutes:
    """Requests by the minute in which they end, one entry for every clock minute.

    Parameters
    ----------
    start_minute : int
        First minute of the grid, in minutes since 1970-01-01 UTC.
    good, bad : integer array
        Requests with a good and with a bad outcome.
    excluded : integer array
        Requests that leave the denominator (faults of the caller).
    unknown : integer array
        Requests whose outcome is not told: neither good nor bad.
    covered : bool array
        False where there is no data. Distinct from zero traffic, and such a minute holds no request.

    Raises
    ------
    DataError
        For arrays of different length, negative or broken counts, or requests in a minute that is said to be missing.

    Examples
    --------
    >>> grid = Minutes(0, [10, 9, 0, 10], [0, 1, 0, 0], [0] * 4, [0] * 4, [True, True, False, True])
    >>> grid.coverage, grid.gaps(), grid.totals
    (0.75, [(2, 3)], Totals(good=29, bad=1, excluded=0, unknown=0))
    """

    start_minute: int
    good: Ints
    bad: Ints
    excluded: Ints
    unknown: Ints
    covered: Bools

    def __post_init__(self) -> None:
        put = object.__setattr__
        put(self, "start_minute", _minute("start_minute", self.start_minute))
        counted = np.zeros(len(self.covered), dtype=np.bool_)
        for name in ("good", "bad", "excluded", "unknown"):
            counts = _counts(name, getattr(self, name), len(self.covered))
            counted |= counts > 0
            put(self, name, counts)
        covered = np.asarray(self.covered)
        if covered.ndim != 1 or (covered.size and covered.dtype != np.bool_):
            raise DataError(f"covered must be a flat array of bool, got {covered.dtype} with {covered.ndim} dimensions")
        put(self, "covered", _locked(covered.astype(np.bool_)))
        stray = np.flatnonzero(counted & ~self.covered)
        if stray.size:
            at = utc_text(self.start_minute + int(stray[0]))
            raise DataError(f"{stray.size} minutes are marked as missing but hold requests, the first at {at}")

    def __len__(self) -> int:
        return len(self.covered)

    @property
    def end_minute(self) -> int:
        """Return the first unix minute after the grid."""
        return self.start_minute + len(self)

    @property
    def valid(self) -> Ints:
        """Return good + bad for each minute."""
        return self.good + self.bad

    @property
    def totals(self) -> Totals:
        """Return the sums over the grid."""
        return Totals(*(int(counts.sum()) for counts in (self.good, self.bad, self.excluded, self.unknown)))

    @property
    def coverage(self) -> float:
        """Return the share of minutes that hold data, in [0, 1]; an empty grid has 0."""
        return float(np.count_nonzero(self.covered) / len(self)) if len(self) else 0.0

    def gaps(self) -> list[Gap]:
        """Return the missing stretches as (start, end) in unix minutes, end exclusive, longest first."""
        return sorted(runs(~self.covered, self.start_minute), key=lambda gap: (gap[0] - gap[1], gap[0]))

    def slice(self, start: int, end: int) -> "Minutes":
        """Return the grid from unix minute `start` up to but without `end`; both must lie on it."""
        if not self.start_minute <= start <= end <= self.end_minute:
            allowed = f"{self.start_minute} <= start <= end <= {self.end_minute}"
            raise ParameterError.of("start, end", (start, end), allowed, "ask for minutes of this grid")
        part = slice(start - self.start_minute, end - self.start_minute)
        return Minutes(
            start, self.good[part], self.bad[part], self.excluded[part], self.unknown[part], self.covered[part]
        )


@dataclass(frozen=True, slots=True, eq=False)
class MinuteShares:
    """A pre-aggregated series: the share of good requests of each minute, without the counts behind it.

    A quiet minute weighs as much as a busy one here, so no interval and no exact budget can come of it.

    Parameters
    ----------
    start_minute : int
        First minute of the grid, in minutes since 1970-01-01 UTC.
    share : float array
        Good share in [0, 1] for every clock minute; NaN = missing.
    source : str
        Where the series comes from, for captions.

    Examples
    --------
    >>> MinuteShares(0, [1.0, float("nan"), 0.5], "demo").present.tolist()
    [True, False, True]
    """

    start_minute: int
    share: Floats
    source: str

    def __post_init__(self) -> None:
        put = object.__setattr__
        put(self, "start_minute", _minute("start_minute", self.start_minute))
        share = np.asarray(self.share, dtype=np.float64)
        if share.ndim != 1:
            raise DataError(f"share must be a flat array, got {share.ndim} dimensions")
        outside = np.flatnonzero((share < 0) | (share > 1))
        if outside.size:
            at, got = utc_text(self.start_minute + int(outside[0])), float(share[outside[0]])
            raise DataError(f"share must lie in [0, 1], got {got:g} at {at}; divide percent by 100")
        put(self, "share", _locked(share.copy()))

    def __len__(self) -> int:
        return len(self.share)

    @property
    def present(self) -> Bools:
        """Return where the series has a value."""
        return ~np.isnan(self.share)

    @property
    def coverage(self) -> float:
        """Return the share of minutes that have a value, in [0, 1]; an empty grid has 0."""
        return float(np.count_nonzero(self.present) / len(self)) if len(self) else 0.0


def is_dead(shares: MinuteShares, flowing: bool) -> bool:
    """Say whether a series is "no signal" rather than an outage.

    A series that shows 0 % good in every minute it has, while other series show requests flowing, measures nothing: the
    metric is dead. A service that never once succeeded does not keep its traffic.

    Parameters
    ----------
    shares : MinuteShares
        The suspected series. One without any value is missing, not dead.
    flowing : bool
        Whether other series show requests in the same stretch.

    >>> is_dead(MinuteShares(0, [0.0, 0.0], "demo"), flowing=True)
    True
    """
    there = shares.share[shares.present]
    return bool(flowing and there.size and not there.any())


def silence_limit(gaps_minutes: Sequence[int] | Ints, same_minute: int = 0) -> int:
    """Return the longest distance between two rows, in minutes, that still counts as quiet.

    limit = max(5, 3 x q), where q is the 99.9 % quantile of the distances, taken downwards: with n distances in
    ascending order the one at place floor(0.999 (n - 1)), counted from 0. Downwards, so that the longest silence of a
    log does not set the limit by which it is judged.

    Parameters
    ----------
    gaps_minutes : integer array
        Distances between successive rows, in minutes and at least 1, in any order.
    same_minute : int
        How many more distances are zero, because both rows lie in one minute.

    Notes
    -----
    The factor 3: gaps between arrivals at a steady rate are exponential. Their 99.9 % quantile is ln(1000) = 6.9 mean
    gaps; three times that is passed once in 10^9 gaps, so a silence beyond it is not chance.

    >>> silence_limit([1] * 50), silence_limit([1, 4, 600, 4, 4])
    (5, 12)
    """
    gaps = np.sort(np.asarray(gaps_minutes, dtype=np.int64))
    if gaps.size and gaps[0] < 1:
        raise ParameterError.of(
            "gaps_minutes", int(gaps[0]), "whole minutes from 1", "count shorter ones in same_minute"
        )
    many = gaps.size + same_minute
    place = 999 * (many - 1) // 1000 - same_minute
    return max(SHORTEST_SILENCE, 3 * int(gaps[place]) if gaps.size and place >= 0 else 0)


def covered_minutes(
    row_minutes: Sequence[int] | Ints, start_minute: int, end_minute: int, rows: Sequence[int] | Ints | None = None
) -> Bools:
    """Tell missing from quiet: which minutes of a window hold data, zero requests included.

    A log with day and night is quiet at night; a dead logger is silent. Both look like an absence of rows, so the log
    is judged by its own rhythm. s minutes in a row without any row are missing when s + 1 > `silence_limit`, the
    limit being taken over the distances between successive rows (two rows with s empty minutes between them are s + 1
    apart). The empty stretches at both edges of the window are judged by the same rule. No row at all: nothing is
    covered.

    Which distances: those between successive minutes that hold at least one row, so that a busy day does not outvote
    a quiet night. A 99.9 % quantile cannot be read off fewer than 1,000 distances, though; a shorter log is judged
    by all its rows, those in the same minute included, when `rows` tells how many there are. That errs towards
    "missing", which costs a decision and never claims one.

    Parameters
    ----------
    row_minutes : integer array
        The unix minutes that hold at least one row of any kind, ascending, each once. Rows outside the window are
        welcome: they tell whether the log ran on.
    start_minute, end_minute : int
        The window in unix minutes, end exclusive.
    rows : integer array, optional
        Rows in each of `row_minutes`.

    Returns
    -------
    bool array
        One entry for each minute of the window.

    >>> covered_minutes([0, 1, 2, 3, 20, 21], 0, 24).astype(int).tolist()
    [1, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1]
    """
    if end_minute < start_minute:
        raise ParameterError.of("end_minute", end_minute, f"at least {start_minute}", "give the window forwards")
    at = np.asarray(row_minutes, dtype=np.int64)
    if at.size == 0:
        return np.zeros(end_minute - start_minute, dtype=np.bool_)
    steps = np.diff(at)
    if (steps < 1).any():
        raise ParameterError.of(
            "row_minutes", "unsorted or repeated minutes", "ascending, each once", "use numpy.unique"
        )
    same_minute = 0
    if rows is not None and steps.size < 1000:
        held = _counts("rows", rows, at.size)
        same_minute = int(held.sum()) - at.size
        if (held < 1).any():
            raise ParameterError.of("rows", 0, "at least 1 in each minute", "leave out minutes without rows")
    limit = silence_limit(steps, same_minute)

    # A fence at each end turns the edges into distances like the others: s empty minutes are s + 1 apart.
    fenced = np.concatenate(([min(start_minute, at[0]) - 1], at, [max(end_minute, at[-1] + 1)]))
    covered = np.ones(end_minute - start_minute, dtype=np.bool_)
    for i in np.flatnonzero(np.diff(fenced) > limit):
        first, last = int(fenced[i]) + 1 - start_minute, int(fenced[i + 1]) - start_minute
        covered[max(first, 0) : max(last, 0)] = False
    return covered


def runs(mask: Bools, start_minute: int) -> list[Gap]:
    """Return the maximal runs of True as (start, end) in unix minutes, end exclusive, in order of time.

    >>> runs(np.array([True, False, True, True]), 100)
    [(100, 101), (102, 104)]
    """
    edges = np.flatnonzero(np.diff(np.concatenate(([False], mask, [False])).astype(np.int8)))
    return [(start_minute + int(a), start_minute + int(b)) for a, b in edges.reshape(-1, 2)]


def utc_text(minute: int) -> str:
    """Write a unix minute as people read it.

    >>> utc_text(27_685_671)
    '2022-08-22 03:51 UTC'
    """
    return f"{datetime.fromtimestamp(minute * SECONDS_PER_MINUTE, UTC):%Y-%m-%d %H:%M} UTC"


def gap_text(gap: Gap) -> str:
    """Write a missing stretch with its two ends, the day once when it is the same.

    >>> gap_text((27_685_671, 27_685_690))
    '2022-08-22 03:51 to 04:10 UTC'
    """
    start, end = utc_text(gap[0]).removesuffix(" UTC"), utc_text(gap[1])
    return f"{start} to {end[11:] if start[:10] == end[:10] else end}"


def _minute(name: str, given: Any) -> int:
    if isinstance(given, bool) or not isinstance(given, int | np.integer):
        raise ParameterError.of(name, given, "a whole number of unix minutes", "divide unix seconds by 60, downwards")
    return int(given)


def _counts(name: str, given: Any, length: int) -> Ints:
    counts = np.asarray(given)
    if counts.size and not np.issubdtype(counts.dtype, np.integer):
        raise DataError(f"{name} must hold whole numbers, got {counts.dtype}")
    if counts.shape != (length,):
        raise DataError(f"{name} has the shape {counts.shape}, but the grid has {length} minutes")
    if counts.size and counts.min() < 0:
        raise DataError(f"{name} holds a negative count at place {int(counts.argmin())}")
    return _locked(counts.astype(np.int64))


def _locked(array: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Close an array of ours for writing: a frozen record must not change through its arrays."""
    array.flags.writeable = False
    return array
