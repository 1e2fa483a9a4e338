"""Alerts: alert sets fired and scored over 90 days of minutes, beside pandas rolling sums; and 10^7 request rows to minutes.

rows are alert sets, or request rows.
"""

from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Final

from benchmarks.measure import Cost, Row, alone, in_turn, row_of

GOALS_S: Final = {1_000: 2.0, 10_000: 15.0}
ROWS: Final = 10_000_000
GOAL_ROWS_S: Final = 5.0


def run(sizes: Sequence[int], folder: Path, repeats: int) -> Iterator[Row]:
    """Score 100, 1,000 and 10,000 sets, pandas beside the first; count 10^7 rows where so many are asked for."""
    ours, theirs = in_turn(
        repeats, [partial(alone, f"benchmarks.alerts_work:{work}", 100) for work in ("scored", "rolled")]
    )
    baseline = row_of("alerts", "fire and score", 100, "pandas rolling", theirs, ratio=1.0)
    if ours[0].returned != theirs[0].returned:
        raise RuntimeError("relkit and pandas do not fire in the same minutes")
    yield row_of("alerts", "fire and score", 100, "relkit", ours, over=baseline)
    yield baseline
    for sets, goal in GOALS_S.items():
        costs = [alone("benchmarks.alerts_work:scored", sets) for _ in range(repeats)]
        yield row_of("alerts", "fire and score", sets, "relkit", costs, note=_kept(costs, goal))
    if max(sizes) >= ROWS:
        place = folder / "rows.duckdb"
        alone("benchmarks.ours:build", place, ROWS, folder)
        costs = [alone("benchmarks.alerts_work:counted", place)]
        yield row_of("alerts", "rows to minutes", ROWS, "relkit", costs, note=_kept(costs, GOAL_ROWS_S))


def _kept(costs: Sequence[Cost], goal: float) -> str:
    worst = max(cost.cpu_s for cost in costs)
    return f"goal {goal:g} s CPU {'kept' if worst <= goal else 'MISSED'}"
