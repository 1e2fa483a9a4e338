"""Measures are what a slow recount of the run says; missing is never good."""

import numpy as np
import pytest

from relkit.errors import ErrorKind
from relkit.exceptions import ParameterError
from relkit.policies.presets import changed, presets
from relkit.simulation.episodes import flapping, outage
from relkit.simulation.run import simulate
from relkit.simulation.scenario import Scenario
from relkit.tune.measures import MEASURES, NAMES, RAW, dead_parts, interval_of, measure_run, quantiles

BREAKER = changed(presets["pybreaker"], open_s=5.0)


def test_measures_are_what_a_recount_of_the_tables_says(chat: Scenario) -> None:
    scenario = chat.changed(episodes=(outage("first", 10.0, 16.0),), invalid_share=0.02)
    run = simulate(scenario, BREAKER, 3, keep_attempts=True)
    its = dict(zip(RAW, measure_run(run).tolist(), strict=True))
    requests, tries = run.frame("requests"), run.frame("attempts")
    answered = requests["outcome"].isin(["fresh", "cached", "stale"])
    invalid = ~answered & (requests["kind"] == ErrorKind.API_INVALID_REQUEST.value)
    assert invalid.sum() > 5
    assert its["success"] == answered.sum() / (~invalid).sum()
    assert [its["p50_s"], its["p95_s"], its["p99_s"]] == pytest.approx(
        run.latency_s(0.5, 0.95, 0.99).tolist(), rel=1e-12
    )
    assert its["amplification"] == pytest.approx(run.attempts_per_request)
    assert its["usd_per_answer"] == pytest.approx(requests["cost_microusd"].sum() / answered.sum() / 1e6)
    wasted = tries[(tries["start_s"] >= 10.0) & (tries["start_s"] < 16.0) & (tries["model"] == "first")]
    assert its["wasted_per_1k"] == pytest.approx(1000 * len(wasted) / len(requests))
    changes = run.frame("transitions")
    opened_s = changes[(changes["state"] == "open") & (changes["at_s"] >= 10.0)]["at_s"].min()
    assert its["detection_s"] == pytest.approx(opened_s - 10.0)
    ended_s = tries["start_s"] + tries["latency_s"]
    failing = (tries["kind"] != "") & (ended_s >= 10.0) & (ended_s <= opened_s)
    assert its["detection_calls"] == failing.sum() >= 5
    finished_s = requests["arrival_s"] + requests["latency_s"]
    lost = ~answered & ~invalid & (finished_s >= 10.0) & (finished_s <= opened_s)
    assert its["bad_before_opening"] == lost.sum() > 0
    assert its["detected"] == 1.0


def test_a_death_that_nobody_notices_lasts_as_long_as_it_lasted(chat: Scenario) -> None:
    """Polly never sees 100 calls in 30 s at one call in two seconds: it is no better than its 120 s."""
    slow_traffic = chat.changed(arrivals=type(chat.arrivals)((0.5,), (1.0,)), episodes=(outage("first", 600.0, 720.0),))
    run = simulate(slow_traffic, presets["polly-8"], 1, keep_attempts=True)
    its = dict(zip(RAW, measure_run(run).tolist(), strict=True))
    assert (its["detected"], its["detection_s"]) == (0.0, 120.0)
    assert its["bad_before_opening"] == pytest.approx(60.0, abs=30.0)


def test_recovery_waits_for_a_breaker_that_stays_open(chat: Scenario) -> None:
    """Open for 10 s from just after the start: a 3 s outage is over 7 s before the breaker asks again."""
    scenario = chat.changed(episodes=(outage("first", 10.0, 13.0),), timeout_s=1e9)
    times = {
        open_s: measure_run(simulate(scenario, changed(BREAKER, open_s=open_s), 1, keep_attempts=True))[
            RAW.index("recovery_s")
        ]
        for open_s in (0.5, 10.0)
    }
    assert times[0.5] <= 1.0
    assert 5.0 <= times[10.0] <= 8.0


def test_only_what_a_scenario_has_is_measured(chat: Scenario) -> None:
    its = dict(zip(RAW, measure_run(simulate(chat, BREAKER, 1)).tolist(), strict=True))
    assert {name for name, value in its.items() if np.isnan(value)} == {
        "wasted_per_1k", "detection_s", "detection_calls", "detected", "recovery_s", "bad_before_opening",
    }  # fmt: skip


def test_nothing_answered_has_no_latency_and_no_price(chat: Scenario) -> None:
    run = simulate(chat.changed(episodes=(outage("*", 0.0, 1e6),)), BREAKER, 1, keep_attempts=True)
    its = dict(zip(RAW, measure_run(run).tolist(), strict=True))
    assert its["success"] == 0.0
    assert np.isnan([its["p95_s"], its["usd_per_answer"]]).all()


def test_dead_parts_of_flapping_are_its_bad_times(chat: Scenario) -> None:
    parts = dead_parts(chat.changed(episodes=(flapping("second", 5.0, 9.0, period_s=2.0, bad_share=0.25),)))
    assert parts == [(1, 5.0, 5.5), (1, 7.0, 7.5)]


def test_a_run_without_what_it_needs_is_refused(chat: Scenario) -> None:
    run = simulate(chat.changed(episodes=(outage("first", 1.0, 2.0),)), BREAKER, 1)
    with pytest.raises(ParameterError, match="keep_attempts=True"):
        measure_run(run)


def test_quantiles_are_numpys() -> None:
    rng = np.random.default_rng(5)
    for n in (1, 2, 3, 10, 999):
        values = rng.exponential(size=n)
        levels = (0.0, 0.5, 0.95, 0.99, 1.0)
        assert quantiles(values, levels).tolist() == pytest.approx(np.quantile(values, levels).tolist(), rel=1e-12)


def test_intervals_cover_as_often_as_they_say() -> None:
    """Of 2,000 means of 4 normal values 95 % are covered; more than 4 standard errors off has probability 6e-5."""
    rng = np.random.default_rng(6)
    hits = 0
    for _ in range(2000):
        its = interval_of("p95_s", rng.normal(3.0, 0.2, size=4))
        assert its.low is not None
        assert its.high is not None
        hits += its.low <= 3.0 <= its.high
    assert abs(hits / 2000 - 0.95) < 4 * (0.95 * 0.05 / 2000) ** 0.5


def test_one_seed_or_a_missing_value_has_no_interval() -> None:
    assert interval_of("p95_s", [1.0]).low is None
    assert interval_of("p95_s", [1.0, float("nan")]).value is None
    with pytest.raises(ParameterError, match="level"):
        interval_of("p95_s", [1.0, 2.0], level=95)
    with pytest.raises(ParameterError, match="use one of these names"):
        interval_of("p95", [1.0])
    assert tuple(each.name for each in MEASURES) == NAMES
