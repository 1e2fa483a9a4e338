"""Two answers to one request: McNemar's tests, Tango's score interval and non-inferiority from four counts.

Everything here takes pairs as independent. Where pairs belong to sessions, `relkit.shadow.sessions` decides and these
figures stand beside it as "if sessions are ignored".
"""

from dataclasses import dataclass, fields
from math import copysign, sqrt

from scipy.special import betainc, ndtr, ndtri

from relkit.exceptions import ParameterError
from relkit.shadow._checks import checked_level, checked_margin, whole

# Halving [-1, 1] this often reaches the last bit of any limit above 1e-40; the loop usually stops after 60.
_HALVINGS = 200


@dataclass(frozen=True, slots=True)
class PairCounts:
    """The paired two-by-two table: how often both, one or neither of primary and shadow answered right.

    A missing answer of the shadow is counted as a failure before it arrives here: dropping such pairs would flatter a
    shadow that times out. `missing_bounds` says what that choice is worth.

    Parameters
    ----------
    both, only_primary, only_shadow, neither : int
        Number of pairs, 0 or more.

    Examples
    --------
    >>> counts = PairCounts(both=3520, only_primary=96, only_shadow=64, neither=320)
    >>> counts.n, counts.discordant, counts.delta
    (4000, 160, -0.008)
    """

    both: int
    only_primary: int
    only_shadow: int
    neither: int

    def __post_init__(self) -> None:
        for field in fields(self):
            object.__setattr__(self, field.name, whole(field.name, getattr(self, field.name)))

    @property
    def n(self) -> int:
        """Number of pairs."""
        return self.both + self.only_primary + self.only_shadow + self.neither

    @property
    def discordant(self) -> int:
        """Number of pairs in which exactly one arm answered right."""
        return self.only_primary + self.only_shadow

    @property
    def delta(self) -> float | None:
        """Shadow's share of right answers minus primary's, in [-1, 1]; None without pairs."""
        return (self.only_shadow - self.only_primary) / self.n if self.n else None

    @property
    def primary_share(self) -> float | None:
        """Primary's share of right answers; None without pairs."""
        return (self.both + self.only_primary) / self.n if self.n else None

    @property
    def shadow_share(self) -> float | None:
        """Shadow's share of right answers; None without pairs."""
        return (self.both + self.only_shadow) / self.n if self.n else None

    def swapped(self) -> "PairCounts":
        """Return the same pairs with the two arms exchanged."""
        return PairCounts(self.both, self.only_shadow, self.only_primary, self.neither)


@dataclass(frozen=True, slots=True)
class Interval:
    """A confidence interval of a difference of shares.

    Parameters
    ----------
    low, high : float
        Limits, in [-1, 1].
    level : float
        Two-sided confidence level, in (0, 1).

    Examples
    --------
    >>> Interval(-0.014, -0.002, 0.95).excludes(0.0)
    True
    """

    low: float
    high: float
    level: float

    def excludes(self, difference: float) -> bool:
        """Say whether a difference lies outside; the limits themselves are inside."""
        return difference < self.low or difference > self.high


@dataclass(frozen=True, slots=True)
class McNemar:
    """McNemar's test of "both arms are right equally often", in the forms people ask for.

    Parameters
    ----------
    z : float
        (only_shadow - only_primary) / sqrt(discordant); below 0 the shadow is worse; 0 without discordant pairs.
    p_asymptotic, p_exact, p_mid : float
        Two-sided p-values; `p_mid` is the one to report.
    p_harm_mid, p_benefit_mid : float
        One-sided mid-p-values for "the shadow is worse" and "the shadow is better"; they add up to 1.
    """

    z: float
    p_asymptotic: float
    p_exact: float
    p_mid: float
    p_harm_mid: float
    p_benefit_mid: float


def mcnemar(counts: PairCounts) -> McNemar:
    """Test whether primary and shadow are right equally often, from the discordant pairs.

    Given m discordant pairs the number that favours the shadow is Binomial(m, 1/2). Exact: twice the smaller tail.
    Mid-p: half of the observed outcome's probability is left out, which brings the level close to nominal (.0486
    where exact has .0380 at n = 1,000, p = .9, correlation .6). At a tie mid-p is 1 - pmf/2, as Fagerland has it.

    Parameters
    ----------
    counts : PairCounts
        The table; only its two discordant cells matter. Good for counts up to 1e8 a cell.

    Returns
    -------
    McNemar
        z and five p-values. Without discordant pairs two-sided p is 1 and one-sided p is .5.

    Notes
    -----
    McNemar, Psychometrika 12 (1947); Fagerland, Lydersen and Laake, BMC Med Res Methodol 13:91 (2013).

    Examples
    --------
    >>> test = mcnemar(PairCounts(3520, 96, 64, 320))
    >>> round(test.z, 3), round(test.p_mid, 6), round(test.p_harm_mid, 6)
    (-2.53, 0.011437, 0.005719)
    """
    b, c, m = counts.only_primary, counts.only_shadow, counts.discordant
    if m == 0:
        return McNemar(z=0.0, p_asymptotic=1.0, p_exact=1.0, p_mid=1.0, p_harm_mid=0.5, p_benefit_mid=0.5)
    z = (c - b) / sqrt(m)
    harm, benefit = _half_tail(c, m), _half_tail(b, m)
    k = min(b, c)
    if b == c:
        exact, mid = 1.0, 1.0 - (_tail(k, m) - _tail(k - 1, m)) / 2
    else:
        exact, mid = min(1.0, 2 * _tail(k, m)), 2 * min(harm, benefit)
    return McNemar(
        z=z,
        p_asymptotic=float(2 * ndtr(-abs(z))),
        p_exact=exact,
        p_mid=mid,
        p_harm_mid=harm,
        p_benefit_mid=benefit,
    )


def _tail(k: int, m: int) -> float:
    """P(X <= k) for X ~ Binomial(m, 1/2), as an incomplete beta integral: sums and factorials give out at 1e8."""
    if k < 0:
        return 0.0
    return 1.0 if k >= m else float(betainc(m - k, k + 1, 0.5))


def _half_tail(k: int, m: int) -> float:
    """P(X < k) + P(X = k) / 2 as the mean of two tails, so nothing cancels."""
    return (_tail(k - 1, m) + _tail(k, m)) / 2


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
