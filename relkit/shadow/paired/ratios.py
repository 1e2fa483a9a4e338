"""Ratios of a paired table: of the discordant pairs, with an exact interval, and of the two shares."""

from collections.abc import Callable
from dataclasses import dataclass
from math import sqrt

from scipy.special import betainc, betaincinv, ndtri

from relkit.intervals import wilson_at
from relkit.shadow._checks import checked_level
from relkit.shadow.paired.counts import PairCounts


@dataclass(frozen=True, slots=True)
class OddsRatio:
    """How many pairs favour the shadow for one that favours the primary.

    Parameters
    ----------
    value : float or None
        only_shadow / only_primary; None when the latter is 0.
    low, high : float or None
        Exact limits (Clopper and Pearson's, turned into odds); `high` is None where there is no upper limit.
    mid_low, mid_high : float or None
        The narrower limits that belong to the mid-p-value.
    level : float
        Two-sided confidence level, in (0, 1).
    why_not : str
        Why something is None; empty when nothing is.
    """

    value: float | None
    low: float
    high: float | None
    mid_low: float
    mid_high: float | None
    level: float
    why_not: str = ""


def discordant_odds_ratio(counts: PairCounts, level: float = 0.95) -> OddsRatio:
    """Give the ratio of the discordant pairs with its exact and its mid-p interval.

    Given m discordant pairs the number that favours the shadow is Binomial(m, p), and p/(1 - p) is the odds ratio of
    one request answered by the two arms. The limits of p (Clopper and Pearson; mid-p counts the observed outcome half)
    become limits of p/(1 - p). Either interval excludes 1 exactly when its p-value, exact or mid-p, is below 1 - level.

    Parameters
    ----------
    counts : PairCounts
        The table; only its two discordant cells matter.
    level : float
        Two-sided confidence level, in (0, 1).

    Returns
    -------
    OddsRatio
        low is 0 where nothing favours the shadow, high None where nothing favours the primary.

    Notes
    -----
    Clopper and Pearson, Biometrika 26 (1934); Fagerland, Lydersen and Laake, Statistics in Medicine 33 (2014).

    Examples
    --------
    >>> ratio = discordant_odds_ratio(PairCounts(both=20, only_primary=2, only_shadow=12, neither=16))
    >>> ratio.value, round(ratio.low, 4), round(ratio.high, 3)
    (6.0, 1.3357, 55.197)
    """
    level = checked_level(level)
    b, c, tail = counts.only_primary, counts.only_shadow, (1 - checked_level(level)) / 2
    low, mid_low = _exact_low(b, c, tail), _mid_low(b, c, tail)
    below, mid_below = _exact_low(c, b, tail), _mid_low(c, b, tail)
    why_not = ""
    if b + c == 0:
        why_not = "no discordant pair"
    elif b == 0:
        why_not = "no pair favours the primary, so the ratio has no upper limit"
    return OddsRatio(
        value=c / b if b else None,
        low=low,
        high=1 / below if below else None,
        mid_low=mid_low,
        mid_high=1 / mid_below if mid_below else None,
        level=level,
        why_not=why_not,
    )


def _exact_low(b: int, c: int, tail: float) -> float:
    if c == 0:
        return 0.0
    share = float(betaincinv(c, b + 1, tail))
    return share / (1 - share)


def _mid_low(b: int, c: int, tail: float) -> float:
    """Odds at which P(X > c) + P(X = c)/2 is the tail, X ~ Binomial(b + c, share)."""
    if c == 0:
        return 0.0

    def above(share: float) -> float:
        beyond = float(betainc(c + 1, b, share)) if b else 0.0
        return (float(betainc(c, b + 1, share)) + beyond) / 2

    share = _rising_root(above, tail)
    return share / (1 - share)


def _rising_root(function: Callable[[float], float], goal: float) -> float:
    low, high = 0.0, 1.0
    # Halving ends at neighbouring floats, however small the root is.
    while low < (middle := (low + high) / 2) < high:
        low, high = (middle, high) if function(middle) < goal else (low, middle)
    return low


@dataclass(frozen=True, slots=True)
class PairedRatio:
    """The shadow's share of right answers over the primary's.

    Parameters
    ----------
    value, low, high : float or None
        Estimate and limits; None where an arm was never right.
    level : float
        Two-sided confidence level, in (0, 1).
    why_not : str
        Why there is no ratio; empty when there is.
    """

    value: float | None
    low: float | None
    high: float | None
    level: float
    why_not: str = ""


def paired_ratio(counts: PairCounts, level: float = 0.95) -> PairedRatio:
    """Give the ratio of the two arms' shares with Bonett and Price's hybrid Wilson interval.

    Among the n* pairs in which an arm was right: Wilson limits of each arm's share at the quantile z A/(B + C), with
    A = sqrt((b + c + 2)/((x1 + 1)(x2 + 1))), B and C = sqrt((1 - p)/(x + 1)), p = (x + 1)/(n* + 2), x the right answers
    of the arm; then low = l2/u1 and high = u2/l1. Pairs in which neither was right do not matter.

    Parameters
    ----------
    counts : PairCounts
        The table.
    level : float
        Two-sided confidence level, in (0, 1).

    Returns
    -------
    PairedRatio
        Refused, with the reason, where an arm was never right: a bare percent of nothing helps nobody.

    Notes
    -----
    Bonett and Price, Statistics in Medicine 25, 3039-3047 (2006).

    Examples
    --------
    >>> ratio = paired_ratio(PairCounts(both=59, only_primary=16, only_shadow=6, neither=80))
    >>> round(ratio.value, 4), round(ratio.low, 4), round(ratio.high, 4)
    (0.8667, 0.7579, 0.991)
    """
    level = checked_level(level)
    primary, shadow = counts.both + counts.only_primary, counts.both + counts.only_shadow
    if primary == 0 or shadow == 0:
        arm = "neither arm was" if primary == shadow else "the primary was never" if primary == 0 else ""
        return PairedRatio(None, None, None, level, f"{arm or 'the shadow was never'} right")
    n = counts.both + counts.discordant
    z = float(-ndtri((1 - level) / 2)) * sqrt((counts.discordant + 2) / ((primary + 1) * (shadow + 1)))
    z /= sum(sqrt((1 - (right + 1) / (n + 2)) / (right + 1)) for right in (primary, shadow))
    (low1, high1), (low2, high2) = (wilson_at(right / n, n, z) for right in (primary, shadow))
    return PairedRatio(shadow / primary, low2 / high1, high2 / low1, level)
