"""Reading a log file into the store: one transaction a file, only the rows that are new.

Which rows are new:

* A file that begins with the whole content of one read before is that file, grown or renamed: its first records are
  there, the rest is new.
* A fresh file that shares at most one distinct line with its source continues it (rotation can cut a burst of equal
  lines in two): all of it is new. One that shares more overlaps it: each line counts as often as it occurs.
* Where the mapping names request and attempt (or pair), that identity decides.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import duckdb
from duckdb import DuckDBPyConnection

from relkit.errors import redact_text
from relkit.exceptions import DataError
from relkit.store.ingest.convert import reading, staging_sql
from relkit.store.ingest.files import Digest, LogFile, digest, inspect
from relkit.store.ingest.mapping import Mapping
from relkit.store.ingest.rejects import bad_rows, frequent, malformed_lines
from relkit.store.ingest.targets import TARGETS
from relkit.store.landing import land, land_samples, redacted
from relkit.store.open import Store
from relkit.store.text import quoted

REJECTS_KEPT: Final = 10_000


@dataclass(frozen=True, slots=True)
class Ingested:
    """What became of one file: read = kept + rejected + already_there.

    Parameters
    ----------
    name : str
        File name.
    source : str
        The log its rows belong to.
    read, kept, rejected, already_there : int
        Rows.
    left_out : int
        Lines that the mapping's `[rows] where` (or `[pair]`) leaves out.
    reasons : tuple of (str, int)
        Most frequent reasons of rejects.
    """

    name: str
    source: str
    read: int
    kept: int
    rejected: int
    already_there: int
    left_out: int
    reasons: tuple[tuple[str, int], ...] = ()


@dataclass(frozen=True, slots=True)
class _Earlier:
    """The ledger's last entry of a file that has grown since."""

    ingest_id: int
    lineage: int
    overlaps: bool
    bytes: int
    sha256: str
    lines: int
    records: int
    tail_hash: int | None
    mapping_sha256: str
    left_out: int


def ingest_file(store: Store, path: Path, mapping: Mapping) -> Ingested:
    """Read one log file into the store, in one transaction.

    Parameters
    ----------
    store : Store
        Open for writing.
    path : Path
        The file.
    mapping : Mapping
        How its columns become ours.

    Returns
    -------
    Ingested

    Raises
    ------
    DataError
        The file cannot be read, lacks a mapped column, or gives no row at all; nothing of it was stored.
    """
    connection = store.connection
    file = inspect(path, mapping.format, mapping.delimiter)
    ledger = [
        _Earlier(*row)
        for row in connection.execute(
            "SELECT ingest_id, lineage, is_overlap, bytes, sha256, lines, records, tail_hash, mapping_sha256, left_out_rows "
            "FROM ingests WHERE source = ? AND kind <> 'sink' ORDER BY bytes DESC, ingest_id DESC",
            [mapping.source],
        ).fetchall()
    ]
    content = digest(path, file.packing, [entry.bytes for entry in ledger])
    earlier = next((entry for entry in ledger if content.prefixes.get(entry.bytes) == entry.sha256), None)
    if earlier and earlier.mapping_sha256 != mapping.sha256:
        raise DataError(
            f"{path.name}: was read before with another mapping; its rows would stand twice. Give the new mapping another "
            f"source than {mapping.source!r}, or start a new database"
        )
    if earlier and earlier.bytes == content.bytes:
        there = _count(
            connection, "SELECT sum(read_rows - already_there_rows) FROM ingests WHERE lineage = ?", earlier.lineage
        )
        return Ingested(path.name, mapping.source, there, 0, 0, there, earlier.left_out)
    connection.execute("BEGIN")
    try:
        outcome = _load(connection, file, mapping, content, earlier)
        connection.execute("COMMIT")
    except BaseException as error:
        connection.execute("ROLLBACK")
        if isinstance(error, duckdb.Error) and not isinstance(error, duckdb.InterruptException):
            raise DataError(f"{path.name}: {str(error).strip().splitlines()[0]}; nothing of it was stored") from error
        raise
    finally:
        for name in ("staged", "file_rejects", "file_scans"):
            connection.execute(f"DROP TABLE IF EXISTS {name}")
    return outcome


def _count(connection: DuckDBPyConnection, sql: str, *values: Any) -> int:
    row = connection.execute(sql, list(values)).fetchone()
    return int(row[0] or 0) if row else 0


