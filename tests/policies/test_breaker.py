"""What all families have in common: time, generations, half open, open times, and switches from outside."""

from random import Random
from statistics import fmean, stdev

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from relkit import drive
from relkit.policies.breaker import allow, settle, tick
from relkit.policies.breaker_presets import BREAKER_PRESETS
from relkit.policies.codes import FAILURE, HALF_OPENED, METRICS_ONLY, NONE, OPENED, SUCCESS
from relkit.policies.records import ALONE, BreakerSettings, Peers
from relkit.policies.switches import force, throttle
from relkit.policies.transitions import new_breaker, open_time_s

OK, BAD = ("call", "success"), ("call", "failure")
FLEET = Peers(members=20, mean_share=0.99, sd_share=0.001)


@pytest.mark.parametrize("name", BREAKER_PRESETS)
@settings(max_examples=25)
@given(
    script=st.lists(st.tuples(st.sampled_from([0.0, 0.3, 4.0, 35.0, 130.0]), st.integers(0, 2)), max_size=40),
    ticks=st.integers(1, 7),
)
def test_to_tick_often_or_seldom_comes_to_the_same(name: str, script: list[tuple[float, int]], ticks: int) -> None:
    """Time alone changes the state at its own moments, so that a simulated and a watched breaker agree."""
    cfg = BREAKER_PRESETS[name].breaker.changed(half_open_max_s=20.0)
    seldom, often = new_breaker(cfg, 0.0), new_breaker(cfg, 0.0)
    now_s = 0.0
    for wait_s, result in script:
        for part in range(1, ticks + 1):
            tick(*often, cfg, FLEET, now_s + wait_s * part / ticks)
        now_s += wait_s
        answers = [allow(*one, cfg, FLEET, now_s, 0.5) for one in (seldom, often)]
        assert answers[0] == answers[1]
        if answers[0][0] == 0:
            outcome = FAILURE if result else SUCCESS
            assert len({settle(*one, cfg, FLEET, now_s, answers[0][1], outcome, 0.0) for one in (seldom, often)}) == 1
    assert seldom == often


def test_a_late_answer_of_an_earlier_generation_is_dropped() -> None:
    script = [("start", "late"), *[BAD] * 5, ("wait", 60.0), OK, *[BAD] * 4, ("finish", "late", "failure")]
    steps = drive(BreakerSettings(), script)
    assert (steps[-1].state, steps[-1].calls) == ("closed", 4)
    recorded = drive(BreakerSettings(), script, records_late=True)
    assert recorded[-1].state == "open"


def test_a_late_answer_takes_no_half_open_permit() -> None:
    script = [("start", "late"), *[BAD] * 5, ("wait", 60.0), ("start", "trial"), ("finish", "late", "success"), OK]
    steps = drive(BreakerSettings(), script)
    assert (steps[-2].state, steps[-1].code) == ("half_open", 2)


@pytest.mark.parametrize("outcome", ["ignored", "abandoned"])
def test_a_half_open_permit_that_brought_no_answer_is_given_back(outcome: str) -> None:
    script = [*[BAD] * 5, ("wait", 60.0), *[("call", outcome)] * 30, OK]
    steps = drive(BreakerSettings(), script)
    assert all(step.admitted for step in steps[6:])
    assert steps[-1].state == "closed"


def test_half_open_by_count_closes_after_the_successes_and_opens_on_one_failure() -> None:
    opened = [*[BAD] * 5, ("wait", 60.0)]
    cfg = BreakerSettings(half_open_permits=2, half_open_successes=3)
    assert [step.state for step in drive(cfg, [*opened, OK, OK, OK])[6:]] == ["half_open", "half_open", "closed"]
    assert drive(cfg, [*opened, OK, OK, BAD])[-1].state == "open"


def test_permits_are_given_at_once_or_in_all() -> None:
    opened = [*[BAD] * 5, ("wait", 60.0), OK, OK, OK]
    at_once = drive(BreakerSettings(half_open_permits=2, half_open_successes=4), opened)
    assert [step.code for step in at_once[6:]] == [0, 0, 0]
    in_all = BreakerSettings(half_open_permits=2, half_open_successes=2, permits_in_all=True)
    three = drive(in_all, [*opened[:6], ("start", "a"), ("start", "b"), ("start", "c")])
    assert [step.code for step in three[6:]] == [0, 0, 2]


def test_a_stay_in_half_open_ends_at_its_own_time() -> None:
    script = [*[BAD] * 5, ("wait", 60.0), ("start", "hangs"), ("wait", 10.0), OK, ("wait", 1000.0)]
    cfg = BreakerSettings(half_open_max_s=10.0, waits_for_call=True)
    steps = drive(cfg, script)
    assert [step.state for step in steps[6:]] == ["half_open", "open", "open", "open"]
    assert steps[8].retry_after_s == pytest.approx(60.0)
    assert "half open lasted 10 s" in steps[7].sentence


