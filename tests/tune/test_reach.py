"""Whether a breaker can open on some traffic is what playing the traffic shows."""

import numpy as np
import pytest

from relkit.exceptions import ParameterError
from relkit.policies.presets import changed, presets
from relkit.simulation.arrivals import poisson
from relkit.simulation.episodes import outage
from relkit.simulation.run import simulate
from relkit.simulation.scenario import Scenario
from relkit.slo.objective import Objective
from relkit.tune.reach import MONTH_S, detection_s, never_open, reach

BREAKERS = [name for name, policy in presets.items() if policy.breaker is not None]


def test_at_the_plans_traffic_ten_failing_calls_are_the_whole_budget() -> None:
    its = reach(presets["plan"], 10_000, Objective("availability", "0.999"))
    assert its.failing_calls == 10
    assert its.outage_s == pytest.approx(43.2 * 60.0)
    assert its.budget_share == 1.0
    assert its.sentence == (
        "plan opens at 10\u202f000 requests a month after 10 failing calls, 43.2 min into an outage: 100 % of the month's "
        "budget of 99.9 %."
    )


def test_at_the_plans_traffic_five_presets_never_open() -> None:
    never = [each.name for each in never_open(presets.values(), 10_000)]
    assert never == ["resilience4j-time", "polly-8", "envoy-success-rate", "sre-k2", "litellm"]


@pytest.mark.parametrize("name", BREAKERS)
def test_a_month_of_outage_shows_the_same(chat: Scenario, name: str) -> None:
    """10,000 requests of one month, the second half of which nothing answers: who can open does, who cannot does not."""
    scenario = chat.changed(
        requests=10_000, arrivals=poisson(10_000 / MONTH_S), models=chat.models[:1],
        episodes=(outage("*", MONTH_S / 2, 2 * MONTH_S),),
    )  # fmt: skip
    run = simulate(scenario, changed_to_single_tries(name), 11)
    opened_s = run.transitions[(run.transitions["state"] == 1) & (run.transitions["at_s"] > MONTH_S / 2)]["at_s"]
    its = reach(presets[name], 10_000)
    assert bool(len(opened_s)) == its.can_open
    if its.can_open:
        assert its.outage_s is not None
        assert its.failing_calls is not None
        # n exponential gaps: relative spread 1/sqrt(n); five of them and an extra call
        spread = (5 / np.sqrt(its.failing_calls) + 2 / its.failing_calls) * its.outage_s
        assert abs(opened_s[0] - MONTH_S / 2 - its.outage_s) < spread


def changed_to_single_tries(name: str):
    policy = presets[name]
    return policy if policy.retry is None else changed(policy, max_attempts=1)


def test_the_bound_is_above_what_happens() -> None:
    """Three calls in ten seconds at one a minute: openings of single failures in a row of months, against the bound."""
    policy = changed(presets["opossum-10"], min_calls=3)
    its = reach(policy, MONTH_S / 60.0)
    rng = np.random.default_rng(1)
    times = np.cumsum(rng.exponential(60.0, size=400_000))
    hits = np.count_nonzero(times[2:] - times[:-2] <= 10.0)
    assert its.openings_a_month == pytest.approx(hits / times[-1] * MONTH_S, rel=0.05)
    assert its.can_open


def test_detection_falls_with_the_rate_and_ends_below_it() -> None:
    rates = (0.004, 0.1, 3.0, 30.0)
    assert detection_s(presets["pybreaker"], rates) == pytest.approx([5 / rate for rate in rates])
    polly = detection_s(presets["polly-8"], rates)
    assert polly[:3] == (None, None, None)
    assert polly[3] is not None


def test_what_cannot_be_is_refused() -> None:
    with pytest.raises(ParameterError, match="one with a breaker"):
        reach(presets["tenacity"], 10_000)
    with pytest.raises(ParameterError, match="month's requests"):
        reach(presets["plan"], 0)
    with pytest.raises(ParameterError, match="calls a second"):
        detection_s(presets["plan"], (0.0,))
