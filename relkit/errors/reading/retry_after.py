r"""How long the other side asks us to wait, in every form in which it is said.

Headers come first, the finest unit before the coarsest; then the body (`retryDelay`, `retry_after`); then the sentence
("Please try again in 9m38.016s"); last the reset of a limit that says it is used up. A wait is finite and not negative,
or nothing. No cap is set here: what is too long is for the retry policy to say.
"""

import math
import re
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Final

SECONDS: Final = 1.0
MILLISECONDS: Final = 1e-3
# A plain number above this is the time of day in seconds since 1970, not a wait.
EPOCH_FROM_S: Final = 1e9
BODY_DEPTH: Final = 6
BODY_NODES: Final = 200

_NUMBER = re.compile(r"[0-9]{1,15}(?:\.[0-9]{0,15})?|\.[0-9]{1,15}", re.ASCII)
_PART = r"[0-9]{1,12}(?:\.[0-9]{1,12})?"
_UNITS: Final[Mapping[str, float]] = {
    "ms": 1e-3, "us": 1e-6, "µs": 1e-6, "ns": 1e-9, "s": 1.0, "m": 60.0, "h": 3_600.0, "d": 86_400.0,
}  # fmt: skip
_SPAN = re.compile(rf"(?:{_PART} ?(?:ms|us|µs|ns|[dhms]) ?){{1,6}}", re.ASCII | re.IGNORECASE)
_SPAN_PART = re.compile(rf"({_PART}) ?(ms|us|µs|ns|[dhms])", re.ASCII | re.IGNORECASE)
_WORDS: Final[Mapping[str, float]] = {
    "millisecond": 1e-3, "second": 1.0, "sec": 1.0, "minute": 60.0, "min": 60.0, "hour": 3_600.0, "day": 86_400.0,
}  # fmt: skip
_CLOCK = r"[0-9]{1,3}:[0-5][0-9]:[0-5][0-9]"
_LONG = r"milliseconds?|seconds?|secs?|minutes?|mins?|hours?|days?"
_WAIT = rf"((?:{_PART} ?(?:ms|us|µs|ns|[dhms])(?![a-z]) ?){{1,6}}|{_PART} ?(?:{_LONG})\b|{_CLOCK}\b)"
_SENTENCE = re.compile(
    r"\b(?:try|tried|retry|retried|retrying|available|again|wait|resets?|replenished|back ?off)(?: (?:again|later|your request|it|this request))*"
    rf"(?:,? (?:in|after|for|at least|until))*[:=]? {{0,2}}(?:about |approximately |~)?{_WAIT}",
    re.ASCII | re.IGNORECASE,
)
_LABELLED = re.compile(
    rf"\bretry[-_ ]?(?:after|delay)(_ms|-ms)?[\"']?[:=]? {{0,2}}[\"']?({_PART}(?: ?(?:ms|s|{_LONG})\b)?)",
    re.ASCII | re.IGNORECASE,
)
_WORDED = re.compile(rf"({_PART}) ?(millisecond|second|sec|minute|min|hour|day)s?", re.ASCII | re.IGNORECASE)
# The headers that name a wait outright, the finest first, each with the length of its unit.
WAIT_HEADERS: Final[tuple[tuple[str, float], ...]] = (
    ("retry-after-ms", MILLISECONDS),
    ("x-ms-retry-after-ms", MILLISECONDS),
    ("x-amz-retry-after", MILLISECONDS),
    ("grpc-retry-pushback-ms", MILLISECONDS),
    ("retry-after", SECONDS),
    ("x-retry-after", SECONDS),
)
_BODY_KEYS: Final[Mapping[str, float]] = {
    "retrydelay": SECONDS, "retry_delay": SECONDS, "retry_after": SECONDS, "retryafter": SECONDS, "retry-after": SECONDS,
    "retry_after_seconds": SECONDS, "retryafterseconds": SECONDS, "retry_after_ms": MILLISECONDS,
    "retryafterms": MILLISECONDS, "estimated_time": SECONDS,
}  # fmt: skip


