"""Sinks: where producers of rows (the demo, later the simulator and the journal) hand their batches."""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import pandas as pd

from relkit.batch import Batch, Sink
from relkit.exceptions import DataError
from relkit.store.ingest.targets import SIGNAL_COLUMNS
from relkit.store.keys import keep_key
from relkit.store.landing import ID_COLUMNS, TEXT_COLUMNS, finished, land
from relkit.store.open import Store
from relkit.store.text import identifier

_SIGNAL_TYPES: Final = {name: "INTEGER" if form == "signed" else "VARCHAR" for name, form in SIGNAL_COLUMNS.items()}


@contextmanager
def sink_into(store: Store, source: str, content: str) -> Iterator[Sink]:
    """Offer a sink; all its batches land in one transaction, or none.

    Parameters
    ----------
    store : Store
        Open for writing.
    source : str
        The log the rows belong to.
    content : str
        What the rows were made from (generator, version, seed): its hash stands in the ledger.

    Yields
    ------
    Sink
        Takes batches of attempts, pairs, faults, probes or samples.

    Raises
    ------
    DataError
        A batch names an unknown table or column.
    """
    connection = store.connection
    connection.execute("BEGIN")
    try:
        row = connection.execute("SELECT coalesce(max(ingest_id), 0) + 1 FROM ingests").fetchone()
        ingest_id = int(row[0]) if row else 1
        kept = 0

        def take(batch: Batch) -> None:
            nonlocal kept
            columns = _stage(store, batch)
            keep_key(connection, store.path, [name for name in columns if name in ID_COLUMNS])
            land(connection, batch.table, columns, source, ingest_id)
            connection.execute("DROP TABLE staged")
            kept += len(batch)

        yield take
        digest = hashlib.sha256(content.encode()).hexdigest()
        connection.execute(
            "INSERT INTO ingests VALUES (?, ?, ?, FALSE, ?, 'sink', ?, 0, 0, ?, NULL, ?, ?, ?, 0, 0, 0)",
            [ingest_id, source, ingest_id, source, digest, kept, digest, kept, kept],
        )
        connection.execute("COMMIT")
    except BaseException:
        connection.execute("ROLLBACK")
        raise


def _stage(store: Store, batch: Batch) -> list[str]:
    if batch.table not in TEXT_COLUMNS:
        raise DataError(f"batch for table {batch.table!r}: unknown; sinks take {', '.join(TEXT_COLUMNS)}")
    rows = store.connection.execute(
        "SELECT column_name, data_type FROM duckdb_columns() WHERE table_name = ? AND NOT internal", [batch.table]
    ).fetchall()
    types = dict(rows)
    if batch.table == "attempts":
        types |= _SIGNAL_TYPES
    unknown = [name for name in batch.columns if name not in types]
    if unknown:
        raise DataError(f"batch for table {batch.table!r}: unknown columns {', '.join(unknown)}")
    frame = pd.DataFrame({name: pd.Series(list(values), dtype=object) for name, values in batch.columns.items()})
    casts = ", ".join(f"CAST({identifier(name)} AS {types[name]}) AS {identifier(name)}" for name in batch.columns)
    select, columns = finished(f"SELECT {casts} FROM arriving", batch.table, list(batch.columns), [])
    store.connection.register("arriving", frame)
    store.connection.execute(
        f"CREATE TEMP TABLE staged AS SELECT *, TRUE AS fresh, CAST(NULL AS UBIGINT) AS line_hash FROM ({select})"
    )
    store.connection.unregister("arriving")
    return columns
