"""Intervals of shadow - primary beside Tango's: Newcombe's as the second line, Bonett and Price's and two older ones.

Each follows its paper to the letter, then keeps to [-1, 1]. Without pairs each is the whole of [-1, 1].
"""

from math import sqrt

from scipy.special import ndtri

from relkit.intervals import wilson
from relkit.shadow._checks import checked_level
from relkit.shadow.paired.counts import Interval, PairCounts


def newcombe(counts: PairCounts, level: float = 0.95) -> Interval:
    """Give Newcombe's interval of shadow - primary: Wilson's two intervals, put together with the correlation of the pairs.

    low = delta - sqrt((p2 - l2)^2 - 2 phi (p2 - l2)(u1 - p1) + (u1 - p1)^2), high by exchanging the arms; l and u are
    Wilson's limits of each arm's share. phi is the correlation of the table with Newcombe's correction: of ad - bc, n/2
    is taken off where that leaves something above 0 (his method 10); phi is 0 where a row or column is empty.

    Parameters
    ----------
    counts : PairCounts
        The table.
    level : float
        Two-sided confidence level, in (0, 1).

    Returns
    -------
    Interval
        Limits as shares in [-1, 1]; holds the estimate at every level.

    Notes
    -----
    Newcombe, Statistics in Medicine 17, 2635-2650 (1998).

    Examples
    --------
    >>> interval = newcombe(PairCounts(both=36, only_primary=2, only_shadow=12, neither=0))
    >>> round(interval.low, 4), round(interval.high, 4)
    (0.0569, 0.3404)
    """
    level = checked_level(level)
    # The upper limit is the lower one of the exchanged arms, so the mirror is exact.
    return Interval(_newcombe_low(counts, level), -_newcombe_low(counts.swapped(), level) + 0.0, level)


def _newcombe_low(counts: PairCounts, level: float) -> float:
    n = counts.n
    if n == 0:
        return -1.0
    primary, shadow = counts.both + counts.only_primary, counts.both + counts.only_shadow
    below = shadow / n - wilson(shadow, n, level)[0]
    above = wilson(primary, n, level)[1] - primary / n
    square = below * below - 2 * _phi(counts) * below * above + above * above
    return max(-1.0, (counts.only_shadow - counts.only_primary) / n - sqrt(max(0.0, square)))


def _phi(counts: PairCounts) -> float:
    a, b, c, d = counts.both, counts.only_primary, counts.only_shadow, counts.neither
    product = (a + b) * (c + d) * (a + c) * (b + d)
    if product == 0:
        return 0.0
    agreement: float = a * d - b * c
    if agreement > 0:
        agreement = max(0.0, agreement - (a + b + c + d) / 2)
    return agreement / sqrt(product)


def bonett_price(counts: PairCounts, level: float = 0.95) -> Interval:
    """Give Bonett and Price's interval of shadow - primary: Wald's after one pair is added to each discordant cell.

    With p = (count + 1)/(n + 2) for both cells: p_c - p_b +- z sqrt((p_b + p_c - (p_c - p_b)^2)/(n + 2)). Its centre is
    drawn towards 0, so below levels of about .7 it may miss an estimate at the edge.

    Parameters
    ----------
    counts : PairCounts
        The table.
    level : float
        Two-sided confidence level, in (0, 1).

    Returns
    -------
    Interval
        Limits as shares in [-1, 1].

    Notes
    -----
    Bonett and Price, Journal of Educational and Behavioral Statistics 37, 479-488 (2012).

    Examples
    --------
    >>> interval = bonett_price(PairCounts(both=59, only_primary=6, only_shadow=16, neither=80))
    >>> round(interval.low, 4), round(interval.high, 4)
    (0.0032, 0.1195)
    """
    return _wald(counts.only_primary + 1, counts.only_shadow + 1, counts.n + 2, checked_level(level))


def agresti_min(counts: PairCounts, level: float = 0.95) -> Interval:
    """Give Agresti and Min's interval of shadow - primary: Wald's after half a pair is added to each of the four cells.

    Parameters
    ----------
    counts : PairCounts
        The table.
    level : float
        Two-sided confidence level, in (0, 1).

    Returns
    -------
    Interval
        Limits as shares in [-1, 1].

    Notes
    -----
    Agresti and Min, Statistics in Medicine 24, 729-740 (2005).

    Examples
    --------
    >>> interval = agresti_min(PairCounts(both=59, only_primary=6, only_shadow=16, neither=80))
    >>> round(interval.low, 4), round(interval.high, 4)
    (0.0045, 0.1182)
    """
    return _wald(counts.only_primary + 0.5, counts.only_shadow + 0.5, counts.n + 2, checked_level(level))


def wald(counts: PairCounts, level: float = 0.95) -> Interval:
    """Give the plain interval of shadow - primary, estimate and normal quantile: for the side by side, never the answer.

    delta +- z sqrt(b + c - (c - b)^2/n)/n. Too narrow for few discordant pairs (coverage .915 at n = 300, p = .9,
    correlation .9), and of no width at all without any.

    Parameters
    ----------
    counts : PairCounts
        The table.
    level : float
        Two-sided confidence level, in (0, 1).

    Returns
    -------
    Interval
        Limits as shares in [-1, 1].

    Examples
    --------
    >>> interval = wald(PairCounts(both=59, only_primary=6, only_shadow=16, neither=80))
    >>> round(interval.low, 4), round(interval.high, 4)
    (0.0058, 0.1184)
    """
    level = checked_level(level)
    if counts.n == 0:
        return Interval(-1.0, 1.0, level)
    return _wald(counts.only_primary, counts.only_shadow, counts.n, level)


def _wald(b: float, c: float, n: float, level: float) -> Interval:
    delta = (c - b) / n
    half = float(-ndtri((1 - level) / 2)) * sqrt(max(0.0, b + c - (c - b) * (c - b) / n)) / n
    return Interval(max(-1.0, delta - half), min(1.0, delta + half), level)
