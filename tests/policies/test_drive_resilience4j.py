"""resilience4j as documented: CircuitBreakerConfig, CircuitBreakerMetrics, CircuitBreakerStateMachine at af9e7c97."""

import pytest

from relkit import drive
from relkit.simulation.drive import Step

OK, BAD = ("call", "success"), ("call", "failure")
BOTH = pytest.mark.parametrize("preset", ["resilience4j-count", "resilience4j-time"])


def states(steps: list[Step]) -> list[str]:
    return [step.state for step in steps]


@BOTH
def test_nothing_is_judged_below_a_hundred_calls(preset: str) -> None:
    assert drive(preset, [BAD] * 99)[-1].state == "closed"
    assert drive(preset, [BAD] * 100)[-1].state == "open"


@BOTH
def test_half_of_the_calls_failing_is_enough(preset: str) -> None:
    assert drive(preset, [OK, BAD] * 49 + [OK, OK])[-1].state == "closed"
    assert drive(preset, [OK, BAD] * 50)[-1].state == "open"


@BOTH
def test_a_success_may_be_the_call_that_opens(preset: str) -> None:
    steps = drive(preset, [BAD] * 60 + [OK] * 40)
    assert states(steps)[-2:] == ["closed", "open"]


def test_the_minimum_is_cut_to_a_count_window_and_not_to_a_time_window() -> None:
    assert states(drive("resilience4j-count", [BAD] * 10, window_calls=10))[-2:] == ["closed", "open"]
    assert drive("resilience4j-time", [BAD] * 99, window_s=10.0, buckets=10)[-1].state == "closed"


def test_the_count_window_forgets_its_oldest_call() -> None:
    steps = drive("resilience4j-count", [BAD] * 4 + [OK] * 6 + [OK] * 4, window_calls=10, failure_share=0.6)
    assert (steps[9].failure_share, steps[-1].failure_share) == (0.4, 0.0)


def test_the_present_second_counts_as_one_slot() -> None:
    """Ten slots of a second: a call at 0.9 s is gone at 10.0 s, one at 0.0 s still there at 9.9 s."""
    early = drive("resilience4j-time", [("wait", 0.9), BAD, ("wait", 9.05)], window_s=10.0, buckets=10)
    assert (early[1].calls, early[2].at_s, early[2].calls) == (1, pytest.approx(9.95), 1)
    late = drive("resilience4j-time", [("wait", 0.9), BAD, ("wait", 9.1)], window_s=10.0, buckets=10)
    assert late[2].calls == 0


def test_slow_means_longer_than_a_minute_and_all_must_be() -> None:
    assert drive("resilience4j-count", [("call", "success", 60.0)] * 100)[-1].slow_share == 0
    assert drive("resilience4j-count", [("call", "success", 60.1)] * 100)[-1].state == "open"
    assert drive("resilience4j-count", [("call", "success", 60.1)] * 99 + [OK])[-1].state == "closed"


def test_a_slow_failure_is_both() -> None:
    last = drive("resilience4j-count", [("call", "failure", 61.0), OK], failure_share=0.9)[-1]
    assert (last.failure_share, last.slow_share) == (0.5, 0.5)


@BOTH
def test_permission_comes_strictly_after_the_open_time_and_with_a_call(preset: str) -> None:
    steps = drive(preset, [BAD] * 100 + [("wait", 60.0), OK, ("wait", 0.001), OK])
    assert states(steps[100:]) == ["open", "open", "open", "half_open"]
    assert [step.code for step in steps[101:]] == [1, None, 0]


@BOTH
def test_ten_permits_decide_by_the_same_share(preset: str) -> None:
    opened = [BAD] * 100 + [("wait", 61.0)]
    assert states(drive(preset, opened + [OK] * 6 + [BAD] * 4))[-2:] == ["half_open", "closed"]
    assert states(drive(preset, opened + [OK] * 5 + [BAD] * 5))[-2:] == ["half_open", "open"]


