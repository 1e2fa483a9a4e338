"""The plan's breaker played beside others: threshold, detection and health check, each held against theory or an oracle."""

from random import Random

import pytest

from relkit.policies.codes import PROBE_CLOSES
from relkit.policies.presets import presets
from relkit.policies.records import BreakerSettings
from relkit.simulation.drive import drive
from relkit.simulation.plan_breaker import checked_outage, detection, threshold_course, threshold_shares


def breaker(name: str) -> BreakerSettings:
    found = presets[name].breaker
    assert found is not None
    return found


def test_the_threshold_is_the_one_that_drive_tells() -> None:
    """On random outcomes, ten seeds, both presets: the same number as in the sentence of each step."""
    for seed in range(10):
        rng = Random(seed)
        failing = [rng.random() < 0.2 for _ in range(40)]
        for name in ("plan", "plan-fixed"):
            course = threshold_course(breaker(name), failing)
            steps = drive(name, [("call", "failure" if fails else "success") for fails in failing])
            open_at = next((place for place, step in enumerate(steps) if step.state == "open"), len(steps))
            told = [f"{value} open it" in step.sentence for value, step in zip(course, steps, strict=True)]
            assert all(told[:open_at])


def test_good_health_raises_the_plans_threshold_and_leaves_ours() -> None:
    assert threshold_course(breaker("plan"), [False] * 7) == (6, 7, 8, 9, 10, 10, 10)
    assert set(threshold_course(breaker("plan-fixed"), [False] * 300)) == {5}


def test_shares_of_the_threshold_add_up_and_follow_the_notes() -> None:
    """At 96 % success 99.7 % of the calls at 10; at 75 % the plan sinks to 2."""
    healthy, ill = (threshold_shares(breaker("plan"), share) for share in (0.04, 0.25))
    for held in (healthy, ill):
        assert sum(held.values()) == pytest.approx(1.0)
        assert set(held) <= set(range(2, 11))
    assert healthy[10] > 0.99
    assert max(ill, key=lambda value: ill[value]) == 2


def test_in_a_total_outage_the_threshold_is_the_delay() -> None:
    """Every run, whatever the seed: 10 in a row for the plan after good health, 5 for a plain threshold."""
    for seed in range(10):
        plan = detection("plan", breaker("plan"), (1.0,), runs=5, history_share=0.0, seed=seed)
        plain = detection("plain", breaker("pybreaker"), (1.0,), runs=5, history_share=0.0, seed=seed)
        assert set(plan.calls[1.0]) == {10}
        assert set(plain.calls[1.0]) == {5}


def test_mean_calls_of_a_plain_threshold_are_those_of_theory() -> None:
    """(1 - q^k) / ((1 - q) q^k) calls until k in a row; within 4 standard errors over 400 runs (false alarm 6 in 100,000)."""
    found = detection("plain", breaker("pybreaker"), (0.7,), runs=400, history=5, history_share=0.0, most=10_000)
    calls = found.calls[0.7]
    mean = sum(calls) / len(calls)
    spread = (sum((each - mean) ** 2 for each in calls) / (len(calls) - 1) / len(calls)) ** 0.5
    assert mean == pytest.approx((1 - 0.7**5) / (0.3 * 0.7**5), abs=4 * spread)


def test_a_breaker_that_does_not_open_has_no_median() -> None:
    found = detection("plain", breaker("pybreaker"), (0.01,), runs=3, most=50)
    assert found.median(0.01) is None


def test_a_check_that_passes_closes_again_and_again() -> None:
    """20 calls a second for 2 s and five more, 21 times in ten minutes: about 945; half open by time 45 and one a minute."""
    plain = breaker("pybreaker")
    closed = checked_outage("closed", plain.changed(probe_success=PROBE_CLOSES), runs=20)
    half_open = checked_outage("half open", plain, runs=20)
    assert closed.mean == pytest.approx(930, rel=0.05)
    assert half_open.mean == pytest.approx(54, abs=5)
    assert checked_outage("alone", plain, runs=20, probes=False).mean == pytest.approx(half_open.mean, abs=5)
    assert len(closed.at_s) == closed.calls[0]
    assert all(0.0 <= at_s <= 600.0 for at_s in closed.at_s)
