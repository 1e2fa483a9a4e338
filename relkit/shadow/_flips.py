"""The exact distribution of a sum of whole numbers whose signs are fair coins."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray
from scipy.special import gammaln

# The sum of all sizes up to which the distribution is worked out; beyond, the normal form is as good to three digits.
MOST_EXACT = 20_000


def flip_tails(sizes: Mapping[int, int], s: int) -> tuple[float, float]:
    """Give P(S < s) and P(S = s) for S = sum of +-size, each sign a fair coin.

    A size that comes n times contributes size (2 Binomial(n, 1/2) - n), so the distribution is a convolution of spread
    binomials on a lattice: exact, without enumerating 2^K sign patterns.

    Parameters
    ----------
    sizes : mapping of int to int
        How often each size, at least 1, comes.
    s : int
        Observed sum; its size is at most the sum of all sizes, and it has that sum's parity.

    Examples
    --------
    >>> round(flip_tails({1: 4, 2: 2}, 6)[1] * 64, 12)
    4.0
    """
    pmf = flip_distribution(sizes)
    # S = 2 T - (sum of sizes), with T on 0, 1, ...; S has the parity of that sum.
    t = (s + pmf.size - 1) // 2
    return float(pmf[:t].sum()), float(pmf[t])


def flip_distribution(sizes: Mapping[int, int]) -> NDArray[np.float64]:
    """Give P(T = 0), P(T = 1), ... for T = sum of the sizes whose coin fell heads.

    >>> flip_distribution({1: 1, 2: 1}).tolist()
    [0.25, 0.25, 0.25, 0.25]
    """
    pmf = np.ones(1)
    for size, times in sorted(sizes.items(), key=lambda pair: pair[0] * pair[1], reverse=True):
        k = np.arange(times + 1)
        binomial = np.exp(gammaln(times + 1) - gammaln(k + 1) - gammaln(times - k + 1) - times * np.log(2.0))
        spread = np.zeros(size * times + 1)
        spread[::size] = binomial
        pmf = np.convolve(pmf, spread) if times > 1 else _one(pmf, size)
    return pmf


def _one(pmf: NDArray[np.float64], size: int) -> NDArray[np.float64]:
    wider = np.zeros(pmf.size + size)
    wider[: pmf.size] = pmf / 2
    wider[size:] += pmf / 2
    return wider
