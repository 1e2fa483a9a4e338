"""Following a journal: what its writers add to a folder comes into the database within seconds, for hours.

The database is held for a short transaction at a time, so that notebooks and reports get in between, and nothing of the
folder is held at all. How far each file was read stands in the ledger, in the same transaction as its rows: a follower
that was killed goes on where it stopped. A database that somebody else holds is waited for.
"""

import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final, TypeAlias, TypeVar

from duckdb import DuckDBPyConnection

from relkit.exceptions import StoreLockedError
from relkit.store.journal_files import JournalFile, files_in, lines_after, prefixes_of
from relkit.store.journal_landing import (
    KIND,
    Part,
    attempt_columns,
    columns_of_large_table,
    part_of,
    store_part,
    widen,
)
from relkit.store.open import open_store
from relkit.units import several

STORING_S: Final = 0.05
"""How long a transaction should take; the number of lines is fitted to it. Opening and closing come on top."""
EVERY_S: Final = 1.0
_RETRY_S: Final = 0.25
_FEWEST: Final = 500
_MOST: Final = 4_000
_FIRST: Final = 1_000
T = TypeVar("T")
_Stored: TypeAlias = tuple[int, dict[str, int]]


@dataclass(frozen=True, slots=True)
class Landed:
    """What one transaction stored: read = kept + rejected + already there.

    Parameters
    ----------
    kept : dict of str to int
        New rows by table.
    read, rejected, already_there, left_out : int
        Lines; those left out are of no table, such as the application's own.
    files : int
        Files they came from.
    held_s : float
        How long the database was held, opening and closing included, seconds.
    """

    kept: dict[str, int]
    read: int
    rejected: int
    already_there: int
    left_out: int
    files: int
    held_s: float


class Follower:
    """Takes what the writers of a folder add.

    Parameters
    ----------
    folder : Path
        Of a journal, or of several.
    database : Path
        Made when absent.
    notice : callable
        Told in a sentence when the database is held by somebody else, and when it is free again.
    wait : callable
        Waits so many seconds.
    """

    def __init__(
        self,
        folder: Path,
        database: Path,
        *,
        notice: Callable[[str], None] = lambda text: None,
        wait: Callable[[float], None] = time.sleep,
    ) -> None:
        self._folder = folder
        self._database = database
        self._notice = notice
        self._wait = wait
        self._files: dict[tuple[int, int], JournalFile] = {}
        self._mark: tuple[int, ...] | None = None
        self._entries: list[tuple[int, str, str, int, int, str]] = []
        self._columns: set[str] | None = None
        self._most = _FIRST

    def landings(self, *, once: bool = False) -> Iterator[Landed]:
        """Store what is there, transaction by transaction, and then what comes, for ever.

        Parameters
        ----------
        once : bool
            End when nothing more is there.

        Raises
        ------
        DataError
            The folder cannot be read.
        StoreError
            The database cannot be opened for another reason than that somebody holds it.
        """
        while True:
            parts = self._parts()
            if parts:
                landed = self._land(parts)
                if landed is not None:
                    yield landed
            elif once:
                return
            else:
                self._wait(EVERY_S)

    def _parts(self) -> list[Part]:
        """Read the next lines, oldest files first."""
        if self._mark is None:
            self._look_up()
        listed = files_in(self._folder)
        for key in [key for key in self._files if key not in listed]:
            del self._files[key]
        parts: list[Part] = []
        left = self._most
        for key, (path, size) in listed.items():
            try:
                file = self._file(key, path, size)
                lines = lines_after(file, left) if size > file.offset and left > 0 else []
            except FileNotFoundError:  # renamed since it was listed: it comes with its new name
                continue
            if lines:
                parts.append(part_of(file, lines))
                left -= len(lines)
        return parts

    def _file(self, key: tuple[int, int], path: Path, size: int) -> JournalFile:
        """Return what is known of a file, by the file system or by its content in the ledger; of one cut back, nothing."""
        known = self._files.get(key)
        fresh = JournalFile(path)
        if known is not None and known.name == fresh.name and known.offset <= size:
            known.path = path
            return known
        claimed = {file.ingest_id for file in self._files.values()}
        entries = [entry for entry in self._entries if entry[0] not in claimed]
        # its own entry first; else that of a file that was copied or renamed
        entries.sort(key=lambda entry: (entry[2] != fresh.name, -entry[3]))
        hashes = prefixes_of(path, {entry[3] for entry in entries}) if entries else {}
        for ingest_id, source, _, offset, lines, sha256 in entries:
            if offset in hashes and hashes[offset].hexdigest() == sha256:
                fresh = JournalFile(path, offset, lines, hashes[offset], ingest_id, source)
                break
        self._files[key] = fresh
        return fresh

    def _land(self, parts: list[Part]) -> Landed | None:
        """Store parts in one transaction; None when another follower was here, and all must be looked at again."""
        for name in self._missing(parts):
            self._when_free(partial(widen, name=name), write=True)
        stored, held_s = self._when_free(lambda connection: self._store(connection, parts), write=True)
        if stored is None:
            self._mark = None
            return None
        self._mark = stored[0]
        kept: Counter[str] = Counter()
        for part, (ingest_id, rows) in zip(parts, stored[1], strict=True):
            part.file.ingest_id, part.file.source, part.file.content = ingest_id, part.source, part.content
            part.file.offset += part.size
            part.file.lines += part.lines
            kept.update(rows)
        read, rejected = sum(part.read for part in parts), sum(len(part.rejects) for part in parts)
        there = read - rejected - kept.total()
        return Landed(dict(kept), read, rejected, there, sum(part.left_out for part in parts), len(parts), held_s)

    def _store(self, connection: DuckDBPyConnection, parts: list[Part]) -> tuple[tuple[int, ...], list[_Stored]] | None:
        """Store parts; return the new mark, and what became of each."""
        began_s = time.perf_counter()
        connection.execute("BEGIN")
        try:
            if _mark_of(connection) != self._mark:
                connection.execute("ROLLBACK")
                return None
            found = [store_part(connection, part) for part in parts]
            mark = _mark_of(connection)
            connection.execute("COMMIT")
        except BaseException:
            connection.execute("ROLLBACK")
            raise
        self._fit(sum(part.lines for part in parts), time.perf_counter() - began_s)
        return mark, found

    def _missing(self, parts: list[Part]) -> list[str]:
        """Name the columns that a large table of attempts lacks; each is added on its own, because that takes time."""
        if self._columns is None:
            return []
        missing = sorted(attempt_columns(parts) - self._columns)
        self._columns |= set(missing)
        return missing

    def _fit(self, lines: int, took_s: float) -> None:
        """Fit the number of lines to the time that storing them may take."""
        self._most = round(min(_MOST, 2 * self._most, max(_FEWEST, lines * STORING_S / took_s)))

    def _look_up(self) -> None:
        """Ask the ledger which files were read before, and how far."""
        self._files = {}
        if not self._database.exists():
            self._mark, self._entries = (0, 0, 0), []
            return

        def ask(connection: DuckDBPyConnection) -> None:
            self._mark = _mark_of(connection)
            self._columns = columns_of_large_table(connection)
            self._entries = connection.execute(
                f"SELECT ingest_id, source, name, bytes, lines, sha256 FROM ingests WHERE kind = '{KIND}' ORDER BY ingest_id"
            ).fetchall()

        self._when_free(ask, write=False)

    def _when_free(self, work: Callable[[DuckDBPyConnection], T], *, write: bool) -> tuple[T, float]:
        """Open the database, work and close it; wait while somebody else holds it. Tell how long we held it, seconds."""
        is_waiting = False
        while True:
            began_s = time.perf_counter()
            try:
                with open_store(self._database, write=write, wait_s=0) as store:
                    found = work(store.connection)
                held_s = time.perf_counter() - began_s
            except StoreLockedError as error:
                if not is_waiting:
                    self._notice(f"waiting: {error}")
                is_waiting = True
                self._wait(_RETRY_S)
            else:
                if is_waiting:
                    self._notice("the database is free again")
                return found, held_s


