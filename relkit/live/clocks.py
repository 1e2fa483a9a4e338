"""Time for everything in `relkit.live`: the machine's own, and what testing mode has skipped.

A skipped wait is never given back. The clock stays ahead of the machine's by all that was skipped, so it cannot run
backwards, and a breaker that opened in a test is closed by the time that test let pass.
"""

import asyncio
import time
from collections.abc import Callable
from threading import TIMEOUT_MAX, Lock
from typing import Final

from relkit.units import US_PER_SECOND

_lock: Final = Lock()
_watchers: list[Callable[[float], None]] = []
_skipped_s: float = 0.0


def now_s() -> float:
    """Return seconds of a clock that never runs backwards."""
    return time.monotonic() + _skipped_s


def now_us() -> int:
    """Return microseconds since 1970 UTC."""
    return time.time_ns() // 1000 + round(_skipped_s * US_PER_SECOND)


def sleep(wait_s: float) -> None:
    """Wait; in testing mode let the time have passed instead."""
    if not _told(wait_s):
        # A server may ask for more than the system can wait; it is long enough then.
        time.sleep(min(wait_s, TIMEOUT_MAX))


async def async_sleep(wait_s: float) -> None:
    """Wait while other tasks run; in testing mode let them run once, and the time have passed."""
    await asyncio.sleep(0 if _told(wait_s) else wait_s)


def skip(seconds: float) -> None:
    """Let time pass at once."""
    global _skipped_s  # noqa: PLW0603  one process has one time
    with _lock:
        _skipped_s += seconds


def watch(watcher: Callable[[float], None]) -> None:
    """Make every wait instant, and tell it instead, until `unwatch`."""
    with _lock:
        _watchers.append(watcher)


def unwatch(watcher: Callable[[float], None]) -> None:
    """End what `watch` began."""
    with _lock:
        _watchers.remove(watcher)


def _told(wait_s: float) -> bool:
    """Tell a wait to whoever watches; say whether anybody does."""
    if not _watchers:
        return False
    skip(wait_s)
    for watcher in tuple(_watchers):
        watcher(wait_s)
    return True
