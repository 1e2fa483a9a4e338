"""The selection task that the ranking and selection of tune is measured on, and where its numbers come from.

Twenty candidates, one evaluation of each a normal number of standard deviation 0.051. The best lies 0.016 above the
second, and each further one 0.016 below the one before it. On one draw all candidates share part of their luck: the
correlation of any two is 0.76, so that the variance of a difference is 4.2 times smaller than of independent draws,
as was measured for the success share under a fixed schedule of outages.

With these, equal numbers of evaluations give the right candidate with probability 0.53, 0.61, 0.73, 0.83 (independent)
and 0.76, 0.84, 0.92, 0.98 (common draws) at 60, 100, 200 and 400 evaluations: about what was measured on twenty real
configurations (0.53, 0.61, 0.70, 0.79 and 0.75, 0.79, 0.86, 0.96). `shares_of_equal` recomputes them.
"""

from collections.abc import Callable, Sequence
from typing import Final

import numpy as np
import numpy.typing as npt

Values = npt.NDArray[np.float64]

CANDIDATES: Final = 20
GAP: Final = 0.016
SD: Final = 0.051
CORRELATION: Final = 0.76
_MOST_DRAWS: Final = 400


def means_of(seed: int) -> Values:
    """The twenty means in an order of this seed."""
    return -GAP * np.random.default_rng(10**6 + seed).permutation(CANDIDATES).astype(np.float64)


def random_means(seed: int) -> Values:
    """Twenty means spread at random over the same range: the gap of the best is now tiny, now large."""
    return np.random.default_rng(10**6 + seed).uniform(0.0, GAP * (CANDIDATES - 1), CANDIDATES)


def sample_of(means: Values, seed: int) -> Callable[[Sequence[int], Sequence[int]], Values]:
    """Evaluations of the candidates, [candidate, draw, 1]; the same draw is the same luck for all."""
    rng = np.random.default_rng(seed)
    shared = rng.normal(size=_MOST_DRAWS) * SD * np.sqrt(CORRELATION)
    own = rng.normal(size=(len(means), _MOST_DRAWS)) * SD * np.sqrt(1.0 - CORRELATION)

    def sample(places: Sequence[int], draws: Sequence[int]) -> Values:
        values: Values = means[list(places)][:, None] + shared[list(draws)] + own[np.ix_(list(places), list(draws))]
        return values[..., None]

    return sample


def score(means: Values) -> Values:
    """The highest mean is best."""
    lowest: Values = -means[..., 0]
    return lowest


def shares_of_equal(evaluations: int, correlation: float, repetitions: int = 20_000, seed: int = 1) -> float:
    """Share of right choices when every candidate is given as many evaluations; common luck cancels in the comparison."""
    each = evaluations // CANDIDATES
    noise = np.random.default_rng(seed).normal(size=(repetitions, CANDIDATES)) * SD * np.sqrt((1 - correlation) / each)
    return float(np.mean(np.argmax(-GAP * np.arange(CANDIDATES) + noise, axis=1) == 0))
