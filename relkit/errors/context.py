"""What a log keeps of one failed try: everything that explains it, and nothing that must not be written down.

The exception itself, headers off the allow-list and bodies are not kept: they hold keys and prompts, and a third of real
exceptions do not survive being stored. People and sessions go under pseudonyms. Nothing here raises, because whoever
writes down an error has one already.
"""

import math
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from http import HTTPStatus
from typing import Any, Final

from relkit.errors.classifier import classify, signals_of
from relkit.errors.kinds import ErrorKind, Severity
from relkit.errors.reading.chain import links
from relkit.errors.reading.guarded import attribute, called, is_a, item, qualified_name, text_of, whole
from relkit.errors.redact import REQUEST_ID_HEADERS, is_allowed_header, process_key, pseudonym, redact_text
from relkit.errors.rules import RuleSet
from relkit.errors.signals import Signals, clean_message, fingerprint, read_signals

CAUSES_KEPT: Final = 8
FRAMES_KEPT: Final = 16
HEADERS_KEPT: Final = 64
TEXT_KEPT: Final = 1_000
_PYTHON: Final = ".".join(map(str, sys.version_info[:3]))


@dataclass(frozen=True, slots=True)
class Cause:
    """One link of the chain that led to an error.

    Parameters
    ----------
    exception_type : str
        Qualified class name.
    message : str or None
        Redacted, digits masked.
    """

    exception_type: str
    message: str | None


@dataclass(frozen=True, slots=True)
class ErrorContext:
    """One failed try; None is "not known".

    Parameters
    ----------
    kind : ErrorKind
        What failed.
    retryable : bool
        Whether the same call, unchanged, may succeed later.
    retry_after_s : float or None
        Seconds the other side asks us to wait.
    maybe_executed : bool
        Whether the other side may have changed something all the same.
    severity : str
        low, medium, high or critical; says nothing about retries.
    alert : bool
        Whether a person must act.
    rule, evidence : str
        Rule that decided, and the signals it saw.
    fp : int
        Fingerprint, under which equal errors are counted together.
    exception_type : str or None
        Qualified class name.
    message : str or None
        Redacted, digits masked, at most 500 characters.
    causes : tuple of Cause
        What it was raised from, nearest first, at most eight.
    frames : tuple of str
        The innermost calls as `module:function:line`, outermost first, at most sixteen; no local variables.
    status : int or None
        HTTP status, 100 to 599.
    status_text : str or None
        The phrase that HTTP gives it.
    provider_request_id : str or None
        The other side's own id of the call.
    headers : tuple of (str, str)
        Headers of the answer, and of the request where none came: those on the allow-list, names in lower case.
    method, url : str or None
        Of the request; the URL without credentials, fragment and values of its query.
    service, model, operation, arm : str or None
        What was called, and the arm of an experiment.
    request_id, trace_id, span_id : str or None
        Of the call, shared by its tries.
    user, session, conversation, idempotency : str or None
        Pseudonyms: they can be joined on and not be read.
    attempt : int or None
        1 for the first try.
    breaker_state : str or None
        Of the circuit breaker when the call was made.
    budget_left : int or None
        Retries left in the RetryBudget.
    ts_us : int
        When it failed, microseconds since 1970 UTC.
    started_ts_us, duration_us : int or None
        When the try began, and how long it took by a clock that never goes back.
    python_version, platform : str
        Where it ran.
    environment : str or None
        Such as production.
    """

    kind: ErrorKind
    retryable: bool
    retry_after_s: float | None
    maybe_executed: bool
    severity: Severity
    alert: bool
    rule: str
    evidence: str
    fp: int
    exception_type: str | None
    message: str | None
    causes: tuple[Cause, ...]
    frames: tuple[str, ...]
    status: int | None
    status_text: str | None
    provider_request_id: str | None
    headers: tuple[tuple[str, str], ...]
    method: str | None
    url: str | None
    service: str | None
    model: str | None
    operation: str | None
    arm: str | None
    request_id: str | None
    trace_id: str | None
    span_id: str | None
    user: str | None
    session: str | None
    conversation: str | None
    idempotency: str | None
    attempt: int | None
    breaker_state: str | None
    budget_left: int | None
    ts_us: int
    started_ts_us: int | None
    duration_us: int | None
    python_version: str
    platform: str
    environment: str | None

    def record(self) -> dict[str, Any]:
        """Return it as plain values, ready for JSON."""
        plain = {field.name: getattr(self, field.name) for field in fields(self)}
        plain["kind"] = self.kind.value
        plain["causes"] = [[cause.exception_type, cause.message] for cause in self.causes]
        plain["headers"] = dict(self.headers)
        plain["frames"] = list(self.frames)
        return plain


