"""W1 as its user would write it with SimPy, pybreaker and tenacity: the same traffic and settings, other draws.

What the packages cannot do stays out or is bent as little as it takes: pybreaker has no threshold that adapts, and reads the
clock of the machine, which is patched; tenacity sleeps through a callable, so the wait is noted and yielded.
"""

import itertools
import random
from bisect import bisect_left
from collections import Counter, OrderedDict
from collections.abc import Generator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Any, Final

import pybreaker
import simpy
from tenacity import RetryCallState, Retrying

RATE: Final = 50.0
MODELS: Final = (("first", 28, 0.45), ("second", 16, 0.90), ("third", 16, 0.70))
SIGMA: Final = 0.6
QUEUE: Final = 256
TIMEOUT_S, DEADLINE_S, ERROR_S, HIT_S = 3.0, 30.0, 0.02, 0.001
OUTAGE, LIMITED, LIMITED_SHARE = (600.0, 660.0), (1200.0, 1320.0), 0.3
SERVER_ERRORS, INVALID = 0.01, 0.005
KEYS, POPULARITY, KEPT, TTL_S = 100_000, 0.8, 5_000, 300.0
Steps = Generator[Any, Any, None]


class CallError(Exception):
    """A try failed."""


class RateLimited(CallError):  # noqa: N818  each is named as what happened
    """Status 429."""


class TimedOut(CallError):  # noqa: N818
    """No answer in time."""


class Invalid(CallError):  # noqa: N818
    """Status 400: the request itself is wrong."""


class Bucket:
    """A hundred retries in store; each new request adds a tenth, each retry takes one."""

    def __init__(self) -> None:
        self.tokens = 100.0

    def deposit(self) -> None:
        self.tokens = min(100.0, self.tokens + 0.1)

    def withdraw(self) -> bool:
        if self.tokens < 1.0:
            return False
        self.tokens -= 1.0
        return True


@dataclass(slots=True)
class Model:
    """One model: its places, its speed and its breaker."""

    name: str
    median_s: float
    servers: simpy.Resource
    breaker: pybreaker.CircuitBreaker


