"""Points of the simulation's engine: exactness, theory, metastable states, speed and memory, keyed draws."""

import importlib
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

from .point import ROOT, Found, point

RANDOM_RUNS = 400


def beside(name: str) -> ModuleType:
    """Load a module that lies beside the tests, which are no package."""
    folder = str(ROOT / "tests/simulation")
    if folder not in sys.path:
        sys.path.insert(0, folder)
    return importlib.import_module(name)


def cpu_s(work: Callable[[], object], repeats: int = 5) -> float:
    """Return the least CPU seconds of this thread over some repeats."""
    found = []
    for _ in range(repeats):
        start_s = time.thread_time()
        work()
        found.append(time.thread_time() - start_s)
    return min(found)


def both_engines(scenario: Any, policy: Any, seed: int) -> bool:
    """Say whether kernel and oracle agree, or refuse alike."""
    from relkit.exceptions import ParameterError  # noqa: PLC0415  pytest collects this module and must not pay for it
    from relkit.simulation.run import simulate  # noqa: PLC0415

    told = []
    for engine in ("kernel", "oracle"):
        try:
            told.append(simulate(scenario, policy, seed, keep_attempts=True, engine=engine))
        except ParameterError as error:
            told.append(error)  # type: ignore[arg-type]
    if any(isinstance(one, ParameterError) for one in told):
        return str(told[0]) == str(told[1])
    beside("test_exact").assert_same(*told)
    return True


@point("simulation", "kernel = oracle on W0 and W1, 3 seeds each")
def same_w(folder: Path) -> Found:
    from relkit.simulation.suite import w0, w1, w_policy  # noqa: PLC0415

    same = sum(
        both_engines(scenario, policy, seed)
        for seed in (1, 2, 20251008)
        for scenario, policy in ((w0(), w_policy(chain=False)), (w1(), w_policy()))
    )
    return Found("bit for bit, 100,000 requests", f"{same} of 6 runs", same == 6)


@point("simulation", "kernel = oracle on random scenarios and policies")
def same_random(folder: Path) -> Found:
    random_run = beside("random_runs").random_run
    same = sum(both_engines(*random_run(seed), seed) for seed in range(1000, 1000 + RANDOM_RUNS))
    return Found("at least 200, bit for bit", f"{same} of {RANDOM_RUNS}", same == RANDOM_RUNS)


@point("simulation", "closed forms over 20 seeds")
def closed_forms(folder: Path) -> Found:
    theory = beside("test_theory")
    cases: list[tuple[str, Callable[..., None], list[tuple[Any, ...]]]] = [
        ("M/M/c", theory.test_m_m_c_waits_as_erlang_says, [(1, 0.5), (4, 0.8), (20, 0.7)]),
        ("M/G/1", theory.test_m_g_1_waits_as_pollaczek_and_khinchine_say, [(0.5, 0.0), (0.7, 0.5), (0.5, 1.0)]),
        ("geometric", theory.test_attempts_are_truncated_geometric, [(0.1, 1), (0.5, 3), (0.9, 5)]),
        ("budget cap", theory.test_a_budget_of_a_tenth_caps_attempts_at_one_tenth_more, [(0.3,), (0.9,)]),
        ("renewal", theory.test_a_breaker_is_a_renewal_process, [(0.3, 3, 2.0), (0.5, 5, 1.0), (0.2, 2, 1.0)]),
    ]
    missed = []
    for name, check, all_arguments in cases:
        for arguments in all_arguments:
            try:
                check(*arguments)
            except AssertionError as error:
                missed.append(f"{name} {arguments}: {error}")
    goal = "inside the t interval at 1e-4 over 20 seeds, each"
    return Found(goal, "; ".join(missed) or "all 14 cells", not missed)


@point("simulation", "metastability table, 20 seeds a row")
def metastability(folder: Path) -> Found:
    from relkit.simulation.run import simulate  # noqa: PLC0415

    table = beside("test_metastable")
    wrong, figures = [], []
    for rows, recovers in ((table.STUCK, False), (table.SAVED, True)):
        for name, (scenario, policy) in rows.items():
            goodput = [simulate(scenario, policy, seed).goodput(600, 900) for seed in range(1, 21)]
            figures.append(f"{name} {min(goodput):.2f}-{max(goodput):.2f}")
            if any((share > 0.95) != recovers or (share < 0.05) == recovers for share in goodput):
                wrong.append(name)
    return Found("5 rows never recover, 6 always do", "; ".join(figures), not wrong)


