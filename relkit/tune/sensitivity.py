"""Which setting matters: Morris' screening, quick enough to watch, and Sobol's total effects for a report."""

from collections.abc import Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from relkit.exceptions import ParameterError
from relkit.simulation.scenario import Scenario
from relkit.tune.measures import measure as measure_named
from relkit.tune.results import Values
from relkit.tune.space import Candidate, Space
from relkit.tune.sweep import sweep

WIDEST: Final = 0.3
"""Width of an interval beyond which nothing is ranked; effects are shares in [0, 1]."""
_LEVEL: Final = 0.95


@dataclass(frozen=True, slots=True)
class Effect:
    """How much a setting matters.

    Parameters
    ----------
    setting : str
        Its name.
    share : float
        Of Sobol: share of the variance that would be gone if the setting were known (total index). Of Morris: its mean
        absolute effect as a share of all settings' together.
    low, high : float
        Interval at 95 %.
    """

    setting: str
    share: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Sensitivity:
    """Which settings matter for a measure, and whether they may be ranked.

    Parameters
    ----------
    method : str
        morris or sobol.
    measure : str
        Averaged over the scenarios that have it.
    effects : tuple of Effect
        In the order of the space; ranked ones by size.
    is_ranked : bool
        False where an interval is wider than 0.3, or nothing varies: then the order means nothing.
    why_not : str
        Why they are not ranked; empty when they are.
    runs : int
        Simulated runs.
    """

    method: str
    measure: str
    effects: tuple[Effect, ...]
    is_ranked: bool
    why_not: str
    runs: int


def morris(
    space: Space, scenarios: Sequence[Scenario], measure: str, *, trajectories: int = 30, seeds: int = 2,
    executor: Executor | None = None, workers: int | None = None, seed: int = 1, progress: bool | None = None,
) -> Sensitivity:  # fmt: skip
    """Screen settings by their elementary effects, in `trajectories` · (settings + 1) points.

    Parameters
    ----------
    space : Space
        The settings and their ranges.
    scenarios : sequence of Scenario
        The fixed suite: on random outages their luck drowns the settings.
    measure : str
        What is looked at.
    trajectories : int
        At least 4.
    seeds : int
        Seeds of each point.
    executor, workers, progress
        As for `sweep`.
    seed : int
        Of the design.

    Raises
    ------
    ParameterError
        For a measure the suite does not have, a single setting, or a space with points that no policy can have.

    References
    ----------
    M. D. Morris, Factorial sampling plans for preliminary computational experiments, Technometrics 33 (1991), with the
    mean absolute effect of F. Campolongo and others (2007). By SALib.
    """
    from SALib.analyze import morris as analyse  # noqa: PLC0415  SALib loads much
    from SALib.sample import morris as design  # noqa: PLC0415

    problem = _problem(space)
    if trajectories < 4:
        raise ParameterError.of("trajectories", trajectories, "at least 4", "30 is usual")
    places = design.sample(problem, trajectories, num_levels=4, seed=seed)
    values, runs = _evaluated(space, places, scenarios, measure, seeds, executor, workers, progress)
    if _is_flat(values):
        return _flat("morris", measure, space, runs)
    found = analyse.analyze(problem, places, values, num_levels=4, conf_level=_LEVEL, seed=seed)
    total = float(np.sum(found["mu_star"]))
    return _judged(
        "morris", measure, space, np.asarray(found["mu_star"]) / total, np.asarray(found["mu_star_conf"]) / total, runs
    )


