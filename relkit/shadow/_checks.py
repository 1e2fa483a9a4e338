"""What the records of this room accept: whole numbers, levels and margins, each checked once and in one way."""

from operator import index
from typing import SupportsIndex

from relkit.exceptions import ParameterError


def whole(name: str, got: SupportsIndex, *, negative: bool = False) -> int:
    """Take a count that may come from numpy or a database, and return it as a plain int.

    >>> whole("pairs", 3)
    3
    """
    allowed = "a whole number" if negative else "a whole number of 0 or more"
    remedy = "pass a count"
    # True is an int to Python; here it is a column passed in place of its sum.
    if isinstance(got, bool):
        raise ParameterError.of(name, got, allowed, remedy)
    try:
        number = index(got)
    except TypeError:
        raise ParameterError.of(name, got, allowed, remedy) from None
    if number < 0 and not negative:
        raise ParameterError.of(name, got, allowed, remedy)
    return number


def checked_level(level: float) -> float:
    """Take a two-sided confidence level.

    >>> checked_level(0.95)
    0.95
    """
    if not 0 < level < 1:
        raise ParameterError.of("level", level, "0 < level < 1", "pass a share such as 0.95")
    return float(level)


def checked_margin(margin: float) -> float:
    """Take a non-inferiority margin: the loss, as a share, that is still acceptable.

    >>> checked_margin(0.01)
    0.01
    """
    if not 0 <= margin < 1:
        raise ParameterError.of("margin", margin, "0 <= margin < 1", "pass a share: 0.01 is one point")
    return float(margin)


def checked_alpha(alpha: float) -> float:
    """Take the probability of a false alarm that a test may have.

    >>> checked_alpha(0.05)
    0.05
    """
    if not 0 < alpha < 1:
        raise ParameterError.of("alpha", alpha, "0 < alpha < 1", "pass a share such as 0.05")
    return float(alpha)
