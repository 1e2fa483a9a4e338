"""The cache of answers in arrays: a list of keys by last use, of which the oldest goes first."""

from typing import Any


def key_at(popularity: Any, draw: float) -> int:
    """Return the key at a uniform draw: the first whose cumulative share lies above it.

    >>> [key_at((0.5, 0.75, 1.0), draw) for draw in (0.0, 0.5, 0.99)]
    [0, 1, 2]
    """
    low, high = 0, len(popularity) - 1
    while low < high:
        middle = (low + high) >> 1
        if draw < popularity[middle]:
            high = middle
        else:
            low = middle + 1
    return low


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
