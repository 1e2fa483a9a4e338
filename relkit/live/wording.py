"""Texts as they may be written: redacted, capped, and such as UTF-8 can hold."""

from functools import lru_cache
from typing import Final

from relkit.errors.redact import redact_text

TEXT_KEPT: Final = 1_000
_READ: Final = 100_000
_REMEMBERED: Final = 64


def clean_text(text: str, kept: int = TEXT_KEPT) -> str:
    """Redact a text and cap it; cut only afterwards, because half a secret would not be known for one.

    >>> clean_text("password=hunter22, " + "x" * 50, 24)
    'password=[redacted], xx…'
    """
    return _short(text, kept) if len(text) <= _REMEMBERED else _clean(text, kept)


def _clean(text: str, kept: int) -> str:
    if len(text) > _READ:
        return f"[text of {len(text)} characters]"
    clean = whole_letters(redact_text(text))
    return clean if len(clean) <= kept else f"{clean[: kept - 1]}…"


# names of services and models, states and kinds come over and over
_short = lru_cache(maxsize=4_096)(_clean)


def whole_letters(text: str) -> str:
    """Replace halves of letters, which no UTF-8 can hold."""
    return text if text.isascii() else text.encode("utf-8", "replace").decode()
