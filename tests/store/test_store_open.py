"""Opening: readers beside readers, one writer, and a message that names whoever is in the way."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb
import pytest

from relkit.exceptions import StoreError
from relkit.store import open_store

HOLD = """
import sys
from relkit.store import open_store
with open_store(sys.argv[1], write=sys.argv[2] == "write"):
    print("open", flush=True)
    sys.stdin.readline()
"""


@pytest.fixture
def database(tmp_path: Path) -> Path:
    path = tmp_path / "log.duckdb"
    with open_store(path, write=True):
        pass
    return path


@contextmanager
def held(database: Path, how: str) -> Iterator[subprocess.Popen[str]]:
    """Let another process hold the database open for the length of a `with`."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(database), how], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        assert process.stdout.readline() == "open\n"
        yield process
    finally:
        process.stdin.close()
        process.wait(30)
        process.stdout.close()


def test_readers_stand_beside_readers(database: Path) -> None:
    with held(database, "read"), open_store(database, wait_s=0) as one, open_store(database, wait_s=0) as two:
        assert one.connection.execute("SELECT count(*) FROM attempts").fetchone() == (0,)
        assert two.connection.execute("SELECT count(*) FROM attempts").fetchone() == (0,)


@pytest.mark.parametrize(("holder", "writes"), [("read", True), ("write", True), ("write", False)])
def test_who_is_in_the_way_is_named_with_process_and_command(database: Path, holder: str, writes: bool) -> None:
    """A writer waits for a reader or writer, a reader for a writer; then it says who, and what to do."""
    with held(database, holder) as process:
        began = time.monotonic()
        with (
            pytest.raises(StoreError, match=r"locked by process [0-9]+ ") as caught,
            open_store(database, write=writes, wait_s=0.5),
        ):
            pass
        assert time.monotonic() - began >= 0.5
    said = str(caught.value)
    assert f"process {process.pid} (" in said
    assert Path(sys.executable).name in said
    assert "Shut Down Kernel" in said
    with open_store(database, write=writes, wait_s=0):
        pass


def test_a_writer_that_waits_gets_in_when_the_other_leaves(database: Path) -> None:
    with held(database, "write") as process:
        assert process.stdin is not None
        subprocess.Popen([sys.executable, "-c", f"import os, time; time.sleep(0.5); os.kill({process.pid}, 15)"])
        with open_store(database, write=True, wait_s=20) as store:
            assert store.connection.execute("SELECT count(*) FROM attempts").fetchone() == (0,)


def test_the_same_process_cannot_read_and_write_at_once(database: Path) -> None:
    with (
        open_store(database),
        pytest.raises(StoreError, match="this process holds the database open in another mode; close it"),
        open_store(database, write=True),
    ):
        pass


def test_an_absent_database_is_no_database(tmp_path: Path) -> None:
    with (
        pytest.raises(StoreError, match="no such database; `relkit ingest FILE --as attempts"),
        open_store(tmp_path / "none.duckdb"),
    ):
        pass
    with (
        pytest.raises(StoreError, match="no such folder; make it first"),
        open_store(tmp_path / "a" / "b.duckdb", write=True),
    ):
        pass
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("write", [False, True])
@pytest.mark.parametrize("content", [b"ts,status\n1,2\n", b"x" * 20_000, b"SQLite format 3\0" + b"\0" * 5000])
def test_a_file_that_is_no_database_is_refused_and_left_alone(tmp_path: Path, content: bytes, write: bool) -> None:
    path = tmp_path / "log.duckdb"
    path.write_bytes(content)
    with pytest.raises(StoreError, match=r"log\.duckdb: cannot be opened"), open_store(path, write=write, wait_s=0):
        pass
    assert path.read_bytes() == content


@pytest.mark.parametrize("write", [False, True])
@pytest.mark.parametrize(
    "tables",
    [
        "CREATE TABLE theirs (x INT)",
        "CREATE TABLE meta (name VARCHAR, x INT)",
        "CREATE TABLE meta (key VARCHAR, value VARCHAR)",
    ],
)
def test_somebody_elses_database_is_refused(tmp_path: Path, tables: str, write: bool) -> None:
    path = tmp_path / "theirs.duckdb"
    with duckdb.connect(str(path)) as connection:
        connection.execute(tables)
    with (
        pytest.raises(StoreError, match="is a DuckDB file but no relkit database; name another file"),
        open_store(path, write=write),
    ):
        pass
    with duckdb.connect(str(path), read_only=True) as connection:
        assert connection.execute("SELECT count(*) FROM duckdb_tables()").fetchone() == (1,)


def test_a_damaged_database_is_refused(database: Path) -> None:
    content = bytearray(database.read_bytes())
    content[4096:8192] = b"\xff" * 4096
    database.write_bytes(content)
    with pytest.raises(StoreError, match="cannot be"), open_store(database):
        pass


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_cannot_be_written(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with pytest.raises(StoreError, match="cannot be opened"), open_store(tmp_path / "log.duckdb", write=True, wait_s=0):
        pass


def test_a_reader_needs_no_writable_folder(database: Path) -> None:
    """Nothing is written beside the database, not even for a query that spills."""
    database.chmod(0o400)
    database.parent.chmod(0o500)
    try:
        with open_store(database) as store:
            assert store.connection.execute("SELECT count(*) FROM attempts").fetchone() == (0,)
        assert [path.name for path in database.parent.iterdir()] == [database.name]
    finally:
        database.parent.chmod(0o700)


@pytest.mark.parametrize("text", ["0", "two", "-1", "1.5", ""])
def test_a_number_of_threads_that_is_none_is_refused(
    database: Path, monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    monkeypatch.setenv("RELKIT_THREADS", text)
    with (
        pytest.raises(StoreError, match="is no number of threads; set a whole number of at least 1"),
        open_store(database),
    ):
        pass


def test_threads_are_one_unless_asked_for(database: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def threads(asked: int | None = None) -> object:
        with open_store(database, threads=asked) as store:
            return store.connection.execute("SELECT current_setting('threads')").fetchone()

    monkeypatch.delenv("RELKIT_THREADS", raising=False)
    assert threads() == (1,)
    assert threads(3) == (3,)
    monkeypatch.setenv("RELKIT_THREADS", "2")
    assert threads() == (2,)


def test_no_progress_bar_is_written_into_a_page(database: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A kernel's connections begin with the bar on."""
    connect = duckdb.connect

    def as_in_a_kernel(*words: object, **settings: object) -> duckdb.DuckDBPyConnection:
        connection = connect(*words, **settings)  # type: ignore[arg-type]
        connection.execute("SET enable_progress_bar = true")
        return connection

    monkeypatch.setattr(duckdb, "connect", as_in_a_kernel)
    with open_store(database) as store:
        assert store.connection.execute("SELECT current_setting('enable_progress_bar')").fetchone() == (False,)


def test_the_connection_is_closed_when_the_with_is_left(database: Path) -> None:
    with open_store(database) as store:
        pass
    with pytest.raises(duckdb.ConnectionException):
        store.connection.execute("SELECT 1")
    with pytest.raises(RuntimeError), open_store(database) as store:
        raise RuntimeError
    with pytest.raises(duckdb.ConnectionException):
        store.connection.execute("SELECT 1")
    assert database.exists()


def test_a_database_in_which_nothing_was_stored_is_not_left_behind_by_a_failure(tmp_path: Path) -> None:
    path = tmp_path / "new.duckdb"
    with pytest.raises(RuntimeError), open_store(path, write=True):
        raise RuntimeError
    assert list(tmp_path.iterdir()) == []
