"""Breakers: calls that succeed at once through relkit and through pybreaker with the same settings, and 10^5 breakers at once.

rows are calls, or breakers where memory is told.
"""

from collections.abc import Iterator, Sequence
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from benchmarks.measure import Row, alone, in_turn, row_of

GOALS: Final = {"permit and clock": 1.25, "allow and settle": 0.7}
GOAL_MB: Final = 100
BREAKERS: Final = 100_000


def run(sizes: Sequence[int], folder: Path, repeats: int) -> Iterator[Row]:  # noqa: ARG001  every benchmark has these
    """Compare at each size from 10^5 calls on, where a process's own start no longer counts, then fill memory."""
    for calls in sizes:
        if calls >= 100_000 and find_spec("pybreaker"):
            yield from compare(calls, max(repeats, 5))
    for name in ("pybreaker", "relkit-adaptive"):
        costs = [alone("benchmarks.breaker_work:many", BREAKERS, name)]
        taken = costs[0].returned
        verdict = "kept" if taken <= GOAL_MB else "MISSED"
        note = f"{taken:.0f} MB for them all, goal {GOAL_MB} MB {verdict}"
        yield row_of("breakers", f"as {name}", BREAKERS, "relkit", costs, note=note)


def compare(calls: int, repeats: int) -> Iterator[Row]:
    """Compare the two ways of relkit with pybreaker, in turn."""
    works = [partial(alone, f"benchmarks.breaker_work:{work}", calls) for work in ("permits", "bare", "pybreaker")]
    permits, bare, theirs = in_turn(repeats, works)
    baseline = row_of("breakers", "consecutive", calls, "pybreaker", theirs, ratio=1.0)
    for case, costs in (("permit and clock", permits), ("allow and settle", bare)):
        yield row_of("breakers", "consecutive", calls, f"relkit, {case}"[:40], costs, over=baseline, goal=GOALS[case])
    yield baseline
