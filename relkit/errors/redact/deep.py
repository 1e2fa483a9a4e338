"""Secrets and people out of a whole record, however deep: what is not understood is replaced, never passed on.

A value goes by the name it stands under, then by what it is. Under a secret name all of it goes, under the name of an
identity it becomes a pseudonym, of headers those known to be harmless stay, of a query the names. Texts go through
`redact_text`. Too deep, too many, too long, a cycle or an object of unknown make: a mark in brackets says so.
"""

import dataclasses
import enum
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from datetime import date, time, timedelta, tzinfo
from decimal import Decimal
from fractions import Fraction
from functools import lru_cache
from pathlib import PurePath
from typing import Any, Final
from uuid import UUID

from relkit.errors.redact.keys import Meaning, is_allowed_header, meaning_of
from relkit.errors.redact.pseudonyms import process_key, pseudonym
from relkit.errors.redact.text import redact_text

DEPTH: Final = 16
ITEMS: Final = 1_000
NODES: Final = 20_000
CHARACTERS: Final = 100_000
NAME_CHARACTERS: Final = 200
REDACTED: Final = "[redacted]"
TOO_DEEP: Final = "[too deep]"
TOO_MANY: Final = "[too many]"
CYCLE: Final = "[cycle]"
UNREADABLE: Final = "[unreadable]"
_MARK: Final = re.compile(r"\[[a-z: ]+\]")
_PARAMETERS: Final = re.compile(r"([^=&\s]{1,128}=)[^&]*")
_UNMEASURED = (bool, type(None), float, complex, date, time, timedelta, tzinfo, UUID, Decimal, Fraction)


@dataclasses.dataclass(frozen=True, slots=True)
class RedactedError:
    """What may be kept of an exception.

    Parameters
    ----------
    exception_type : str
        Class name.
    message : str
        Its text; empty where its arguments are all of it.
    args : tuple
        Its arguments.
    notes : tuple of str
        What `add_note` added.
    cause : RedactedError or None
        The exception it was raised from, or while handling.
    exceptions : tuple of RedactedError
        Members, of a group.
    """

    exception_type: str
    message: str
    args: tuple[Any, ...] = ()
    notes: tuple[Any, ...] = ()
    cause: Any = None
    exceptions: tuple[Any, ...] = ()


def redact(value: Any, *, key: bytes | None = None, addresses: bool = False) -> Any:
    """Return a copy of a record without secrets, and with pseudonyms for people; never raises, whatever it is given.

    Doing it twice changes nothing. Counters such as max_tokens stay.

    Parameters
    ----------
    value : object
        Text, bytes, number, mapping, list, tuple, set, dataclass, exception, or any nest of them.
    key : bytes, optional
        Key of the data set's pseudonyms. Default: one of this process, so that joins hold within it and not beyond.
    addresses : bool
        Whether IPv4 addresses in texts go too.

    Returns
    -------
    object
        Of the same make: dict for a mapping, list, tuple, set, the same dataclass, `RedactedError` for an exception, and a
        mark in brackets such as `[Socket]` for what is none of these.

    Examples
    --------
    >>> redact({"openaiApiKey": "abc", "max_tokens": 4096, "note": ["mail bob@example.org"]})
    {'openaiApiKey': '[redacted]', 'max_tokens': 4096, 'note': ['mail [email]']}
    >>> redact({"headers": {"Retry-After": "3", "X-Custom": "abc"}, "url": "https://example.org/a?user=17"})
    {'headers': {'Retry-After': '3', 'X-Custom': '[redacted]'}, 'url': 'https://example.org/a?user=[redacted]'}
    """
    if type(value) is str and len(value) <= CHARACTERS:
        return redact_text(value, addresses=addresses)
    return _Walk(process_key() if key is None else key, addresses=addresses).whole(value)


