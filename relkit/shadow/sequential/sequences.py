"""Confidence sequences: intervals that hold at all looks at once."""

from math import log, log1p

from scipy.special import betaln

from relkit.shadow._checks import checked_level
from relkit.shadow.paired.counts import Interval, PairCounts
from relkit.shadow.sequential.evidence import DEFAULT_PRIOR, checked_prior, mixture_bound, mixture_rho
from relkit.shadow.sessions.student import residual_variance
from relkit.shadow.sessions.sums import SessionSums


def share_sequence(counts: PairCounts, level: float = 0.95, prior: float = DEFAULT_PRIOR) -> Interval:
    """Give a confidence sequence of the share of discordant pairs that favour the shadow.

    All shares t at which the mixture B(b + a, c + a)/(B(a, a) t^c (1 - t)^b) stays below 1/(1 - level). Holds at all
    looks at once, exactly, for pairs that are independent; excludes 1/2 exactly when `e_pairs` reaches that height.

    Parameters
    ----------
    counts : PairCounts
        All pairs so far.
    level : float
        In (0, 1).
    prior : float
        As for `e_pairs`.

    Returns
    -------
    Interval
        Limits in [0, 1]; the whole of it without discordant pairs.

    Notes
    -----
    Robbins (1970), as for `e_pairs`.

    Examples
    --------
    >>> share = share_sequence(PairCounts(0, 59, 121, 0))
    >>> round(share.low, 3), round(share.high, 3)
    (0.554, 0.777)
    """
    level = checked_level(level)
    checked_prior(prior)
    b, c = counts.only_primary, counts.only_shadow
    ceiling = float(betaln(b + prior, c + prior) - betaln(prior, prior)) + log1p(-level)
    return Interval(_share_low(b, c, ceiling), 1.0 - _share_low(c, b, ceiling), level)


def _share_low(b: int, c: int, ceiling: float) -> float:
    """Smallest share at which c ln t + b ln(1 - t) is not below the ceiling; it rises up to c/(b + c)."""
    if c == 0:
        return 0.0
    low, high = 0.0, c / (b + c)
    while low < (middle := (low + high) / 2) < high:
        if c * log(middle) + b * log1p(-middle) < ceiling:
            low = middle
        else:
            high = middle
    return low


def session_sequence(sums: SessionSums, v_opt: float, level: float = 0.95) -> Interval:
    """Give the confidence sequence of shadow - primary with sessions as units: the interval that survives every look.

    delta +- mixture_bound(V_delta, rho)/N, V_delta = K/(K - 1) Sum (D_k - delta m_k)^2. For many sessions it covers
    delta at all looks at once (asymptotically: rho keeps it wide while few sessions differ).

    Parameters
    ----------
    sums : SessionSums
        Sums over whole sessions so far.
    v_opt : float
        Sum of D_k squared expected at the horizon, declared beforehand.
    level : float
        In (0, 1).

    Returns
    -------
    Interval
        Limits in [-1, 1]; the whole of it with fewer than two sessions.

    Notes
    -----
    Waudby-Smith, Arbour, Sinha, Kennedy and Ramdas, Annals of Statistics 52 (2024), with the boundary of Howard et al.
    (2021).

    Examples
    --------
    >>> sums = SessionSums(400, 2400, -144, 300, -900, 16000, 40, 160, 200, 20)
    >>> interval = session_sequence(sums, v_opt=300)
    >>> round(interval.low, 3), round(interval.high, 3)
    (-0.08, -0.04)
    """
    level = checked_level(level)
    if sums.sessions < 2:
        return Interval(-1.0, 1.0, level)
    delta = sums.s / sums.pairs
    half = mixture_bound(residual_variance(sums), mixture_rho(v_opt, 1 - level), 1 - level) / sums.pairs
    return Interval(max(-1.0, delta - half), min(1.0, delta + half), level)