def _load(
    connection: DuckDBPyConnection, file: LogFile, mapping: Mapping, content: Digest, earlier: _Earlier | None
) -> Ingested:
    target = TARGETS[mapping.kind]
    ingest_id = _count(connection, "SELECT coalesce(max(ingest_id), 0) + 1 FROM ingests")
    parquet = _parquet_columns(connection, file) if file.format == "parquet" else None
    source = reading(file, parquet)
    known_records = earlier.records if earlier else 0
    if earlier and earlier.tail_hash is not None:
        known_records -= 1  # the open last line is looked at again
    select, columns = staging_sql(file, mapping, source, known_records)
    connection.execute(f"CREATE TEMP TABLE staged AS {select}")
    known_lines = earlier.lines if earlier else 0
    all_malformed = malformed_lines(connection, file)
    malformed = [row for row in all_malformed if row.line > known_lines]
    records = _count(connection, "SELECT max(n) FROM staged")
    if earlier:
        _settle_open_tail(connection, earlier, target.table, known_lines)
    overlaps = _mark_known(connection, mapping, target.table, columns, earlier)
    rejects = sorted([*malformed, *bad_rows(connection, file, known_records)])
    kept = _count(connection, "SELECT count(*) FROM staged WHERE fresh")
    wanted = _count(connection, "SELECT count(*) FROM staged WHERE wanted")
    read = wanted + len(all_malformed)
    if rejects and not kept and not earlier:
        worst = "; ".join(f"{reason} ({count} rows)" for reason, count in frequent(rejects))
        raise DataError(f"{file.path.name}: no row could be read: {worst}. Nothing of it was stored; mend the mapping")
    _land(connection, mapping, target.table, columns, ingest_id)
    if rejects:
        connection.executemany(
            "INSERT INTO rejects VALUES (?, ?, ?, ?)",
            [(ingest_id, row.line, redact_text(row.reason), row.raw) for row in rejects[:REJECTS_KEPT]],
        )
    tail_hash = None
    if content.has_open_tail and file.format != "parquet" and not any(row.line > content.lines for row in malformed):
        tail_hash = _count(connection, "SELECT line_hash FROM staged WHERE n = ?", records)
    connection.execute(
        "INSERT INTO ingests VALUES (" + ", ".join("?" * 17) + ")",
        [
            ingest_id, mapping.source, earlier.lineage if earlier else ingest_id, overlaps, file.path.name, mapping.kind,
            content.sha256, content.bytes, content.lines, records, tail_hash, mapping.sha256,
            read, kept, len(rejects), read - kept - len(rejects), records - wanted,
        ],
    )  # fmt: skip
    return Ingested(
        file.path.name,
        mapping.source,
        read,
        kept,
        len(rejects),
        read - kept - len(rejects),
        records - wanted,
        tuple(frequent(rejects)),
    )


def _parquet_columns(connection: DuckDBPyConnection, file: LogFile) -> dict[str, str]:
    try:
        rows = connection.execute(f"DESCRIBE SELECT * FROM read_parquet({quoted(str(file.path))})").fetchall()
    except duckdb.Error as error:
        raise DataError(
            f"{file.path.name}: is no readable Parquet file: {str(error).strip().splitlines()[0]}"
        ) from None
    return {row[0]: row[1] for row in rows}


def _settle_open_tail(connection: DuckDBPyConnection, earlier: _Earlier, table: str, known_lines: int) -> None:
    """Forget what an unfinished last line had become, unless the line turned out to be whole."""
    connection.execute(
        "DELETE FROM rejects WHERE line > ? AND ingest_id IN (SELECT ingest_id FROM ingests WHERE lineage = ?)",
        [known_lines, earlier.lineage],
    )
    if earlier.tail_hash is None:
        return
    now = _count(connection, "SELECT line_hash FROM staged WHERE n = ?", earlier.records)
    if now == earlier.tail_hash:
        connection.execute("UPDATE staged SET fresh = FALSE WHERE n = ?", [earlier.records])
        return
    fps: list[Any] = []
    if table == "attempts":
        fps = connection.execute(
            "SELECT DISTINCT fp FROM attempts WHERE ingest_id = ? AND line_hash = ? AND fp IS NOT NULL",
            [earlier.ingest_id, earlier.tail_hash],
        ).fetchall()
    connection.execute(
        f"DELETE FROM {table} WHERE ingest_id = ? AND line_hash = ?", [earlier.ingest_id, earlier.tail_hash]
    )
    for (fp,) in fps:
        connection.execute(
            "DELETE FROM fingerprints WHERE fp = ? AND fp NOT IN (SELECT fp FROM attempts WHERE fp IS NOT NULL)", [fp]
        )


