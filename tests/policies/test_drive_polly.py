"""Polly 8 as documented: CircuitStateController, AdvancedCircuitBehavior, RollingHealthMetrics at 173d6d1d."""

import pytest

from relkit import drive

OK, BAD = ("call", "success"), ("call", "failure")
OPENED = [OK] * 90 + [BAD] * 10


def test_a_tenth_of_a_hundred_calls_opens() -> None:
    assert drive("polly-8", OPENED[:-1])[-1].state == "closed"
    assert drive("polly-8", OPENED)[-1].state == "open"
    assert drive("polly-8", [BAD] * 99)[-1].state == "closed"


def test_a_success_never_opens() -> None:
    steps = drive("polly-8", [BAD] * 50 + [OK] * 60 + [BAD])
    assert [step.state for step in steps[-2:]] == ["closed", "open"]


def test_the_break_lasts_five_seconds_not_strictly_and_ends_with_a_call() -> None:
    steps = drive("polly-8", [*OPENED, ("wait", 4.999), OK, ("wait", 0.001), ("start", "probe")])
    assert [step.state for step in steps[100:]] == ["open", "open", "open", "half_open"]
    assert steps[-1].admitted


def test_one_probe_at_a_time_and_its_success_closes() -> None:
    script = [*OPENED, ("wait", 5.0), ("start", "probe"), OK, ("finish", "probe", "success"), OK]
    steps = drive("polly-8", script)
    assert [step.code for step in steps[102:]] == [2, None, 0]
    assert (steps[-1].state, steps[-1].calls) == ("closed", 1)


def test_a_failed_probe_opens_for_another_break() -> None:
    steps = drive("polly-8", [*OPENED, ("wait", 5.0), BAD, OK])
    assert [step.state for step in steps[-2:]] == ["open", "open"]
    assert steps[-1].retry_after_s == pytest.approx(5.0)


def test_an_outcome_it_does_not_handle_closes_half_open() -> None:
    assert drive("polly-8", [*OPENED, ("wait", 5.0), ("call", "ignored")])[-1].state == "closed"
    assert drive("polly-8", [*OPENED, ("wait", 5.0), ("call", "CANCELLED")])[-1].state == "closed"


def test_a_probe_that_never_ends_holds_half_open_for_ever() -> None:
    steps = drive("polly-8", [*OPENED, ("wait", 5.0), ("start", "hangs"), ("wait", 86400.0), OK])
    assert (steps[-1].state, steps[-1].code) == ("half_open", 2)


def test_windows_hang_on_events() -> None:
    """A window begins with the first event after the last is 3 s old; it goes when its start is 30 s old."""
    script = [("wait", 2.0), BAD, ("wait", 2.9), BAD, ("wait", 27.05), ("wait", 0.1)]
    steps = drive("polly-8", script)
    assert [step.calls for step in steps] == [0, 1, 1, 2, 2, 0]
    apart = drive("polly-8", [("wait", 2.0), BAD, ("wait", 3.0), BAD, ("wait", 27.1)])
    assert apart[-1].calls == 1


def test_at_most_ten_windows_live() -> None:
    steps = drive("polly-8", [line for _ in range(30) for line in (OK, ("wait", 3.0))])
    assert steps[-2].calls == 10


def test_a_single_window_is_reset_as_a_whole() -> None:
    """Below 200 ms of sampling Polly keeps one bucket."""
    script = [OK, ("wait", 0.05), OK, ("wait", 0.05), OK]
    steps = drive("polly-8", script, window_s=0.1, buckets=1)
    assert [step.calls for step in steps] == [1, 1, 2, 0, 1]


def test_cancellation_is_no_failure() -> None:
    assert drive("polly-8", [("call", "CANCELLED")] * 200)[-1].failure_share == 0


def test_a_failure_landing_in_open_changes_nothing_but_the_counts() -> None:
    script = [("start", "late"), *OPENED, ("finish", "late", "failure")]
    steps = drive("polly-8", script)
    assert (steps[-1].state, steps[-1].calls) == ("open", steps[-2].calls + 1)
