"""Reading a log file into the store: one transaction a file, only the rows that are new.

A file that begins with the whole content of one read before is that file, grown or renamed: its first records are
there, the rest is new (`ledger`). What else is new, `known` decides. Events are paired anew when their file has grown,
because a start may have found its end by now.
"""

import shlex
from contextlib import ExitStack, suppress
from dataclasses import dataclass, replace
from pathlib import Path

import duckdb
from duckdb import DuckDBPyConnection

from relkit.errors import redact_text
from relkit.exceptions import DataError
from relkit.store.ingest.convert import staging_sql
from relkit.store.ingest.files import Digest, LogFile, digest, inspect
from relkit.store.ingest.importers.documents import as_lines, is_document
from relkit.store.ingest.importers.importer import LINES
from relkit.store.ingest.importers.packaged import IMPORTERS, importer_file
from relkit.store.ingest.known import count, identity_of, mark_known
from relkit.store.ingest.ledger import Entry, entries_of, grown_from, same_content
from relkit.store.ingest.mapping import Mapping
from relkit.store.ingest.notes import notes_on
from relkit.store.ingest.rejects import find_rejects, frequent
from relkit.store.ingest.scan import copied, drop_scan_tables, scan_of
from relkit.store.ingest.settle import number_attempts, settle_events, settle_tail
from relkit.store.ingest.targets import TARGETS
from relkit.store.keys import keep_key
from relkit.store.landing import ID_COLUMNS, land, land_samples
from relkit.store.open import Store, has_no_room
from relkit.units import several


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
    notes : tuple of str
        What may have been meant otherwise.
    """

    name: str
    source: str
    read: int
    kept: int
    rejected: int
    already_there: int
    left_out: int
    reasons: tuple[tuple[str, int], ...] = ()
    notes: tuple[str, ...] = ()


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
    file = log_file(path, mapping)
    entries = entries_of(connection, mapping.source)
    content = digest(path, file.packing, [entry.bytes for entry in entries])
    same, earlier = same_content(entries, content), grown_from(entries, content)
    found = same or earlier
    if found and found.mapping_sha256 != mapping.sha256:
        raise DataError(
            f"{path.name}: was read before with another mapping; its rows would stand twice. Take them back with "
            f"`relkit forget {shlex.quote(mapping.source)}`, or give the new mapping another source"
        )
    if same:
        return Ingested(redact_text(path.name), mapping.source, same.read, 0, 0, same.read, same.left_out)
    try:
        with ExitStack() as copies:
            if mapping.importer and is_document(file, mapping.importer):
                whole = content.bytes if file.packing == "none" else None
                file, number = copies.enter_context(as_lines(file, mapping.importer, whole))
                content = replace(content, lines=number, has_open_tail=False)
                columns, unseen = _stage(connection, file, mapping)
            else:
                file, columns, unseen = _staged(connection, file, mapping, content, copies)
            connection.execute("BEGIN")
            keep_key(connection, store.path, [name for name in columns if name in ID_COLUMNS])
            outcome = _load(connection, file, mapping, content, earlier, columns)
            connection.execute("COMMIT")
            notes = notes_on(connection, mapping, unseen, outcome.rejected, has_clock="ts" in columns)
            outcome = replace(outcome, notes=notes)
    except duckdb.InterruptException:
        raise
    except duckdb.Error as error:
        if has_no_room(error):
            raise  # no fault of the file: who opened the database says which disk is full
        raise DataError(
            f"{path.name}: {redact_text(str(error).strip().splitlines()[0])}; nothing of it was stored"
        ) from None
    finally:
        with suppress(duckdb.TransactionException):  # there is none when all went well, or before it began
            connection.execute("ROLLBACK")
        for name in ("staged", "log_lines"):
            connection.execute(f"DROP TABLE IF EXISTS temp.{name}")
        drop_scan_tables(connection)
    return outcome


def log_file(path: Path, mapping: Mapping) -> LogFile:
    """Look at a log in the way its mapping reads it; see `inspect`."""
    return importer_file(path, mapping) if mapping.importer else inspect(path, mapping.format, mapping.delimiter)


def _staged(
    connection: DuckDBPyConnection, file: LogFile, mapping: Mapping, content: Digest, copies: ExitStack
) -> tuple[LogFile, list[str], list[str]]:
    """Read exactly the content that was hashed into the table `staged`; return the file read, the columns, keys not seen."""
    hashed = content.bytes if file.packing == "none" and file.format != "parquet" else None
    try:
        staged = _stage(connection, file, mapping)
    except duckdb.InvalidInputException as error:
        if "state machine" not in str(error):
            raise
        file = copies.enter_context(copied(file, hashed, plain_line_ends=True))
        return file, *_stage(connection, file, mapping)
    if hashed is not None and file.path.stat().st_size != hashed:
        # The log was written to meanwhile: what came after the hash belongs to the next reading.
        file = copies.enter_context(copied(file, hashed))
        staged = _stage(connection, file, mapping)
    return file, *staged


def _stage(connection: DuckDBPyConnection, file: LogFile, mapping: Mapping) -> tuple[list[str], list[str]]:
    drop_scan_tables(connection)
    scan = scan_of(connection, file)
    if mapping.importer:
        importer = IMPORTERS[mapping.importer]
        connection.execute(
            f"CREATE OR REPLACE TEMP TABLE {LINES.removeprefix('temp.')} AS {importer.lines(scan, mapping.log_format or '')}"
        )
        select, columns = staging_sql(mapping, replace(scan, importer=importer))
        connection.execute(f"CREATE OR REPLACE TEMP TABLE staged AS {select}")
        return columns, []
    select, columns = staging_sql(mapping, scan)
    unseen = scan.unseen_keys(connection)
    drop_scan_tables(connection)
    if mapping.pair:  # pairing looks at the lines twice; the file is read once
        connection.execute(f"CREATE OR REPLACE TEMP TABLE log_lines AS SELECT * FROM {scan.records}")
        select, columns = staging_sql(mapping, replace(scan, lines_table="temp.log_lines"))
    connection.execute(f"CREATE OR REPLACE TEMP TABLE staged AS {select}")
    return columns, unseen


def _load(
    connection: DuckDBPyConnection,
    file: LogFile,
    mapping: Mapping,
    content: Digest,
    earlier: Entry | None,
    columns: list[str],
) -> Ingested:
    table = TARGETS[mapping.kind].table
    removed = known_records = known_lines = 0
    # What depends on other lines, or came of a last line that had no end yet, is read anew with the whole file.
    is_new_whole = (
        mapping.importer and earlier and (IMPORTERS[mapping.importer].joins_lines or earlier.tail_hash is not None)
    )
    if earlier and (mapping.kind == "events" or is_new_whole):
        removed = settle_events(connection, earlier)
    elif earlier:
        known_records, known_lines = earlier.settled_records, earlier.lines
        removed = settle_tail(connection, earlier, table)
    overlaps = mark_known(connection, mapping, table, columns, earlier)
    place = "relkit__record" if mapping.importer else "rowid + 1"
    rejects = find_rejects(connection, file, known_records, known_lines, content.lines, place)
    records, wanted, fresh = connection.execute(
        "SELECT count(*), count(*) FILTER (wanted), count(*) FILTER (fresh) FROM staged"
    ).fetchall()[0]
    read, kept, reasons = wanted + rejects.malformed, max(0, fresh - removed), tuple(frequent(rejects.rows))
    outcome = Ingested(
        redact_text(file.path.name),
        mapping.source,
        read,
        kept,
        rejects.new,
        read - kept - rejects.new,
        records - wanted,
        reasons,
    )
    if not earlier and not fresh:
        if not records and not rejects.new:
            return outcome  # a header alone: no log is known by that
        if rejects.new and all(row.line > content.lines for row in rejects.rows):
            return outcome  # the beginning of a first line: the log will go on
        if rejects.new:
            worst = "; ".join(f"{reason} ({several(number, 'row')})" for reason, number in reasons)
            raise DataError(
                f"{file.path.name}: no row could be read: {worst}. Nothing of it was stored; mend the mapping"
            )
    ingest_id = count(connection, "SELECT coalesce(max(ingest_id), 0) + 1 FROM ingests")
    _land(connection, mapping, table, columns, ingest_id)
    if rejects.rows:
        connection.execute(
            "INSERT INTO rejects SELECT ?, unnest(?), unnest(?), unnest(?)",
            [ingest_id, *(list(column) for column in zip(*rejects.rows, strict=True))],
        )
    tail_hash = None
    if content.has_open_tail and file.format != "parquet" and records and rejects.open_line is None:
        tail_hash = count(connection, "SELECT line_hash FROM staged WHERE rowid = ?", records - 1)
    settled = content.lines if rejects.open_line is None else min(content.lines, rejects.open_line - 1)
    connection.execute(
        "INSERT INTO ingests VALUES (" + ", ".join("?" * 17) + ")",
        [
            ingest_id, mapping.source, earlier.lineage if earlier else ingest_id, overlaps, redact_text(file.path.name), mapping.kind,
            content.sha256, content.bytes, settled, records, tail_hash, mapping.sha256,
            read, kept, rejects.new, outcome.already_there, outcome.left_out,
        ],
    )  # fmt: skip
    return outcome


def _land(connection: DuckDBPyConnection, mapping: Mapping, table: str, columns: list[str], ingest_id: int) -> None:
    if mapping.kind == "minutes":
        width_us = round(mapping.width_s * 1e6)
        land_samples(connection, list(mapping.samples), width_us, columns, mapping.source, ingest_id)
        return
    if mapping.kind == "faults":
        connection.execute("ALTER TABLE staged RENAME COLUMN ts TO ts_start")
        columns = ["ts_start" if name == "ts" else name for name in columns]
    land(connection, table, columns, mapping.source, ingest_id)
    if table == "attempts" and "request_id" in columns and not identity_of(mapping, table, columns):
        number_attempts(connection, mapping.source, ingest_id)
