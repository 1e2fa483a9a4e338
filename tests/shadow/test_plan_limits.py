"""The plan's limits stop healthy shadows: the cells of docs/plan_defects.toml again, within what chance allows."""

from math import sqrt

import pytest

from relkit.shadow.plan_limits import killed, provider_fails, slower


def near(share: float, known: float, runs: int) -> bool:
    """Within 4 standard errors, both being simulated: false alarm below 1 in 10,000 a cell."""
    return abs(share - known) <= 4 * sqrt(max(known * (1 - known), 0.001) / runs) + 0.01


def test_a_limit_on_the_share_so_far_kills_healthy_rollouts() -> None:
    found = killed(0.02)
    assert near(found.plan, 0.251, found.runs)
    assert found.ours <= 0.05
    assert killed(0.15, runs=50, minutes=120).ours > 0.9, "what is harmful is still stopped"


def test_a_provider_that_fails_for_both_is_no_fault_of_the_shadow() -> None:
    found = provider_fails()
    assert found.plan > 0.95
    assert found.ours <= 0.05


def test_a_mean_is_moved_by_a_single_time_out() -> None:
    found = slower()
    assert near(found.plan, 0.336, found.runs)
    assert found.ours == pytest.approx(0.025, abs=0.015)
