"""What a test of pairs would find: power of the test that is reported, the pairs it needs, the difference it can see.

Power is summed over the number of discordant pairs, with the rejection region of the very test. The textbook's normal
form undersizes the exact test: at its own answer for "80 %" that test has 77.7 % (shares .05 and .45).
"""

from math import ceil, sqrt
from typing import Final, Literal

import numpy as np
import numpy.typing as npt
from scipy.special import ndtri

from relkit.exceptions import ParameterError
from relkit.shadow._checks import checked_alpha, whole

Test = Literal["mid_p", "exact", "asymptotic"]
Floats = npt.NDArray[np.float64]

TESTS: Final = ("mid_p", "exact", "asymptotic")
_MOST_PAIRS: Final = 1_000_000_000
# Numbers of discordant pairs less likely than this are left out; power is right to about as many digits.
_NEGLIGIBLE: Final = 1e-12


def mcnemar_power(
    n: int,
    only_primary_share: float,
    only_shadow_share: float,
    *,
    test: Test = "mid_p",
    alpha: float = 0.05,
    sides: Literal[1, 2] = 2,
    design_effect: float = 1.0,
) -> float:
    """Give the probability that McNemar's test of n pairs is significant.

    Sum over m of P(m discordant pairs) P(reject | m), where given m the pairs for the shadow are
    Binomial(m, only_shadow_share/(both shares)) and the rejection region is that of the test.

    Parameters
    ----------
    n : int
        Pairs.
    only_primary_share, only_shadow_share : float
        Share of all pairs in which only that arm is right; the difference is the latter less the former.
    test : str
        "mid_p", "exact" or "asymptotic".
    alpha : float
        Level, in (0, 1).
    sides : int
        2, or 1 for the direction in which the shares differ.
    design_effect : float
        At least 1: with sessions n pairs are worth n / design_effect.

    Returns
    -------
    float
        In [0, 1].

    Notes
    -----
    Miettinen, Biometrics 24, 339-352 (1968); Duffy, Biometrics 40, 1005-1015 (1984), for the exact sum.

    Examples
    --------
    >>> round(mcnemar_power(144, 0.25, 0.45, test="exact", alpha=0.025, sides=1), 4)
    0.8009
    """
    b, c = _checked_shares(only_primary_share, only_shadow_share)
    _check(test, alpha, sides, design_effect)
    worth = int(whole("n", n) / design_effect)
    if worth == 0 or b + c == 0:
        return 0.0
    return _power(worth, b, c, test, alpha, sides)


def normal_sample_size(
    only_primary_share: float, only_shadow_share: float, *, target: float = 0.8, alpha: float = 0.05, sides: int = 2
) -> float:
    """Give the pairs that the normal approximation asks for; a start, and what other calculators print.

    (z_alpha sqrt(d) + z_power sqrt(d - delta^2))^2/delta^2, d the sum of the two shares.

    Parameters
    ----------
    only_primary_share, only_shadow_share : float
        Shares of all pairs; they must differ.
    target : float
        Power, in (0, 1).
    alpha : float
        Level, in (0, 1).
    sides : int
        1 or 2.

    Returns
    -------
    float
        Not rounded.

    Notes
    -----
    Connor, Biometrics 43, 207-211 (1987).

    Examples
    --------
    >>> round(normal_sample_size(0.05, 0.45), 3), round(normal_sample_size(0.05, 0.45, sides=1), 2)
    (22.011, 17.09)
    """
    b, c = _checked_shares(only_primary_share, only_shadow_share)
    if b == c:
        raise ParameterError.of("shares", (b, c), "two different shares", "a difference of 0 is never found")
    discordant, delta = b + c, c - b
    z, z_power = float(-ndtri(checked_alpha(alpha) / sides)), float(ndtri(_checked_target(target)))
    root = z * sqrt(discordant) + z_power * sqrt(max(0.0, discordant - delta * delta))
    return root * root / (delta * delta)


def sample_size(
    only_primary_share: float,
    only_shadow_share: float,
    *,
    target: float = 0.8,
    test: Test = "mid_p",
    alpha: float = 0.05,
    sides: Literal[1, 2] = 2,
    design_effect: float = 1.0,
) -> int:
    """Give the number of pairs at which the reported test reaches a power.

    Power rises with n but for small teeth (a rejection region changes by whole pairs); the answer has the power, and one
    pair fewer has not.

    Parameters
    ----------
    only_primary_share, only_shadow_share : float
        Share of all pairs in which only that arm is right; they must differ.
    target : float
        Power, in (0, 1).
    test, alpha, sides, design_effect
        As for `mcnemar_power`.

    Returns
    -------
    int
        Pairs.

    Examples
    --------
    >>> n = sample_size(0.015, 0.025)
    >>> mcnemar_power(n, 0.015, 0.025) >= 0.8 > mcnemar_power(n - 1, 0.015, 0.025)
    True
    """
    _check(test, alpha, sides, design_effect)
    b, c = _checked_shares(only_primary_share, only_shadow_share)
    enough = max(2, ceil(normal_sample_size(b, c, target=target, alpha=alpha, sides=sides)))
    while _power(enough, b, c, test, alpha, sides) < target:
        enough = ceil(enough * 1.1) + 1
        if enough > _MOST_PAIRS:
            raise ParameterError.of("shares", (b, c), "a difference that 10^9 pairs can show", "plan for a larger one")
    few = 0
    while enough - few > 1:
        middle = (few + enough) // 2
        if _power(middle, b, c, test, alpha, sides) >= target:
            enough = middle
        else:
            few = middle
    return ceil(enough * design_effect)


