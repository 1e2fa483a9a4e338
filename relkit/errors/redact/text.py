"""Secrets out of one text."""

import re
from collections.abc import Callable, Iterable
from itertools import groupby
from typing import Final

from relkit.errors.redact.patterns import ADDRESS, MARKED, MARKS, NUMBERS, PATTERNS, Pattern

Replace = Callable[[str], str]
Search = Callable[[str], object]


def redact_text(text: str, *, numbers: bool = True, addresses: bool = False) -> str:
    """Return the text without keys, passwords, tokens, e-mail addresses, card and phone numbers, and values of URL parameters.

    Counters such as max_tokens stay. Doing it twice changes nothing.

    Parameters
    ----------
    text : str
        Any text, of any length.
    numbers : bool
        Whether cards, social security and phone numbers go too; for texts whose digits are masked afterwards they need not.
    addresses : bool
        Whether IPv4 addresses go too. Versions of four numbers look the same, and go with them.

    Returns
    -------
    str
        The text with `[redacted]`, `[key]`, `[jwt]`, `[email]`, `[card]`, `[ssn]`, `[phone]` or `[ip]` in place of what was
        taken out.

    Examples
    --------
    >>> redact_text("password=hunter22, mail bob@example.org, max_tokens=4096")
    'password=[redacted], mail [email], max_tokens=4096'
    >>> redact_text("GET https://api.example.org/v1?user=17&page=2")
    'GET https://api.example.org/v1?user=[redacted]&page=[redacted]'
    """
    lowered = text.lower()
    for steps in (_WORDS, _NUMBERS) if numbers else (_WORDS,):
        for hints, search, replaces in steps:
            for hint in hints:
                if hint in lowered:
                    if search is None or search(lowered):
                        for replace in replaces:
                            text = replace(text)
                    break
    return _WITHOUT_ADDRESS(text) if addresses else text


def passes_luhn(text: str) -> bool:
    """Say whether the digits of a text end in the check digit of a card number (ISO/IEC 7812-1, annex B).

    >>> passes_luhn("4111 1111 1111 1111"), passes_luhn("4111 1111 1111 1112")
    (True, False)
    """
    digits = [int(letter) for letter in text if "0" <= letter <= "9"]
    total = sum(digits[-1::-2]) + sum(2 * digit - 9 * (digit > 4) for digit in digits[-2::-2])
    return bool(digits) and total % 10 == 0


def _compiled(regex: str) -> re.Pattern[str]:
    return re.compile(regex, re.ASCII)


def _replace_of(pattern: Pattern) -> Replace:
    compiled, replacement = _compiled(pattern.regex), pattern.replacement
    if not pattern.has_check_digit:
        return lambda text: compiled.sub(replacement, text)

    def replace_checked(text: str) -> str:
        marked = compiled.sub(rf"\1{MARKS[0]}\2{MARKS[1]}", text)
        return _MARKED.sub(lambda match: replacement if passes_luhn(match[1]) else match[1], marked)

    return replace_checked


def _steps(patterns: Iterable[Pattern]) -> list[tuple[tuple[str, ...], Search | None, list[Replace]]]:
    """Neighbours with the same hints and gate are looked for once; every text holds the empty hint."""
    steps: list[tuple[tuple[str, ...], Search | None, list[Replace]]] = []
    for (hints, gate), alike in groupby(patterns, key=lambda pattern: (pattern.hints, pattern.gate)):
        search = _compiled(gate).search if gate else None
        steps.append((hints or ("",), search, [_replace_of(pattern) for pattern in alike]))
    return steps


_MARKED: Final = _compiled(MARKED)
_WORDS: Final = _steps(PATTERNS)
_NUMBERS: Final = _steps(NUMBERS)
_WITHOUT_ADDRESS: Final = _replace_of(ADDRESS)
