"""The plan's chaos tests as a policy, an agent and the faults that it meets; for the tests and the proofs."""

from dataclasses import replace
from typing import Any, Final

from examples.booking_agent import BookingAgent
from relkit.live.faults import Reply, cut, failed, limited, reset, slow
from relkit.live.pipeline import Pipeline
from relkit.live.upstream import Upstream
from relkit.policies.backoff import NO_JITTER
from relkit.policies.codes import PER_CALL, VOTES_BY_KIND
from relkit.policies.fallback import FallbackModel, FallbackSettings
from relkit.policies.freshness import FreshnessSettings
from relkit.policies.policy import Policy
from relkit.policies.records import BreakerSettings
from relkit.policies.retry_budget import PER_REQUEST, RetryBudgetSettings
from relkit.policies.retry_settings import Retry, RetrySettings

THRESHOLD: Final = 5
OPEN_S: Final = 30.0
MODELS: Final = ("small", "large", "other")
TIMEOUT_S: Final = 0.3
FAULTS: Final[dict[str, Reply]] = {
    "500": failed(500),
    "503": failed(503),
    "429": limited(),
    "429 in seconds": limited(20),
    "429 as a date": limited(20, as_date=True),
    "reset": reset(),
    "slow body": slow(30.0),
    "cut stream": cut(0.5),
}


def policy(models: tuple[str, ...] = MODELS[:1], **retry: Any) -> Policy:
    """The plan's numbers: five failures in a row, thirty seconds, and waits of 1 s and 2 s without jitter."""
    loop = RetrySettings(
        **{"max_attempts": 3, "first_delay_s": 1.0, "growth": 2.0, "cap_s": 60.0, "jitter": NO_JITTER} | retry
    )
    return Policy(
        "chaos", "2026-11", "relkit: the plan's chaos tests",
        BreakerSettings(failure_threshold=THRESHOLD, open_s=OPEN_S, votes=VOTES_BY_KIND, counts=PER_CALL),
        Retry.of(replace(loop, deadline_s=300.0)),
        RetryBudgetSettings(PER_REQUEST, capacity=1000.0, earn=1.0),
        FallbackSettings(tuple(FallbackModel(name, "one", 8192) for name in models), uses_budget=False),
        FreshnessSettings(ttl_s=300.0, stale_on_error_s=86_400.0),
    )  # fmt: skip


def agent_of(upstream: Upstream, settings: Policy | None = None) -> BookingAgent:
    return BookingAgent(upstream.url, Pipeline(settings or policy(), service="chat", timeout_s=TIMEOUT_S))


def state_of(agent: BookingAgent, model: str = "small") -> str:
    return next(each.state for each in agent.pipeline.registry.status() if each.model == model)