def _mark_of(connection: DuckDBPyConnection) -> tuple[int, ...]:
    """Number what the ledger says of journals: it changes when anybody else follows, or forgets, one."""
    rows = connection.execute(
        f"SELECT count(*), coalesce(max(ingest_id), 0), coalesce(sum(bytes), 0) FROM ingests WHERE kind = '{KIND}'"
    ).fetchall()
    return tuple(int(number) for number in rows[0])


def total_of(landings: Sequence[Landed]) -> Landed:
    """Add up what several transactions stored; `held_s` is the longest, `files` the most at once.

    >>> total_of([]).read
    0
    """
    kept: Counter[str] = Counter()
    for landed in landings:
        kept.update(landed.kept)
    return Landed(
        dict(kept),
        sum(landed.read for landed in landings),
        sum(landed.rejected for landed in landings),
        sum(landed.already_there for landed in landings),
        sum(landed.left_out for landed in landings),
        max((landed.files for landed in landings), default=0),
        max((landed.held_s for landed in landings), default=0.0),
    )


def landed_line(landed: Landed) -> str:
    """Say in a line what a transaction stored.

    >>> landed_line(Landed({"attempts": 3}, 4, 1, 0, 2, 1, 0.05))
    '3 attempts from 1 file; 1 rejected; 2 lines of no table; database held for 50 ms'
    """
    rows = ", ".join(several(number, table.removesuffix("s")) for table, number in landed.kept.items() if number)
    parts = [f"{rows or 'nothing new'} from {several(landed.files, 'file')}"]
    if landed.rejected:
        parts.append(f"{landed.rejected} rejected")
    if landed.already_there:
        parts.append(f"{landed.already_there} already there")
    if landed.left_out:
        parts.append(f"{several(landed.left_out, 'line')} of no table")
    parts.append(f"database held for {landed.held_s * 1000:.0f} ms")
    return "; ".join(parts)
