"""Two arms that answered different requests: no pairs, so the test of two proportions, and it says so."""

from dataclasses import dataclass
from math import sqrt

from scipy.special import ndtr

from relkit.exceptions import ParameterError
from relkit.shadow._checks import checked_level, whole
from relkit.shadow.paired.counts import Interval

NOT_PAIRED = "the arms answered different requests: nothing is paired, so the mix of requests may differ too"


@dataclass(frozen=True, slots=True)
class TwoArms:
    """The difference of two arms that share no request.

    Parameters
    ----------
    delta : float or None
        Shadow's share less the primary's; None when an arm has nothing.
    interval : Interval
        Newcombe's for independent shares; the whole of [-1, 1] when an arm has nothing.
    z, p : float or None
        Pooled z, and its two-sided p-value; None when an arm has nothing or nothing varies.
    p_exact : float or None
        Fisher's exact p-value.
    note : str
        Always said: that nothing is paired.
    why_not : str
        Why there is no test; empty when there is.
    """

    delta: float | None
    interval: Interval
    z: float | None
    p: float | None
    p_exact: float | None
    note: str = NOT_PAIRED
    why_not: str = ""


def two_arms(primary_right: int, primary_n: int, shadow_right: int, shadow_n: int, level: float = 0.95) -> TwoArms:
    """Compare two arms of an A/B test, each request having gone to one of them.

    z = (p2 - p1)/sqrt(p (1 - p)(1/n1 + 1/n2)), p the share of both. Four times as many requests tell as much as pairs do
    at 4 % discordant, so mirror where you can.

    Parameters
    ----------
    primary_right, shadow_right : int
        Right answers.
    primary_n, shadow_n : int
        Requests.
    level : float
        Two-sided confidence level, in (0, 1).

    Returns
    -------
    TwoArms
        `note` says that nothing is paired.

    Notes
    -----
    Newcombe, Statistics in Medicine 17, 873-890 (1998), method 10, computed by statsmodels; Fisher (1935).

    Examples
    --------
    >>> arms = two_arms(46, 10_000, 69, 10_000)
    >>> round(arms.z, 3), round(arms.p, 4), round(arms.p_exact, 4)
    (2.151, 0.0315, 0.0392)
    """
    level = checked_level(level)
    right = [whole("primary_right", primary_right), whole("shadow_right", shadow_right)]
    n = [whole("primary_n", primary_n), whole("shadow_n", shadow_n)]
    for name, hits, size in zip(("primary_right", "shadow_right"), right, n, strict=True):
        if hits > size:
            raise ParameterError.of(name, hits, f"at most {size}", "count the right answers among the requests")
    if 0 in n:
        return TwoArms(None, Interval(-1.0, 1.0, level), None, None, None, why_not="an arm has no request")
    from scipy.stats import fisher_exact  # noqa: PLC0415  half a second, for arms that are not paired
    from statsmodels.stats.proportion import confint_proportions_2indep  # noqa: PLC0415

    low, high = confint_proportions_2indep(right[1], n[1], right[0], n[0], method="newcomb", alpha=1 - level)
    delta, pooled = right[1] / n[1] - right[0] / n[0], sum(right) / sum(n)
    se = sqrt(pooled * (1 - pooled) * (1 / n[0] + 1 / n[1]))
    exact = float(fisher_exact([[right[0], n[0] - right[0]], [right[1], n[1] - right[1]]]).pvalue)
    interval = Interval(max(-1.0, float(low)), min(1.0, float(high)), level)
    if se == 0:
        return TwoArms(delta, interval, None, None, exact, why_not="every answer of both arms is alike")
    return TwoArms(delta, interval, delta / se, float(2 * ndtr(-abs(delta) / se)), exact)
