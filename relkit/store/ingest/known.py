"""Which rows are new: the mark `fresh` is taken from staged rows that are stored already.

* Where the mapping names request and attempt (or experiment and pair), that identity decides; of two rows of one file
  with the same identity the first one stays.
* Else the line decides. Lines that a file shares with other files of its source mean that the files overlap: each line
  then counts as often as it occurs in the file that holds it most often.
* Except at a seam: rotation can cut a burst of equal lines in two. Files that share one line only, or only lines of
  one single moment, follow on each other, and all their lines count.
"""

from typing import Any, Final

from duckdb import DuckDBPyConnection

from relkit.store.ingest.importers.packaged import IMPORTERS
from relkit.store.ingest.ledger import Entry
from relkit.store.ingest.mapping import Mapping
from relkit.store.ingest.values import REASON_MARK

_READ: Final = "wanted AND problem IS NULL"


def count(connection: DuckDBPyConnection, sql: str, *values: Any) -> int:
    """Return the one number a query gives, 0 for none."""
    row = connection.execute(sql, list(values)).fetchone()
    return int(row[0] or 0) if row else 0


def identity_of(mapping: Mapping, table: str, columns: list[str]) -> tuple[str, ...]:
    """Name the columns that tell a row of the log from all others, where the log has them.

    The role belongs to it: a shadow copy may carry the id of the request it copies.
    """
    if mapping.importer and IMPORTERS[mapping.importer].is_unique:
        return ("line_hash",)
    if table == "pairs":
        return ("experiment", "pair_id")
    if table == "attempts" and "request_id" in columns:
        named = "attempt" in mapping.columns or "attempt" in mapping.constants
        granularity = mapping.constants.get("granularity", "request")
        if named or (granularity == "request" and "granularity" not in mapping.columns):
            return ("request_id", "attempt", "role")
    return ()


def mark_known(
    connection: DuckDBPyConnection, mapping: Mapping, table: str, columns: list[str], earlier: Entry | None
) -> bool:
    """Take the mark `fresh` from rows that are stored already; say whether the file overlaps others of its source."""
    identity = identity_of(mapping, table, columns)
    nameless = "TRUE"
    if identity:
        _mark_by_identity(connection, mapping.source, table, identity)
        nameless = " OR ".join(f"{name} IS NULL" for name in identity)
    return _mark_by_line(connection, mapping.source, table, columns, earlier, f"({nameless})")


def _mark_by_line(
    connection: DuckDBPyConnection, source: str, table: str, columns: list[str], earlier: Entry | None, nameless: str
) -> bool:
    overlaps = bool(earlier and earlier.overlaps) or _shares_lines(
        connection, source, table, columns, earlier, nameless
    )
    if not overlaps:
        return False
    lines = "SELECT line_hash, count(*) AS stored FROM there GROUP BY line_hash"
    if table == "samples":  # one line gives a sample for each of its series
        lines = (
            "SELECT line_hash, max(stored) AS stored FROM "
            "(SELECT line_hash, name, count(*) AS stored FROM there GROUP BY line_hash, name) GROUP BY line_hash"
        )
    connection.execute(
        f"UPDATE staged SET fresh = FALSE FROM (WITH there AS (SELECT * FROM {table} WHERE source = ? AND line_hash IS NOT NULL) "
        "SELECT place FROM (SELECT rowid AS place, line_hash, row_number() OVER (PARTITION BY line_hash ORDER BY rowid) AS nth "
        f"FROM staged WHERE {_READ} AND {nameless} AND line_hash IN (SELECT line_hash FROM there)) JOIN ({lines}) USING (line_hash) "
        "WHERE nth <= stored) AS known WHERE staged.rowid = known.place",
        [source],
    )
    return True


def _shares_lines(
    connection: DuckDBPyConnection, source: str, table: str, columns: list[str], earlier: Entry | None, nameless: str
) -> bool:
    """Say whether the new rows share more with other files of the source than a seam does."""
    others = "FROM {table} WHERE source = ? AND line_hash IS NOT NULL AND ingest_id NOT IN (SELECT ingest_id FROM ingests WHERE lineage = ?)"
    others, bound = others.format(table=table), [source, earlier.lineage if earlier else 0]
    if not connection.execute(f"SELECT 1 {others} LIMIT 1", bound).fetchone():
        return False
    moments = "count(DISTINCT ts) + count(*) FILTER (ts IS NULL)" if "ts" in columns else "count(*)"
    row = connection.execute(
        f"SELECT count(DISTINCT line_hash), {moments} FROM staged WHERE fresh AND {nameless} AND line_hash IN (SELECT line_hash {others})",
        bound,
    ).fetchone()
    lines, at = row or (0, 0)
    if lines <= 1:
        return False
    if at > 1:
        return True
    # One moment is a seam, unless the whole source is one moment.
    clock = "ts_start" if table == "faults" else "ts"
    return count(connection, f"SELECT count(DISTINCT {clock}) FROM {table} WHERE source = ?", source) <= 1


def _mark_by_identity(connection: DuckDBPyConnection, source: str, table: str, identity: tuple[str, ...]) -> None:
    key = ", ".join(identity)
    named = " AND ".join(f"{name} IS NOT NULL" for name in identity)
    same = " AND ".join(f"there.{name} = staged.{name}" for name in identity)
    _mark_repeated(connection, identity, key, named)
    if not connection.execute(f"SELECT 1 FROM {table} WHERE source = ? LIMIT 1", [source]).fetchone():
        return
    problem = "problem"
    if count(connection, "SELECT count(*) FROM duckdb_columns() WHERE table_name = 'staged' AND column_name = 'ts'"):
        # an id that starts anew every day names another row: better a reject that is told than a row that is gone
        mark = f"chr({ord(REASON_MARK)})"
        name = identity[-1] if identity[0] == "experiment" else identity[0]
        anew = f"concat('{name}: ', {mark}, staged.{name}, {mark}, ' is stored already with another time; do ids start anew? Map one that does not')"
        problem = f"CASE WHEN there.ts <> staged.ts THEN {anew} END"
    connection.execute(
        f"UPDATE staged SET fresh = FALSE, problem = {problem} FROM {table} AS there WHERE there.source = ? AND {same} AND fresh",
        [source],
    )


def _mark_repeated(connection: DuckDBPyConnection, identity: tuple[str, ...], key: str, named: str) -> None:
    """Of rows with one identity in this file the first stays; a later one that says something else is a reject."""
    rows = count(connection, f"SELECT count(*) FROM staged WHERE {_READ} AND {named}")
    if rows == count(connection, f"SELECT count(DISTINCT hash({key})) FROM staged WHERE {_READ} AND {named}"):
        return
    first = (
        "SELECT rowid AS place, first_value(line_hash) OVER w AS first_hash, row_number() OVER w AS nth "
        f"FROM staged WHERE {_READ} AND {named} WINDOW w AS (PARTITION BY {key} ORDER BY rowid)"
    )
    mark = f"chr({ord(REASON_MARK)})"
    name = identity[-1] if identity[0] == "experiment" else identity[0]
    twice = f"concat('{name}: ', {mark}, {name}, {mark}, ' stands twice in this file, with different content')"
    connection.execute(
        f"UPDATE staged SET fresh = FALSE, problem = CASE WHEN line_hash <> first_hash THEN {twice} END "
        f"FROM ({first}) AS ranked WHERE staged.rowid = ranked.place AND nth > 1"
    )
