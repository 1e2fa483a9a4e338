"""Telling events: to the caller's Record and to whoever tests, and never at the cost of a call."""

from collections.abc import Callable
from contextlib import suppress
from threading import Lock
from typing import Final

from relkit.live.events import Event, Record

_lock: Final = Lock()
_listeners: list[Record] = []


def is_heard(record: Record | None) -> bool:
    """Say whether anybody would be told: an event that nobody hears need not be made."""
    return record is not None or bool(_listeners)


def tell(record: Record | None, event: Event) -> None:
    """Tell an event; what a listener raises is dropped, because an answer must not be lost to its own journal."""
    for listener in (record, *_listeners):
        if listener is not None:
            _guarded(listener, event)


def _guarded(listener: Callable[[Event], None], event: Event) -> None:
    with suppress(Exception):  # see `tell`
        listener(event)


def listen(listener: Record) -> None:
    """Let a listener hear every event of the process, until `leave`."""
    with _lock:
        _listeners.append(listener)


def leave(listener: Record) -> None:
    """End what `listen` began."""
    with _lock:
        _listeners.remove(listener)
