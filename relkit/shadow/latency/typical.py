"""The typical difference of paired latencies, and the interval that belongs to the signed rank."""

from dataclasses import dataclass
from math import floor, sqrt

import numpy as np
from scipy.special import ndtri

from relkit.shadow._checks import checked_level
from relkit.shadow._flips import MOST_EXACT, flip_distribution
from relkit.shadow.latency.differences import Differences
from relkit.shadow.latency.ranks import signed_rank
from relkit.shadow.study import Binned
from relkit.units import several


@dataclass(frozen=True, slots=True)
class Typical:
    """A typical value with its interval.

    Parameters
    ----------
    value, low, high : float or None
        Estimate and limits, in the unit of the differences, or as a ratio; None where there is none.
    level : float
        Two-sided confidence level.
    pairs : int
        Pairs behind it.
    why_not : str
        Why something is None; empty when nothing is.
    """

    value: float | None
    low: float | None
    high: float | None
    level: float
    pairs: int
    why_not: str = ""


def hodges_lehmann(differences: Differences, level: float = 0.95) -> Typical:
    """Estimate the typical difference: the median of all pairwise means, and the interval that belongs to the signed rank.

    Of the n(n + 1)/2 means (d_i + d_j)/2, i <= j: the median, and the C-th from either end, where C - 1 is the largest
    sum of ranks whose tail is at most (1 - level)/2 (exact up to 140 pairs, then the normal form). With groups the
    variance grows by the design effect of the signed ranks about the estimate. No mean is formed: they are counted below
    a value, so histograms of 10^8 pairs cost what their bins cost.

    Parameters
    ----------
    differences : Differences
        log2(shadow/primary), or any paired differences.
    level : float
        Two-sided confidence level, in (0, 1).

    Returns
    -------
    Typical
        Without limits where no number of ranks reaches the level (fewer than 6 pairs at .95), or groups are too few.

    Notes
    -----
    Hodges and Lehmann, Annals of Mathematical Statistics 34 (1963); Hollander and Wolfe, Nonparametric Statistical
    Methods, section 3.3.

    Examples
    --------
    >>> typical = hodges_lehmann(Differences.of([0.952, -0.147, 1.022, 0.430, 0.620, 0.590, 0.490, -0.080, 0.010]))
    >>> round(typical.value, 3), round(typical.low, 3), round(typical.high, 3)
    (0.46, 0.01, 0.786)
    """
    level, n = checked_level(level), differences.n
    if n == 0:
        return Typical(None, None, None, level, 0, "no pair")
    means = n * (n + 1) // 2
    value = (_nth_mean(differences, (means + 1) // 2) + _nth_mean(differences, means // 2 + 1)) / 2
    inflation = 1.0
    if differences.group is not None:
        centred = signed_rank(differences.moved(value))
        if centred.design_effect is None and differences.values.size > 1:
            return Typical(value, None, None, level, n, centred.why_not)
        inflation = max(1.0, centred.design_effect or 1.0)
    place = _place(n, level, inflation, exact=differences.group is None)
    if place < 1:
        return Typical(value, None, None, level, n, f"{several(n, 'pair')} cannot give an interval at this level")
    return Typical(value, _nth_mean(differences, place), _nth_mean(differences, means + 1 - place), level, n)


def typical_ratio(log_ratios: Binned, level: float = 0.95) -> Typical:
    """Estimate how many times the primary's latency the shadow typically takes: 1.05 is 5 % more.

    Two to the power of `hodges_lehmann` of the log2 ratios, with buckets of whole sessions as groups; to half a bin.

    Parameters
    ----------
    log_ratios : Binned
        round(log2(shadow/primary) per_doubling) of pairs that both arms answered, by bucket of sessions.
    level : float
        Two-sided confidence level, in (0, 1).

    Returns
    -------
    Typical
        A ratio.

    Examples
    --------
    >>> times = np.zeros((1024, 21), dtype=np.int64)
    >>> times[np.arange(1024), np.arange(1024) % 21] = 1
    >>> round(typical_ratio(Binned(100, 0, times)).value, 4)
    1.0718
    """
    found = hodges_lehmann(Differences.binned(log_ratios), level)
    value, low, high = (None if end is None else float(2.0**end) for end in (found.value, found.low, found.high))
    return Typical(value, low, high, found.level, found.pairs, found.why_not)


def _place(n: int, level: float, inflation: float, *, exact: bool) -> int:
    """How far from either end of the sorted means the limits lie."""
    tail = (1 - level) / 2
    if exact and n * (n + 1) // 2 <= MOST_EXACT // 2:
        below = np.cumsum(flip_distribution(dict.fromkeys(range(1, n + 1), 1)))
        return int(np.searchsorted(below, tail * (1 + 1e-12), side="right"))
    spread = sqrt(n * (n + 1) * (2 * n + 1) / 24 * inflation)
    return floor(n * (n + 1) / 4 + float(ndtri(tail)) * spread)


def _nth_mean(differences: Differences, rank: int) -> float:
    """The rank-th smallest of all means of two differences, each with itself included."""
    values, times = differences.values, differences.times
    upto = np.concatenate([[0], np.cumsum(times)])

    def at_most(total: float) -> int:
        ordered = int((times * upto[np.searchsorted(values, total - values, side="right")]).sum())
        alone = int(upto[np.searchsorted(values, total / 2, side="right")])
        return (ordered + alone) // 2

    low, high = float(2 * values[0]), float(2 * values[-1])
    if at_most(low) >= rank:
        return low / 2
    while low < (middle := low + (high - low) / 2) < high:
        low, high = (low, middle) if at_most(middle) >= rank else (middle, high)
    return high / 2
