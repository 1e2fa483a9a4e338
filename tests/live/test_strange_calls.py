"""What comes to a pipeline in practice beside plain functions and honest exceptions."""

import asyncio
import gc
import math
import threading
import time
import uuid
from functools import partial
from typing import Any
from unittest.mock import AsyncMock, MagicMock

import pytest

from relkit import Pipeline, presets
from relkit.errors.classifier import classify
from relkit.errors.kinds import ErrorKind
from relkit.exceptions import ParameterError
from relkit.live.answers import CallFailedError, Request, Usage
from relkit.live.cache import AnswerCache
from relkit.live.clocks import sleep
from relkit.live.events import AttemptEvent, ErrorEvent
from relkit.live.probes import Prober
from relkit.live.registry import Registry
from relkit.live.testing import rehearsal
from relkit.policies.fallback import FallbackModel, FallbackSettings
from relkit.policies.policy import Policy
from relkit.policies.records import BreakerSettings

READS = Request(only_reads=True)


def made(**parts: Any) -> Pipeline:
    return Pipeline(presets["plan-fixed"], **parts)


def fails(*_: object) -> None:
    raise ConnectionRefusedError


class Later:
    """An object that is called and awaited."""

    async def __call__(self, text: str = "") -> str:
        return text or "later"


async def later() -> str:
    return "later"


@pytest.mark.parametrize("function", [later, partial(later), Later(), AsyncMock(), lambda text="": later()])
def test_no_coroutine_passes_for_an_answer(function: Any) -> None:
    with pytest.raises(ParameterError, match="acall"):
        made().call(function)


@pytest.mark.parametrize(
    "function", [later, partial(later), Later(), AsyncMock(return_value="later"), lambda text="": later()]
)
def test_whatever_gives_something_to_await_is_awaited(function: Any) -> None:
    assert asyncio.run(made().acall(function)).value == "later"


def test_an_async_object_is_decorated_as_what_it_is() -> None:
    assert asyncio.run(made().wrap(Later())("soon")) == "soon"
    assert made().call(MagicMock(return_value=3)).value == 3


def test_what_cannot_be_awaited_is_said_once_and_is_no_failure_of_the_service() -> None:
    asked: list[str] = []
    with rehearsal() as seen, pytest.raises(ParameterError, match="async function"):
        asyncio.run(made().acall(asked.append, "hello", request=READS))  # type: ignore[arg-type]
    assert (asked, [event.ok for event in seen.of(AttemptEvent)]) == (["hello"], [None])


def test_a_function_that_yields_is_refused_because_it_runs_when_its_call_was_judged() -> None:
    def tokens() -> Any:
        yield "Rome"

    async def later_tokens() -> Any:
        yield "Rome"

    for function in (tokens, later_tokens, partial(tokens)):
        with pytest.raises(ParameterError, match="attempt"):
            made().call(function)
    with pytest.raises(ParameterError, match="attempt"):
        asyncio.run(made().acall(later_tokens))


def test_a_decorated_function_may_name_its_parameters_as_the_pipeline_does() -> None:
    @made().wrap
    def view(request: str, function: str, args: str) -> str:
        return request + function + args

    @made().wrap
    async def later_view(request: str, self: str) -> str:
        return request + self

    assert view(request="a", function="b", args="c") == "abc"
    assert asyncio.run(later_view(request="a", self="b")) == "ab"


def test_a_limit_that_the_caller_gives_stays_and_so_does_a_default_where_nothing_limits() -> None:
    def ask(_: str, timeout_s: float = 7.0) -> float:
        return timeout_s

    class Client:
        def ask(self, _: str, timeout_s: float) -> float:
            return timeout_s

    endless = Pipeline(presets["pybreaker"])
    assert made(timeout_s=2.0).call(ask, "hi").value == 2.0
    assert made(timeout_s=2.0).call(ask, "hi", timeout_s=1.0).value == 1.0
    assert made(timeout_s=2.0).call(ask, "hi", 1.0).value == 1.0
    assert made(timeout_s=2.0).call(Client().ask, "hi", 1.0).value == 1.0
    assert made(timeout_s=2.0).call(Client().ask, "hi").value == 2.0
    assert endless.call(ask, "hi").value == 7.0
    assert math.isinf(endless.call(Client().ask, "hi").value)


def test_a_model_that_the_caller_gives_is_refused_where_the_chain_says_which() -> None:
    chain = FallbackSettings((FallbackModel("small", "a", 8192),))
    pipeline = Pipeline(Policy("test", "2026-11", "test", fallback=chain))

    def ask(prompt: str, model: str) -> str:
        return prompt + model

    def first(model: str, /) -> str:
        return model

    assert pipeline.call(ask, "hi ").value == "hi small"
    for function, args, keywords in ((ask, ("hi",), {"model": "large"}), (ask, ("hi", "large"), {}), (first, (), {})):
        with pytest.raises(ParameterError, match="chain"):
            pipeline.call(function, *args, **keywords)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "hooks",
    [
        {"usage": lambda _: {"tokens_in": 3}},
        {"usage": lambda _: Usage(tokens_in="3")},  # type: ignore[arg-type]
        {"cache": AnswerCache(similar=lambda _key, _held: ["no", "key"])},  # type: ignore[arg-type, return-value]
    ],
)
def test_a_hook_that_returns_nonsense_costs_no_answer(hooks: dict[str, Any]) -> None:
    request = Request(only_reads=True, cache_key="abc")
    with rehearsal() as seen:
        assert made(**hooks).call(len, "abc", request=request).value == 3
    assert [event.tokens_in for event in seen.of(AttemptEvent)] == [None]


