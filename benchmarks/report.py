"""Report: what each reading costs beside the plain query for the same bare numbers, and what the whole weekly page costs."""

import sys
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Final

import duckdb

from benchmarks.logs import MESSAGES_MAPPING, PAIRS_MAPPING, WEEK, write_pairs, write_requests
from benchmarks.measure import Cost, Row, alone, in_turn, row_of
from relkit.period import period_of
from relkit.report.weekly import publish_week
from relkit.slo import Objective
from relkit.store import Store, open_store, readings
from relkit.store.ingest.run import ingest_files

_PERIOD: Final = period_of(WEEK, "UTC")
_GOAL: Final = Objective("availability", "0.999")
READINGS: Final[dict[str, Callable[[Store], Any]]] = {
    "log_span": lambda store: readings.log_span(store, _PERIOD),
    "minutes": lambda store: readings.minutes(store, _PERIOD, _GOAL),
    "latencies": lambda store: readings.latencies(store, _PERIOD),
    "fingerprint_counts": lambda store: readings.fingerprint_counts(store, _PERIOD),
    "experiment": lambda store: readings.experiment(store, _PERIOD, "bench"),
}
# The bare numbers behind a reading, as an analyst would type them: no roles, no retries, no coverage, no exclusions.
PLAIN: Final = {
    "log_span": "SELECT min(ts), max(ts), count(*) FROM attempts",
    "minutes": "SELECT ts // 60000000 AS minute, count(*), count(*) FILTER (ok) FROM attempts GROUP BY minute ORDER BY minute",
    "latencies": "SELECT quantile_cont(latency_us, [0.5, 0.95, 0.99]) FROM attempts WHERE ok",
    "fingerprint_counts": "SELECT fp, count(*) FROM attempts WHERE NOT ok GROUP BY fp ORDER BY count(*) DESC",
    "experiment": "SELECT primary_ok, shadow_ok, count(*) FROM pairs GROUP BY ALL ORDER BY ALL",
}


def build(database: Path, rows: int, folder: Path) -> None:
    """Ingest a week of requests with messages, and a tenth as many shadow pairs."""
    for kind, count, mapping_text in (("attempts", rows, MESSAGES_MAPPING), ("pairs", rows // 10, PAIRS_MAPPING)):
        log, mapping = folder / f"{kind}.csv", folder / f"{kind}.toml"
        mapping.write_text(mapping_text, encoding="utf-8")
        if kind == "pairs":
            write_pairs(log, count)
        else:
            write_requests(log, count, messages=True)
        ingest_files([str(log)], kind, database, mapping, confirm=lambda draft: False)
        log.unlink()
        mapping.unlink()


def read(database: Path, name: str) -> None:
    """Take one reading."""
    with open_store(database) as store:
        READINGS[name](store)


def ask(database: Path, name: str) -> None:
    """Ask DuckDB for the bare numbers."""
    with duckdb.connect(str(database), read_only=True, config={"threads": "1"}) as connection:
        connection.execute(PLAIN[name]).fetchall()


def publish(database: Path, reports: Path) -> int:
    """Publish the weekly page; return the size of its four pages in bytes."""
    done = publish_week(database=database, week=WEEK, reports=reports)
    return sum(page.stat().st_size for page in done.published.folder.glob("*.html"))


def run(sizes: Sequence[int], folder: Path, repeats: int = 3) -> Iterator[Row]:
    """Take every reading and the whole report at each size."""
    first_size: int | None = None
    for rows in sizes:
        database, reports = folder / "week.duckdb", folder / f"reports-{rows}"
        print(f"building a database of {rows:,} requests ...", file=sys.stderr)
        alone(build, database, rows, folder)
        turns = repeats if rows <= 1_000_000 else 1
        for name in READINGS:
            ours, plain = in_turn(turns, (partial(alone, read, database, name), partial(alone, ask, database, name)))
            ratio = row_of("", "", rows, "", ours).cpu / max(row_of("", "", rows, "", plain).cpu, 1e-4)
            yield row_of("report", name, rows, "relkit reading", ours, ratio=ratio)
            yield row_of("report", name, rows, "bare query", plain, ratio=1.0)
        whole: Cost = alone(publish, database, reports)
        first_size = first_size or whole.returned
        note = f"pages {whole.returned / 1024:,.0f} KB, {whole.returned / first_size:.2f} times the smallest log's"
        yield row_of("report", "whole page", rows, "relkit report", [whole], note=note)
        database.unlink()
