"""From a line to the bytes that are written: everything in it redacted, and one JSON object on one line of ASCII.

Nothing raises here, whatever a caller put into a line: who writes a journal has enough to do with what it tells of.
"""

import json
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields, is_dataclass
from typing import Any, Final

from relkit.errors.redact import pseudonym, redact, redact_text
from relkit.live.lines import ASKED_FOR, RESERVED, Line, stamp
from relkit.live.wording import TEXT_KEPT, clean_text, whole_letters

BODY_KEPT: Final = 2_000
ID_KEPT: Final = 200
LINE_KEPT: Final = 64 << 10
UNWRITABLE: Final = "[a line that could not be written]"
_BODIES: Final = frozenset({"primary_body", "shadow_body"})
_IDS: Final = frozenset({"request", "pair_id"})
_PEOPLE: Final = frozenset({"session", "user"})
# longer whole numbers may be those of cards
_SMALL: Final = 10**12


@dataclass(frozen=True, slots=True)
class Origin:
    """Who writes.

    Parameters
    ----------
    service, environment, version : str or None
        The application, such as booking, production, 1.4.2; redacted.
    key : bytes
        Of the pseudonyms.
    """

    service: str
    environment: str | None
    version: str | None
    key: bytes


def inked(line: Line, origin: Origin, bound: Mapping[str, Any], seq: int) -> bytes:
    r"""Write a line as redacted JSON, its end included.

    Parameters
    ----------
    line : Line
        What is said.
    origin : Origin
        Who says it.
    bound : mapping
        What was bound when it was said; request, session and user are read, and an explicit value of the line wins.
    seq : int
        Running number within the journal; a gap is a line that was dropped.

    Examples
    --------
    >>> line = Line("log", 0, "info", "password=hunter22", {"session": "jane", "level": "x", "n": math.inf})
    >>> inked(line, Origin("booking", None, None, b"k" * 32), {"request": "r1", "session": "joe"}, 1)
    b'{"event":"log","ts":"1970-01-01T00:00:00.000000Z","level":"info","message":"password=[redacted]",...
    """
    try:
        text = _json(_record(line, origin, bound, seq))
        if len(text) > LINE_KEPT:
            short = Line(line.event, line.at_us, line.level, line.message, {"left_out": f"{len(text)} characters"})
            text = _json(_record(short, origin, bound, seq))
    except Exception:  # noqa: BLE001 - a stranger's value; the line that says so is better than none
        text = _json(
            {
                "event": "log",
                "ts": stamp(0),
                "level": "error",
                "message": UNWRITABLE,
                "service": origin.service,
                "seq": seq,
            }
        )
    return text.encode() + b"\n"


def _record(line: Line, origin: Origin, bound: Mapping[str, Any], seq: int) -> dict[str, Any]:
    asked = {name: _asked(name, line.fields.get(name), bound.get(name), origin.key) for name in ASKED_FOR}
    record = {
        "event": line.event,
        "ts": stamp(line.at_us),
        "level": line.level,
        "message": clean_text(line.message, TEXT_KEPT),
        "service": origin.service,
        "environment": origin.environment,
        "version": origin.version,
        **asked,
        "seq": seq,
    }
    for name, value in line.fields.items():
        if name not in ASKED_FOR:
            record[unreserved(name, record)] = _value(name, value, origin.key)
    return record


def unreserved(name: str, taken: Iterable[str] = ()) -> str:
    """Return the name under which a caller's field is written: its own, or one that no reserved name has.

    >>> unreserved("room"), unreserved("level"), unreserved("level", {"field_level"})
    ('room', 'field_level', 'field_field_level')
    """
    while name in RESERVED or name in taken:
        name = f"field_{name}"
    return name


def _asked(name: str, explicit: Any, bound: Any, key: bytes) -> Any:
    value = bound if explicit is None or explicit == "" else explicit
    if value is None or value == "":
        return None
    return pseudonym(_spelt(value), key) if name in _PEOPLE else _id(value, key)


def _spelt(value: Any) -> str:
    return whole_letters(value if isinstance(value, str) else str(value))


def _id(value: Any, key: bytes) -> str:
    """An id stays as it is where redaction changes nothing, else its pseudonym stands for it: two people stay two."""
    text = _spelt(value)
    return text if len(text) <= ID_KEPT and redact_text(text) == text else pseudonym(text, key)


def _value(name: str, value: Any, key: bytes) -> Any:
    kind = type(value)
    if value is None or kind is bool or (kind is int and -_SMALL < value < _SMALL):
        return value
    if kind is float:
        return value if math.isfinite(value) else None
    if kind is str:
        if name in _IDS:
            return _id(value, key)
        return clean_text(value, BODY_KEPT if name in _BODIES else TEXT_KEPT)
    return next(iter(plain(redact({name: value}, key=key)).values()))


def plain(value: Any) -> Any:  # noqa: PLR0911  one line for each make
    """Turn a redacted value into what JSON has, names of fields included; no NaN and no infinity."""
    if value is None or isinstance(value, (bool, int)):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, str):
        return whole_letters(str.__str__(value))
    if isinstance(value, (bytes, bytearray)):
        return bytes(value).decode("latin-1")
    if isinstance(value, Mapping):
        return {str(plain(name)): plain(held) for name, held in value.items()}
    if is_dataclass(value) and not isinstance(value, type):
        return {field.name: plain(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, (list, tuple)):
        return [plain(held) for held in value]
    if isinstance(value, (set, frozenset)):
        return sorted((plain(held) for held in value), key=repr)
    return clean_text(_spelt(value), TEXT_KEPT)


_json: Final = json.JSONEncoder(separators=(",", ":"), allow_nan=False).encode