class _Walk:
    """One walk through a record: counts what it has seen, and knows where it came through."""

    def __init__(self, key: bytes, *, addresses: bool) -> None:
        self._key = key
        self._addresses = addresses
        self._left = NODES
        self._path: list[int] = []

    def whole(self, value: Any) -> Any:
        """Redact a value that stands under no name."""
        try:
            return self._value(value)
        except Exception:  # noqa: BLE001 - a stranger's object may raise anything; an error path that raises hides the error
            return UNREADABLE

    def _value(self, value: Any) -> Any:  # noqa: PLR0911 - one line for each make
        self._left -= 1
        if self._left < 0:
            return TOO_MANY
        if isinstance(value, enum.Enum):
            return value if self.whole(value.value) == value.value else REDACTED
        if isinstance(value, _UNMEASURED):
            return value
        if isinstance(value, int):
            return self._int(value)
        if isinstance(value, str):
            return self._text(value)
        if isinstance(value, (bytes, bytearray, memoryview)):
            return self._bytes(value)
        if isinstance(value, PurePath):
            text = str(value)
            clean = self._text(text)
            return value if clean == text else clean
        if id(value) in self._path:
            return CYCLE
        if len(self._path) >= DEPTH:
            return TOO_DEEP
        self._path.append(id(value))
        try:
            return self._container(value)
        finally:
            self._path.pop()

    def _container(self, value: Any) -> Any:  # noqa: PLR0911 - see _value
        if isinstance(value, Mapping):
            return self._mapping(value.items())
        if isinstance(value, tuple):
            return self._tuple(value)
        if isinstance(value, AbstractSet):
            return self._set(value)
        if isinstance(value, Sequence) or type(value).__name__ == "deque":
            return self._items(value)
        if isinstance(value, BaseException):
            return self._fields(_kept_of(value))
        if dataclasses.is_dataclass(value) and not isinstance(value, type):
            return self._fields(value)
        return f"[{redact_text(type(value).__name__)}]"

    def _int(self, value: int) -> Any:
        # 19 digits are the longest card; a number of a million digits would take long to spell
        if abs(value) < 10**12 or abs(value) >= 10**19:
            return value
        text = str(value)
        clean = redact_text(text)
        return value if clean == text else clean

    def _text(self, value: str) -> str:
        text = str.__str__(value)
        if len(text) > CHARACTERS:
            return f"[text of {len(text)} characters]"
        return redact_text(text, addresses=self._addresses)

    def _bytes(self, value: bytes | bytearray | memoryview) -> Any:
        raw = bytes(value)
        if len(raw) > CHARACTERS:
            return f"[{len(raw)} bytes]".encode()
        # as Latin-1 every byte is one letter and comes back as it was; UTF-16 hides ASCII behind NULs
        text = raw.decode("latin-1")
        clean = self._text(text)
        if clean == text and "\0" in text and self._text(text.replace("\0", "")) != text.replace("\0", ""):
            return REDACTED.encode()
        return raw if clean == text else clean.encode("latin-1")

    def _mapping(self, items: Iterable[tuple[Any, Any]]) -> dict[Any, Any]:
        found: dict[Any, Any] = {}
        pairs = _first(items)
        said = {_name(name): value for name, value in pairs.kept if name in _NAMED}
        for name, value in pairs.kept:
            under = _name(name)
            clean_name = _distinct(self._key_of(name), found)
            if under == "value" and (told := said.get("name", said.get("key", said.get("header")))) is not None:
                under = _name(told)  # {"name": "Authorization", "value": ...}
            found[clean_name] = self._under(under, value)
        if pairs.is_cut:
            found[_distinct(TOO_MANY, found)] = TOO_MANY
        return found

    def _key_of(self, name: Any) -> Any:
        if isinstance(name, (str, bytes, int, tuple, frozenset)):
            clean = self.whole(name)
            return clean if isinstance(clean, (str, bytes, int, tuple, frozenset)) else UNREADABLE
        return name if isinstance(name, (*_UNMEASURED, enum.Enum)) else f"[{type(name).__name__}]"

    def _under(self, name: str, value: Any) -> Any:
        """Redact a value that stands under a name; it can raise nothing."""
        try:
            return self._named(name, value)
        except Exception:  # noqa: BLE001 - see whole
            return UNREADABLE

    def _named(self, name: str, value: Any) -> Any:
        if not name or value is None or isinstance(value, bool):
            return self._value(value)
        meaning = meaning_of(name)
        if meaning is Meaning.SECRET:
            return REDACTED.encode() if isinstance(value, bytes) else REDACTED
        if meaning is Meaning.HEADERS and not isinstance(value, (str, bytes, int, float)):
            return self._headers(value)
        if meaning is Meaning.IDENTITY and isinstance(value, (str, int, bytes, UUID)):
            return self._identity(value)
        if meaning is Meaning.QUERY:
            return self._query(value)
        return self._value(value)

    def _identity(self, value: Any) -> Any:
        if isinstance(value, bytes):
            return pseudonym(value.decode("latin-1"), self._key).encode()
        text = str(value)
        # a mark that replaced something is no identity, and nothing is nobody
        return text if text in {"", REDACTED, TOO_MANY, UNREADABLE} else pseudonym(text, self._key)

    def _headers(self, value: Any) -> Any:
        def kept(name: Any, held: Any) -> Any:
            if held is None or is_allowed_header(_name(name)):
                return self.whole(held)
            return REDACTED.encode() if isinstance(held, bytes) else REDACTED

        if isinstance(value, Mapping):
            return {self._key_of(name): kept(name, held) for name, held in _first(value.items()).kept}
        if isinstance(value, Sequence) and all(isinstance(pair, (tuple, list)) and len(pair) == 2 for pair in value):
            return [(self._key_of(pair[0]), kept(*pair)) for pair in _first(value).kept]
        return REDACTED

    def _query(self, value: Any) -> Any:
        if isinstance(value, Mapping):
            return {self._key_of(name): REDACTED for name, _ in _first(value.items()).kept}
        if isinstance(value, str) and re.fullmatch(r"[^=&\s]{1,128}=\S*", value):
            return _PARAMETERS.sub(rf"\1{REDACTED}", value[:CHARACTERS])
        return self._value(value)

    def _tuple(self, value: tuple[Any, ...]) -> Any:
        names = getattr(type(value), "_fields", None)
        if isinstance(names, tuple) and len(names) == len(value):
            clean = [self._under(_name(name), item) for name, item in zip(names, value, strict=True)]
            return type(value)._make(clean)  # type: ignore[attr-defined]  # a named tuple has it
        if len(value) == 2 and isinstance(value[0], (str, bytes)):  # a pair of name and value, as headers often come
            return (self.whole(value[0]), self._under(_name(value[0]), value[1]))
        return tuple(self._items(value))

    def _items(self, values: Iterable[Any]) -> list[Any]:
        held = _first(values)
        return [*map(self.whole, held.kept), *([TOO_MANY] if held.is_cut else [])]

    def _set(self, values: AbstractSet[Any]) -> Any:
        held = _first(values)
        clean = {_hashable(self.whole(item)) for item in held.kept} | ({TOO_MANY} if held.is_cut else set())
        return frozenset(clean) if isinstance(values, frozenset) else clean

    def _fields(self, record: Any) -> Any:
        """Fill a record of the same class without asking its constructor, which may check or compute."""
        clean = {
            field.name: self._under(field.name, _attribute(record, field.name)) for field in dataclasses.fields(record)
        }
        try:
            copy = object.__new__(type(record))
            for name, held in clean.items():
                object.__setattr__(copy, name, held)
        except Exception:  # noqa: BLE001 - see whole
            return clean
        return copy


