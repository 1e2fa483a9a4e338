"""opossum 10 as documented and read: lib/circuit.js and lib/status.js of 10.0.0."""

import pytest

from relkit import drive

OK, BAD = ("call", "success"), ("call", "failure")


def test_the_first_failure_opens_because_there_is_no_minimum() -> None:
    assert drive("opossum-10", [BAD])[-1].state == "open"
    assert drive("opossum-10", [BAD] * 5, min_calls=5)[3].state == "closed"


def test_the_share_must_be_exceeded() -> None:
    assert drive("opossum-10", [OK, BAD])[-1].state == "closed"
    assert drive("opossum-10", [OK, BAD, BAD])[-1].state == "open"


def test_a_threshold_of_one_hundred_percent_never_trips() -> None:
    assert drive("opossum-10", [BAD] * 200, failure_share=1.0)[-1].state == "closed"


def test_a_success_never_opens() -> None:
    steps = drive("opossum-10", [BAD, BAD, OK], min_calls=3)
    assert steps[-1].state == "closed"
    assert steps[-1].failure_share == pytest.approx(2 / 3)


def test_requests_count_when_they_are_fired() -> None:
    steps = drive("opossum-10", [("start", "a"), ("start", "b"), ("start", "c"), ("finish", "a", "failure")])
    assert (steps[-1].calls, steps[-1].state) == (3, "closed")


def test_rejected_requests_dilute_the_share() -> None:
    """2 failures, 1 success, 3 rejections: 33 %, as opossum itself says."""
    steps = drive("opossum-10", [OK, BAD, BAD, OK, OK, OK])
    assert [step.admitted for step in steps] == [True, True, True, False, False, False]
    assert steps[-1].failure_share == pytest.approx(1 / 3)


def test_it_half_opens_by_itself_at_the_reset_time() -> None:
    steps = drive("opossum-10", [BAD, ("wait", 29.999), ("wait", 0.001)])
    assert [step.state for step in steps] == ["open", "open", "half_open"]


def test_one_call_decides_half_open() -> None:
    script = [BAD, ("wait", 30.0), ("start", "probe"), OK, ("finish", "probe", "success"), OK]
    steps = drive("opossum-10", script)
    assert [step.code for step in steps[2:]] == [0, 2, None, 0]
    assert steps[-1].state == "closed"
    assert drive("opossum-10", [BAD, ("wait", 30.0), BAD])[-1].state == "open"


def test_the_reopened_time_is_the_same() -> None:
    steps = drive("opossum-10", [BAD, ("wait", 30.0), BAD, ("wait", 29.0), ("wait", 1.0)])
    assert [step.state for step in steps[2:]] == ["open", "open", "half_open"]


def test_the_window_survives_closing() -> None:
    steps = drive("opossum-10", [("wait", 5.0), OK, OK, BAD, BAD, BAD, ("wait", 3.0), OK], open_s=3.0)
    assert steps[-1].state == "closed"
    assert steps[-1].calls == 6


def test_slots_are_counted_from_the_making_of_the_breaker() -> None:
    steps = drive("opossum-10", [OK, ("wait", 9.9), ("wait", 0.2)], start_s=0.7)
    assert [step.calls for step in steps] == [1, 1, 0]


def test_a_filtered_error_is_a_success() -> None:
    assert drive("opossum-10", [BAD, ("wait", 30.0), ("call", "ignored")])[-1].state == "closed"


def test_ten_seconds_are_a_failure() -> None:
    steps = drive("opossum-10", [("call", "success", 9.9), ("call", "success", 25.0)])
    assert (steps[1].at_s, steps[1].state) == (pytest.approx(19.9), "open")
    hanging = drive("opossum-10", [("start", "a"), ("wait", 9.0), ("wait", 2.0), ("finish", "a", "success")])
    assert [step.state for step in hanging] == ["closed", "closed", "open", "open"]


def test_a_late_answer_decides_half_open() -> None:
    script = [("start", "late"), BAD, BAD, ("wait", 5.0), ("finish", "late", "success")]
    assert drive("opossum-10", script, open_s=2.0, min_calls=2)[-1].state == "closed"


def test_warming_up_it_cannot_open() -> None:
    steps = drive("opossum-10", [BAD] * 5 + [("wait", 10.0), BAD], warm_up_s=10.0)
    assert [step.state for step in steps[4:]] == ["closed", "closed", "open"]


def test_a_failing_health_check_opens_and_a_passing_one_does_nothing() -> None:
    steps = drive("opossum-10", [("probe", "failure"), ("probe", "success")])
    assert [step.state for step in steps] == ["open", "open"]
