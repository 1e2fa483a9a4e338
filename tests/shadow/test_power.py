"""Power is the rejection rate of the very test; the planner refuses what its traffic cannot show."""

from itertools import product

import numpy as np
import pytest

from relkit.exceptions import ParameterError
from relkit.shadow import (
    PairCounts,
    mcnemar,
    mcnemar_power,
    normal_sample_size,
    plan_rollout,
    sample_size,
    smallest_effect,
)
from relkit.shadow.power import TESTS

FIELDS = {"mid_p": "p_mid", "exact": "p_exact", "asymptotic": "p_asymptotic"}


@pytest.mark.parametrize("test", TESTS)
@pytest.mark.parametrize(("n", "b", "c"), [(9, 0.1, 0.4), (14, 0.3, 0.3), (25, 0.05, 0.0)])
def test_power_is_the_sum_over_every_table(test, n, b, c):
    """All tables of n pairs by (only primary, only shadow), each with its multinomial probability and its p-value."""
    from scipy.stats import multinomial  # noqa: PLC0415  half a second

    total = sum(
        multinomial.pmf([only_b, only_c, n - only_b - only_c], n, [b, c, 1 - b - c])
        for only_b, only_c in product(range(n + 1), repeat=2)
        if only_b + only_c <= n and getattr(mcnemar(PairCounts(0, only_b, only_c, 0)), FIELDS[test]) <= 0.05
    )
    assert mcnemar_power(n, b, c, test=test) == pytest.approx(total, abs=1e-9)


