"""A ratio of two sums over sessions: mean log latency, cost, a share. Six whole numbers carry its interval."""

from dataclasses import dataclass
from math import exp, log, sqrt
from typing import Final

from scipy.special import stdtr, stdtrit

from relkit.exceptions import DataError
from relkit.shadow._checks import checked_level, whole

TIGHT_AT: Final = 500
"""Sessions at which an anytime interval is narrowest, where no protocol says otherwise."""


@dataclass(frozen=True, slots=True)
class RatioSums:
    """What the sessions add up to: D_k the numerator of session k, m_k its weight (pairs, or the primary's cost).

    Parameters
    ----------
    sessions : int
        K, sessions of any weight.
    weight : int
        Sum of m_k.
    s, v : int
        Sum of D_k, and of D_k squared.
    dm, mm : int
        Sum of D_k m_k, and of m_k squared.

    Raises
    ------
    DataError
        No set of sessions can have these sums.

    Examples
    --------
    >>> RatioSums(sessions=2, weight=5, s=-1, v=1, dm=-3, mm=13).ratio
    -0.2
    """

    sessions: int
    weight: int
    s: int
    v: int
    dm: int
    mm: int

    def __post_init__(self) -> None:
        for name in self.__dataclass_fields__:
            signed = name in {"s", "dm"}
            object.__setattr__(self, name, whole(name, getattr(self, name), negative=signed))
        if (
            self.weight**2 > self.sessions * self.mm
            or self.s**2 > self.sessions * self.v
            or self.dm**2 > self.v * self.mm
        ):
            raise DataError(f"no sessions have the sums {self}; sum over whole sessions")

    @property
    def ratio(self) -> float | None:
        """Sum of D_k over the sum of m_k; None without weight."""
        return self.s / self.weight if self.weight else None

    def standard_error(self) -> float | None:
        """Standard error of the ratio with sessions as units (CR1); None with fewer than two sessions or no weight."""
        k, ratio = self.sessions, self.ratio
        if ratio is None or k < 2:
            return None
        return sqrt(k / (k - 1) * self.spread(ratio)) / self.weight

    def spread(self, ratio: float) -> float:
        """Sum of (D_k - ratio m_k) squared: the variance of the numerator when the ratio is that."""
        return max(0.0, self.v - 2 * ratio * self.dm + ratio * ratio * self.mm)


@dataclass(frozen=True, slots=True)
class RatioInterval:
    """A ratio of sums with its interval.

    Parameters
    ----------
    value, low, high : float
        Estimate and limits.
    level : float
        Two-sided confidence level.
    anytime : bool
        The interval holds at every look at once, not only at one declared beforehand.
    sessions : int
        Units behind it.
    """

    value: float
    low: float
    high: float
    level: float
    anytime: bool
    sessions: int


def ratio_interval(
    sums: RatioSums, level: float = 0.95, *, anytime: bool = False, tight_at: int = TIGHT_AT
) -> RatioInterval | None:
    """Give the interval of a ratio of sums with the session as the unit; None with fewer than two sessions.

    ratio -+ c sqrt(K/(K-1) Sum (D_k - ratio m_k)^2) / Sum m_k (the CR1 sandwich of a ratio). At one look c is Student's
    quantile with K - 1 degrees of freedom, at every look at once the larger `anytime_z`.

    Parameters
    ----------
    sums : RatioSums
        Sums over whole sessions.
    level : float
        Two-sided confidence level, in (0, 1).
    anytime : bool
        Make it hold at every look.
    tight_at : int
        Sessions at which the anytime interval is narrowest, declared beforehand.

    Returns
    -------
    RatioInterval or None
        None where there is no ratio or a single session.

    Notes
    -----
    Cameron and Miller, J. Human Resources 50, 317-372 (2015).

    Examples
    --------
    >>> sums = RatioSums(sessions=400, weight=2400, s=-48, v=160, dm=-300, mm=16000)
    >>> one, every = ratio_interval(sums), ratio_interval(sums, anytime=True)
    >>> round(one.low, 4), round(one.high, 4), round(every.low, 4)
    (-0.0302, -0.0098, -0.0358)
    """
    level = checked_level(level)
    value, error = sums.ratio, sums.standard_error()
    if value is None or error is None:
        return None
    k = sums.sessions
    half = error * (anytime_z(k, level, tight_at) if anytime else float(-stdtrit(k - 1, (1 - level) / 2)))
    return RatioInterval(value, value - half, value + half, level, anytime, k)


