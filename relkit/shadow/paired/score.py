"""Tango's score statistic of a difference: its interval, non-inferiority at a margin, and the sample that would decide."""

from math import copysign, sqrt

from scipy.special import ndtr, ndtri

from relkit.exceptions import ParameterError
from relkit.shadow._checks import checked_level, checked_margin
from relkit.shadow.paired.counts import Interval, PairCounts

# Halving [-1, 1] this often reaches the last bit of any limit above 1e-40; the loop usually stops after 60.
_HALVINGS = 200


def tango(counts: PairCounts, level: float = 0.95) -> Interval:
    """Give Tango's score interval of the difference shadow - primary.

    The limits are the differences at which the score statistic `tango_z` equals plus or minus the normal quantile.
    Finite for every table; excludes 0 exactly when McNemar's |z| exceeds that quantile; exchanging the arms mirrors it
    to the last bit. Coverage stays at .935 to .949 where the plain (Wald) interval falls to .915.

    Parameters
    ----------
    counts : PairCounts
        The table.
    level : float
        Two-sided confidence level, in (0, 1).

    Returns
    -------
    Interval
        Limits as shares in [-1, 1]; the whole of it without pairs.

    Notes
    -----
    Tango, Statistics in Medicine 17, 891-908 (1998).

    Examples
    --------
    >>> interval = tango(PairCounts(3520, 96, 64, 320))
    >>> round(100 * interval.low, 3), round(100 * interval.high, 3)
    (-1.434, -0.182)
    """
    z = float(-ndtri((1 - checked_level(level)) / 2))
    low, high = score_limits(counts.only_primary, counts.only_shadow, counts.n, z)
    return Interval(low, high, level)


def tango_z(counts: PairCounts, delta0: float) -> float:
    """Give Tango's score statistic for the hypothesis that shadow - primary equals `delta0`.

    z = (only_shadow - only_primary - n delta0) / sqrt(n (2 q + delta0 (1 - delta0))), with q the most likely share of
    only-primary pairs under the hypothesis. At 0 this is McNemar's z.

    Parameters
    ----------
    counts : PairCounts
        The table.
    delta0 : float
        Hypothesised difference, a share in (-1, 1).

    Returns
    -------
    float
        Standard normal under the hypothesis; 0 without pairs.

    Examples
    --------
    >>> from relkit.shadow import mcnemar
    >>> counts = PairCounts(3520, 96, 64, 320)
    >>> tango_z(counts, 0.0) == mcnemar(counts).z, round(tango_z(counts, -0.01), 4)
    (True, 0.6295)
    """
    if not -1 < delta0 < 1:
        raise ParameterError.of("delta0", delta0, "-1 < delta0 < 1", "pass a difference of shares: -0.01 is one point")
    return score_z(counts.only_primary, counts.only_shadow, counts.n, delta0)


def non_inferiority_p(counts: PairCounts, margin: float) -> float:
    """Give the one-sided p-value of "the shadow is worse by the margin or more", from Tango's score statistic.

    Small values speak for non-inferiority: p < (1 - level)/2 exactly when the interval's low end lies above -margin.

    Parameters
    ----------
    counts : PairCounts
        The table.
    margin : float
        Acceptable loss, a share in [0, 1).

    Returns
    -------
    float
        p-value; 1 without pairs.

    Examples
    --------
    >>> counts = PairCounts(3520, 96, 64, 320)
    >>> round(non_inferiority_p(counts, 0.01), 4), round(non_inferiority_p(counts, 0.02), 6)
    (0.2645, 0.000166)
    """
    margin = checked_margin(margin)
    return float(ndtr(-tango_z(counts, -margin))) if counts.n else 1.0


def sample_growth(counts: PairCounts, margin: float, level: float = 0.95) -> float | None:
    """Give the factor on the sample at which the interval would end at -margin, all shares staying as they are.

    (z_level / tango_z(-margin))^2: the statistic of a table grown by a factor is the old one times its root.

    Parameters
    ----------
    counts : PairCounts
        The table.
    margin : float
        A share in [0, 1).
    level : float
        Two-sided confidence level, in (0, 1).

    Returns
    -------
    float or None
        At least 1 while -margin is inside the interval; None when the difference lies on it, or without pairs.

    Examples
    --------
    >>> round(sample_growth(PairCounts(3520, 96, 64, 320), 0.01), 2)
    9.69
    """
    z, at_margin = float(ndtri((1 - checked_level(level)) / 2)), tango_z(counts, -checked_margin(margin))
    return squared_ratio(z, at_margin)


def squared_ratio(above: float, below: float) -> float | None:
    """Square a ratio of two statistics; None where the lower one is a rounding of 0, so the factor has no value.

    >>> squared_ratio(-2.0, 1.0), squared_ratio(-2.0, 1e-16)
    (4.0, None)
    """
    return (above / below) ** 2 if abs(below) > 1e-9 else None


def score_z(b: float, c: float, n: float, delta0: float) -> float:
    """Compute Tango's statistic from only-primary b, only-shadow c and n; the counts may be fractions of pairs.

    >>> round(score_z(6, 16, 161, 0.0), 3)
    2.132
    """
    if delta0 < 0:
        # On the positive side both roots of the quadratic have known signs, so no digits cancel; the rest is mirrored.
        return -score_z(c, b, n, -delta0)
    if n == 0:
        return 0.0
    if delta0 == 0:
        return (c - b) / sqrt(b + c) if b + c else 0.0
    slope = (2 * n + b - c) * delta0 - (b + c)
    constant = b * delta0 * (1 - delta0)
    root = sqrt(slope * slope + 8 * n * constant)
    q = 2 * constant / (slope + root) if slope > 0 else (root - slope) / (4 * n)
    variance = n * (2 * q + delta0 * (1 - delta0))
    distance = c - b - n * delta0
    if variance <= 0:
        # Only at delta0 = 1, where the hypothesis allows no other table than "all pairs favour the shadow".
        return 0.0 if distance == 0 else copysign(float("inf"), distance)
    return distance / sqrt(variance)


def score_limits(b: float, c: float, n: float, z: float) -> tuple[float, float]:
    """Invert the score statistic: the two differences at which it equals +z and -z.

    >>> low, high = score_limits(6, 16, 161, 1.959964)
    >>> round(low, 4), round(high, 4)
    (0.0054, 0.124)
    """
    if n == 0:
        return -1.0, 1.0
    # The upper limit is the lower one of the exchanged arms: the mirror is exact by construction.
    return _lower_limit(b, c, n, z) + 0.0, -_lower_limit(c, b, n, z) + 0.0


def _lower_limit(b: float, c: float, n: float, z: float) -> float:
    estimate = (c - b) / n
    # The statistic falls as delta grows: +inf at -1, 0 at the estimate. The sign at 0 is McNemar's own, so starting
    # from there makes "the interval excludes 0" and "|z| is large" one statement, not two roundings of it.
    if estimate > 0 and score_z(b, c, n, 0.0) > z:
        outside, inside = 0.0, estimate
    else:
        outside, inside = -1.0, min(estimate, 0.0)
    for _ in range(_HALVINGS):
        middle = (outside + inside) / 2
        if middle in {outside, inside}:
            break
        if score_z(b, c, n, middle) > z:
            outside = middle
        else:
            inside = middle
    return inside
