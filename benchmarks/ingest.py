"""Ingest: relkit beside plain DuckDB that reads the same file into typed columns of a table on disk.

Plain DuckDB keeps no line identity, rejects, redaction, fingerprints or ledger: the ratio is the price of those.
"""

from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Final

import duckdb

from benchmarks.logs import MESSAGES_MAPPING, PLAIN_MAPPING, write_requests
from benchmarks.measure import Row, alone, in_turn, row_of
from relkit.store.ingest.run import ingest_files

GOALS: Final = {"numbers only": 2.0, "with messages": 10.0}


def relkit_ingest(log: Path, mapping: Path, database: Path) -> int:
    """Do what `relkit ingest` does; return the rows kept."""
    database.unlink(missing_ok=True)
    done = ingest_files([str(log)], "attempts", database, mapping, confirm=lambda draft: False)
    return sum(outcome.kept for outcome in done)


def plain_duckdb(log: Path, messages: bool, database: Path, threads: int | None) -> int:
    """Do what a user of DuckDB types; return the rows stored."""
    database.unlink(missing_ok=True)
    text = ", request_id, model, message" if messages else ""
    with duckdb.connect(str(database), config={} if threads is None else {"threads": str(threads)}) as connection:
        connection.execute(
            "CREATE TABLE attempts AS SELECT epoch_us(timestamp) AS ts, CAST(round(latency_ms * 1000) AS BIGINT) AS latency_us, "
            f"CAST(status AS SMALLINT) AS status, status < 400 AS ok{text} FROM read_csv('{log}')"
        )
        stored = connection.execute("SELECT count(*) FROM attempts").fetchone()
    return int(stored[0]) if stored else 0


def run(sizes: Sequence[int], folder: Path, repeats: int = 3) -> Iterator[Row]:
    """Compare both at each size, without and with text columns."""
    for rows in sizes:
        for case, mapping_text in (("numbers only", PLAIN_MAPPING), ("with messages", MESSAGES_MAPPING)):
            yield from compare(rows, case, mapping_text, folder, repeats if rows <= 1_000_000 else 1)


def compare(rows: int, case: str, mapping_text: str, folder: Path, repeats: int) -> Iterator[Row]:
    """Compare relkit, DuckDB on one thread (as relkit runs it) and DuckDB as it comes, on one log."""
    messages = case == "with messages"
    log, mapping = folder / "requests.csv", folder / "mapping.toml"
    mapping.write_text(mapping_text, encoding="utf-8")
    write_requests(log, rows, messages=messages)
    try:
        works = (
            partial(alone, relkit_ingest, log, mapping, folder / "relkit.duckdb"),
            partial(alone, plain_duckdb, log, messages, folder / "plain.duckdb", 1),
            partial(alone, plain_duckdb, log, messages, folder / "plain.duckdb", None),
        )
        ours, single, default = in_turn(repeats, works)
        if {cost.returned for cost in (*ours, *single, *default)} != {rows}:
            raise RuntimeError("the candidates did not store the same rows")
        baseline = row_of("ingest", case, rows, "DuckDB, 1 thread", single)
        mine = row_of("ingest", case, rows, "relkit ingest", ours)
        yield row_of(
            "ingest", case, rows, "relkit ingest", ours,
            ratio=mine.cpu / baseline.cpu, goal=GOALS[case], note=f"{rows / mine.cpu:,.0f} rows/s",
        )  # fmt: skip
        yield row_of(
            "ingest", case, rows, "DuckDB, 1 thread", single, ratio=1.0, note=f"{rows / baseline.cpu:,.0f} rows/s"
        )
        yield row_of("ingest", case, rows, "DuckDB, as it comes", default)
    finally:
        for path in (log, mapping, folder / "relkit.duckdb", folder / "plain.duckdb"):
            path.unlink(missing_ok=True)
