r"""Take secrets out of text: one ordered table of patterns that Python and DuckDB apply alike.

The patterns keep to what RE2 and `re` share, and go further: no `(?i)` (RE2 folds the long s and the Kelvin sign, `re`
with ASCII does not), no `\s` (RE2 leaves out the vertical tab), no `$` and no repeat above 1,000. Letters of either
case are spelled out as `[Aa]` by `any_case`.

Three habits keep the patterns safe. After its opening word a pattern either fails within a few characters or matches,
so no text makes it slow. What it puts in ends in brackets, and values may hold brackets, so a second pass changes
nothing. Names of keys and parameters stay, so that a reader still sees what was there.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

_SPACE: Final = r" \t\r\n\f\v"


def any_case(text: str) -> str:
    """Spell out both cases of each ASCII letter, for engines whose case folding differs.

    >>> any_case("api[ _-]?key")
    '[Aa][Pp][Ii][ _-]?[Kk][Ee][Yy]'
    """
    return re.sub(r"[A-Za-z]", lambda letter: f"[{letter[0].upper()}{letter[0].lower()}]", text)


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
        Lower-case texts of which at least one stands in every match (letters of either case).

    Examples
    --------
    >>> Pattern("order", "ORD-[0-9]+", "[order]", ("ord-",)).apply("about ORD-77")
    'about [order]'
    """

    name: str
    regex: str
    replacement: str
    hints: tuple[str, ...]

    def apply(self, text: str) -> str:
        """Replace every match in the text."""
        return _compiled(self.regex).sub(self.replacement, text)


def _compiled(regex: str) -> re.Pattern[str]:
    return re.compile(regex, re.ASCII)


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
_EQUALS = r"""(?:\\?["'])?[ \t]{0,4}(?:=>|:=|[:=])[ \t]{0,4}"""
_PROVIDER_HINTS = (
    "sk-", "gsk_", "gh", "github_pat_", "xox", "aiza", "akia", "asia", "hf_", "k_live_", "k_test_", "xai-", "pplx-",
    "nvapi-", "glpat-",
)  # fmt: skip
_KEY_HINTS = ("passw", "passph", "secret", "credential", "authorization", "key", "token", *_SHORT)

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
    # Sixteen characters at least, so that "basic authentication" stays readable.
    Pattern(
        "bearer",
        _START + "(" + any_case("bearer|basic") + r") +[A-Za-z0-9._~+/=-]{16,}",
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
    Pattern(
        "url_query",
        rf"""([?&][A-Za-z0-9_.~%-]{{1,64}}=)[^{_SPACE}&"'<>\\]+""",
        r"\1[redacted]",
        ("?", "&"),
    ),
    # Quoted values first: a bare value must not swallow the key of a quoted one. Three kinds of quotes, one search.
    Pattern(
        "key_quoted",
        rf"""({_KEY}{_EQUALS})(?:(\\")[^"\\\r\n]*|(")[^"\\\r\n]*(?:\\[^\r\n][^"\\\r\n]*)*"""
        r"""|(')[^'\\\r\n]*(?:\\[^\r\n][^'\\\r\n]*)*)""",
        r"\1\2\3\4[redacted]",
        _KEY_HINTS,
    ),
    # A cookie header is a list of values: all of the line goes.
    Pattern(
        "cookie",
        "(" + any_case("cookie") + rf"""[A-Za-z0-9_-]{{0,24}}{_EQUALS}["']?)[^"'<>\\\r\n]+""",
        r"\1[redacted]",
        ("cookie",),
    ),
    Pattern(
        "key_bare",
        rf"({_KEY}{_EQUALS})(?:{any_case('(?:bearer|basic|token|digest)')} +)?"
        rf"""[^{_SPACE}"'\\,;&<>}}]+""",
        r"\1[redacted]",
        _KEY_HINTS,
    ),
)


def _literal(hint: str) -> str:
    return any_case(re.sub(r"([?.*+|\\])", r"\\\1", hint))


# Matches wherever a pattern could: one cheap look spares most lines the whole table.
PREFILTER: Final = "|".join(_literal(hint) for hint in dict.fromkeys(h for p in PATTERNS for h in p.hints))


def redact_text(text: str) -> str:
    """Return the text without keys, passwords, tokens, addresses and values of URL parameters.

    Counters such as max_tokens stay. Doing it twice changes nothing.

    Parameters
    ----------
    text : str
        Any text, of any length.

    Returns
    -------
    str
        The text with `[redacted]`, `[key]`, `[jwt]` or `[email]` in place of what was taken out.

    Examples
    --------
    >>> redact_text("password=hunter22, mail bob@example.org, max_tokens=4096")
    'password=[redacted], mail [email], max_tokens=4096'
    >>> redact_text("GET https://api.example.org/v1?user=17&page=2")
    'GET https://api.example.org/v1?user=[redacted]&page=[redacted]'
    """
    lowered = text.lower()
    for pattern in PATTERNS:
        if any(hint in lowered for hint in pattern.hints):
            text = pattern.apply(text)
    return text


_SECRET_WORDS = frozenset(
    (
        "password", "passwords", "passwd", "passphrase", "pwd", "secret", "secrets", "credential", "credentials",
        "authorization", "cookie", "cookies", "dsn", "ssn", "apikey", "privatekey", "accesskey", "token",
    )
)  # fmt: skip
_SECRET_PAIRS = frozenset(
    (owner, "key") for owner in ("api", "private", "access", "signing", "encryption", "secret", "account")
)
_COUNTS = frozenset(
    (
        "count", "counts", "length", "len", "size", "used", "limit", "left", "total", "budget", "age", "expiry",
        "expires", "per", "max", "min", "ms", "s",
    )
)  # fmt: skip
_CAMEL = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+")


def is_secret_key(name: str) -> bool:
    """Say whether a column, field or header of this name holds a secret.

    Looks at the words of the name, in any case and with any separator; counters are never secret.

    >>> [is_secret_key(name) for name in ("X-Api-Key", "openaiApiKey", "refresh_token", "max_tokens", "token_count")]
    [True, True, True, False, False]
    """
    words = [word.lower() for word in _CAMEL.findall(name)]
    if not words or words[-1] in _COUNTS or (words[-1] == "token" and set(words) & _COUNTS):
        return False
    return bool(_SECRET_WORDS & set(words)) or any(pair in _SECRET_PAIRS for pair in pairwise(words))