@point("simulation", "phase diagram, 70 cells")
def phase_diagram(folder: Path) -> Found:
    from relkit.simulation.run import simulate  # noqa: PLC0415
    from relkit.simulation.suite import metastable, retrying  # noqa: PLC0415

    agree = judged = 0
    for retries in range(5):
        for step in range(14):
            rho = 0.15 + 0.75 * step / 13
            if abs(rho * (1 + retries) - 1.0) < 0.03:
                continue
            runs = [simulate(metastable(rho), retrying(retries), seed) for seed in range(1, 6)]
            collapsed = sum(run.goodput(600, 900) < 0.5 for run in runs) >= 3
            judged += 1
            agree += collapsed == (rho * (1 + retries) > 1.0)
    goal = "collapse iff rho (1 + R) > 1 in every cell off the boundary (3 %)"
    return Found(goal, f"{agree} of {judged}; {70 - judged} on it", agree == judged)


@point("simulation", "100 seeds of W1: no breaker stuck, few failures")
def hundred_seeds(folder: Path) -> Found:
    from relkit.simulation.run import simulate  # noqa: PLC0415
    from relkit.simulation.suite import w1, w_policy  # noqa: PLC0415

    worst, stuck = 0.0, 0
    for seed in range(1, 101):
        run = simulate(w1(), w_policy(), seed)
        worst = max(worst, 1.0 - run.answered_share)
        last = {int(row["model"]): (int(row["state"]), float(row["at_s"])) for row in run.transitions}
        end_s = float(run.requests["arrival_s"][-1])
        stuck += sum(state == 2 and at_s < end_s - 60.0 for state, at_s in last.values())
    return Found(
        "none stuck half open, failures below 6 %", f"{stuck} stuck, worst {worst:.2%}", stuck == 0 and worst < 0.06
    )


@point("simulation", "kernel against oracle, CPU in one process")
def speed(folder: Path) -> Found:
    from relkit.simulation.run import simulate  # noqa: PLC0415
    from relkit.simulation.suite import w0, w1, w_policy  # noqa: PLC0415

    simulate(w1(100), w_policy(), 1)
    figures, least = [], float("inf")
    for scenario, policy in ((w1(), w_policy()), (w0(), w_policy(chain=False))):
        ours = cpu_s(lambda: simulate(scenario, policy, 1), 7)  # noqa: B023  called at once
        its = cpu_s(lambda: simulate(scenario, policy, 1, engine="oracle"), 3)  # noqa: B023
        least = min(least, its / ours)
        figures.append(f"{scenario.name} {ours * 1e3:.1f} ms, {its / ours:.0f}x")
    return Found("at least 30x", "; ".join(figures), least >= 30)


@point("simulation", "one re-simulation of 100,000 requests with summary")
def slider(folder: Path) -> Found:
    from relkit.simulation.run import simulate  # noqa: PLC0415
    from relkit.simulation.suite import w1, w_policy  # noqa: PLC0415

    def once() -> object:
        run = simulate(w1(), w_policy(), 1)
        return run.counts, run.answered_share, run.latency_s(0.5, 0.95, 0.99), run.seconds.sum(axis=0)

    once()
    took_s = cpu_s(once, 9)
    return Found("at most 60 ms of CPU", f"{took_s * 1e3:.1f} ms", took_s <= 0.060)


_COLD = (
    "import time; start = time.process_time(); from relkit.simulation.suite import w1, w_policy;"
    "from relkit.simulation.run import simulate; simulate(w1(100), w_policy(), 1); print(time.process_time() - start)"
)


