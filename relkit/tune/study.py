"""A study: one log, the settings in force, and a goal become a suite, a sweep, a choice and a replay.

`relkit tune` and the page of breakers ask for the same study, so that the page shows what the command chose.
"""

from collections.abc import Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, replace
from functools import partial
from typing import Final

import numpy as np

from relkit.batch import Sink
from relkit.policies.policy import Policy
from relkit.policies.presets import presets
from relkit.simulation.calibrate import Calibration
from relkit.simulation.replay import Replay, replay
from relkit.simulation.scenario import Scenario
from relkit.simulation.traffic import LoggedTraffic
from relkit.slo.objective import Objective
from relkit.tune.choice import Choice
from relkit.tune.choose import choose
from relkit.tune.goal import Goal
from relkit.tune.grid import Grid, centre_of, heat_grid
from relkit.tune.groundwork import base_of, space_of, steady, suite_of, trouble_s, usual_failing, usual_goal
from relkit.tune.reach import MONTH_S
from relkit.tune.results import DEFAULT_OBJECTIVE, Sweep, scenario_key
from relkit.tune.sensitivity import Sensitivity, morris
from relkit.tune.space import Candidate, Space
from relkit.tune.sweep import RunKey, sweep
from relkit.units import several
from relkit.verdict import Verdict

SMALL_POINTS: Final = 32
SMALL_SEEDS: Final = 3
SMALL_EVALUATIONS: Final = 48
WHOLE_POINTS: Final = 512
WHOLE_SEEDS: Final = 4
WHOLE_EVALUATIONS: Final = 160

MAPPED: Final = ("outage", "brownout", "flapping")
SCREENED: Final = ("outage", "flapping")
SCREENS: Final = 16

_REPLAYED: Final = ("plan", "resilience4j-count", "polly-8")


@dataclass(frozen=True, slots=True)
class Unfounded:
    """Why there is no study: the log has no clock, or too few requests.

    Parameters
    ----------
    sentence : str
        The reason, with its number.
    remedy : str
        What would help.
    """

    sentence: str
    remedy: str = ""

    @property
    def verdict(self) -> Verdict:
        """The refusal that a page opens with."""
        told = self.sentence.lstrip(": ")  # a log without models has no name to begin with
        why = told[0].upper() + told[1:].rstrip(".") + "."
        return Verdict(
            "tuning", "REFUSED", "No setting is recommended: there is no traffic to tune on.", why_not=why,
            would_change=self.remedy or "A log with a time and an outcome for each attempt, and at least 1,000 requests.",
        )  # fmt: skip


@dataclass(frozen=True, slots=True, eq=False)
class Study:
    """Everything that the page of breakers shows.

    Parameters
    ----------
    calibration : Calibration
        The traffic of the log as a scenario, and how far it is to be trusted.
    today : Policy
        The settings in force.
    base : Scenario
        The traffic that is played, without trouble.
    bad_s : float
        Length of the trouble in the suite, seconds.
    space : Space
        What was searched.
    found : Sweep
        The sweep.
    judged : Choice
        RECOMMENDED, or REFUSED.
    best : Choice
        What would be chosen if nothing but the limits counted: where `judged` is refused for the log's or the calibration's
        sake, this is what the pictures show, under the stamp. Else the same.
    replayed : Replay
        The log under today's setting, the choice and some presets.
    goal : Goal
        What was wanted.
    requests_a_month : float
        Of the log, over 30 days.
    logged_requests : int
        Of the log.
    is_stored : bool
        Whether the sweep was taken from the store.
    notes : tuple of str
        What was left out, a sentence each.
    """

    calibration: Calibration
    today: Policy
    base: Scenario
    bad_s: float
    space: Space
    found: Sweep
    judged: Choice
    best: Choice
    replayed: Replay
    goal: Goal
    requests_a_month: float
    logged_requests: int
    is_stored: bool
    notes: tuple[str, ...]

    @property
    def verdict(self) -> Verdict:
        """RECOMMENDED or REFUSED."""
        return self.judged.verdict

    @property
    def stamp(self) -> str:
        """What every figure that rests on the scenario says when it is not to be trusted; empty when it is."""
        return self.calibration.stamp

    @property
    def chosen(self) -> Candidate:
        """The candidate that figures mark: the choice, else the nearest to one, else today's setting."""
        name = self.best.name or self.today.hash
        return self.found.candidates[self.found.place_of(name)]


