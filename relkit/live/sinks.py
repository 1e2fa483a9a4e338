"""Where lines of the journal go: a queue and a thread for each sink, so that none of them can slow a call.

A line that finds a queue full is dropped and counted, and the sink is told so as soon as it takes lines again. What a
sink raises is counted. A killed process loses what still stood in the queues: about `LINGER_S` of lines.
"""

import sys
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from queue import Empty, SimpleQueue
from typing import Any, Final, Protocol, runtime_checkable

LINGER_S: Final = 0.01
"""Lines that come within so many seconds are written together."""
MOST_AT_ONCE: Final = 512
# Python hands its one lock over after 5 ms; a thread that spells JSON for so long would hold up every call
_SLICE: Final = 16
_BREATH_S: Final = 0.000_2


class Writable(Protocol):
    """A line in waiting: spelt once, when the first sink needs it."""

    def line(self) -> bytes:
        """Return the redacted JSON, its end included."""

    def record(self) -> dict[str, Any]:
        """Return the same as a record of the caller's own."""


@runtime_checkable
class Sink(Protocol):
    """What takes whole lines."""

    def write(self, lines: Sequence[bytes]) -> None:
        """Write lines, each with its end; may block, may raise."""

    def close(self) -> None:
        """Finish."""


Receive = Callable[[dict[str, Any]], object]


@dataclass(frozen=True, slots=True)
class SinkStatus:
    """How a sink keeps up.

    Parameters
    ----------
    name : str
        Which one.
    written, dropped, failed : int
        Lines that it took, that found its queue full, and that it raised on.
    waiting : int
        Lines in its queue now.
    last_error : str
        Class of what it raised last; "" when it never did.
    """

    name: str
    written: int
    dropped: int
    failed: int
    waiting: int
    last_error: str


class Outlet:
    """One sink, its queue and its thread.

    Parameters
    ----------
    sink : Sink or callable
        Takes whole lines, or a record a call.
    capacity : int
        Lines that may wait; threads that meet at the limit may each add one more.
    notice : callable
        Makes the line that says how many were dropped.
    """

    def __init__(self, sink: Sink | Receive, capacity: int, notice: Callable[[int], Writable]) -> None:
        self.sink = sink
        self.name = getattr(sink, "__name__", type(sink).__name__)
        self._capacity = capacity
        self._notice = notice
        self._written = self._failed = self._dropped = self._told = 0
        self._last_error = ""
        self.restart()

    def restart(self) -> None:
        """Begin anew in a forked process: what waits there is the parent's to write, and its thread is not here."""
        self._queue: SimpleQueue[Writable | threading.Event | None] = SimpleQueue()
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None

    def offer(self, line: Writable) -> None:
        """Take a line, or drop it; never blocks."""
        if self._queue.qsize() >= self._capacity:
            with self._lock:
                self._dropped += 1
            return
        self._queue.put(line)
        if self._thread is None:
            self._start()

    def mark(self) -> threading.Event:
        """Return what is set when everything offered so far has been written or has failed."""
        reached = threading.Event()
        if self._thread is None:
            reached.set()
        else:
            self._queue.put(reached)
        return reached

    def end(self) -> None:
        """Have the rest written and the sink finished; returns at once."""
        if self._thread is None:
            self._finish()
        else:
            self._queue.put(None)

    def wait(self, until_s: float) -> bool:
        """Wait for the end; False when the time is up before, and the rest is lost."""
        thread = self._thread
        if thread is not None:
            thread.join(max(0.0, until_s - time.monotonic()))
        return thread is None or not thread.is_alive()

    @property
    def status(self) -> SinkStatus:
        """Return how the sink keeps up."""
        return SinkStatus(self.name, self._written, self._dropped, self._failed, self._queue.qsize(), self._last_error)

    def _start(self) -> None:
        with self._lock:
            if self._thread is None:
                thread = threading.Thread(target=self._run, name=f"relkit {self.name}", daemon=True)
                with suppress(RuntimeError):  # no thread can be had: the next line tries again
                    thread.start()
                    self._thread = thread

    def _run(self) -> None:
        ends = False
        while not ends:
            batch, reached, ends = self._taken()
            if self._dropped > self._told:
                told, self._told = self._told, self._dropped
                batch.insert(0, self._notice(self._told - told))
            if batch:
                self._write(batch)
            for event in reached:
                event.set()
        self._finish()

    def _taken(self) -> tuple[list[Writable], list[threading.Event], bool]:
        """Wait for a line and for those that follow it closely."""
        batch: list[Writable] = []
        reached: list[threading.Event] = []
        item = self._queue.get()
        if item is not None and not isinstance(item, threading.Event):
            time.sleep(LINGER_S)
        while True:
            if item is None:
                return batch, reached, True
            if isinstance(item, threading.Event):
                reached.append(item)
            else:
                batch.append(item)
            if len(batch) >= MOST_AT_ONCE:
                return batch, reached, False
            try:
                item = self._queue.get_nowait()
            except Empty:
                return batch, reached, False

    def _write(self, batch: list[Writable]) -> None:
        if isinstance(self.sink, Sink):
            lines = []
            for place, line in enumerate(batch):
                lines.append(line.line())
                if place % _SLICE == _SLICE - 1:
                    time.sleep(_BREATH_S)
            self._try(lambda: self.sink.write(lines), len(lines))  # type: ignore[union-attr]  # just looked
            return
        for line in batch:
            self._try(lambda line=line: self.sink(line.record()), 1)  # type: ignore[misc]  # just looked

    def _try(self, write: Callable[[], object], number: int) -> None:
        try:
            write()
        except BaseException as error:  # noqa: BLE001 - a stranger's sink may raise anything, and the next line may pass
            self._failed += number
            self._last_error = type(error).__name__
        else:
            self._written += number

    def _finish(self) -> None:
        if isinstance(self.sink, Sink):
            self._try(self.sink.close, 0)


class _StandardOut:
    """The process's standard output, whatever stands in its place."""

    def write(self, lines: Sequence[bytes]) -> None:
        content = b"".join(lines)
        raw = getattr(sys.stdout, "buffer", None)
        if raw is None:  # a notebook's
            sys.stdout.write(content.decode())
        else:
            raw.write(content)
        sys.stdout.flush()

    def close(self) -> None:
        """Leave it open: it is the process's."""


def standard_out() -> Sink:
    """Return a sink that writes each line to standard output, for who collects logs there.

    >>> isinstance(standard_out(), Sink)
    True
    """
    return _StandardOut()