def test_calls_beyond_the_permits_are_rejected() -> None:
    steps = drive("resilience4j-count", [BAD] * 100 + [("wait", 61.0)] + [("start", str(n)) for n in range(11)])
    assert [step.code for step in steps[101:]] == [0] * 10 + [2]


def test_a_smaller_minimum_decides_before_all_permits_are_used() -> None:
    opened = [BAD] * 3 + [("wait", 61.0)]
    steps = drive("resilience4j-count", opened + [OK] * 3, min_calls=3)
    assert states(steps[4:]) == ["half_open", "half_open", "closed"]


def test_an_ignored_call_gives_its_permit_back() -> None:
    script = [BAD] * 100 + [("wait", 61.0)] + [("call", "ignored")] * 25 + [OK] * 10
    steps = drive("resilience4j-count", script)
    assert all(step.admitted for step in steps[101:])
    assert steps[-1].state == "closed"


@BOTH
def test_closing_starts_with_an_empty_window(preset: str) -> None:
    last = drive(preset, [BAD] * 100 + [("wait", 61.0)] + [OK] * 10)[-1]
    assert (last.state, last.calls) == ("closed", 0)


def test_a_late_answer_counts_in_half_open() -> None:
    """No generation: a call begun while closed takes part in the verdict of half open."""
    script = [("start", "late")] + [BAD] * 100 + [("wait", 61.0)] + [OK] * 9 + [("finish", "late", "success")]
    steps = drive("resilience4j-count", script)
    assert states(steps)[-2:] == ["half_open", "closed"]


def test_half_open_may_be_limited_in_time() -> None:
    script = [BAD] * 100 + [("wait", 61.0), ("start", "hangs"), ("wait", 29.0), ("wait", 1.0)]
    assert states(drive("resilience4j-count", script, half_open_max_s=30.0))[-2:] == ["half_open", "open"]
    closing = drive("resilience4j-count", script, half_open_max_s=30.0, half_open_expiry_closes=True)
    assert closing[-1].state == "closed"
    assert drive("resilience4j-count", [*script, ("wait", 1e6)])[-1].state == "half_open"


def test_the_automatic_transition_needs_no_call() -> None:
    assert drive("resilience4j-count", [BAD] * 100 + [("wait", 60.5)], waits_for_call=False)[-1].state == "half_open"


def test_the_open_time_grows_with_the_attempts_and_closing_forgets_them() -> None:
    again = [("wait", 1000.0)] + [BAD] * 10
    grown = drive("resilience4j-count", [BAD] * 100 + again + again + [BAD], open_growth="exponential", open_factor=1.5)
    assert grown[-1].retry_after_s == pytest.approx(60 * 1.5 * 1.5)
    closed = drive(
        "resilience4j-count",
        [BAD] * 100 + again + [("wait", 1000.0)] + [OK] * 10 + [BAD] * 101,
        open_growth="exponential",
        open_factor=1.5,
    )
    assert closed[-1].retry_after_s == pytest.approx(60)


def test_forced_open_rejects_for_ever() -> None:
    steps = drive("resilience4j-count", [("force", "open"), ("wait", 1e7), OK])
    assert (steps[-1].state, steps[-1].code, steps[-1].admitted) == ("forced_open", 3, False)


def test_disabled_records_nothing() -> None:
    last = drive("resilience4j-count", [("force", "disabled"), *[BAD] * 500])[-1]
    assert (last.state, last.admitted, last.calls) == ("disabled", True, 0)


def test_metrics_only_records_and_never_rejects() -> None:
    steps = drive("resilience4j-count", [("force", "metrics_only"), *[BAD] * 500])
    assert all(step.admitted for step in steps[1:])
    assert (steps[-1].state, steps[-1].failure_share) == ("metrics_only", 1.0)
    assert "would have opened" in steps[-1].sentence
    assert "would have opened" not in steps[99].sentence


def test_every_error_counts_by_default() -> None:
    assert drive("resilience4j-count", [("call", "API_INVALID_REQUEST")] * 100)[-1].state == "open"
