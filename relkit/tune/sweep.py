"""`sweep`: every candidate through every scenario with every seed, on any executor, rows to a sink as they come."""

import os
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Executor, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from itertools import islice
from typing import Any, Final, TypeAlias

import numpy as np
from tqdm.auto import tqdm

from relkit.batch import Batch, Sink
from relkit.exceptions import ParameterError
from relkit.policies.policy import Policy
from relkit.simulation.run import simulate
from relkit.simulation.scenario import Scenario
from relkit.slo.objective import Objective
from relkit.tune.code import code_hash
from relkit.tune.measures import RAW, dead_parts, measure_run
from relkit.tune.results import DEFAULT_OBJECTIVE, Sweep, Values, scenario_key, with_budget
from relkit.tune.space import Candidate, Design, Space, as_candidates

RunKey: TypeAlias = tuple[str, str, int]
"""Policy hash, scenario key and seed of a run."""

_RUNS_A_TASK: Final = 48  # a tenth of a second or more: sending a task costs milliseconds on a cluster
_TASKS_WAITING: Final = 3  # for each worker


@dataclass(frozen=True, slots=True)
class Task:
    """Some candidates and the runs that each still lacks; it travels to wherever the executor runs it."""

    places: tuple[int, ...]
    policies: tuple[Policy, ...]
    missing: tuple[tuple[tuple[int, int], ...], ...]
    scenarios: tuple[Scenario, ...]
    seeds: tuple[int, ...]


def play(task: Task) -> list[Values | str]:
    """Play the runs of a task; for each candidate its raw measures, or why it cannot run.

    Raises
    ------
    KeyboardInterrupt
        When a run was stopped in the middle: half a run is no result.
    """
    dead = [dead_parts(scenario) for scenario in task.scenarios]
    found: list[Values | str] = []
    for policy, missing in zip(task.policies, task.missing, strict=True):
        rows = np.empty((len(missing), len(RAW)))
        try:
            for row, (place, seed_place) in enumerate(missing):
                its = dead[place]
                run = simulate(task.scenarios[place], policy, task.seeds[seed_place], keep_attempts=bool(its))
                if not run.complete:
                    raise KeyboardInterrupt
                rows[row] = measure_run(run, its)
        except ParameterError as error:
            found.append(str(error))
            continue
        found.append(rows)
    return found


def sweep(
    what: Space | Design | Iterable[Policy | Candidate],
    scenarios: Sequence[Scenario],
    seeds: int | Sequence[int] = 4,
    *,
    points: int = 512,
    executor: Executor | None = None,
    workers: int | None = None,
    sink: Sink | None = None,
    known: Mapping[RunKey, Sequence[float]] | None = None,
    label: str = "sweep",
    objective: Objective = DEFAULT_OBJECTIVE,
    progress: bool | None = None,
) -> Sweep:
    """Play every candidate in every scenario with every seed.

    Parameters
    ----------
    what : Space, Design, or iterable of Policy or Candidate
        The candidates; a space stands for its design of `points` points.
    scenarios : sequence of Scenario
        The suite, each under its own name.
    seeds : int or sequence of int
        How many, from 1 on, or which; all candidates meet the same, so that their differences are sharp.
    points : int
        Of the design of a space, a power of two.
    executor : Executor or None
        Any of `concurrent.futures`; None for threads. The numbers are the same on every one.
    workers : int or None
        Threads without an executor, and by how many tasks are sent ahead; None for one a processor.
    sink : callable or None
        Takes rows of the table `sweeps` as candidates are finished.
    known : mapping or None
        Runs that need not be played again, as `relkit.store.known_runs` reads them from where a sink has put them.
    label : str
        Name of the sweep in the store.
    objective : Objective
        Whose ErrorBudget is meant by `budget_spent_share`.
    progress : bool or None
        Whether to show a bar; None for where there is a terminal.

    Returns
    -------
    Sweep
        After Ctrl-C the candidates that were finished, with `complete` False.

    Raises
    ------
    ParameterError
        For no scenario or seed, two of one name, or candidates none of which can run.

    Examples
    --------
    >>> from relkit.policies.presets import presets
    >>> from relkit.simulation.suite import w0
    >>> found = sweep([presets["pybreaker"], presets["polly-8"]], [w0(500)], seeds=2, workers=1)
    >>> found.values.shape[:3], found.ran
    ((2, 1, 2), 4)
    """
    candidates, suite, numbers = as_candidates(what, points), _checked_suite(scenarios), _checked_seeds(seeds)
    _check_label(label)
    if workers is not None and workers < 1:
        raise ParameterError.of("workers", workers, "at least 1", "leave it out for one a processor")
    code = code_hash()
    keys = [scenario_key(scenario) for scenario in suite]
    raw = np.full((len(candidates), len(suite), len(numbers), len(RAW)), np.nan)
    missing = [
        _take_known(raw[place], each.policy.hash, keys, numbers, known or {}) for place, each in enumerate(candidates)
    ]
    wanted = sum(len(each) for each in missing)
    taken = len(candidates) * len(suite) * len(numbers) - wanted
    is_done = np.array([not each for each in missing])
    reasons: dict[int, str] = {}
    ran = 0

    def keep(task: Task, results: list[Values | str]) -> None:
        nonlocal ran
        for place, its, rows in zip(task.places, task.missing, results, strict=True):
            bar.update(len(its))
            if isinstance(rows, str):
                reasons[place] = rows
                continue
            ran += len(its)
            is_done[place] = True
            for (scenario, seed), row in zip(its, rows, strict=True):
                raw[place, scenario, seed] = row
            if sink is not None:
                sink(_batch(f"{label}@{code}", candidates[place].policy.hash, its, rows, keys, numbers))

    tasks = _tasks(candidates, missing, suite, numbers)
    with tqdm(
        total=wanted, unit="run", desc="sweep", disable=not (sys.stderr.isatty() if progress is None else progress)
    ) as bar:
        complete = _play_all(tasks, executor, workers or os.cpu_count() or 1, keep)
    if reasons and len(reasons) == len(candidates):
        raise ParameterError(f"none of the {len(candidates)} candidates can run; the first: {reasons[min(reasons)]}")
    kept = np.flatnonzero(is_done)
    return Sweep(
        label=label, code=code, candidates=tuple(candidates[place] for place in kept), scenarios=suite, seeds=numbers,
        values=with_budget(raw[kept], suite, objective), objective=objective,
        refused=tuple((candidates[place].name, why) for place, why in sorted(reasons.items())),
        complete=complete, ran=ran, taken=taken,
    )  # fmt: skip


