"""Retries through `drive`: the waits and ends of a preset as a script of calls on a virtual clock."""

import pytest

from relkit import drive
from relkit.exceptions import ParameterError

BAD, GOOD = ("call", "failure", 0.1), ("call", "success", 0.1)


def delays(preset, script, **overrides):
    return [step.delay_s for step in drive(preset, script, **overrides)]


def test_a_success_and_a_last_failure_have_no_delay():
    assert delays("resilience4j-retry", [BAD, BAD, BAD, GOOD]) == [0.5, 0.5, None, None]


def test_the_next_call_after_the_end_is_a_new_request():
    assert delays("polly", [BAD] * 5) == [2.0, 2.0, 2.0, None, 2.0]


def test_a_success_ends_a_request_and_its_back_off():
    assert delays("aws-standard-2020", [BAD, GOOD, BAD, BAD, BAD]) == [0.5, None, 0.5, 1.0, None]


@pytest.mark.parametrize(
    ("preset", "kind", "first_s"),
    [
        ("aws-standard-2020", "API_SERVER_ERROR", 0.5),
        ("aws-standard-2020", "API_RATE_LIMIT", 0.5),
        ("aws-standard-2026", "API_SERVER_ERROR", 0.025),
        ("aws-standard-2026", "API_RATE_LIMIT", 0.5),
        ("plan", "API_RATE_LIMIT", 0.3),
        ("plan", "NETWORK_TIMEOUT", 0.05),
        ("plan", "DATABASE_QUERY_ERROR", 0.5),
        ("plan", "API_AUTH_ERROR", None),
        ("plan-fixed", "DATABASE_QUERY_ERROR", None),
        ("plan-fixed", "API_RATE_LIMIT", 7.5),
        ("plan-fixed", "NETWORK_TIMEOUT", 0.05),
        ("grpc-a6", "API_SERVER_ERROR", 0.1),
    ],
)
def test_the_kind_of_error_chooses_the_wait(preset, kind, first_s):
    assert delays(preset, [("call", kind, 0.1)])[0] == pytest.approx(first_s)


def test_a_typo_in_sql_is_tried_eleven_times_by_the_plan():
    found = delays("plan", [("call", "DATABASE_QUERY_ERROR", 0.0)] * 11, votes="by_kind")
    assert found == [0.5, 1.0, 2.0, 4.0, 8.0, 10.0, 10.0, 10.0, 10.0, 10.0, None]


@pytest.mark.parametrize(
    ("preset", "hint_s", "wait_s"),
    [
        ("aws-standard-2020", 3.0, 0.5),
        ("aws-standard-2026", 3.0, 3.0),
        ("aws-standard-2026", 30.0, 5.5),
        ("grpc-a6", 0.25, 0.25),
        ("litellm", 30.0, 30.375),
        ("litellm", 61.0, 0.875),
        ("plan", 3600.0, 3600.0),
        ("plan-fixed", 10.0, 10.5),
    ],
)
def test_a_stated_wait_is_used_as_the_library_uses_it(preset, hint_s, wait_s):
    assert delays(preset, [("call", "API_RATE_LIMIT", 0.1, hint_s)])[0] == pytest.approx(wait_s)


DATE = "Thu, 01 Jan 1970 00:00:20 GMT"


@pytest.mark.parametrize(
    ("preset", "header", "wait_s"),
    [
        ("plan", DATE, 0.001),
        ("plan", "1.5", 1.0),
        ("plan", "99999999", 0.001),
        ("plan", -5.0, 0.001),
        ("plan-fixed", DATE, 21.0),
        ("plan-fixed", "10", 10.5),
        ("plan-fixed", "soon", 7.5),
        ("plan-fixed", -5.0, 7.5),
        ("grpc-a6", -1.0, None),
        ("aws-standard-2026", -5.0, 0.5),
        ("litellm", DATE, 20.375),
    ],
)
def test_a_header_is_read_as_the_caller_reads_it(preset, header, wait_s):
    """A date 20 s ahead of the virtual clock: the plan retries at once, the others wait for it."""
    assert delays(preset, [("call", "API_RATE_LIMIT", 0.0, header)]) == [pytest.approx(wait_s)]


def test_a_stated_wait_beyond_the_deadline_ends_the_request_at_once():
    assert delays("plan-fixed", [("call", "API_RATE_LIMIT", 0.1, 3600.0)]) == [None]


def test_an_unsafe_call_that_may_have_been_carried_out_is_not_repeated():
    assert delays("plan-fixed", [("call", "NETWORK_TIMEOUT", 1.0)], has_key=False) == [None]
    assert delays("plan-fixed", [("call", "NETWORK_REFUSED", 1.0)], has_key=False) == [0.05]
    assert delays("plan", [("call", "NETWORK_TIMEOUT", 1.0)], has_key=False) == [0.05]


def test_the_budget_ends_retries_before_the_tries_do():
    """gRPC: the fifth failure in a row leaves 5 of 10 tokens."""
    found = delays("grpc-a6", [("call", "API_SERVER_ERROR", 0.0)] * 8)
    assert [wait_s is not None for wait_s in found] == [True, True, True, False, False, False, False, False]


def test_a_request_takes_all_its_waits_together():
    step = drive("resilience4j-retry", [("request", "failure", 0.25)])[0]
    assert step.delay_s == 1.0
    assert step.at_s == pytest.approx(3 * 0.25 + 1.0)


def test_the_breaker_is_asked_at_the_moment_of_sending():
    """Opened by the third attempt, it stops the fourth of the same request, for which the plan had already waited."""
    steps = drive("plan", [("request", "API_SERVER_ERROR", 0.1)])
    assert steps[0].state == "open"
    assert steps[0].admitted is False
    assert steps[0].at_s == pytest.approx(3 * 0.1 + 0.1 + 0.15 + 0.225)


def test_settings_may_be_overridden_by_name_and_word():
    assert delays("polly", [BAD] * 3, backoff="linear", step_s=2.0) == [2.0, 4.0, 6.0]
    assert delays("stamina", [BAD] * 2, jitter="no_jitter") == [0.1, 0.2]
    assert delays("grpc-a6", [("call", "API_SERVER_ERROR")] * 2, capacity=2.0) == [None, None]
    assert delays("polly", [BAD] * 3, budget_family="per_success", capacity=2.0) == [2.0, 2.0, None]
    with pytest.raises(ParameterError, match="max_attempts"):
        drive("polly", [BAD], max_tries=3)


def test_a_loop_that_needs_a_budget_cannot_be_driven_without_one():
    with pytest.raises(ParameterError, match="retry_budget = 'no_budget'"):
        drive("aws-standard-2026", [BAD], budget_family="no_budget")
    assert delays("aws-standard-2026", [BAD], budget_family="no_budget", needs_budget=False) == [0.025]


@pytest.mark.parametrize("draw", [0.0, 0.5, 0.99])
def test_the_draw_of_a_wait_is_the_callers(draw):
    assert delays("aws-standard-2020", [BAD], draw=draw) == [draw]


@pytest.mark.parametrize("told", [True, float("nan"), [1.0]])
def test_a_stated_wait_that_is_neither_seconds_nor_a_header_is_refused(told):
    with pytest.raises(ParameterError, match=r"script\[0\] = .*seconds, or the text of a Retry-After header"):
        drive("plan-fixed", [("call", "API_RATE_LIMIT", 0.1, told)])
