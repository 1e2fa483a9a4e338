"""What a piece of work costs: seconds of processor, seconds of wall clock and peak memory, each in a process of its own."""

import importlib
import multiprocessing
import resource
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True)
class Cost:
    """One run: processor and wall seconds, peak memory of its largest process in MB, and what the work returned."""

    cpu_s: float
    wall_s: float
    peak_mb: float
    returned: Any


@dataclass(frozen=True, slots=True)
class Row:
    """One line of a benchmark: a candidate at a size, its runs, and its CPU seconds over those of the baseline."""

    benchmark: str
    case: str
    rows: int
    candidate: str
    cpu_s: tuple[float, ...]
    wall_s: tuple[float, ...]
    peak_mb: float
    ratio: float | None = None
    goal: float | None = None
    note: str = ""

    @property
    def cpu(self) -> float:
        """Median seconds of processor."""
        return statistics.median(self.cpu_s)

    @property
    def wall(self) -> float:
        """Median seconds of wall clock."""
        return statistics.median(self.wall_s)

    def record(self) -> dict[str, Any]:
        """Return the row as plain values."""
        return {name: getattr(self, name) for name in (*self.__dataclass_fields__, "cpu", "wall")}


def alone(work: str, *arguments: Any, **named: Any) -> Cost:
    """Run the function named "module:function" in a fresh process and say what it cost, its children included, imports not."""
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
        return pool.submit(_timed, work, arguments, named).result()


def in_turn(repeats: int, works: Sequence[Callable[[], Cost]]) -> list[list[Cost]]:
    """Run every candidate once, then all again: what else the machine does then falls on all of them alike."""
    rounds = [[work() for work in works] for _ in range(repeats)]
    return [list(costs) for costs in zip(*rounds, strict=True)]


def row_of(
    benchmark: str,
    case: str,
    rows: int,
    candidate: str,
    costs: Sequence[Cost],
    *,
    over: Row | None = None,
    ratio: float | None = None,
    goal: float | None = None,
    note: str = "",
) -> Row:
    """Gather the runs of one candidate; `over` is the baseline of its ratio."""
    cpu_s, wall_s = tuple(cost.cpu_s for cost in costs), tuple(cost.wall_s for cost in costs)
    if over is not None:
        ratio = statistics.median(cpu_s) / max(over.cpu, 1e-4)
    peak_mb = max(cost.peak_mb for cost in costs)
    return Row(benchmark, case, rows, candidate, cpu_s, wall_s, peak_mb, ratio, goal, note)


def _timed(work: str, arguments: tuple[Any, ...], named: dict[str, Any]) -> Cost:
    # Without a file DuckDB takes the process for an interactive session and draws progress bars
    sys.modules["__main__"].__file__ = __file__
    module, _, name = work.partition(":")
    function = getattr(importlib.import_module(module), name)
    cpu, wall = _cpu_s(), time.perf_counter()
    returned = function(*arguments, **named)
    return Cost(_cpu_s() - cpu, time.perf_counter() - wall, _peak_mb(), returned)


def _cpu_s() -> float:
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.process_time() + children.ru_utime + children.ru_stime


def _peak_mb() -> float:
    children = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    try:
        # ru_maxrss of a process starts with what its parent held at the fork; VmHWM speaks of this process alone
        status = Path("/proc/self/status").read_text(encoding="ascii")
        own = int(status.split("VmHWM:")[1].split()[0])
    except (OSError, IndexError):
        own = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return max(own, children) / 1024
