"""Calls at a steady rate through an async Pipeline, and through tenacity with pybreaker: what `benchmarks.live_load` measures.

All take turns of one second in one event loop, so that whatever else the machine does falls on all of them alike. The
service is a coroutine of the same process, which sleeps: sockets would hide what is measured.
"""

import asyncio
import random
import time
from array import array
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from relkit.live.answers import Request
from relkit.live.events import PairEvent
from relkit.live.pipeline import Pipeline
from relkit.live.shadowing import Mirror
from relkit.policies.policy import Policy
from relkit.policies.records import BreakerSettings
from relkit.policies.retry_budget import PER_REQUEST, RetryBudgetSettings
from relkit.policies.retry_settings import Retry, RetrySettings

SERVICE_S: Final = 0.005
FAILS_EVERY: Final = 200  # a try in so many fails
GIVEN_UP_EVERY: Final = 1000  # and one call in so many is cancelled by its caller
GIVE_UP_S: Final = 0.002
TRIES: Final = 3
FIRST_WAIT_S: Final = 0.01


class BrokenError(ConnectionError):
    """A try of the pretended service that failed."""


@dataclass(slots=True)
class Timed:
    """One call: its number, how often it was tried, and the time spent in the service."""

    number: int
    tries: int = 0
    inside_s: float = 0.0

    async def serve(self) -> int:
        """Answer with the number, which is its own for each call."""
        self.tries += 1
        began_s = time.perf_counter()
        await asyncio.sleep(SERVICE_S)
        self.inside_s += time.perf_counter() - began_s
        if self.tries == 1 and self.number % FAILS_EVERY == 0:
            raise BrokenError
        return self.number


Send = Callable[[Timed], Awaitable[object]]


@dataclass(slots=True)
class Turns:
    """What the turns of one candidate took."""

    send: Send
    added_us: "array[float]"  # as long as it will get, so that it does not look like a leak
    noted: int = 0
    cpu_s: list[float] = field(default_factory=list)
    calls: int = 0
    failed: int = 0
    wrong: int = 0
    rss_mb: list[float] = field(default_factory=list)

    def quantile_us(self, level: float) -> float:
        """Microseconds that calls took beyond the service, at a level in [0, 1)."""
        return sorted(self.added_us[: self.noted])[int(level * self.noted)]

    async def one(self, number: int) -> None:
        """Make one call and note what it took."""
        timed = Timed(number)
        self.calls += 1
        began_s = time.perf_counter()
        try:
            if number % GIVEN_UP_EVERY == 1:
                with suppress(TimeoutError):
                    async with asyncio.timeout(GIVE_UP_S):
                        await self.send(timed)
                return
            found = await self.send(timed)
        except Exception:  # noqa: BLE001  of any library
            self.failed += 1
            return
        took_s = time.perf_counter() - began_s
        self.wrong += found != number
        if timed.tries == 1 and self.noted < len(self.added_us):
            self.added_us[self.noted] = 1e6 * (took_s - timed.inside_s)
            self.noted += 1

    async def turn(self, rate: float, seconds: float, luck: random.Random) -> None:
        """Make calls at random times for some seconds, and wait until all have ended."""
        cpu_s, began_s, due_s = time.process_time(), time.perf_counter(), luck.expovariate(rate)
        async with asyncio.TaskGroup() as tasks:
            while due_s < seconds:
                wait_s = due_s - (time.perf_counter() - began_s)
                await asyncio.sleep(max(wait_s, 0.0))
                tasks.create_task(self.one(self.calls))
                due_s += luck.expovariate(rate)
        self.cpu_s.append(time.process_time() - cpu_s)
        self.rss_mb.append(resident_mb())


def resident_mb() -> float:
    """Memory that this process holds now, in MB."""
    for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    raise OSError("the system does not say how much memory a process holds")


def bare() -> Send:
    """Call the service and nothing else: the noise of the measurement."""
    return Timed.serve


