"""Breakers and RetryBudgets by name: shared, shown, and forgotten only when they know nothing."""

import json
from dataclasses import asdict, replace

import pytest

from relkit import Pipeline
from relkit.exceptions import ParameterError
from relkit.live.answers import CallFailedError
from relkit.live.events import AttemptEvent, Event, TransitionEvent
from relkit.live.registry import Registry
from relkit.live.testing import rehearsal
from relkit.policies.codes import FAILURE, STATES, SUCCESS
from relkit.policies.fallback import FallbackModel, FallbackSettings
from relkit.policies.guard import Breaker
from relkit.policies.policy import Policy
from relkit.policies.presets import presets
from relkit.policies.records import BreakerSettings


class Clock:
    def __init__(self) -> None:
        self.now_s = 100.0

    def __call__(self) -> float:
        return self.now_s


def policy(**changes: object) -> Policy:
    return Policy("test", "2026-11", "test", BreakerSettings(failure_threshold=2, open_s=10.0).changed(**changes))


def breaker_of(registry: Registry, service: str = "default", model: str | None = None) -> Breaker:
    breaker = registry.breaker(service, model)
    assert breaker is not None
    return breaker


def test_a_service_has_its_own_settings_or_the_default_ones() -> None:
    registry = Registry({"default": policy(), "payments": policy(failure_threshold=7)})
    thresholds = [breaker_of(registry, name).settings.failure_threshold for name in ("payments", "chat", "mail")]
    assert thresholds == [7, 2, 2]
    assert breaker_of(registry, "chat") is not breaker_of(registry, "mail")
    assert breaker_of(registry, "chat", "small") is not breaker_of(registry, "chat", "large")
    with pytest.raises(ParameterError, match="payments"):
        Registry({"payments": policy()}).breaker("chat")


def test_pipelines_share_a_registry_and_cannot_disagree() -> None:
    registry = Registry({"chat": policy()})
    one, other = (Pipeline(policy(), service="chat", registry=registry) for _ in range(2))

    def refused() -> None:
        raise ConnectionRefusedError

    for pipeline in (one, other):
        with pytest.raises(CallFailedError):
            pipeline.call(refused)
    assert breaker_of(registry, "chat").word == "open"
    with pytest.raises(ParameterError, match="chat"):
        Pipeline(policy(failure_threshold=9), service="chat", registry=registry)


def test_a_policy_without_a_breaker_admits_everything() -> None:
    registry = Registry({"default": Policy("none", "2026-11", "test")})
    assert registry.breaker() is None
    assert Pipeline(registry.policy(), registry=registry).call(lambda: 1).value == 1
    assert registry.status() == ()


def test_the_status_shows_every_breaker_with_its_numbers() -> None:
    clock = Clock()
    registry = Registry({"default": policy()}, clock=clock)
    breaker_of(registry, "mail")
    for _ in range(2):
        breaker_of(registry, "chat", "small").ask().settle(FAILURE)
    clock.now_s += 4.0
    opened, closed = registry.status()
    assert (opened.service, opened.model, opened.state, opened.state_age_s) == ("chat", "small", "open", 4.0)
    assert (opened.failures, opened.threshold, opened.retry_after_s) == (2, 2.0, 6.0)
    assert (closed.service, closed.model, closed.state, closed.retry_after_s) == ("mail", None, "closed", 0.0)
    assert "6 s" in opened.sentence
    json.dumps(asdict(opened), allow_nan=False)


def test_what_is_idle_is_forgotten_and_what_protects_is_not() -> None:
    clock = Clock()
    registry = Registry({"default": policy(open_s=300.0)}, clock=clock, idle_s=60.0)
    for number in range(500):
        breaker_of(registry, f"host {number}").ask().settle(SUCCESS)
    kept = {name: breaker_of(registry, name) for name in ("open", "forced", "trial", "in use")}
    kept["open"].trip()
    kept["forced"].force("disabled")
    kept["trial"].throttle(1.0)
    clock.now_s += 1.0
    assert kept["trial"].ask().admitted
    clock.now_s += 61.0
    breaker_of(registry, "in use")
    breaker_of(registry, "new")  # a new name makes room
    assert {status.service for status in registry.status()} == {*kept, "new"}
    assert all(breaker_of(registry, name) is breaker for name, breaker in kept.items())


def test_a_chain_that_is_judged_together_is_forgotten_together() -> None:
    clock = Clock()
    chain = FallbackSettings(tuple(FallbackModel(name, "p", 8192) for name in "abc"))
    registry = Registry({"default": replace(presets["litellm"], fallback=chain)}, clock=clock, idle_s=60.0)
    service = registry.service()
    assert service.fleet is not None
    service.breakers["a"].throttle(600.0)
    service.fleet.look_around(1)
    assert (service.breakers["b"].peers.members, service.breakers["b"].peers.open_members) == (3, 1)
    clock.now_s += 300.0
    registry.forget_idle()
    assert [status.state for status in registry.status()] == ["open", "closed", "closed"]
    clock.now_s += 600.0
    registry.forget_idle()
    assert registry.status() == ()


def test_in_rehearsal_time_passes_for_breakers_too() -> None:
    with rehearsal() as seen:
        breaker = breaker_of(Registry({"default": policy()}))
        breaker.trip()
        seen.advance(10.0)
        assert breaker.word == "half_open"


@pytest.mark.parametrize("name", [name for name, preset in presets.items() if preset.breaker is not None])
def test_the_breaker_is_the_one_that_the_policy_names(name: str) -> None:
    assert breaker_of(Registry({"default": presets[name]}), "any").settings == presets[name].breaker


def test_a_breaker_is_keyed_by_the_service_and_model_of_the_attempt_and_its_state_is_one_word_everywhere() -> None:
    chain = FallbackSettings((FallbackModel("llama-3.1-8b-instant", "p", 8192),))
    events: list[Event] = []
    pipeline = Pipeline(replace(policy(failure_threshold=1), fallback=chain), service="chat", record=events.append)

    def refused(*, model: str) -> None:
        raise ConnectionRefusedError(model)

    for _ in range(2):
        with pytest.raises(CallFailedError):
            pipeline.call(refused)
    [status] = pipeline.registry.status()
    rows = [event for event in events if isinstance(event, AttemptEvent)]
    [change] = [event for event in events if isinstance(event, TransitionEvent)]
    keys = {(one.service, one.model) for one in (status, change, *rows)}
    assert keys == {("chat", "llama-3.1-8b-instant")}
    words = [status.state, change.from_state, change.to_state, *(str(row.breaker_state) for row in rows)]
    assert words == ["open", "closed", "open", "closed", "open"]
    assert set(words) <= set(STATES)
