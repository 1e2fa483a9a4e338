"""What one exception says of itself, read by structure alone: no client library is imported, no class is asked for.

Names are those along the method resolution order; a status is the first value that converts to one; codes come from the
body, the attributes or the service's answer. Nothing is read that would touch the network, and nothing raises.
"""

import ftplib
import re
import socket
import ssl
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

from relkit.errors.kinds import ErrorKind
from relkit.errors.reading.bodies import Said, parsed, said
from relkit.errors.reading.guarded import ancestors, attribute, called, is_a, item, qualified_name, text_of, whole
from relkit.errors.reading.rich_status import HEADER, MAX_BYTES, details_of
from relkit.errors.signals import READ_CHARACTERS

HEADERS_READ: Final = 200
GRPC_CODES: Final = frozenset(
    {
        "CANCELLED", "UNKNOWN", "INVALID_ARGUMENT", "DEADLINE_EXCEEDED", "NOT_FOUND", "ALREADY_EXISTS",
        "PERMISSION_DENIED", "RESOURCE_EXHAUSTED", "FAILED_PRECONDITION", "ABORTED", "OUT_OF_RANGE", "UNIMPLEMENTED",
        "INTERNAL", "UNAVAILABLE", "DATA_LOSS", "UNAUTHENTICATED",
    }
)  # fmt: skip
# Libraries whose `code`, `errno` or first argument is the number of a database, never of HTTP or the system.
DATABASE_ROOTS: Final = frozenset(
    {
        "pymongo", "bson", "pymysql", "MySQLdb", "mysql", "aiomysql", "asyncmy", "mariadb", "psycopg", "psycopg2",
        "asyncpg", "sqlite3", "duckdb", "_duckdb", "sqlalchemy", "pyodbc", "oracledb", "cx_Oracle", "snowflake",
        "redis", "valkey",
    }
)  # fmt: skip
_NUMBERED_ROOTS: Final = frozenset({"pymysql", "MySQLdb", "aiomysql", "asyncmy", "mariadb"})
# An address may hold any word ("/rate_limit/timeout"), so none of it speaks for the error.
_ADDRESS = re.compile(r"(?:with url: |\bhttps?://)[^\s'\")>]*")
_TOO_MANY = re.compile(r"too many ([1-5][0-9]{2}) error responses")
_WANTED_HEADER = re.compile(rf"retry|ratelimit|^date$|^{HEADER}$", re.IGNORECASE)
_BASES: Final = (object, BaseException, Exception)


@dataclass(frozen=True, slots=True)
class Evidence:
    """What one exception says of itself.

    Parameters
    ----------
    names : tuple of str
        Qualified class names, most specific first, down to but without Exception and BaseException.
    above : tuple of tuple of int
        For each name the places of those it derives from.
    signals : mapping
        Raw signals by field of `Signals`, without exception_type; None is "not seen".
    headers : mapping
        The headers that matter here, names in lower case.
    body : object
        Parsed body of the answer, or None.
    text : str
        What the exception prints, addresses taken out, at most 4,000 characters.
    """

    names: tuple[str, ...]
    above: tuple[tuple[int, ...], ...]
    signals: Mapping[str, object]
    headers: Mapping[str, str]
    body: object
    text: str

    @property
    def has_facts(self) -> bool:
        """Whether anything but class and words speaks: a status, a code, an errno."""
        return any(value is not None for name, value in self.signals.items() if name != "message")


def evidence_of(error: BaseException) -> Evidence:
    """Read one exception, without its causes; never raises.

    Parameters
    ----------
    error : BaseException
        Any exception.

    Returns
    -------
    Evidence
        What it says of itself.

    Examples
    --------
    >>> evidence_of(ConnectionRefusedError(111, "Connection refused")).signals["errno"]
    111
    """
    family = _family(type(error))
    response = attribute(error, "response")
    if response is None:
        response = attribute(error, "resp") or attribute(error, "meta")
    aws = response if type(response) is dict else None
    text = _without_addresses(text_of(error, READ_CHARACTERS))
    signals: dict[str, object] = dict.fromkeys(
        ("status", "code", "body_type", "errno", "sqlstate", "db_code", "grpc_code", "message")
    )
    signals["status"] = _status(error, response, aws, text, database=family.of_database)
    headers = _headers(error, response, aws)
    body = _body(error, response, aws)
    if HEADER in headers:
        body = {"error": {"details": details_of(headers.pop(HEADER).encode("latin-1", "replace"))}}
    spoken = said(body)
    _codes(error, signals, spoken, text, database=family.of_database)
    _declared(error, signals)
    if family.of_database:
        _database(error, signals, family.roots)
    if family.of_system:
        number = whole(attribute(error, "errno"))
        # The resolver counts in a space of its own: below 0 on Linux, but among the system's numbers elsewhere.
        if number is not None and (number < 0 or not family.of_resolver):
            signals["errno"] = number
    if family.gives_up and response is None:
        text = ""  # it quotes what it gave up on, which is one of its causes and speaks for itself
    details = called(attribute(error, "details")) if signals["grpc_code"] else None
    signals["message"] = _message(text, spoken.message, details if type(details) is str else "")
    return Evidence(family.names, family.above, signals, headers, body, text)