def study(
    traffic: LoggedTraffic,
    calibration: Calibration,
    today: Policy,
    *,
    goal: Goal | str = "",
    cost_microusd: int = 0,
    known: Mapping[RunKey, Sequence[float]] | None = None,
    points: int | None = None,
    objective: Objective = DEFAULT_OBJECTIVE,
    label: str = "tune",
    executor: Executor | None = None,
    workers: int | None = None,
    sink: Sink | None = None,
    seed: int = 1,
    progress: bool | None = None,
    notes: Sequence[str] = (),
) -> Study:
    """Play, choose and replay.

    Parameters
    ----------
    traffic : LoggedTraffic
        The log.
    calibration : Calibration
        Of it.
    today : Policy
        The settings in force, with a breaker.
    goal : Goal or str
        What is wanted; empty for `usual_goal`.
    cost_microusd : int
        Price of a call in millionths of a dollar; 0 where the log does not know it.
    known : mapping or None
        Runs that a store has kept. Where they hold a whole sweep of all twelve scenarios, that is taken.
    points : int or None
        Points of a whole sweep to play; None takes a stored sweep, or plays the small one of a page.
    objective : Objective
        Whose ErrorBudget counts.
    label, executor, workers, sink, progress
        As for `relkit.sweep`.
    seed : int
        Of the design.
    notes : sequence of str
        What is known of the log already, for the page.

    Returns
    -------
    Study

    Raises
    ------
    ParameterError
        A goal that cannot be read, or a policy without a breaker.
    """
    told = [*notes]
    if today.fallback is not None:
        told.append("The chain of models of the settings in force is not played here.")
    today = replace(today, fallback=None)
    base, space = base_of(calibration, cost_microusd), space_of(today)
    first = replay(traffic, [today], "R1", calibration=calibration)
    bad_s = trouble_s(base, first.incidents)
    whole = suite_of(base, bad_s)
    stored = _stored_points(space, whole, known or {}, seed) if points is None else None
    is_small = points is None and stored is None
    suite = suite_of(base, bad_s, small=True) if is_small else whole
    design = space.design(points or stored or SMALL_POINTS, seed)
    found = sweep(
        design, suite, SMALL_SEEDS if is_small else WHOLE_SEEDS, executor=executor, workers=workers, sink=sink, known=known,
        label=label, objective=objective, progress=progress,
    )  # fmt: skip
    if not found.complete:
        raise KeyboardInterrupt
    told += [f"{name} is left out: {why}" for name, why in found.refused]
    wanted = Goal.parse(goal) if isinstance(goal, str) and goal else goal or usual_goal(found, today)
    assert isinstance(wanted, Goal)
    requests = int(np.unique(traffic.request[traffic.is_user]).size)
    a_month = requests / max(traffic.span_s, 1.0) * MONTH_S
    eligible = steady(found, usual_failing(calibration, requests), calibration.scenario.arrivals.mean_rate)
    if not eligible.candidates:
        eligible = found
    may_stay = any(each.policy.hash == today.hash for each in eligible.candidates)
    if len(eligible.candidates) < len(found.candidates):
        left = len(found.candidates) - len(eligible.candidates)
        own = "" if may_stay else ", today's settings among them"
        told.append(
            f"{several(left, 'candidate')} may not be chosen{own}: on healthy traffic they would open for nothing more than once a week."
        )
    pick = partial(
        choose, eligible, wanted, today, requests_a_month=a_month, may_stay=may_stay, evaluations=SMALL_EVALUATIONS if is_small else WHOLE_EVALUATIONS,
        executor=executor, workers=workers, sink=sink, progress=progress,
    )  # fmt: skip
    judged = pick(logged_requests=requests, calibration=calibration)
    # refused before anything was compared: what it would have been is shown under the stamp
    best = judged if judged.evaluations else pick()
    return Study(
        calibration, today, base, bad_s, space, found, judged, best, replay(traffic, _arms(today, best), "R1", calibration=calibration), wanted,
        a_month, requests, stored is not None, tuple(told),
    )  # fmt: skip


def _stored_points(
    space: Space, suite: Sequence[Scenario], known: Mapping[RunKey, Sequence[float]], seed: int
) -> int | None:
    """Size of the largest design all of whose runs are known."""
    keys = [scenario_key(each) for each in suite]
    if not known or not any(key[1] in keys for key in known):
        return None
    for power in range(14, 3, -1):
        candidates = space.design(1 << power, seed).candidates if (1 << power) * len(keys) <= len(known) else ()
        runs = (
            (one.policy.hash, key, number) for one in candidates for key in keys for number in range(1, WHOLE_SEEDS + 1)
        )
        if candidates and all(run in known for run in runs):
            return 1 << power
    return None


def _arms(today: Policy, best: Choice) -> list[Policy]:
    """Today's setting, the choice, and some presets whose names people know."""
    arms = {today.hash: today}
    if best.name:
        arms.setdefault(best.policy.hash, replace(best.policy, name="the choice"))
    for name in _REPLAYED:
        arms.setdefault(presets[name].hash, presets[name])
    names: dict[str, Policy] = {}
    for each in arms.values():
        names.setdefault(each.name, each)
    return list(names.values())


def map_of(found: Study | Unfounded) -> Grid | None:
    """Play failure share x open time around the choice in three kinds of trouble; None without a study."""
    if isinstance(found, Unfounded):
        return None
    suite = [each for each in found.found.scenarios if each.name in MAPPED]
    return heat_grid(centre_of(found.chosen.policy, found.space), found.space, suite, SMALL_SEEDS, progress=False)


def matters_of(found: Study | Unfounded) -> Sensitivity | None:
    """Screen the searched settings by Morris' effects on the goal's measure; None without a study."""
    if isinstance(found, Unfounded):
        return None
    suite = [each for each in found.found.scenarios if each.name in SCREENED]
    return morris(found.space, suite, found.goal.best_in, trajectories=SCREENS, seeds=1, progress=False)
