"""The record of a failed try: complete, typed, without secrets, and made whatever comes."""

import dataclasses
import json
import pickle
import re
import time
import tomllib
from pathlib import Path
from typing import Any, ClassVar

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from secret_texts import CANARY, SECRETS

from relkit.errors import classify, fingerprint
from relkit.errors.classifier import signals_of
from relkit.errors.context import CAUSES_KEPT, FRAMES_KEPT, ErrorContext, error_context
from relkit.errors.redact import PSEUDONYM, pseudonym

KEY = b"k" * 32
# Fields of the plan's ErrorContext.enrich (1.2) and where each went.
PLAN_FIELDS = {
    "message": "message", "stack": "frames", "statusCode": "status", "statusText": "status_text", "method": "method", "url": "url",
    "headers": "headers", "sessionId": "session", "userId": "user", "variant": "arm", "conversationId": "conversation",
    "timestamp": "ts_us", "requestStartTime": "started_ts_us", "duration": "duration_us", "circuitBreakerState": "breaker_state",
    "retryAttempt": "attempt", "retryBudgetRemaining": "budget_left", "errorType": "kind", "retryable": "retryable", "priority": "severity",
    "nodeVersion": "python_version", "platform": "platform", "environment": "environment",
}  # fmt: skip
NOT_KEPT = {"originalError": "C03", "responseData": "C05"}


class Response:
    status_code = 429
    headers: ClassVar = {
        "Retry-After": "7",
        "x-request-id": "req_77",
        "Set-Cookie": f"sid={CANARY}",
        "X-Anything": CANARY,
    }


class RateLimitError(Exception):
    status_code = 429
    response = Response()


def raised(depth: int = 3) -> RateLimitError:
    try:
        _fail(depth)
    except RateLimitError as error:
        return error
    raise AssertionError  # it did not fail


def _fail(depth: int) -> None:
    if depth:
        _fail(depth - 1)
    try:
        raise TimeoutError("the pool was empty for 30 s")  # noqa: TRY301 - a chain is what this is about
    except TimeoutError as error:
        raise RateLimitError(f"key sk-{CANARY} is over its limit of 60") from error


def full(error: BaseException, **more: Any) -> ErrorContext:
    given: dict[str, Any] = {
        "method": "POST", "url": f"https://u:{CANARY}@api.example.org/v1/chat?key={CANARY}&page=2#token={CANARY}", "service": "chat",
        "model": "m-1", "operation": "answer", "arm": "control", "request_id": "r-1", "trace_id": "t-1", "span_id": "s-1",
        "user_id": "jane", "session_id": "sess-9", "conversation_id": "conv-3", "idempotency_key": CANARY, "attempt": 2,
        "breaker_state": "half_open", "budget_left": 5, "started_s": time.monotonic() - 0.25, "environment": "production", "key": KEY,
    }  # fmt: skip
    return error_context(error, **{**given, **more})


def test_every_field_of_the_plan_is_kept_or_told_why_not():
    names = {field.name for field in dataclasses.fields(ErrorContext)}
    assert set(PLAN_FIELDS.values()) <= names
    file = Path(__file__).parents[2] / "docs" / "plan_defects.toml"
    rules = {defect["id"]: defect["rule"] for defect in tomllib.loads(file.read_text(encoding="utf-8"))["defect"]}
    for field, why in NOT_KEPT.items():
        assert field in rules[why]


def test_a_full_record_says_all_it_was_told():
    error = raised()
    context, answer = full(error), classify(error)
    assert (context.kind, context.rule, context.retryable) == (answer.kind, answer.rule, answer.retryable)
    assert context.fp == fingerprint(signals_of(error))
    assert (context.status, context.status_text) == (429, "Too Many Requests")
    assert context.retry_after_s == 7.0
    assert context.headers == (("retry-after", "7"), ("x-request-id", "req_77"))
    assert context.provider_request_id == "req_77"
    assert context.url == "https://[redacted]@api.example.org/v1/chat?key=[redacted]&page=[redacted]"
    assert (context.attempt, context.breaker_state, context.budget_left, context.arm) == (2, "half_open", 5, "control")
    assert [cause.exception_type for cause in context.causes] == ["builtins.TimeoutError"]
    assert context.causes[0].message == "the pool was empty for # s"
    assert re.fullmatch(r".*test_context:_fail:[0-9]+", context.frames[-1])
    assert all(getattr(context, field.name) is not None for field in dataclasses.fields(context))


