"""A call under the policies: what is tried in which order, what stops it, and what its answer or error carries."""

import math
import pickle
from collections.abc import Callable
from typing import Any

import pytest

from relkit import Pipeline
from relkit.errors import classify
from relkit.errors.kinds import ErrorKind
from relkit.exceptions import ParameterError
from relkit.live.answers import CallFailedError, CircuitOpenError, Request, Usage
from relkit.live.cache import AnswerCache
from relkit.live.events import AttemptEvent, ErrorEvent, Event, RetryEvent, TransitionEvent
from relkit.live.testing import rehearsal
from relkit.policies.fallback import FallbackModel, FallbackSettings
from relkit.policies.freshness import FreshnessSettings
from relkit.policies.policy import Policy
from relkit.policies.presets import changed, presets
from relkit.policies.records import BreakerSettings
from relkit.policies.retry_budget import RetryBudgetSettings
from relkit.policies.retry_settings import Retry, RetrySettings

READS = Request(only_reads=True)
LOOP = RetrySettings(max_attempts=3, first_delay_s=1.0, jitter=0)
CHAIN = FallbackSettings(
    (FallbackModel("small", "a", 8192, 0.05, 0.08), FallbackModel("large", "b", 32768, 0.5, 0.8)), uses_budget=False
)


def policy(**parts: Any) -> Policy:
    return Policy("test", "2026-11", "test", **{"retry": Retry.of(LOOP), **parts})


class Upstream:
    """Answers and errors in turn; the last one again and again."""

    def __init__(self, *replies: object) -> None:
        self.replies, self.asked = list(replies), []

    def __call__(self, *args: object, **told: Any) -> object:
        self.asked.append(told)
        reply = self.replies.pop(0) if len(self.replies) > 1 else self.replies[0]
        if isinstance(reply, BaseException):
            raise reply
        return reply


def failed(pipeline: Pipeline, upstream: Callable[..., Any], request: Request = READS) -> CallFailedError:
    with pytest.raises(CallFailedError) as told:
        pipeline.call(upstream, request=request)
    return told.value


def test_a_passing_failure_is_retried_with_the_settings_waits() -> None:
    upstream = Upstream(ConnectionRefusedError(), ConnectionRefusedError(), "yes")
    with rehearsal() as seen:
        answer = Pipeline(policy()).call(upstream, request=READS)
    assert (answer.value, answer.from_cache, answer.degraded, answer.model) == ("yes", False, False, None)
    assert [attempt.kind for attempt in answer.attempts] == [ErrorKind.NETWORK_REFUSED] * 2 + [None]
    assert seen.waits_s == [1.0, 2.0] == list(answer.waits_s)
    assert [attempt.waited_s for attempt in answer.attempts] == [0.0, 1.0, 2.0]


def test_an_error_keeps_all_attempts_and_the_first_cause() -> None:
    first, second = ConnectionRefusedError("first"), TimeoutError("second")
    with rehearsal():
        error = failed(Pipeline(policy()), Upstream(first, second))
    assert error.__cause__ is error.cause is first
    assert [attempt.cause for attempt in error.attempts] == [first, second, second]
    assert (error.kind, error.stopped_by) == (ErrorKind.NETWORK_TIMEOUT, "attempts")
    assert error.user_message is not None
    assert "NETWORK_TIMEOUT after 3 attempts" in str(error)


def test_an_error_crosses_processes_and_says_the_same_to_an_outer_layer() -> None:
    class NoPickleError(ConnectionRefusedError):
        def __reduce__(self) -> Any:
            raise TypeError

    with rehearsal():
        error = failed(Pipeline(policy()), Upstream(NoPickleError(), TimeoutError()))
    again = pickle.loads(pickle.dumps(error))
    assert (str(again), again.kind, again.stopped_by, again.waits_s) == (
        str(error),
        error.kind,
        "attempts",
        error.waits_s,
    )
    assert [attempt.kind for attempt in again.attempts] == [attempt.kind for attempt in error.attempts]
    assert classify(again).kind is classify(error).kind is ErrorKind.NETWORK_TIMEOUT
    pipeline = Pipeline(policy(breaker=BreakerSettings()))
    breaker = pipeline.registry.breaker()
    assert breaker is not None
    breaker.force("forced_open")
    rejected = pickle.loads(pickle.dumps(failed(pipeline, Upstream("never"))))
    assert (type(rejected), rejected.retry_after_s, rejected.kind) == (CircuitOpenError, 0.0, ErrorKind.CIRCUIT_OPEN)


