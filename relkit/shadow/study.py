"""What a page of one experiment is made from: whole numbers added up once, none of them a pair."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from relkit.exceptions import DataError
from relkit.shadow.experiment import Experiment
from relkit.shadow.paired import PairCounts
from relkit.shadow.ratio import RatioSums
from relkit.shadow.sessions import SessionSums, SessionTable

Ints = npt.NDArray[np.int64]

PER_DOUBLING: Final = 300
"""Bins of shadow/primary latency for each doubling: 0.23 % a bin."""
ARM_PER_DOUBLING: Final = 128
"""Bins of one arm's latency for each doubling: 0.54 % a bin."""
BUCKETS: Final = 1_024
"""Sessions are dealt into so many buckets by a hash; bucket sums of days add up to those of the week."""


@dataclass(frozen=True, slots=True)
class Binned:
    """How often each bin was met, by bucket of sessions.

    Parameters
    ----------
    per_doubling : int
        Bins for each doubling of the value.
    first : int
        Place of the first bin: bin k stands for 2^(k / per_doubling).
    times : array of int64, shape (1024, B)
        How many values each bucket has in each bin.

    Examples
    --------
    >>> one = Binned(1, 0, np.ones((BUCKETS, 2), dtype=np.int64))
    >>> (one + Binned(1, 1, np.ones((BUCKETS, 2), dtype=np.int64))).bins.tolist()
    [1024, 2048, 1024]
    """

    per_doubling: int
    first: int
    times: Ints

    @property
    def n(self) -> int:
        """Number of values."""
        return int(self.times.sum())

    @property
    def bins(self) -> Ints:
        """How often each bin was met, whatever the bucket."""
        bins: Ints = self.times.sum(axis=0)
        return bins

    @property
    def places(self) -> Ints:
        """Place of each bin."""
        return np.arange(self.first, self.first + self.times.shape[1])

    def mean(self) -> float | None:
        """Mean of the values, each taken for the middle of its bin; None without any."""
        if self.n == 0:
            return None
        return float((2.0 ** ((self.places + 0.5) / self.per_doubling) * self.bins).sum() / self.n)

    def __add__(self, other: "Binned") -> "Binned":
        """Merge two stretches of one experiment, exactly."""
        if other.per_doubling != self.per_doubling:
            raise DataError(f"{self.per_doubling} and {other.per_doubling} bins a doubling do not merge")
        if self.n == 0 or other.n == 0:
            return self if other.n == 0 else other
        first = min(self.first, other.first)
        last = max(self.first + self.times.shape[1], other.first + other.times.shape[1])
        times = np.zeros((BUCKETS, last - first), dtype=np.int64)
        for part in (self, other):
            start = part.first - first
            times[:, start : start + part.times.shape[1]] += part.times
        return Binned(self.per_doubling, first, times)

    def quantile(self, share: float) -> float | None:
        """Return the value that this share of all values does not exceed, to the width of a bin; None without any."""
        if self.n == 0:
            return None
        upto = np.cumsum(self.bins)
        place = int(np.searchsorted(upto, share * self.n, side="left"))
        return float(2.0 ** ((self.first + min(place, upto.size - 1)) / self.per_doubling))


@dataclass(frozen=True, slots=True)
class Segment:
    """One value of one dimension: its table and the sums over its groups of sessions.

    Parameters
    ----------
    by, name : str
        Dimension (segment, turn, day) and value.
    counts : PairCounts
        Its pairs.
    sums : SessionSums or None
        The same by bucket of sessions: whole sessions stand together, so a bucket is as good a unit. None when the log
        names no sessions.
    """

    by: str
    name: str
    counts: PairCounts
    sums: SessionSums | None


@dataclass(frozen=True, slots=True)
class Hours:
    """The experiment hour by hour; each session counts in the hour of its last pair.

    Parameters
    ----------
    start_us : array of int64, shape (H,)
        Begin of each hour that saw anything, ascending.
    columns : mapping of str to array of int64, shape (H,)
        eligible, mirrored, answered, compared: rows that reached the state, by their own hour; sessions, pairs,
        only_primary, only_shadow, s, v, dm, mm, positive, negative: sums over the sessions that ended then.
    """

    start_us: Ints
    columns: Mapping[str, Ints]

    def __getitem__(self, name: str) -> Ints:
        return self.columns[name]

    def so_far(self, name: str) -> Ints:
        """Return a column added up to each hour."""
        return np.cumsum(self.columns[name])