def error_context(
    error: object,
    *,
    method: object = None,
    url: object = None,
    headers: object = None,
    service: object = None,
    model: object = None,
    operation: object = None,
    arm: object = None,
    request_id: object = None,
    trace_id: object = None,
    span_id: object = None,
    user_id: object = None,
    session_id: object = None,
    conversation_id: object = None,
    idempotency_key: object = None,
    attempt: object = None,
    breaker_state: object = None,
    budget_left: object = None,
    started_s: object = None,
    environment: object = None,
    key: bytes | None = None,
    rules: RuleSet | None = None,
) -> ErrorContext:
    """Describe one failed try for a log; never raises, whatever it is given. What cannot be read is None.

    Parameters
    ----------
    error : exception
        What was raised; a mapping of signals will do.
    method, url, headers : str, str, mapping
        Of the request.
    service, model, operation, arm, request_id, trace_id, span_id, breaker_state, environment : str
        As in `ErrorContext`.
    user_id, session_id, conversation_id, idempotency_key : str
        Kept as pseudonyms.
    attempt, budget_left : int
        As in `ErrorContext`.
    started_s : float
        What `time.monotonic()` read when the try began.
    key : bytes, optional
        Key of the pseudonyms; default one of this process, so that joins hold within it and not beyond.
    rules : RuleSet, optional
        Table of rules; default relkit's own.

    Returns
    -------
    ErrorContext

    Examples
    --------
    >>> context = error_context(TimeoutError(), attempt=2, url="https://api.example.org/v1?user=17", user_id="jane")
    >>> print(context.kind, context.attempt, context.url, context.duration_us)
    NETWORK_TIMEOUT 2 https://api.example.org/v1?user=[redacted] None
    """
    row = error if is_a(error, BaseException, Mapping, Signals) else {"message": text_of(error, TEXT_KEPT)}
    answer = classify(row, rules)  # type: ignore[arg-type]  # is_a has looked at the true class
    signals = _signals(row, rules)
    answered = tuple(_headers(error))
    ts_us, duration_us = time.time_ns() // 1_000, _duration_us(started_s)
    return ErrorContext(
        kind=answer.kind,
        retryable=answer.retryable,
        retry_after_s=answer.retry_after_s,
        maybe_executed=answer.maybe_executed,
        severity=answer.severity,
        alert=answer.alert,
        rule=answer.rule,
        evidence=answer.evidence,
        fp=fingerprint(signals),
        exception_type=_text(qualified_name(type(error))) if is_a(error, BaseException) else signals.exception_type,
        message=signals.message,
        causes=_causes(error),
        frames=_frames(error),
        status=signals.status,
        status_text=HTTPStatus(signals.status).phrase if signals.status in _STATUSES else None,
        provider_request_id=_provider_request_id(error, answered),
        headers=answered or tuple(_pairs(headers)),
        method=_text(method),
        url=_text(text_of(url, TEXT_KEPT).partition("#")[0]) if url is not None else None,
        service=_text(service),
        model=_text(model),
        operation=_text(operation),
        arm=_text(arm),
        request_id=_text(request_id),
        trace_id=_text(trace_id),
        span_id=_text(span_id),
        user=_hidden(user_id, key),
        session=_hidden(session_id, key),
        conversation=_hidden(conversation_id, key),
        idempotency=_hidden(idempotency_key, key),
        attempt=_count(attempt),
        breaker_state=_text(breaker_state),
        budget_left=_count(budget_left),
        ts_us=ts_us,
        started_ts_us=None if duration_us is None else ts_us - duration_us,
        duration_us=duration_us,
        python_version=_PYTHON,
        platform=sys.platform,
        environment=_text(environment),
    )


