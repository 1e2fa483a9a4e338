"""Simulation: the workload W1 by relkit's kernel, by its plain oracle, and by SimPy with pybreaker and tenacity.

rows are requests; one process plays all engines in turn, and the ratio is that of CPU seconds of its thread.
"""

import statistics
from collections.abc import Iterator, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from benchmarks.measure import Cost, Row, alone, row_of
from benchmarks.simulation_work import STACK

GOAL_ORACLE: Final = 1 / 30
GOAL_STACK: Final = 1 / 150
GOAL_SUMMARY_MS: Final = 60
_COMPARED: Final = 100_000


def run(sizes: Sequence[int], folder: Path, repeats: int) -> Iterator[Row]:  # noqa: ARG001  every benchmark has these
    """Compare the engines at 10^5 requests, then let the kernel grow over the sizes, then play in two threads."""
    if max(sizes) >= _COMPARED:
        yield from compare(max(repeats, 7))
    for requests in sizes:
        cost = alone("benchmarks.simulation_work:alone_at", requests)
        cpu_s, bytes_each = cost.returned
        own = Cost(cpu_s, cost.wall_s, cost.peak_mb, None)
        yield row_of("simulation", "growth", requests, "relkit, kernel", [own], note=f"{bytes_each:.0f} B a request")
    if max(sizes) >= _COMPARED:
        cost = alone("benchmarks.simulation_work:two_threads", _COMPARED)
        yield row_of(
            "simulation", "two threads", 16 * _COMPARED, "relkit, kernel", [cost],
            note=f"{cost.returned:.2f}x faster by the clock; hangs on who else runs, no goal",
        )  # fmt: skip


def compare(repeats: int) -> Iterator[Row]:
    """Play W1 by every engine in one process."""
    whole = alone("benchmarks.simulation_work:side_by_side", _COMPARED, repeats)
    found = {
        name: [Cost(cpu_s, wall_s, whole.peak_mb, None) for cpu_s, wall_s in timed]
        for name, timed in whole.returned.items()
    }
    least = {name: min(cost.cpu_s for cost in costs) for name, costs in found.items()}
    oracle = row_of("simulation", "W1", _COMPARED, "relkit, oracle", found["oracle"], ratio=1.0)
    for name, goal in (("oracle", GOAL_ORACLE), ("SimPy stack", GOAL_STACK)):
        if name not in found:
            lacking = ", ".join(package for package in STACK if not find_spec(package))
            note = f"not installed here: {lacking}"
            yield Row("simulation", f"W1 / {name}", _COMPARED, "skipped", (0.0,), (0.0,), 0.0, note=note)
            continue
        ratio = least["kernel"] / least[name]
        note = f"{1 / ratio:.0f}x faster than the {name}, best of each; goal {1 / goal:.0f}x"
        yield row_of(
            "simulation",
            f"W1 / {name}",
            _COMPARED,
            "relkit, kernel",
            found["kernel"],
            ratio=ratio,
            goal=goal,
            note=note,
        )
    took_ms = 1000 * statistics.median(cost.cpu_s for cost in found["kernel and summary"])
    verdict = "kept" if took_ms <= GOAL_SUMMARY_MS else "MISSED"
    yield row_of(
        "simulation", "W1, summary", _COMPARED, "relkit, kernel", found["kernel and summary"],
        note=f"{took_ms:.0f} ms with its summary, goal {GOAL_SUMMARY_MS} ms {verdict}",
    )  # fmt: skip
    yield oracle
    if "SimPy stack" in found:
        yield row_of("simulation", "W1", _COMPARED, "SimPy stack", found["SimPy stack"])