def _mark_known(
    connection: DuckDBPyConnection, mapping: Mapping, table: str, columns: list[str], earlier: _Earlier | None
) -> bool:
    """Take the mark `fresh` from rows that are stored already; say whether the file overlaps others of its source."""
    identity = _identity(mapping, table, columns)
    if identity:
        _mark_by_identity(connection, mapping, table, identity)
        return False
    if mapping.kind == "events":
        connection.execute(
            "DELETE FROM attempts WHERE source = ? AND NOT ended AND line_hash IN (SELECT line_hash FROM staged WHERE ended AND wanted)",
            [mapping.source],
        )
        connection.execute(
            "UPDATE staged SET fresh = TRUE WHERE wanted AND problem IS NULL AND ended AND NOT fresh AND line_hash NOT IN "
            "(SELECT line_hash FROM attempts WHERE source = ? AND line_hash IS NOT NULL)",
            [mapping.source],
        )
    if earlier:
        overlaps = earlier.overlaps
    else:
        shared = _count(
            connection,
            f"SELECT count(DISTINCT line_hash) FROM staged WHERE wanted AND line_hash IN (SELECT line_hash FROM {table} WHERE source = ?)",
            mapping.source,
        )
        overlaps = shared > 1
    if overlaps:
        lines = f"SELECT line_hash, count(*) AS stored FROM {table} WHERE source = ? GROUP BY line_hash"
        if table == "samples":  # one line gives a sample for each of its series
            lines = (
                "SELECT line_hash, max(stored) AS stored FROM (SELECT line_hash, name, count(*) AS stored FROM samples "
                "WHERE source = ? GROUP BY line_hash, name) GROUP BY line_hash"
            )
        connection.execute(
            "UPDATE staged SET fresh = FALSE FROM (SELECT n AS place, line_hash, row_number() OVER (PARTITION BY line_hash ORDER BY n) AS nth "
            f"FROM staged WHERE wanted AND problem IS NULL) AS ranked JOIN ({lines}) AS there USING (line_hash) "
            "WHERE staged.n = ranked.place AND nth <= stored",
            [mapping.source],
        )
    return overlaps


def _identity(mapping: Mapping, table: str, columns: list[str]) -> tuple[str, ...]:
    """The columns that name a row, where the log has them."""
    if table == "pairs":
        return ("pair_id",)
    if table == "attempts" and "request_id" in columns:
        named = "attempt" in mapping.columns or "attempt" in mapping.constants
        per_request = (
            mapping.constants.get("granularity", "request") == "request" and "granularity" not in mapping.columns
        )
        if named or per_request:
            return ("request_id", "attempt")
    return ()


def _mark_by_identity(connection: DuckDBPyConnection, mapping: Mapping, table: str, identity: tuple[str, ...]) -> None:
    stored = " AND ".join(
        f"there.{name} = {redacted(f'staged.{name}') if name != 'attempt' else 'staged.attempt'}" for name in identity
    )
    connection.execute(
        f"UPDATE staged SET fresh = FALSE FROM {table} AS there WHERE there.source = ? AND {stored}", [mapping.source]
    )
    key = ", ".join(identity)
    present = " AND ".join(f"{name} IS NOT NULL" for name in identity)
    rows = _count(connection, f"SELECT count(*) FROM staged WHERE fresh AND {present}")
    if rows == _count(connection, f"SELECT count(DISTINCT hash({key})) FROM staged WHERE fresh AND {present}"):
        return
    first = (
        "SELECT n AS place, first_value(line_hash) OVER w AS first_hash, row_number() OVER w AS nth "
        f"FROM staged WHERE fresh AND {present} WINDOW w AS (PARTITION BY {key} ORDER BY n)"
    )
    named = ", ' ', ".join(f"'{name} ', {name}" for name in identity)
    twice = f"concat({named}, ' stands twice in this file, with different content')"
    connection.execute(
        f"UPDATE staged SET fresh = FALSE, problem = CASE WHEN line_hash <> first_hash THEN {twice} END "
        f"FROM ({first}) AS ranked WHERE staged.n = ranked.place AND nth > 1"
    )


def _land(connection: DuckDBPyConnection, mapping: Mapping, table: str, columns: list[str], ingest_id: int) -> None:
    if mapping.kind == "minutes":
        land_samples(
            connection, list(mapping.samples), round(mapping.width_s * 1e6), columns, mapping.source, ingest_id
        )
        return
    if mapping.kind == "faults":
        connection.execute("ALTER TABLE staged RENAME COLUMN ts TO ts_start")
        columns = ["ts_start" if name == "ts" else name for name in columns]
    if table == "attempts" and "request_id" in columns and not _identity(mapping, table, columns):
        _number_attempts(connection, mapping.source)
    land(connection, table, columns, mapping.source, ingest_id)


def _number_attempts(connection: DuckDBPyConnection, source: str) -> None:
    """Number the tries of a request by time, where the log does not."""
    connection.execute(
        "UPDATE staged SET attempt = nth + coalesce(stored, 0) FROM "
        "(SELECT n AS place, request_id, row_number() OVER (PARTITION BY request_id ORDER BY ts, n) AS nth FROM staged WHERE fresh) AS ranked "
        "LEFT JOIN (SELECT request_id, max(attempt) AS stored FROM attempts WHERE source = ? GROUP BY request_id) AS there USING (request_id) "
        "WHERE staged.n = ranked.place AND ranked.request_id IS NOT NULL",
        [source],
    )
