"""The plan's breaker literally, and what relkit makes of it: the defects of plan 3.1 to 3.3 side by side."""

import pytest

from relkit import drive

OK, BAD = ("call", "success"), ("call", "failure")


def opens_after(preset: str, healthy: int, **settings: object) -> int:
    steps = drive(preset, [OK] * healthy + [BAD] * 60, **settings)
    return next(number for number, step in enumerate(steps) if step.state == "open") + 1 - healthy


def test_five_healthy_calls_raise_the_plans_threshold_to_ten() -> None:
    assert [f"{n} open it" in drive("plan", [OK] * n)[-1].sentence for n in (5, 10)] == [False, True]
    assert ["10 open it" in step.sentence for step in drive("plan", [OK] * 5)] == [False] * 4 + [True]


def test_the_healthier_it_was_the_slower_the_plan_opens() -> None:
    assert opens_after("plan", 1000) == 10
    assert opens_after("plan-fixed", 1000) == 5
    assert opens_after("plan", 0) < 5 <= opens_after("plan-fixed", 0)


def test_the_plans_transition_uses_the_threshold_from_before_the_outcome() -> None:
    """Failures 1, 2, 3 lower it to 4, 3, 2; the third is judged by the 3 that held before it."""
    steps = drive("plan", [BAD] * 3)
    assert [step.state for step in steps] == ["closed", "closed", "open"]


def test_the_plans_window_is_frozen_while_open_and_survives() -> None:
    steps = drive("plan", [BAD] * 3 + [("wait", 60.0), OK])
    assert (steps[-1].state, steps[-1].calls, steps[-1].failure_share) == ("closed", 4, 0.75)
    fixed = drive("plan-fixed", [BAD] * 5 + [("wait", 60.0), OK])
    assert (fixed[-1].state, fixed[-1].calls) == ("closed", 0)


def test_fixed_the_threshold_moves_once_in_a_hundred_calls() -> None:
    pattern = [BAD, BAD, OK] * 40
    lowest = [step.sentence for step in drive("plan-fixed", pattern)]
    assert "5 open it" in lowest[98]
    assert "4 open it" in lowest[119]
    assert all("open it" in sentence for sentence in lowest)
    assert "2 open it" in drive("plan", [BAD, OK] * 20)[-1].sentence


def test_a_bad_request_opens_the_plans_breaker_and_not_the_fixed_one() -> None:
    for kind in ("API_INVALID_REQUEST", "MODEL_CONTEXT_LENGTH", "VALIDATION_ERROR", "API_RATE_LIMIT"):
        assert drive("plan", [("call", kind)] * 10)[-1].state == "open"
        assert drive("plan-fixed", [("call", kind)] * 50)[-1].state == "closed"
    assert drive("plan-fixed", [("call", "API_SERVER_ERROR")] * 5)[-1].state == "open"


def test_a_passing_health_check_closes_the_plans_breaker_and_half_opens_the_fixed_one() -> None:
    assert drive("plan", [*[BAD] * 10, ("probe", "success")])[-1].state == "closed"
    fixed = drive("plan-fixed", [*[BAD] * 5, ("probe", "success"), ("start", "a"), ("start", "b")])
    assert [step.state for step in fixed[5:]] == ["half_open"] * 3
    assert [step.code for step in fixed[6:]] == [0, 2]


def test_a_shallow_health_check_sends_the_plan_back_into_the_outage() -> None:
    """Two minutes of outage, 20 calls a second that take 2 s to fail, and a check every 30 s that always passes."""
    events: list[tuple[float, tuple[object, ...]]] = [(30.0 * n, ("probe", "success")) for n in range(1, 5)]
    for number in range(120 * 20):
        events.append((number / 20, ("start", f"call {number}")))
        events.append((number / 20 + 2, ("finish", f"call {number}", "failure")))
    script: list[tuple[object, ...]] = []
    now_s = 0.0
    for at_s, line in sorted(events, key=lambda event: event[0]):
        script += [("wait", at_s - now_s), line]
        now_s = at_s
    plan, fixed = (sum(bool(step.admitted) for step in drive(name, script)) for name in ("plan", "plan-fixed"))
    assert plan > 3 * fixed


def test_one_request_opens_the_plans_breaker_by_its_retries() -> None:
    """Six attempts of one request, each counted, pass the threshold; counted by calls it is one failure."""
    assert drive("plan", [("request", "failure", 0.1)])[-1].state == "open"
    fixed = drive("plan-fixed", [("request", "failure", 0.1)])[-1]
    assert (fixed.state, fixed.calls) == ("closed", 1)
    assert drive("plan-fixed", [("request", "failure", 0.1)], counts="attempt")[-1].calls == 3


def test_late_answers_move_the_plans_threshold_and_are_dropped_by_the_fixed_one() -> None:
    late = [("start", "late"), *[OK] * 20, *[BAD] * 10, ("finish", "late", "failure")]
    plan, fixed = drive("plan", late), drive("plan-fixed", late)
    assert plan[-1].calls == plan[-2].calls + 1
    assert (fixed[-2].calls, fixed[-1].calls) == (fixed[-1].calls, fixed[-2].calls)
    assert fixed[-1].generation == fixed[-2].generation


def test_the_fixed_open_time_grows_and_is_spread() -> None:
    again = [("wait", 400.0), BAD]
    steps = drive("plan-fixed", [*[BAD] * 5, BAD, *again, BAD, *again, BAD, *again, *again, *again, BAD])
    waits = [step.retry_after_s for step in steps if step.code == 1]
    assert waits == pytest.approx([30, 60, 120, 300])
    low = drive("plan-fixed", [BAD] * 6, draw=0.0)[-1].retry_after_s
    high = drive("plan-fixed", [BAD] * 6, draw=0.999)[-1].retry_after_s
    assert (low, high) == (pytest.approx(27.0), pytest.approx(33.0, abs=0.01))


def test_the_plans_probes_are_synchronised() -> None:
    assert {drive("plan", [BAD] * 4, draw=draw)[-1].retry_after_s for draw in (0.0, 0.4, 0.9)} == {60.0}


def test_a_hanging_trial_does_not_block_the_fixed_one_for_ever() -> None:
    script = [*[BAD] * 5, ("wait", 60.0), ("start", "hangs"), ("wait", 3600.0), OK]
    assert drive("plan", [*[BAD] * 20, *script[5:]])[-1].code == 2
    assert drive("plan-fixed", script)[-1].admitted
