"""The journal: every event of a service as one redacted line of JSON, handed to any number of sinks without waiting.

A `Journal` is a `Record`: give it to a pipeline, a prober, a mirror. What it takes is put into queues and nothing else
is done on the path of a call; spelling, redacting and writing happen in the threads of the sinks. The application's own
lines come through `Journal.logger`, a structlog logger, into the same files with the same names and the same redaction.
"""

import atexit
import itertools
import json
import multiprocessing
import os
import sys
import time
import weakref
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib import metadata
from types import TracebackType
from typing import Any, Final, Self

import structlog
from structlog.contextvars import bound_contextvars, get_contextvars

from relkit.errors.context import error_context
from relkit.errors.redact import process_key, pseudonym, redact
from relkit.errors.redact.pseudonyms import KEY_BYTES
from relkit.exceptions import ParameterError
from relkit.live.callee import is_async
from relkit.live.clocks import now_us
from relkit.live.events import Event
from relkit.live.ink import UNWRITABLE, Origin, inked, plain, unreserved
from relkit.live.lines import ASKED_FOR, Line, line_of
from relkit.live.sinks import Outlet, Receive, Sink, SinkStatus
from relkit.live.wording import clean_text
from relkit.units import several

CAPACITY: Final = 10_000
CLOSE_WITHIN_S: Final = 2.0
_LEVELS: Final = {"warn": "warning", "exception": "error", "fatal": "critical", "msg": "info"}
_NOTHING: Final[Mapping[str, Any]] = {}


class _Waiting:
    """An event in the queues of the sinks: spelt by the first that needs it, once."""

    __slots__ = ("_bound", "_ink", "_origin", "_said", "_seq")

    def __init__(self, said: Event | Line, origin: Origin, bound: Mapping[str, Any], seq: int) -> None:
        self._said = said
        self._origin = origin
        self._bound = bound
        self._seq = seq
        self._ink = b""

    def line(self) -> bytes:
        """Return the redacted JSON; two sinks that meet here spell the same twice."""
        if not self._ink:
            try:
                line = self._said if isinstance(self._said, Line) else line_of(self._said)
            except Exception:  # noqa: BLE001 - no event, or one with a stranger's values; the lines behind it wait
                line = Line("log", now_us(), "error", UNWRITABLE, {})
            self._ink = inked(line, self._origin, self._bound, self._seq)
        return self._ink

    def record(self) -> dict[str, Any]:
        """Return it as plain values of the caller's own."""
        record: dict[str, Any] = json.loads(self.line())
        return record