class World:
    """The clients and the models of W1."""

    def __init__(self, requests: int, seed: int) -> None:
        self.env = env = simpy.Environment()
        self.random = random.Random(seed)
        self.requests = requests
        self.ends: Counter[str] = Counter()
        self.tries = 0
        self.bucket = Bucket()
        self.cache: OrderedDict[int, float] = OrderedDict()
        weights = [rank**-POPULARITY for rank in range(1, KEYS + 1)]
        total = sum(weights)
        self.popularity = list(itertools.accumulate(weight / total for weight in weights))
        self.models = [
            Model(
                name,
                median_s,
                simpy.Resource(env, servers),
                pybreaker.CircuitBreaker(fail_max=5, reset_timeout=10, success_threshold=3, exclude=[Invalid]),
            )
            for name, servers, median_s in MODELS
        ]
        begin = datetime(2026, 1, 1, tzinfo=UTC)

        class VirtualTime(datetime):
            """The clock that pybreaker reads."""

            @classmethod
            def now(cls, tz: tzinfo | None = None) -> datetime:  # noqa: ARG003  as datetime has it
                return begin + timedelta(seconds=env.now)

        self.clock = VirtualTime

    def run(self) -> None:
        """Play all requests to their end."""
        self.env.process(self.arrive())
        self.env.run()

    def arrive(self) -> Steps:
        for _ in range(self.requests):
            yield self.env.timeout(self.random.expovariate(RATE))
            self.env.process(self.request())

    def request(self) -> Steps:
        env, began_s = self.env, self.env.now
        self.bucket.deposit()
        key = min(bisect_left(self.popularity, self.random.random()), KEYS - 1)
        kept_s = self.cache.get(key)
        if kept_s is not None and env.now - kept_s <= TTL_S:
            self.cache.move_to_end(key)
            yield env.timeout(HIT_S)
            self.ends["cached"] += 1
            return
        is_invalid = self.random.random() < INVALID
        for model in self.models:
            try:
                yield from self.with_retries(model, began_s, is_invalid=is_invalid)
            except Invalid:
                self.ends["failed"] += 1
                return
            except (CallError, pybreaker.CircuitBreakerError):
                if env.now - began_s >= DEADLINE_S:
                    break
                continue
            self.cache[key] = env.now
            self.cache.move_to_end(key)
            if len(self.cache) > KEPT:
                self.cache.popitem(last=False)
            self.ends["fresh"] += 1
            return
        if key in self.cache:
            self.ends["stale"] += 1
        else:
            self.ends["failed"] += 1

    def with_retries(self, model: Model, began_s: float, *, is_invalid: bool) -> Steps:
        waits: list[float] = []

        def stop(state: RetryCallState) -> bool:
            error = state.outcome.exception() if state.outcome else None
            most = 4 if isinstance(error, RateLimited) else 6
            late = self.env.now + state.upcoming_sleep - began_s >= DEADLINE_S
            return state.attempt_number >= most or late or not self.bucket.withdraw()

        def wait(state: RetryCallState) -> float:
            error = state.outcome.exception() if state.outcome else None
            if isinstance(error, RateLimited):
                delay_s = min(60.0, 5.0 * 3.0 ** (state.attempt_number - 1) * 3.0)
            else:
                delay_s = min(2.0, 0.1 * 1.5 ** (state.attempt_number - 1))
                delay_s *= 0.5 if isinstance(error, TimedOut) else 1.0
            return delay_s * (0.5 + 0.5 * self.random.random())

        def retryable(state: RetryCallState) -> bool:
            error = state.outcome.exception() if state.outcome else None
            return isinstance(error, CallError) and not isinstance(error, Invalid)

        for attempt in Retrying(stop=stop, wait=wait, retry=retryable, sleep=waits.append, reraise=True):
            if waits:
                yield self.env.timeout(waits.pop())
            with attempt, model.breaker.calling():
                yield from self.call(model, is_invalid=is_invalid)

    def call(self, model: Model, *, is_invalid: bool) -> Steps:
        env = self.env
        self.tries += 1
        if model.name == "first":
            if OUTAGE[0] <= env.now < OUTAGE[1]:
                yield env.timeout(ERROR_S)
                raise CallError
            if LIMITED[0] <= env.now < LIMITED[1] and self.random.random() < LIMITED_SHARE:
                yield env.timeout(ERROR_S)
                raise RateLimited
        if is_invalid:
            yield env.timeout(ERROR_S)
            raise Invalid
        if self.random.random() < SERVER_ERRORS:
            yield env.timeout(ERROR_S)
            raise CallError
        if len(model.servers.queue) >= QUEUE:
            yield env.timeout(ERROR_S)
            raise CallError
        work = env.process(self.serve(model))
        patience = env.timeout(TIMEOUT_S)
        yield work | patience
        if not work.processed:
            raise TimedOut  # the server works on

    def serve(self, model: Model) -> Steps:
        with model.servers.request() as place:
            yield place
            yield self.env.timeout(model.median_s * self.random.lognormvariate(0.0, SIGMA))


def play(requests: int, seed: int) -> World:
    """Play W1 once; pybreaker sees the simulated time meanwhile."""
    world = World(requests, seed)
    home = _module_with_clock()
    real = home.datetime
    home.datetime = world.clock
    try:
        world.run()
    finally:
        home.datetime = real
    return world


def _module_with_clock() -> Any:
    """The module of pybreaker that reads the clock; it has moved between versions."""
    import importlib  # noqa: PLC0415
    import sys  # noqa: PLC0415

    for name in ("pybreaker", pybreaker.CircuitBreaker.__module__):
        importlib.import_module(name)
        if hasattr(sys.modules[name], "datetime"):
            return sys.modules[name]
    raise RuntimeError("pybreaker reads the clock in a way that this benchmark does not know")
