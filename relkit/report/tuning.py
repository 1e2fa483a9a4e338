"""What the page of breakers and `relkit tune` need: the log's traffic, its calibration, and the study of both."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

from relkit.batch import Sink
from relkit.config.services import DEFAULT
from relkit.exceptions import DataError
from relkit.policies.policy import Policy
from relkit.policies.presets import presets
from relkit.report.scope import Scope
from relkit.simulation.calibrate import Calibration, calibrate
from relkit.simulation.traffic import LoggedTraffic
from relkit.slo.objective import Objective
from relkit.store import known_runs, open_store, readings
from relkit.store.readings.traffic import traffic
from relkit.tune import RAW, code_hash
from relkit.tune.study import Study, Unfounded, study

USUAL: Final = "plan-fixed"
LABEL: Final = "tune"


@dataclass(frozen=True, slots=True, eq=False)
class Tunable:
    """A log that can be tuned on.

    Parameters
    ----------
    traffic : LoggedTraffic
        Its attempts on one model.
    calibration : Calibration
        Of them.
    cost_microusd : int
        Mean price of a try that the log prices, millionths of a dollar; 0 for unknown.
    known : mapping
        Runs of sweeps that the store holds.
    notes : tuple of str
        What to know about it, a sentence each.
    """

    traffic: LoggedTraffic
    calibration: Calibration
    cost_microusd: int
    known: Mapping[tuple[str, str, int], Sequence[float]]
    notes: tuple[str, ...] = ()


def today_of(scope: Scope, preset: str = "") -> Policy:
    """Return the settings in force: a preset by name, else `[service.default]` of relkit.toml, else the usual ones.

    Raises
    ------
    ParameterError
        There is no such preset.
    """
    if preset:
        return presets[preset]
    return scope.config.services[DEFAULT] if DEFAULT in scope.config.services else presets[USUAL]


def objective_of(scope: Scope) -> Objective:
    """Return the objective whose budget a breaker may spend: the first on availability."""
    plain = [each for each in scope.config.objectives if each.threshold_us is None]
    return (plain or list(scope.config.objectives))[0]


def read_tunable(scope: Scope, *, strict: bool = False) -> Tunable | Unfounded:
    """Read the traffic of a log and calibrate it.

    Parameters
    ----------
    scope : Scope
        What is reported on.
    strict : bool
        Whether a sweep made by other code is an error rather than a note: who plays a new one must know.

    Returns
    -------
    Tunable or Unfounded
        The latter where the log has no clock, or is too short.
    """
    notes: tuple[str, ...] = ()
    try:
        with open_store(scope.database, rules=scope.config.rules) as store:
            logged = traffic(store, scope.period)
            tries = readings.tries(store, scope.period)
        calibration = calibrate(logged)
    except DataError as error:
        return Unfounded(str(error))
    known: Mapping[tuple[str, str, int], Sequence[float]] = {}
    try:
        known = known_runs(scope.database, LABEL, code_hash(), RAW)
    except DataError as error:
        if strict:
            raise
        notes = (f"The stored sweep is not used: {error}.",)
    priced = sum(row.priced for row in tries.numbers)
    paid = sum(row.cost_microusd or 0 for row in tries.numbers)
    return Tunable(logged, calibration, round(paid / priced) if priced else 0, known, notes)


def read_tuning(
    scope: Scope,
    *,
    today: str = "",
    goal: str = "",
    points: int | None = None,
    sink: Sink | None = None,
    **playing: Any,
) -> Study | Unfounded:
    """Calibrate, sweep, choose and replay.

    Parameters
    ----------
    scope : Scope
        What is reported on.
    today : str
        Preset in force; empty for that of relkit.toml.
    goal : str
        What is wanted; empty for the usual goal.
    points : int or None
        Points of a whole sweep; None takes a stored sweep, or plays a small one.
    sink : Sink or None
        Takes the runs.
    **playing
        workers, executor, seed and progress, as for `relkit.sweep`.

    Raises
    ------
    ParameterError
        There is no such preset, or the goal cannot be read.
    """
    settings = today_of(scope, today)
    found = read_tunable(scope, strict=points is not None)
    if isinstance(found, Unfounded):
        return found
    play = partial(study, found.traffic, found.calibration, settings, label=LABEL, objective=objective_of(scope))
    return play(
        goal=goal,
        cost_microusd=found.cost_microusd,
        known=found.known,
        points=points,
        sink=sink,
        notes=found.notes,
        **playing,
    )
