r"""Regexes that Python and RE2 (the engine inside DuckDB) read alike, so that one rule gives one answer in both.

A regex is searched in any ASCII case, with the dot crossing lines: `re.ASCII | re.IGNORECASE | re.DOTALL` here,
`regexp_matches(text, regex, 'is')` there. What only one engine has, or both have with another meaning, is refused:
look-around, back-references, atomic, named and conditional groups, possessive repeats, `{,n}`, more than 1,000
repetitions, `\d \s \A \Z`, POSIX and nested classes, inline flags but `(?-i:...)` (which minds the case), and letters
outside ASCII that have a case. Two traps need no refusal: `$` is compiled to `\Z`, because Python's would also stand
before a last line break; and RE2 folds the long s and the Kelvin sign to s and k, so that SQL puts ¿ in their place first.

Source: https://github.com/google/re2/wiki/Syntax and https://docs.python.org/3/library/re.html.
"""

import re
from collections.abc import Iterator
from functools import cache
from typing import Final

FOLDED_BY_SQL: Final = (
    "\u017f\u212a\u0130"  # RE2 or lower() of DuckDB makes an ASCII letter of these, Python's ASCII mode does not
)
MOST_REPEATS: Final = 1000
_ESCAPED: Final = frozenset("bBwWtnrfv")
_TOKEN: Final = re.compile(
    r"""(?P<escape>\\(?:x[0-9A-Fa-f]{2}|.|$))
      | (?P<class>\[\^?\]?(?:\\.|[^\]\\])*\])
      | (?P<open>\((?:\?(?:-i:|:|P<|<[=!]|[^:])?)?)
      | (?P<close>\))
      | (?P<repeat>(?:[*+?]|\{[0-9]*(?:,[0-9]*)?\})[?+]?)
      | (?P<end>\$)
      | (?P<plain>.)""",
    re.VERBOSE | re.DOTALL,
)


def fault_of(regex: str) -> str | None:
    r"""Say what in a regex Python and RE2 do not share, and what to write instead; None where they agree.

    Parameters
    ----------
    regex : str
        As it stands in a rule.

    Examples
    --------
    >>> fault_of("rate[ _-]?limit") is None
    True
    >>> fault_of(r"in \d+ s")
    'do without \\d; write [0-9]'
    """
    cased = [sign for sign in regex if not sign.isascii() and (sign.lower() != sign.upper() or sign == "¿")]
    if cased:
        return f"do without {cased[0]}: the engines fold the case of letters outside ASCII each in its own way"
    inside = [1]  # most repetitions inside each open group
    atom = 1
    for kind, text in _tokens(regex):
        fault = _fault_of_token(kind, text)
        if fault:
            return fault
        if kind == "open":
            inside.append(1)
        elif kind == "close" and len(inside) > 1:
            atom = inside.pop()
        elif kind == "repeat":
            atom *= max((int(number) for number in re.findall("[0-9]+", text)), default=1)
            if atom > MOST_REPEATS:
                return f"do with {MOST_REPEATS} repetitions at most, nested ones multiplied; there are {atom}"
        else:
            atom = 1
        inside[-1] = max(inside[-1], atom)
    try:
        compiled(regex)
    except (re.error, OverflowError, RecursionError) as error:
        return f"mend it: {error}"
    return None


@cache
def compiled(regex: str) -> re.Pattern[str]:
    """Compile a regex that has no fault, so that it matches what RE2 matches.

    >>> compiled("LIMIT$").search("limit") is None, compiled("limit$").search("limit\\n") is None
    (False, True)
    """
    text = "".join(r"\Z" if kind == "end" else text for kind, text in _tokens(regex))
    return re.compile(text, re.ASCII | re.IGNORECASE | re.DOTALL)


def _tokens(regex: str) -> Iterator[tuple[str, str]]:
    for found in _TOKEN.finditer(regex):
        yield str(found.lastgroup), found[0]


def _fault_of_token(kind: str, text: str) -> str | None:
    if kind == "escape":
        return _fault_of_escape(text[1:])
    if kind == "class":
        return _fault_of_class(text[1:-1])
    if kind == "plain" and text == "[":
        return "close the unterminated [ with ], or escape it"
    if kind == "open" and text not in ("(", "(?:", "(?-i:"):
        return f"do without {text}; only (...), (?:...) and (?-i:...) are groups that both engines read alike"
    return _fault_of_repeat(text) if kind == "repeat" else None


def _fault_of_repeat(text: str) -> str | None:
    if len(text) > 1 and text.endswith("+"):
        return f"do without the possessive {text}"
    return f"do without {text}; write {{0,n}} or escape the brace" if text.startswith(("{,", "{}")) else None


def _fault_of_escape(name: str) -> str | None:
    is_sign = name.isascii() and not name.isalnum() and name not in ("", "_")
    if is_sign or name[:1] == "x" or name in _ESCAPED:
        return None
    instead = {"d": "[0-9]", "D": "[^0-9]", "s": "[ \\t\\r\\n\\f]", "S": "[^ \\t\\r\\n\\f]"}.get(name)
    return f"do without \\{name}" + (f"; write {instead}" if instead else "")


def _fault_of_class(members: str) -> str | None:
    bare = re.sub(r"\\.", "", members, flags=re.DOTALL)
    for sign in ("[", "--", "&&", "||", "~~"):
        if sign in bare:
            return f"do without {sign} inside [...]; escape it with a backslash"
    for escape in re.findall(r"\\(x[0-9A-Fa-f]{2}|.)", members, flags=re.DOTALL):
        fault = "do without \\" + escape + " inside [...]" if escape in ("b", "B") else _fault_of_escape(escape)
        if fault:
            return fault
    return None
