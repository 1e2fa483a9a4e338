"""When requests come: a unit-rate Poisson process stretched by a rate that may change, or the times of a log."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any, Final

from relkit.exceptions import ParameterError
from relkit.simulation.draws import ARRIVAL, STATES, KeyedDraws, drawn
from relkit.simulation.visits import Visits, visit_times

_MOST_RATE: Final = 1e9
_MOST_PIECES: Final = 1_000_000


@dataclass(frozen=True, slots=True)
class Arrivals:
    """When requests come; make one with `poisson`, `varying`, `modulated` or `replayed`, and `in_visits` or `held`.

    Parameters
    ----------
    rates : tuple of float
        Requests a second: one for each piece of time, or for each state of a modulated process.
    lengths_s : tuple of float
        Length of each piece in seconds, which then repeat; of a modulated process, mean time in each state.
    modulated : bool
        Whether the states follow each other after exponential times, rather than at fixed ones.
    times_s : tuple of float
        Times of a log, in order, in seconds from its start; then nothing else is read.
    held_s : tuple of float
        Start and end, by turns, of times whose requests are held back and come all at once at the end.
    visits : Visits or None
        How requests of one user follow each other; None where each comes on its own. Rates count all of them.

    Examples
    --------
    >>> poisson(50.0).mean_rate
    50.0
    """

    rates: tuple[float, ...] = ()
    lengths_s: tuple[float, ...] = ()
    modulated: bool = False
    times_s: tuple[float, ...] = ()
    held_s: tuple[float, ...] = ()
    visits: Visits | None = None

    @property
    def mean_rate(self) -> float:
        """Requests a second in the long run."""
        if self.times_s:
            return len(self.times_s) / self.times_s[-1] if self.times_s[-1] > 0.0 else 0.0
        seen = sum(rate * length_s for rate, length_s in zip(self.rates, self.lengths_s, strict=True))
        return seen / sum(self.lengths_s)


def poisson(rate: float) -> Arrivals:
    """Poisson arrivals at a steady rate, in requests a second."""
    return varying([(1.0, rate)])


def varying(pieces: Sequence[tuple[float, float]]) -> Arrivals:
    """Poisson arrivals whose rate changes at fixed times.

    Parameters
    ----------
    pieces : sequence of (length_s, rate)
        One after the other; after the last the first begins again.

    Raises
    ------
    ParameterError
        For a negative rate, a length that is not above 0, or no rate above 0.

    Examples
    --------
    >>> varying([(3600.0, 5.0), (3600.0, 15.0)]).mean_rate
    10.0
    """
    return _checked(pieces, modulated=False)


def modulated(states: Sequence[tuple[float, float]]) -> Arrivals:
    """Poisson arrivals whose rate follows hidden states, one after the other, each for an exponential time.

    Parameters
    ----------
    states : sequence of (mean_s, rate)
        Mean time in the state in seconds, and the rate in it.

    Raises
    ------
    ParameterError
        As for `varying`.

    Examples
    --------
    >>> modulated([(90.0, 5.0), (10.0, 55.0)]).mean_rate
    10.0
    """
    return _checked(states, modulated=True)


def in_visits(arrivals: Arrivals, visits: Visits) -> Arrivals:
    """Return arrivals that come in visits: at the same rate, but each may be followed by others of its user.

    Parameters
    ----------
    arrivals : Arrivals
        Made by `poisson` or `varying`.
    visits : Visits
        How many follow, and when.

    Raises
    ------
    ParameterError
        For states or the times of a log, which say themselves how requests follow each other.

    Examples
    --------
    >>> in_visits(poisson(2.0), Visits(0.75, 50.0)).mean_rate
    2.0
    """
    if arrivals.modulated or arrivals.times_s:
        remedy = "states and logs have their own bursts"
        raise ParameterError.of("visits", "modulated or replayed", "poisson or varying arrivals", remedy)
    return replace(arrivals, visits=visits)


def _checked(pieces: Sequence[tuple[float, float]], *, modulated: bool) -> Arrivals:
    for length_s, rate in pieces:
        if not 0.0 <= rate <= _MOST_RATE:
            raise ParameterError.of("rate", rate, f"requests a second from 0 to {_MOST_RATE:g}", "a rate is a count")
        if not 0.0 < length_s < math.inf:
            raise ParameterError.of("length_s", length_s, "seconds above 0", "leave the piece out, or give it a length")
    if not any(rate > 0.0 for _, rate in pieces):
        raise ParameterError.of("rate", [rate for _, rate in pieces], "one above 0", "without it no request ever comes")
    return Arrivals(
        tuple(float(rate) for _, rate in pieces), tuple(float(length_s) for length_s, _ in pieces), modulated
    )


def replayed(times_s: Sequence[float]) -> Arrivals:
    """Return the arrivals of a log.

    Parameters
    ----------
    times_s : sequence of float
        In order, in seconds from the start of the log; ties are allowed.

    Raises
    ------
    ParameterError
        For no times, or times that run backwards or are not finite.

    Examples
    --------
    >>> replayed([0.0, 0.5, 0.5]).times_s
    (0.0, 0.5, 0.5)
    """
    times = tuple(map(float, times_s))
    if not times:
        raise ParameterError.of("times_s", "nothing", "at least one time", "read a log with clock times")
    last_s = 0.0
    for at_s in times:
        if not last_s <= at_s < math.inf:
            raise ParameterError.of(
                "times_s", at_s, f"a finite time not before {last_s:g}", "sort the log, count from 0"
            )
        last_s = at_s
    return Arrivals(times_s=times)


def held(arrivals: Arrivals, gaps: Sequence[tuple[float, float]]) -> Arrivals:
    """Return arrivals of which those in the gaps are held back and come all at once at the end: a recovery herd.

    Parameters
    ----------
    arrivals : Arrivals
        When requests would come.
    gaps : sequence of (start_s, end_s)
        In order, apart from each other.

    Raises
    ------
    ParameterError
        For gaps that end before they start, overlap or are not finite.

    Examples
    --------
    >>> held(poisson(50.0), [(600.0, 660.0)]).held_s
    (600.0, 660.0)
    """
    flat = [float(at_s) for gap in gaps for at_s in gap]
    rising = all(one < after for one, after in pairwise(flat))
    if len(flat) != 2 * len(gaps) or not rising or (flat and not 0.0 <= flat[0] <= flat[-1] < math.inf):
        remedy = "give (start_s, end_s) pairs in order"
        raise ParameterError.of("held_s", list(gaps), "gaps from start to end that do not touch", remedy)
    return replace(arrivals, held_s=tuple(flat))


def times_of(arrivals: Arrivals, seed: int, requests: int) -> tuple[float, ...]:
    """Return the times that are known before a run begins: of a log, or of visits; empty for a rate alone."""
    if arrivals.visits is not None:
        return visit_times(arrivals.visits, arrivals.rates, arrivals.lengths_s, seed, requests)
    return arrivals.times_s[:requests]


def pieces_of(arrivals: Arrivals, seed: int, expected: float) -> tuple[list[float], list[float]]:
    """Return rates and lengths of the pieces, enough for `expected` arrivals; a fixed pattern is given once."""
    if not arrivals.modulated:
        return list(arrivals.rates), list(arrivals.lengths_s)
    draws = KeyedDraws(seed)
    rates: list[float] = []
    lengths_s: list[float] = []
    seen = 0.0
    while seen <= expected:
        number = len(rates)
        state = number % len(arrivals.rates)
        length_s = -arrivals.lengths_s[state] * math.log(1.0 - draws.at(number, 0, STATES)[0])
        rates.append(arrivals.rates[state])
        lengths_s.append(length_s)
        seen += rates[-1] * length_s
        if number > _MOST_PIECES:
            remedy = "lengthen the states, or ask for fewer requests"
            raise ParameterError.of("states", f"more than {_MOST_PIECES} changes", "fewer changes", remedy)
    return rates, lengths_s


def arrival_s(units: float, place: list[float], rates: Sequence[float], lengths_s: Sequence[float]) -> float:
    """Return when a rate that changes has made so many expected arrivals; a steady rate is a plain division.

    Parameters
    ----------
    units : float
        Expected arrivals since the start; it never falls from one call to the next.
    place : array of two float
        Expected arrivals and time at which the present piece began, and its number; it is moved on.
    rates, lengths_s : sequence of float
        The pieces, which repeat.

    Returns
    -------
    float
        Seconds.

    Examples
    --------
    >>> place = [0.0, 0.0, 0.0]
    >>> [arrival_s(units, place, [1.0, 0.0, 2.0], [10.0, 5.0, 10.0]) for units in (4.0, 12.0, 30.0)]
    [4.0, 16.0, 25.0]
    """
    if len(rates) == 1:
        return units / rates[0]
    while True:
        number = int(place[2])
        inside = rates[number] * lengths_s[number]
        if units < place[0] + inside:
            return place[1] + (units - place[0]) / rates[number]
        place[0] += inside
        place[1] += lengths_s[number]
        place[2] = (number + 1.0) % len(rates)


def schedule(setup: Any, marks: Any, rates: Any, lengths_s: Any, times_s: Any, held_s: Any, piece: Any) -> None:
    """Set when the next request comes, and the draw of its key."""
    if marks.arrived >= setup.requests:
        return
    wait, marks.next_key = drawn(setup.seed, marks.arrived, 0, ARRIVAL)
    if setup.replayed:
        marks.next_s = times_s[marks.arrived]
    else:
        marks.units -= math.log(1.0 - wait)
        marks.next_s = arrival_s(marks.units, piece, rates, lengths_s)
    for gap in range(0, len(held_s), 2):
        if held_s[gap] <= marks.next_s < held_s[gap + 1]:
            marks.next_s = held_s[gap + 1]
