"""The forms of a call, sync and async: decorator, block, time limits, cancellation, and what is never held or leaked."""

import asyncio
from functools import partial
from inspect import iscoroutinefunction
from pathlib import Path
from typing import Any

import pytest

from relkit import Pipeline
from relkit.config.services import service_text
from relkit.errors import classify
from relkit.errors.kinds import ErrorKind
from relkit.exceptions import ParameterError
from relkit.live.answers import CallFailedError, CircuitOpenError, Offered, Primary, Request
from relkit.live.cache import AnswerCache
from relkit.live.events import AttemptEvent
from relkit.live.gate import Gate
from relkit.live.registry import Registry
from relkit.live.testing import rehearsal
from relkit.policies.fallback import FallbackModel, FallbackSettings
from relkit.policies.freshness import FreshnessSettings
from relkit.policies.policy import Policy
from relkit.policies.presets import presets
from relkit.policies.records import BreakerSettings
from relkit.policies.retry_budget import ENVOY, RetryBudgetSettings
from relkit.policies.retry_settings import Retry, RetrySettings

READS = Request(only_reads=True)
LOOP = RetrySettings(max_attempts=2, first_delay_s=1.0, jitter=0, deadline_s=120.0)
ONE_TRIAL = BreakerSettings(failure_threshold=1, open_s=10.0)


def policy(**parts: Any) -> Policy:
    return Policy("test", "2026-11", "test", **{"retry": Retry.of(LOOP), **parts})


def test_a_decorator_keeps_function_name_and_answer() -> None:
    pipeline = Pipeline(policy())

    @pipeline.wrap
    def double(number: int) -> int:
        """Twice."""
        return 2 * number

    @pipeline.wrap(request=READS)
    async def treble(number: int) -> int:
        return 3 * number

    assert (double(21), asyncio.run(treble(14)), double.__name__, double.__doc__) == (42, 42, "double", "Twice.")
    assert iscoroutinefunction(treble)
    assert not iscoroutinefunction(double)


def test_a_decorator_may_make_its_request_of_the_arguments() -> None:
    asked = []
    pipeline = Pipeline(policy(freshness=FreshnessSettings()))

    @pipeline.wrap(request=lambda town: Request(only_reads=True, cache_key=town))
    def weather(town: str) -> str:
        asked.append(town)
        return f"sun in {town}"

    assert [weather("Rome"), weather("Oslo"), weather("Rome")] == ["sun in Rome", "sun in Oslo", "sun in Rome"]
    assert asked == ["Rome", "Oslo"]


def test_a_block_is_one_try_and_its_errors_pass_through() -> None:
    pipeline = Pipeline(policy(breaker=BreakerSettings(failure_threshold=2)))
    cause = ConnectionRefusedError()
    with rehearsal() as seen:
        for _ in range(2):
            with pytest.raises(ConnectionRefusedError) as told, pipeline.attempt(READS):
                raise cause
            assert told.value is cause
        with pytest.raises(CircuitOpenError), pipeline.attempt():
            raise AssertionError("never reached")
    assert seen.waits_s == []
    assert [(event.ok, event.kind) for event in seen.of(AttemptEvent)] == [
        (False, "NETWORK_REFUSED"), (False, "NETWORK_REFUSED"), (False, "CIRCUIT_OPEN"),
    ]  # fmt: skip


def test_an_async_block_names_its_model() -> None:
    chain = FallbackSettings((FallbackModel("a", "x", 1000), FallbackModel("b", "y", 1000)))
    pipeline = Pipeline(policy(fallback=chain, breaker=BreakerSettings()))

    async def both() -> list[str | None]:
        found = []
        for model in (None, "b"):
            async with pipeline.attempt(model=model) as attempt:
                found.append(attempt.model)
        return found

    assert asyncio.run(both()) == ["a", "b"]
    with pytest.raises(ParameterError, match="a, b"):
        pipeline.attempt(model="c")


@pytest.mark.parametrize("ending", [KeyboardInterrupt, SystemExit, asyncio.CancelledError, GeneratorExit])
def test_a_call_that_is_given_up_gives_its_permit_back_and_blames_nobody(ending: type[BaseException]) -> None:
    def given_up() -> None:
        raise ending

    budget = RetryBudgetSettings(ENVOY)
    pipeline = Pipeline(policy(breaker=ONE_TRIAL, retry_budget=budget))
    breaker = pipeline.registry.breaker()
    assert breaker is not None
    with rehearsal() as seen:
        breaker.trip()
        seen.advance(10.0)
        for _ in range(3):  # half open has one permit: one that is lost would refuse the next call
            with pytest.raises(ending):
                pipeline.call(given_up, request=READS)
            with pytest.raises(ending), pipeline.attempt():
                raise ending
    assert (breaker.word, breaker.state.in_flight, pipeline.registry.purse().state.active) == ("half_open", 0, 0)
    assert [(event.ok, event.ended, event.kind) for event in seen.of(AttemptEvent)] == [(None, False, "CANCELLED")] * 6


