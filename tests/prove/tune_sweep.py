"""Points of sweeps: speed and its growth, equal tables on every executor, resumption after a kill, other code refused."""

import multiprocessing
import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from concurrent.futures import Executor, ProcessPoolExecutor
from pathlib import Path
from typing import Any

from .point import ROOT, Found, Skipped, point

MOST_CPU_S = 120.0
POINTS = 512
SEEDS = 4

KILLED = """
import signal
import sys
from pathlib import Path
signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell ignores it in what runs in the background
sys.path.insert(0, {root!r})
from relkit.store import known_runs, tuning_sink
from relkit.tune import RAW, code_hash
from relkit.tune.sweep import sweep
from tests.prove.tune_sweep import small_space, small_suite

path = Path({path!r})
known = known_runs(path, "chat", code_hash(), RAW)
print("known", len(known), flush=True)
with tuning_sink(path) as sink:
    found = sweep(small_space().design(256), small_suite(), 4, sink=sink, known=known, label="chat", workers=1)
print("ran", found.ran, "taken", found.taken, flush=True)
"""


def small_space() -> Any:
    """Five settings of the plan's breaker and retries, made to work."""
    from relkit.policies.presets import presets  # noqa: PLC0415  pytest collects this module and must not pay for it
    from relkit.tune import Log, Space, Whole  # noqa: PLC0415

    ranges = {
        "failure_threshold": Whole(2, 5), "open_s": Log(2.0, 30.0), "max_attempts": Whole(1, 4),
        "first_delay_s": Log(0.05, 1.0), "half_open_permits": Whole(1, 5),
    }  # fmt: skip
    return Space(presets["plan-fixed"], ranges)


def suite(requests: int) -> tuple[Any, ...]:
    """Twelve scenarios of a service with a queue."""
    from relkit.errors import ErrorKind  # noqa: PLC0415
    from relkit.simulation.arrivals import poisson  # noqa: PLC0415
    from relkit.simulation.latency import lognormal  # noqa: PLC0415
    from relkit.simulation.scenario import ErrorShare, Scenario, ServedModel  # noqa: PLC0415
    from relkit.tune import around  # noqa: PLC0415

    usual = (ErrorShare(ErrorKind.API_SERVER_ERROR, 0.01),)
    model = ServedModel("chat", "chat", lognormal(0.45, 0.6), 40, 256, usual, cost_microusd=130)
    return around(Scenario("chat", requests, poisson(50.0), (model,), timeout_s=3.0))


def small_suite() -> tuple[Any, ...]:
    """Four of them, shorter."""
    return suite(2000)[:4]


@point("tune", "512 points x 12 scenarios x 4 seeds x 6,000 requests", slow=True)
def speed(folder: Path) -> Found:
    from relkit.tune.sweep import sweep  # noqa: PLC0415

    space, scenarios = small_space(), suite(6000)
    sweep(space.design(1), scenarios, 1, workers=1)
    cpu_s: dict[int, float] = {}
    for points in (64, 128, POINTS):
        start_s = time.process_time()
        found = sweep(space.design(points), scenarios, SEEDS, workers=1)
        cpu_s[points] = time.process_time() - start_s
    whole_s = cpu_s[POINTS]
    each = ", ".join(f"{points} points {seconds:.1f} s" for points, seconds in cpu_s.items())
    growth = cpu_s[POINTS] / cpu_s[128] / 4
    figure = f"{found.ran:,} runs, {found.ran * 6000 / whole_s / 1e6:.2f} M requests/s; {each}; 4 times the points cost {4 * growth:.2f} times"
    return Found(
        f"<= {MOST_CPU_S:.0f} s CPU warm, growing in proportion", figure, whole_s <= MOST_CPU_S and growth < 1.25
    )


def same_as_threads(executor: Executor) -> Found:
    """Compare a sweep on an executor with that on threads, value by value and row by row."""
    import numpy as np  # noqa: PLC0415

    from relkit.batch import Batch  # noqa: PLC0415
    from relkit.tune.sweep import sweep  # noqa: PLC0415

    tables: list[set[Any]] = []
    values = []
    for one in (None, executor):
        batches: list[Batch] = []
        found = sweep(small_space().design(64), small_suite(), 2, executor=one, sink=batches.append)
        tables.append({row for batch in batches for row in zip(*batch.columns.values(), strict=True)})
        values.append(found.values)
    same = np.array_equal(values[0], values[1], equal_nan=True) and tables[0] == tables[1]
    return Found("equal to the bit, and the same rows", f"{values[0].size:,} values, {len(tables[0]):,} rows", same)