@point("simulation", "cold compile once, then a cached start, none on another preset")
def cold(folder: Path) -> Found:
    place = {**os.environ, "RELKIT_CACHE": str(folder)}

    def start_s() -> float:
        done = subprocess.run(
            [sys.executable, "-c", _COLD], env=place, capture_output=True, text=True, check=True, cwd=ROOT
        )
        return float(done.stdout)

    first_s, again_s = start_s(), start_s()
    from relkit.policies.presets import presets  # noqa: PLC0415
    from relkit.simulation import kernel  # noqa: PLC0415
    from relkit.simulation.run import simulate  # noqa: PLC0415
    from relkit.simulation.suite import w0  # noqa: PLC0415

    for policy in presets.values():
        simulate(w0(200), policy, 1)
    versions = len(kernel.run_events.signatures)  # type: ignore[attr-defined]
    figure = f"{first_s:.1f} s cold, {again_s:.1f} s cached, {versions} version for {len(presets)} presets"
    return Found("at most 60 s, 5 s, 1 version", figure, first_s <= 60 and again_s <= 5 and versions == 1)


@point("simulation", "keyed draws: variance of a difference")
def common_luck(folder: Path) -> Found:
    import numpy as np  # noqa: PLC0415

    from relkit.simulation.run import simulate  # noqa: PLC0415
    from relkit.simulation.suite import w1, w_policy  # noqa: PLC0415

    base = w1(20_000).changed(episodes=())
    breaker_base = w1(20_000).changed(
        episodes=(w1().episodes[0].__class__("outage", "first", 100.0, 130.0, share=1.0),)
    )

    def mean_s(scenario: Any, policy: Any, seed: int) -> float:
        return float(simulate(scenario, policy, seed).requests["latency_s"].mean())

    def gain(one: tuple[Any, Any], other: tuple[Any, Any]) -> float:
        ours = [mean_s(*one, seed) for seed in range(1000, 1060)]
        same = [mean_s(*other, seed) for seed in range(1000, 1060)]
        fresh = [mean_s(*other, seed) for seed in range(500_000, 500_060)]
        return float(np.var(np.subtract(ours, fresh)) / np.var(np.subtract(ours, same)))

    smooth = gain((base.changed(timeout_s=2.5), w_policy()), (base, w_policy()))
    flips = gain((breaker_base, w_policy(open_s=10.0)), (breaker_base, w_policy(open_s=12.0)))
    figure = f"timeout 2.5 / 3.0 s {smooth:.0f}x; open time 10 / 12 s {flips:.1f}x (not promised)"
    return Found("at least 100x for a smooth knob", figure, smooth >= 100)


@point("simulation", "10^4 to 10^7 requests: time and memory", slow=True)
def sizes(folder: Path) -> Found:
    code = (
        "import resource, sys, time; from relkit.simulation.suite import w1, w_policy;"
        "from relkit.simulation.run import simulate; simulate(w1(100), w_policy(), 1);"
        "before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss; start = time.process_time(); n = int(sys.argv[1]);"
        "simulate(w1(n), w_policy(), 1);"
        "print(time.process_time() - start, (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * 1024 / n)"
    )
    figures, most = [], 0.0
    for power in (4, 5, 6, 7):
        done = subprocess.run(
            [sys.executable, "-c", code, str(10**power)], capture_output=True, text=True, check=True, cwd=ROOT
        )
        took_s, bytes_each = map(float, done.stdout.split())
        figures.append(f"10^{power} {took_s:.2f} s, {bytes_each:.0f} B each")
        most = bytes_each if power == 7 else most
    return Found("at most 64 B a request at 10^7", "; ".join(figures), most <= 64)


@point("simulation", "two threads at once", slow=True)
def threads(folder: Path) -> Found:
    import numpy as np  # noqa: PLC0415

    from relkit.simulation.run import simulate  # noqa: PLC0415
    from relkit.simulation.suite import w1, w_policy  # noqa: PLC0415

    alone = [simulate(w1(), w_policy(), seed).requests for seed in range(8)]
    found: dict[int, Any] = {}

    def work(seeds: range) -> None:
        for seed in seeds:
            found[seed] = simulate(w1(), w_policy(), seed).requests

    start_s = time.perf_counter()
    work(range(8))
    one_s = time.perf_counter() - start_s
    pair = [threading.Thread(target=work, args=(range(part, 8, 2),)) for part in (0, 1)]
    start_s = time.perf_counter()
    for thread in pair:
        thread.start()
    for thread in pair:
        thread.join()
    two_s = time.perf_counter() - start_s
    same = all(np.array_equal(alone[seed], found[seed]) for seed in range(8))
    return Found("equal results (the speed depends on who else runs)", f"equal: {same}, {one_s / two_s:.2f}x", same)
