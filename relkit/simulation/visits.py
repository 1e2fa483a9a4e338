"""Requests that come in visits: a user asks, and with some probability asks again after a while."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import numpy as np
from scipy.special import ndtri

from relkit.exceptions import ParameterError
from relkit.simulation.demo_draws import Floats, Ints
from relkit.simulation.draws import VISIT, drawn_many

_LEADS: Final = 10.0  # mean lengths of a visit that are played before the run, so that it begins amid visits
_KEPT: Final = 64


@dataclass(frozen=True, slots=True)
class Visits:
    """How the requests of one user follow each other.

    Parameters
    ----------
    again : float
        Probability that another request follows the last, at least 0 and below 1: visits have 1 / (1 - again) on average.
    gap_median_s : float
        Median time from one to the next, seconds.
    gap_sigma : float
        Spread of its logarithm; the gap is lognormal.

    Raises
    ------
    ParameterError
        For a number out of range.

    Examples
    --------
    >>> Visits(0.75, 50.0, 0.3).mean_requests
    4.0
    """

    again: float
    gap_median_s: float
    gap_sigma: float = 0.0

    def __post_init__(self) -> None:
        if not 0.0 <= self.again <= 0.999:
            raise ParameterError.of("again", self.again, "a share from 0 to 0.999", "0 = every request alone")
        if not 0.0 < self.gap_median_s < math.inf:
            raise ParameterError.of("gap_median_s", self.gap_median_s, "seconds above 0", "give a finite time")
        if not 0.0 <= self.gap_sigma <= 5.0:
            raise ParameterError.of("gap_sigma", self.gap_sigma, "a number from 0 to 5", "0 = always the same gap")

    @property
    def mean_requests(self) -> float:
        """Mean number of requests of a visit."""
        return 1.0 / (1.0 - self.again)

    @property
    def lead_s(self) -> float:
        """Seconds before the run in which visits begin that may still go on in it."""
        mean_gap_s = self.gap_median_s * math.exp(self.gap_sigma**2 / 2.0)
        return _LEADS * mean_gap_s * self.mean_requests

    def gaps_s(self, normals: Floats) -> Floats:
        """Return gaps, given standard normal numbers."""
        gaps: Floats = self.gap_median_s * np.exp(self.gap_sigma * normals)
        return gaps


def followed(begins_s: Floats, more: Ints, gaps_s: Floats) -> Floats:
    """Return the times of all requests, ascending.

    Parameters
    ----------
    begins_s : array of float, shape (visits,)
        First request of each visit, seconds.
    more : array of int, shape (visits,)
        How many follow it.
    gaps_s : array of float, shape (sum of more,)
        From each request of a visit to the next, visit by visit.

    Examples
    --------
    >>> followed(np.array([0.0, 1.0]), np.array([2, 1]), np.array([3.0, 4.0, 5.0])).tolist()
    [0.0, 1.0, 3.0, 6.0, 7.0]
    """
    visit = np.repeat(np.arange(begins_s.size), more)
    since = np.cumsum(gaps_s)
    before = np.concatenate([[0.0], since])[np.cumsum(more) - more]
    times: Floats = np.sort(np.concatenate([begins_s, begins_s[visit] + since - before[visit]]))
    return times


@lru_cache(maxsize=_KEPT)  # all candidates of a sweep meet the same few
def visit_times(
    visits: Visits, rates: tuple[float, ...], lengths_s: tuple[float, ...], seed: int, requests: int
) -> tuple[float, ...]:
    """Draw when the first so many requests of a run come, in seconds.

    Parameters
    ----------
    visits : Visits
        How requests follow each other.
    rates, lengths_s : tuple of float
        Requests a second in each piece of time, visits' later ones included, and the pieces' lengths; they repeat.
    seed : int
        Of the run.
    requests : int
        How many.

    Notes
    -----
    Visits begin as a Poisson process (Bartlett-Lewis). Every draw is keyed by the number of the visit or of the request that
    follows, so that a longer run begins as a shorter one does.

    Examples
    --------
    >>> visits = Visits(0.75, 50.0, 0.3)
    >>> long = visit_times(visits, (2.0,), (1.0,), 1, 20_000)
    >>> long[:100] == visit_times(visits, (2.0,), (1.0,), 1, 100), 9_000 < long[-1] < 11_000
    (True, True)
    """
    number = int(requests / visits.mean_requests * 1.2 + rates[0] * visits.lead_s / visits.mean_requests) + 64
    while True:
        wait, luck = drawn_many(seed, 0, number, 0, VISIT)
        begins = _stretched(np.cumsum(-np.log1p(-wait)) * visits.mean_requests, rates, lengths_s, visits.lead_s)
        more = np.zeros(number, np.int64)
        if visits.again > 0.0:
            more = np.floor(np.log1p(-luck) / math.log(visits.again)).astype(np.int64)
        later = drawn_many(seed, 0, int(more.sum()), 1, VISIT)[0]
        times = followed(begins, more, visits.gaps_s(ndtri(np.maximum(later, 1e-16))))
        # what comes before the last visit begins can no longer change
        times = times[(times >= 0.0) & (times < begins[-1])][:requests]
        if times.size == requests:
            return tuple(np.round(times, 6).tolist())
        number *= 2


def _stretched(units: Floats, rates: Sequence[float], lengths_s: Sequence[float], lead_s: float) -> Floats:
    """When a rate that changes has made so many expected requests; it is that of its first piece before time 0."""
    inside = float(np.dot(rates, lengths_s))
    rounds = int(float(units[-1]) / inside) + 1
    pieces = np.concatenate([[lead_s], np.tile(lengths_s, rounds)])
    ends = np.cumsum(pieces) - lead_s
    reached = np.cumsum(pieces * np.concatenate([[rates[0]], np.tile(rates, rounds)]))
    when: Floats = np.interp(units, np.concatenate([[0.0], reached]), np.concatenate([[-lead_s], ends]))
    return when
