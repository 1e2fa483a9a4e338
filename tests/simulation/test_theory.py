"""The kernel against closed forms, over at least ten seeds, with the false-alarm rate of each test written down."""

import math

import numpy as np
import pytest
from scipy import stats

from relkit.errors import ErrorKind
from relkit.policies.policy import Policy
from relkit.policies.records import BreakerSettings
from relkit.policies.retry_budget import PER_REQUEST, RetryBudgetSettings
from relkit.simulation.arrivals import poisson
from relkit.simulation.latency import Latency, constant, exponential, lognormal
from relkit.simulation.run import simulate
from relkit.simulation.scenario import ErrorShare, Scenario, ServedModel
from relkit.simulation.suite import retrying
from relkit.simulation.workload import REJECTED

SEEDS = range(20)
LEVEL = 1e-4  # of each two-sided t test over the seeds' means


def agrees(found: list[float], theory: float) -> None:
    """The mean over independent seeds lies within the t interval at LEVEL: a false alarm in one test of 10,000."""
    mean, error = float(np.mean(found)), float(np.std(found, ddof=1)) / math.sqrt(len(found))
    reach = float(stats.t.isf(LEVEL / 2, len(found) - 1)) * error
    assert abs(mean - theory) <= reach, f"{mean:.5f} against {theory:.5f}, allowed {reach:.5f}"
    assert reach < 0.1 * theory, "an interval that wide proves nothing"


def waits(latency: Latency, rate: float, servers: int, requests: int = 40_000) -> list[float]:
    """Mean time in the system, without the first fifth, in which the queue fills."""
    scenario = Scenario("q", requests, poisson(rate), (ServedModel("m", "p", latency, servers),))
    return [
        float(simulate(scenario, retrying(0), seed).requests["latency_s"][requests // 5 :].mean()) for seed in SEEDS
    ]


def erlang_c_wait_s(rate: float, mean_s: float, servers: int) -> float:
    """Mean wait of M/M/c: C(c, a) / (c mu - lambda)."""
    load = rate * mean_s
    top = load**servers / math.factorial(servers) * servers / (servers - load)
    share = top / (sum(load**k / math.factorial(k) for k in range(servers)) + top)
    return share / (servers / mean_s - rate)


@pytest.mark.parametrize(("servers", "rho"), [(1, 0.5), (4, 0.8), (20, 0.7)])
def test_m_m_c_waits_as_erlang_says(servers: int, rho: float) -> None:
    rate = rho * servers
    agrees(waits(exponential(1.0), rate, servers), 1.0 + erlang_c_wait_s(rate, 1.0, servers))


@pytest.mark.parametrize(("rho", "sigma"), [(0.5, 0.0), (0.7, 0.5), (0.5, 1.0)])
def test_m_g_1_waits_as_pollaczek_and_khinchine_say(rho: float, sigma: float) -> None:
    square = math.exp(sigma * sigma)
    agrees(waits(lognormal(math.exp(-sigma * sigma / 2), sigma), rho, 1), 1.0 + rho * square / (2.0 * (1.0 - rho)))


def failing(share: float, requests: int = 20_000, rate: float = 100.0) -> Scenario:
    usual = (ErrorShare(ErrorKind.API_SERVER_ERROR, share),)
    return Scenario("f", requests, poisson(rate), (ServedModel("m", "p", constant(0.0), errors=usual, error_s=0.0),))


@pytest.mark.parametrize(("share", "retries"), [(0.1, 1), (0.5, 3), (0.9, 5)])
def test_attempts_are_truncated_geometric(share: float, retries: int) -> None:
    runs = [simulate(failing(share), retrying(retries), seed) for seed in SEEDS]
    agrees([run.attempts_per_request for run in runs], (1 - share ** (retries + 1)) / (1 - share))
    agrees([run.answered_share for run in runs], 1 - share ** (retries + 1))


@pytest.mark.parametrize("share", [0.3, 0.9])
def test_a_budget_of_a_tenth_caps_attempts_at_one_tenth_more(share: float) -> None:
    """Exactly: what a bucket of 10 holds at the start, and a tenth a request, is all there is to spend."""
    budget = RetryBudgetSettings(PER_REQUEST, capacity=10.0, earn=0.1)
    for seed in SEEDS:
        run = simulate(failing(share), retrying(5, budget=budget), seed)
        retries = run.attempts_per_request - 1.0
        assert 0.1 * 0.99 < retries <= 0.1 + 10.0 / len(run.requests) + 1e-12


@pytest.mark.parametrize(("share", "run", "open_s"), [(0.3, 3, 2.0), (0.5, 5, 1.0), (0.2, 2, 1.0)])
def test_a_breaker_is_a_renewal_process(share: float, run: int, open_s: float) -> None:
    """A run of k failures takes (p^-k - 1) / (1 - p) calls; a cycle has 1 / (1 - p) open periods and as many probes."""
    breaker = BreakerSettings(failure_threshold=run, open_s=open_s, counts=0)
    policy = Policy("breaker", "2026-11", "test", breaker)
    calls, missed = (share**-run - 1) / (1 - share), 100.0 * open_s
    theory = missed / (1 - share) / (calls + (missed + 1) / (1 - share))
    found = [float((simulate(failing(share), policy, seed).requests["outcome"] == REJECTED).mean()) for seed in SEEDS]
    agrees(found, theory)


def test_a_permit_is_never_lost() -> None:
    """W1's trap: a half-open probe that ends in neither success nor failure must give its permit back."""
    from relkit.simulation.suite import w1, w_policy  # noqa: PLC0415

    scenario = w1(8_000).changed(arrivals=poisson(4.0), invalid_share=0.3)
    ended = []
    for seed in range(20):
        run = simulate(scenario, w_policy(), seed)
        last = {int(row["model"]): (int(row["state"]), float(row["at_s"])) for row in run.transitions}
        ended += [state for state, at_s in last.values() if state == 2 and at_s < 1900.0]
    assert ended == []
