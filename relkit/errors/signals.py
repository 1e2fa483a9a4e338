r"""The signals of an error: nine flat fields, and the fingerprint that groups equal ones.

A classifier that reads fields instead of exception objects works on a log as well as on a live call, needs none of the
libraries that raised, and can be compiled to SQL. The cleaning here is therefore written so that SQL can follow step by
step:

message
    text without NUL, first 4,000 characters, `redact_text`, every run of `[0-9]+` becomes `#`, trimmed of
    ` \t\r\n\f\v`, and above 500 characters the first 499 and `…`.
the other texts
    text without NUL, first 4,000 characters, `redact_text`, trimmed, above 200 characters the first 199 and `…`;
    `exception_type` first keeps only what follows its last dot; in front of it stays the library where that is one of
    a few stores whose classes have the names of others ("redis.ConnectionError" is a cache, "ConnectionError" is not).
status, errno
    the whole number the value is or spells, in 100..599 or in 32 bits; else nothing.

Empty texts are nothing.
"""

import hashlib
import math
import re
from collections.abc import Mapping
from dataclasses import astuple, dataclass, fields
from functools import lru_cache
from typing import Final

from relkit.errors.redact import redact_text

READ_CHARACTERS: Final = 4_000
MESSAGE_CHARACTERS: Final = 500
NAME_CHARACTERS: Final = 200
BLANKS: Final = " \t\r\n\f\v"
KEPT_LIBRARY: Final = r"^_?(redis|duckdb|psycopg_pool|tarfile|shutil|struct|csv|zlib|re|copy)[.]([^\x00]*[.])?([^.]*)$"
_NO_TEXT: Final = ("<NA>", "NaT")  # pandas' marks for "nothing", known here by their text alone
KEPT_AS: Final = r"\1.\3"
_KEPT_LIBRARY = re.compile(KEPT_LIBRARY)
_DIGITS = re.compile("[0-9]+")
_WHOLE = re.compile(r"[+-]?[0-9]{1,15}(?:\.0{0,9})?", re.ASCII)


@dataclass(frozen=True, slots=True)
class Signals:
    """What a classifier may look at; None is "not seen".

    Parameters
    ----------
    exception_type : str or None
        Class name without its module; of a few stores with the library ("redis.ConnectionError").
    status : int or None
        HTTP status, 100 to 599.
    code : str or None
        Error code of the body or the service, or of the operating system ("ECONNRESET").
    body_type : str or None
        Error type of the body ("overloaded_error").
    errno : int or None
        Number of the operating system.
    sqlstate : str or None
        Five characters of SQLSTATE.
    db_code : str or None
        Name or number of the database's own error ("SQLITE_BUSY").
    grpc_code : str or None
        Name of the gRPC status code.
    message : str or None
        Text, redacted, digits masked, at most 500 characters.

    Examples
    --------
    >>> Signals(status=429).message is None
    True
    """

    exception_type: str | None = None
    status: int | None = None
    code: str | None = None
    body_type: str | None = None
    errno: int | None = None
    sqlstate: str | None = None
    db_code: str | None = None
    grpc_code: str | None = None
    message: str | None = None


SIGNAL_FIELDS: Final[tuple[str, ...]] = tuple(field.name for field in fields(Signals))


def read_signals(row: Mapping[str, object]) -> Signals:
    """Read the signals of one row of a log; never raises.

    Parameters
    ----------
    row : mapping
        Any of the fields of `Signals`, as text, numbers, bytes or None; missing keys, NaN and other values that say
        nothing become None. Further keys are not read.

    Returns
    -------
    Signals
        Cleaned as the text of this module says.

    Examples
    --------
    >>> read_signals({"exception_type": "httpx.ReadTimeout", "status": "429", "message": "retry in 20 s"})
    Signals(exception_type='ReadTimeout', status=429, ..., message='retry in # s')
    """
    return Signals(
        exception_type=_name(_get(row, "exception_type"), last_part=True),
        status=_whole(_get(row, "status"), 100, 599),
        code=_name(_get(row, "code")),
        body_type=_name(_get(row, "body_type")),
        errno=_whole(_get(row, "errno"), -(2**31), 2**31 - 1),
        sqlstate=_name(_get(row, "sqlstate")),
        db_code=_name(_get(row, "db_code")),
        grpc_code=_name(_get(row, "grpc_code")),
        message=clean_message(_text(_get(row, "message"))),
    )


