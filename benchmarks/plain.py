"""What a user would type instead: plain DuckDB, without relkit; nothing of relkit is imported here, so its memory is DuckDB's own."""

import time
from pathlib import Path
from typing import Final

import duckdb

# The bare numbers behind a reading: no roles, no retries, no coverage, no exclusions. DuckDB answers the first one from its
# block statistics without reading a row, so that ratio grows with the log.
QUERIES: Final = {
    "log_span": "SELECT min(ts), max(ts), count(*) FROM attempts",
    "minutes": "SELECT ts // 60000000 AS minute, count(*), count(*) FILTER (ok) FROM attempts GROUP BY minute ORDER BY minute",
    "latencies": "SELECT quantile_cont(latency_us, [0.5, 0.95, 0.99]) FROM attempts WHERE ok",
    "fingerprint_counts": "SELECT fp, count(*) FROM attempts WHERE NOT ok GROUP BY fp ORDER BY count(*) DESC",
    "experiment": "SELECT primary_ok, shadow_ok, count(*) FROM pairs GROUP BY ALL ORDER BY ALL",
}


def load(log: Path, database: Path, threads: int | None, *, messages: bool) -> int:
    """Read a request log into typed columns of a table on disk; return the rows stored."""
    database.unlink(missing_ok=True)
    text = ", request_id, model, message" if messages else ""
    with duckdb.connect(str(database), config={} if threads is None else {"threads": str(threads)}) as connection:
        connection.execute(
            "CREATE TABLE attempts AS SELECT epoch_us(timestamp) AS ts, CAST(round(latency_ms * 1000) AS BIGINT) AS latency_us, "
            f"CAST(status AS SMALLINT) AS status, status < 400 AS ok{text} FROM read_csv('{log}')"
        )
        stored = connection.execute("SELECT count(*) FROM attempts").fetchone()
    return int(stored[0]) if stored else 0


def ask(database: Path) -> dict[str, tuple[float, float]]:
    """Ask for the bare numbers of a relkit database; return CPU and wall seconds by name, opening included."""
    seconds = {}
    for name, query in QUERIES.items():
        cpu, wall = time.process_time(), time.perf_counter()
        with duckdb.connect(str(database), read_only=True, config={"threads": "1"}) as connection:
            connection.execute(query).fetchall()
        seconds[name] = (time.process_time() - cpu, time.perf_counter() - wall)
    return seconds
