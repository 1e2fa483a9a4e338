"""The corrected adaptive breaker: quick in an outage, quiet at a steady failure share, and not spoilt by an outage."""

from dataclasses import replace
from itertools import pairwise
from random import Random

import pytest
from detection import OUTAGES, calls_to_open, false_openings, fresh, serve, watched_preset

from relkit import drive
from relkit.exceptions import ParameterError
from relkit.policies.records import BreakerSettings, BreakerState
from relkit.policies.trips import PRIOR_CALLS, PRIOR_FAILURES, learned_share, weigh

OURS = watched_preset("relkit-adaptive")
GOALS = dict(zip(OUTAGES, (10, 12, 15, 30, 80), strict=True))


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_median_calls_to_open_keep_their_goals(seed: int) -> None:
    """Sixty runs a seed: a median misses its goal by chance in far less than one of 10,000 (the goals lie 2 to 30 calls above)."""
    found = calls_to_open(OURS, OUTAGES, runs=60, seed=seed)
    assert {share: calls for share, calls in found.items() if calls > GOALS[share]} == {}


@pytest.mark.parametrize("share", [0.01, 0.02, 0.05, 0.10])
def test_steady_failures_do_not_open_it(share: float) -> None:
    """At the goal's own rate of 1 in 100,000 more than 5 in 100,000 come by chance in 6 of 10,000 tests; ours is far rarer."""
    assert false_openings(OURS, share, calls=100_000, seed=5) <= 5


def test_an_outage_leaves_its_sensitivity_as_it_was() -> None:
    """After 60 calls at 60 % and 200 healthy ones; medians of 80 runs differ by at most two calls or 15 %."""
    before = calls_to_open(OURS, OUTAGES, runs=80, seed=7)
    after = calls_to_open(OURS, OUTAGES, runs=80, seed=7, outage=True)
    for share in OUTAGES:
        assert abs(after[share] - before[share]) <= max(2, 0.15 * before[share]), (share, before, after)


def test_the_learned_share_bounds_the_true_one_from_above() -> None:
    """Two standard errors: in steady state it lies below the truth in a few percent of breakers, here of 100 at most 10."""
    rng, low = Random(11), 0
    for _ in range(100):
        watched = fresh(OURS)
        serve(watched, 0.05, 3000, rng)
        low += learned_share(watched.state, OURS) < 0.05
    assert low <= 10


def test_without_data_it_is_cautious() -> None:
    """A first failure, or three, say little about a service nobody knows."""
    assert drive("relkit-adaptive", [("call", "failure")] * 14)[-1].state == "closed"
    assert drive("relkit-adaptive", [("call", "failure")] * 16)[-1].state == "open"


def test_failures_held_as_evidence_do_not_raise_the_learned_share() -> None:
    state = BreakerState(base_calls=1000.0, base_failures=20.0)
    before = learned_share(state, OURS)
    for _ in range(5):
        weigh(state, OURS, True)
    assert (learned_share(state, OURS), state.held_failures) == (before, 5.0)


def test_calls_join_the_baseline_when_the_evidence_is_gone() -> None:
    state = BreakerState(base_calls=100.0, base_failures=2.0)
    weigh(state, OURS, True)
    for _ in range(60):
        weigh(state, OURS, False)
    assert state.evidence == 0
    assert (state.base_calls, state.base_failures) == (161.0, 3.0)


def test_the_baseline_remembers_a_bounded_number_of_calls() -> None:
    state = BreakerState(base_calls=PRIOR_CALLS, base_failures=PRIOR_FAILURES)
    for number in range(5000):
        weigh(state, OURS, number % 50 == 0)
    assert state.base_calls <= OURS.baseline_calls
    assert state.base_failures / state.base_calls == pytest.approx(0.02, abs=0.004)


def test_a_service_that_becomes_usually_worse_is_learned() -> None:
    """From 2 % to 10 %: a few openings while it learns, and then none in 20,000 calls."""
    rng = Random(3)
    learning = quiet = 0
    for _ in range(10):
        watched = fresh(OURS)
        serve(watched, 0.02, 2000, rng)
        learning += serve(watched, 0.10, 2000, rng)[1]
        quiet += serve(watched, 0.10, 2000, rng)[1]
    assert learning <= 20
    assert quiet <= 1


def test_flapping_makes_it_ask_ever_more_rarely() -> None:
    """Trials pass and calls fail: openings that follow each other closely lengthen the next one."""
    flap = [("wait", 400.0), *[("call", "success")] * 3, *[("call", "failure")] * 25]
    steps = drive("relkit-adaptive", [("call", "failure")] * 16 + flap * 4)
    waits = [one.retry_after_s for last, one in pairwise(steps) if one.code == 1 and last.code == 0]
    assert waits == pytest.approx([30, 60, 120, 240, 300][: len(waits)])
    calm = [("wait", 400.0), *[("call", "success")] * 3, ("wait", 100.0), *[("call", "failure")] * 25]
    again = drive("relkit-adaptive", [("call", "failure")] * 16 + calm)
    assert again[-1].retry_after_s == pytest.approx(30)


def test_three_trials_decide() -> None:
    opened = [("call", "failure")] * 16 + [("wait", 30.0)]
    good, bad = ("call", "success"), ("call", "failure")
    assert drive("relkit-adaptive", [*opened, good, bad, good])[-1].state == "closed"
    assert drive("relkit-adaptive", [*opened, bad, good, bad])[-1].state == "open"


def test_a_larger_limit_is_slower_and_quieter() -> None:
    slow = replace(OURS, evidence_limit=20.0)
    quick = replace(OURS, evidence_limit=4.0)
    assert calls_to_open(slow, [0.5], 40, 1)[0.5] > calls_to_open(quick, [0.5], 40, 1)[0.5]
    assert false_openings(slow, 0.05, 20_000, 1) <= false_openings(quick, 0.05, 20_000, 1)


def test_settings_beyond_the_usual_are_refused() -> None:
    with pytest.raises(ParameterError, match="baseline_low"):
        BreakerSettings(family=1, baseline_low=0.6, baseline_high=0.5)