def fingerprint(signals: Signals) -> int:
    r"""Return the 64-bit number under which equal errors are counted together.

    It is the first half of the MD5 of all fields in order, joined by `\x1f`, read as a little-endian number: what
    DuckDB calls `md5_number_upper`.

    >>> fingerprint(Signals(status=429)) == fingerprint(read_signals({"status": 429.0}))
    True
    """
    joined = "\x1f".join("" if value is None else str(value) for value in astuple(signals))
    digest = hashlib.md5(joined.encode("utf-8", "replace"), usedforsecurity=False).digest()
    return int.from_bytes(digest[:8], "little")


def clean_message(text: str | None) -> str | None:
    """Redact, mask digits and cap a message, so that equal errors have equal texts.

    >>> clean_message("Limit 6000, requested 6294")
    'Limit #, requested #'
    """
    if text is None:
        return None
    masked = _DIGITS.sub("#", redact_text(text.replace("\0", "")[:READ_CHARACTERS], numbers=False))
    return _capped(masked, MESSAGE_CHARACTERS)


def class_name(qualified: str) -> str:
    """Return a class name without its module; of a few stores with the library.

    >>> class_name("openai.error.APIError"), class_name("redis.exceptions.ConnectionError")
    ('APIError', 'redis.ConnectionError')
    """
    kept = _KEPT_LIBRARY.match(qualified)
    return kept.expand(KEPT_AS) if kept else qualified.rpartition(".")[2]


def _name(value: object, *, last_part: bool = False) -> str | None:
    if value is None:
        return None
    text = _text(value)
    if text is None:
        return None
    # Names and codes are few and come again and again, sentences in their place do not.
    return _remembered_name(text, last_part) if len(text) <= NAME_CHARACTERS else _read_name(text, last_part)


def _read_name(text: str, last_part: bool) -> str | None:
    text = text.replace("\0", "")[:READ_CHARACTERS]
    if last_part:
        text = class_name(redact_text(text))  # first: of a secret with dots the last part would not be known for one
    return _capped(redact_text(text), NAME_CHARACTERS)


_remembered_name = lru_cache(maxsize=4_096)(_read_name)


def _capped(text: str, limit: int) -> str | None:
    text = text.strip(BLANKS)
    if not text:
        return None
    return text if len(text) <= limit else text[: limit - 1] + "…"


def _get(row: Mapping[str, object], key: str) -> object:
    try:
        return row.get(key)
    except Exception:  # noqa: BLE001 - rows are strangers; an error path that raises hides the error
        return None


def _plain(value: object) -> object:
    """Unwrap numpy scalars and the like, which carry `item()`, without importing numpy."""
    if value is None or isinstance(value, (str, bytes, bytearray, int, float)):
        return value
    item = getattr(value, "item", None)
    return item() if callable(item) else value


def _text(value: object) -> str | None:
    """Return the value as text that UTF-8 can hold, or None where it says nothing."""
    if type(value) is str and value.isascii() and value not in _NO_TEXT:
        return value
    try:
        value = _plain(value)
        if value is None or isinstance(value, bool) or (isinstance(value, float) and math.isnan(value)):
            return None
        if isinstance(value, float):
            # A column of whole numbers with gaps arrives as floats: 402.0 is the code 402.
            return str(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)
        if isinstance(value, (bytes, bytearray)):
            value = bytes(value).decode("utf-8", "replace")
        text = str(value)
    except Exception:  # noqa: BLE001 - see _get
        return None
    return None if text in _NO_TEXT else text.encode("utf-8", "replace").decode("utf-8")


def _whole(value: object, low: int, high: int) -> int | None:
    if value is None:
        return None
    if type(value) is int:
        return value if low <= value <= high else None
    text = _text(value)
    if text is None or not _WHOLE.fullmatch(text.strip(BLANKS)):
        return None
    number = int(text.strip(BLANKS).partition(".")[0])
    return number if low <= number <= high else None