@dataclass(frozen=True, slots=True)
class _Family:
    """What a class inherits; read once a class."""

    names: tuple[str, ...]
    above: tuple[tuple[int, ...], ...]
    roots: frozenset[str]
    of_database: bool
    of_system: bool
    of_resolver: bool
    gives_up: bool


def _family(cls: type) -> _Family:
    try:
        return _remembered_family(cls)
    except KeyboardInterrupt:
        raise
    except BaseException:  # noqa: BLE001 - a metaclass may refuse to be hashed
        return _read_family(cls)


def _read_family(cls: type) -> _Family:
    classes = [one for one in ancestors(cls) if not any(one is base for base in _BASES)]
    names = tuple(qualified_name(one) for one in classes)
    above = []
    for lower in classes:
        bases = ancestors(lower)[1:]
        above.append(tuple(n for n, one in enumerate(classes) if any(one is base for base in bases)))
    roots = frozenset(name.partition(".")[0] for name in names)
    return _Family(
        names,
        tuple(above),
        roots,
        of_database=bool(roots & DATABASE_ROOTS),
        of_system=issubclass(cls, OSError) and not issubclass(cls, ssl.SSLError),
        of_resolver=issubclass(cls, (socket.gaierror, socket.herror)),
        gives_up=any(name.endswith(".RetryError") for name in names),
    )


_remembered_family = lru_cache(maxsize=1_024)(_read_family)


def _status(error: object, response: Any, aws: Any, text: str, *, database: bool) -> int | None:
    """Return the first value that converts to 100..599."""
    for found in _status_values(error, response, aws, database=database):
        number = whole(called(found))
        if number is None and found is not None:  # an HTTPStatus in a callable's answer, or an enum of whole numbers
            number = whole(attribute(found, "value"))
        if number is not None and 100 <= number <= 599:
            return number
    told = _TOO_MANY.search(text)
    return int(told[1]) if told else None


def _status_values(error: object, response: Any, aws: Any, *, database: bool) -> Iterator[object]:
    yield attribute(error, "status_code")
    yield attribute(error, "status")
    if aws is not None:
        yield item(item(aws, "ResponseMetadata"), "HTTPStatusCode")
        yield item(aws, "status")
    elif response is not None:
        yield attribute(response, "status_code")
        yield attribute(response, "status")
    yield attribute(error, "http_status")
    if not database and is_a(error, Exception):
        number = whole(called(attribute(error, "code")))
        # A code below 400 is a count or an exit code.
        yield number if number is not None and number >= 400 else None


def _body(error: object, response: Any, aws: Any) -> object:
    """Return the parsed body; a body that is still on the wire stays there."""
    if aws is not None:
        return {"Error": found} if type(found := item(aws, "Error")) is dict else None
    body = attribute(error, "body")
    if body is not None:
        return parsed(called(body))
    for holder, name in ((response, "_content"), (response, "_body_bytes"), (error, "content")):
        content = attribute(holder, name) if holder is not None else None
        if type(content) in {bytes, str} and content:
            return parsed(content)
    return _rebuilt_body(error)


def _rebuilt_body(error: object) -> object:
    """Return a body out of what a library parsed and took apart."""
    odata = attribute(error, "error")  # azure-core
    if odata is not None and (code := attribute(odata, "code")) is not None:
        inner = attribute(odata, "innererror")
        return {"error": {"code": code, "message": attribute(odata, "message"), "innererror": inner}}
    wait_s = attribute(error, "retry_after")
    if type(wait_s) in {int, float}:  # bots' libraries keep the wait alone
        return {"retry_after": wait_s}
    for name in ("details", "errors"):  # google-api-core
        found = attribute(error, name)
        parts = [part for part in found if type(part) is dict] if type(found) is list else []
        if parts:
            return {"error": {"details": parts}}
    return None