def _play_all(
    tasks: Iterator[Task], executor: Executor | None, workers: int, keep: Callable[[Task, list[Values | str]], None]
) -> bool:
    """Send tasks a few ahead and keep their results as they come; return whether all were played."""
    own = ThreadPoolExecutor(workers, "sweep") if executor is None else None
    pool: Executor = own or executor  # type: ignore[assignment]  # one of the two is there
    running: dict[Future[list[Values | str]], Task] = {}
    try:
        while True:
            for task in islice(tasks, max(_TASKS_WAITING * workers - len(running), 0)):
                running[pool.submit(play, task)] = task
            if not running:
                return True
            for future in wait(running, return_when=FIRST_COMPLETED).done:
                keep(running.pop(future), future.result())
    except KeyboardInterrupt:
        for future in list(running):
            future.cancel()
        for future in wait([one for one in running if not one.cancelled()]).done:
            if not future.cancelled() and future.exception() is None:
                keep(running[future], future.result())
        return False
    finally:
        for future in running:
            future.cancel()
        if own is not None:
            own.shutdown(wait=True, cancel_futures=True)


def _tasks(
    candidates: Sequence[Candidate],
    missing: Sequence[tuple[tuple[int, int], ...]],
    suite: tuple[Scenario, ...],
    seeds: tuple[int, ...],
) -> Iterator[Task]:
    gathered: list[int] = []
    runs = 0
    for place, its in enumerate(missing):
        if its:
            gathered.append(place)
            runs += len(its)
        if gathered and (runs >= _RUNS_A_TASK or place == len(missing) - 1):
            policies = tuple(candidates[one].policy for one in gathered)
            yield Task(tuple(gathered), policies, tuple(missing[one] for one in gathered), suite, seeds)
            gathered, runs = [], 0


def _take_known(
    raw: Values, policy_hash: str, keys: Sequence[str], seeds: Sequence[int], known: Mapping[RunKey, Sequence[float]]
) -> tuple[tuple[int, int], ...]:
    """Fill in what is known of a candidate; return the runs that are not."""
    missing = []
    for place, key in enumerate(keys):
        for seed_place, seed in enumerate(seeds):
            row = known.get((policy_hash, key, seed))
            if row is None:
                missing.append((place, seed_place))
            else:
                raw[place, seed_place] = row
    return tuple(missing)


def _batch(
    sweep_id: str,
    policy_hash: str,
    its: Sequence[tuple[int, int]],
    rows: Values,
    keys: Sequence[str],
    seeds: Sequence[int],
) -> Batch:
    """Return the rows of a candidate for the table `sweeps`, a row a measure; missing values as None."""
    wide, count = len(RAW), len(its) * len(RAW)
    columns: dict[str, Sequence[Any]] = {
        "sweep_id": [sweep_id] * count,
        "policy_hash": [policy_hash] * count,
        "scenario": [keys[place] for place, _ in its for _ in range(wide)],
        "seed": [seeds[seed_place] for _, seed_place in its for _ in range(wide)],
        "measure": list(RAW) * len(its),
        "value": [None if value != value else value for value in rows.ravel().tolist()],  # noqa: PLR0124  not a number
    }
    return Batch("sweeps", columns)


def _checked_suite(scenarios: Sequence[Scenario]) -> tuple[Scenario, ...]:
    suite = tuple(scenarios)
    names = [each.name for each in suite]
    if not suite or len(set(names)) < len(names):
        allowed = "at least one scenario, each under its own name"
        raise ParameterError.of("scenarios", names, allowed, "relkit.tune.around(scenario) makes twelve")
    return suite


def _checked_seeds(seeds: int | Sequence[int]) -> tuple[int, ...]:
    numbers = tuple(range(1, seeds + 1)) if isinstance(seeds, int) else tuple(seeds)
    if not numbers or len(set(numbers)) < len(numbers):
        raise ParameterError.of("seeds", seeds, "at least one seed, each once", "give a number of seeds such as 4")
    return numbers


def _check_label(label: str) -> None:
    if not label or "@" in label:
        raise ParameterError.of("label", label, "a text without @", "name the sweep, e.g. by its service")
