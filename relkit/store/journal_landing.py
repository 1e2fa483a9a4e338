"""Rows of a journal into their tables, with their entry in the ledger: short, because the database is locked meanwhile.

All that takes time is done before: lines are read, redacted, checked and laid out in columns. A row that is there already
is known by its line: each line has a running number of its writer, so two equal lines are one line that was copied. The
moment narrows the search, so that it stays short however many rows there are.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import pandas as pd
from duckdb import DuckDBPyConnection

from relkit.errors.signals import SIGNAL_FIELDS
from relkit.store.attempts import TABLE, make_room, stored_table
from relkit.store.journal_files import JournalFile
from relkit.store.journal_rows import NoRowError, Row, raw_text, read_row, service_of
from relkit.store.landing import land

KIND: Final = "journal"
LARGE: Final = 200_000
MAPPING_SHA256: Final = hashlib.sha256(b"relkit journal 1").hexdigest()
# Tables that know no source: a row is there when all it says is there.
_WHOLE_ROW: Final = {
    "transitions": ("ts", "service", "model", "from_state", "to_state", "reason"),
    "rollouts": ("ts", "experiment", "state", "step", "share", "reason"),
}
_SAID_ANYWAY: Final = {"attempt": 1, "role": "user", "ended": True}
_HASHES: Final = frozenset({"fp", "line_hash"})
_BODIES: Final = ("said_by_primary", "said_by_shadow")


@dataclass(slots=True)
class Part:
    """Some lines of one file, read and waiting to be stored.

    Parameters
    ----------
    file : JournalFile
        Where they stand; it is moved on when they are stored.
    source : str
        The application that wrote them; "" when no line told.
    frames : dict of str to DataFrame
        Rows by table, with the columns line_hash and fresh.
    rejects : list of (int, str, str)
        Line, why it is no row, redacted text.
    read, left_out : int
        Lines that are rows or rejects, and lines that no table takes.
    lines, size : int
        All of them, and their bytes.
    content : hash
        SHA-256 of the file up to their end.
    """

    file: JournalFile
    source: str
    frames: dict[str, pd.DataFrame] = field(default_factory=dict)
    rejects: list[tuple[int, str, str]] = field(default_factory=list)
    read: int = 0
    left_out: int = 0
    lines: int = 0
    size: int = 0
    content: Any = None


def part_of(file: JournalFile, lines: Sequence[bytes]) -> Part:
    """Read the next lines of a file into rows; a line that is none becomes a reject, and never an error."""
    part = Part(file, file.source, content=file.content.copy())
    rows: dict[str, dict[int, Row]] = {}
    for line in lines:
        part.lines += 1
        part.size += len(line)
        part.content.update(line)
        bare = line.strip()
        if not bare:  # a line end that was written to close a torn line
            continue
        try:
            part.source = part.source or service_of(bare)
            row = read_row(bare)
        except NoRowError as why:
            part.read += 1
            part.rejects.append((file.lines + part.lines, str(why), raw_text(bare)))
            continue
        if row is None:
            part.left_out += 1
            continue
        part.read += 1
        rows.setdefault(row.table, {}).setdefault(row.line_hash, row)
    part.frames = {table: _frame(list(found.values())) for table, found in rows.items()}
    return part


def attempt_columns(parts: Sequence[Part]) -> set[str]:
    """Name the columns that the table of attempts needs for these parts."""
    named = {name for part in parts if "attempts" in part.frames for name in part.frames["attempts"].columns}
    return named - {"fresh", *SIGNAL_FIELDS} | named & {"status"}


def columns_of_large_table(connection: DuckDBPyConnection) -> set[str] | None:
    """Name the columns that the table of attempts has; None while it is so small that adding one takes no time."""
    if _one(connection, f"SELECT estimated_size FROM duckdb_tables() WHERE table_name = '{TABLE}'") < LARGE:
        return None
    return {name for name, *_ in connection.execute(f"DESCRIBE {TABLE}").fetchall()}


def widen(connection: DuckDBPyConnection, name: str) -> None:
    """Give the table of attempts a column, in a transaction of its own."""
    connection.execute("BEGIN")
    try:
        make_room(connection, [name])
        connection.execute("COMMIT")
    except BaseException:
        connection.execute("ROLLBACK")
        raise


def _frame(rows: list[Row]) -> pd.DataFrame:
    # what the view says anyway need not be looked at while the database is locked
    names = dict.fromkeys(name for row in rows for name, value in row.cells.items() if value != _SAID_ANYWAY.get(name))
    columns = {name: _series(name, [row.cells.get(name) for row in rows]) for name in names}
    columns["line_hash"] = _series("line_hash", [row.line_hash for row in rows])
    for place, name in enumerate(_BODIES):
        if any(row.bodies for row in rows):
            columns[name] = _series(name, [row.bodies[place] if row.bodies else None for row in rows])
    frame = pd.DataFrame(columns)
    frame["fresh"] = True
    return frame


def _series(name: str, values: list[Any]) -> "pd.Series[Any]":
    """Lay values out in a type that knows nothing from zero; a column holds values of one kind."""
    kind = next((type(value) for value in values if value is not None), str)
    types = {bool: "boolean", int: "UInt64" if name in _HASHES else "Int64", float: "Float64", str: "object"}
    return pd.Series(values, dtype=types[kind])


def store_part(connection: DuckDBPyConnection, part: Part) -> tuple[int, dict[str, int]]:
    """Store one part inside a transaction.

    Returns
    -------
    (int, dict of str to int)
        The file's entry in the ledger; rows that were new, by table.
    """
    ingest_id = part.file.ingest_id or _one(connection, "SELECT coalesce(max(ingest_id), 0) + 1 FROM ingests")
    kept = {table: _land(connection, part.source, ingest_id, table, frame) for table, frame in part.frames.items()}
    if part.rejects:
        connection.executemany(
            "INSERT INTO rejects VALUES (?, ?, ?, ?)", [[ingest_id, *reject] for reject in part.rejects]
        )
    _enter(connection, part, ingest_id, sum(kept.values()))
    return ingest_id, kept


def _land(connection: DuckDBPyConnection, source: str, ingest_id: int, table: str, frame: pd.DataFrame) -> int:
    columns = [name for name in frame.columns if name not in {"line_hash", "fresh", *_BODIES}]
    if table in _WHOLE_ROW:
        return _land_whole(connection, table, columns, frame)
    fresh = frame[~frame["line_hash"].isin(_stored_lines(connection, table, source, frame["ts"]))]
    if fresh.empty:
        return 0
    connection.register("staged", fresh)
    land(connection, table, columns, source, ingest_id)
    if _BODIES[0] in fresh.columns:
        connection.execute(
            f"INSERT INTO pair_bodies SELECT pair_id, ?, nullif({_BODIES[0]}, ''), nullif({_BODIES[1]}, '') FROM staged "
            f"WHERE {_BODIES[0]} IS NOT NULL",
            [source],
        )
    connection.unregister("staged")
    return len(fresh)


def _stored_lines(connection: DuckDBPyConnection, table: str, source: str, moments: "pd.Series[int]") -> set[int]:
    """Return the lines of a source that the table has around these moments."""
    rows = connection.execute(
        f"SELECT line_hash FROM {stored_table(table)} WHERE ts BETWEEN ? AND ? AND line_hash IS NOT NULL "
        "AND ingest_id IN (SELECT ingest_id FROM ingests WHERE source = ?)",
        [int(moments.min()), int(moments.max()), source],
    ).fetchall()
    return {line for (line,) in rows}


def _land_whole(connection: DuckDBPyConnection, table: str, columns: list[str], frame: pd.DataFrame) -> int:
    connection.register("staged", frame)
    said = {name: f"staged.{name}" if name in columns else "NULL" for name in _WHOLE_ROW[table]}
    same = " AND ".join(f"there.{name} IS NOT DISTINCT FROM {value}" for name, value in said.items())
    kept = _one(
        connection,
        f"INSERT INTO {table} ({', '.join(columns)}) SELECT {', '.join(columns)} FROM staged "
        f"WHERE NOT EXISTS (SELECT 1 FROM {table} AS there WHERE {same})",
    )
    connection.unregister("staged")
    return kept


def _enter(connection: DuckDBPyConnection, part: Part, ingest_id: int, kept: int) -> None:
    """Write the file's entry in the ledger, or move it on: one file has one entry, however often it was read."""
    file, rejected = part.file, len(part.rejects)
    there = part.read - kept - rejected
    counts = [part.size, part.lines, part.lines, part.read, kept, rejected, there, part.left_out]
    if file.ingest_id is None:
        connection.execute(
            "INSERT INTO ingests (ingest_id, source, lineage, is_overlap, name, kind, mapping_sha256, sha256, bytes, lines, records, "
            "read_rows, kept_rows, rejected_rows, already_there_rows, left_out_rows) VALUES (?, ?, ?, FALSE, ?, ?, ?"
            + ", ?" * 9
            + ")",
            [ingest_id, part.source, ingest_id, file.name, KIND, MAPPING_SHA256, part.content.hexdigest(), *counts],
        )
        return
    connection.execute(
        "UPDATE ingests SET source = ?, sha256 = ?, bytes = bytes + ?, lines = lines + ?, records = records + ?, "
        "read_rows = read_rows + ?, kept_rows = kept_rows + ?, rejected_rows = rejected_rows + ?, "
        "already_there_rows = already_there_rows + ?, left_out_rows = left_out_rows + ? WHERE ingest_id = ?",
        [part.source, part.content.hexdigest(), *counts, ingest_id],
    )


def _one(connection: DuckDBPyConnection, sql: str) -> int:
    rows = connection.execute(sql).fetchall()  # all of it: DuckDB takes no frame while a result is half read
    return int(rows[0][0]) if rows else 0
