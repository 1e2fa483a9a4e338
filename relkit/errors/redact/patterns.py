r"""What a secret looks like in text: one ordered table of patterns that Python and DuckDB apply alike.

The patterns keep to what RE2 and `re` share, and go further: no `(?i)` (RE2 folds the long s and the Kelvin sign, `re`
with ASCII does not), no `\s` (RE2 leaves out the vertical tab), no `$` and no repeat above 1,000. Letters of either
case are spelled out as `[Aa]` by `any_case`.

Three habits keep the patterns safe. After its opening word a pattern either fails within a few characters or matches,
so no text makes it slow. What it puts in ends in brackets, and values may hold brackets, so a second pass changes
nothing. Names of keys and parameters stay, so that a reader still sees what was there.

`NUMBERS` stands apart: what is made of digits alone needs no care where digits are masked, as in messages.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

_SPACE: Final = r" \t\r\n\f\v"


def any_case(text: str) -> str:
    """Spell out both cases of each ASCII letter, for engines whose case folding differs.

    >>> any_case("api[ _-]?key")
    '[Aa][Pp][Ii][ _-]?[Kk][Ee][Yy]'
    """
    return re.sub(r"[A-Za-z]", lambda letter: f"[{letter[0].upper()}{letter[0].lower()}]", text)


MARKS: Final = (
    "\ufdd0",
    "\ufdd1",
)  # Unicode keeps these two for the inside of programs; no text has both around digits
MARKED: Final = f"{MARKS[0]}([0-9 -]+){MARKS[1]}"


@dataclass(frozen=True, slots=True)
class Pattern:
    r"""One thing to take out, as `regexp_replace(text, regex, replacement, 'g')` does it.

    Parameters
    ----------
    name : str
        What it finds; unique.
    regex : str
        RE2-common expression.
    replacement : str
        Plain text, or text with `\1` groups.
    hints : tuple of str
        Lower-case texts of which at least one stands in every match (letters of either case); empty: there is none.
    gate : str
        An expression that matches somewhere in every match, in lower case, and is cheaper to look for; empty: there is none.
    has_check_digit : bool
        Whether the digits of group 2 must also pass the test of Luhn; such a pattern is applied in three steps: candidates are
        set between `MARKS`, those that pass are replaced with their marks, and the marks of the others are taken away.

    Examples
    --------
    >>> Pattern("order", "ORD-[0-9]+", "[order]", ("ord-",)).regex
    'ORD-[0-9]+'
    """

    name: str
    regex: str
    replacement: str
    hints: tuple[str, ...] = ()
    gate: str = ""
    has_check_digit: bool = False


# Words that make a key secret wherever they stand in its name. Nothing here may be part of a counter of tokens.
_STRONG = (
    "password", "passwd", "passphrase", "secret", "credential", "authorization",
    "api[ _-]?key", "private[ _-]?key", "access[ _-]?key", "signing[ _-]?key", "encryption[ _-]?key",
)  # fmt: skip
# A token is secret when it is one of these; "max_tokens" and "token_count" are numbers that reports live on.
_TOKEN_OWNERS = (
    "access", "auth", "refresh", "session", "security", "bearer", "csrf", "xsrf", "bot", "client", "device", "api",
    "jwt", "oauth", "user", "app", "deploy", "registry", "service", "webhook", "github", "gitlab", "slack", "hf", "npm",
)  # fmt: skip
_SHORT = ("pwd", "dsn", "ssn")  # too short to be looked for inside words


def _first_letters(words: Iterable[str]) -> str:
    """One alternative per first letter: at most places of a text one look at the letter then ends the search."""
    rests: dict[str, list[str]] = {}
    for word in words:
        rests.setdefault(word[0], []).append(word[1:])
    return "|".join(any_case(letter) + f"(?:{'|'.join(rest)})" for letter, rest in sorted(rests.items()))


_KEY = (
    "(?:"
    + _first_letters(
        [word[0] + any_case(word[1:]) + "[A-Za-z0-9_-]{0,24}" for word in _STRONG]
        + [owner[0] + any_case(owner[1:] + "[ _-]?token") for owner in _TOKEN_OWNERS]
    )
    + r"|(?:\b|[_0-9])"
    + any_case(f"(?:id[ _-]?token|{'|'.join(_SHORT)})")
    + r"|(?:\b|[0-9])"
    + any_case("token")
    + ")"
)
# Where a word may begin: a digit before it is as good as a blank, because messages mask digits afterwards, and cleaning
# a clean message must change nothing.
_START = r"(\b|[0-9])"
_EQUALS = r"""(?:\\{0,3}["']|"")?[ \t]{0,4}(?:=>|:=|[:=])[ \t]{0,4}"""
_PROVIDER_HINTS = (
    "sk-", "gsk_", "ghp_", "gho_", "ghu_", "ghs_", "ghr_", "github_pat_", "xox", "aiza", "akia", "asia", "hf_", "k_live_", "k_test_", "xai-", "pplx-",
    "nvapi-", "glpat-",
)  # fmt: skip
_KEY_HINTS = ("passw", "passph", "secret", "credential", "authorization", "key", "token", *_SHORT)
_KEY_GATE = rf"(?:(?:{'|'.join(_KEY_HINTS[:6])})[a-z0-9_-]{{0,24}}|{'|'.join(_KEY_HINTS[6:])}){_EQUALS}"

PATTERNS: Final[tuple[Pattern, ...]] = (
    # First, because what it stops at (slashes, quotes, brackets) later patterns may remove.
    Pattern("url_credentials", rf"""://[^{_SPACE}/"'<>\[\]]+@""", "://[redacted]@", ("://",)),
    Pattern(
        "pem_block",
        r"-----BEGIN [A-Z0-9 ]{0,40}-----[^-]*(?:-[^-]+)*(?:-----END [A-Z0-9 ]{0,40}-----)?",
        "[key]",
        ("-----begin ",),
    ),
    # Without a demand for the dots of a full JWT: base64 that opens with a JSON object is never ours to keep.
    Pattern("jwt", _START + r"eyJ[A-Za-z0-9_-]{10,}(?:\.[A-Za-z0-9_-]+)*", r"\1[jwt]", ("eyj",)),
    Pattern(
        "provider_key",
        _START
        + r"(?:sk-[A-Za-z0-9_*-]{12,}|gsk_[A-Za-z0-9]{12,}|gh[pousr]_[A-Za-z0-9]{12,}|github_pat_[A-Za-z0-9_]{12,}"
        r"|xox[a-z]-[A-Za-z0-9-]{10,}|AIza[A-Za-z0-9_-]{20,}|A[KS]IA[A-Z0-9]{12,}|hf_[A-Za-z0-9]{12,}"
        r"|[rs]k_(?:live|test)_[A-Za-z0-9]{12,}|(?:xai|pplx|nvapi|glpat)-[A-Za-z0-9_-]{12,})[A-Za-z0-9_-]*",
        r"\1[key]",
        _PROVIDER_HINTS,
    ),
    # Sixteen characters, or eight that no word is made of: "basic authentication" stays readable.
    Pattern(
        "bearer",
        _START + "(" + any_case("bearer|basic") + r") +(?:[A-Za-z0-9._~+/=-]{16,}"
        r"|[A-Za-z0-9._~+/-]{0,14}(?:[0-9=]|[a-z][A-Z])[A-Za-z0-9._~+/=-]{6,})",
        r"\1\2 [redacted]",
        ("bearer", "basic"),
    ),
    # Negated classes, so that addresses with letters beyond ASCII go whole.
    Pattern(
        "email",
        rf"""[^{_SPACE}@"'`<>()\[\]{{}},;:=/\\|&?#]{{1,64}}@(?:[^{_SPACE}@"'`<>()\[\]{{}},;:=/\\|&?#.]{{1,63}}\.){{1,8}}"""
        r"[A-Za-z]{2,}[A-Za-z0-9_-]*",
        "[email]",
        ("@",),
    ),
    # A cookie header is a list of values: all of the line goes.
    Pattern(
        "cookie",
        "(" + any_case("cookie") + rf"""[A-Za-z0-9_-]{{0,24}}{_EQUALS}["']?)[^"'<>\\\r\n]+""",
        r"\1[redacted]",
        ("cookie",),
    ),
    # Quoted values first: a bare value must not swallow the key of a quoted one. Four kinds of quotes (CSV doubles them), one search.
    Pattern(
        "key_quoted",
        rf"""({_KEY}{_EQUALS})(?:(\\{{1,3}}["'])[^"'\\\r\n]*|("")[^{_SPACE}"'\\,;:}}\]][^"'\\\r\n]*|(")[^"\\\r\n]*(?:\\+[^\\\r\n][^"\\\r\n]*)*"""
        r"""|(')[^'\\\r\n]*(?:\\+[^\\\r\n][^'\\\r\n]*)*)""",
        r"\1\2\3\4\5[redacted]",
        _KEY_HINTS,
        _KEY_GATE,
    ),
    Pattern(
        "key_bare",
        rf"({_KEY}{_EQUALS})(?:{any_case('(?:bearer|basic|token|digest)')} +)?"
        rf"""[^{_SPACE}"'\\,;&<>}}]+""",
        r"\1[redacted]",
        _KEY_HINTS,
        _KEY_GATE,
    ),
    # Last: a value that itself is a key with its value would lose the name that gives the rest away.
    Pattern(
        "url_query",
        rf"""([?&][A-Za-z0-9_.~%-]{{1,64}}=)[^{_SPACE}&"'<>\\]+""",
        r"\1[redacted]",
        ("?", "&"),
    ),
)


# What may stand before a number: no letter, digit or point, which would make it part of a name or of a longer number,
# and no bracket that an earlier replacement left.
_LEAD: Final = r"(^|[^A-Za-z0-9_.\]])"
_ISSUER_4 = "(?:4[0-9]{3}|5[1-5][0-9]{2}|2[2-7][0-9]{2}|35[0-9]{2}|6(?:011|4[4-9][0-9]|5[0-9]{2}))"
_CARD = (
    f"(?:{_ISSUER_4}(?:[ -][0-9]{{4}}){{3}}|3[47][0-9]{{2}}[ -][0-9]{{6}}[ -][0-9]{{5}}"
    "|3[068][0-9]{2}[ -][0-9]{6}[ -][0-9]{4}"
    f"|{_ISSUER_4}[0-9]{{12}}|4[0-9]{{12}}(?:[0-9]{{6}})?|3[47][0-9]{{13}}|3(?:0[0-5]|[68][0-9])[0-9]{{11}})"
)
# Areas 000, 666 and 9xx, group 00 and serial 0000 are never given out.
_SSN = (
    "(?:00[1-9]|0[1-9][0-9]|[1-578][0-9]{2}|6(?:[0-57-9][0-9]|6[0-57-9]))-(?:0[1-9]|[1-9][0-9])"
    "-(?:000[1-9]|00[1-9][0-9]|0[1-9][0-9]{2}|[1-9][0-9]{3})"
)
# The groups of North America; one mark at least is no blank, because counters stand side by side.
_PHONE = r"(?:(?:1[ .-])?(?:\([0-9]{3}\) ?|[0-9]{3}[.-])[0-9]{3}[ .-][0-9]{4}|[0-9]{3} [0-9]{3}-[0-9]{4})"
# Whole, or in groups.
_PHONE_ABROAD = r"\+[1-9](?:[0-9]{8,14}|[0-9]{0,2}[ .-]?(?:\([0-9]{1,4}\)[ .-]?)?[0-9]{1,5}(?:[ .-][0-9]{2,8}){1,4})"
_NUMBER_GATE = "[0-9]{3}(?:[0-9]{10}|-[0-9]{2}-[0-9]{4}|[ .-][0-9]{4}|[0-9][ -][0-9]{4})"
NUMBERS: Final[tuple[Pattern, ...]] = (
    Pattern("card", rf"{_LEAD}({_CARD})\b", "[card]", gate=_NUMBER_GATE, has_check_digit=True),
    Pattern("ssn", rf"{_LEAD}{_SSN}\b", r"\1[ssn]", gate=_NUMBER_GATE),
    Pattern("phone", rf"{_LEAD}{_PHONE}\b", r"\1[phone]", gate=_NUMBER_GATE),
    Pattern("phone_abroad", rf"{_LEAD}{_PHONE_ABROAD}\b", r"\1[phone]", ("+",)),
)
_OCTET = "(?:25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])"
# Off unless asked for: of 8,433 altered harmless lines of a trial 7,003 were version numbers taken for an address.
ADDRESS: Final = Pattern("ip", rf"{_LEAD}(?:{_OCTET}\.){{3}}{_OCTET}\b", r"\1[ip]", gate=r"[0-9]\.[0-9]")


def _literal(hint: str) -> str:
    return any_case(re.sub(r"([?.*+|\\])", r"\\\1", hint))


# Each matches wherever a pattern of its table could: one cheap look spares most lines the whole table.
PREFILTER: Final = "|".join(_literal(hint) for hint in dict.fromkeys(h for p in PATTERNS for h in p.hints))
NUMBERS_PREFILTER: Final = _NUMBER_GATE + r"|\+[1-9]"
