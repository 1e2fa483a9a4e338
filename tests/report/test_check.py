"""`relkit check`: what no rule knows, held against the share that may be unknown; exit 0, 1 and 3."""

import json
from pathlib import Path
from typing import Any

import pytest

from relkit import cli
from relkit.batch import Batch
from relkit.errors import load_rules
from relkit.exceptions import DataError, ParameterError, StoreError
from relkit.report.check import check_errors
from relkit.store import open_store, sink_into

ROWS = [(500, None)] * 90 + [(None, "WorkerExit")] * 8 + [(None, "AgentStopped")] * 2


def database(folder: Path, rows: list[tuple[int | None, str | None]], ok: bool | None = False) -> Path:
    path = folder / "relkit.duckdb"
    columns: dict[str, list[Any]] = {
        "ts": [1_800_000_000_000_000 + i for i in range(len(rows))], "ok": [ok] * len(rows), "status": [status for status, _ in rows],
        "exception_type": [name for _, name in rows], "granularity": ["request"] * len(rows),
    }  # fmt: skip
    with open_store(path, write=True) as store, sink_into(store, "log", "x") as sink:
        sink(Batch("attempts", columns))
    return path


@pytest.mark.parametrize(("share", "is_broken"), [(0.09, True), (0.1, False), (1.0, False), (0.0, True)])
def test_the_guardrail_breaks_above_the_stated_share_and_not_at_it(
    tmp_path: Path, share: float, is_broken: bool
) -> None:
    found = check_errors(database(tmp_path, ROWS), share)
    assert (found.unknown, found.attempts, found.unknown_share) == (10, 100, 0.1)
    assert found.is_broken is is_broken


def test_the_lines_say_the_rate_the_coverage_and_the_rule_to_write(tmp_path: Path) -> None:
    lines = check_errors(database(tmp_path, ROWS), 0.05).lines
    assert lines[0].endswith("10.00 % of 100 failed attempts are unknown (10); up to 5.00 % may be")
    assert lines[1:3] == ["  status: 90 (90.0 %)", "  none: 10 (10.0 %)"]
    assert lines[3] == '  to write: 8 attempts, when = { exception_type = "WorkerExit" }'
    assert lines[-1] == "guardrail broken: more than 5.00 % unknown"


def test_rules_of_ones_own_count(tmp_path: Path) -> None:
    mine = load_rules().with_rules(
        {
            "id": "worker", "kind": "LOCAL_RESOURCE", "when": {"exception_type": "WorkerExit"},
            "examples": [{"exception_type": "WorkerExit"}], "counterexamples": [{"exception_type": "Worker"}],
        }
    )  # fmt: skip
    found = check_errors(database(tmp_path, ROWS), 0.05, mine)
    assert (found.unknown, found.ruleset) == (2, mine.hash)


def test_where_nothing_failed_nothing_is_unknown(tmp_path: Path) -> None:
    found = check_errors(database(tmp_path, [(200, None)] * 5, ok=True), 0.0)
    assert (found.unknown_share, found.is_broken) == (0.0, False)
    assert "0.00 % of 0" in found.lines[0]


def test_a_log_without_outcomes_cannot_be_checked(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="tells its outcome"):
        check_errors(database(tmp_path, [(None, None)] * 5, ok=None), 0.05)


@pytest.mark.parametrize("share", [-0.01, 1.01, float("nan")])
def test_a_share_out_of_range_is_refused(tmp_path: Path, share: float) -> None:
    with pytest.raises(ParameterError, match="--max-unknown"):
        check_errors(tmp_path / "none.duckdb", share)


def test_without_a_database_there_is_nothing_to_check(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="no such database"):
        check_errors(tmp_path / "none.duckdb", 0.05)


@pytest.mark.parametrize(
    ("words", "code"), [([], 3), (["--max-unknown", "0.1"], 0), (["--max-unknown", "2"], 1), (["nowhere.duckdb"], 1)]
)
def test_exit_codes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], words: list[str], code: int
) -> None:
    database(tmp_path, ROWS)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(cli, "_end_politely", lambda: None)  # the signals here are pytest's
    with pytest.raises(SystemExit) as stop:
        cli.main(["check", *words])
    assert stop.value.code == code
    out, err = capsys.readouterr()
    assert bool(out) == (code != 1)
    assert len(err.splitlines()) == (code == 1)


def test_json_has_every_number(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    database(tmp_path, ROWS)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(cli, "_end_politely", lambda: None)
    with pytest.raises(SystemExit):
        cli.main(["check", "--json"])
    record = json.loads(capsys.readouterr().out)
    assert record["unknown_share"] == 0.1
    assert record["is_broken"] is True
    assert record["coverage"] == {"status": 90, "none": 10}
    assert [each["attempts"] for each in record["to_write"]] == [8, 2]
