"""What an earlier reading of a growing log could not know yet, put right by the next one."""

from duckdb import DuckDBPyConnection

from relkit.store.attempts import DEFAULTS, TABLE, make_room, stored_table
from relkit.store.ingest.known import count
from relkit.store.ingest.ledger import Entry

_LINEAGE = "ingest_id IN (SELECT ingest_id FROM ingests WHERE lineage = ?)"


def settle_tail(connection: DuckDBPyConnection, earlier: Entry, table: str) -> int:
    """Take the mark `fresh` from known records, and forget what an unfinished last line had become, unless it was whole.

    Returns
    -------
    int
        Rows of the log that were taken back.
    """
    connection.execute("UPDATE staged SET fresh = FALSE WHERE rowid < ? AND fresh", [earlier.settled_records])
    connection.execute(f"DELETE FROM rejects WHERE line > ? AND {_LINEAGE}", [earlier.lines, earlier.lineage])
    if earlier.tail_hash is None:
        return 0
    if count(connection, "SELECT line_hash FROM staged WHERE rowid = ?", earlier.records - 1) == earlier.tail_hash:
        connection.execute("UPDATE staged SET fresh = FALSE WHERE rowid = ?", [earlier.records - 1])
        return 0
    # One row (of samples one a series), and the last of them: equal lines before it were whole.
    last = "max(rowid)" if table != "samples" else "unnest(list(DISTINCT place))"
    origin = stored_table(table)
    if table == "samples":
        origin = "(SELECT max(rowid) AS place, ingest_id, line_hash FROM samples GROUP BY name, ingest_id, line_hash)"
    gone = f"rowid IN (SELECT {last} FROM {origin} WHERE line_hash = ? AND {_LINEAGE})"
    return min(1, _forget(connection, table, gone, [earlier.tail_hash, earlier.lineage]))


def settle_events(connection: DuckDBPyConnection, earlier: Entry) -> int:
    """Forget the pairs and rejects of a file that has grown; its lines are paired anew.

    Returns
    -------
    int
        Rows that were taken back.
    """
    connection.execute(f"DELETE FROM rejects WHERE {_LINEAGE}", [earlier.lineage])
    return _forget(connection, "attempts", _LINEAGE, [earlier.lineage])


def _forget(connection: DuckDBPyConnection, table: str, gone: str, bound: list[int]) -> int:
    """Delete rows, and fingerprints that no other row has; return how many rows."""
    if table != "attempts":
        return len(connection.execute(f"DELETE FROM {table} WHERE {gone} RETURNING 1", bound).fetchall())
    rows = connection.execute(f"DELETE FROM {TABLE} WHERE {gone} RETURNING fp", bound).fetchall()
    for fp in {fp for (fp,) in rows if fp is not None}:
        connection.execute(
            "DELETE FROM fingerprints WHERE fp = ? AND fp NOT IN (SELECT fp FROM attempts WHERE fp IS NOT NULL)", [fp]
        )
    return len(rows)


def number_attempts(connection: DuckDBPyConnection, source: str, ingest_id: int) -> None:
    """Number the tries of a request by time, where the log does not; tries that came with earlier files included."""
    make_room(connection, ["attempt", "request_id", "role"])
    role, attempt = f"coalesce(role, {DEFAULTS['role']})", f"coalesce(attempt, {DEFAULTS['attempt']})"
    connection.execute(
        f"UPDATE {TABLE} SET attempt = nth FROM (SELECT rowid AS place, "
        f"row_number() OVER (PARTITION BY request_id, {role} ORDER BY ts, rowid) AS nth FROM {TABLE} "
        "WHERE (ingest_id = $ingest_id OR ingest_id IN (SELECT ingest_id FROM ingests WHERE source = $source)) AND request_id IN "
        f"(SELECT request_id FROM {TABLE} WHERE ingest_id = $ingest_id)) AS ranked "
        f"WHERE {TABLE}.rowid = ranked.place AND {attempt} <> nth",
        {"source": source, "ingest_id": ingest_id},
    )
