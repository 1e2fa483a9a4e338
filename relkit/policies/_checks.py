"""Checks of settings: every refusal names the setting, what came, what is allowed and what to do."""

import math
from collections.abc import Collection
from difflib import get_close_matches

from relkit.exceptions import ParameterError


def checked_number(
    name: str, got: object, low: float, high: float, remedy: str, *, open_low: bool = False
) -> int | float:
    """Return a number from `low` to `high`, or refuse it; `open_low` leaves `low` itself out.

    >>> checked_number("cap_s", 2.0, 0.0, math.inf, "give seconds")
    2.0
    """
    inside = (
        isinstance(got, int | float)
        and not isinstance(got, bool)
        and not math.isnan(got)
        and (low < got if open_low else low <= got)
        and got <= high
    )
    if not inside:
        allowed = f"a number above {low:g}" if open_low else f"a number from {low:g}"
        if high != math.inf:
            allowed += f" to {high:g}" if not open_low else f" and at most {high:g}"
        elif not open_low:
            allowed += " on"
        raise ParameterError.of(name, got, allowed, remedy)
    assert isinstance(got, int | float)
    return got


def checked_whole(name: str, got: object, low: int, high: int, remedy: str) -> int:
    """Return a whole number from `low` to `high`, or refuse it.

    >>> checked_whole("max_attempts", 3, 0, 100, "give whole tries")
    3
    """
    if isinstance(got, bool) or not isinstance(got, int) or not low <= got <= high:
        raise ParameterError.of(name, got, f"a whole number from {low} to {high}", remedy)
    return got


def checked_code(name: str, got: object, words: tuple[str, ...]) -> int:
    """Return the number of one of several words, or refuse it.

    >>> checked_code("jitter", 1, ("no_jitter", "full"))
    1
    """
    if isinstance(got, bool) or not isinstance(got, int) or not 0 <= got < len(words):
        allowed = ", ".join(f"{code} ({word})" for code, word in enumerate(words))
        raise ParameterError.of(name, got, allowed, "give one of these numbers")
    return got


def checked_word(name: str, got: object, words: tuple[str, ...]) -> object:
    """Return the number of a word of `words`; what is no text passes as it is.

    >>> checked_word("jitter", "full", ("no_jitter", "full"))
    1
    """
    if not words or not isinstance(got, str):
        return got
    if got not in words:
        raise ParameterError.of(name, got, ", ".join(words), "use one of these words")
    return words.index(got)


def checked_flag(name: str, got: object) -> bool:
    """Return True or False, or refuse what is neither.

    >>> checked_flag("guard_repeats", True)
    True
    """
    if not isinstance(got, bool):
        raise ParameterError.of(name, got, "true or false", "give a truth value, not a text or number")
    return got


def meant(word: object, known: Collection[str], remedy: str) -> str:
    """Return the remedy, with the known word that was probably meant before it.

    >>> meant("open_sec", ("open_s", "window_s"), "use a name of the list")
    'did you mean open_s? use a name of the list'
    """
    close = get_close_matches(str(word), known, n=1, cutoff=0.6)
    return f"did you mean {close[0]}? {remedy}" if close else remedy