def test_ctrl_c_within_a_wait_closes_the_books() -> None:
    def interrupted(_: float) -> None:
        raise KeyboardInterrupt

    def refused() -> None:
        raise ConnectionRefusedError

    pipeline = Pipeline(policy(breaker=ONE_TRIAL, retry_budget=RetryBudgetSettings(ENVOY)), sleep=interrupted)
    breaker = pipeline.registry.breaker()
    assert breaker is not None
    with pytest.raises(KeyboardInterrupt):
        pipeline.call(refused, request=READS)
    purse = pipeline.registry.purse().state
    assert (breaker.word, purse.active, purse.retrying) == ("closed", 0, 0)


def test_a_task_that_is_cancelled_is_no_failure_and_its_own_time_limit_is_one() -> None:
    async def slow() -> None:
        await asyncio.sleep(30.0)

    async def cancelled(pipeline: Pipeline) -> None:
        task = asyncio.create_task(pipeline.acall(slow, request=READS))
        await asyncio.sleep(0.01)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    pipeline = Pipeline(policy(breaker=BreakerSettings(failure_threshold=2, counts=0)), timeout_s=0.02)
    breaker = pipeline.registry.breaker()
    assert breaker is not None
    asyncio.run(cancelled(pipeline))
    assert breaker.state.run == 0
    with rehearsal(), pytest.raises(CallFailedError) as told:
        asyncio.run(pipeline.acall(slow, request=READS))
    assert [attempt.kind for attempt in told.value.attempts] == [ErrorKind.NETWORK_TIMEOUT] * 2
    assert breaker.word == "open"
    # Nobody knows whether a try that was cut has been carried out, so one that may write is not sent again.
    with pytest.raises(CallFailedError) as told:
        asyncio.run(Pipeline(policy(), timeout_s=0.02).acall(slow))
    assert (len(told.value.attempts), told.value.stopped_by) == (1, "maybe_executed")


def test_a_time_limit_of_the_callers_own_cancels_the_call() -> None:
    async def slow() -> None:
        await asyncio.sleep(30.0)

    async def limited(pipeline: Pipeline) -> None:
        async with asyncio.timeout(0.02):
            await pipeline.acall(slow, request=READS)

    pipeline = Pipeline(policy(breaker=ONE_TRIAL))
    with pytest.raises(TimeoutError):
        asyncio.run(limited(pipeline))
    breaker = pipeline.registry.breaker()
    assert breaker is not None
    assert breaker.word == "closed"


def test_the_function_is_told_what_it_can_take() -> None:
    told: list[dict[str, Any]] = []

    def knows(prompt: str, *, timeout_s: float) -> None:
        told.append({"prompt": prompt, "timeout_s": timeout_s})

    class Client:
        def __call__(self, prompt: str, timeout_s: float = 0.0) -> None:
            told.append({"prompt": prompt, "timeout_s": timeout_s})

    pipeline = Pipeline(policy(), timeout_s=500.0, clock=lambda: 0.0)
    pipeline.call(knows, "hi")
    pipeline.call(Client(), "hi")
    pipeline.call(partial(knows, "hi"))
    assert told == [{"prompt": "hi", "timeout_s": 120.0}] * 3  # what is left of the deadline
    assert Pipeline(policy()).call(max, 1, 2).value == 2


def test_a_function_that_cannot_take_the_model_is_refused_before_it_is_called() -> None:
    chain = FallbackSettings((FallbackModel("a", "x", 1000),))
    with pytest.raises(ParameterError, match="parameter model"):
        Pipeline(policy(fallback=chain)).call(lambda: 1)

    async def later() -> None: ...

    with pytest.raises(ParameterError, match="acall"):
        Pipeline(policy()).call(later)