def test_people_are_pseudonyms_that_join():
    context = full(raised())
    assert context.user == pseudonym("jane", KEY)
    assert context.session == pseudonym("sess-9", KEY)
    hidden = (context.user, context.session, context.conversation, context.idempotency)
    assert all(PSEUDONYM.fullmatch(name or "") for name in hidden)
    assert len(set(hidden)) == 4
    assert full(raised(), key=b"l" * 32).user != context.user
    assert error_context(KeyError(), user_id="jane").user == error_context(ValueError(), user_id="jane").user


def test_the_record_is_small_frozen_and_survives_json_and_pickle():
    context = full(raised(200))
    assert not hasattr(context, "__dict__")
    with pytest.raises(dataclasses.FrozenInstanceError):
        context.attempt = 3  # type: ignore[misc]
    assert len(context.frames) == FRAMES_KEPT
    assert pickle.loads(pickle.dumps(context)) == context
    assert len(json.dumps(context.record())) < 10_000


@pytest.mark.parametrize("secret", SECRETS)
def test_no_secret_stays_whatever_field_it_came_in(secret):
    error = RateLimitError(secret)
    error.__cause__ = ValueError(secret)
    names = (
        "method",
        "url",
        "service",
        "model",
        "operation",
        "arm",
        "request_id",
        "trace_id",
        "span_id",
        "breaker_state",
        "environment",
    )
    context = full(
        error, **dict.fromkeys(names, secret), user_id=secret, headers={"X-A": secret, "Retry-After": secret}
    )
    bare = error_context(ValueError(secret), headers={"authorization": secret, "user-agent": secret})
    assert CANARY.upper() not in (repr(context) + json.dumps(bare.record())).upper()


def test_a_duration_is_measured_by_a_clock_that_never_goes_back():
    context = full(raised(), started_s=time.monotonic() - 2)
    assert context.duration_us is not None
    assert 2_000_000 <= context.duration_us < 20_000_000
    assert context.started_ts_us == context.ts_us - context.duration_us


@pytest.mark.parametrize("started_s", [None, "soon", float("nan"), float("inf"), 1e300, True, 1e9, "an object"])
def test_a_duration_that_cannot_be_known_is_none(started_s):
    context = full(raised(), started_s=started_s)
    assert context.duration_us is None
    assert context.started_ts_us is None


def test_a_chain_of_three_hundred_keeps_the_nearest_eight():
    error: BaseException = ValueError("bottom")
    for number in range(300):
        above = RuntimeError(f"level {number}")
        above.__cause__ = error
        error = above
    context = error_context(error)
    assert 0 < len(context.causes) <= CAUSES_KEPT


class HostileError(Exception):
    def __getattribute__(self, name: str) -> Any:
        raise RuntimeError(name)

    def __str__(self) -> str:
        raise RuntimeError("str")


class HostileText(str):
    __slots__ = ()

    def __str__(self) -> str:
        raise RuntimeError("str")

    def strip(self, *_: Any) -> str:
        raise RuntimeError("strip")


class HostileNumber(float):
    def __rsub__(self, other: Any) -> float:
        raise RuntimeError("sub")

    def __abs__(self) -> float:
        raise RuntimeError("abs")


class HostileHeaders:
    def items(self) -> Any:
        raise RuntimeError("items")


STRANGERS = [
    None, 5, "text", b"\xff", object(), object, HostileError(), HostileError, HostileText("a"), HostileNumber(1.0), HostileHeaders(), [1], {"a": 1},
    {"status": "429"}, 10**400, 1e400, float("nan"), "\ud800", "x" * 2_000_000, lambda: 1 / 0, [("a",)], [(b"retry-after", b"\xff")],
]  # fmt: skip
_NAMES = [
    "method", "url", "headers", "service", "model", "operation", "arm", "request_id", "trace_id", "span_id", "user_id", "session_id",
    "conversation_id", "idempotency_key", "attempt", "breaker_state", "budget_left", "started_s", "environment", "key",
]  # fmt: skip


@pytest.mark.parametrize("place", range(len(STRANGERS)))
def test_any_error_makes_a_record(place):
    assert isinstance(error_context(STRANGERS[place]), ErrorContext)


@settings(max_examples=300, deadline=None)
@given(st.integers(0, len(STRANGERS) - 1), st.dictionaries(st.sampled_from(_NAMES), st.integers(0, len(STRANGERS) - 1)))
def test_anything_told_makes_a_record_that_json_can_hold(place, told):
    given = {name: STRANGERS[stranger] for name, stranger in told.items()}
    context = error_context(STRANGERS[place], **given)
    assert json.dumps(context.record()).encode()
    assert all(
        text is None or len(text) <= 1_100 for text in (context.url, context.service, context.user, context.message)
    )
