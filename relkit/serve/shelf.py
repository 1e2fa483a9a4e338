"""Answers that are made one at a time in the background, and kept for when no new one can be made."""

import asyncio
import logging
import time
from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from threading import Lock
from typing import Final, Generic, TypeVar

from relkit.exceptions import RelkitError, StoreError, StoreLockedError

FRESH_S: Final = 1.0
"""An answer of this age is given again: a crowd of questions is one reading."""
MOST_KEPT: Final = 32
MOST_WAITING: Final = 8
LOCKED: Final = "the database is being written"
BUSY: Final = "too many other moments are being counted; ask again soon"
SLOW: Final = "it is still being counted"
_LOG: Final = logging.getLogger("relkit.serve")

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Answer(Generic[T]):
    """An answer, and how far it can be relied on.

    Parameters
    ----------
    value : T or None
        None when there has been none yet.
    state : str
        fresh, stale (the last there was) or unknown (there was none).
    age_s : float or None
        Seconds since it was made; None when there is none.
    why : str
        Why it is not fresh; names no file.
    """

    value: T | None
    state: str
    age_s: float | None
    why: str = ""


class Shelf(Generic[T]):
    """Answers by the moment they are asked for; the newest by None.

    Parameters
    ----------
    read : callable
        Makes the answer for a moment (microseconds since 1970 UTC), None for now; runs on one thread of its own.
    patience_s : float
        How long a question waits before it gets the last answer instead.
    clock : callable
        Seconds that only grow.
    """

    def __init__(
        self, read: Callable[[int | None], T], *, patience_s: float, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._read, self._patience_s, self._clock = read, patience_s, clock
        self._worker = ThreadPoolExecutor(1, thread_name_prefix="relkit-serve")
        self._kept: OrderedDict[int | None, tuple[T, float]] = OrderedDict()
        self._waiting: dict[int | None, Future[str]] = {}
        self._lock = Lock()
        self._complaint = ""

    async def get(self, at_us: int | None) -> Answer[T]:
        """Return the answer for a moment; never raises for what reading it may raise."""
        with self._lock:
            found = self._last(at_us)
            if found.age_s is not None and found.age_s < FRESH_S:
                return found
            waiting = self._waiting.get(at_us)
            if waiting is None:
                if len(self._waiting) >= MOST_WAITING:
                    return self._last(at_us, BUSY)
                waiting = self._waiting[at_us] = self._worker.submit(self._made, at_us)
        await asyncio.wait([asyncio.wrap_future(waiting)], timeout=self._patience_s)
        why = waiting.result() if waiting.done() else SLOW
        with self._lock:
            return self._last(at_us, why)

    def last(self, at_us: int | None) -> Answer[T]:
        """Return the last answer for a moment, without making one."""
        with self._lock:
            return self._last(at_us)

    def close(self) -> None:
        """Begin nothing more."""
        self._worker.shutdown(wait=False, cancel_futures=True)

    def _last(self, at_us: int | None, why: str = "") -> Answer[T]:
        kept = self._kept.get(at_us)
        if kept is None:
            return Answer(None, "unknown", None, why)
        return Answer(kept[0], "stale" if why else "fresh", max(0.0, self._clock() - kept[1]), why)

    def _made(self, at_us: int | None) -> str:
        """Make an answer and put it on the shelf; return why not, when it cannot be made."""
        try:
            value, why = self._read(at_us), ""
        except Exception as error:  # noqa: BLE001  whatever is wrong with a file, who asks gets the last answer
            value, why = None, self._why(error)
        with self._lock:
            if value is not None:
                self._kept[at_us] = (value, self._clock())
                self._kept.move_to_end(at_us)
                while len(self._kept) > MOST_KEPT:
                    self._kept.popitem(last=False)
            del self._waiting[at_us]
        return why

    def _why(self, error: Exception) -> str:
        """Say in words that name no file what hindered; the text itself goes to the log of the server, once."""
        if isinstance(error, StoreLockedError):
            return LOCKED
        if str(error) != self._complaint:
            self._complaint = str(error)
            _LOG.warning("%s", error, exc_info=None if isinstance(error, RelkitError) else error)
        return "the database cannot be opened" if isinstance(error, StoreError) else "the log cannot be counted"