@pytest.mark.parametrize("error", [TimeoutError(), ConnectionResetError()])
def test_what_may_have_been_done_is_not_done_again_without_a_key(error: Exception) -> None:
    """A booking that timed out goes neither to the same model nor to another one."""
    upstream = Upstream(error)
    told = failed(Pipeline(policy(fallback=CHAIN)), upstream, Request())
    assert (len(upstream.asked), told.stopped_by) == (1, "maybe_executed")
    with rehearsal():
        failed(Pipeline(policy(fallback=CHAIN)), upstream, Request(idempotency_key="booking 17"))
    assert len(upstream.asked) == 1 + 6


@pytest.mark.parametrize("name", ["plan", "plan-transient", "polly", "resilience4j-retry"])
def test_no_preset_repeats_a_booking(name: str) -> None:
    """Libraries and the plan know no idempotency; live their settings run all the same, and book once."""
    upstream = Upstream(TimeoutError())
    with rehearsal():
        told = failed(Pipeline(presets[name]), upstream, Request())
        assert (len(upstream.asked), told.stopped_by) == (1, "maybe_executed")
        failed(Pipeline(presets[name]), upstream)
    assert len(upstream.asked) > 2


def test_what_was_never_sent_is_tried_again_without_a_key() -> None:
    upstream = Upstream(ConnectionRefusedError())
    with rehearsal():
        failed(Pipeline(policy()), upstream, Request())
    assert len(upstream.asked) == 3


def test_an_open_breaker_costs_neither_a_call_nor_a_wait() -> None:
    upstream = Upstream(ConnectionRefusedError())
    pipeline = Pipeline(policy(breaker=BreakerSettings(failure_threshold=3, open_s=60.0, counts=0)))
    with rehearsal() as seen:
        failed(pipeline, upstream)
        assert len(upstream.asked) == 3
        waited = len(seen.waits_s)
        error = failed(pipeline, upstream)
        assert isinstance(error, CircuitOpenError)
        assert (len(upstream.asked), len(seen.waits_s)) == (3, waited)
        assert (error.kind, error.attempts, error.__cause__) == (ErrorKind.CIRCUIT_OPEN, (), None)
        assert 59.0 < error.retry_after_s <= 60.0
        seen.advance(60.0)
        upstream.replies = ["back"]
        assert pipeline.call(upstream, request=READS).value == "back"


def test_a_breaker_that_opens_within_a_call_ends_its_retries() -> None:
    upstream = Upstream(ConnectionRefusedError())
    pipeline = Pipeline(policy(breaker=BreakerSettings(failure_threshold=2, counts=0)))
    with rehearsal():
        error = failed(pipeline, upstream)
    assert (len(upstream.asked), error.stopped_by, error.kind) == (2, "circuit_open", ErrorKind.NETWORK_REFUSED)


def test_the_next_model_answers_and_the_answer_says_so() -> None:
    upstream = Upstream(*[ConnectionRefusedError()] * 3, "from the large one")
    with rehearsal():
        answer = Pipeline(policy(fallback=CHAIN)).call(upstream, request=READS)
    assert [told["model"] for told in upstream.asked] == ["small", "small", "small", "large"]
    assert (answer.model, answer.degraded) == ("large", True)


def test_an_open_breaker_decides_where_a_call_begins() -> None:
    pipeline = Pipeline(policy(fallback=CHAIN, breaker=BreakerSettings()))
    small = pipeline.registry.breaker("default", "small")
    assert small is not None
    small.force("forced_open")
    upstream = Upstream("yes")
    assert pipeline.call(upstream, request=READS).model == "large"
    assert [told["model"] for told in upstream.asked] == ["large"]


