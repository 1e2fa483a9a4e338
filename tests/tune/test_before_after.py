"""Before and after the plan: the same luck for all, honest intervals, and a choice that was made elsewhere."""

import numpy as np
import pytest

from relkit.exceptions import ParameterError
from relkit.policies.presets import presets
from relkit.simulation.run import simulate
from relkit.simulation.scenario_toml import packaged
from relkit.simulation.suite import SUITE
from relkit.tune.before_after import (
    BARE,
    CHOICE,
    CHOSEN,
    DATED,
    FIXED,
    MEASURED,
    PLAN,
    BeforeAfter,
    before_after,
    dated,
    mean_interval,
    measured,
    policies,
)


@pytest.fixture(scope="module")
def found() -> BeforeAfter:
    return before_after(
        seeds=(7, 8), scenarios=[packaged(name).changed(requests=12_000) for name in ("outage", "flapping")]
    )


def test_all_have_the_cache_that_was_there_before() -> None:
    compared = policies(packaged("outage"))
    assert {one.freshness.ttl_s for one in compared.values() if one.freshness} == {300.0}
    assert all(one.freshness for one in compared.values())
    assert compared[BARE].retry is compared[BARE].breaker is compared[BARE].fallback is None


def test_the_plan_is_the_preset_and_the_choice_differs_from_the_fixed_one_where_it_says() -> None:
    compared = policies(packaged("outage"))
    assert compared[PLAN].breaker == presets["plan"].breaker
    assert compared[PLAN].retry == presets["plan"].retry
    ours, fixed = compared[CHOICE], compared[FIXED]
    assert ours.breaker is not None
    assert fixed.breaker is not None
    assert ours.breaker.open_s == CHOSEN["open_s"] != fixed.breaker.open_s
    assert ours.retry_budget == fixed.retry_budget


def test_on_its_date_all_but_the_first_model_were_gone() -> None:
    gone = dated(packaged("outage"))
    run = simulate(gone.changed(requests=6_000), policies(gone)[DATED], 1)
    answered_by = set(run.requests["model"][run.requests["outcome"] == 0].tolist())
    assert answered_by == {0}


def test_wasted_calls_are_tries_that_brought_no_answer(found: BeforeAfter) -> None:
    scenario = packaged("healthy").changed(requests=4_000)
    run = simulate(scenario, policies(scenario)[BARE], 3)
    assert measured(run)[3] == pytest.approx(1000 * run.counts["failed"] / 4_000)
    assert found.of(BARE, "wasted_per_1k", "outage").value > found.of(FIXED, "wasted_per_1k", "outage").value


def test_retries_and_chains_answer_more_than_bare_calls(found: BeforeAfter) -> None:
    assert found.of(BARE, "success").value < found.of(PLAN, "success").value
    assert found.of(DATED, "success", "flapping").value < found.of(BARE, "success", "flapping").value


def test_a_gain_is_paired_by_seed(found: BeforeAfter) -> None:
    gain = found.gain(CHOICE, PLAN, "usd_per_10k")
    assert gain.value == pytest.approx(found.of(CHOICE, "usd_per_10k").value - found.of(PLAN, "usd_per_10k").value)


def test_intervals_of_shares_stay_shares(found: BeforeAfter) -> None:
    for policy in found.names:
        for measure in MEASURED:
            for scenario in (None, *found.scenarios):
                one = found.of(policy, measure, scenario)
                assert one.low is not None
                assert 0.0 <= one.low <= one.value + 1e-12
                assert one.high is not None
                assert one.value - 1e-12 <= one.high
                assert measure != "success" or one.high <= 1.0


def test_the_interval_covers_as_often_as_it_says() -> None:
    """95 % over 2,000 draws of four: between 93.0 and 97.0 %, 4 standard errors (false alarm 6 in 100,000)."""
    rng = np.random.default_rng(1)
    inside = 0
    for _ in range(2_000):
        one = mean_interval(rng.standard_normal(4), 0.95)
        assert one.low is not None
        assert one.high is not None
        inside += one.low <= 0.0 <= one.high
    assert 0.93 <= inside / 2_000 <= 0.97
    assert mean_interval(np.array([1.0]), 0.95).low is None


def test_unknown_names_are_refused(found: BeforeAfter) -> None:
    with pytest.raises(ParameterError, match="our choice"):
        found.of("ours", "success")
    with pytest.raises(ParameterError, match="p95_s"):
        found.of(PLAN, "p95")


def test_the_suite_is_the_packaged_one() -> None:
    assert len(SUITE) == 12
