"""A goal applied to means: who keeps every limit, who is best among them, and what would have to give way."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from scipy.special import stdtrit

from relkit.exceptions import ParameterError
from relkit.tune.goal import Goal, Limit, said, short
from relkit.tune.measures import NAMES, measure
from relkit.tune.results import Sweep, Values
from relkit.tune.space import Candidate

_MISSING: Final = 1e9  # stands for a latency or price that a run without an answer does not have
_BROKEN: Final = 1e12  # whoever breaks a limit scores above everybody who keeps them all
_SURE: Final = 0.99


@dataclass(frozen=True, slots=True)
class Judge:
    """Turns means of measures into one number a candidate: the lower the better.

    Parameters
    ----------
    goal : Goal
        What is wanted.
    scenarios : tuple of str
        Names of the suite.
    measures : tuple of str
        The measures read, the goal's first.
    applies : array of bool [scenario, measure]
        Whether the scenario has such a thing to measure.
    weights : array of float [scenario]
        How much each counts in the average; they add up to 1.
    """

    goal: Goal
    scenarios: tuple[str, ...]
    measures: tuple[str, ...]
    applies: np.ndarray
    weights: Values

    @classmethod
    def of(cls, found: Sweep, goal: Goal, weights: Mapping[str, float] | None = None) -> "Judge":
        """Prepare a judge for a sweep.

        Raises
        ------
        ParameterError
            For a limit or weight in a scenario that is not there, or a measure that nothing in the suite has.
        """
        names = found.scenario_names
        goal.check_scenarios(names)
        measures = tuple(dict.fromkeys((goal.best_in, *(limit.measure for limit in goal.limits))))
        applies = np.stack([~np.isnan(found.of(name)).all(axis=(0, 2)) for name in measures], axis=1)
        judge = cls(goal, names, measures, applies, _weights(names, weights))
        needed = [(goal.best_in, ()), *((limit.measure, limit.scenarios) for limit in goal.limits)]
        for name, where in needed:
            if not judge._where(name, where).any():
                allowed = f"a measure that {', '.join(where) or 'some scenario'} has"
                raise ParameterError.of("goal", short(name), allowed, "add a scenario with a dead dependency")
        return judge

    def values(self, found: Sweep) -> Values:
        """Return what is judged, [candidate, seed, component]; what is missing stands for the worst."""
        columns = [NAMES.index(name) for name in self.measures]
        picked = found.values[..., columns]
        worst = np.array([0.0 if measure(name).more_is_better else _MISSING for name in self.measures])
        filled = np.where(np.isnan(picked), worst, picked)
        swapped = np.moveaxis(filled, 2, 1)
        return np.ascontiguousarray(swapped.reshape(*swapped.shape[:2], -1))

    def _grid(self, means: Values) -> Values:
        return means.reshape(*means.shape[:-1], len(self.scenarios), len(self.measures))

    def _where(self, name: str, scenarios: Sequence[str]) -> np.ndarray:
        named = np.array([not scenarios or each in scenarios for each in self.scenarios])
        applies: np.ndarray = named & self.applies[:, self.measures.index(name)]
        return applies

    def worst(self, means: Values, limit: Limit) -> Values:
        """Return the worst value of a limit's measure over the scenarios where it holds."""
        column = self._grid(means)[..., self.measures.index(limit.measure)]
        there = column[..., self._where(limit.measure, limit.scenarios)]
        worst: Values = there.min(axis=-1) if limit.at_least else there.max(axis=-1)
        return worst

    def broken(self, means: Values, limit: Limit) -> Values:
        """Return by how much a limit is broken, in parts of its value; 0 where it is kept."""
        worst = self.worst(means, limit)
        short_by = limit.value - worst if limit.at_least else worst - limit.value
        return np.maximum(short_by, 0.0) / max(abs(limit.value), 1e-12)

    def keeps(self, means: Values) -> np.ndarray:
        """Say which candidates keep every limit."""
        kept = np.ones(means.shape[:-1], dtype=np.bool_)
        for limit in self.goal.limits:
            kept &= self.broken(means, limit) == 0.0
        return kept

    def best_in(self, means: Values) -> Values:
        """Return the goal's measure, averaged over the scenarios that have it."""
        there = self._where(self.goal.best_in, ())
        weights = self.weights[there] / self.weights[there].sum() if self.weights[there].sum() > 0.0 else None
        column = self._grid(means)[..., self.measures.index(self.goal.best_in)][..., there]
        averaged: Values = np.average(column, axis=-1, weights=weights)
        return averaged

    def score(self, means: Values) -> Values:
        """Return one number a candidate: the goal's measure, lowest best; beyond all others for who breaks a limit."""
        sign = -1.0 if measure(self.goal.best_in).more_is_better else 1.0
        score = sign * self.best_in(means)
        for limit in self.goal.limits:
            broken = self.broken(means, limit)
            score = score + np.where(broken > 0.0, _BROKEN * (1.0 + broken), 0.0)
        return score

    def gives_way(self, found: Sweep) -> tuple[bool, list[tuple[Limit, int]]]:
        """Return which limit would have to give way for whom; where none alone is enough, all that one candidate breaks.

        Parameters
        ----------
        found : Sweep
            In which no candidate keeps all limits.

        Returns
        -------
        tuple of bool, list of (limit, place of the candidate)
            Whether each alone is enough, and the limits.
        """
        means = self.values(found).mean(axis=1)
        broken = np.stack([self.broken(means, limit) for limit in self.goal.limits])
        alone = []
        for number, limit in enumerate(self.goal.limits):
            others = np.delete(broken, number, axis=0).sum(axis=0) == 0.0
            if others.any():
                worst = np.where(others, self.worst(means, limit), -math.inf if limit.at_least else math.inf)
                alone.append((limit, int(worst.argmax() if limit.at_least else worst.argmin())))
        if alone:
            return True, alone
        place = int(broken.sum(axis=0).argmin())
        return False, [
            (each, place) for each, part in zip(self.goal.limits, broken[:, place], strict=True) if part > 0.0
        ]

    def relaxed(self, limit: Limit, candidate: Candidate, seen: Sequence[Sweep]) -> "Relaxation":
        """Return how far a limit must give way for a candidate to keep it surely, in each of some sweeps.

        Parameters
        ----------
        limit : Limit
            The limit.
        candidate : Candidate
            Who is to keep it.
        seen : sequence of Sweep
            Those with the most seeds tell it best; where the mean alone lies further off, that counts.
        """
        bounds = []
        for one in seen:
            values = self.values(one)[one.place_of(candidate.policy.hash)]
            mean, n = float(self.worst(values.mean(axis=0), limit)), len(values)
            slack = float(stdtrit(n - 1, _SURE)) * float(self.worst(values, limit).std(ddof=1)) / math.sqrt(n)
            enough = one is not seen[0]  # the screening tells where the mean must pass, the others how sure it is
            bounds.append(mean if not enough else mean - slack if limit.at_least else mean + slack)
        bound = max(min(bounds), 0.0) if limit.at_least else max(bounds)
        return Relaxation(limit, _outward(bound, up=not limit.at_least, measure_name=limit.measure), candidate.name)