def sobol(
    space: Space, scenarios: Sequence[Scenario], measure: str, *, points: int = 256, seeds: int = 2,
    executor: Executor | None = None, workers: int | None = None, seed: int = 1, progress: bool | None = None,
) -> Sensitivity:  # fmt: skip
    """Estimate total effects, in `points` · (settings + 2) points.

    Parameters
    ----------
    space, scenarios, measure, seeds, executor, workers, seed, progress
        As for `morris`.
    points : int
        A power of two.

    Raises
    ------
    ParameterError
        As for `morris`, and for `points` that are no power of two.

    References
    ----------
    I. M. Sobol', Global sensitivity indices, Math. Comput. Simul. 55 (2001); A. Saltelli and others (2010). By SALib.
    """
    from SALib.analyze import sobol as analyse  # noqa: PLC0415  SALib loads much
    from SALib.sample import sobol as design  # noqa: PLC0415

    problem = _problem(space)
    if points < 8 or points & (points - 1):
        raise ParameterError.of("points", points, "a power of two from 8", "256 is usual")
    places = design.sample(problem, points, calc_second_order=False, seed=seed)
    values, runs = _evaluated(space, places, scenarios, measure, seeds, executor, workers, progress)
    if _is_flat(values):
        return _flat("sobol", measure, space, runs)
    found = analyse.analyze(problem, values, calc_second_order=False, conf_level=_LEVEL, seed=seed)
    return _judged("sobol", measure, space, np.asarray(found["ST"]), np.asarray(found["ST_conf"]), runs)


def _problem(space: Space) -> dict[str, Any]:
    names = list(space.ranges)
    if len(names) < 2:
        raise ParameterError.of("ranges", names, "at least two settings", "with one there is nothing to compare")
    return {"num_vars": len(names), "names": names, "bounds": [[0.0, 1.0]] * len(names)}


def _evaluated(
    space: Space, places: Values, scenarios: Sequence[Scenario], measure: str, seeds: int, executor: Executor | None,
    workers: int | None, progress: bool | None,
) -> tuple[Values, int]:  # fmt: skip
    """Return the measure at each place of the unit cube; points of the same settings are played once."""
    measure_named(measure)
    points: dict[str, Candidate] = {}
    hashes = []
    for number, place in enumerate(places):
        point = space.candidate(f"#{number}", place.tolist())
        points.setdefault(point.policy.hash, point)
        hashes.append(point.policy.hash)
    found = sweep(list(points.values()), scenarios, seeds, executor=executor, workers=workers, progress=progress)
    if not found.complete:
        raise KeyboardInterrupt
    if found.refused:
        raise ParameterError(f"the point {found.refused[0][0]} of the design cannot run: {found.refused[0][1]}")
    values = found.of(measure)
    there = ~np.isnan(values).all(axis=(0, 2))
    if not there.any() or np.isnan(values[:, there]).any():
        remedy = "take a measure that every point has in the suite"
        raise ParameterError.of("measure", measure, "one that can be measured in every run", remedy)
    means = dict(zip((each.policy.hash for each in found.candidates), values[:, there].mean(axis=(1, 2)), strict=True))
    return np.array([means[each] for each in hashes]), found.ran


def _is_flat(values: Values) -> bool:
    return float(np.ptp(values)) <= 1e-12 * float(np.abs(values).max())


def _flat(method: str, measure: str, space: Space, runs: int) -> Sensitivity:
    effects = tuple(Effect(name, 0.0, 0.0, 0.0) for name in space.ranges)
    return Sensitivity(method, measure, effects, False, "No setting changes it in this suite.", runs)


def _judged(method: str, measure: str, space: Space, shares: Values, halves: Values, runs: int) -> Sensitivity:
    effects = [
        Effect(name, float(share), float(share - half), float(share + half))
        for name, share, half in zip(space.ranges, shares, halves, strict=True)
    ]
    widest = max(effects, key=lambda effect: effect.high - effect.low)
    width = widest.high - widest.low
    if width > WIDEST:
        why = f"The interval of {widest.setting} is {width:.2f} wide, and {WIDEST} is the most for a ranking; play more points."
        return Sensitivity(method, measure, tuple(effects), False, why, runs)
    ranked = tuple(sorted(effects, key=lambda effect: (-effect.share, effect.setting)))
    return Sensitivity(method, measure, ranked, True, "", runs)
