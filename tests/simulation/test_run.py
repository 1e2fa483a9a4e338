"""The Run: its parts tell one story, its tables have words, it can be stopped and repeated."""

import _thread
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from relkit.errors import ErrorKind
from relkit.exceptions import ParameterError
from relkit.policies.policy import Policy
from relkit.policies.presets import presets
from relkit.simulation import run as run_module
from relkit.simulation.arrivals import modulated, poisson, replayed, varying
from relkit.simulation.episodes import outage, rate_limited
from relkit.simulation.latency import constant
from relkit.simulation.room import COUNTERS, Room, inputs_of
from relkit.simulation.run import Run, play, simulate
from relkit.simulation.scenario import BYTES_A_REQUEST, Scenario, ServedModel
from relkit.simulation.suite import retrying, w0, w1, w_policy
from relkit.simulation.workload import CACHED, ENDS, FRESH, workload_of


@pytest.fixture(scope="module")
def run() -> Run:
    return simulate(w1(40_000), w_policy(), 3, keep_attempts=True)


def test_every_request_ends_once_and_the_counters_say_so(run: Run) -> None:
    assert sum(run.counts.values()) == 40_000
    sums = dict(zip(COUNTERS, run.seconds.sum(axis=0).tolist(), strict=True))
    assert {name: sums[name] for name in ENDS} == run.counts
    assert sums["arrivals"] == 40_000
    assert sums["attempts"] == run.requests["attempts"].sum()


def test_the_tries_of_a_request_are_those_it_counts(run: Run) -> None:
    assert run.attempts is not None
    tries = np.bincount(run.attempts["request"], minlength=40_000)
    np.testing.assert_array_equal(tries, run.requests["attempts"])
    last = {int(row["request"]): int(row["kind"]) for row in run.attempts}
    fresh = np.flatnonzero(run.requests["outcome"] == FRESH)
    assert all(last[request] == 0 for request in fresh.tolist())


def test_a_request_lasts_from_its_first_start_to_its_last_end(run: Run) -> None:
    assert run.attempts is not None
    ends_s = np.zeros(40_000)
    np.maximum.at(ends_s, run.attempts["request"], run.attempts["start_s"] + run.attempts["latency_s"])
    fresh = run.requests["outcome"] == FRESH
    lasted_s = (ends_s - run.requests["arrival_s"])[fresh]
    np.testing.assert_allclose(run.requests["latency_s"][fresh], lasted_s, rtol=1e-9, atol=1e-9)
    assert np.all(run.requests["latency_s"][run.requests["outcome"] == CACHED] == 0.001)


def test_the_same_three_arguments_give_the_same_run_and_another_seed_another() -> None:
    one, again, other = (simulate(w1(3_000), w_policy(), seed) for seed in (5, 5, 6))
    np.testing.assert_array_equal(one.requests, again.requests)
    assert not np.array_equal(one.requests["arrival_s"], other.requests["arrival_s"])


def test_two_policies_meet_the_same_luck() -> None:
    """Keyed draws: whatever the policy does, request 17 comes when it comes and its first try takes what it takes."""
    one = simulate(w0(2_000), retrying(0), 9, keep_attempts=True)
    other = simulate(w0(2_000), retrying(3), 9, keep_attempts=True)
    np.testing.assert_array_equal(one.requests["arrival_s"], other.requests["arrival_s"])
    assert one.attempts is not None
    assert other.attempts is not None
    firsts = [
        np.sort(rows[rows["attempt"] == 1][["request", "latency_s", "kind"]], order="request")
        for rows in (one.attempts, other.attempts)
    ]
    for column in ("request", "kind"):
        np.testing.assert_array_equal(firsts[0][column], firsts[1][column])
    np.testing.assert_array_equal(firsts[0]["latency_s"], firsts[1]["latency_s"])


def test_tables_have_words(run: Run) -> None:
    tries, changes = run.frame("attempts"), run.frame("transitions")
    assert set(tries["kind"]) >= {"", ErrorKind.NETWORK_TIMEOUT.value}
    assert set(tries["model"]) <= {"first", "second", "third"}
    assert set(changes["state"]) <= {"closed", "open", "half_open"}
    assert set(run.frame("requests")["outcome"]) <= set(ENDS)
    assert list(run.frame("seconds").columns) == ["second", *COUNTERS]
    with pytest.raises(ParameterError, match="requests, seconds, transitions, attempts"):
        run.frame("minutes")
    with pytest.raises(ParameterError, match="keep_attempts=True"):
        simulate(w0(10), presets["plan"], 1).frame("attempts")