def _codes(error: object, signals: dict[str, object], spoken: Said, text: str, *, database: bool) -> None:
    code = attribute(error, "code")
    grpc = _grpc_name(called(code)) or _grpc_name(attribute(error, "grpc_status_code"))
    signals["grpc_code"] = grpc
    own = [] if database else [_named(code), _named(attribute(error, "error_code")), _reply(error, text)]
    reason = attribute(error, "reason")
    if grpc or attribute(error, "grpc_status_code") is not None or attribute(error, "domain") is not None:
        own.append(_named(reason))  # elsewhere a reason is the phrase beside the status
    found = [each for each in (spoken.code, *own) if each]
    signals["code"] = found[0] if found else None
    kind = spoken.body_type or _named(attribute(error, "type"))
    signals["body_type"] = kind if kind is not None else next((each for each in found if each != found[0]), None)


def _named(value: object) -> str | None:
    """Return a code that is a word; numbers are statuses or none of our business."""
    return value if type(value) is str and value.strip() and not value.isdigit() else None


def _reply(error: object, text: str) -> str | None:
    """Return the reply of a mail or file server as a code: 4yz and 5yz mean there the reverse of what they mean in HTTP."""
    number = whole(attribute(error, "smtp_code"))
    if number is None and is_a(error, ftplib.Error):
        number = whole(text[:3])
    if number is None:
        refused = attribute(error, "recipients")  # smtplib: a reply for each address, here all alike or the first
        number = whole(item(next(iter(refused.values()), None), 0)) if type(refused) is dict else None
    return f"REPLY_{number}" if number is not None and 400 <= number <= 599 else None


def _grpc_name(value: object) -> str | None:
    name = attribute(value, "name")
    return name if type(name) is str and name in GRPC_CODES else None


def _declared(error: object, signals: dict[str, object]) -> None:
    """Believe an attribute that is the name of a kind."""
    for name in ("error_type", "kind", "error_kind"):
        value = attribute(error, name)
        if value is not None and (type(value) is str or type(value) is ErrorKind) and value in ErrorKind.__members__:
            signals["code"] = str(value)
            return


def _database(error: object, signals: dict[str, object], roots: frozenset[str]) -> None:
    state = attribute(error, "sqlstate") or attribute(error, "pgcode")
    arguments = attribute(error, "args")
    first = item(arguments, 0) if type(arguments) is tuple else None
    if "pyodbc" in roots and type(first) is str:
        state = first
    signals["sqlstate"] = state if type(state) is str else None
    number: object = attribute(error, "sqlite_errorname")
    if roots & _NUMBERED_ROOTS:
        number = whole(first)
    elif number is None and roots & {"mysql", "snowflake"}:
        number = whole(attribute(error, "errno"))
    elif number is None and roots & {"pymongo", "bson"}:
        name = item(attribute(error, "details"), "codeName")
        number = name if type(name) is str else whole(attribute(error, "code"))
    elif roots & {"oracledb", "cx_Oracle"}:
        number = attribute(first, "full_code")
    signals["db_code"] = number


def _message(text: str, spoken: str, details: str) -> str:
    """Return the sentence to judge by: the server's own words before what the library makes of them."""
    for words in (details, spoken):
        if words.strip():
            return _without_addresses(words[:READ_CHARACTERS])
    return text


def _without_addresses(text: str) -> str:
    return _ADDRESS.sub("", text) if "://" in text or "with url: " in text else text


def _headers(error: object, response: Any, aws: Any) -> dict[str, str]:
    """Return the headers that matter, names in lower case; trailing metadata of gRPC are headers too."""
    if aws is not None:
        holder: object = item(item(aws, "ResponseMetadata"), "HTTPHeaders")
    else:
        holder = attribute(response, "headers") if response is not None else None
        if holder is None:
            holder = attribute(error, "headers")
        if holder is None:
            holder = called(attribute(error, "trailing_metadata"))
        if holder is None and response is not None:
            holder = response if is_a(response, dict) else called(attribute(response, "trailing_metadata"))
    return read_headers(holder)


def read_headers(holder: object) -> dict[str, str]:
    """Return the headers that matter, names in lower case, from a mapping or pairs; never raises.

    >>> read_headers([("Retry-After", 5), ("Set-Cookie", "x")])
    {'retry-after': '5'}
    """
    found: dict[str, str] = {}
    if holder is None:
        return found
    items: Any = attribute(holder, "items")
    try:
        pairs: Any = items() if callable(items) else holder
        for count, pair in enumerate(pairs):
            if count >= HEADERS_READ:
                break
            name, value = pair
            if type(name) is bytes:
                name = name.decode("latin-1")
            if not isinstance(name, str) or not _WANTED_HEADER.search(name):
                continue
            if type(value) is bytes:
                value = value.decode("latin-1")
            found.setdefault(str.lower(name), text_of(value, MAX_BYTES))
    except KeyboardInterrupt:
        raise
    except BaseException:  # noqa: BLE001 - headers of a stranger; what was read so far stands
        return found
    return found
