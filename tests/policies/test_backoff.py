"""Each family of waits keeps its formula, its bounds and its source's numbers."""

import random
from itertools import pairwise
from math import sqrt, tanh
from statistics import mean, median

import pytest

from relkit.policies.backoff import (
    ADDITIVE,
    DECORRELATED,
    DECORRELATED_RISING,
    EQUAL,
    EXPONENTIAL,
    EXPONENTIAL_LESS_ONE,
    FIXED,
    FULL,
    LINEAR,
    NO_JITTER,
    NO_WAIT,
    POLLY,
    PROPORTIONAL,
    backoff_s,
    grown,
)
from relkit.policies.retry_settings import RetrySettings

SEEDS = range(10)


def series(cfg, draws):
    """The waits of one call, the memory handed on as the retry loop does."""
    carried, found = 0.0, []
    for granted, draw in enumerate(draws):
        wait_s, carried = backoff_s(cfg, granted, carried, 1.0, draw)
        found.append(wait_s)
    return found


def plain(**settings):
    return RetrySettings(**{"jitter": NO_JITTER, "cap_s": 1e9, **settings})


@pytest.mark.parametrize(
    ("settings", "waits"),
    [
        ({"backoff": NO_WAIT}, [0.0, 0.0, 0.0]),
        ({"backoff": FIXED, "first_delay_s": 0.5}, [0.5, 0.5, 0.5]),
        ({"backoff": LINEAR, "first_delay_s": 2.0, "step_s": 2.0}, [2.0, 4.0, 6.0]),
        ({"backoff": EXPONENTIAL, "first_delay_s": 1.0, "cap_s": 3.0}, [1.0, 2.0, 3.0]),
        ({"backoff": EXPONENTIAL, "first_delay_s": 1.0, "growth": 3.0, "floor_s": 2.0}, [2.0, 3.0, 9.0]),
        ({"backoff": EXPONENTIAL_LESS_ONE, "first_delay_s": 1.0}, [1.0, 3.0, 7.0]),
    ],
)
def test_a_family_without_jitter_is_its_formula(settings, waits):
    assert series(plain(**settings), [0.5] * 3) == waits


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize(
    ("settings", "low", "high"),
    [
        ({"jitter": FULL}, 0.0, 1.0),
        ({"jitter": FULL, "floor_s": 0.25}, 0.25, 1.0),
        ({"jitter": EQUAL}, 0.5, 1.0),
        ({"jitter": PROPORTIONAL, "jitter_share": 0.25}, 0.75, 1.25),
        ({"jitter": ADDITIVE, "jitter_s": 0.5}, 1.0, 1.5),
    ],
)
def test_jitter_is_uniform_between_its_bounds(settings, low, high, seed):
    """Mean of 2,000 uniforms within 4.5 standard errors: a false alarm in 147,000 tests, so 1 in 3,000 runs of the 50."""
    rng = random.Random(seed)
    cfg = plain(backoff=FIXED, first_delay_s=1.0, **settings)
    waits = [backoff_s(cfg, 0, 0.0, 1.0, rng.random())[0] for _ in range(2000)]
    assert low <= min(waits) < low + 0.02
    assert high - 0.02 < max(waits) < high
    assert abs(mean(waits) - (low + high) / 2) < 4.5 * (high - low) / (12 * 2000) ** 0.5


def test_the_cap_before_jitter_may_be_passed_and_after_it_may_not():
    settings = {"first_delay_s": 1.0, "jitter": PROPORTIONAL, "jitter_share": 0.2, "cap_s": 1.0}
    before, after = RetrySettings(**settings), RetrySettings(**settings, cap_after_jitter=True)
    assert backoff_s(before, 3, 0.0, 1.0, 0.999)[0] > 1.19
    assert backoff_s(after, 3, 0.0, 1.0, 0.999)[0] == 1.0


@pytest.mark.parametrize("seed", SEEDS)
def test_aws_decorrelated_stays_between_first_and_three_times_the_last(seed):
    rng = random.Random(seed)
    cfg = plain(backoff=DECORRELATED, first_delay_s=0.1, cap_s=5.0)
    waits = series(cfg, [rng.random() for _ in range(200)])
    for last, wait in pairwise([0.1, *waits]):
        assert 0.1 <= wait <= min(3 * last, 5.0)
    assert any(wait < last for last, wait in pairwise(waits)), "it may fall back to the base"


@pytest.mark.parametrize("seed", SEEDS)
def test_finagle_decorrelated_begins_at_first_and_never_falls(seed):
    """The lower bound is the wait before, not the base: Finagle's waits only rise (Backoff.scala)."""
    rng = random.Random(seed)
    cfg = plain(backoff=DECORRELATED_RISING, first_delay_s=0.1, cap_s=5.0)
    waits = series(cfg, [rng.random() for _ in range(200)])
    assert waits[0] == 0.1
    for last, wait in pairwise(waits):
        assert last <= wait <= min(3 * last, 5.0)
    assert waits[-1] == pytest.approx(5.0, rel=1e-6)


def test_polly_exponential_has_the_medians_its_source_promises():
    """Medians near 1, 1, 2, 4, 8 for a base of 1 s: simulated 0.90, 1.14, 2.02, 4.03, 8.01 with 10^5 draws.

    Here 10 seeds of 2,000 calls; the median of 20,000 has a standard error below 1.5 % at each step, 5 of them allowed.
    """
    cfg = plain(backoff=POLLY, first_delay_s=1.0, cap_s=1e9)
    found = []
    for seed in SEEDS:
        rng = random.Random(seed)
        found += [series(cfg, [rng.random() for _ in range(5)]) for _ in range(2000)]
    medians = [median(waits) for waits in zip(*found, strict=True)]
    assert medians == pytest.approx([0.90, 1.14, 2.02, 4.03, 8.01], rel=0.075)


def test_polly_exponential_is_the_formula_of_its_source():
    draws = [0.0, 0.3, 0.9, 0.5]
    points = [n + draw for n, draw in enumerate(draws)]
    reached = [0.0, *(2**t * tanh(sqrt(4 * t)) for t in points)]
    wanted = [(now - last) / 1.4 * 2.0 for last, now in pairwise(reached)]
    cfg = plain(backoff=POLLY, first_delay_s=2.0, cap_s=1e9)
    assert series(cfg, draws) == pytest.approx(wanted, rel=1e-13)


def test_a_wait_of_any_length_is_a_number():
    """Hour-long loops of retries do not overflow: libraries answer with the cap."""
    for backoff in (EXPONENTIAL, EXPONENTIAL_LESS_ONE, POLLY, DECORRELATED, DECORRELATED_RISING):
        cfg = plain(backoff=backoff, first_delay_s=1.0, cap_s=60.0)
        assert 0.0 <= backoff_s(cfg, 10**6, 60.0, 1.0, 0.5)[0] <= 60.0


@pytest.mark.parametrize("growth", [1.0, 1.5, 2.0, 3.0])
def test_growth_is_the_exact_power_where_a_double_holds_it(growth):
    assert [grown(growth, n) for n in range(20)] == [growth**n for n in range(20)]
