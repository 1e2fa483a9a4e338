"""Every bad input of the table ends in one clear message; what was stored before stays as it was."""

import re
import shutil
from pathlib import Path
from typing import Any

import pytest
from bad_inputs import CASES, HEAD, MAP, STAMP, Case, log

from relkit.cli import main
from relkit.exceptions import DataError
from relkit.store import open_store
from relkit.store.forget import forget_source
from relkit.store.readings import data_hash


def typed(*words: str) -> int:
    with pytest.raises(SystemExit) as stop:
        main(list(words))
    return int(stop.value.code or 0)


@pytest.fixture(scope="module")
def before(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database with one row of another log."""
    folder = tmp_path_factory.mktemp("before")
    log(HEAD + f"{STAMP},200,5\n", mapping=MAP.replace('"web"', '"first"'))(folder)
    names = {name: str(folder / name) for name in ("log.csv", "map.toml", "relkit.duckdb")}
    words = (
        "ingest",
        names["log.csv"],
        "--as",
        "attempts",
        "--map",
        names["map.toml"],
        "--database",
        names["relkit.duckdb"],
    )
    assert typed(*words) == 0
    return folder / "relkit.duckdb"


def content(path: Path) -> list[Any]:
    with open_store(path) as store:
        tables = ("attempts", "fingerprints", "rejects", "ingests")
        return [store.connection.execute(f"SELECT * FROM {table} ORDER BY ALL").fetchall() for table in tables]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_bad_input_is_said_and_changes_nothing(
    case: Case, before: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copy(before, tmp_path)
    case.make(tmp_path)
    if not (tmp_path / "map.toml").exists():
        (tmp_path / "map.toml").write_text(MAP, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    was = (tmp_path / "relkit.duckdb").read_bytes()
    code = typed(*case.words)
    printed = capsys.readouterr()
    said = printed.out + printed.err
    assert [part for part in case.says if part not in said] == []
    assert "Traceback" not in said
    if case.kept:
        assert code == 0
        assert len(content(tmp_path / "relkit.duckdb")[0]) == 1 + max(0, case.kept)
    else:
        assert code == 1
        assert printed.out == ""
        assert all(line.startswith("relkit: ") for line in printed.err.splitlines())
        if (tmp_path / "relkit.duckdb").read_bytes() != was:
            assert content(tmp_path / "relkit.duckdb") == content(before)


def test_no_message_says_one_of_several(before: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    log(HEAD + f"{STAMP},0,5\n")(tmp_path)
    shutil.copy(before, tmp_path)
    words = ["ingest", str(tmp_path / "log.csv"), "--as", "attempts", "--map", str(tmp_path / "map.toml")]
    assert typed(*words, "--database", str(tmp_path / "relkit.duckdb")) == 1
    assert not re.search(r"\b1 \w+s\b", capsys.readouterr().err)


@pytest.mark.parametrize(
    ("zone", "hour", "noted"), [("Europe/Berlin", "02", True), ("Europe/Berlin", "04", False), ("UTC", "02", False)]
)
def test_the_hour_that_a_clock_shows_twice_is_noted(workshop: Any, zone: str, hour: str, noted: bool) -> None:
    rows = "".join(f"2026-10-25 {hour}:{minute:02d}:00,200,5\n" for minute in range(0, 60, 10))
    outcome = workshop.ingest(HEAD + rows, MAP.replace('"ts"', f'"ts"\nzone = "{zone}"'))
    assert outcome.kept == 6
    assert bool(outcome.notes) == noted
    if noted:
        assert outcome.notes[0].startswith(
            "6 rows in the hour from 2026-10-25 02:00 that the clock of Europe/Berlin shows twice"
        )


def test_a_log_read_with_a_wrong_mapping_is_taken_back(workshop: Any) -> None:
    """As if it had never come: tables, fingerprints, ledger and data hash; then the right mapping reads it."""
    workshop.ingest(HEAD + f"{STAMP},200,5\n", MAP.replace('"web"', '"first"'), "first.csv")
    was, digest = workshop.content(), data_hash(workshop.store)
    lines = HEAD + f"{STAMP},500,5\n{STAMP},0,7\n"
    workshop.ingest(lines, MAP.replace('unit = "ms"', 'unit = "s"'))
    with pytest.raises(DataError, match="relkit forget web"):
        workshop.ingest(lines)
    assert forget_source(workshop.store, "web") == 1
    assert (workshop.content(), data_hash(workshop.store)) == (was, digest)
    assert workshop.ingest(lines).kept == 1
    with pytest.raises(DataError, match="did you mean 'web'"):
        forget_source(workshop.store, "wep")
