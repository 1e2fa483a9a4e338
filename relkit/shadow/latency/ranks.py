"""Wilcoxon's signed ranks of paired log ratios: exact for few pairs, by groups of whole sessions for many."""

from collections import Counter
from dataclasses import dataclass
from math import sqrt
from typing import Final, Literal

import numpy as np
from scipy.special import ndtr, stdtr

from relkit.exceptions import ParameterError
from relkit.shadow._flips import MOST_EXACT, flip_tails
from relkit.shadow.latency.differences import Differences, Floats
from relkit.units import several

Zeros = Literal["pratt", "drop"]

FEWEST_GROUPS: Final = 10
"""Groups of whole sessions below which how they vary is not seen well enough for a test."""


@dataclass(frozen=True, slots=True)
class SignedRank:
    """Wilcoxon's signed-rank test of "as often slower as faster, by as much".

    Parameters
    ----------
    pairs, zeros : int
        All pairs, and those with no difference.
    statistic : float
        Sum of the ranks of positive differences (T+).
    z : float or None
        Standardised sum of signed ranks, above 0 when the shadow is slower; None where there is no test.
    p, p_slower, p_faster : float or None
        Two-sided, and one-sided for "the shadow is slower" and "the shadow is faster".
    exact : bool
        From the exact distribution of the signs, ties included.
    groups : int or None
        Groups of whole sessions that were the units; None where pairs count as independent.
    design_effect : float or None
        Variance with groups over variance without; None without groups.
    why_not : str
        Why there is no test; empty when there is.
    """

    pairs: int
    zeros: int
    statistic: float
    z: float | None
    p: float | None
    p_slower: float | None
    p_faster: float | None
    exact: bool
    groups: int | None
    design_effect: float | None
    why_not: str = ""


def signed_rank(differences: Differences, zeros: Zeros = "pratt") -> SignedRank:
    """Test whether the arms are equally fast, by the ranks of the paired log ratios.

    W = sum of sign x rank of |difference|, ties sharing their mean rank. Pairs as units: exact up to about 140 pairs,
    then W/sqrt(sum of squared ranks) against the normal. Groups of whole sessions as units: Student's t of the groups'
    sums of signed ranks. Sees +10 % on the body of 300 pairs in 92 % of runs where a test of means has 5 to 8 %.

    Parameters
    ----------
    differences : Differences
        log2(shadow/primary) of pairs that both arms answered.
    zeros : str
        "pratt": pairs without a difference are ranked with the others, then left out of the sum; what they say, "no
        change", is kept, and in a histogram only pairs within half a bin lose their sign. "drop": left out before
        ranking, as Wilcoxon did.

    Returns
    -------
    SignedRank
        None with the reason where nothing differs, or with fewer than 10 groups.

    Notes
    -----
    Wilcoxon, Biometrics Bulletin 1 (1945); Pratt, JASA 54 (1959); Rosner, Glynn and Lee, Biometrics 62 (2006), for
    clusters.

    Examples
    --------
    >>> test = signed_rank(Differences.of([0.952, -0.147, 1.022, 0.430, 0.620, 0.590, 0.490, -0.080, 0.010]))
    >>> test.statistic, round(test.p, 5)
    (40.0, 0.03906)
    """
    if zeros not in {"pratt", "drop"}:
        raise ParameterError.of("zeros", zeros, "pratt or drop", "pratt keeps what a pair without a difference says")
    ranks = _ranks(differences, zeros)
    signs = np.sign(differences.values)
    scores, times = signs * ranks, differences.times
    n, unchanged = differences.n, int(times[signs == 0].sum())
    above = float((scores * times)[signs > 0].sum())
    total, square = float((scores * times).sum()), float((scores * scores * times).sum())
    grouped = differences.group is not None
    sums = _group_sums(differences, scores)
    if n == unchanged or (grouped and sums.size < FEWEST_GROUPS):
        why_not = "no pair" if n == 0 else "no pair differs"
        if n > unchanged:
            why_not = f"{several(sums.size, 'group')} of sessions: a test needs {FEWEST_GROUPS}"
        groups = sums.size if grouped else None
        return SignedRank(
            n, unchanged, above, None, None, None, None, exact=False, groups=groups, design_effect=None, why_not=why_not
        )
    if grouped:
        return _by_group(n, unchanged, above, sums, square)
    # Doubled, shared ranks are whole numbers, so the signs' exact distribution is that of a sign flip.
    sizes: Counter[int] = Counter()
    for rank, many in zip(np.rint(2 * ranks[signs != 0]).astype(int), times[signs != 0], strict=True):
        sizes[int(rank)] += int(many)
    z, exact = total / sqrt(square), sum(size * many for size, many in sizes.items()) <= MOST_EXACT
    if exact:
        worse, at = flip_tails(sizes, -abs(round(2 * total)))
    else:
        worse, at = float(ndtr(-abs(z))), 0.0
    far, near = min(1.0, worse + at), min(1.0, 1 - worse)
    slower, faster = (far, near) if total > 0 else (near, far) if total < 0 else (far, far)
    two_sided = 1.0 if total == 0 else min(1.0, 2 * far)
    return SignedRank(n, unchanged, above, z, two_sided, slower, faster, exact=exact, groups=None, design_effect=None)


def _by_group(n: int, unchanged: int, above: float, sums: Floats, square: float) -> SignedRank:
    k = sums.size
    spread = float(((sums - sums.mean()) ** 2).sum())
    if spread <= 1e-12 * float((sums**2).sum()):
        return SignedRank(
            n, unchanged, above, None, None, None, None, exact=False, groups=k, design_effect=None,
            why_not="all groups of sessions differ alike, so how they vary is not seen",
        )  # fmt: skip
    t = float(sums.sum()) / sqrt(k / (k - 1) * spread)
    slower, faster = float(stdtr(k - 1, -t)), float(stdtr(k - 1, t))
    return SignedRank(
        n, unchanged, above, t, min(1.0, 2 * min(slower, faster)), slower, faster, exact=False, groups=k,
        design_effect=float((sums**2).sum()) / square,
    )  # fmt: skip


def _ranks(differences: Differences, zeros: Zeros) -> Floats:
    """Mean rank of |value| for each distinct value."""
    sizes, place = np.unique(np.abs(differences.values), return_inverse=True)
    times = np.bincount(place, weights=differences.times, minlength=sizes.size)
    if zeros == "drop" and sizes.size and sizes[0] == 0:
        times[0] = 0
    upto = np.cumsum(times)
    return np.asarray((upto - (times - 1) / 2)[place], dtype=float)


def _group_sums(differences: Differences, scores: Floats) -> Floats:
    """Sum of signed ranks of each group; empty without groups."""
    if differences.group is None or differences.value is None or differences.count is None:
        return np.zeros(0)
    sums = np.bincount(differences.group, weights=scores[differences.value] * differences.count).astype(np.float64)
    used: Floats = sums[np.unique(differences.group)]
    return used