def test_an_invalid_request_stays_invalid() -> None:
    upstream = Upstream(ValueError("no such room"))
    told = failed(Pipeline(policy(fallback=CHAIN), classify=_invalid), upstream)
    assert (len(upstream.asked), told.kind, told.stopped_by) == (1, ErrorKind.API_INVALID_REQUEST, "not_retryable")


def _invalid(_: BaseException) -> Any:
    return classify({"status": 400})


def test_a_long_prompt_begins_at_a_model_that_takes_it() -> None:
    upstream = Upstream("yes")
    answer = Pipeline(policy(fallback=CHAIN)).call(upstream, request=Request(only_reads=True, prompt_tokens=20_000))
    assert (answer.model, len(upstream.asked)) == ("large", 1)


def test_the_budget_ends_retries_of_all_calls_together() -> None:
    upstream = Upstream(ConnectionRefusedError())
    pipeline = Pipeline(policy(retry_budget=RetryBudgetSettings(capacity=3.0)))
    with rehearsal():
        stops = [failed(pipeline, upstream).stopped_by for _ in range(3)]
    assert stops == ["attempts", "budget", "budget"]
    assert len(upstream.asked) == 3 + 2 + 1


def test_a_deadline_leaves_no_wait_it_has_no_time_for() -> None:
    upstream = Upstream(ConnectionRefusedError())
    loop = RetrySettings(max_attempts=9, first_delay_s=1.0, jitter=0, deadline_s=5.0)
    with rehearsal() as seen:
        error = failed(Pipeline(policy(retry=Retry.of(loop))), upstream)
    assert (error.stopped_by, seen.waits_s) == ("deadline", [1.0, 2.0])


def test_the_cache_answers_at_once_then_when_all_else_failed_then_not() -> None:
    """RFC 5861: fresh within 60 s, and for 600 s more only because every model failed."""
    request = Request(only_reads=True, cache_key="rooms")
    upstream = Upstream("12 rooms")
    pipeline = Pipeline(policy(freshness=FreshnessSettings(60.0, 600.0)))
    with rehearsal() as seen:
        assert not pipeline.call(upstream, request=request).from_cache
        fresh = pipeline.call(upstream, request=request)
        assert (fresh.value, fresh.from_cache, fresh.degraded, fresh.attempts) == ("12 rooms", True, False, ())
        upstream.replies = [ConnectionRefusedError()]
        seen.advance(120.0)
        stale = pipeline.call(upstream, request=request)
        assert (stale.value, stale.from_cache, stale.degraded, len(stale.attempts)) == ("12 rooms", True, True, 3)
        assert 120.0 <= stale.age_s < 130.0
        seen.advance(600.0)
        assert failed(pipeline, upstream, request).kind is ErrorKind.NETWORK_REFUSED
        rows = [(event.attempt, event.ok, event.cache_hit, event.degraded) for event in seen.of(AttemptEvent)]
    assert rows[:2] == [(1, True, False, False), (1, True, True, False)]
    assert rows[2:6] == [
        (1, False, False, False),
        (2, False, False, False),
        (3, False, False, False),
        (4, True, True, True),
    ]


def test_a_stale_answer_is_given_when_the_breaker_is_open() -> None:
    request = Request(only_reads=True, cache_key="rooms")
    pipeline = Pipeline(policy(breaker=BreakerSettings(), freshness=FreshnessSettings(60.0, 600.0)))
    with rehearsal() as seen:
        pipeline.call(Upstream("12 rooms"), request=request)
        breaker = pipeline.registry.breaker()
        assert breaker is not None
        breaker.force("forced_open")
        seen.advance(61.0)
        upstream = Upstream("never asked")
        answer = pipeline.call(upstream, request=request)
    assert (answer.value, answer.degraded, upstream.asked) == ("12 rooms", True, [])


def test_a_booking_has_no_cache_key() -> None:
    with pytest.raises(ParameterError, match="cache_key"):
        Request(cache_key="room 12")
    with pytest.raises(ParameterError, match="hashable"):
        Request(only_reads=True, cache_key=["room 12"])


