"""Pseudonyms of ids: two people stay two, one stays one, whoever has the database alone learns nothing."""

import shutil
import stat
from pathlib import Path

import pytest
from workshop import Workshop

from relkit.batch import Batch
from relkit.errors.redact import pseudonym
from relkit.exceptions import DataError, StoreError
from relkit.store import open_store, sink_into
from relkit.store.ingest.load import ingest_file
from relkit.store.ingest.mapping import parse_mapping
from relkit.store.keys import key_file_of, read_key

TOML = """
kind = "attempts"
source = "web"
[time]
column = "ts"
[columns]
request_id = "id"
session_id = "who"
status = "status"
"""
HEAD = "ts,id,who,status\n"
ROWS = [
    "2026-11-16T08:00:00Z,req-1,jane@example.org,200\n",
    "2026-11-16T08:00:01Z,req-2,bob@example.org,503\n",
    "2026-11-16T08:00:02Z,req-3,jane@example.org,200\n",
    "2026-11-16T08:00:03Z,mail carl@example.org,session-9,200\n",
    "2026-11-16T08:00:04Z,mail dora@example.org,session-9,200\n",
]


def ids(workshop: Workshop) -> list[tuple[str, str]]:
    return workshop.rows("SELECT request_id, session_id FROM attempts ORDER BY ts")


def test_people_stay_apart_and_plain_ids_stay_as_they_are(workshop: Workshop) -> None:
    assert workshop.ingest(HEAD + "".join(ROWS), TOML).kept == 5
    (one, jane), (two, bob), (three, again), (carl, _), (dora, plain) = ids(workshop)
    assert (one, two, three, plain) == ("req-1", "req-2", "req-3", "session-9")
    assert jane == again != bob
    assert carl != dora


def test_a_pseudonym_is_pythons_own_under_the_key_of_the_file(workshop: Workshop) -> None:
    workshop.ingest(HEAD + "".join(ROWS), TOML)
    key = read_key(workshop.store.path)
    assert key is not None
    assert ids(workshop)[0][1] == pseudonym("jane@example.org", key)
    assert ids(workshop)[3][0] == pseudonym("mail carl@example.org", key)


def test_long_ids_that_would_be_cut_alike_stay_apart(workshop: Workshop) -> None:
    long = "x" * 5_000
    workshop.ingest(HEAD + f"2026-11-16T08:00:00Z,{long}1,,200\n2026-11-16T08:00:01Z,{long}2,,200\n", TOML)
    assert len(set(workshop.column("SELECT request_id FROM attempts"))) == 2


def test_the_same_log_and_a_grown_one_add_only_what_is_new(workshop: Workshop) -> None:
    workshop.ingest(HEAD + "".join(ROWS[:3]), TOML)
    with_more = HEAD + "".join(ROWS)
    assert workshop.ingest(with_more, TOML, "grown.csv").kept == 2
    shuffled = HEAD + "".join(reversed(ROWS))
    assert workshop.ingest(shuffled, TOML, "other.csv").already_there == 5


def test_a_second_run_uses_the_key_of_the_first(workshop: Workshop, tmp_path: Path) -> None:
    workshop.ingest(HEAD + "".join(ROWS[:2]), TOML)
    before = ids(workshop)
    workshop.store.connection.close()
    (tmp_path / "more.csv").write_text(HEAD + ROWS[2])
    with open_store(tmp_path / "log.duckdb", write=True) as store:
        ingest_file(store, tmp_path / "more.csv", parse_mapping(TOML))
        found = store.connection.execute("SELECT session_id FROM attempts ORDER BY ts").fetchall()
    assert found == [(before[0][1],), (before[1][1],), (before[0][1],)]


def test_two_databases_have_different_keys(workshop: Workshop, tmp_path: Path, empty_database: Path) -> None:
    workshop.ingest(HEAD + ROWS[0], TOML)
    folder = tmp_path / "other"
    folder.mkdir()
    shutil.copy(empty_database, folder)
    with open_store(folder / "log.duckdb", write=True) as store:
        other = Workshop(folder, store)
        other.ingest(HEAD + ROWS[0], TOML)
        assert ids(other)[0][1] != ids(workshop)[0][1]
    assert read_key(folder / "log.duckdb") != read_key(workshop.store.path)


def test_the_key_lies_beside_the_database_for_its_owner_alone(workshop: Workshop) -> None:
    workshop.ingest(HEAD + "2026-11-16T08:00:00Z,req-1,session-1,200\n", TOML)
    assert not key_file_of(workshop.store.path).exists()  # nobody is named: no key is needed
    workshop.ingest(HEAD + ROWS[0], TOML, "second.csv")
    place, key = key_file_of(workshop.store.path), read_key(workshop.store.path)
    assert stat.S_IMODE(place.stat().st_mode) == 0o600
    assert key is not None
    workshop.store.connection.execute("CHECKPOINT")
    content = workshop.store.path.read_bytes()
    assert key not in content
    assert key.hex().encode() not in content


def test_without_its_key_a_database_takes_no_more_people_and_still_takes_other_rows(workshop: Workshop) -> None:
    workshop.ingest(HEAD + ROWS[0], TOML)
    workshop.store.connection.close()
    key_file_of(workshop.store.path).unlink()
    place = workshop.folder / "next.csv"
    with open_store(workshop.store.path, write=True) as store:
        place.write_text(HEAD + ROWS[1])
        with pytest.raises(DataError, match=r"key that hides them is gone.*nothing of it was stored"):
            ingest_file(store, place, parse_mapping(TOML))
        place.write_text(HEAD + "2026-11-16T09:00:00Z,req-9,session-9,200\n")
        assert ingest_file(store, place, parse_mapping(TOML)).kept == 1


def test_another_databases_key_is_not_used(workshop: Workshop) -> None:
    workshop.ingest(HEAD + ROWS[0], TOML)
    workshop.store.connection.close()
    key_file_of(workshop.store.path).write_text("ab" * 32)
    place = workshop.write(HEAD + ROWS[1], "next.csv")
    with open_store(workshop.store.path, write=True) as store, pytest.raises(DataError, match="another database's"):
        ingest_file(store, place, parse_mapping(TOML))


@pytest.mark.parametrize("content", ["", "no key", "abcd", "ab" * 33])
def test_a_key_file_that_holds_no_key_is_refused(workshop: Workshop, content: str) -> None:
    workshop.store.connection.close()
    key_file_of(workshop.store.path).write_text(content)
    with (
        pytest.raises(StoreError, match="put the database's own key file there"),
        open_store(workshop.store.path, write=True),
    ):
        pass


def test_sinks_hide_people_too(workshop: Workshop) -> None:
    columns = {
        "attempt": [1, 1], "ended": [True] * 2, "ok": [True] * 2, "role": ["user"] * 2, "granularity": ["request"] * 2,
        "session_id": ["jane@example.org", "bob@example.org"],
    }  # fmt: skip
    with sink_into(workshop.store, "sink", "test") as sink:
        sink(Batch("attempts", columns))
    key = read_key(workshop.store.path)
    assert key is not None
    assert workshop.column("SELECT session_id FROM attempts") == [
        pseudonym(f"{who}@example.org", key) for who in ("jane", "bob")
    ]