@point("tune", "equal tables on threads and processes")
def processes(folder: Path) -> Found:
    with ProcessPoolExecutor(2, multiprocessing.get_context("spawn")) as executor:
        return same_as_threads(executor)


@point("tune", "equal tables on threads and Dask")
def dask(folder: Path) -> Found:
    try:
        from distributed import Client, LocalCluster  # noqa: PLC0415
    except ImportError:
        raise Skipped("Dask is not installed: pip install distributed") from None
    with LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None) as cluster, Client(cluster) as client:  # type: ignore[no-untyped-call]
        return same_as_threads(client.get_executor())


def start(path: Path) -> subprocess.Popen[str]:
    """Start the sweep that will be killed, into a store."""
    code = KILLED.format(root=str(ROOT), path=str(path))
    return subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True, cwd=ROOT)


def kept(path: Path) -> int:
    """Runs in the store; 0 while it is being written."""
    from relkit.exceptions import RelkitError  # noqa: PLC0415
    from relkit.store import known_runs  # noqa: PLC0415
    from relkit.tune import RAW, code_hash  # noqa: PLC0415

    try:
        return len(known_runs(path, "chat", code_hash(), RAW))
    except RelkitError:
        return 0


def killed_and_resumed(path: Path, sent: signal.Signals) -> tuple[int, Sequence[str]]:
    """Kill a sweep once it has kept something; return what it had kept and what the second start said."""
    first = start(path)
    for _ in range(1200):
        time.sleep(0.05)
        if path.exists() and kept(path) > 0:
            break
    os.kill(first.pid, sent)
    first.wait(timeout=60)
    had = kept(path)
    again = start(path)
    said, _ = again.communicate(timeout=300)
    return had, said.split()


@point("tune", "resumed after SIGKILL and Ctrl-C in the middle")
def resumed(folder: Path) -> Found:
    from relkit.store import known_runs  # noqa: PLC0415
    from relkit.tune import RAW, code_hash  # noqa: PLC0415
    from relkit.tune.sweep import sweep  # noqa: PLC0415

    whole = sweep(small_space().design(256), small_suite(), 4)
    runs = whole.values[..., 0].size
    expected = {
        (each.policy.hash, seed): whole.values[place, :, number, : len(RAW)].tolist()
        for place, each in enumerate(whole.candidates)
        for number, seed in enumerate(whole.seeds)
    }
    figures, holds = [], True
    for name, sent in (("SIGKILL", signal.SIGKILL), ("Ctrl-C", signal.SIGINT)):
        path = folder / f"{name}.duckdb"
        had, said = killed_and_resumed(path, sent)
        ran, taken = int(said[3]), int(said[5])
        known = known_runs(path, "chat", code_hash(), RAW)
        same = len(known) == runs and {repr(list(row)) for row in known.values()} == {
            repr(row) for rows in expected.values() for row in rows
        }
        holds &= same and 0 < had < runs and taken == had and ran == runs - had
        figures.append(f"{name}: {had} of {runs} runs kept, {ran} played, {'equal' if same else 'different'}")
    return Found("nothing kept is played again, the whole is equal", "; ".join(figures), holds)


@point("tune", "a store made by other code is refused")
def other_code(folder: Path) -> Found:
    from relkit.exceptions import DataError  # noqa: PLC0415
    from relkit.store import known_runs, tuning_sink  # noqa: PLC0415
    from relkit.tune import RAW, code_hash  # noqa: PLC0415
    from relkit.tune.sweep import sweep  # noqa: PLC0415

    path = folder / "t.duckdb"
    with tuning_sink(path) as sink:
        sweep(small_space().design(2), small_suite()[:1], 1, sink=sink, label="chat", workers=1)
    mine = len(known_runs(path, "chat", code_hash(), RAW))
    try:
        known_runs(path, "chat", "0" * 16, RAW)
    except DataError as error:
        said = str(error)
        return Found("refused with the remedy", said, mine == 2 and "other code" in said and "label" in said)
    return Found("refused with the remedy", "accepted", holds=False)
