"""The work of relkit that is measured, each in a process of its own."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from benchmarks.logs import MESSAGES_MAPPING, PAIRS_MAPPING, WEEK, write_pairs, write_requests
from relkit.period import period_of
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


def ingest(log: Path, mapping: Path, database: Path, kind: str = "attempts") -> int:
    """Do what `relkit ingest` does; return the rows kept."""
    database.unlink(missing_ok=True)
    return _kept(log, mapping, database, kind)


def build(database: Path, rows: int, folder: Path) -> None:
    """Ingest a week of requests with messages, and a tenth as many shadow pairs."""
    log, mapping = folder / "log.csv", folder / "mapping.toml"
    write_requests(log, rows, messages=True)
    mapping.write_text(MESSAGES_MAPPING, encoding="utf-8")
    _kept(log, mapping, database, "attempts")
    write_pairs(log, rows // 10)
    mapping.write_text(PAIRS_MAPPING, encoding="utf-8")
    _kept(log, mapping, database, "pairs")
    log.unlink()


def read(database: Path) -> dict[str, tuple[float, float]]:
    """Take every reading; return CPU and wall seconds by name, opening included."""
    seconds = {}
    for name, reading in READINGS.items():
        cpu, wall = time.process_time(), time.perf_counter()
        with open_store(database) as store:
            reading(store)
        seconds[name] = (time.process_time() - cpu, time.perf_counter() - wall)
    return seconds


def publish(database: Path, reports: Path) -> int:
    """Publish the weekly page; return the size of its pages in bytes."""
    from relkit.report.weekly import publish_week  # noqa: PLC0415  the other work would carry its imports

    done = publish_week(database=database, week=WEEK, reports=reports)
    return sum(page.stat().st_size for page in done.published.folder.glob("*.html"))


def _kept(log: Path, mapping: Path, database: Path, kind: str) -> int:
    outcomes = ingest_files([str(log)], kind, database, mapping, confirm=lambda draft: False)
    return sum(outcome.kept for outcome in outcomes)
