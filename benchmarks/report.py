"""Report: what each reading costs beside the plain query for the same bare numbers, and what the whole weekly page costs."""

from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path

from benchmarks.measure import Cost, Row, alone, in_turn, row_of


def run(sizes: Sequence[int], folder: Path, repeats: int) -> Iterator[Row]:
    """Take every reading and the whole report at each size."""
    smallest: int | None = None
    for rows in sizes:
        database = folder / "week.duckdb"
        alone("benchmarks.ours:build", database, rows, folder)
        works = (partial(alone, "benchmarks.ours:read", database), partial(alone, "benchmarks.plain:ask", database))
        ours, plain = in_turn(repeats if rows <= 1_000_000 else 1, works)
        for name in ours[0].returned:
            baseline = row_of("report", name, rows, "bare query", _part(plain, name), ratio=1.0)
            yield row_of("report", name, rows, "relkit reading", _part(ours, name), over=baseline)
            yield baseline
        whole = alone("benchmarks.ours:publish", database, folder / f"reports-{rows}")
        smallest = smallest or whole.returned
        note = f"4 pages of {whole.returned / 1024:,.0f} KB, {whole.returned / smallest:.2f} times the first size's"
        yield row_of("report", "whole page", rows, "relkit report", [whole], note=note)
        database.unlink()


def _part(costs: Sequence[Cost], name: str) -> list[Cost]:
    """Cut one reading out of runs that took them all; the peak is that of all."""
    return [Cost(*cost.returned[name], cost.peak_mb, None) for cost in costs]
