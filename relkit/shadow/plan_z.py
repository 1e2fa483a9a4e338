"""The z-test of the plan document, letter for letter, to stand beside the right one."""

from dataclasses import dataclass
from math import exp, inf, isfinite, nan, sqrt

from relkit.shadow.paired import PairCounts

# The plan's digits, innermost first. Abramowitz and Stegun 26.2.17, cut to seven digits; its error (2e-7) is harmless.
_COEFFICIENTS = (1.330274, -1.821256, 1.781478, -0.3565638, 0.3193815)


@dataclass(frozen=True, slots=True)
class PlanZ:
    """The eight fields the plan's test returns; NaN and Infinity, which JSON cannot hold, are None.

    Parameters
    ----------
    primary_success_rate, shadow_success_rate : float or None
        Shares of right answers.
    improvement : float or None
        100 (shadow - primary) / primary: a bare percent of a percent.
    z_score, p_value : float or None
        Unpaired z, and its one-sided p-value (small only when the shadow is better).
    statistically_significant : bool
        p_value < 0.05.
    winner : str
        shadow or primary: whoever is ahead, whatever the p-value; primary at a tie.
    confidence : float or None
        1 - p_value.
    note : str
        Which of these the plan's code would have shown as NaN or Infinity, and why; empty when none.
    """

    primary_success_rate: float | None
    shadow_success_rate: float | None
    improvement: float | None
    z_score: float | None
    p_value: float | None
    statistically_significant: bool
    winner: str
    confidence: float | None
    note: str = ""


def plan_z(counts: PairCounts) -> PlanZ:
    """Compute what the plan's `performStatisticalTest` returns: a formula kept beside the right one, never our answer.

    It takes paired answers for two independent samples (variance too large by 1/(1 - correlation)), and its p-value
    asks only whether the shadow is better: a shadow two points worse is found in 0 % of runs where McNemar's mid-p
    finds it in 90 %. "confidence" is one minus that p-value.

    Parameters
    ----------
    counts : PairCounts
        The table.

    Returns
    -------
    PlanZ
        The plan's eight fields, and a note.

    Notes
    -----
    z = (p2 - p1) / sqrt(2 p (1 - p) / n), p the mean of the two shares; p-value Q(|z|) if z > 0, else 1 - Q(|z|).

    Examples
    --------
    >>> legacy = plan_z(PairCounts(3520, 96, 64, 320))
    >>> round(legacy.z_score, 5), round(legacy.p_value, 5), legacy.winner, round(legacy.confidence, 3)
    (-1.19257, 0.88348, 'primary', 0.117)
    """
    n = counts.n
    primary, shadow = counts.both + counts.only_primary, counts.both + counts.only_shadow
    p1, p2 = _divide(primary, n), _divide(shadow, n)
    pooled = _divide(primary + shadow, 2 * n)
    improvement = _divide(p2 - p1, p1) * 100
    z = _divide(p2 - p1, sqrt(2 * pooled * (1 - pooled) / n) if n else nan)
    p_value = _plan_p(z)
    if n == 0:
        note = "no pairs: every number of the plan's test is NaN"
    elif not isfinite(z):
        note = "both arms always right or always wrong: the plan divides 0 by 0, and z, p-value and confidence are NaN"
    else:
        note = ""
    if n and not isfinite(improvement):
        note = "; ".join(filter(None, (note, "the primary was never right: the plan's improvement is NaN or Infinity")))
    return PlanZ(
        primary_success_rate=_or_none(p1),
        shadow_success_rate=_or_none(p2),
        improvement=_or_none(improvement),
        z_score=_or_none(z),
        p_value=_or_none(p_value),
        # Comparisons with NaN are false in both languages, so a broken test reads "not significant, primary wins".
        statistically_significant=p_value < 0.05,
        winner="shadow" if p2 > p1 else "primary",
        confidence=_or_none(1 - p_value),
        note=note,
    )


def _plan_p(z: float) -> float:
    t = 1 / (1 + 0.2316419 * abs(z))
    polynomial = 0.0
    for coefficient in _COEFFICIENTS:
        polynomial = coefficient + t * polynomial
    probability = 0.3989423 * exp(-z * z / 2) * t * polynomial
    return probability if z > 0 else 1 - probability


def _divide(above: float, below: float) -> float:
    """Divide as JavaScript does, where the plan's code runs."""
    if below == 0:
        return inf if above > 0 else -inf if above < 0 else nan
    return above / below


def _or_none(number: float) -> float | None:
    return number if isfinite(number) else None