class Journal:
    """Takes events and hands them to sinks.

    Parameters
    ----------
    sinks : sequence of Sink or callable
        `RotatingFile`, `standard_out()`, or any function that takes one record, a dict of plain values.
    service : str
        The application that writes; the source of its rows in the database.
    environment : str, optional
        Such as production.
    version : str, optional
        Of the application. Default: what is installed under the name of the service, if anything.
    pseudonym_key : bytes, optional
        32 bytes under which sessions and users are hidden. Give the key of the database that takes the rows
        (`relkit.duckdb.key` beside it, in hexadecimal), so that they join with other logs and over restarts. Default:
        a key of this process.
    capacity : int
        Lines that may wait for each sink, at least 1.

    Raises
    ------
    ParameterError
        A key of another length, a capacity below 1, no sink, or an async one.

    Examples
    --------
    >>> from relkit.live.events import ProbeEvent
    >>> seen = []
    >>> with Journal([seen.append], service="booking") as journal, journal.bound(request="r1"):
    ...     journal(ProbeEvent("chat", up=False, status=503, latency_us=1_000, at_us=0))
    >>> [(line["event"], line["level"], line["request"], line["upstream"]) for line in seen]
    [('probe', 'warning', 'r1', 'chat')]
    """

    def __init__(
        self,
        sinks: Sequence[Sink | Receive],
        *,
        service: str,
        environment: str | None = None,
        version: str | None = None,
        pseudonym_key: bytes | None = None,
        capacity: int = CAPACITY,
    ) -> None:
        if not sinks:
            raise ParameterError.of("sinks", sinks, "at least one", "give a RotatingFile, standard_out() or a function")
        for sink in sinks:
            if is_async(sink):
                remedy = "give a function that takes the record, e.g. puts it into a queue of yours"
                raise ParameterError.of("sinks", sink, "sinks that are not async", remedy)
        if pseudonym_key is not None and len(pseudonym_key) != KEY_BYTES:
            text = f"{len(pseudonym_key)} bytes"
            raise ParameterError.of(
                "pseudonym_key", text, f"{KEY_BYTES} bytes", "read the key file beside the database"
            )
        if capacity < 1:
            raise ParameterError.of("capacity", capacity, "at least 1", "say how many lines may wait")
        self._origin = Origin(
            clean_text(service),
            None if environment is None else clean_text(environment),
            _version_of(service) if version is None else clean_text(version),
            process_key() if pseudonym_key is None else pseudonym_key,
        )
        self._seq = itertools.count(1)
        self._outlets = tuple(Outlet(sink, capacity, self._notice) for sink in sinks)
        self._is_closed = False
        self._is_watched = False
        self._late = 0
        _JOURNALS.add(self)

    def __call__(self, event: Event) -> None:
        """Take an event; never blocks, never raises."""
        self._take(event, get_contextvars())

    @contextmanager
    def bound(
        self, *, request: str | int | None = None, session: str | int | None = None, user: str | int | None = None
    ) -> Iterator[None]:
        """Bind who it is for, for the length of a `with`, to every event and line of this thread or task.

        What an event says itself wins. A new thread starts with nothing bound, an asyncio task with what its maker had.

        Parameters
        ----------
        request, session, user : str or int, optional
            Ids; session and user are hidden at once, so that other structlog loggers see pseudonyms too.
        """
        given = {
            "request": request if request is None else str(request),
            "session": session if session is None else str(session),
            "user": user if user is None else str(user),
        }
        bound = {
            name: value if name == "request" else pseudonym(value, self._origin.key)
            for name, value in given.items()
            if value
        }
        with bound_contextvars(**bound):
            yield

    def logger(self, **fields: Any) -> Any:
        """Return a structlog logger for the application's own lines: `logger.info("booked", room="A1")`.

        What is given with a call wins over what `bind` and `structlog.contextvars` hold. A field that has the name of
        one that every line has is written as `field_NAME`; `request`, `session` and `user` may be given. `exception`
        and `exc_info` write what `relkit.errors.error_context` keeps of an error.

        Parameters
        ----------
        **fields
            On every line of this logger.
        """
        return structlog.wrap_logger(
            self,
            processors=[self._log],
            wrapper_class=structlog.make_filtering_bound_logger(0),
            context_class=dict,
            cache_logger_on_first_use=False,
            **fields,
        )

    def flush(self, timeout_s: float = CLOSE_WITHIN_S) -> bool:
        """Wait until all sinks have what was told so far; False when the time was too short for one of them."""
        until_s = time.monotonic() + timeout_s
        reached = [outlet.mark() for outlet in self._outlets]
        waited = [mark.wait(max(0.0, until_s - time.monotonic())) for mark in reached]
        return all(waited)

    def close(self, timeout_s: float = CLOSE_WITHIN_S) -> bool:
        """Write what waits, and finish the sinks; False when the time was too short for one, whose rest is lost.

        Called at the exit of the process too. What is told afterwards is dropped and counted.
        """
        if self._is_closed:
            return True
        self._is_closed = True
        until_s = time.monotonic() + timeout_s
        for outlet in self._outlets:
            outlet.end()
        ended = [outlet.wait(until_s) for outlet in self._outlets]
        return all(ended)

    @property
    def status(self) -> tuple[SinkStatus, ...]:
        """Return how each sink keeps up, in the order given."""
        return tuple(outlet.status for outlet in self._outlets)

    @property
    def dropped(self) -> int:
        """Lines that some sink did not get: its queue was full, it raised, or the journal was closed."""
        return self._late + sum(outlet.dropped + outlet.failed for outlet in self.status)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def _take(self, said: Event | Line, bound: Mapping[str, Any]) -> None:
        if self._is_closed:
            self._late += 1
            return
        if not self._is_watched:
            self._is_watched = True
            _close_with_worker(self)
        waiting = _Waiting(said, self._origin, bound, next(self._seq))
        for outlet in self._outlets:
            outlet.offer(waiting)

    def _log(self, logger: object, method: str, said: Any) -> Any:
        """Take a line of the application's own, redacted at once: what it holds may change when the call returns."""
        del logger
        bound = get_contextvars()
        error = said.pop("exc_info", None)
        if error is True:
            error = sys.exc_info()[1]
        elif isinstance(error, tuple):
            error = error[1]
        try:
            line = self._own_line(_LEVELS.get(method, method), error, said, bound)
        except Exception:  # noqa: BLE001 - a stranger's value; to tell of something must not end it
            line = Line("log", now_us(), "error", UNWRITABLE, {})
        self._take(line, bound)
        raise structlog.DropEvent

    def _own_line(self, level: str, error: object, said: Any, bound: Mapping[str, Any]) -> Line:
        key = self._origin.key
        message = said.pop("event", "")
        given = {**{name: value for name, value in bound.items() if name not in ASKED_FOR}, **said}
        clean: dict[str, Any] = {}
        for name, value in plain(redact(given, key=key)).items():
            clean[name if name in ASKED_FOR else unreserved(name, clean)] = value
        if isinstance(error, BaseException):
            clean[unreserved("error", clean)] = plain(error_context(error, key=key).record())
        text = message if isinstance(message, str) else str(plain(redact(message, key=key)))
        return Line("log", now_us(), level, clean_text(text), clean)

    def _notice(self, dropped: int) -> _Waiting:
        text = f"{several(dropped, 'line')} dropped: this sink did not keep up"
        return _Waiting(
            Line("dropped", now_us(), "warning", text, {"lines": dropped}), self._origin, _NOTHING, next(self._seq)
        )

    def _begin_in_child(self) -> None:
        """Begin anew in a forked process; what waited is the parent's to write."""
        self._is_watched = False
        for outlet in self._outlets:
            outlet.restart()


def _version_of(distribution: str) -> str | None:
    try:
        return metadata.version(distribution)
    except (metadata.PackageNotFoundError, ValueError):
        return None


_JOURNALS: Final[weakref.WeakSet[Journal]] = weakref.WeakSet()


def _close_all() -> None:
    until_s = time.monotonic() + CLOSE_WITHIN_S
    for journal in list(_JOURNALS):
        journal.close(max(0.0, until_s - time.monotonic()))


def _begin_in_child() -> None:
    for journal in list(_JOURNALS):
        journal._begin_in_child()  # noqa: SLF001  this module's own


def _close_with_worker(journal: Journal) -> None:
    """A worker of multiprocessing ends without `atexit`; it has a way of its own."""
    if multiprocessing.parent_process() is not None:
        from multiprocessing.util import Finalize  # noqa: PLC0415  only a worker needs it

        Finalize(journal, journal.close, exitpriority=10)


atexit.register(_close_all)
os.register_at_fork(after_in_child=_begin_in_child)
