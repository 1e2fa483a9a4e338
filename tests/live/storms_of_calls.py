"""Many calls at once, some given up at a random moment: what must be true of the books when the storm is over."""

import asyncio
import random
import threading
from collections import Counter
from dataclasses import dataclass, field

from relkit.live.answers import CallFailedError, CircuitOpenError, Request
from relkit.live.events import AttemptEvent, Event
from relkit.live.pipeline import Pipeline
from relkit.policies.codes import HALF_OPEN
from relkit.policies.policy import Policy
from relkit.policies.records import BreakerSettings
from relkit.policies.retry_budget import ENVOY, RetryBudgetSettings
from relkit.policies.retry_settings import Retry, RetrySettings

READS = Request(only_reads=True)
# Half open for ever: no number of successes closes it, so a permit that is lost is lost for good and is seen.
TRIAL = BreakerSettings(
    failure_threshold=1, open_s=1e-9, half_open_permits=600, half_open_successes=10**6, counts=0
)  # fmt: skip


class GivenUpError(BaseException):
    """Stands for Ctrl-C within a thread."""


@dataclass
class Books:
    """What a storm left behind."""

    ended: Counter[str] = field(default_factory=Counter)
    sent: int = 0
    told: Counter[str] = field(default_factory=Counter)
    in_flight: int = 0
    is_half_open: bool = False
    active: int = 0
    retrying: int = 0

    @property
    def adds_up(self) -> bool:
        """Whether each call ended once, each try was told once, and nothing is still out."""
        tries = self.told["answered"] + self.told["failed"] + self.told["given up"]
        rejected = self.told["rejected"] == self.ended["open"]
        return rejected and tries == self.sent and (self.in_flight, self.active, self.retrying) == (0, 0, 0)


def policy(breaker: BreakerSettings) -> Policy:
    """Retries that wait a little, paid by a budget that counts what is in flight."""
    loop = RetrySettings(max_attempts=3, first_delay_s=0.002)
    purse = RetryBudgetSettings(ENVOY, retry_share=1.0, least_retries=1000)
    return Policy("storm", "2026-11", "test", breaker, Retry.of(loop), purse)


class _Storm:
    def __init__(self, breaker: BreakerSettings, *, half_open: bool) -> None:
        self.books, self._lock = Books(), threading.Lock()
        self.pipeline = Pipeline(policy(breaker), record=self.hear)
        if half_open:
            guard = self.pipeline.registry.breaker()
            assert guard is not None
            guard.trip()
            assert guard.word == "half_open"

    def hear(self, event: Event) -> None:
        if isinstance(event, AttemptEvent):
            word = "answered" if event.ok else "given up" if event.ok is None else "failed"
            with self._lock:
                self.books.told["rejected" if event.kind == "CIRCUIT_OPEN" else word] += 1

    def count(self, ending: str) -> None:
        with self._lock:
            self.books.ended[ending] += 1

    def count_sent(self) -> None:
        with self._lock:
            self.books.sent += 1

    def over(self) -> Books:
        breaker, purse = self.pipeline.registry.breaker(), self.pipeline.registry.purse()
        assert breaker is not None
        self.books.is_half_open = breaker.state.state == HALF_OPEN
        # Outside of half open nothing counts permits: what was in flight belongs to a generation that is over.
        self.books.in_flight = breaker.state.in_flight if self.books.is_half_open else 0
        self.books.active, self.books.retrying = purse.state.active, purse.state.retrying
        return self.books


def tasks(
    count: int, seed: int, *, breaker: BreakerSettings, half_open: bool, failing: float, cancelled: float
) -> Books:
    """Run so many asyncio tasks at once and cancel a share of them at random moments, within tries and waits."""
    chance, storm = random.Random(seed), _Storm(breaker, half_open=half_open)

    async def work(seconds: float, fails: bool) -> int:
        storm.count_sent()
        await asyncio.sleep(seconds)
        if fails:
            raise ConnectionResetError
        return 1

    async def one(seconds: float, fails: bool) -> None:
        try:
            await storm.pipeline.acall(work, seconds, fails, request=READS)
            storm.count("answered")
        except CircuitOpenError:
            storm.count("open")
        except CallFailedError:
            storm.count("failed")
        except asyncio.CancelledError:
            storm.count("cancelled")
            raise

    async def all_of_them() -> None:
        loop = asyncio.get_running_loop()
        begun = []
        for _ in range(count):
            task = asyncio.create_task(one(chance.uniform(0.0, 0.01), chance.random() < failing))
            if chance.random() < cancelled:
                loop.call_later(chance.uniform(0.0, 0.03), task.cancel)
            begun.append(task)
            if chance.random() < 0.1:
                await asyncio.sleep(0.001)
        await asyncio.gather(*begun, return_exceptions=True)

    asyncio.run(all_of_them())
    return storm.over()


def threads(
    count: int, calls: int, seed: int, *, breaker: BreakerSettings, half_open: bool, failing: float, given_up: float
) -> Books:
    """Make so many calls in each of some threads; a share of the tries ends by an exception that is no Exception."""
    storm = _Storm(breaker, half_open=half_open)

    def work(chance: random.Random) -> int:
        storm.count_sent()
        if chance.random() < given_up:
            raise GivenUpError
        if chance.random() < failing:
            raise ConnectionResetError
        return 1

    def run(number: int) -> None:
        chance = random.Random(seed * 1000 + number)
        for _ in range(calls):
            try:
                storm.pipeline.call(work, chance, request=READS)
                storm.count("answered")
            except CircuitOpenError:
                storm.count("open")
            except CallFailedError:
                storm.count("failed")
            except GivenUpError:
                storm.count("given up")

    begun = [threading.Thread(target=run, args=(number,)) for number in range(count)]
    for thread in begun:
        thread.start()
    for thread in begun:
        thread.join()
    return storm.over()
