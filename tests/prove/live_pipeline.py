"""Points of the pipeline: live = simulated, permits under threads and cancelled tasks, and what it loads."""

import importlib
import sys
from collections import Counter
from pathlib import Path
from types import ModuleType

from .point import ROOT, Found, point

SCRIPTS = 1000
REQUESTS = 60
STORMS = 10


def beside(name: str) -> ModuleType:
    """Load a module that lies beside the tests, which are no package."""
    folder = str(ROOT / "tests/live")
    if folder not in sys.path:
        sys.path.insert(0, folder)
    return importlib.import_module(name)


@point("live", "live = simulated on 1,000 random scripts", slow=True)
def same_decisions(folder: Path) -> Found:
    lockstep = beside("lockstep")
    same, tries, changes, calls = 0, 0, 0, 0
    ends: Counter[int] = Counter()
    differing = []
    for seed in range(1000, 1000 + SCRIPTS):
        scenario, policy, carrier = lockstep.script(seed, REQUESTS)
        try:
            live = lockstep.compare(scenario, policy, seed, carrier)
        except AssertionError as error:
            differing.append(f"{seed}: {error}")
            continue
        same += 1
        if live is not None:
            calls += len(live.results)
            tries += len(live.tries)
            changes += len(live.transitions)
            ends.update(row[4] for row in live.results)
    figure = (
        f"{same} of {SCRIPTS} scripts the same in {calls} calls, {tries} tries and {changes} transitions, of which "
        f"{ends[1]} cached, {ends[2]} stale, {ends[4]} rejected; {'; '.join(differing[:3]) or 'none differs'}"
    )
    return Found("bit for bit, also breakers, budgets and cache at the end", figure, same == SCRIPTS)


@point("live", "1,000 tasks with random cancellations lose no permit")
def cancelled_tasks(folder: Path) -> Found:
    storms, flapping = beside("storms_of_calls"), beside("test_storms_of_calls").FLAPPING
    good, cancelled = 0, 0
    for seed in range(STORMS):
        trial = storms.tasks(1000, seed, breaker=storms.TRIAL, half_open=True, failing=0.0, cancelled=0.5)
        mixed = storms.tasks(1000, seed, breaker=flapping, half_open=False, failing=0.3, cancelled=0.3)
        good += trial.adds_up and trial.is_half_open and mixed.adds_up
        cancelled += trial.ended["cancelled"] + mixed.ended["cancelled"]
    goal = "permits and retries in flight 0, every try told once, no cancellation counted as a failure"
    return Found(goal, f"{good} of {STORMS} pairs of storms, {cancelled} calls cancelled", good == STORMS)


@point("live", "16 threads that give up at random lose no permit")
def threads_that_stop(folder: Path) -> Found:
    storms, flapping = beside("storms_of_calls"), beside("test_storms_of_calls").FLAPPING
    good, given_up = 0, 0
    for seed in range(STORMS):
        trial = storms.threads(16, 250, seed, breaker=storms.TRIAL, half_open=True, failing=0.0, given_up=0.3)
        mixed = storms.threads(16, 60, seed, breaker=flapping, half_open=False, failing=0.3, given_up=0.1)
        good += trial.adds_up and trial.is_half_open and mixed.adds_up
        good -= sum(trial.ended.values()) != 4000 or sum(mixed.ended.values()) != 960
        given_up += trial.ended["given up"] + mixed.ended["given up"]
    goal = "permits and retries in flight 0, every call ends once"
    return Found(goal, f"{good} of {STORMS} pairs of storms, {given_up} calls given up", good == STORMS)


@point("live", "no lock is held while a function of the user's runs")
def no_lock(folder: Path) -> Found:
    forms = beside("test_pipeline_forms")
    forms.test_no_lock_is_held_while_somebody_elses_function_runs()
    return Found("none of 11 kinds of function sees a lock held", "none does", holds=True)


@point("live", "the room loads none of the heavy libraries")
def light(folder: Path) -> Found:
    room = beside("test_live_room")
    code = (
        "import importlib, pkgutil, relkit.live\n"
        "for found in pkgutil.walk_packages(relkit.live.__path__, 'relkit.live.'):\n"
        "    importlib.import_module(found.name)"
    )
    heavy = sorted(room.loaded_by(code) & room.HEAVY)
    return Found("numpy, pandas, numba, matplotlib, duckdb not loaded", ", ".join(heavy) or "none is", not heavy)