def ratio_p_above(
    sums: RatioSums, limit: float, *, anytime: bool = False, level: float = 0.95, tight_at: int = TIGHT_AT
) -> float:
    """Give the one-sided p-value of "the ratio is at most `limit`": small values say that it lies above.

    Parameters
    ----------
    sums : RatioSums
        Sums over whole sessions.
    limit : float
        The limit, in the ratio's unit.
    anytime : bool
        Make it hold at every look.
    level : float
        Level that the anytime prior is made for.
    tight_at : int
        Sessions at which the anytime p is smallest, declared beforehand.

    Returns
    -------
    float
        p-value; 1 where nothing can be said.

    Examples
    --------
    >>> sums = RatioSums(400, 2400, 72, 400, 480, 16000)
    >>> ratio_p_above(sums, 0.0) < ratio_p_above(sums, 0.0, anytime=True) < 0.01
    True
    """
    value, error = sums.ratio, sums.standard_error()
    if value is None or error is None:
        return 1.0
    if error == 0:
        return 0.0 if value > limit else 1.0
    z = (value - limit) / error
    return anytime_p(z, sums.sessions, level, tight_at) if anytime else float(stdtr(sums.sessions - 1, -z))


def anytime_z(sessions: int, level: float = 0.95, tight_at: int = TIGHT_AT) -> float:
    """Give the number of standard errors that a mean leaves at no look, with the level's certainty.

    sqrt((1 + c) ln((1 + c) / (c alpha^2))), c the prior's weight over the variance so far: the normal mixture's bound
    for sums whose variance grows with the sessions.

    Parameters
    ----------
    sessions : int
        Sessions so far, at least 1.
    level : float
        Two-sided level, in (0, 1).
    tight_at : int
        Sessions at which the bound is tightest.

    Notes
    -----
    Howard, Ramdas, McAuliffe and Sekhon, Annals of Statistics 49, 1055-1080 (2021), proposition 5; Waudby-Smith et
    al., Annals of Statistics 52, 2613-2640 (2024), for means of any distribution and many sessions.

    Examples
    --------
    >>> round(10 * anytime_z(100, 0.95, 100), 5)
    30.35209
    """
    alpha = 1 - checked_level(level)
    c = _prior_share(sessions, alpha, tight_at)
    return sqrt((1 + c) * log((1 + c) / (c * alpha * alpha)))


def anytime_p(z: float, sessions: int, level: float = 0.95, tight_at: int = TIGHT_AT) -> float:
    """Give the one-sided p-value of a standardised mean that holds at every look: 1/E, where E is the normal mixture.

    ln E = ln(c / (1 + c)) / 2 + z^2 / (2 (1 + c)); 1 for z of 0 or less.

    Examples
    --------
    >>> anytime_p(-3.0, 100), round(anytime_p(3.035209, 100, 0.95, 100), 4)
    (1.0, 0.05)
    """
    if z <= 0 or sessions < 1:
        return 1.0
    c = _prior_share(sessions, 1 - checked_level(level), tight_at)
    return min(1.0, exp(-0.5 * log(c / (1 + c)) - z * z / (2 * (1 + c))))


def _prior_share(sessions: int, alpha: float, tight_at: int) -> float:
    """Weight of the prior over the variance so far, so that the bound is tight at `tight_at` sessions."""
    once = 2 * log(1 / alpha)
    return tight_at / ((once + log(1 + once)) * sessions)
