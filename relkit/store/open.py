"""Opening the database: readers beside readers, one writer, and a name for whoever is in the way."""

import os
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import duckdb

from relkit.errors import RuleSet, redact_text
from relkit.exceptions import RelkitError, StoreError, StoreLockedError
from relkit.scratch import process_folder
from relkit.store.keys import lend_key
from relkit.store.migrate import migrate

LOCK_WAIT_S: Final = 10.0
# What a large log needs beyond it goes to disk. Two notebooks read at once, so that a report stays below 2 GB.
READER_MEMORY: Final = "400MB"
WRITER_MEMORY: Final = "1GB"
_HEADER_BYTES: Final = 12_288  # three blocks of 4 KiB, written before anything else
_HOLDER: Final = re.compile(r"PID ([0-9]+)")
_NO_ROOM: Final = re.compile(r"No space left on device|File too large|Disk quota exceeded")
_NAMED_FILE: Final = re.compile(r'file "([^"]+)"')


@dataclass(frozen=True, slots=True)
class Store:
    """An open database; lives no longer than its `with`.

    Parameters
    ----------
    path : Path
        The file.
    connection : duckdb.DuckDBPyConnection
        For this package's readings and sinks only.
    rules : RuleSet or None
        What its readings classify errors with; None for relkit's own table.
    """

    path: Path
    connection: duckdb.DuckDBPyConnection
    rules: RuleSet | None = None


@contextmanager
def open_store(
    path: str | Path,
    *,
    write: bool = False,
    rules: RuleSet | None = None,
    threads: int | None = None,
    wait_s: float = LOCK_WAIT_S,
) -> Iterator[Store]:
    """Open a relkit database for the length of a `with`.

    Parameters
    ----------
    path : str or Path
        The database file; created when `write` and absent.
    write : bool
        Readers stand beside readers; a writer is alone.
    rules : RuleSet, optional
        What readings classify errors with; default: relkit's own table.
    threads : int, optional
        DuckDB threads; default RELKIT_THREADS or 1. Readings give the same bytes at any number.
    wait_s : float
        Seconds to wait for a lock before giving up.

    Yields
    ------
    Store

    Raises
    ------
    StoreError
        Absent, locked (names the process), from a newer relkit, or no database; or the disk is full.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder, open_store(f"{folder}/log.duckdb", write=True) as store:
    ...     store.connection.execute("SELECT count(*) FROM attempts").fetchone()
    (0,)
    """
    place = Path(path)
    if not write and not place.exists():
        raise StoreError(f"{place}: no such database; `relkit ingest FILE --as attempts --database {place}` makes one")
    if write and not place.parent.is_dir():
        raise StoreError(f"{place.parent}: no such folder; make it first")
    was_there = place.exists()
    is_new = False
    connection = _connect(place, write=write, threads=threads or _threads_asked(), wait_s=wait_s)
    try:
        is_new = not was_there and not _has_tables(connection)  # else another one made it while we waited
        migrate(connection, place, may_write=write)
        if write:
            lend_key(connection, place)
        yield Store(place, connection, rules)
    except BaseException as error:
        if is_new and _is_empty(connection):
            _remove_bare(connection, place)
        if isinstance(error, duckdb.Error) and has_no_room(error):
            raise StoreError(_full(place, str(error))) from None
        raise
    finally:
        connection.close()


def has_no_room(error: duckdb.Error) -> bool:
    """Say whether DuckDB failed for want of room on a disk: full, quota used up, or files limited in size."""
    return bool(_NO_ROOM.search(str(error)))


def _full(place: Path, text: str) -> str:
    named = _NAMED_FILE.search(text)
    where = Path(named[1]) if named else place
    what = (_NO_ROOM.search(text) or [""])[0].lower()
    remedy = (
        "free some space" if where.name.startswith(place.name) else "free some space, or set TMPDIR to a disk with more"
    )
    return f"{where}: cannot be written ({what}); the database is as it was before; {remedy} and run again"


def _remove_bare(connection: duckdb.DuckDBPyConnection, place: Path) -> None:
    """Leave no database behind that was not there before; while it is still locked, so that it is nobody else's."""
    with suppress(duckdb.Error):
        connection.execute("CHECKPOINT")  # else closing would do it, and remove the log of who comes next
    place.unlink(missing_ok=True)
    place.with_name(f"{place.name}.wal").unlink(missing_ok=True)


