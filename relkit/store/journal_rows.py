"""From lines of a journal to rows: which table, which columns, and what makes a line no row.

Every text is redacted once more: a file may have been written by somebody else, or edited.
"""

import hashlib
import json
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any, Final

from relkit.errors import ErrorKind, fingerprint, read_signals, redact_text
from relkit.errors.signals import BLANKS, SIGNAL_FIELDS
from relkit.policies.rollout import ROLLOUT_STATES
from relkit.store.ingest.rejects import RAW_KEPT
from relkit.store.ingest.targets import TARGETS, WORDS, Form
from relkit.store.landing import TEXT_KEPT
from relkit.store.pair_bodies import LONGEST as BODY_KEPT

_RENAMED: Final = {"request_id": "request", "session_id": "session", "service": "upstream"}
_IDS: Final = frozenset({"request_id", "session_id", "pair_id"})
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)
_LARGEST: Final = 2**63 - 1
_LARGEST_COUNT: Final = 2**31 - 1
_REMEMBERED: Final = 64
_KINDS: Final = frozenset(kind.value for kind in ErrorKind)


class NoRowError(Exception):
    """Why a line is no row."""


@dataclass(frozen=True, slots=True)
class Row:
    """One row on its way.

    Parameters
    ----------
    table : str
        attempts, transitions, probes, pairs or rollouts.
    cells : dict of str to object
        By column; what the line does not say is absent. An attempt's signals stand here too, with `fp`.
    line_hash : int
        First half of the line's MD5: by it a row is known again.
    bodies : tuple of str, or None
        What primary and shadow said, of a pair that tells.
    """

    table: str
    cells: dict[str, Any]
    line_hash: int
    bodies: tuple[str, str] | None = None


def read_row(line: bytes) -> Row | None:
    """Read one line of a journal; None for a line that is no row of a table, such as the application's own.

    Parameters
    ----------
    line : bytes
        Without its end.

    Raises
    ------
    NoRowError
        It is no JSON object, lacks what a row needs, or holds what cannot be.

    Examples
    --------
    >>> row = read_row(b'{"event":"probe","ts":"2026-11-18T11:06:40.000001Z","upstream":"chat","up":true}')
    >>> row.table, row.cells
    ('probes', {'ts': 1795000000000001, 'service': 'chat', 'up': True})
    """
    said = _object(line)
    event = said.get("event")
    form = _FORMS.get(event) if isinstance(event, str) else None
    if form is None:
        return None
    values: dict[str, Any] = {"ts": moment_us(said.get("ts"))}
    for column, read in form.columns.items():
        value = said.get(_RENAMED.get(column, column))
        if value is not None:
            values[column] = read(column, value)
    for column in form.needed:
        if column not in values:
            raise NoRowError(f"has no {_RENAMED.get(column, column)}")
    if form.table == "attempts":
        _add_signals(values, said)
    return Row(form.table, values, line_hash(line), _bodies(said) if form.table == "pairs" else None)


def service_of(line: bytes) -> str:
    """Return the application that wrote a line: the source of its rows.

    Raises
    ------
    NoRowError
        It names none.
    """
    service = _object(line).get("service")
    if not isinstance(service, str) or not service:
        raise NoRowError("names no service")
    return clean(service, 200)


def line_hash(line: bytes) -> int:
    """Return the number by which a line is known again: the first half of its MD5, little-endian, as in the store's SQL."""
    return int.from_bytes(hashlib.md5(line, usedforsecurity=False).digest()[:8], "little")


def moment_us(text: object) -> int:
    """Read an ISO 8601 moment with its zone as microseconds since 1970 UTC.

    >>> moment_us("2026-11-18T11:06:40.000001Z")
    1795000000000001

    Raises
    ------
    NoRowError
        It is none.
    """
    try:
        at = datetime.fromisoformat(str(text))
        return (at - _EPOCH) // _MICROSECOND
    except (ValueError, TypeError, OverflowError):
        raise NoRowError("ts: is no ISO 8601 time with its zone") from None


def raw_text(line: bytes) -> str:
    """Return a line for the table of rejects: redacted, then cut."""
    return redact_text(line[: 8 * RAW_KEPT].decode("utf-8", "replace"))[:RAW_KEPT]


def clean(text: str, kept: int = TEXT_KEPT) -> str:
    """Redact and cap a text as the store does."""
    return _remembered(text, kept) if len(text) <= _REMEMBERED else _clean(text, kept)