@pytest.mark.parametrize(
    ("growth", "expected"),
    [("steady", [10, 10, 10, 10]), ("linear", [10, 20, 30, 35]), ("exponential", [10, 20, 35, 35])],
)
def test_open_times_grow_to_their_cap(growth: str, expected: list[float]) -> None:
    cfg = BreakerSettings(open_s=10.0, open_max_s=35.0).changed(open_growth=growth)
    assert [open_time_s(cfg, trips, 0.5) for trips in (1, 2, 3, 4)] == expected


@given(st.floats(0, 1, exclude_max=True), st.integers(1, 10_000))
def test_jitter_stays_within_its_share(draw: float, trips: int) -> None:
    cfg = BreakerSettings(open_s=30.0, open_max_s=300.0, open_jitter=0.1).changed(open_growth="exponential")
    assert 27.0 <= open_time_s(cfg, trips, draw) <= 330.0


def test_without_a_cap_an_open_time_stays_finite() -> None:
    cfg = BreakerSettings().changed(open_growth="exponential")
    assert open_time_s(cfg, 10_000, 0.5) == 1e15


def test_a_stated_time_opens_for_just_so_long() -> None:
    steps = drive(BreakerSettings(open_is_strict=True), [("throttle", 5.0), OK, ("wait", 5.0), OK])
    assert [step.state for step in steps] == ["open", "open", "half_open", "closed"]
    assert (steps[1].code, steps[1].retry_after_s) == (4, 5.0)


def test_a_stated_time_lengthens_an_opening_and_never_shortens_it() -> None:
    opened = [BAD] * 5
    assert drive(BreakerSettings(), [*opened, ("throttle", 5.0), OK])[-1].retry_after_s == pytest.approx(60.0)
    assert drive(BreakerSettings(), [*opened, ("throttle", 90.0), OK])[-1].retry_after_s == pytest.approx(90.0)


def test_a_stated_time_is_no_failure_and_does_not_lengthen_the_next_opening() -> None:
    cfg = BreakerSettings(open_s=10.0).changed(open_growth="exponential")
    steps = drive(cfg, [("throttle", 5.0), ("wait", 5.0), OK, *[BAD] * 6])
    assert steps[-1].retry_after_s == pytest.approx(10.0)


def test_a_health_check_does_not_end_a_stated_time() -> None:
    steps = drive("plan", [("throttle", 30.0), ("probe", "success"), OK])
    assert [step.state for step in steps] == ["open", "open", "open"]


@pytest.mark.parametrize("preset", BREAKER_PRESETS)
def test_forced_states_hold_whatever_happens(preset: str) -> None:
    noise = [
        *[BAD] * 30,
        ("probe", "success"),
        ("throttle", 5.0),
        ("trip",),
        ("wait", 5000.0),
        ("probe", "failure"),
        OK,
    ]
    for word, state, admitted in (
        ("open", "forced_open", False),
        ("disabled", "disabled", True),
        ("metrics_only", "metrics_only", True),
    ):
        steps = drive(preset, [("force", word), *noise])
        assert {step.state for step in steps} == {state}
        assert {step.admitted for step in steps if step.op == "call"} == {admitted}
    assert drive(preset, [("force", "open"), ("force", "closed"), OK])[-1].admitted


def test_metrics_only_says_once_that_it_would_have_opened() -> None:
    cfg = BreakerSettings(failure_threshold=2)
    state, window = new_breaker(cfg, 0.0)
    force(state, window, cfg, 0.0, METRICS_ONLY)
    generation = state.generation
    events = [settle(state, window, cfg, ALONE, 1.0, generation, FAILURE, 0.0) for _ in range(6)]
    assert events == [NONE, OPENED, NONE, NONE, NONE, NONE]


def test_forcing_forgets_what_was_counted() -> None:
    steps = drive(BreakerSettings(), [*[BAD] * 4, ("force", "closed"), *[BAD] * 4])
    assert steps[-1].state == "closed"


def test_events_tell_what_time_did() -> None:
    cfg = BreakerSettings(open_s=10.0)
    state, window = new_breaker(cfg, 0.0)
    assert throttle(state, window, cfg, ALONE, 0.0, 10.0) == OPENED
    assert [tick(state, window, cfg, ALONE, now_s) for now_s in (9.9, 10.0, 10.1)] == [NONE, HALF_OPENED, NONE]


@pytest.mark.parametrize(("q", "k", "expected"), [(0.5, 2, 6), (0.5, 5, 62), (0.3, 2, 14.4), (0.9, 10, 18.68)])
def test_a_run_of_failures_takes_as_long_as_theory_says(q: float, k: int, expected: float) -> None:
    """Mean calls to k failures in a row, (1 - q^k) / ((1 - q) q^k); ten seeds, false alarm below 1 in 1,000 a cell."""
    cfg = BreakerSettings(failure_threshold=k)
    lengths = []
    for seed in range(10):
        rng = Random(seed)
        for _ in range(30):
            state, window = new_breaker(cfg, 0.0)
            calls = 1
            while settle(state, window, cfg, ALONE, 0.0, 0, int(rng.random() < q), 0.0) == NONE:
                calls += 1
            lengths.append(calls)
    assert expected == pytest.approx((1 - q**k) / ((1 - q) * q**k), rel=0.01)
    assert abs(fmean(lengths) - expected) < 3.5 * stdev(lengths) / len(lengths) ** 0.5
