"""The front: settings that no other beats in everything at once, as far as that can be told."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from relkit.exceptions import ParameterError
from relkit.tune.measures import measure
from relkit.tune.results import Sweep, Values
from relkit.tune.select import posterior_means

ON: Final = "on"
OFF: Final = "off"
NOT_RESOLVED: Final = "not resolved"
_SURE: Final = 0.95
_RESAMPLES: Final = 400
_CHUNK: Final = 64


@dataclass(frozen=True, slots=True)
class Front:
    """Which candidates no other beats in every measure.

    Parameters
    ----------
    measures : tuple of str
        The measures, averaged over the scenarios that have them.
    names : tuple of str
        The candidates.
    values : array of float [candidate, measure]
        Their means.
    share : array of float [candidate]
        Share of the resamples in which the candidate was not dominated.
    states : tuple of str
        on (in at least 95 % of them), off (in at most 5 %), or not resolved.
    """

    measures: tuple[str, ...]
    names: tuple[str, ...]
    values: Values
    share: Values
    states: tuple[str, ...]

    def of_state(self, state: str) -> tuple[str, ...]:
        """Return the candidates that are `on`, `off` or `not resolved`."""
        return tuple(name for name, its in zip(self.names, self.states, strict=True) if its == state)


def front(
    found: Sweep, measures: Sequence[str] = ("usd_per_answer", "success", "p95_s"), scenario: str | None = None
) -> Front:
    """Return the front of a sweep; a candidate is on it only if it is so in at least 95 % of resamples.

    Parameters
    ----------
    found : Sweep
        At least two seeds.
    measures : sequence of str
        At least two, each with its own good side.
    scenario : str or None
        One scenario; None averages over those that have the measure.

    Raises
    ------
    ParameterError
        For fewer than two measures or seeds, or a measure that nothing has.

    Notes
    -----
    Means of few seeds are noise: of 512 settings in three measures most look undominated. So the true means are drawn
    again and again from their posterior (`posterior_means`, paired over common seeds) and each draw is judged.

    Examples
    --------
    >>> from relkit.policies.presets import presets
    >>> from relkit.simulation.suite import w0
    >>> from relkit.tune.sweep import sweep
    >>> found = sweep([presets[name] for name in ("pybreaker", "polly-8")], [w0(500)], seeds=2, workers=1)
    >>> front(found, ("success", "p95_s")).names
    ('pybreaker', 'polly-8')
    """
    if len(set(measures)) < 2:
        raise ParameterError.of("measures", tuple(measures), "at least two different ones", "name what is weighed up")
    if len(found.seeds) < 2:
        raise ParameterError.of("seeds", len(found.seeds), "a sweep of at least 2", "sweep with seeds=4")
    signs = np.array([-1.0 if measure(name).more_is_better else 1.0 for name in measures])
    seen = np.stack([_averaged(found, name, scenario) for name in measures], axis=-1)
    draws = posterior_means(list(seen), 0, _RESAMPLES)
    share = np.mean([non_dominated(draw * signs) for draw in draws], axis=0)
    states = tuple(ON if each >= _SURE else OFF if each <= 1.0 - _SURE else NOT_RESOLVED for each in share.tolist())
    return Front(tuple(measures), tuple(each.name for each in found.candidates), seen.mean(axis=1), share, states)


def non_dominated(values: Values) -> np.ndarray:
    """Say which rows no other row beats: at least as low in every column, and lower in one.

    Examples
    --------
    >>> non_dominated(np.array([[1.0, 2.0], [2.0, 1.0], [2.0, 2.0], [1.0, 2.0]])).tolist()
    [True, True, False, True]
    """
    found = np.ones(len(values), dtype=np.bool_)
    for start in range(0, len(values), _CHUNK):
        rows = values[start : start + _CHUNK]
        no_worse = np.ones((len(rows), len(values)), dtype=np.bool_)
        better = np.zeros_like(no_worse)
        for column in range(values.shape[1]):
            no_worse &= values[None, :, column] <= rows[:, None, column]
            better |= values[None, :, column] < rows[:, None, column]
        found[start : start + _CHUNK] = ~(no_worse & better).any(axis=1)
    return found


def _averaged(found: Sweep, name: str, scenario: str | None) -> Values:
    """Return a measure by candidate and seed, averaged over the scenarios that have it."""
    values = found.of(name)
    if scenario is not None:
        if scenario not in found.scenario_names:
            raise ParameterError.of("scenario", scenario, ", ".join(found.scenario_names), "use one of these names")
        values = values[:, [found.scenario_names.index(scenario)]]
    there = ~np.isnan(values).all(axis=(0, 2))
    if not there.any():
        raise ParameterError.of("measure", name, "one that the scenarios have", "add a scenario with a dead dependency")
    worst = -1e9 if measure(name).more_is_better else 1e9
    averaged: Values = np.where(np.isnan(values[:, there]), worst, values[:, there]).mean(axis=1)
    return averaged
