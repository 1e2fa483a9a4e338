"""The work of the simulation benchmark: W1 by the kernel, by the oracle and by SimPy, timed in one process."""

import resource
import threading
import time
from collections.abc import Callable
from importlib.util import find_spec
from typing import Final

from relkit.simulation.run import simulate
from relkit.simulation.suite import w1, w_policy
from relkit.simulation.summary import summary_of

STACK: Final = ("simpy", "pybreaker", "tenacity")
ORACLE_TURNS, STACK_TURNS = 3, 2


def warm() -> None:
    """Load the compiled kernel, and compile it where it is not cached."""
    simulate(w1(100), w_policy(), 1)


def side_by_side(requests: int, repeats: int) -> dict[str, list[tuple[float, float]]]:
    """Play W1 by each engine in turn; return (CPU, wall) seconds of this thread by engine.

    Parameters
    ----------
    requests : int
        Requests of a run.
    repeats : int
        Runs of the kernel; the oracle and the SimPy stack have fewer, they take seconds.
    """
    warm()
    works: dict[str, Callable[[], object]] = {
        "kernel": lambda: simulate(w1(requests), w_policy(), 1),
        "kernel and summary": lambda: summary_of(simulate(w1(requests), w_policy(), 1), "W1"),
        "oracle": lambda: simulate(w1(requests), w_policy(), 1, engine="oracle"),
    }
    turns = {"oracle": min(repeats, ORACLE_TURNS)}
    if all(map(find_spec, STACK)):
        from benchmarks.simpy_stack import play  # noqa: PLC0415  its packages may be absent

        works["SimPy stack"] = lambda: play(requests, 1)
        turns["SimPy stack"] = min(repeats, STACK_TURNS)
    found: dict[str, list[tuple[float, float]]] = {name: [] for name in works}
    for turn in range(repeats):
        for name, work in works.items():
            if turn < turns.get(name, repeats):
                cpu_s, wall_s = time.thread_time(), time.perf_counter()
                work()
                found[name].append((time.thread_time() - cpu_s, time.perf_counter() - wall_s))
    return found


def alone_at(requests: int) -> tuple[float, float]:
    """Play W1 once; return CPU seconds and the bytes that a request took at the peak."""
    warm()
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    cpu_s = time.thread_time()
    simulate(w1(requests), w_policy(), 1)
    cpu_s = time.thread_time() - cpu_s
    return cpu_s, (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * 1024 / requests


def two_threads(requests: int, runs: int = 8) -> float:
    """Play W1 with several seeds, one after the other and in two threads; return how much faster the two are by the clock."""
    warm()

    def work(seeds: range) -> None:
        for seed in seeds:
            simulate(w1(requests), w_policy(), seed)

    begun = time.perf_counter()
    work(range(runs))
    one_s = time.perf_counter() - begun
    pair = [threading.Thread(target=work, args=(range(part, runs, 2),)) for part in (0, 1)]
    begun = time.perf_counter()
    for thread in pair:
        thread.start()
    for thread in pair:
        thread.join()
    return one_s / (time.perf_counter() - begun)
