"""A column of attempts is stored once a log fills it; the view always shows them all."""

from pathlib import Path

import pytest
from duckdb import DuckDBPyConnection

from relkit.batch import Batch
from relkit.store import ingest_file, open_store, sink_into
from relkit.store.attempts import TABLE, VIEW, stored_table
from relkit.store.ingest.mapping import parse_mapping

MAPPING = """
kind = "attempts"
source = "web"
[time]
column = "ts"
[columns]
status = "status"
model = "model"
request_id = "id"
"""
ALL = 29


def columns(connection: DuckDBPyConnection, table: str) -> set[str]:
    rows = connection.execute("SELECT column_name FROM duckdb_columns() WHERE table_name = ?", [table]).fetchall()
    return {name for (name,) in rows}


def log(path: Path, *rows: str, end: str = "\n") -> Path:
    path.write_text("ts,status,model,id\n" + "\n".join(rows) + end, encoding="utf-8")
    return path


def test_only_what_a_log_fills_is_stored(tmp_path: Path) -> None:
    """The log names no model and no try: neither column is in the table, and the view has a value for both."""
    path = log(tmp_path / "a.csv", "2026-11-16T08:00:00Z,200,,a", "2026-11-16T08:00:01Z,503,,b")
    with open_store(tmp_path / "r.duckdb", write=True) as store:
        ingest_file(store, path, parse_mapping(MAPPING))
        assert columns(store.connection, TABLE) == {
            "ts",
            "latency_us",
            "ok",
            "status",
            "fp",
            "ingest_id",
            "line_hash",
            "request_id",
        }
        assert len(columns(store.connection, VIEW)) == ALL
        found = store.connection.execute(
            "SELECT model, attempt, role, ended, granularity, source FROM attempts ORDER BY ts"
        ).fetchall()
    assert found == [(None, 1, "user", True, "request", "web")] * 2


def test_a_later_log_adds_columns_and_older_rows_keep_the_default(tmp_path: Path) -> None:
    path = log(tmp_path / "a.csv", "2026-11-16T08:00:00Z,200,,a")
    with open_store(tmp_path / "r.duckdb", write=True) as store:
        ingest_file(store, path, parse_mapping(MAPPING))
        with sink_into(store, "other", "x") as sink:
            sink(Batch("attempts", {"ts": [1], "role": ["shadow"], "attempt": [3], "ended": [False], "tokens_in": [7]}))
            sink(Batch("attempts", {"ts": [2], "model": ["m"]}))
        found = store.connection.execute(
            "SELECT source, role, attempt, ended, tokens_in, model FROM attempts ORDER BY source DESC, ts"
        ).fetchall()
    assert found == [
        ("web", "user", 1, True, None, None),
        ("other", "shadow", 3, False, 7, None),
        ("other", "user", 1, True, None, "m"),
    ]


@pytest.mark.parametrize("tail", ["2026-11-16T08:00:02Z,20", "2026-11-16T08:00:02Z,200,,c"])
def test_a_column_may_come_while_an_unfinished_line_is_settled(tmp_path: Path, tail: str) -> None:
    """Rows are taken back and a column is added in one transaction."""
    first = "2026-11-16T08:00:00Z,200,,a"
    path = log(tmp_path / "a.csv", first, tail, end="")
    with open_store(tmp_path / "r.duckdb", write=True) as store:
        ingest_file(store, path, parse_mapping(MAPPING))
        log(path, first, "2026-11-16T08:00:02Z,200,,cc", "2026-11-16T08:00:03Z,200,m,d")
        ingest_file(store, path, parse_mapping(MAPPING))
        assert store.connection.execute("SELECT request_id, model FROM attempts ORDER BY ts").fetchall() == [
            ("a", None),
            ("cc", None),
            ("d", "m"),
        ]


def test_rows_are_read_through_the_view_and_written_to_the_table() -> None:
    assert (stored_table(VIEW), stored_table("pairs")) == (TABLE, "pairs")