def seconds_of(value: object, unit_s: float = SECONDS) -> float | None:
    """Read a wait that is written as a number or as a span such as "1m30s"; never raises.

    Parameters
    ----------
    value : object
        Number or text; a number counts units, a span carries its own.
    unit_s : float
        Length of the unit of a plain number, seconds.

    Returns
    -------
    float or None
        Seconds, finite and not negative; None where the value is no wait.

    Examples
    --------
    >>> seconds_of("0.5"), seconds_of("9m38.016s"), seconds_of(250, 1e-3), seconds_of("1e400"), seconds_of(-5)
    (0.5, 578.016, 0.25, None, None)
    """
    if value is None or isinstance(value, bool):
        return None
    try:
        if isinstance(value, (int, float)):
            return _finite(float(value) * unit_s)
        text = bytes(value).decode("ascii") if isinstance(value, (bytes, bytearray)) else str(value)
    except Exception:  # noqa: BLE001 - values are strangers; an error path that raises hides the error
        return None
    text = text.strip()[:200]
    if _NUMBER.fullmatch(text):
        return _finite(float(text) * unit_s)
    if _SPAN.fullmatch(text):
        return _finite(sum(float(number) * _UNITS[unit.lower()] for number, unit in _SPAN_PART.findall(text)))
    return None


def retry_after_header(value: object, date: object = None, now: Callable[[], datetime] | None = None) -> float | None:
    """Read the value of a Retry-After header: seconds, a span, or an HTTP date.

    Parameters
    ----------
    value : object
        What the header says.
    date : object
        The Date header of the same answer: the server's own clock, so that a clock of ours that is wrong does no harm.
    now : callable or None
        Our clock, for want of a Date header; None for the system's.

    Returns
    -------
    float or None
        Seconds, finite, 0 for a date that is past; None where the value says nothing.

    Notes
    -----
    RFC 9110, 10.2.3: an HTTP date or a whole number of seconds; fractions are sent all the same.

    Examples
    --------
    >>> retry_after_header("Fri, 31 Dec 1999 23:59:59 GMT", date="Fri, 31 Dec 1999 23:59:29 GMT")
    30.0
    """
    seconds = seconds_of(value)
    if seconds is not None:
        return seconds
    until = _moment(value)
    if until is None:
        return None
    since = _moment(date) or (now() if now else datetime.now(UTC))
    return max(0.0, (until - since).total_seconds())


def retry_after_s(
    headers: Mapping[str, str], body: object = None, message: str = "", now: Callable[[], datetime] | None = None
) -> float | None:
    """Return the wait that an answer asks for, from wherever it says so; never raises.

    Parameters
    ----------
    headers : mapping
        Headers, names in lower case.
    body : object
        Parsed body: mappings, lists and plain values.
    message : str
        Text of the error, digits unmasked.
    now : callable or None
        Our clock, for dates in an answer without a Date header; None for the system's.

    Returns
    -------
    float or None
        Seconds, finite and not negative; None where nothing is said.

    Examples
    --------
    >>> retry_after_s({"retry-after-ms": "1500", "retry-after": "2"})
    1.5
    >>> retry_after_s({}, {"error": {"details": [{"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "26s"}]}})
    26.0
    >>> retry_after_s({}, None, "Rate limit reached. Please try again in 644ms.")
    0.644
    """
    for name, unit_s in WAIT_HEADERS:
        if name not in headers:
            continue
        value = headers[name]
        found = retry_after_header(value, headers.get("date"), now) if unit_s == SECONDS else seconds_of(value, unit_s)
        if found is not None:
            return found
    found = wait_in_body(body)
    if found is None:
        found = wait_in_text(message)
    return _reset_s(headers, now) if found is None else found


def wait_in_text(text: str) -> float | None:
    """Read the wait of a sentence such as "Please try again in 9m38.016s".

    >>> wait_in_text("Please retry after 20 seconds."), wait_in_text("took 20 seconds")
    (20.0, None)
    """
    for found in _SENTENCE.finditer(text):
        if (wait_s := _span_s(found[1])) is not None:
            return wait_s
    labelled = _LABELLED.search(text)
    return None if labelled is None else _span_s(labelled[2], MILLISECONDS if labelled[1] else SECONDS)


