"""Quiet hours and outages: the two ways in which a budget is spent, told apart by counting.

Outside outages failures come one by one, and the past tells their rate well. Outages are few and of very different
size, so what they will take is told by how many there were and how large, and by how little a few of them tell.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
from scipy.special import pdtrc

from relkit.slo.minutes import Bools, Floats, Minutes, runs
from relkit.slo.objective import Objective
from relkit.slo.slices import parts_of
from relkit.units import MINUTES_PER_HOUR

FALSE_OUTAGES: Final = 0.05
"""Hours expected to be taken for outages by chance in a whole log without any."""

_BLOCK_HOURS: Final = 6
_ROUNDS: Final = 20


@dataclass(frozen=True, slots=True)
class Outage:
    """A run of hours in which far more was bad than quiet hours explain.

    Parameters
    ----------
    start_minute, end_minute : int
        Unix minutes, end exclusive, whole hours counted back from the end of the log.
    bad : float
        Bad requests beyond those of quiet hours.
    share : float
        Those as a share of the valid ones of these hours, in (0, 1].

    >>> Outage(0, 120, bad=30.0, share=0.1).hours
    2
    """

    start_minute: int
    end_minute: int
    bad: float
    share: float

    @property
    def hours(self) -> int:
        """Return how many hours it touches."""
        return (self.end_minute - self.start_minute) // MINUTES_PER_HOUR


@dataclass(frozen=True, slots=True, eq=False)
class Hours:
    """A log in hours, counted back from its end, quiet ones told from outages.

    Parameters
    ----------
    end_minute : int
        End of the last hour, in unix minutes.
    valid, bad : float array
        Units counted in each hour, oldest first.
    covered : bool array
        Hours of which at least half holds data.
    quiet : bool array
        Covered hours that belong to no outage.
    rate : float
        Bad share of the quiet hours, with half a bad unit added so that none seen is not never.
    dispersion : float
        How many times more the bad units of quiet stretches vary than independent ones would, at least 1.
    outages : tuple of Outage
        In order of time.

    >>> hours_of(Minutes(0, [9] * 120, [1] * 120, [0] * 120, [0] * 120, [True] * 120), Objective("a", "0.99")).valid
    array([600., 600.])
    """

    end_minute: int
    valid: Floats
    bad: Floats
    covered: Bools
    quiet: Bools
    rate: float
    dispersion: float
    outages: tuple[Outage, ...]


def hours_of(minutes: Minutes, objective: Objective) -> Hours:
    """Add minutes up to hours and tell outages from quiet hours.

    Parameters
    ----------
    minutes : Minutes
        What the objective counts, as `in_slices` gives it.
    objective : Objective
        Says what a unit is.

    Notes
    -----
    An hour belongs to an outage when at least as many bad units as it has would come by chance at the quiet rate with a
    probability under `FALSE_OUTAGES` / hours (Poisson). The rate is that of the hours left, until no hour changes
    sides. The dispersion is that of moving blocks of six hours: sum of (bad - expected)^2 over the sum of expected.

    Examples
    --------
    >>> bad = [0] * 60 * 20
    >>> bad[600:620] = [5] * 20
    >>> grid = Minutes(0, [10] * 1200, bad, [0] * 1200, [0] * 1200, [True] * 1200)
    >>> [(one.start_minute, one.hours, round(one.bad)) for one in hours_of(grid, Objective("a", "0.99")).outages]
    [(600, 1, 100)]
    """
    number, parts = len(minutes) // MINUTES_PER_HOUR, parts_of(objective)

    def folded(row: npt.NDArray[np.generic]) -> Floats:
        kept = row[len(row) - number * MINUTES_PER_HOUR :].reshape(number, MINUTES_PER_HOUR)
        added: Floats = kept.sum(axis=1).astype(np.float64)
        return added

    valid, bad = folded(minutes.valid) / parts, folded(minutes.bad) / parts
    covered = folded(minutes.covered) * 2 >= MINUTES_PER_HOUR
    quiet, rate = covered, 0.0
    for _ in range(_ROUNDS):
        rate = (float(bad[quiet].sum()) + 0.5) / max(float(valid[quiet].sum()), 1.0)
        by_chance = pdtrc(np.maximum(np.ceil(bad) - 1, 0), rate * valid)  # P(more than bad - 1)
        loud = (bad > 0) & (by_chance < FALSE_OUTAGES / max(number, 1))
        calm = covered & ~loud
        if (calm == quiet).all():
            break
        quiet = calm
    start = minutes.end_minute - number * MINUTES_PER_HOUR
    return Hours(
        minutes.end_minute, valid, bad, covered, quiet, rate, _dispersion(bad, rate * valid, quiet),
        _outages(bad, valid, covered & ~quiet, rate, start),
    )  # fmt: skip


def _outages(bad: Floats, valid: Floats, loud: Bools, rate: float, start: int) -> tuple[Outage, ...]:
    found = []
    for first, beyond in runs(loud, 0):
        asked = float(valid[first:beyond].sum())
        more = max(1.0, float(bad[first:beyond].sum()) - rate * asked)
        begin, end = start + first * MINUTES_PER_HOUR, start + beyond * MINUTES_PER_HOUR
        found.append(Outage(begin, end, more, min(1.0, more / max(asked, 1.0))))
    return tuple(found)


def _dispersion(bad: Floats, expected: Floats, quiet: Bools) -> float:
    if len(bad) <= _BLOCK_HOURS or bad[quiet].sum() < 10:
        return 1.0
    off = np.concatenate(([0.0], np.cumsum(np.where(quiet, bad - expected, 0.0))))
    due = np.concatenate(([0.0], np.cumsum(np.where(quiet, expected, 0.0))))
    squares = float(((off[_BLOCK_HOURS:] - off[:-_BLOCK_HOURS]) ** 2).sum())
    return max(1.0, squares / max(float((due[_BLOCK_HOURS:] - due[:-_BLOCK_HOURS]).sum()), 1e-9))
