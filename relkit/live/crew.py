"""Who does the work of a mirror beside the calls: threads for plain functions, an event loop of its own for async ones."""

import asyncio
import threading
from collections.abc import Callable
from inspect import isawaitable, iscoroutinefunction
from queue import SimpleQueue
from typing import Any, Protocol

Job = Callable[[], object]
"""Something to do; in a loop, what it returns is awaited where it can be."""


class Crew(Protocol):
    """Does jobs, at most so many at once."""

    def do(self, job: Job) -> None:
        """Take a job; returns at once."""

    def end(self) -> None:
        """Do what was taken, and nothing more."""


def is_async(function: Callable[..., Any]) -> bool:
    """Say whether calling a function gives something to await.

    >>> is_async(asyncio.sleep), is_async(len)
    (True, False)
    """
    return iscoroutinefunction(function) or iscoroutinefunction(getattr(function, "__call__", None))  # noqa: B004  its kind is asked for


class Threads:
    """Daemon threads that take jobs in turn; a job that hangs holds one of them and never the process.

    Parameters
    ----------
    workers : int
        How many, at least 1; each starts when the first job needs it.
    """

    def __init__(self, workers: int) -> None:
        self._workers = workers
        self._jobs: SimpleQueue[Job | None] = SimpleQueue()
        self._started = self._busy = 0
        self._lock = threading.Lock()

    def do(self, job: Job) -> None:
        """Take a job; returns at once."""
        self._jobs.put(job)
        with self._lock:
            if self._started < self._workers and self._jobs.qsize() + self._busy > self._started:
                self._started += 1
                threading.Thread(target=self._run, name=f"relkit shadow {self._started}", daemon=True).start()

    def end(self) -> None:
        """Do what was taken, and nothing more."""
        for _ in range(self._workers):
            self._jobs.put(None)

    def _run(self) -> None:
        while (job := self._jobs.get()) is not None:
            with self._lock:
                self._busy += 1
            job()
            with self._lock:
                self._busy -= 1


class Loop:
    """A daemon thread with an event loop: shadows share it with each other and never with the calls.

    Parameters
    ----------
    workers : int
        Jobs at once, at least 1.
    """

    def __init__(self, workers: int) -> None:
        self._workers = workers
        self._lock = threading.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    def do(self, job: Job) -> None:
        """Take a job; returns at once."""
        with self._lock:
            if self._loop is None:
                self._loop = asyncio.new_event_loop()
                self._turn = asyncio.Semaphore(self._workers)
                threading.Thread(target=self._loop.run_forever, name="relkit shadows", daemon=True).start()
        self._loop.call_soon_threadsafe(self._start, job)

    def end(self) -> None:
        """Do what was taken, and nothing more."""
        if self._loop is not None:
            self._loop.call_soon_threadsafe(lambda: asyncio.ensure_future(self._stop()))

    def _start(self, job: Job) -> None:
        task = asyncio.ensure_future(self._run(job))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _run(self, job: Job) -> None:
        async with self._turn:
            doing = job()
            if isawaitable(doing):
                await doing

    async def _stop(self) -> None:
        while self._tasks:
            await asyncio.wait(self._tasks)
        asyncio.get_running_loop().stop()
