"""Requests grouped in sessions: who belongs together, and the luck that the requests of a session share."""

import math
from dataclasses import dataclass
from typing import Final

import numpy as np

from relkit.exceptions import ParameterError
from relkit.simulation.demo_draws import Floats, Ints
from relkit.simulation.draws import LUCK, SESSION, drawn_many
from relkit.simulation.latency import normal_quantile

_MOST_OPEN: Final = 10_000_000


@dataclass(frozen=True, slots=True)
class Sessions:
    """How requests belong together.

    The arrivals stay what they are. Each request takes a turn of one of the `open_at_once` running sessions at random;
    after it the session ends with probability 1 / mean_turns, and another begins in its place.

    Parameters
    ----------
    mean_turns : float
        Mean number of requests of a session, which is geometric; at least 1.
    open_at_once : int
        Sessions that run at a time; more of them spread a session over more time.
    luck_sd : float
        Spread of the logarithm of the factor on the usual errors that a session has: 0 for independent requests. The
        factor is lognormal with mean 1, so that the share of failures stays what the models say.

    Raises
    ------
    ParameterError
        For a number out of range.

    Examples
    --------
    >>> Sessions(mean_turns=6.0, open_at_once=40).luck_sd
    0.0
    """

    mean_turns: float
    open_at_once: int
    luck_sd: float = 0.0

    def __post_init__(self) -> None:
        if not 1.0 <= self.mean_turns < math.inf:
            raise ParameterError.of("mean_turns", self.mean_turns, "a number from 1 on", "1 = every request alone")
        if not 1 <= self.open_at_once <= _MOST_OPEN:
            allowed = f"from 1 to {_MOST_OPEN:,}"
            raise ParameterError.of("open_at_once", self.open_at_once, allowed, "give the sessions that run at a time")
        if not 0.0 <= self.luck_sd <= 5.0:
            raise ParameterError.of("luck_sd", self.luck_sd, "a number from 0 to 5", "0 = independent requests")


def sessions_of(sessions: Sessions, seed: int, requests: int) -> tuple[Ints, Ints]:
    """Return for each request its session, numbered from 0 in order of their first request, and its turn from 1 on.

    Parameters
    ----------
    sessions : Sessions
        How they belong together.
    seed : int
        Seed of the run.
    requests : int
        How many requests.

    Returns
    -------
    session, turn : arrays of int

    Examples
    --------
    >>> session, turn = sessions_of(Sessions(3.0, 2), seed=1, requests=6)
    >>> session.tolist(), turn.tolist()
    ([0, 1, 1, 1, 2, 3], [1, 1, 2, 3, 1, 1])
    """
    which, goes = drawn_many(seed, 0, requests, 0, SESSION)
    slot = (which * sessions.open_at_once).astype(np.int64)
    order = np.argsort(slot, kind="stable")
    its_slot, last = slot[order], goes[order] < 1.0 / sessions.mean_turns
    begins = np.ones(requests, dtype=np.bool_)
    begins[1:] = last[:-1] | (its_slot[1:] != its_slot[:-1])
    group = np.cumsum(begins) - 1
    firsts = np.flatnonzero(begins)
    # Numbered by the first request of each, so that ids rise with time.
    rank = np.empty(len(firsts), dtype=np.int64)
    rank[np.argsort(order[firsts])] = np.arange(len(firsts))
    session, turn = np.empty(requests, dtype=np.int64), np.empty(requests, dtype=np.int64)
    session[order] = rank[group]
    turn[order] = np.arange(requests) - firsts[group] + 1
    return session, turn


def luck_for(sessions: Sessions | None, seed: int, requests: int) -> Floats:
    """Return for each request the factor on its usual errors, exp(sd z - sd²/2) with one z a session; empty for none.

    >>> len(luck_for(Sessions(3.0, 2, luck_sd=1.0), seed=1, requests=6)), len(luck_for(None, 1, 6))
    (6, 0)
    """
    if sessions is None or sessions.luck_sd == 0.0:
        return np.empty(0)
    session, _ = sessions_of(sessions, seed, requests)
    count = int(session.max(initial=-1)) + 1
    draws = drawn_many(seed, 0, count, 0, LUCK)[0].tolist()
    half = sessions.luck_sd * sessions.luck_sd / 2.0
    luck = np.array([math.exp(sessions.luck_sd * normal_quantile(draw) - half) for draw in draws])
    factors: Floats = luck[session]
    return factors