_NAMED: Final = frozenset({"name", "key", "header"})


@dataclasses.dataclass(frozen=True, slots=True)
class _First:
    kept: list[Any]
    is_cut: bool


def _first(values: Iterable[Any]) -> _First:
    """Take the first items, of too many one less than fit, so that the mark for the others makes as many."""
    kept: list[Any] = []
    for value in values:
        if len(kept) == ITEMS:
            return _First(kept[: ITEMS - 1], is_cut=True)
        kept.append(value)
    return _First(kept, is_cut=False)


def _kept_of(error: BaseException) -> RedactedError:
    """Take out of an exception what is worth keeping, as it is."""
    notes = _attribute(error, "__notes__", ())
    members = _attribute(error, "exceptions", ())
    cause = error.__cause__
    if cause is None and not error.__suppress_context__:
        cause = error.__context__
    # several arguments make up the text themselves, each spelt in quotes that would hide what is in it
    composed = len(error.args) > 1 and type(error).__str__ is BaseException.__str__
    return RedactedError(
        type(error).__name__,
        "" if composed else _read(lambda: str(error)),
        error.args,
        tuple(notes) if isinstance(notes, (list, tuple)) else (),
        cause,
        tuple(members) if isinstance(members, (list, tuple)) else (),
    )


def _read(what: Callable[[], Any]) -> Any:
    try:
        return what()
    except Exception:  # noqa: BLE001 - see _Walk.whole
        return UNREADABLE


def _attribute(record: Any, name: str, default: Any = UNREADABLE) -> Any:
    try:
        return getattr(record, name, default)
    except Exception:  # noqa: BLE001 - see _Walk.whole
        return default


def _name(name: Any) -> str:
    """Return what a name says: without the marks that stand for secrets in it, which say nothing about its value."""
    if isinstance(name, bytes):
        name = name[:NAME_CHARACTERS].decode("latin-1")
    if not isinstance(name, str) or len(name) > NAME_CHARACTERS:
        return ""
    return _said(str.__str__(name))


@lru_cache(maxsize=4_096)
def _said(name: str) -> str:
    return _MARK.sub("", redact_text(name))


def _distinct(name: Any, taken: Mapping[Any, Any]) -> Any:
    """Two names that became one, as two addresses do, stay two entries."""
    if name not in taken:
        return name
    return next(told for number in range(2, 2 * ITEMS) if (told := f"{name} {number}") not in taken)


def _hashable(value: Any) -> Any:
    try:
        hash(value)
    except TypeError:
        return UNREADABLE
    return value
