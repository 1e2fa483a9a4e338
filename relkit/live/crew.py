"""Who does the work of a mirror beside the calls: threads for plain functions, an event loop of its own for async ones."""

import asyncio
import threading
from collections.abc import Callable
from contextlib import suppress
from inspect import isawaitable
from queue import SimpleQueue
from typing import Protocol

Job = Callable[[], object]
"""Something to do; in a loop, what it returns is awaited where it can be."""


class Crew(Protocol):
    """Does jobs, at most so many at once."""

    def do(self, job: Job) -> None:
        """Take a job; returns at once."""

    def end(self) -> None:
        """Do what was taken, and nothing more."""


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
                name = f"relkit shadow {self._started + 1}"
                with suppress(RuntimeError):  # no thread can be had: the job waits for one of the others, or the next
                    threading.Thread(target=self._run, name=name, daemon=True).start()
                    self._started += 1

    def end(self) -> None:
        """Do what was taken, and nothing more."""
        for _ in range(self._workers):
            self._jobs.put(None)

    def _run(self) -> None:
        while (job := self._jobs.get()) is not None:
            with self._lock:
                self._busy += 1
            with suppress(BaseException):  # a stranger's answer may raise when it is compared; the next job goes on
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
        self._runs = False
        self._tasks: set[asyncio.Task[None]] = set()

    def do(self, job: Job) -> None:
        """Take a job; returns at once."""
        with self._lock:
            if self._loop is None:
                self._loop = asyncio.new_event_loop()
                self._turn = asyncio.Semaphore(self._workers)
            if not self._runs:
                with suppress(RuntimeError):  # no thread can be had: the jobs wait for the next
                    threading.Thread(target=self._loop.run_forever, name="relkit shadows", daemon=True).start()
                    self._runs = True
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
            with suppress(BaseException):  # see `Threads`
                doing = job()
                if isawaitable(doing):
                    await doing

    async def _stop(self) -> None:
        while self._tasks:
            await asyncio.wait(self._tasks)
        asyncio.get_running_loop().stop()