def test_no_lock_is_held_while_somebody_elses_function_runs() -> None:
    chain = FallbackSettings((FallbackModel("a", "x", 1000), FallbackModel("b", "y", 1000)))
    registry = Registry({"default": policy(fallback=chain, breaker=presets["litellm"].breaker)})
    looked: set[str] = set()

    def free(who: str) -> None:
        looked.add(who)
        service = registry.service()
        locks = [registry._lock, service._lock, service.purse.lock, cache._lock]
        locks += [breaker.lock for breaker in service.breakers.values()]
        if service.fleet is not None:
            locks.append(service.fleet._lock)
        assert [lock for lock in locks if (lock._is_owned() if hasattr(lock, "_is_owned") else lock.locked())] == [], (
            who
        )

    def through(who: str, result: Any = None) -> Any:
        def seen(*_: object, **__: object) -> Any:
            free(who)
            return result

        return seen

    class Shadow:
        def offer(self, _: Offered) -> Any:
            free("offer")
            return through("finish")

    def work(*, model: str) -> str:
        free("function")
        if model == "a":
            raise ConnectionRefusedError
        return "yes"

    cache = AnswerCache(similar=through("similar"))
    pipeline = Pipeline(
        registry.policy(), registry=registry, cache=cache, shadow=Shadow(), record=through("record"), sleep=through("sleep"),
        draw=through("draw", 0.5), load=through("load", 0.0), usage=through("usage"),
        classify=lambda error: (free("classify"), classify(error))[1],
    )  # fmt: skip
    registry.record = through("record of the registry")
    for number in range(5):
        pipeline.call(work, request=Request(only_reads=True, cache_key=number))
    for breaker in registry.service().breakers.values():
        breaker.force("forced_open")
    assert looked == {
        "function", "offer", "finish", "similar", "record", "sleep", "draw", "load", "usage", "classify",
        "record of the registry",
    }  # fmt: skip


def test_a_shadow_hears_the_beginning_and_the_end_once() -> None:
    heard: list[object] = []

    class Shadow:
        def offer(self, offered: Offered) -> Any:
            heard.append((offered.args, dict(offered.keywords), offered.request_id))
            return heard.append

    request = Request(only_reads=True, request_id="r1", cache_key="k")
    pipeline = Pipeline(policy(freshness=FreshnessSettings()), shadow=Shadow(), clock=lambda: 0.0)
    pipeline.call(lambda prompt: prompt.upper(), "hi", request=request)
    assert heard == [(("hi",), {}, "r1"), Primary(True, "HI", "", None, 0)]
    pipeline.call(lambda prompt: prompt.upper(), "hi", request=request)
    assert len(heard) == 2  # the cache answered

    def stopped(_: str) -> None:
        raise KeyboardInterrupt

    def wrong(_: str) -> None:
        raise TypeError

    with pytest.raises(KeyboardInterrupt):
        pipeline.call(stopped, "hi")
    with pytest.raises(CallFailedError):
        pipeline.call(wrong, "hi")
    assert [one.ok for one in heard if isinstance(one, Primary)] == [True, None, False]


def test_settings_and_rules_come_from_the_file_that_export_writes(tmp_path: Path) -> None:
    path = tmp_path / "relkit.toml"
    rule = (
        '[[rule]]\nid = "ours.full"\nkind = "MODEL_OVERLOADED"\nwhen = { exception_type = "HotelFullError" }\n'
        'source = "ours"\nexamples = [{ exception_type = "HotelFullError" }]\n'
        'counterexamples = [{ exception_type = "HotelError" }]\n'
    )
    path.write_text(service_text(presets["plan-fixed"]) + "\n" + rule, encoding="utf-8")

    class HotelFullError(Exception):
        pass

    def full() -> None:
        raise HotelFullError

    pipeline = Pipeline.from_toml(path, "payments")
    assert (pipeline.policy.hash, pipeline.service) == (presets["plan-fixed"].hash, "payments")
    with rehearsal(), pytest.raises(CallFailedError) as told:
        pipeline.call(full, request=READS)
    assert told.value.kind is ErrorKind.MODEL_OVERLOADED
    path.write_text("[servce.default]\n", encoding="utf-8")
    with pytest.raises(ParameterError, match="servce"):
        Pipeline.from_toml(path)


def test_a_lost_permit_would_be_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    """The storms' own check: with a Gate that never gives back, the books do not add up."""
    from storms_of_calls import TRIAL, tasks  # noqa: PLC0415

    monkeypatch.setattr(Gate, "abandon", lambda _: None)
    assert not tasks(60, 1, breaker=TRIAL, half_open=True, failing=0.0, cancelled=0.5).adds_up
