"""An event as a line: its name, its level, one sentence, and its fields as the columns they become.

The names that every line has stand in `RESERVED`. The service that was called is written as `upstream`, because
`service` is the application that keeps the journal.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, Final

from relkit.errors.signals import SIGNAL_FIELDS, Signals
from relkit.live.events import (
    AttemptEvent,
    ErrorEvent,
    Event,
    PairEvent,
    ProbeEvent,
    RetryEvent,
    RolloutEvent,
    TransitionEvent,
)
from relkit.live.wording import clean_text
from relkit.units import US_PER_SECOND

RESERVED: Final = (
    "event", "ts", "level", "message", "service", "environment", "version", "request", "session", "user", "seq",
)  # fmt: skip
ASKED_FOR: Final = ("request", "session", "user")
"""Reserved names that a caller may give: an explicit one wins over the bound one."""
_RENAMED: Final = {"request_id": "request", "session_id": "session", "service": "upstream"}
_WORRYING: Final = frozenset({"held", "rolled_back"})


@dataclass(frozen=True, slots=True)
class Line:
    """What one event says.

    Parameters
    ----------
    event : str
        attempt, retry, error, transition, probe, pair, rollout, or log for a line of the application's own.
    at_us : int
        When, microseconds since 1970 UTC.
    level : str
        debug, info, warning, error or critical.
    message : str
        One sentence.
    fields : mapping of str to object
        The rest; None is left out. `request`, `session` and `user` stand here too where the event knows them.
    """

    event: str
    at_us: int
    level: str
    message: str
    fields: Mapping[str, Any]


def line_of(event: Event) -> Line:
    """Say an event as a line. Its fields are as they came; its sentence is made of redacted parts.

    Redacting the sentence alone would not do: two secrets side by side can hide each other.

    Examples
    --------
    >>> line = line_of(TransitionEvent("chat", None, "closed", "open", 5, 5.0, "5 failures in a row.", 0))
    >>> line.level, line.message, line.fields["upstream"]
    ('error', 'breaker of chat: closed -> open: 5 failures in a row.', 'chat')
    """
    name, spoken, skipped = _FORMS[type(event)]
    level, message = spoken(event)
    found = {}
    for field, key in _COLUMNS[type(event)]:
        value = getattr(event, field)
        if value is not None and value != "" and field not in skipped:
            found[key] = _signals_of(value) if isinstance(value, Signals) else value
    if isinstance(event, ErrorEvent):
        found |= {key: getattr(event.classification, key) for key in _ADVICE}
        found["kind"] = event.classification.kind.value
    return Line(name, event.at_us, level, message, found)


_ADVICE: Final = ("retryable", "retry_after_s", "maybe_executed", "severity", "alert", "rule", "evidence")


def _signals_of(signals: Signals) -> dict[str, Any]:
    return {name: value for name in SIGNAL_FIELDS if (value := getattr(signals, name)) is not None}


def _where(event: Any) -> str:
    return f"{clean_text(event.service)}/{clean_text(event.model)}" if event.model else clean_text(event.service)


def _attempt(event: AttemptEvent) -> tuple[str, str]:
    where, took = f"attempt {event.attempt} of {_where(event)}", f"{event.latency_us / 1000:.0f} ms"
    if event.ok:
        return "info", f"{where} was answered {'by the cache' if event.cache_hit else f'after {took}'}"
    if event.ok is None:
        return "info", f"{where} was given up after {took}"
    return "warning", f"{where} failed after {took}: {clean_text(event.kind)}"


def _retry(event: RetryEvent) -> tuple[str, str]:
    most = f"/{event.most}" if event.most else ""
    return (
        "warning",
        f"attempt {event.attempt}{most} of {_where(event)} failed: {clean_text(event.kind)}; next in {event.next_wait_s:.3g} s",
    )


def _error(event: ErrorEvent) -> tuple[str, str]:
    return "error", f"{event.classification.kind.value} of {_where(event)}: {clean_text(event.cause)}"


def _transition(event: TransitionEvent) -> tuple[str, str]:
    return (
        event.level.lower(),
        f"breaker of {_where(event)}: {clean_text(event.from_state)} -> {clean_text(event.to_state)}: {clean_text(event.reason)}",
    )


def _probe(event: ProbeEvent) -> tuple[str, str]:
    took = f"after {event.latency_us / 1000:.0f} ms"
    return (
        ("info", f"{clean_text(event.service)} is up, {took}")
        if event.up
        else ("warning", f"{clean_text(event.service)} is down, {took}")
    )


def _pair(event: PairEvent) -> tuple[str, str]:
    answers = {True: ": the answers differ", False: ": the answers agree", None: ""}[event.differs]
    return "info", f"pair of {clean_text(event.experiment)} {clean_text(event.state)}{answers}"


def _rollout(event: RolloutEvent) -> tuple[str, str]:
    share = "" if event.share is None else f" at {100 * event.share:.3g} %"
    level = "warning" if event.state in _WORRYING else "info"
    return (
        level,
        f"rollout of {clean_text(event.experiment)} is {clean_text(event.state)}{share}: {clean_text(event.reason)}",
    )


_FORMS: Final[dict[type[Any], tuple[str, Callable[[Any], tuple[str, str]], frozenset[str]]]] = {
    AttemptEvent: ("attempt", _attempt, frozenset()),
    RetryEvent: ("retry", _retry, frozenset()),
    ErrorEvent: ("error", _error, frozenset({"classification"})),
    TransitionEvent: ("transition", _transition, frozenset()),
    ProbeEvent: ("probe", _probe, frozenset()),
    PairEvent: ("pair", _pair, frozenset()),
    RolloutEvent: ("rollout", _rollout, frozenset()),
}
_COLUMNS: Final = {
    kind: tuple((field.name, _RENAMED.get(field.name, field.name)) for field in fields(kind) if field.name != "at_us")
    for kind in _FORMS
}


def stamp(at_us: int) -> str:
    """Write a moment as ISO 8601 in UTC with microseconds; exact, as floats are not.

    >>> stamp(1_795_000_000_000_001)
    '2026-11-18T11:06:40.000001Z'
    """
    seconds, us = divmod(at_us, US_PER_SECOND)
    return f"{_second(seconds)}.{us:06d}Z"


@lru_cache(maxsize=64)
def _second(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S")
