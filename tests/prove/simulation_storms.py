"""Points of retry storms: theory against the page's runs, SimPy as an independent referee, Ctrl-C, the page's time."""

import os
import signal
import subprocess
import sys
import time
from collections import Counter
from importlib.util import find_spec
from pathlib import Path

from .point import ROOT, Found, Skipped, demo_database, must, point, run

STACK = ("simpy", "pybreaker", "tenacity")


def need_stack() -> None:
    """Skip where the packages that relkit is compared with are not installed: they are no dependencies."""
    lacking = [name for name in STACK if find_spec(name) is None]
    if lacking:
        raise Skipped(f"not installed here: {', '.join(lacking)} (pip install them beside relkit to compare)")


@point("simulation", "the page's diagram: 44 cells, 6 seeds each, against load x tries = 1")
def page_diagram(folder: Path) -> Found:
    from relkit.simulation.storm_runs import LOADS, RETRIES, cell  # noqa: PLC0415  pytest collects this module

    cells = [cell(load, retries) for retries in RETRIES for load in LOADS]
    judged = [one for one in cells if not one.is_on_the_line]
    agree = sum(one.agrees and one.stuck in {0, one.recovery.seeds} for one in judged)
    slowest = max(one.recovery.median for one in judged if not one.is_stuck)
    figure = f"{agree} of {len(judged)}, all seeds alike; slowest recovery {slowest:.0f} s"
    return Found("every cell off the line, every seed", figure, agree == len(judged))


@point("simulation", "amplification against the closed form, 24 points, 6 seeds each")
def page_amplification(folder: Path) -> Found:
    from relkit.policies.retry_budget import PER_REQUEST, RetryBudgetSettings  # noqa: PLC0415
    from relkit.simulation.storm_runs import FAILING_SHARES, amplification  # noqa: PLC0415
    from relkit.simulation.suite import retrying  # noqa: PLC0415

    tenth = RetryBudgetSettings(PER_REQUEST, capacity=50.0, earn=0.1)
    curves = ((retrying(1), 1), (retrying(3), 3), (retrying(5), 5), (retrying(3, budget=tenth), 3))
    points = [amplification("", policy, share, most) for policy, most in curves for share in FAILING_SHARES]
    pairs = [(one.attempts.median, one.closed_form(one.failing_share)) for one in points]
    worst = max(abs(found / known - 1.0) for found, known in pairs if known)
    return Found("median within 2 % everywhere", f"{worst:.2%} at most", worst <= 0.02)


@point("simulation", "an independent model of W1 in SimPy ends as ours does, 3 seeds", slow=True)
def referee(folder: Path) -> Found:
    need_stack()
    from benchmarks.simpy_stack import play  # noqa: PLC0415
    from relkit.simulation.run import simulate  # noqa: PLC0415
    from relkit.simulation.suite import w1, w_policy  # noqa: PLC0415

    theirs: Counter[str] = Counter()
    ours: Counter[str] = Counter()
    for seed in (1, 2, 3):
        world = play(100_000, seed)
        theirs.update(world.ends)
        theirs["tries"] += world.tries
        held = simulate(w1(), w_policy(adaptive=False), seed)
        counts = held.counts
        counts["failed"] += counts.pop("rejected")  # the stack tells no failure from a rejection
        ours.update(counts)
        ours["tries"] += int(held.requests["attempts"].sum())
    gaps = {name: theirs[name] / ours[name] - 1.0 for name in ("fresh", "cached", "failed", "tries")}
    figure = ", ".join(f"{name} {gap:+.1%}" for name, gap in gaps.items())
    holds = all(abs(gap) <= (0.1 if name == "failed" else 0.01) for name, gap in gaps.items())
    return Found("fresh, cached, tries within 1 %, failed within 10 %", figure, holds)


@point("simulation", "kernel against SimPy + pybreaker + tenacity on W1, CPU in one process", slow=True)
def stack_speed(folder: Path) -> Found:
    need_stack()
    from benchmarks.simulation_work import side_by_side  # noqa: PLC0415

    timed = {name: min(cpu_s for cpu_s, _ in costs) for name, costs in side_by_side(100_000, 9).items()}
    over_stack, over_oracle = timed["SimPy stack"] / timed["kernel"], timed["oracle"] / timed["kernel"]
    figure = f"{over_stack:.0f}x the stack, {over_oracle:.0f}x the oracle, {timed['kernel'] * 1e3:.0f} ms"
    return Found("at least 150x the stack and 30x the oracle", figure, over_stack >= 150 and over_oracle >= 30)


_STUDY = (
    "import sys; from relkit.simulation.storm_runs import storms; from relkit.simulation.storm_verdict import verdict_of\n"
    "found = storms(progress=lambda done, wanted: print(done, wanted, flush=True))\n"
    "print(len(found.strategies), found.complete, verdict_of(found).code)"
)


@point("simulation", "Ctrl-C in the middle of the page's runs keeps what is finished")
def interrupted(folder: Path) -> Found:
    process = subprocess.Popen(
        [sys.executable, "-c", _STUDY], stdout=subprocess.PIPE, text=True, cwd=ROOT, env={**os.environ}
    )
    assert process.stdout is not None
    told = [process.stdout.readline() for _ in range(4)]
    process.send_signal(signal.SIGINT)
    rest = process.stdout.read().splitlines()
    process.wait(timeout=60)
    kept, complete, code = rest[-1].split()
    figure = f"{kept} strategies kept after {told[-1].split()[0]} were told, complete {complete}, verdict {code}"
    return Found(
        "4 or more kept, and said to be incomplete", figure, int(kept) >= 4 and (complete, code) == ("False", "REFUSED")
    )


@point("simulation", "2_retries, warm, from papermill's start to its end")
def page_time(folder: Path) -> Found:
    words = [
        sys.executable, "-m", "papermill", "--no-progress-bar", str(ROOT / "notebooks/2_retries.ipynb"), str(folder / "out.ipynb"),
        "-p", "database", str(demo_database()),
    ]  # fmt: skip
    took_s = []
    for _ in range(3):
        start_s = time.perf_counter()
        must(run(words, ROOT))
        took_s.append(time.perf_counter() - start_s)
    return Found(
        "at most 10 s by the clock (the machine's load counts)", f"{min(took_s):.1f} s, best of 3", min(took_s) <= 10
    )