@dataclass(frozen=True, slots=True)
class Buckets:
    """Sums by bucket of sessions: mergeable over days, and small enough for any resampling.

    Parameters
    ----------
    columns : mapping of str to array of int64, shape (1024,)
        pairs, both_ok, only_primary, only_shadow, more, less, triples, timed, bins, primary_cost, shadow_cost.
    """

    columns: Mapping[str, Ints]

    def __getitem__(self, name: str) -> Ints:
        return self.columns[name]

    def __add__(self, other: "Buckets") -> "Buckets":
        """Merge two stretches of one experiment, exactly."""
        return Buckets({name: values + other.columns[name] for name, values in self.columns.items()})


@dataclass(frozen=True, slots=True)
class SessionSample:
    """Up to a few thousand sessions whole, chosen by a hash: what the gate's error rates are resampled from.

    Parameters
    ----------
    columns : mapping of str to array of int64, shape (S,)
        pairs, both_ok, only_primary, only_shadow, triples, more (only the shadow differs), less (only the second primary
        differs), x11 (both differ), timed (pairs with both latencies), bins (sum of their log-ratio bins), excess_us
        (sum of shadow minus primary latency).
    sessions : int
        All sessions there are.
    """

    columns: Mapping[str, Ints]
    sessions: int

    def __getitem__(self, name: str) -> Ints:
        return self.columns[name]

    @property
    def size(self) -> int:
        """Sessions in the sample."""
        return int(self.columns["pairs"].size)


@dataclass(frozen=True, slots=True)
class Influence:
    """A session that moves the difference much: its id, pairs, and net difference in pairs."""

    session_id: str
    pairs: int
    only_primary: int
    only_shadow: int


@dataclass(frozen=True, slots=True)
class Timeouts:
    """The two-by-two table of "answered at all", and what was told about the answers that never came."""

    counts: PairCounts
    causes: tuple[tuple[str, str, int], ...]


@dataclass(frozen=True, slots=True)
class Study:
    """One experiment as its page needs it.

    Parameters
    ----------
    experiment : Experiment
        Table, session sums, missing answers, funnel.
    endpoints : mapping of str to RatioSums
        Sums over sessions: errors (D = only primary - only shadow), differences (D = more - less, weight = triples), latency
        (D = bins of log ratio, weight = pairs timed), cost (D = shadow - primary, weight = primary), flags.
    flags : PairCounts
        "Right" read as "flagged".
    table : SessionTable
        How many sessions have which difference and size; pairs without a session count as one each.
    flag_sums, differs : SessionSums or None
        Sessions by flags, and of the A/A/B triples.
    segments : tuple of Segment
        Every dimension's values.
    hours : Hours
        The path.
    log_ratios, primary_us, shadow_us : Binned
        Of shadow/primary latency, and of the latency of each arm, over pairs with both answers.
    unmirrored_us : Binned
        The primary's latency on requests that were not mirrored.
    buckets : Buckets
        Sums by bucket.
    sample : SessionSample
        Sessions to resample.
    influential : tuple of Influence
        The sessions with the largest net difference.
    actions : mapping of (str, str) to int
        How often the primary chose one action and the shadow another.
    timeouts : Timeouts
        Answers that never came.
    compared : PairCounts
        The pairs with both answers alone: what a reader sees who drops the rest, as the plan does.
    differing : tuple of (int, int)
        Pairs whose answers differ, and pairs that tell.
    primary_first : tuple of (int, int)
        Pairs whose primary ran first, and pairs that tell.
    mirrored_by_step : mapping of int to (int, int)
        Step of the rollout to rows mirrored and rows eligible.
    """

    experiment: Experiment
    endpoints: Mapping[str, RatioSums]
    table: SessionTable
    flags: PairCounts
    flag_sums: SessionSums | None
    differs: SessionSums | None
    segments: tuple[Segment, ...]
    hours: Hours
    log_ratios: Binned
    primary_us: Binned
    shadow_us: Binned
    unmirrored_us: Binned
    buckets: Buckets
    sample: SessionSample
    influential: tuple[Influence, ...]
    actions: Mapping[tuple[str, str], int]
    timeouts: Timeouts
    compared: PairCounts
    differing: tuple[int, int]
    primary_first: tuple[int, int]
    mirrored_by_step: Mapping[int, tuple[int, int]]
