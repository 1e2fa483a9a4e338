"""The simulator's servers with real Pipelines in front: the oracle's queues, bad times and draws, and none of its decisions.

`LiveOracle` replaces everything the oracle's clients decide by `relkit.live.pipeline.Pipeline`, one for each client, on the
oracle's clock and with its keyed draws. What comes out stands in the oracle's own rows, so both can be compared bit for bit.
"""

import sys
import threading
from bisect import bisect_right
from collections.abc import Callable, Generator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from relkit.errors.classifier import Classification
from relkit.errors.kinds import ADVICE, ErrorKind
from relkit.exceptions import ParameterError
from relkit.live.answers import Answer, CallFailedError, Request
from relkit.live.cache import AnswerCache
from relkit.live.events import AttemptEvent, Event
from relkit.live.pipeline import Pipeline
from relkit.live.registry import Registry
from relkit.policies.codes import STATES
from relkit.policies.failure import KIND_TIMEOUT
from relkit.policies.policy import Policy
from relkit.policies.retry_settings import PLAN_ORDER, Retry, RetrySettings
from relkit.simulation.actors import Call
from relkit.simulation.agenda import WAKE
from relkit.simulation.draws import ARRIVAL, PERMIT, REQUEST, WAIT
from relkit.simulation.oracle import Oracle
from relkit.simulation.room import COUNTERS
from relkit.simulation.scenario import Scenario
from relkit.simulation.workload import CACHED, ENDS, FAILED, FRESH, REJECTED, STALE, Workload, workload_of

sys.path.append(str(Path(__file__).resolve().parents[1] / "simulation"))
from random_runs import random_run

BY_NUMBER = {advice.int_code: kind for kind, advice in ADVICE.items()}


class FailedError(Exception):
    """What a simulated server answered instead of an answer."""

    def __init__(self, kind: int, hint_s: float) -> None:
        super().__init__(kind)
        self.kind, self.hint_s = kind, hint_s


def classified(error: BaseException) -> Classification:
    assert isinstance(error, FailedError), error
    kind = BY_NUMBER[error.kind]
    advice = ADVICE[kind]
    return Classification(
        kind, advice.retryable, advice.max_retries, error.hint_s if error.hint_s >= 0.0 else None,
        advice.maybe_executed_default, advice.severity, advice.alert, None, advice.fallback, "test", "",
    )  # fmt: skip


@dataclass(frozen=True)
class Sending:
    """A pipeline asks to send to a model."""

    model: str | None


@dataclass(frozen=True)
class Waiting:
    """A pipeline asks to wait."""

    wait_s: float


Wish = Sending | Waiting | Answer[Any] | CallFailedError


class InTask:
    """`Pipeline.acall` as a coroutine that is stepped by hand."""

    def __init__(self, pipeline: Pipeline, request: Request) -> None:
        self.work = pipeline.acall(self._send, request=request)

    async def _send(self, **told: Any) -> str:
        return await _Handed(Sending(told.get("model")))

    @staticmethod
    async def wait(wait_s: float) -> None:
        await _Handed(Waiting(wait_s))

    def go_on(self, said: FailedError | str | None) -> Wish:
        try:
            wish = self.work.throw(said) if isinstance(said, FailedError) else self.work.send(said)
        except StopIteration as end:
            answer: Answer[Any] = end.value
            return answer
        except CallFailedError as error:
            return error
        assert isinstance(wish, Sending | Waiting)
        return wish


class _Handed:
    def __init__(self, wish: Sending | Waiting) -> None:
        self.wish = wish

    def __await__(self) -> Generator[Sending | Waiting, Any, Any]:
        return (yield self.wish)


class InThread:
    """`Pipeline.call` in a thread of its own that runs only while it is its turn."""

    here = threading.local()

    def __init__(self, pipeline: Pipeline, request: Request) -> None:
        self.mine, self.yours = threading.Semaphore(0), threading.Semaphore(0)
        self.wish: Wish | BaseException | None = None
        self.said: FailedError | str | None = None
        self.thread = threading.Thread(target=self._run, args=(pipeline, request), daemon=True)

    def _run(self, pipeline: Pipeline, request: Request) -> None:
        InThread.here.now = self
        self.mine.acquire()
        try:
            self.wish = pipeline.call(self._send, request=request)
        except BaseException as error:  # noqa: BLE001  it is handed over
            self.wish = error
        self.yours.release()

    def _hand_over(self, wish: Wish) -> FailedError | str | None:
        self.wish = wish
        self.yours.release()
        self.mine.acquire()
        return self.said

    def _send(self, **told: Any) -> str:
        said = self._hand_over(Sending(told.get("model")))
        if isinstance(said, FailedError):
            raise said
        assert said is not None
        return said

    @staticmethod
    def wait(wait_s: float) -> None:
        InThread.here.now._hand_over(Waiting(wait_s))

    def go_on(self, said: FailedError | str | None) -> Wish:
        if not self.thread.is_alive():
            self.thread.start()
        self.said = said
        self.mine.release()
        self.yours.acquire()
        wish = self.wish
        if isinstance(wish, BaseException) and not isinstance(wish, CallFailedError):
            raise wish
        assert wish is not None
        return wish


