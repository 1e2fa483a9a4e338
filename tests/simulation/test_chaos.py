"""The plan's chaos tests as scenarios: what must be seen in each, whatever the seed."""

import numpy as np
import pytest

from relkit.errors import ErrorKind
from relkit.errors.kinds import ADVICE
from relkit.policies.codes import CLOSED, OPEN
from relkit.simulation.run import Run, simulate
from relkit.simulation.scenario_toml import packaged
from relkit.simulation.suite import policy_for
from relkit.simulation.workload import CACHED, FAILED, FRESH, REJECTED, STALE

SEEDS = (1, 2, 3)
FIRST = 0  # place of the model that is asked first


def run_of(name: str, seed: int) -> Run:
    scenario = packaged(name)
    return simulate(scenario, policy_for(scenario), seed, keep_attempts=True, engine="oracle")


def tries(run: Run) -> np.ndarray:
    assert run.attempts is not None
    return run.attempts


def within(run: Run, start_s: float, end_s: float) -> np.ndarray:
    arrived_s = run.requests["arrival_s"]
    return run.requests[(arrived_s >= start_s) & (arrived_s < end_s)]


def assert_nothing_is_sent_while_open(run: Run) -> int:
    """While a model's breaker is open no call is let through to it; return how often one opened.

    The breaker is asked once a call, so a call that was let in before may still try again.
    """
    opened = 0
    for model in range(len(run.scenario.models)):
        changes = run.transitions[run.transitions["model"] == model]
        let_in = (tries(run)["model"] == model) & (tries(run)["waited_s"] == 0.0)
        started_s = tries(run)["start_s"][let_in]
        for row, change in enumerate(changes):
            if change["state"] != OPEN:
                continue
            opened += 1
            until_s = changes["at_s"][row + 1] if row + 1 < len(changes) else np.inf
            assert not np.any((started_s > change["at_s"]) & (started_s < until_s))
    return opened


@pytest.mark.parametrize("seed", SEEDS)
def test_server_errors_open_every_breaker_and_known_questions_still_get_an_answer(seed: int) -> None:
    run = run_of("chaos-errors", seed)
    assert assert_nothing_is_sent_while_open(run) >= 3
    during = within(run, 430.0, 510.0)["outcome"]
    assert not np.any(during == FRESH)
    assert np.mean(during == STALE) > 0.2, "a stale answer where freshness allows it"
    assert np.any(during == REJECTED), "what is not known fails fast"
    rejected = run.requests[run.requests["outcome"] == REJECTED]
    assert rejected["latency_s"].max() < 0.1, "the plan asks for less than 100 ms"
    assert np.mean(within(run, 600.0, 690.0)["outcome"] == FAILED) < 0.02, "it recovers"


@pytest.mark.parametrize("seed", SEEDS)
def test_timeouts_are_tried_again_after_growing_waits(seed: int) -> None:
    run = run_of("chaos-timeouts", seed)
    timed_out = ADVICE[ErrorKind.NETWORK_TIMEOUT].int_code
    rows = tries(run)
    assert np.any(rows["kind"] == timed_out)
    assert np.allclose(rows["latency_s"][rows["kind"] == timed_out], run.scenario.timeout_s)
    waits: dict[int, list[float]] = {}
    for row in np.sort(rows, order=["request", "attempt"]):
        if row["waited_s"] > 0.0:
            waits.setdefault(int(row["attempt"]), []).append(float(row["waited_s"]))
    assert waits, "there are retries"
    means = [float(np.mean(waits[attempt])) for attempt in sorted(waits)]
    assert means == sorted(means), "the mean wait grows from try to try"


@pytest.mark.parametrize("seed", SEEDS)
def test_an_outage_opens_the_breaker_at_its_threshold_and_others_answer(seed: int) -> None:
    run = run_of("chaos-outage", seed)
    opened = run.transitions[(run.transitions["model"] == FIRST) & (run.transitions["state"] == OPEN)]
    assert 60.0 <= opened["at_s"][0] < 90.0
    assert assert_nothing_is_sent_while_open(run) >= 1
    refused = ADVICE[ErrorKind.NETWORK_REFUSED].int_code
    rows = tries(run)
    until_open = rows[(rows["model"] == FIRST) & (rows["kind"] == refused) & (rows["start_s"] <= opened["at_s"][0])]
    assert len(until_open) >= 1
    during = within(run, 90.0, 180.0)
    assert np.mean(during["outcome"] == FAILED) + np.mean(during["outcome"] == REJECTED) < 0.02
    assert set(during["model"][during["outcome"] == FRESH]) <= {1, 2, FIRST}
    last = run.transitions[run.transitions["model"] == FIRST][-1]
    assert last["state"] == CLOSED


@pytest.mark.parametrize("seed", SEEDS)
def test_a_rate_limit_is_left_alone_for_as_long_as_it_says(seed: int) -> None:
    run = run_of("chaos-rate-limit", seed)
    limited = ADVICE[ErrorKind.API_RATE_LIMIT].int_code
    rows = np.sort(tries(run), order=["request", "attempt"])
    told = {(int(row["request"]), int(row["attempt"])) for row in rows if row["kind"] == limited}
    assert told
    for row in rows:
        if (int(row["request"]), int(row["attempt"]) - 1) in told and row["model"] == FIRST:
            assert row["waited_s"] >= 20.0
    assert np.mean(within(run, 60.0, 180.0)["outcome"] == FAILED) < 0.05


@pytest.mark.parametrize("seed", SEEDS)
def test_slowness_costs_time_and_no_answer(seed: int) -> None:
    run = run_of("chaos-slow", seed)
    before, during = within(run, 0.0, 60.0), within(run, 60.0, 180.0)
    fresh = [float(np.median(part["latency_s"][part["outcome"] == FRESH])) for part in (before, during)]
    assert 2.5 < fresh[1] / fresh[0] < 6.0
    assert np.mean(during["outcome"] == FAILED) < 0.02


@pytest.mark.parametrize("seed", SEEDS)
def test_a_known_question_gets_its_old_answer_when_the_provider_is_away(seed: int) -> None:
    run = run_of("chaos-cached-answer", seed)
    assert assert_nothing_is_sent_while_open(run) >= 3
    during = within(run, 500.0, 850.0)["outcome"]  # all that was fresh has expired by then
    assert set(during) <= {STALE, FAILED, REJECTED}
    assert np.mean(during == STALE) > 0.5
    assert np.mean(within(run, 125.0, 180.0)["outcome"] == CACHED) > 0.2


@pytest.mark.parametrize("seed", SEEDS)
def test_with_all_models_down_nothing_is_answered_and_little_is_sent(seed: int) -> None:
    run = run_of("all-models-down", seed)
    assert run.answered_share == 0.0
    assert assert_nothing_is_sent_while_open(run) >= 3
    assert run.attempts_per_request < 1.0, "breakers keep what cannot succeed from being sent"
    assert not np.any(run.transitions["state"] == CLOSED)
