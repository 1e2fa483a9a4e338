"""Re-classify: every row of a log gets its kind by a rule set nobody has seen, end to end from the new rule on, on 2 threads.

relkit classifies the distinct errors and joins them to the rows; beside it the same rules as one CASE over each row, and
in a Python loop, both over a part of the rows. ratio = CPU seconds per row over those of relkit.
"""

from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from statistics import median
from typing import Final

from benchmarks.measure import Cost, Row, alone, in_turn, row_of
from benchmarks.rules_work import THREADS

DISTINCT: Final = (222, 10_000)
GOAL_ROWS_PER_S: Final = 50e6
_CASE_ROWS: Final = 300_000
_LOOP_ROWS: Final = 100_000


def run(sizes: Sequence[int], folder: Path, repeats: int) -> Iterator[Row]:
    """Compare at each size, with few and with many distinct errors."""
    for rows in sizes:
        for distinct in DISTINCT:
            yield from compare(rows, distinct, folder / "errors.duckdb", repeats)


def compare(rows: int, distinct: int, database: Path, repeats: int) -> Iterator[Row]:
    """Compare the three ways on one log, and time what a notebook does after a rule was added."""
    alone("benchmarks.rules_work:build", database, rows, distinct)
    case_rows, loop_rows = min(rows, _CASE_ROWS), min(rows, _LOOP_ROWS)
    works = (
        partial(alone, "benchmarks.rules_work:joined", database, 1),
        partial(alone, "benchmarks.rules_work:row_by_row", database, 2, case_rows),
        partial(alone, "benchmarks.rules_work:python_loop", database, 3, loop_rows),
        partial(alone, "benchmarks.rules_work:redrawn", database, 4),
    )
    ours, case, loop, redraw = (list(map(_inner, costs)) for costs in in_turn(repeats, works))
    name = f"{distinct:,} errors"
    row = row_of("reclassify", name, rows, "relkit", ours, ratio=1.0, note=_goal(rows, ours))
    yield row
    per_row = row.cpu / rows
    for candidate, costs, number in (("CASE, row by row", case, case_rows), ("Python loop", loop, loop_rows)):
        ratio = median(cost.cpu_s for cost in costs) / number / per_row
        yield row_of("reclassify", name, number, candidate, costs, ratio=ratio)
    yield row_of("reclassify", name, rows, "relkit, redrawn", redraw, note="a rule added in a cell, to the picture")
    database.unlink()


def _inner(cost: Cost) -> Cost:
    """Take the times that the work measured itself, without opening the file."""
    cpu_s, wall_s, returned = cost.returned
    return Cost(cpu_s, wall_s, cost.peak_mb, returned)


def _goal(rows: int, costs: Sequence[Cost]) -> str:
    """Say the speed of an idle machine with 2 processors, which the CPU seconds tell, and that of this one's clock."""
    by_cpu = rows * THREADS / median(cost.cpu_s for cost in costs)
    by_clock = rows / min(cost.wall_s for cost in costs)
    kept = "kept" if by_cpu >= GOAL_ROWS_PER_S else "MISSED" if rows >= 10_000_000 else "not at this size"
    return f"{by_cpu / 1e6:.0f}M rows/s by CPU, {by_clock / 1e6:.0f}M by the clock; goal 50M {kept}"
