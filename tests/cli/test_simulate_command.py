"""`relkit simulate`: what it prints, what it refuses in one line, and what Ctrl-C leaves."""

import json
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace, TracebackType
from typing import Any, Self

import pytest

from relkit import cli, presets, simulate
from relkit.simulation.scenario_toml import packaged, write_scenario
from relkit.simulation.suite import w1

Run = Callable[..., SimpleNamespace]


@pytest.fixture(autouse=True)
def _signals() -> Iterator[None]:
    """The command line takes over the signals of its process; here that is pytest's."""
    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    before = [signal.getsignal(number) for number in numbers]
    yield
    for number, handler in zip(numbers, before, strict=True):
        signal.signal(number, handler)


@pytest.fixture
def run(capfd: pytest.CaptureFixture[str]) -> Run:
    """Type a command; get its exit code and both streams."""

    def type_(*words: str) -> SimpleNamespace:
        with pytest.raises(SystemExit) as stop:
            cli.main(["simulate", *words])
        out, err = capfd.readouterr()
        return SimpleNamespace(code=stop.value.code, out=out, err=err)

    return type_


def test_it_prints_what_the_run_holds(run: Run) -> None:
    done = run("w1", "--requests", "3000", "--seed", "7", "--policy", "plan", "--json")
    record = json.loads(done.out)
    held = simulate(w1(3000), presets["plan"], 7)
    (told,) = record["runs"]
    assert done.code == 0
    assert {name: told[name] for name in held.counts} == held.counts
    assert told["attempts_per_request"] == held.attempts_per_request
    assert told["p95_s"] == held.latency_s(0.95)[0]
    assert told["policy_hash"] == presets["plan"].hash
    assert (record["seed"], record["requests"], record["complete"]) == (7, 3000, True)


def test_policies_are_compared_in_the_order_they_are_named(run: Run) -> None:
    done = run("metastable", "--requests", "4000", "--policy", "plan-transient", "--policy", "plan-fixed")
    rows = done.out.splitlines()
    assert done.code == 0
    assert rows[0].startswith("metastable: 4")
    assert rows[1].split()[:3] == ["policy", "answered", "tries"]
    assert [row.split()[0] for row in rows[2:]] == ["plan-transient", "plan-fixed"]
    assert len({len(row) for row in rows[1:]}) == 1, "columns stand below each other"


def test_a_scenario_file_is_played_as_the_packaged_one_it_was_written_from(run: Run, tmp_path: Path) -> None:
    mine = write_scenario(packaged("outage").changed(requests=500), tmp_path / "mine.toml")
    told = [json.loads(run(name, "--requests", "500", "--json").out) for name in (str(mine), "outage")]
    assert told[0] == told[1]
    broken = tmp_path / "broken.toml"
    broken.write_text("requests = -1\n", encoding="utf-8")
    done = run(str(broken))
    assert (done.code, done.out) == (1, "")
    assert "broken.toml" in done.err


def test_without_a_policy_it_is_the_plan_made_to_work(run: Run) -> None:
    assert json.loads(run("w0", "--requests", "10", "--json").out)["runs"][0]["policy"] == "plan-fixed"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("nowhere",), "scenario = 'nowhere' is not acceptable"),
        (("w1", "--policy", "plann"), "--policy = 'plann' is not acceptable"),
        (("w1", "--requests", "0"), "requests = 0 is not acceptable"),
        (("w1", "--requests", "1000000000000"), "would need"),
        (("w1", "--seed", "-1"), "--seed"),
        ((), "Missing argument"),
    ],
)
def test_what_cannot_be_is_one_line_and_runs_nothing(run: Run, words: tuple[str, ...], said: str) -> None:
    done = run(*words)
    assert (done.code, done.out) == (1, "")
    assert said in done.err
    assert len(done.err.splitlines()) == 1


class StoppedBar:
    """A progress bar whose reader presses Ctrl-C when it first moves."""

    def __init__(self, **settings: Any) -> None:
        self.n = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        pass

    def update(self, more: int) -> None:
        raise KeyboardInterrupt


def test_ctrl_c_prints_what_is_finished_and_begins_nothing_more(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tqdm.auto.tqdm", StoppedBar)
    monkeypatch.setattr("relkit.simulation.run._SLICE", 2000)
    done = run("w1", "--requests", "30000", "--policy", "plan", "--policy", "plan-fixed", "--json")
    record = json.loads(done.out)
    (told,) = record["runs"]
    assert done.code == 1
    assert record["complete"] is False
    assert 0 < told["finished"] < 30_000
    assert told["fresh"] + told["cached"] + told["stale"] + told["failed"] + told["rejected"] == told["finished"]
    assert done.err == "relkit: interrupted; what was finished is shown; 1 policy not begun\n"


def test_tries_become_a_log_that_the_readings_take(tmp_path, capsys):
    from relkit.period import period_of  # noqa: PLC0415
    from relkit.store import open_store, readings  # noqa: PLC0415

    place = tmp_path / "simulated.duckdb"
    with pytest.raises(SystemExit) as done:
        cli.main(["simulate", "healthy", "--requests", "500", "--attempts-to", str(place), "--json"])
    assert done.value.code == 0
    with open_store(place) as store:
        found = readings.traffic(store, period_of("2026-W47"))
    assert found.attempts >= 400
    with pytest.raises(SystemExit) as done:
        cli.main(["simulate", "healthy", "--policy", "plan", "--policy", "polly", "--attempts-to", str(place)])
    assert done.value.code == 1
    assert "run each into its own file" in capsys.readouterr().err