@pytest.mark.parametrize(
    ("hooks", "kind"),
    [
        ({"classify": lambda _: None}, ErrorKind.UNKNOWN),
        ({"load": lambda: None}, ErrorKind.NETWORK_REFUSED),
        ({"load": lambda: math.nan}, ErrorKind.NETWORK_REFUSED),
    ],
)
def test_a_hook_that_returns_nonsense_hides_no_error(hooks: dict[str, Any], kind: ErrorKind) -> None:
    with rehearsal(), pytest.raises(CallFailedError) as failed:
        made(**hooks).call(fails, request=READS)
    assert (failed.value.kind, type(failed.value.cause)) == (kind, ConnectionRefusedError)


@pytest.mark.parametrize("wait_s", [math.inf, math.nan, -1.0])
def test_a_stated_wait_that_is_none_is_not_heeded(wait_s: float) -> None:
    def odd(error: BaseException) -> Any:
        found = classify(error)
        object.__setattr__(found, "retry_after_s", wait_s)
        return found

    with rehearsal() as seen, pytest.raises(CallFailedError):
        made(classify=odd).call(fails, request=READS)
    assert {event.retry_after_us for event in seen.of(AttemptEvent)} == {None}
    assert all(0.0 <= each < 60.0 for each in seen.waits_s)


def test_a_wait_longer_than_the_system_knows_is_a_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    waited: list[float] = []
    monkeypatch.setattr(time, "sleep", waited.append)
    sleep(99_999_999_999.0)
    assert waited == [threading.TIMEOUT_MAX]


class ClasslessError(Exception):
    @property  # type: ignore[misc]
    def __class__(self) -> Any:
        raise RuntimeError


class ClosedError(Exception):
    def __getattribute__(self, name: str) -> Any:
        raise RuntimeError


class SyntaxlessError(SyntaxError):
    text = 7  # type: ignore[assignment]
    lineno = "x"  # type: ignore[assignment]


class MuteError(Exception):
    def __str__(self) -> str:
        raise KeyError


@pytest.mark.parametrize("make", [ClasslessError, ClosedError, SyntaxlessError, MuteError])
def test_an_error_that_raises_when_it_is_looked_at_is_still_the_cause(make: type[Exception]) -> None:
    def raises() -> None:
        raise make("x")

    with rehearsal() as seen, pytest.raises(CallFailedError) as failed:
        made().call(raises, request=READS)
    assert type(failed.value.cause) is make
    assert make.__name__ in seen.of(ErrorEvent)[0].cause


@pytest.mark.parametrize(
    "said",
    [
        {"idempotency_key": ""},
        {"session_id": uuid.UUID(int=1)},
        {"operation": 7},
        {"request_id": b"r1"},
        {"role": "admin"},
        {"prompt_tokens": "12"},
        {"prompt_tokens": -1},
    ],
)
def test_a_request_says_at_once_what_nobody_could_use(said: dict[str, Any]) -> None:
    with pytest.raises(ParameterError, match=next(iter(said))):
        Request(**said)


def test_what_is_no_request_is_refused_before_anything_is_asked() -> None:
    for request in (None, {"only_reads": True}):
        with pytest.raises(ParameterError, match="request"):
            made().call(fails, request=request)  # type: ignore[arg-type]
        with pytest.raises(ParameterError, match="request"):
            made().attempt(request)  # type: ignore[arg-type]


def test_a_stream_that_was_left_is_ended_by_the_collector_wherever_that_runs() -> None:
    pipeline = made()
    breaker = pipeline.registry.breaker()
    assert breaker is not None

    def stream() -> Any:
        with pipeline.attempt():
            yield "Rome"

    # in a thread: with a lock that is not reentrant it would never end
    collecting = threading.Thread(target=lambda: breaker.read(lambda *_: gc.collect()), daemon=True)
    with rehearsal() as seen:
        left = stream()
        next(left)
        ring: list[Any] = [left]
        ring.append(ring)
        del left, ring
        collecting.start()
        collecting.join(10.0)
        assert not collecting.is_alive()
    assert [event.ok for event in seen.of(AttemptEvent)] == [None]


def test_one_attempt_cannot_be_entered_twice_at_once_and_leaves_no_permit_out() -> None:
    registry = Registry({"default": Policy("test", "2026-11", "test", breaker=BreakerSettings(failure_threshold=1))})
    pipeline = Pipeline(registry.policy(), registry=registry)
    with rehearsal() as seen:
        with pytest.raises(ValueError, match="x"), pipeline.attempt():
            raise ValueError("x")
        seen.advance(3_600.0)
        attempt = pipeline.attempt()
        with attempt, pytest.raises(ParameterError, match="attempt"):
            attempt.__enter__()
        assert registry.status()[0].in_flight == 0


def test_a_check_of_the_wrong_make_or_time_is_said_and_not_down_for_ever() -> None:
    registry = Registry({"default": presets["plan-fixed"]})
    for name, seconds in (("interval_s", math.inf), ("timeout_s", math.inf), ("interval_s", 1e12)):
        with pytest.raises(ParameterError, match=name):
            Prober(lambda: True, registry, **{name: seconds})  # type: ignore[arg-type]
    with pytest.raises(ParameterError, match="acall"):
        Prober(later, registry).start()  # type: ignore[arg-type]
    with pytest.raises(ParameterError, match="async"):
        asyncio.run(Prober(lambda: True, registry).run())