def test_events_tell_the_call_in_the_columns_of_the_log() -> None:
    events: list[Event] = []
    upstream = Upstream(ConnectionRefusedError("10.0.0.1 refused"), "yes")
    breaker = BreakerSettings(failure_threshold=1, open_s=0.5, counts=1)
    pipeline = Pipeline(
        policy(breaker=breaker, fallback=CHAIN, retry_budget=RetryBudgetSettings(capacity=5.0)),
        service="chat", record=events.append, usage=lambda _: Usage(1000, 500),
    )  # fmt: skip
    request = Request(only_reads=True, request_id="r1", operation="ask", session_id="s1")
    with rehearsal():
        pipeline.call(upstream, request=request)
    attempts = [event for event in events if isinstance(event, AttemptEvent)]
    assert [(event.request_id, event.attempt, event.ok, event.kind) for event in attempts] == [
        ("r1", 1, False, "NETWORK_REFUSED"), ("r1", 2, True, ""),
    ]  # fmt: skip
    first, second = attempts
    assert first.signals is not None
    assert (first.signals.exception_type, first.strategy, first.maybe_executed) == (
        "ConnectionRefusedError", "transient", False,
    )  # fmt: skip
    assert (first.service, first.model, first.operation, first.session_id) == ("chat", "small", "ask", "s1")
    assert (first.breaker_state, first.budget_left, second.budget_left) == ("closed", 4, 4)
    assert (second.tokens_in, second.tokens_out, second.cost_microusd) == (1000, 500, 90)
    assert first.policy_hash == pipeline.policy.hash
    [retry] = [event for event in events if isinstance(event, RetryEvent)]
    assert (retry.attempt, retry.most, retry.next_wait_s, retry.kind) == (1, 3, 1.0, "NETWORK_REFUSED")
    [error] = [event for event in events if isinstance(event, ErrorEvent)]
    assert error.classification.kind is ErrorKind.NETWORK_REFUSED
    assert error.cause == "ConnectionRefusedError: 10.0.0.1 refused"


def test_a_breaker_that_opens_is_told_with_its_numbers_as_an_error() -> None:
    with rehearsal() as seen:
        pipeline = Pipeline(policy(breaker=BreakerSettings(failure_threshold=3, counts=0)), service="chat")
        failed(pipeline, Upstream(ConnectionRefusedError()))
        seen.advance(60.0)
        pipeline.call(Upstream("yes"), request=READS)
    changes = seen.of(TransitionEvent)
    assert [(one.from_state, one.to_state, one.level) for one in changes] == [
        ("closed", "open", "ERROR"), ("open", "half_open", "INFO"), ("half_open", "closed", "INFO"),
    ]  # fmt: skip
    assert (changes[0].service, changes[0].failures, changes[0].threshold) == ("chat", 3, 3.0)
    assert "3 failures in a row" in changes[0].reason


def test_listeners_that_fail_cost_no_answer() -> None:
    def broken(*_: object) -> Any:
        raise RuntimeError

    class BrokenShadow:
        offer = broken

    upstream = Upstream(ConnectionRefusedError(), "yes")
    pipeline = Pipeline(policy(), record=broken, shadow=BrokenShadow(), usage=broken)
    with rehearsal():
        assert pipeline.call(upstream, request=READS).value == "yes"


def test_a_classifier_that_fails_leaves_the_error_unknown() -> None:
    def broken(_: BaseException) -> Any:
        raise RuntimeError

    cause = KeyError("x")
    error = failed(Pipeline(policy(), classify=broken), Upstream(cause))
    assert (error.kind, error.cause) == (ErrorKind.UNKNOWN, cause)


def test_retries_without_end_are_refused() -> None:
    """tenacity's default: in an outage without end such a call would never come back."""
    with pytest.raises(ParameterError, match="a loop that ends"):
        Pipeline(presets["tenacity"])
    Pipeline(changed(presets["tenacity"], deadline_s=30.0))


def test_a_cache_of_ones_own_and_a_time_limit_are_checked() -> None:
    with pytest.raises(ParameterError, match="entries"):
        AnswerCache(entries=0)
    with pytest.raises(ParameterError, match="timeout_s"):
        Pipeline(policy(), timeout_s=0.0)
    with pytest.raises(ParameterError, match="timeout_s"):
        Pipeline(policy(), timeout_s=math.nan)
