"""A Run as a log: every reading takes it, and finds in it what the Run says."""

from pathlib import Path

import pytest

from relkit.errors import ErrorKind, classify
from relkit.errors.kinds import ADVICE
from relkit.exceptions import ParameterError
from relkit.policies.presets import presets
from relkit.simulation.episodes import cut, outage, rate_limited
from relkit.simulation.log import attempt_columns, signals_of, to_sink
from relkit.simulation.run import Run, simulate
from relkit.simulation.sessions import Sessions
from relkit.simulation.suite import w0, w1, w_policy
from relkit.simulation.tokens import Tokens, counts_of
from relkit.store import open_store, sink_into
from relkit.store.classify import classify_new

START_US = 1_763_000_000_000_000


@pytest.fixture(scope="module")
def run() -> Run:
    scenario = w1(6_000).changed(
        episodes=(outage("first", 20.0, 40.0), rate_limited("second", 30.0, 50.0, 0.5), cut("first", 60.0, 80.0, 0.3)),
        sessions=Sessions(6.0, 30),
        tokens=Tokens(900.0, 0.5, 120.0, 0.6),
    )
    return simulate(scenario, w_policy(), 7, keep_attempts=True)


def test_the_store_takes_a_run_and_its_readings_find_what_it_says(run: Run, tmp_path: Path) -> None:
    with open_store(tmp_path / "simulated.duckdb", write=True) as store:
        with sink_into(store, "simulated", f"{run.scenario.name} {run.policy_hash} {run.seed}") as sink:
            to_sink(run, sink, start_us=START_US, service="chat")
        classify_new(store.connection)
        found = store.connection.execute(
            "SELECT count(DISTINCT request_id), count(*), count(DISTINCT session_id), sum(cost_microusd), "
            "count(*) FILTER (cache_hit), count(*) FILTER (cache_hit AND degraded) FROM attempts"
        ).fetchone()
        kinds = dict(
            store.connection.execute(
                "SELECT c.kind, count(*) FROM attempts a JOIN classifications c ON a.fp = c.fp WHERE NOT a.ok GROUP BY c.kind"
            ).fetchall()
        )
        ended = dict(
            store.connection.execute(
                "SELECT ok, count(*) FROM (SELECT request_id, arg_max(ok, attempt) AS ok FROM attempts GROUP BY request_id) GROUP BY ok"
            ).fetchall()
        )
    counts = run.counts
    assert found is not None
    requests, rows, sessions, _, cached, stale = found
    assert requests == 6_000
    assert run.attempts is not None
    assert rows == len(run.attempts) + counts["cached"] + counts["stale"] + counts["rejected"]
    assert (cached, stale) == (counts["cached"] + counts["stale"], counts["stale"])
    assert 800 < sessions < 1_200
    assert ended[True] == counts["fresh"] + counts["cached"] + counts["stale"]
    simulated = run.frame("attempts")["kind"].value_counts().to_dict()
    simulated.pop("")
    if counts["rejected"]:
        simulated[ErrorKind.CIRCUIT_OPEN.value] = counts["rejected"]
    assert kinds == simulated, "the classifier reads from the log what was simulated"
    assert {"NETWORK_REFUSED", "API_RATE_LIMIT", "NETWORK_ERROR", "API_INVALID_REQUEST"} <= set(kinds)


@pytest.mark.parametrize("kind", ErrorKind)
def test_the_classifier_reads_each_kind_back_from_its_signals(kind: ErrorKind) -> None:
    read = classify(dict(zip(("exception_type", "status", "code"), signals_of(kind), strict=True)))
    assert read.kind == kind
    assert read.maybe_executed == ADVICE[kind].maybe_executed_default or kind == ErrorKind.UNKNOWN


def test_tokens_and_prices_of_the_log_are_those_of_the_answers(run: Run) -> None:
    columns = attempt_columns(run)
    assert run.scenario.tokens is not None
    asked, answered = counts_of(run.scenario.tokens, run.seed, 6_000)
    told = [row for row, tokens in enumerate(columns["tokens_in"]) if tokens is not None]
    assert len(told) == run.counts["fresh"]
    for row in told[:200]:
        number = int(columns["request_id"][row][1:]) - 1
        assert (columns["tokens_in"][row], columns["tokens_out"][row]) == (asked[number], answered[number])
    assert sum(columns["cost_microusd"][row] for row in told) <= run.requests["cost_microusd"].sum()


def test_a_run_without_tries_or_one_that_was_stopped_is_no_log(run: Run) -> None:
    with pytest.raises(ParameterError, match="keep_attempts=True"):
        attempt_columns(simulate(w0(10), presets["plan"], 1, engine="oracle"))
    stopped = Run(**{name: getattr(run, name) for name in Run.__slots__ if name != "complete"}, complete=False)
    with pytest.raises(ParameterError, match="stopped"):
        attempt_columns(stopped)