@pytest.mark.parametrize(
    ("b", "c", "n", "exact", "mid"),
    [(0.05, 0.45, 23, 0.777, 0.848), (0.1, 0.2, 234, 0.776, 0.807), (0.02, 0.03, 3923, 0.783, 0.802)],
)
def test_the_normal_form_undersizes_the_exact_test(b, c, n, exact, mid):
    assert -(-normal_sample_size(b, c) // 1) == n
    assert mcnemar_power(n, b, c, test="exact") == pytest.approx(exact, abs=0.0006)
    assert mcnemar_power(n, b, c, test="mid_p") == pytest.approx(mid, abs=0.0006)


@pytest.mark.parametrize("test", TESTS)
@pytest.mark.parametrize(("b", "c"), [(0.05, 0.45), (0.3, 0.1), (0.015, 0.025)])
def test_the_sample_size_has_the_power_and_one_pair_less_has_not(test, b, c):
    n = sample_size(b, c, test=test)
    assert mcnemar_power(n, b, c, test=test) >= 0.8 > mcnemar_power(n - 1, b, c, test=test)
    assert sample_size(c, b, test=test) == n


def test_pairing_is_worth_four_times_the_traffic():
    """90 % to 91 % with 4 % discordant pairs: 3,138 pairs by the normal form, against 13,488 for each of two unpaired arms."""
    assert normal_sample_size(0.015, 0.025) == pytest.approx(3138, abs=1)
    assert sample_size(0.015, 0.025) == pytest.approx(3138, rel=0.02)
    assert normal_sample_size(0.0175, 0.0225) == pytest.approx(12_556, abs=1)


def test_the_smallest_effect_is_found_with_the_power_asked_for():
    for n, spread, effect in ((2_333, 0.04, 0.0116), (500, 0.2, 0.055)):
        delta = smallest_effect(n, spread)
        assert delta == pytest.approx(effect, rel=0.03)
        wide = max(spread, delta)
        assert mcnemar_power(n, (wide - delta) / 2, (wide + delta) / 2) == pytest.approx(0.8, abs=0.01)
    assert smallest_effect(2_333, 0.04, design_effect=2.16) == pytest.approx(0.0170, abs=0.0003)
    assert smallest_effect(3, 0.04) is None
    assert smallest_effect(0, 0.04) is None


def test_a_hundred_million_pairs_are_summed_in_strides():
    from scipy.special import ndtr  # noqa: PLC0415

    n, b, c = 10**8, 0.02, 0.02004
    z = (c - b) * n**0.5 / (b + c) ** 0.5
    assert mcnemar_power(n, b, c) == pytest.approx(float(ndtr(z - 1.959964) + ndtr(-z - 1.959964)), abs=2e-3)


@pytest.mark.parametrize("seed", range(10))
def test_power_is_what_a_simulation_finds(seed):
    """5,000 experiments a seed, within 4 standard errors: a false alarm in one of 1,600 such tests."""
    drawn = np.random.default_rng(seed).multinomial(400, [0.06, 0.12, 0.82], 5_000)
    pairs, times = np.unique(drawn[:, :2], axis=0, return_counts=True)
    found = sum(
        n
        for (b, c), n in zip(pairs.tolist(), times.tolist(), strict=True)
        if mcnemar(PairCounts(0, b, c, 0)).p_mid <= 0.05
    )
    power = mcnemar_power(400, 0.06, 0.12)
    assert abs(found / 5_000 - power) <= 4 * (power * (1 - power) / 5_000) ** 0.5


@pytest.mark.parametrize(
    "call",
    [
        lambda: mcnemar_power(10, 0.6, 0.6),
        lambda: mcnemar_power(10, 0.1, 0.2, test="wald"),
        lambda: mcnemar_power(10, 0.1, 0.2, sides=3),
        lambda: mcnemar_power(10, 0.1, 0.2, design_effect=0.5),
        lambda: mcnemar_power(-1, 0.1, 0.2),
        lambda: sample_size(0.1, 0.1),
        lambda: sample_size(0.1, 0.2, target=1.0),
        lambda: smallest_effect(10, 0.0),
    ],
)
def test_what_cannot_be_is_refused(call):
    with pytest.raises(ParameterError, match="is not acceptable"):
        call()


# The plan of a rollout


def test_the_plan_documents_own_traffic_is_refused():
    """10,000 requests a month are 13.9 an hour: steps of 10, 25 and 50 % for two hours see 2.8, 6.9 and 13.9 pairs."""
    plan = plan_rollout(
        [(0.1, 2), (0.25, 2), (0.5, 2)], requests_per_hour=10_000 / 720, margin=0.01, discordant_share=0.04
    )
    assert not plan.accepted
    assert [round(step.pairs, 1) for step in plan.steps] == [2.8, 6.9, 13.9]
    assert round(plan.pairs, 1) == 23.6
    assert plan.smallest_effect > 0.2
    assert "Refused: 23 pairs" in plan.sentence
    assert "every request mirrored" in plan.would_change


def test_what_would_do_does():
    """The hours and the traffic that the refusal names are enough, and a percent less is not."""
    asked = {"margin": 0.01, "discordant_share": 0.04, "design_effect": 2.16}
    steps = [(0.1, 24), (1.0, 144)]
    refused = plan_rollout(steps, requests_per_hour=10, **asked)
    assert not refused.accepted
    for factor, accepted in ((1.001, True), (0.99, False)):
        full = [(1.0, refused.needed_hours_at_full_share * factor)]
        assert plan_rollout(full, requests_per_hour=10, **asked).accepted == accepted
        assert (
            plan_rollout(steps, requests_per_hour=refused.needed_requests_per_hour * factor, **asked).accepted
            == accepted
        )


def test_accepted_is_a_smallest_effect_within_the_margin():
    for traffic in (5, 10, 15, 20, 25, 40):
        plan = plan_rollout([(1.0, 168)], requests_per_hour=traffic, margin=0.01, discordant_share=0.04)
        if abs(plan.smallest_effect / plan.margin - 1) > 0.01:
            assert plan.accepted == (plan.smallest_effect < plan.margin)
        assert bool(plan.would_change) != plan.accepted


def test_a_margin_above_the_discordant_share_needs_its_own_discordant_pairs():
    plan = plan_rollout([(1.0, 1)], requests_per_hour=1_000, margin=0.1, discordant_share=0.01)
    assert plan.accepted
    assert plan.needed_pairs < 150


@pytest.mark.parametrize(
    "changed",
    [
        {"steps": []},
        {"steps": [(0.0, 2)]},
        {"steps": [(0.5, 0)]},
        {"requests_per_hour": 0},
        {"margin": 0},
        {"discordant_share": 2},
    ],
)
def test_a_plan_that_is_none_is_refused(changed):
    given = {"steps": [(0.5, 2)], "requests_per_hour": 10, "margin": 0.01, "discordant_share": 0.04} | changed
    with pytest.raises(ParameterError, match=next(iter(changed))):
        plan_rollout(given.pop("steps"), **given)
