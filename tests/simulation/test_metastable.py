"""Metastable failure: a trigger of ten seconds that never ends, or does, as load and retries say."""

import pytest

from relkit.policies.policy import Policy
from relkit.policies.records import BreakerSettings
from relkit.policies.retry_budget import PER_REQUEST, RetryBudgetSettings
from relkit.simulation.run import simulate
from relkit.simulation.scenario import Scenario
from relkit.simulation.suite import metastable, retrying

BREAKER = BreakerSettings(failure_threshold=5, open_s=10.0, half_open_permits=3, half_open_successes=3, counts=0)


def bucket(earn: float) -> RetryBudgetSettings:
    return RetryBudgetSettings(PER_REQUEST, capacity=50.0, earn=earn)


STUCK = {
    "1 retry": (metastable(0.7), retrying(1)),
    "3 retries": (metastable(0.7), retrying(3)),
    "3 retries, long waits": (metastable(0.7), retrying(3, first_delay_s=1.0, growth=3.0, cap_s=60.0)),
    "3 retries, budget of a half": (metastable(0.7), retrying(3, budget=bucket(0.5))),
    "3 retries, queue of 160": (metastable(0.7, queue=160), retrying(3)),
}
SAVED = {
    "no retry": (metastable(0.7), retrying(0)),
    "3 retries, no trigger": (metastable(0.7, trigger=None), retrying(3)),
    "3 retries, budget of a fifth": (metastable(0.7), retrying(3, budget=bucket(0.2))),
    "3 retries, budget of a tenth": (metastable(0.7), retrying(3, budget=bucket(0.1))),
    "3 retries, queue of 60": (metastable(0.7, queue=60), retrying(3)),
    "3 retries, breaker": (metastable(0.7), retrying(3, breaker=BREAKER)),
}


@pytest.mark.parametrize(("scenario", "policy"), STUCK.values(), ids=STUCK)
def test_these_never_recover(scenario: Scenario, policy: Policy) -> None:
    for seed in range(1, 4):
        assert simulate(scenario, policy, seed).goodput(600, 900) < 0.05


@pytest.mark.parametrize(("scenario", "policy"), SAVED.values(), ids=SAVED)
def test_these_recover(scenario: Scenario, policy: Policy) -> None:
    for seed in range(1, 4):
        assert simulate(scenario, policy, seed).goodput(600, 900) > 0.98


@pytest.mark.parametrize(("retries", "rho"), [(1, 0.44), (1, 0.56), (2, 0.28), (2, 0.40), (4, 0.16), (4, 0.24)])
def test_collapse_is_load_times_tries_above_one(retries: int, rho: float) -> None:
    """Two cells beside the boundary for each row tried; all 70 are proved by `make prove AREA=simulation`."""
    collapsed = simulate(metastable(rho), retrying(retries), 1).goodput(600, 900) < 0.5
    assert collapsed == (rho * (1 + retries) > 1.0)