def smallest_effect(
    n: int,
    discordant_share: float,
    *,
    target: float = 0.8,
    test: Test = "mid_p",
    alpha: float = 0.05,
    design_effect: float = 1.0,
) -> float | None:
    """Give the smallest difference that n pairs find with a power: the minimum detectable effect.

    The shares are (d - delta)/2 and (d + delta)/2; a difference larger than d needs as many discordant pairs.

    Parameters
    ----------
    n : int
        Pairs.
    discordant_share : float
        d, the share of pairs in which exactly one arm is right, in (0, 1].
    target : float
        Power, in (0, 1).
    test, alpha, design_effect
        As for `mcnemar_power`, two-sided.

    Returns
    -------
    float or None
        A share, to four digits of itself; None where even a difference of 1 is not found.

    Examples
    --------
    >>> round(smallest_effect(2333, 0.04), 4), round(smallest_effect(2333, 0.04, design_effect=2.16), 3)
    (0.0115, 0.017)
    """
    _check(test, alpha, 2, design_effect)
    if not 0 < discordant_share <= 1:
        raise ParameterError.of(
            "discordant_share", discordant_share, "a share above 0, at most 1", "take it from a first day of shadowing"
        )
    worth = int(whole("n", n) / design_effect)

    def found(delta: float) -> bool:
        spread = max(discordant_share, delta)
        return _power(worth, (spread - delta) / 2, (spread + delta) / 2, test, alpha, 2) >= _checked_target(target)

    if worth == 0 or not found(1.0):
        return None
    few, enough = 0.0, 1.0
    while enough - few > 1e-4 * enough:
        middle = (few + enough) / 2
        few, enough = (few, middle) if found(middle) else (middle, enough)
    return enough


def _power(n: int, b: float, c: float, test: Test, alpha: float, sides: int) -> float:
    from scipy.stats import binom  # noqa: PLC0415  half a second, for planning alone

    discordant = min(1.0, b + c)
    least, most = (int(end) for end in binom.ppf([_NEGLIGIBLE, 1 - _NEGLIGIBLE], n, discordant))
    # A range of many numbers is summed in strides: the power hardly changes from one to the next.
    stride = max(1, (most - least) // 4_000)
    m = np.arange(max(1, least), most + 1, stride)
    if m.size == 0:
        return 0.0
    limit = _largest_rejected(m, test, alpha / sides)
    share = max(b, c) / (b + c)
    rejected = binom.sf(m - limit - 1, m, share)
    if sides == 2:
        rejected = rejected + binom.cdf(limit, m, share)
    if stride == 1:
        return float((binom.pmf(m, n, discordant) * np.where(limit >= 0, rejected, 0.0)).sum())
    weights = np.diff(binom.cdf(np.concatenate([[m[0] - 1], m + stride // 2]), n, discordant))
    return float((weights * np.where(limit >= 0, rejected, 0.0)).sum() / weights.sum())


def _largest_rejected(m: npt.NDArray[np.int64], test: Test, tail: float) -> npt.NDArray[np.int64]:
    """Largest count of m fair coins that the test rejects as too small; -1 where none is."""
    from scipy.stats import binom  # noqa: PLC0415  as above

    if test == "asymptotic":
        return np.floor((m - float(-ndtri(tail)) * np.sqrt(m)) / 2).astype(np.int64)
    edge = binom.ppf(tail, m, 0.5).astype(np.int64)
    below, upto = binom.cdf(edge - 1, m, 0.5), binom.cdf(edge, m, 0.5)
    kept = upto if test == "exact" else (below + upto) / 2
    rejected: npt.NDArray[np.int64] = np.where(kept <= tail, edge, edge - 1)
    return rejected


def _checked_shares(b: float, c: float) -> tuple[float, float]:
    if not (0 <= b <= 1 and 0 <= c <= 1 and b + c <= 1 + 1e-12):
        raise ParameterError.of("shares", (b, c), "two shares that add up to 1 at most", "shares of all pairs")
    return float(b), float(c)


def _checked_target(target: float) -> float:
    if not 0 < target < 1:
        raise ParameterError.of("target", target, "0 < target < 1", "pass a share such as 0.8")
    return float(target)


def _check(test: str, alpha: float, sides: int, design_effect: float) -> None:
    checked_alpha(alpha)
    if test not in TESTS:
        raise ParameterError.of("test", test, ", ".join(TESTS), "mid_p is the one that is reported")
    if sides not in {1, 2}:
        raise ParameterError.of("sides", sides, "1 or 2", "2 unless the protocol says otherwise")
    if not 1 <= design_effect < 1e9:
        raise ParameterError.of(
            "design_effect", design_effect, "at least 1", "sessions never carry more than their pairs"
        )
