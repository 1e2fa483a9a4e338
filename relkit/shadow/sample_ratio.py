"""Whether each arm got the share of requests that was planned."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from scipy.special import betainc, chdtrc

from relkit.exceptions import ParameterError
from relkit.shadow._checks import whole
from relkit.units import count

MISMATCH_P: Final = 0.001
"""Below this p-value the split is broken, and so is every comparison built on it."""

# Expected counts below this make the chi-square a poor guide.
_FEW = 5


@dataclass(frozen=True, slots=True)
class SampleRatio:
    """How the split that was seen compares with the one that was planned.

    Parameters
    ----------
    statistic : float or None
        Chi-square over the arms with a planned share; None when nothing was counted.
    df : int
        Such arms, less one.
    p : float or None
        p-value: of the chi-square, or exact binomial for two arms of which one expects fewer than 5.
    unplanned : int
        Requests in arms whose planned share is 0; they are no matter of chance, and not in the statistic.
    invalid : bool
        p < .001, or an unplanned request: no comparison of these arms can be trusted.
    why_not : str
        Why there is no p-value, or what is wrong; empty otherwise.
    """

    statistic: float | None
    df: int
    p: float | None
    unplanned: int
    invalid: bool
    why_not: str = ""


def sample_ratio(observed: Sequence[int], shares: Sequence[float]) -> SampleRatio:
    """Test whether requests were split as planned: the sample-ratio test.

    Sum (observed - expected)^2/expected over arms with a planned share. An arm that should get nothing and got some is
    reported apart: it is a fault, whatever a p-value says.

    Parameters
    ----------
    observed : sequence of int
        Requests in each arm: mirrored and not mirrored, say.
    shares : sequence of float
        Planned shares, 0 or more; they are scaled to add up to 1.

    Returns
    -------
    SampleRatio
        With `invalid` set below p = .001.

    Raises
    ------
    ParameterError
        When lengths differ, fewer than two arms are planned, or a share is below 0.

    Notes
    -----
    Fabijan et al., KDD 2019, for the cut-off and what breaks a split.

    Examples
    --------
    >>> ratio = sample_ratio([310, 98], [0.75, 0.25])
    >>> round(ratio.p, 9), ratio.invalid
    (0.647434186, False)
    """
    arms = [whole(f"observed[{i}]", n) for i, n in enumerate(observed)]
    planned = [float(share) for share in shares]
    if len(arms) != len(planned) or sum(share > 0 for share in planned) < 2 or not all(0 <= s < 1e9 for s in planned):
        raise ParameterError.of(
            "shares",
            list(shares),
            "a share of 0 or more for each arm, two of them above 0",
            "pass shares such as [0.9, 0.1]",
        )
    total_share = sum(planned)
    expecting = [(n, share / total_share) for n, share in zip(arms, planned, strict=True) if share > 0]
    seen = sum(n for n, _ in expecting)
    unplanned, df = sum(arms) - seen, len(expecting) - 1
    fault = f"{count(unplanned)} requests in an arm that should get none" if unplanned else ""
    if seen == 0:
        return SampleRatio(None, df, None, unplanned, bool(unplanned), fault or "nothing was counted")
    statistic = sum((n - seen * share) ** 2 / (seen * share) for n, share in expecting)
    p = float(chdtrc(df, statistic))
    if df == 1 and min(seen * share for _, share in expecting) < _FEW:
        p = _binomial_p(expecting[0][0], seen, expecting[0][1])
    mismatch = f"the split is not the planned one (p = {p:.2g})" if p < MISMATCH_P else ""
    return SampleRatio(statistic, df, p, unplanned, bool(fault or mismatch), fault or mismatch)


def _binomial_p(k: int, n: int, share: float) -> float:
    """Twice the smaller tail of Binomial(n, share)."""
    at_least = 1.0 if k == 0 else float(betainc(k, n - k + 1, share))
    at_most = 1.0 if k == n else float(betainc(n - k, k + 1, 1 - share))
    return min(1.0, 2 * min(at_least, at_most))
