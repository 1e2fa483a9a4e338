"""Schema versions: every earlier file opens and reads; a step forward keeps a copy and is whole or not at all."""

import gzip
import shutil
from pathlib import Path

import duckdb
import pytest

from relkit.exceptions import StoreError
from relkit.period import period_of
from relkit.slo import Objective
from relkit.store import last_choice, migrate, open_store, readings
from relkit.store.migrate import SCHEMA_VERSION

FILES = Path(__file__).parent / "files"
WEEK = period_of("2026-W47")


@pytest.fixture
def database(tmp_path: Path) -> Path:
    path = tmp_path / "log.duckdb"
    with open_store(path, write=True) as store:
        store.connection.execute("INSERT INTO labels VALUES (1, 'UNKNOWN', 'me', 0)")
    return path


@pytest.mark.parametrize("stored", sorted(FILES.glob("schema*.duckdb.gz")), ids=lambda path: path.name)
@pytest.mark.parametrize("write", [False, True])
def test_a_stored_file_of_every_version_opens_and_reads(tmp_path: Path, stored: Path, write: bool) -> None:
    path = tmp_path / "old.duckdb"
    path.write_bytes(gzip.decompress(stored.read_bytes()))
    with open_store(path, write=True):  # moves it forward where it must
        pass
    with open_store(path, write=write) as store:
        span = readings.log_span(store, WEEK)
        assert (span.requests, span.pairs, span.probes, span.rejects) == (4, 3, 1, 1)
        totals = readings.minutes(store, WEEK, Objective("availability", "0.99")).totals
        assert (totals.good, totals.bad) == (2, 2)
        assert {row.signals.message for row in readings.fingerprint_counts(store, WEEK).rows} == {
            "upstream overloaded",
            "rate limit",
        }
        assert readings.experiment(store, WEEK, "x").counts.n == 3


def test_a_choice_of_schema_1_has_no_settings_and_a_later_one_keeps_them(tmp_path: Path) -> None:
    kept = {}
    for version in (1, 2):
        path = tmp_path / f"{version}.duckdb"
        path.write_bytes(gzip.decompress((FILES / f"schema{version}.duckdb.gz").read_bytes()))
        if version == 1:
            with duckdb.connect(str(path)) as connection:
                connection.execute("INSERT INTO choices VALUES ('tune@c', 'p', 'RECOMMENDED', 'Set this.', 0)")
        with open_store(path, write=True) as store:
            last = last_choice(store)
        assert last is not None
        kept[version] = (last.sentence, last.settings)
    assert kept[1] == ("Set this.", None)
    assert kept[2][0] == "Set this."
    assert "pybreaker" in str(kept[2][1])


def test_there_is_a_stored_file_of_every_version() -> None:
    assert {path.name for path in FILES.glob("*.gz")} >= {
        f"schema{version}.duckdb.gz" for version in range(1, SCHEMA_VERSION + 1)
    }


@pytest.mark.parametrize("write", [False, True])
def test_a_newer_schema_is_refused_by_readers_and_writers(database: Path, write: bool) -> None:
    with duckdb.connect(str(database)) as connection:
        connection.execute(f"UPDATE meta SET value = '{SCHEMA_VERSION + 1}'")
    with (
        pytest.raises(
            StoreError,
            match=rf"written by a newer relkit \(schema {SCHEMA_VERSION + 1}, this one knows {SCHEMA_VERSION}\); upgrade relkit",
        ),
        open_store(database, write=write),
    ):
        pass


def step(monkeypatch: pytest.MonkeyPatch, sql: str) -> None:
    monkeypatch.setattr(migrate, "SCHEMA_VERSION", SCHEMA_VERSION + 1)
    monkeypatch.setattr(migrate, "STEPS", {**migrate.STEPS, SCHEMA_VERSION: sql})


def test_a_step_forward_keeps_a_copy_of_the_old_file(database: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    step(monkeypatch, "ALTER TABLE labels ADD COLUMN why VARCHAR DEFAULT 'none'; CREATE TABLE added (x INTEGER)")
    with open_store(database, write=True) as store:
        assert store.connection.execute("SELECT why FROM labels").fetchall() == [("none",)]
        assert store.connection.execute("SELECT value FROM meta").fetchall() == [(str(SCHEMA_VERSION + 1),)]
    copy = database.with_name(f"log.schema{SCHEMA_VERSION}.duckdb")
    assert sorted(path.name for path in database.parent.iterdir()) == sorted([database.name, copy.name])
    monkeypatch.undo()
    with open_store(copy) as store:
        assert store.connection.execute("SELECT * FROM labels").fetchall() == [(1, "UNKNOWN", "me", 0)]


def test_a_reader_does_not_move_a_file_and_says_who_does(database: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = database.read_bytes()
    step(monkeypatch, "CREATE TABLE added (x INTEGER)")
    with (
        pytest.raises(
            StoreError,
            match=rf"has schema {SCHEMA_VERSION}, this relkit reads {SCHEMA_VERSION + 1}; the next `relkit ingest`",
        ),
        open_store(database),
    ):
        pass
    assert database.read_bytes() == before


def test_a_step_that_fails_leaves_the_old_file(database: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The steps are one transaction: what the first half did is undone."""
    step(monkeypatch, "CREATE TABLE added (x INTEGER); UPDATE labels SET kind = 'gone'; SELECT * FROM no_such_table")
    with (
        pytest.raises(StoreError, match=r"could not be moved from schema .*no_such_table.*; nothing was changed"),
        open_store(database, write=True),
    ):
        pass
    monkeypatch.undo()
    with open_store(database) as store:
        assert store.connection.execute("SELECT * FROM labels").fetchall() == [(1, "UNKNOWN", "me", 0)]
        assert store.connection.execute(
            "SELECT count(*) FROM duckdb_tables() WHERE table_name = 'added'"
        ).fetchone() == (0,)


def test_without_a_copy_nothing_moves(database: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    step(monkeypatch, "CREATE TABLE added (x INTEGER)")
    monkeypatch.setattr(shutil, "copy2", full)
    with (
        pytest.raises(
            StoreError, match=r"no copy of the schema .* could be kept \(No space left on device\), so it was not moved"
        ),
        open_store(database, write=True),
    ):
        pass
    monkeypatch.undo()
    with open_store(database) as store:
        assert store.connection.execute(
            "SELECT count(*) FROM duckdb_tables() WHERE table_name = 'added'"
        ).fetchone() == (0,)