def libraries() -> Send:
    """Wrap calls in tenacity and pybreaker with the same numbers."""
    import pybreaker  # noqa: PLC0415  it may be absent
    from tenacity import AsyncRetrying, retry_if_exception_type, stop_after_attempt, wait_random_exponential  # noqa: PLC0415

    breaker = pybreaker.CircuitBreaker(fail_max=5, reset_timeout=30)
    retrying = AsyncRetrying(
        stop=stop_after_attempt(TRIES), wait=wait_random_exponential(FIRST_WAIT_S, max=1.0),
        retry=retry_if_exception_type(ConnectionError), reraise=True,
    )  # fmt: skip

    async def send(timed: Timed) -> object:
        async for attempt in retrying.copy():
            with attempt, breaker.calling():
                return await timed.serve()
        raise AssertionError("tenacity raises what failed last")

    return send


@dataclass(slots=True)
class Pairs:
    """What became of the pairs: each call's answer is its own number, so answers of two calls can never be equal."""

    compared: int = 0
    mismatched: int = 0
    other: int = 0

    def __call__(self, event: Any) -> None:
        """Take one event."""
        if isinstance(event, PairEvent):
            self.compared += event.state == "compared"
            self.mismatched += event.differs is True
            self.other += event.state != "compared"


def policy() -> Policy:
    """Return the same numbers as the libraries have."""
    return Policy(
        "load", "2026-11", "relkit: the load benchmark",
        BreakerSettings(failure_threshold=5, open_s=30.0),
        Retry.of(RetrySettings(max_attempts=TRIES, first_delay_s=FIRST_WAIT_S, cap_s=1.0, deadline_s=60.0)),
        RetryBudgetSettings(PER_REQUEST, capacity=1000.0, earn=0.1),
    )  # fmt: skip


def through(pipeline: Pipeline) -> Send:
    """Send calls through a Pipeline."""

    async def send(timed: Timed) -> object:
        request = Request(only_reads=True, session_id=f"s{timed.number % 997}")
        return (await pipeline.acall(serve, timed, request=request)).value

    return send


async def serve(timed: Timed) -> int:
    """Call the service, and its shadow alike; a name of its own, because a pipeline calls functions."""
    return await timed.serve()


def play(candidates: tuple[str, ...], rate: float, seconds: int, share: float) -> dict[str, dict[str, Any]]:
    """Let the candidates take turns for so many seconds each, and say what each took."""
    pairs = Pairs()
    mirror = Mirror(serve, experiment="load", share=share, record=pairs, capacity=10_000, workers=1_000)
    pipelines = {"Pipeline": Pipeline(policy()), "Pipeline, shadowed": Pipeline(policy(), shadow=mirror)}
    makers: dict[str, Callable[[], Send]] = {"bare": bare, "tenacity + pybreaker": libraries} | {
        name: lambda pipeline=pipeline: through(pipeline)  # type: ignore[misc]
        for name, pipeline in pipelines.items()
    }
    room = round(1.1 * rate * seconds) + 1000
    turns = {name: Turns(makers[name](), array("d", [1.0]) * room) for name in candidates}

    async def all_turns() -> None:
        luck = random.Random(1)
        for _ in range(seconds):
            for one in turns.values():
                await one.turn(rate, 1.0, luck)

    asyncio.run(all_turns())
    is_closed = mirror.close(10.0)
    found: dict[str, dict[str, Any]] = {}
    for name, one in turns.items():
        found[name] = {
            "calls": one.calls, "failed": one.failed, "wrong": one.wrong, "cpu_s": one.cpu_s,
            "p50_us": one.quantile_us(0.5), "p99_us": one.quantile_us(0.99), "rss_mb": one.rss_mb,
        }  # fmt: skip
        if name in pipelines:
            found[name]["permits_out"] = sum(each.in_flight for each in pipelines[name].registry.status())
    if "Pipeline, shadowed" in found:
        status = mirror.status
        found["Pipeline, shadowed"] |= {
            "compared": pairs.compared, "mismatched": pairs.mismatched, "other": pairs.other, "mirrored": status.mirrored,
            "dropped": status.dropped, "given_up": status.given_up, "closed": is_closed, "in_flight": status.in_flight,
        }  # fmt: skip
    return found