@dataclass(frozen=True, slots=True)
class Relaxation:
    """A limit that must give way, and how far.

    Parameters
    ----------
    limit : Limit
        As it was asked for.
    to : float
        What some candidate keeps.
    candidate : str
        Its name.
    """

    limit: Limit
    to: float
    candidate: str

    def __str__(self) -> str:
        return f"{self.limit} to {said(self.limit.measure, self.to)} ({self.candidate})"


def _outward(value: float, *, up: bool, measure_name: str = "p95_s") -> float:
    """Round to three digits, shares to a hundredth of a percent, on the side that asks for less.

    >>> _outward(0.99449, up=False, measure_name="success"), _outward(2.3451, up=True)
    (0.9944, 2.35)
    """
    if value <= 0.0:
        return 0.0
    step = 1e-4 if measure(measure_name).unit == "share" else 10.0 ** (math.floor(math.log10(value)) - 2)
    steps = math.ceil(value / step - 1e-9) if up else math.floor(value / step + 1e-9)
    return float(f"{steps * step:.6g}")


def _weights(names: Sequence[str], given: Mapping[str, float] | None) -> Values:
    if given is None:
        return np.full(len(names), 1.0 / len(names))
    for name, weight in given.items():
        if name not in names:
            raise ParameterError.of("weights", name, ", ".join(names), "use names of the scenarios")
        if not 0.0 <= weight < math.inf:
            raise ParameterError.of("weights", weight, "a number from 0", "give shares of the time")
    found = np.array([float(given.get(name, 0.0)) for name in names])
    if found.sum() <= 0.0:
        raise ParameterError.of("weights", dict(given), "one above 0", "give shares of the time")
    shares: Values = found / found.sum()
    return shares


def regret(found: Sweep, name: str) -> Values:
    """Return how much worse each candidate is in each scenario than the best one there, [candidate, scenario].

    Parameters
    ----------
    found : Sweep
        At least one candidate.
    name : str
        The measure. Missing values are no regret of the scenario, and infinite of a candidate that alone lacks one.

    Returns
    -------
    array of float
        In the measure's unit, at least 0; NaN where the scenario has nothing to measure. The best of many noisy means
        is a little too good, so that regret is rather over- than understated.

    Examples
    --------
    >>> from relkit.policies.presets import presets
    >>> from relkit.simulation.suite import w0
    >>> from relkit.tune.sweep import sweep
    >>> found = sweep([presets["pybreaker"], presets["sre-k2"]], [w0(500)], seeds=2, workers=1)
    >>> regret(found, "success").shape
    (2, 1)
    """
    more = measure(name).more_is_better
    values = found.of(name)
    there = ~np.isnan(values).all(axis=(0, 2))
    means = np.where(np.isnan(values).any(axis=2), -math.inf if more else math.inf, values.mean(axis=2))
    best = means.max(axis=0) if more else means.min(axis=0)
    with np.errstate(invalid="ignore"):
        lost = best - means if more else means - best
    return np.where(there, lost, math.nan)
