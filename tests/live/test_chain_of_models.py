"""What the calls of a chain of models tell of each model they asked."""

import asyncio
from threading import Thread
from typing import Any

from relkit import Pipeline
from relkit.live.answers import Answer, Request, Usage
from relkit.live.events import AttemptEvent, Event
from relkit.policies.fallback import FallbackModel, FallbackSettings
from relkit.policies.policy import Policy

READS = Request(only_reads=True)
CHAIN = FallbackSettings(
    (FallbackModel("small", "x", 8192, 0.05, 0.08), FallbackModel("large", "y", 32768, 0.59, 0.79)), uses_budget=False
)
POLICY = Policy("test", "2026-11", "test", fallback=CHAIN)


def test_cost_and_latency_are_told_for_each_step() -> None:
    """The plan's chain starts with the smallest model and never works out what an outage costs (plan, 2.3)."""
    now_s = [0.0]
    told: list[Event] = []

    def ask(*, model: str) -> str:
        now_s[0] += 3.0 if model == "small" else 1.0
        if model == "small":
            raise TimeoutError
        return "yes"

    pipeline = Pipeline(
        POLICY, clock=lambda: now_s[0], record=told.append, usage=lambda _: Usage(tokens_in=1000, tokens_out=200)
    )
    answer = pipeline.call(ask, request=READS)
    steps = [event for event in told if isinstance(event, AttemptEvent)]
    assert [(each.model, each.latency_s, each.waited_s) for each in answer.attempts] == [
        ("small", 3.0, 0.0),
        ("large", 1.0, 0.0),
    ]
    assert [(each.model, each.cost_microusd, each.latency_us, each.degraded) for each in steps] == [
        ("small", None, 3_000_000, False),
        ("large", 748, 1_000_000, True),
    ]


def test_the_first_models_answer_is_not_degraded() -> None:
    answer = Pipeline(POLICY).call(lambda *, model: model, request=READS)
    assert (answer.value, answer.degraded) == ("small", False)


def test_no_call_shares_its_model_or_attempts_with_another() -> None:
    """The plan's index of the current model is a field of the client, shared by all its calls (plan, 2.3)."""
    pipeline = Pipeline(POLICY)

    async def ask(number: int, *, model: str) -> tuple[int, str]:
        await asyncio.sleep(0)
        if model == "small" and number % 2:
            raise ConnectionRefusedError(number)
        return number, model

    async def all_at_once() -> list[Answer[Any]]:
        return await asyncio.gather(*(pipeline.acall(ask, number, request=READS) for number in range(50)))

    found: list[Answer[Any]] = []
    threads = [Thread(target=lambda: found.extend(asyncio.run(all_at_once()))) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 150
    for answer in found:
        number, model = answer.value
        models = ["small", "large"] if number % 2 else ["small"]
        assert (answer.model, model, [each.model for each in answer.attempts]) == (models[-1], models[-1], models)
        assert [each.cause.args for each in answer.attempts if each.cause] == [(number,)] * (number % 2)
