"""The cache of answers in arrays: a list of keys by last use, of which the oldest goes first."""

from typing import Any, Final

import numpy as np

from relkit.simulation.demo_draws import Floats, Ints

_STEPS: Final = 4096  # a power of two: multiplying a draw by it is exact


def guide_of(popularity: Floats) -> Ints:
    """Return for each of the even steps from 0 to 1 the first key whose cumulative share lies above it."""
    steps = np.arange(_STEPS + 1) / _STEPS
    return np.minimum(np.searchsorted(popularity, steps, side="right"), max(len(popularity) - 1, 0)).astype(np.int64)


def key_at(popularity: Any, guide: Any, draw: float) -> int:
    """Return the key at a uniform draw: the first whose cumulative share lies above it.

    >>> popularity = np.array([0.5, 0.75, 1.0])
    >>> [key_at(popularity, guide_of(popularity), draw) for draw in (0.0, 0.5, 0.99)]
    [0, 1, 2]
    """
    step = int(draw * _STEPS)
    low, high = guide[step], guide[step + 1]
    while low < high:
        middle = (low + high) >> 1
        if draw < popularity[middle]:
            high = middle
        else:
            low = middle + 1
    return int(low)


def unlink(marks: Any, newer: Any, older: Any, key: int) -> None:
    """Take a key out of the list."""
    before, after = newer[key], older[key]
    if before >= 0:
        older[before] = after
    else:
        marks.newest = after
    if after >= 0:
        newer[after] = before
    else:
        marks.oldest = before


def use(marks: Any, newer: Any, older: Any, key: int) -> None:
    """Put a key that is not in the list at its new end."""
    newer[key] = -1
    older[key] = marks.newest
    if marks.newest >= 0:
        newer[marks.newest] = key
    marks.newest = key
    if marks.oldest < 0:
        marks.oldest = key


def store(marks: Any, newer: Any, older: Any, stored_s: Any, key: int, now_s: float, capacity: int) -> None:
    """Keep the answer to a key as of now; beyond the capacity the one used longest ago goes."""
    if stored_s[key] >= 0.0:
        unlink(marks, newer, older, key)
    else:
        marks.kept += 1
    stored_s[key] = now_s
    use(marks, newer, older, key)
    if marks.kept > capacity:
        gone = marks.oldest
        unlink(marks, newer, older, gone)
        stored_s[gone] = -1.0
        marks.kept -= 1