def _has_tables(connection: duckdb.DuckDBPyConnection) -> bool:
    return connection.execute("SELECT 1 FROM duckdb_tables() LIMIT 1").fetchone() is not None


def _is_empty(connection: duckdb.DuckDBPyConnection) -> bool:
    try:
        return connection.execute("SELECT 1 FROM ingests LIMIT 1").fetchone() is None
    except duckdb.Error:
        return True


def _threads_asked() -> int:
    text = os.environ.get("RELKIT_THREADS", "1")
    if not text.isdigit() or int(text) < 1:
        raise StoreError(f"RELKIT_THREADS = {text!r} is no number of threads; set a whole number of at least 1")
    return int(text)


def _connect(place: Path, *, write: bool, threads: int, wait_s: float) -> duckdb.DuckDBPyConnection:
    # Nothing may be fetched from a network.
    spill = _spill_folder()
    config: dict[str, str | bool | int | float | list[str]] = {
        "threads": str(threads),
        "temp_directory": spill,
        "autoinstall_known_extensions": "false",
        "TimeZone": "UTC",
    }
    if spill:
        config["memory_limit"] = WRITER_MEMORY if write else READER_MEMORY
    if place.is_file() and place.stat().st_size and not _has_magic(place):
        # DuckDB would read a CSV or Parquet file as a database in memory, and rows written there would be gone
        raise StoreError(
            f"{place}: cannot be opened: it is no DuckDB database. Is this the log, and the database another file?"
        )
    give_up = time.monotonic() + wait_s
    while True:
        try:
            connection = duckdb.connect(str(place), read_only=not write, config=config)
            if place.exists():
                _silence(connection)
                return connection
            connection.close()  # removed between being opened and being locked, by who had made it in vain
        except duckdb.ConnectionException as error:
            raise StoreLockedError(
                f"{place}: this process holds the database open in another mode; close it first (leave the `with`): {error}"
            ) from None
        except duckdb.IOException as error:
            text = str(error)
            if _NO_ROOM.search(text):
                raise StoreError(_full(place, text)) from None
            if "lock" not in text.lower() and not (_is_being_made(place) and time.monotonic() < give_up):
                raise StoreError(f"{place}: cannot be opened: {_first_line(text)}") from None
            if time.monotonic() >= give_up:
                raise StoreLockedError(_locked(place, text, wait_s)) from None
            time.sleep(0.2)
        except duckdb.Error as error:
            raise StoreError(f"{place}: cannot be opened as a relkit database: {_first_line(str(error))}") from None


def _is_being_made(place: Path) -> bool:
    """Another process is writing the three blocks a database begins with, or has just removed what it made in vain."""
    try:
        return place.stat().st_size < _HEADER_BYTES
    except FileNotFoundError:
        return True


def _silence(connection: duckdb.DuckDBPyConnection) -> None:
    """Turn the progress bar off where it is on: a kernel has it, and a query of two seconds would write it into the page."""
    if connection.execute("SELECT current_setting('enable_progress_bar')").fetchone() == (True,):
        connection.execute("SET enable_progress_bar = false")


def _spill_folder() -> str:
    """Beside the database, spilling would fail on a read-only checkout, and what a killed process spilled would stay."""
    try:
        return str(process_folder() / "spill")
    except (OSError, RelkitError):
        return ""  # reading needs no writable folder: DuckDB then keeps everything in memory


def _has_magic(place: Path) -> bool:
    try:
        with place.open("rb") as stream:
            return stream.read(12)[8:] == b"DUCK"
    except OSError:
        return True  # what hinders reading is for DuckDB to say


def _locked(place: Path, text: str, wait_s: float) -> str:
    found = _HOLDER.search(text)
    if not found:
        return f"{place}: locked by another process for {wait_s:.0f} s; close it there and run again"
    pid = found.group(1)
    try:
        words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
        # its words may hold a password; cut afterwards, because half a secret would not be known for one
        name = redact_text(" ".join(word.decode(errors="replace") for word in words if word))[:160]
    except OSError:
        name = ""
    who = f"process {pid}" + (f" ({name})" if name else "")
    return f"{place}: locked by {who} for more than {wait_s:.0f} s; wait for it, or close it there (a JupyterLab kernel: Shut Down Kernel), and run again"


def _first_line(text: str) -> str:
    return text.strip().split("\n", 1)[0]
