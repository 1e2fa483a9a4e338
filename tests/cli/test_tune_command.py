"""`relkit tune`: a log in, a choice out and into the store; what it refuses, in one line."""

import json
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from relkit import cli, simulate
from relkit.config import imported
from relkit.errors import ErrorKind
from relkit.policies.presets import presets
from relkit.simulation.arrivals import poisson
from relkit.simulation.latency import lognormal
from relkit.simulation.log import to_sink
from relkit.simulation.scenario import ErrorShare, Scenario, ServedModel
from relkit.store import last_choice, open_store, sink_into
from relkit.store.classify import classify_new
from relkit.tune import study, sweep

Run = Callable[..., SimpleNamespace]
BEGINS_US = 1_763_337_600_000_000


def log_of(path: Path, requests: int) -> Path:
    """A log of calm traffic, one request in fifty failing by itself."""
    model = ServedModel(
        "small", "a", lognormal(0.4, 0.5), errors=(ErrorShare(ErrorKind.API_SERVER_ERROR, 0.02),), cost_microusd=200
    )
    run = simulate(Scenario("calm", requests, poisson(0.8), (model,)), presets["plan-fixed"], 1, keep_attempts=True)
    with open_store(path, write=True) as store:
        with sink_into(store, "calm", "calm") as sink:
            to_sink(run, sink, start_us=BEGINS_US)
        classify_new(store.connection)
    return path


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return log_of(tmp_path_factory.mktemp("tune") / "calm.duckdb", 2000)


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Run:
    """Type a command with small suites; get its exit code and both streams."""
    monkeypatch.setattr(study, "WHOLE_SEEDS", 2)
    monkeypatch.setattr(study, "WHOLE_EVALUATIONS", 48)
    monkeypatch.setattr("relkit.tune.choose.FRESH_SEEDS", 8)
    whole = study.suite_of
    monkeypatch.setattr(study, "suite_of", lambda base, bad_s, small=False: whole(base, bad_s, small=True))

    def type_(*words: str) -> SimpleNamespace:
        with pytest.raises(SystemExit) as stop:
            cli.main(["tune", "--week", "all", "--workers", "1", "--points", "4", *words])
        out, err = capsys.readouterr()
        return SimpleNamespace(code=stop.value.code, out=out, err=err)

    return type_


def test_a_choice_is_said_kept_exported_and_read_back_by_the_weekly_report(
    run: Run, log: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    first = run("--database", str(log), "--today", "plan", "--json")
    assert first.code == 0, first.err
    record = json.loads(first.out)
    assert record["verdict"]["code"] in {"RECOMMENDED", "REFUSED"}
    assert record["sweep"]["ran"] > 0
    assert record["logged_requests"] == 2000
    with open_store(log) as store:
        kept = last_choice(store)
    assert kept is not None
    assert (kept.sentence, kept.code) == (record["verdict"]["sentence"], record["verdict"]["code"])
    assert kept.settings is not None
    assert imported(kept.settings, "relkit").hash == kept.policy_hash == record["policy_hash"]
    again = run("--database", str(log), "--today", "plan")
    assert again.code == 0
    assert "0 runs played" in again.out, "what is stored is not played again"
    with pytest.raises(SystemExit) as stop:
        cli.main(["export", "--to", "relkit", "--choice", "--database", str(log)])
    assert stop.value.code == 0
    assert imported(capsys.readouterr().out, "relkit").hash == kept.policy_hash
    assert record["verdict"]["sentence"] in again.out


def test_ctrl_c_keeps_what_is_finished_and_a_second_call_goes_on(
    run: Run, log: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    played = sweep.play
    calls: list[int] = []

    def stops(task: sweep.Task) -> Any:
        calls.append(len(task.places))
        if len(calls) == 3:
            raise KeyboardInterrupt
        return played(task)

    monkeypatch.setattr(sweep, "play", stops)
    halved = log_of(log.parent / "halved.duckdb", 1500)
    first = run("--database", str(halved))
    assert first.code == 1
    assert "run it again to go on" in first.err
    monkeypatch.setattr(sweep, "play", played)
    second = json.loads(run("--database", str(halved), "--json").out)
    assert second["sweep"]["taken"] > 0


def test_what_cannot_be_is_one_line(run: Run, log: Path) -> None:
    wrong = {
        ("--today", "pybraker"): "pybreaker",
        ("--goal", "cheapest with luck >= 3"): "goal",
        ("--points", "100"): "power of two",
        ("--database", str(log.parent / "none.duckdb")): "none.duckdb",
    }
    for words, told in wrong.items():
        found = run("--database", str(log), *words)
        assert (found.code, found.out) == (1, "")
        assert found.err.count("\n") == 1
        assert told in found.err


def test_a_short_log_is_an_honest_refusal(run: Run, tmp_path: Path) -> None:
    found = run("--database", str(log_of(tmp_path / "short.duckdb", 60)))
    assert found.code == 0
    assert found.out.startswith("REFUSED: No setting is recommended")
    assert "calibration needs 200" in found.out


def test_a_sweep_of_other_code_is_refused(run: Run, log: Path, tmp_path: Path) -> None:
    path = log_of(tmp_path / "other.duckdb", 300)
    with open_store(path, write=True) as store:
        store.connection.execute("INSERT INTO sweeps VALUES ('tune@0123456789abcdef', 'p', 's', 1, 'success', 0.5)")
    found = run("--database", str(path))
    assert found.code == 1
    assert "made by other code (hash 0123456789abcdef" in found.err
    again = run("--database", str(path), "--forget")
    assert again.code == 0, again.err
    with open_store(path) as store:
        kept = store.connection.execute("SELECT DISTINCT sweep_id FROM sweeps").fetchall()
    assert "tune@0123456789abcdef" not in {name for (name,) in kept}