class LiveOracle(Oracle):
    """One run with real Pipelines.

    Parameters
    ----------
    work : Workload
        What to run.
    scenario, policy
        What it was made of.
    carrier : type
        `InTask` or `InThread`.
    """

    def __init__(self, work: Workload, scenario: Scenario, policy: Policy, carrier: "type[InTask | InThread]") -> None:
        super().__init__(work)
        self.policy, self.carrier = policy, carrier
        self.names = [model.name for model in scenario.models]
        self.on_way: dict[int, tuple[Call, InTask | InThread]] = {}
        self.answers: dict[int, Answer[Any] | CallFailedError] = {}
        self.shelf = None
        if self.popularity:
            assert policy.freshness is not None
            self.shelf = AnswerCache(policy.freshness, entries=work.setup.cache_capacity, clock=self.clock)
        self.pipelines = [self._pipeline(number) for number in range(work.setup.clients)]

    def clock(self) -> float:
        return self.now_s

    def _pipeline(self, client: int) -> Pipeline:
        registry = Registry({"default": self.policy}, clock=self.clock, now_us=lambda: 0)
        for model in self.chain:
            name = None if self.policy.fallback is None else self.names[model]
            breaker = registry.breaker("default", name)
            if breaker is not None:
                breaker.on_change = self._noting(breaker.state, client, model)
        return Pipeline(
            self.policy, registry=registry, cache=self.shelf, record=self._hear, clock=self.clock, now_us=lambda: 0,
            sleep=InThread.wait, async_sleep=InTask.wait, draw=self._draw, classify=classified,
        )  # fmt: skip

    def _noting(self, state: Any, client: int, model: int) -> Callable[[object], None]:
        return lambda _: self.transitions.append(
            (state.since_s, client, model, state.state, state.why, state.why_value, state.threshold)
        )

    def _draw(self, purpose: str, request_id: str, attempt: int, place: int) -> float:
        if purpose == "permit":
            return self.draws.at(int(request_id), attempt, PERMIT + place)[0]
        return self.draws.at(int(request_id), attempt, WAIT)[0]

    def _hear(self, event: Event) -> None:
        """Keep a try as the journal has it; what stands for no try (cached, rejected) is no row of the oracle either."""
        if not isinstance(event, AttemptEvent) or event.cache_hit or event.kind == "CIRCUIT_OPEN":
            return
        call = self.on_way[int(event.request_id)][0]
        kind = ADVICE[ErrorKind(event.kind)].int_code if event.kind else 0
        model = self.chain[0] if event.model is None else self.names.index(event.model)
        state = 0 if event.breaker_state is None else STATES.index(event.breaker_state)
        took_s = self.now_s - call.attempt_s
        self.tries.append((call.number, event.attempt, model, call.attempt_s, took_s, call.waited_s, kind, state))
        call.waited_s = 0.0

    # In place of the oracle's clients

    def arrive(self, number: int) -> None:
        self.count("arrivals")
        key = None
        if self.popularity:
            key = min(bisect_right(self.popularity, self.draws.at(number, 0, ARRIVAL)[1]), len(self.popularity) - 1)
        client = 0
        if self.setup.clients > 1:
            client = int(self.draws.at(number, 0, REQUEST)[1] * self.setup.clients)
        call = Call(number, self.clients[client], key, self.now_s)
        has_key = "again" if self.setup.has_key and key is None else None
        request = Request(
            only_reads=key is not None, cache_key=key, idempotency_key=has_key, request_id=str(number)
        )  # fmt: skip
        self.on_way[number] = (call, self.carrier(self.pipelines[client], request))
        self._go_on(call, None)

    def hear(self, call: Call, kind: int) -> None:
        call.waits_for, call.kind = 0, kind
        if kind == KIND_TIMEOUT:
            self.count("timeouts")
        self._go_on(call, FailedError(kind, call.hint_s) if kind else "an answer")

    def ask(self, call: Call) -> None:
        self._go_on(call, None)  # a wait is over

    def send(self, call: Call) -> None:
        self._go_on(call, None)  # a wait is over

    def _go_on(self, call: Call, said: FailedError | str | None) -> None:
        wish = self.on_way[call.number][1].go_on(said)
        if isinstance(wish, Sending):
            call.place = 0 if wish.model is None else self.chain.index(self.names.index(wish.model))
            super().send(call)
        elif isinstance(wish, Waiting):
            call.waited_s = wish.wait_s
            attempt, model = call.retry.total_attempts, self.chain[call.place]
            self.plan(self.now_s + wish.wait_s, call, attempt, model, WAKE)
        else:
            self._ended(call, wish)

    def _ended(self, call: Call, wish: Answer[Any] | CallFailedError) -> None:
        del self.on_way[call.number]
        self.answers[call.number] = wish
        attempts, model, kind = len(wish.attempts), -1, call.kind
        assert attempts == call.retry.total_attempts
        latency_s = self.now_s - call.came_s
        if isinstance(wish, CallFailedError):
            outcome, kind = FAILED if attempts else REJECTED, ADVICE[wish.kind].int_code
        elif not wish.from_cache:
            outcome, kind = FRESH, 0
            model = self.chain[0] if wish.model is None else self.names.index(wish.model)
        elif wish.degraded:
            outcome, latency_s = STALE, latency_s + self.setup.hit_s
            kind = kind if attempts else ADVICE[ErrorKind.CIRCUIT_OPEN].int_code
        else:
            outcome, kind, latency_s = CACHED, 0, self.setup.hit_s
        self.results[call.number] = (call.came_s, latency_s, 0, attempts, outcome, kind, model)
        self.count(ENDS[outcome])