def test_progress_is_told_and_ctrl_c_keeps_what_is_finished(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run_module, "_SLICE", 2_000)
    told: list[int] = []
    # Whoever starts the tests in the background of a shell has Ctrl-C ignored.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)

    def stop(finished: int) -> None:
        told.append(finished)
        if len(told) == 3:
            _thread.interrupt_main()

    try:
        stopped = simulate(w1(50_000), w_policy(), 1, progress=stop)
    finally:
        signal.signal(signal.SIGINT, before)
    assert not stopped.complete
    assert told == sorted(told)
    assert told[-1] <= len(stopped.requests) < 50_000
    whole = simulate(w1(50_000), w_policy(), 1)
    assert whole.complete
    known = np.isin(whole.requests["arrival_s"], stopped.requests["arrival_s"])
    np.testing.assert_array_equal(whole.requests[known], stopped.requests)


def test_a_retry_after_is_waited_for() -> None:
    limited = w0(200).changed(episodes=(rate_limited("*", 0.0, 2.0, 1.0, 7.0),))
    seen = simulate(limited, retrying(5), 1, keep_attempts=True).attempts
    assert seen is not None
    after = {int(row["request"]) for row in seen if row["kind"] == 5}
    waits = [row["waited_s"] for row in seen if int(row["request"]) in after and row["attempt"] == 2]
    assert len(waits) > 20
    assert min(waits) >= 7.0


def test_abandoned_work_is_done_and_billed_unless_it_is_cancelled() -> None:
    """One server of one second; ten come at once and give up after 2.5 s: two are served, or all ten services done."""
    model = ServedModel("m", "p", constant(1.0), servers=1, cost_microusd=100)
    scenario = Scenario("burst", 11, replayed([0.0] * 10 + [12.0]), (model,), timeout_s=2.5)
    both = [
        simulate(one, Policy("none", "2026-11", "test"), 1)
        for one in (
            scenario,
            scenario.changed(models=(ServedModel("m", "p", constant(1.0), 1, cancels=True, cost_microusd=100),)),
        )
    ]
    assert [run.counts["fresh"] for run in both] == [3, 3]
    assert [int(run.requests["cost_microusd"].sum()) for run in both] == [1100, 400]


def test_arrivals_keep_their_rates() -> None:
    """Counts within 5 standard errors of their mean, 30 comparisons: a false alarm in one run of 50,000."""
    one = (ServedModel("m", "p", constant(0.0)),)
    policy = retrying(0)
    for seed in range(10):
        steady = simulate(Scenario("s", 20_000, poisson(50.0), one), policy, seed).requests["arrival_s"][-1]
        assert abs(steady - 400.0) < 5 * 400 / 20_000**0.5
        turns = Scenario("v", 20_000, varying([(10.0, 20.0), (5.0, 0.0), (10.0, 80.0)]), one)
        at_s = simulate(turns, policy, seed).requests["arrival_s"] % 25.0
        assert not np.any((at_s >= 10.0) & (at_s < 15.0))
        assert abs(np.mean(at_s < 10.0) - 0.2) < 5 * (0.2 * 0.8 / 20_000) ** 0.5
        bursts = Scenario("b", 20_000, modulated([(9.0, 10.0), (1.0, 410.0)]), one)
        counts = np.bincount(simulate(bursts, policy, seed).requests["arrival_s"].astype(int))
        assert counts.var() / counts.mean() > 20, "a bursty process is far from Poisson's dispersion of 1"


def test_an_outage_of_the_provider_takes_all_its_models() -> None:
    down = w1(2_000).changed(
        models=tuple(ServedModel(model.name, "one", model.latency) for model in w1().models),
        episodes=(outage("one", 0.0, 1e6),),
        cache=None,
    )
    assert simulate(down, w_policy(), 1).counts["fresh"] == 0


def test_a_request_takes_the_memory_that_is_reckoned_with() -> None:
    """Else a run that was let in could fail half way for want of memory."""
    scenario = w1(200_000)
    room = Room(workload_of(scenario, w_policy(), 1))
    play(inputs_of(workload_of(scenario, w_policy(), 1)), room, None)
    of_requests = room.results.nbytes + room.place_of.nbytes
    assert of_requests / 200_000 < BYTES_A_REQUEST / 1.5
    assert sum(array.nbytes for array in room.arrays()) - of_requests < 8e6, "the rest does not grow with the requests"


def test_a_first_run_says_on_a_terminal_that_it_compiles(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    from relkit.simulation import compiled  # noqa: PLC0415  it loads the compiler

    monkeypatch.setattr(compiled, "cache_folder", lambda: tmp_path)
    compiled.announce()
    assert capsys.readouterr().err == "", "a notebook's output must not depend on the cache"
    monkeypatch.setattr("sys.stderr.isatty", lambda: True, raising=False)
    compiled.announce()
    assert "compiling" in capsys.readouterr().err
    (tmp_path / "kernel.run_events-1.py311.nbi").touch()
    compiled.announce()
    assert capsys.readouterr().err == ""


def test_importing_relkit_or_a_scenario_loads_no_compiler() -> None:
    code = (
        "import sys, relkit, relkit.simulation.suite, relkit.simulation.scenario, relkit.policies.presets;"
        "assert 'numba' not in sys.modules;"
        "relkit.simulate; import relkit.policies.guard"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)