def _span_s(span: str, unit_s: float = SECONDS) -> float | None:
    if ":" in span:  # Azure API Management: "12:17:36"
        hours, minutes, seconds = map(float, span.split(":"))
        return 3_600.0 * hours + 60.0 * minutes + seconds
    worded = _WORDED.fullmatch(span.strip())
    if worded:
        return _finite(float(worded[1]) * _WORDS[worded[2].lower()])
    return seconds_of(span, unit_s)


def wait_in_body(body: object) -> float | None:
    """Read the wait of a parsed body, however deep it lies (within limits).

    >>> wait_in_body({"parameters": {"retry_after": 35}})
    35.0
    """
    for node in _mappings(body):
        for key, value in node.items():
            unit_s = _BODY_KEYS.get(key.lower()) if isinstance(key, str) else None
            if unit_s is not None and (found := seconds_of(value, unit_s)) is not None:
                return found
    return None


def _mappings(body: object) -> Iterator[dict[object, object]]:
    level: list[object] = [body]
    nodes = 0
    for _ in range(BODY_DEPTH):
        below: list[object] = []
        for node in level:
            nodes += 1
            if nodes > BODY_NODES:
                return
            if type(node) is dict:
                yield node
                below.extend(value for value in node.values() if type(value) in {dict, list})
            elif type(node) is list:
                below.extend(node)
        level = below


def _reset_s(headers: Mapping[str, str], now: Callable[[], datetime] | None) -> float | None:
    """Return when the limits that are used up come back: the last of them decides.

    A reset without its own "remaining: 0" says nothing: most answers name the resets of limits that still have room.
    """
    waits = [wait_s for name in ("ratelimit", "x-ratelimit") for wait_s in _used_up_s(headers.get(name, ""))]
    for name, value in headers.items():
        if "ratelimit" not in name or "reset" not in name:
            continue
        left = seconds_of(headers.get(name.replace("reset-after", "reset").replace("reset", "remaining")))
        if left != 0.0:
            continue
        wait_s = seconds_of(value)
        if wait_s is not None and wait_s >= EPOCH_FROM_S:  # GitHub counts seconds since 1970
            until: datetime | None = datetime.fromtimestamp(wait_s, UTC) if wait_s < 1e11 else None
        else:
            until = _moment(value) if wait_s is None else None
        if until is not None:
            since = _moment(headers.get("date")) or (now() if now else datetime.now(UTC))
            wait_s = max(0.0, (until - since).total_seconds())
        if wait_s is not None and wait_s < EPOCH_FROM_S:
            waits.append(wait_s)
    return max(waits, default=None)


def _used_up_s(field: str) -> Iterator[float]:
    """Read the one header of the RateLimit draft: `"default";r=0;t=33`, in older ones `limit=10, remaining=0, reset=33`.

    >>> list(_used_up_s('"burst";r=0;t=7, "day";r=90;t=4000')), list(_used_up_s("limit=10, remaining=0, reset=33"))
    ([7.0], [33.0])
    """
    for policy in [field] if "remaining" in field else field.split(","):
        said = {key.strip(): value for key, _, value in (part.partition("=") for part in re.split("[;,]", policy))}
        wait_s = seconds_of(said.get("t", said.get("reset")))
        if seconds_of(said.get("r", said.get("remaining"))) == 0.0 and wait_s is not None:
            yield wait_s


def _moment(value: object) -> datetime | None:
    """Read an HTTP date (three forms, RFC 9110 5.6.7) or an RFC 3339 time; without a zone it is UTC."""
    if not isinstance(value, str) or not 8 <= len(value) <= 64:
        return None
    for read in (parsedate_to_datetime, datetime.fromisoformat):
        try:
            found = read(value.strip())
        except (ValueError, TypeError, OverflowError, IndexError):
            continue
        return found if found.tzinfo else found.replace(tzinfo=UTC)
    return None


def _finite(wait_s: float) -> float | None:
    # Nothing is said finer than a nanosecond, and 700 ms is 0.7 s.
    return round(wait_s, 9) if math.isfinite(wait_s) and wait_s >= 0 else None