def _clean(text: str, kept: int) -> str:
    bare = redact_text(text.replace("\0", "").encode("utf-8", "replace").decode()).strip(BLANKS)
    return bare if len(bare) <= kept else f"{bare[: kept - 1]}…"


_remembered = lru_cache(maxsize=4_096)(_clean)


def _object(line: bytes) -> dict[str, Any]:
    try:
        said = json.loads(line)
    except (ValueError, RecursionError):
        raise NoRowError("is no JSON: cut off, or not a line of the journal") from None
    if not isinstance(said, dict):
        raise NoRowError("is no JSON object")
    return said


def _text(column: str, value: object) -> str | None:
    if not isinstance(value, str):
        raise NoRowError(f"{column}: is no text")
    if column in WORDS and value not in WORDS[column]:
        raise NoRowError(f"{column}: is none of {', '.join(WORDS[column])}")
    bare = clean(value)
    if column in _IDS and bare != value.strip(BLANKS):
        raise NoRowError(f"{column}: holds what must be hidden; a journal writes a pseudonym there")
    return bare or None


def _integer(column: str, value: object) -> int:
    most = _LARGEST_COUNT if column in {"attempt", "turn", "step"} else _LARGEST
    least = -1 if column == "step" else 1 if column in {"attempt", "turn"} else 0
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
        raise NoRowError(f"{column}: is no whole number of at least {least}")
    return value


def _boolean(column: str, value: object) -> bool:
    if not isinstance(value, bool):
        raise NoRowError(f"{column}: is neither true nor false")
    return value


def _status(column: str, value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 100 <= value <= 599:
        raise NoRowError(f"{column}: is no HTTP status")
    return value


def _share(column: str, value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not (math.isfinite(value) and 0 <= value <= 1):
        raise NoRowError(f"{column}: is no share in [0, 1]")
    return float(value)


def _rollout_state(column: str, value: object) -> str:
    if value not in ROLLOUT_STATES:
        raise NoRowError(f"{column}: is none of {', '.join(ROLLOUT_STATES)}")
    return str(value)


Read = Callable[[str, Any], Any]
_READERS: Final[dict[Form, Read]] = {
    "text": _text, "integer": _integer, "span": _integer, "money": _integer, "boolean": _boolean, "status": _status,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Form:
    table: str
    columns: Mapping[str, Read]
    needed: tuple[str, ...]


def _of_target(name: str, *needed: str) -> _Form:
    target = TARGETS[name]
    columns = {
        column: _READERS[form]
        for column, form in target.columns.items()
        if column == "status" or column not in SIGNAL_FIELDS
    }
    return _Form(target.table, columns, needed)


_FORMS: Final = {
    "attempt": _of_target("attempts", "request_id", "attempt"),
    "pair": _of_target("pairs", "pair_id", "experiment", "state"),
    "probe": _of_target("probes", "service", "up"),
    "transition": _Form(
        "transitions",
        dict.fromkeys(("service", "model", "from_state", "to_state", "reason"), _text),
        ("service", "from_state", "to_state"),
    ),
    "rollout": _Form(
        "rollouts",
        {"experiment": _text, "state": _rollout_state, "step": _integer, "share": _share, "reason": _text},
        ("experiment", "state"),
    ),
}


def _add_signals(values: dict[str, Any], said: Mapping[str, Any]) -> None:
    """Add what a classifier reads, and the fingerprint, to an attempt that failed."""
    values.setdefault("granularity", "attempt")
    if values.get("ok") is not False:
        return
    told = said.get("signals")
    signals = {name: told.get(name) for name in SIGNAL_FIELDS} if isinstance(told, dict) else {}
    signals["status"] = values.get("status", signals.get("status"))
    kind = said.get("kind")
    if kind is not None and not isinstance(kind, str):
        raise NoRowError("kind: is no text")
    if kind in _KINDS and not any(value is not None for value in signals.values()):
        signals["code"] = kind  # an error of our own making, such as a breaker that said no, is known by its kind alone
    read = read_signals(signals)
    values |= {name: value for name in SIGNAL_FIELDS if (value := getattr(read, name)) is not None}
    values["fp"] = fingerprint(read)


def _bodies(said: Mapping[str, Any]) -> tuple[str, str] | None:
    bodies = [said.get(name) for name in ("primary_body", "shadow_body")]
    if not any(isinstance(body, str) for body in bodies):
        return None
    first, second = (clean(body, BODY_KEPT) if isinstance(body, str) else "" for body in bodies)
    return first, second
