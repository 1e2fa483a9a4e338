"""The compiled kernel and the oracle agree bit for bit: latencies, counters, transitions, tries and costs."""

from collections import Counter

import numpy as np
import pytest
from random_runs import random_run

from relkit.exceptions import ParameterError
from relkit.policies.codes import FAMILIES
from relkit.policies.policy import Policy
from relkit.policies.retry_budget import BUDGETS
from relkit.simulation.run import Run, simulate
from relkit.simulation.scenario import Scenario
from relkit.simulation.suite import w0, w1, w2_policy, w_policy

RANDOM_RUNS = 220


def assert_same(one: Run, other: Run) -> None:
    for name in ("requests", "transitions", "attempts"):
        mine, its = getattr(one, name), getattr(other, name)
        if mine is None:
            assert its is None
            continue
        assert len(mine) == len(its), name
        for column in mine.dtype.names:
            np.testing.assert_array_equal(mine[column], its[column], err_msg=f"{name}.{column}", strict=True)
    np.testing.assert_array_equal(one.seconds, other.seconds)


def both(scenario: Scenario, policy: Policy, seed: int) -> tuple[Run, Run]:
    return (
        simulate(scenario, policy, seed, keep_attempts=True),
        simulate(scenario, policy, seed, keep_attempts=True, engine="oracle"),
    )


def tried(scenario: Scenario, policy: Policy, seed: int, engine: str) -> tuple[Run | None, str]:
    """The run, or why it was refused."""
    try:
        return simulate(scenario, policy, seed, keep_attempts=True, engine=engine), ""
    except ParameterError as error:
        return None, str(error)


@pytest.mark.parametrize("seed", [1, 20251008])
def test_w0_agrees(seed: int) -> None:
    assert_same(*both(w0(20_000), w_policy(chain=False), seed))


@pytest.mark.parametrize("seed", [1, 20251008])
def test_w1_agrees(seed: int) -> None:
    """34,000 requests reach past the outage at 600 s."""
    assert_same(*both(w1(34_000), w_policy(), seed))


def test_w2_agrees() -> None:
    for number in (0, 137, 499):
        assert_same(*both(w1(8_000).changed(episodes=()), w2_policy(number), number))


def test_random_scenarios_and_policies_agree_and_use_everything() -> None:
    families: Counter[str] = Counter()
    budgets: Counter[str] = Counter()
    outcomes = np.zeros(5, dtype=np.int64)
    transitions, endless = 0, 0
    for seed in range(RANDOM_RUNS):
        scenario, policy = random_run(seed)
        one, refused = tried(scenario, policy, seed, "kernel")
        other, also = tried(scenario, policy, seed, "oracle")
        assert refused == also
        if one is None or other is None:  # retries without end in an outage without end
            endless += 1
            continue
        try:
            assert_same(one, other)
        except AssertionError as error:
            raise AssertionError(f"random run {seed}: {error}") from error
        if policy.breaker is not None and len(one.transitions):
            families[FAMILIES[policy.breaker.family]] += 1
        if policy.retry_budget is not None:
            budgets[BUDGETS[policy.retry_budget.budget_family]] += 1
        outcomes += np.bincount(one.requests["outcome"], minlength=5)
        transitions += len(one.transitions)
    # A comparison of runs in which nothing happens would prove nothing.
    assert set(families) >= set(FAMILIES) - {"throttle"}, families  # client throttling never changes its state
    assert set(budgets) == set(BUDGETS), budgets
    assert outcomes.min() > 100, outcomes
    assert transitions > 2_000
    assert endless < 5