_STATUSES: Final = frozenset(status.value for status in HTTPStatus)


def _signals(row: object, rules: RuleSet | None) -> Signals:
    if is_a(row, BaseException):
        return signals_of(row, rules)  # type: ignore[arg-type]
    return row if is_a(row, Signals) else read_signals(row)  # type: ignore[arg-type, return-value]


def _causes(error: object) -> tuple[Cause, ...]:
    if not is_a(error, BaseException):
        return ()
    chain = links(error)[1 : CAUSES_KEPT + 1]  # type: ignore[arg-type]
    return tuple(
        Cause(
            _text((*link.evidence.names, "builtins.Exception")[0]) or "Exception",
            clean_message(text_of(link.evidence.signals["message"], TEXT_KEPT))
            if link.evidence.signals["message"]
            else None,
        )
        for link in chain
    )


def _frames(error: object) -> tuple[str, ...]:
    """Name the innermost calls; of a frame nothing but names and the line is read."""
    found: list[str] = []
    traceback = attribute(error, "__traceback__")
    while traceback is not None and len(found) < 10_000:
        frame = attribute(traceback, "tb_frame")
        module = text_of(item(attribute(frame, "f_globals"), "__name__"), TEXT_KEPT)
        function = text_of(attribute(attribute(frame, "f_code"), "co_qualname"), TEXT_KEPT)
        found.append(f"{module}:{function}:{whole(attribute(traceback, 'tb_lineno'))}")
        traceback = attribute(traceback, "tb_next")
    return tuple(redact_text(frame) for frame in found[-FRAMES_KEPT:])


def _headers(error: object) -> Iterator[tuple[str, str]]:
    """Yield the allowed headers of the answer, wherever the library keeps them."""
    response = attribute(error, "response")
    aws = item(item(response, "ResponseMetadata"), "HTTPHeaders") if is_a(response, dict) else None
    trailing = None if aws else called(attribute(error, "trailing_metadata"))
    for holder in (aws, attribute(response, "headers"), attribute(error, "headers"), trailing):
        pairs = tuple(_pairs(holder))
        if pairs:
            yield from pairs
            return


def _pairs(holder: object) -> Iterator[tuple[str, str]]:
    """Yield the allowed headers of a mapping, or of pairs."""
    items = attribute(holder, "items")
    try:
        for count, (name, value) in enumerate(called(items) if items is not None else holder or ()):  # type: ignore[arg-type]
            shown = _header_text(name).lower()
            if is_allowed_header(shown):
                yield shown, redact_text(_header_text(value))
            if count >= HEADERS_KEPT:
                return
    except KeyboardInterrupt:
        raise
    except BaseException:  # noqa: BLE001 - headers of a stranger; what was read so far stands
        return


def _header_text(value: object) -> str:
    return bytes.decode(value[:TEXT_KEPT], "latin-1") if type(value) is bytes else text_of(value, TEXT_KEPT)


def _provider_request_id(error: object, headers: tuple[tuple[str, str], ...]) -> str | None:
    told = dict(headers)
    aws = item(item(attribute(error, "response"), "ResponseMetadata"), "RequestId")
    named = (told[name] for name in REQUEST_ID_HEADERS if name in told)
    return _text(attribute(error, "request_id")) or _text(aws) or next(named, None)


def _text(value: object) -> str | None:
    if value is None or callable(value):
        return None
    text = redact_text(text_of(value, TEXT_KEPT)).strip()
    return text.encode("utf-8", "replace").decode("utf-8") or None


def _count(value: object) -> int | None:
    number = whole(value)
    return number if number is not None and 0 <= number < 2**63 else None


def _hidden(value: object, key: bytes | None) -> str | None:
    text = "" if value is None else text_of(value, TEXT_KEPT)
    if not text or (key is not None and not is_a(key, bytes)):
        return None
    return pseudonym(text, process_key() if key is None else key)


def _duration_us(started_s: object) -> int | None:
    if type(started_s) not in {int, float}:
        return None
    took_s = time.monotonic() - started_s if abs(started_s) < 1e15 else math.nan  # type: ignore[operator, arg-type]  # just looked
    return round(took_s * 1e6) if took_s >= 0 else None
