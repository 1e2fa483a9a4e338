"""How much more often the shadow differs from the primary than the primary differs from itself (A/A/B)."""

from dataclasses import dataclass

from relkit.shadow.paired import Interval, PairCounts, mcnemar, tango


@dataclass(frozen=True, slots=True)
class ExcessDifference:
    """How much more often the shadow differs from the primary than a second primary does.

    Parameters
    ----------
    n : int
        Requests that all three answered.
    baseline_share, shadow_share : float
        Share of requests on which primary and second primary differ, and primary and shadow.
    delta : float
        shadow_share - baseline_share, in [-1, 1].
    interval : Interval
        Tango's interval of delta.
    p_more : float
        One-sided mid-p of "the shadow differs more often".
    """

    n: int
    baseline_share: float
    shadow_share: float
    delta: float
    interval: Interval
    p_more: float


def excess_difference(differs: PairCounts | None, level: float = 0.95) -> ExcessDifference | None:
    """Judge differences against the noise of the primary itself; None when no baseline was run.

    excess = (x10 - x01)/n, a paired difference like any other: a threshold on the raw share of differences halts
    every rollout of sampled text and waves through a broken field that never varied.

    Parameters
    ----------
    differs : PairCounts or None
        "Right" read as "differs": both = x11, only_primary = x01 (only the second primary differs), only_shadow = x10
        (only the shadow differs), neither = x00.
    level : float
        Two-sided confidence level, in (0, 1).

    Examples
    --------
    >>> excess = excess_difference(PairCounts(both=40, only_primary=60, only_shadow=160, neither=740))
    >>> round(excess.delta, 3), round(excess.interval.low, 3), round(excess.interval.high, 3)
    (0.1, 0.072, 0.129)
    """
    if differs is None or differs.delta is None or differs.primary_share is None or differs.shadow_share is None:
        return None
    p_more = mcnemar(differs).p_benefit_mid
    return ExcessDifference(
        differs.n, differs.primary_share, differs.shadow_share, differs.delta, tango(differs, level), p_more
    )
