"""Random numbers that stay the same: named child streams, and distributions made from uniforms alone.

`Generator.random` on PCG64 is stable across numpy versions; the other methods of a Generator are not promised to be.
So every draw here starts from uniforms and goes through an inverse distribution function, and what is compared later
is rounded to integers first.
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from scipy.special import ndtri

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]


def spawn_streams(seed: int, names: Sequence[str]) -> dict[str, np.random.Generator]:
    """One independent stream a name; a name appended at the end leaves the earlier streams as they were.

    >>> bool(spawn_streams(7, ["a"])["a"].random() == spawn_streams(7, ["a", "b"])["a"].random())
    True
    """
    children = np.random.SeedSequence(seed).spawn(len(names))
    return {name: np.random.Generator(np.random.PCG64(child)) for name, child in zip(names, children, strict=True)}


def lognormal_us(uniforms: Floats, median_s: float | Floats, sigma: float | Floats) -> Ints:
    """Lognormal durations in whole microseconds, at least one.

    >>> lognormal_us(np.array([0.5]), 0.45, 0.6)
    array([450000])
    """
    durations: Ints = np.maximum(np.rint(1e6 * median_s * np.exp(sigma * ndtri(uniforms))), 1).astype(np.int64)
    return durations


def lognormal_counts(uniforms: Floats, median: float, sigma: float) -> Ints:
    """Lognormal counts, at least one.

    >>> lognormal_counts(np.array([0.5]), 900, 0.5)
    array([900])
    """
    counts: Ints = np.maximum(np.rint(median * np.exp(sigma * ndtri(uniforms))), 1).astype(np.int64)
    return counts


def geometric(uniforms: Floats, mean: float, most: int) -> Ints:
    """Geometric counts 1, 2, ... with the given mean, cut off at `most`.

    >>> geometric(np.array([0.0, 0.99999999]), 6, 40)
    array([ 1, 40])
    """
    trials = 1 + np.floor(np.log1p(-uniforms) / np.log1p(-1 / mean))
    counts: Ints = np.minimum(trials, most).astype(np.int64)
    return counts


def pick(uniforms: Floats, shares: Sequence[float]) -> Ints:
    """Which of the alternatives, 0, 1, ..., with these shares (they add up to 1).

    >>> pick(np.array([0.1, 0.7, 0.999]), [0.5, 0.3, 0.2])
    array([0, 1, 2])
    """
    edges = np.cumsum(np.asarray(shares, dtype=np.float64))[:-1]
    return np.searchsorted(edges, uniforms, side="right").astype(np.int64)
