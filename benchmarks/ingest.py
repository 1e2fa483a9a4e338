"""Ingest: relkit beside plain DuckDB that reads the same file into typed columns of a table on disk.

Plain DuckDB keeps no line identity, rejects, redaction, fingerprints or ledger: the ratio is the price of those.
"""

from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Final

from benchmarks.logs import MESSAGES_MAPPING, PLAIN_MAPPING, write_requests
from benchmarks.measure import Row, alone, in_turn, row_of

GOALS: Final = {"numbers only": 2.0, "with messages": 10.0}
MAPPINGS: Final = {"numbers only": PLAIN_MAPPING, "with messages": MESSAGES_MAPPING}


def run(sizes: Sequence[int], folder: Path, repeats: int) -> Iterator[Row]:
    """Compare at each size, without and with text columns."""
    for rows in sizes:
        for case in GOALS:
            yield from compare(rows, case, folder, repeats if rows <= 1_000_000 else 1)


def compare(rows: int, case: str, folder: Path, repeats: int) -> Iterator[Row]:
    """Compare relkit, DuckDB on one thread (as relkit runs it) and DuckDB as it comes, on one log."""
    messages = case == "with messages"
    log, mapping = folder / "requests.csv", folder / "mapping.toml"
    mapping.write_text(MAPPINGS[case], encoding="utf-8")
    write_requests(log, rows, messages=messages)
    works = (
        partial(alone, "benchmarks.ours:ingest", log, mapping, folder / "relkit.duckdb"),
        partial(alone, "benchmarks.plain:load", log, folder / "plain.duckdb", 1, messages=messages),
    )
    try:
        ours, single = in_turn(repeats, works)
        default = [alone("benchmarks.plain:load", log, folder / "plain.duckdb", None, messages=messages)]
    finally:
        for path in (log, mapping, folder / "relkit.duckdb", folder / "plain.duckdb"):
            path.unlink(missing_ok=True)
    if {cost.returned for cost in (*ours, *single, *default)} != {rows}:
        raise RuntimeError("the candidates did not store the same rows")
    baseline = row_of("ingest", case, rows, "DuckDB, 1 thread", single, ratio=1.0)
    yield row_of("ingest", case, rows, "relkit ingest", ours, over=baseline, goal=GOALS[case])
    yield baseline
    yield row_of("ingest", case, rows, "DuckDB, as it comes", default, over=baseline)