def compare(scenario: Scenario, policy: Policy, seed: int, carrier: "type[InTask | InThread]") -> LiveOracle | None:
    """Run a script both ways; raise AssertionError where they differ, and return None where both refuse it."""
    if not scenario.has_key and not _guards(policy):
        # Live every policy guards repeats; of those that do not, only calls that are safe to repeat come out the same.
        scenario = scenario.changed(has_key=True)
    if not scenario.has_key:
        # A live call that may not be repeated is one that writes, and such a call is never answered from a cache.
        scenario = scenario.changed(cache=None)
    work = workload_of(scenario, policy, seed, keeps_attempts=True)
    simulated, live = Oracle(work), LiveOracle(work, scenario, policy, carrier)
    found = []
    for one in (simulated, live):
        try:
            found.append(one.run())
        except ParameterError as error:
            found.append(str(error))
    if isinstance(found[0], str) or isinstance(found[1], str):
        assert found[0] == found[1]
        return None
    for name in ("requests", "transitions", "tries"):
        mine, its = getattr(found[0], name), getattr(found[1], name)
        assert len(mine) == len(its), f"{name}: {len(mine)} simulated, {len(its)} live"
        for column in mine.dtype.names:
            wrong = (mine[column] != its[column]).nonzero()[0]
            assert len(wrong) == 0, f"{name}.{column}: {mine[wrong[0]]} simulated, {its[wrong[0]]} live"
    # The oracle also counts rejections on the way, which a live call does not tell one by one.
    counted = [place for place, name in enumerate(COUNTERS) if name != "refused"]
    assert (found[0].seconds[:, counted] == found[1].seconds[:, counted]).all()
    _same_state(simulated, live)
    return live


def _guards(policy: Policy) -> bool:
    """Say whether a policy keeps calls that may have been carried out from being sent again."""
    if policy.retry is None:
        return True
    return policy.retry.order != PLAN_ORDER and all(part.guard_repeats for part in _loops(policy.retry))


def _same_state(simulated: Oracle, live: LiveOracle) -> None:
    """Breakers, RetryBudgets and cache are in the same state at the end, to the last bit."""
    for client, pipeline in zip(simulated.clients, live.pipelines, strict=True):
        service = pipeline.registry.service("default")
        assert (service.purse.state, service.purse.window) == (client.purse, client.slots)
        if not simulated.setup.has_breaker:
            continue
        for guard in client.guards:
            name = None if live.policy.fallback is None else live.names[guard.model]
            breaker = service.breakers[name]
            if not simulated.setup.draws_permit:
                guard.state.draw = breaker.state.draw = 0.5
            assert (breaker.state, breaker.window) == (guard.state, guard.window), name
    if live.shelf is not None:
        kept = [(place[2], at_s) for place, (_, at_s) in live.shelf._answers.items()]
        assert kept == list(simulated.cache.items())


def _loops(retry: Retry) -> tuple[RetrySettings, RetrySettings, RetrySettings]:
    return retry.transient, retry.rate_limited, retry.critical


def script(seed: int, requests: int) -> "tuple[Scenario, Policy, type[InTask | InThread]]":
    """A random scenario and policy, and who carries its calls: threads, or tasks where no event loop is needed for a limit."""
    scenario, policy = random_run(seed, requests)
    if policy.retry is not None:
        # Loops that try hundreds of times make the same decision hundreds of times.
        loop = [replace(part, max_total_attempts=max(part.max_attempts, 20)) for part in _loops(policy.retry)]
        policy = replace(policy, retry=Retry(*loop, policy.retry.order))
    has_limit = policy.breaker is not None and policy.breaker.timeout_s > 0.0
    return scenario, policy, InThread if has_limit or seed % 2 else InTask
