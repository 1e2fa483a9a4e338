"""Bad times of a service: outages, brownouts, rate limits, slowness, cut streams and more, all in one record."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from relkit.errors import ErrorKind
from relkit.exceptions import ParameterError
from relkit.simulation.draws import BURST, KeyedDraws

EVERYWHERE: Final = "*"
_MOST_BURSTS: Final = 100_000


@dataclass(frozen=True, slots=True)
class Episode:
    """A bad time, made by `outage`, `brownout`, `rate_limited`, `slow`, `flapping`, `gray`, `cut`, `recovering`, `bursts`.

    Parameters
    ----------
    label : str
        What it is, for charts.
    where : str
        Name of a model or of a provider (all its models fail together), or `*` for every model.
    start_s, end_s : float
        From when to before when, in seconds.
    error : ErrorKind
        How an attempt fails.
    share : float
        Share of the attempts that fail by it.
    retry_after_s : float or None
        Wait that the server states with the error; None for none.
    slow_factor : float
        Factor on the time of every service that starts within.
    period_s, bad_share : float
        It is in force for the first `bad_share` of each period; a period of 0 means all the time.
    cut_share : float
        Share of the services started within whose stream is cut on the way: a NETWORK_ERROR after part of the time,
        with the tokens until then spent, and nobody knows what was done.
    capacity_share : float
        Share of the servers at its start; from there capacity rises in a straight line to the whole at its end.
    good_s, bad_s : float
        Mean times in seconds of a good and a bad state that follow each other at random (Gilbert and Elliott); it is in
        force in the bad ones, and begins in a good one. 0 for no states.

    Examples
    --------
    >>> outage("*", 600.0, 660.0).error.value
    'NETWORK_REFUSED'
    """

    label: str
    where: str
    start_s: float
    end_s: float
    error: ErrorKind = ErrorKind.API_SERVER_ERROR
    share: float = 0.0
    retry_after_s: float | None = None
    slow_factor: float = 1.0
    period_s: float = 0.0
    bad_share: float = 1.0
    cut_share: float = 0.0
    capacity_share: float = 1.0
    good_s: float = 0.0
    bad_s: float = 0.0

    def __post_init__(self) -> None:
        if not 0.0 <= self.start_s < self.end_s < math.inf:
            got, allowed = (self.start_s, self.end_s), "0 <= start_s < end_s, both finite"
            raise ParameterError.of("episode", got, allowed, "give seconds from the start of the run")
        for name in ("share", "bad_share", "cut_share", "capacity_share"):
            if not 0.0 <= getattr(self, name) <= 1.0:
                raise ParameterError.of(name, getattr(self, name), "a share from 0 to 1", "give e.g. 0.3")
        self._check_states()
        if not 0.0 < self.slow_factor <= 1e6:
            raise ParameterError.of("slow_factor", self.slow_factor, "a number above 0", "10 makes it ten times slower")
        if not 0.0 <= self.period_s < math.inf:
            raise ParameterError.of("period_s", self.period_s, "seconds from 0 on", "0 = all the time")
        if self.retry_after_s is not None and not 0.0 <= self.retry_after_s < math.inf:
            raise ParameterError.of("retry_after_s", self.retry_after_s, "seconds from 0 on", "or None for no header")

    def _check_states(self) -> None:
        for name in ("good_s", "bad_s"):
            if not 0.0 <= getattr(self, name) < math.inf:
                raise ParameterError.of(name, getattr(self, name), "seconds from 0 on", "0 = no states")
        if (self.good_s > 0.0) != (self.bad_s > 0.0):
            got, allowed = (self.good_s, self.bad_s), "good_s and bad_s both above 0, or neither"
            raise ParameterError.of("states", got, allowed, "give the mean length of both")
        if self.bad_s > 0.0 and self.period_s > 0.0:
            remedy = "leave period_s out, or good_s and bad_s"
            raise ParameterError.of("period_s", self.period_s, "0 where states follow each other at random", remedy)
        if self.bad_s > 0.0 and (self.end_s - self.start_s) / (self.good_s + self.bad_s) > _MOST_BURSTS:
            remedy = "lengthen the states, or shorten the episode"
            raise ParameterError.of("bad_s", self.bad_s, f"at most {_MOST_BURSTS:,} bursts", remedy)


def outage(where: str, start_s: float, end_s: float) -> Episode:
    """Every connection is refused."""
    return Episode("outage", where, start_s, end_s, ErrorKind.NETWORK_REFUSED, 1.0)


def brownout(where: str, start_s: float, end_s: float, share: float, slow_factor: float = 1.0) -> Episode:
    """A share of the attempts finds the model overloaded, and the others may be slower."""
    return Episode("brownout", where, start_s, end_s, ErrorKind.MODEL_OVERLOADED, share, slow_factor=slow_factor)


def rate_limited(where: str, start_s: float, end_s: float, share: float, retry_after_s: float | None = None) -> Episode:
    """A share of the attempts is told 429, with or without a Retry-After in seconds."""
    return Episode("rate_limited", where, start_s, end_s, ErrorKind.API_RATE_LIMIT, share, retry_after_s)


def slow(where: str, start_s: float, end_s: float, factor: float) -> Episode:
    """Every service that starts within takes `factor` times as long; nothing fails by itself."""
    return Episode("slow", where, start_s, end_s, slow_factor=factor)


def flapping(where: str, start_s: float, end_s: float, period_s: float, bad_share: float = 0.5) -> Episode:
    """Refused and served by turns: refused for the first `bad_share` of each period."""
    return Episode(
        "flapping", where, start_s, end_s, ErrorKind.NETWORK_REFUSED, 1.0, period_s=period_s, bad_share=bad_share
    )


def gray(where: str, start_s: float, end_s: float, error: ErrorKind, share: float) -> Episode:
    """One kind of error alone, for a share of the attempts, while all else looks well."""
    return Episode("gray", where, start_s, end_s, ErrorKind(error), share)


def cut(where: str, start_s: float, end_s: float, share: float) -> Episode:
    """A share of the answers breaks off on the way."""
    return Episode("cut", where, start_s, end_s, ErrorKind.NETWORK_ERROR, cut_share=share)


def recovering(where: str, start_s: float, end_s: float, capacity_share: float) -> Episode:
    """Back after an outage with a share of its servers, which rises to all of them."""
    return Episode("recovering", where, start_s, end_s, capacity_share=capacity_share)


def bursts(
    where: str, start_s: float, end_s: float, good_s: float, bad_s: float, share: float,
    error: ErrorKind = ErrorKind.API_SERVER_ERROR,
) -> Episode:  # fmt: skip
    """Good and bad states of random length; in the bad ones a share of the attempts fails, on all models alike."""
    return Episode("bursts", where, start_s, end_s, ErrorKind(error), share, good_s=good_s, bad_s=bad_s)


def stretches(episode: Episode, number: int, seed: int) -> list[tuple[float, float]]:
    """Return when an episode is in force: once from start to end, or in its bad states.

    Parameters
    ----------
    episode : Episode
        The episode.
    number : int
        Its place among the episodes of the scenario: episodes draw apart.
    seed : int
        Seed of the run.

    Returns
    -------
    list of (start_s, end_s)

    Examples
    --------
    >>> stretches(outage("*", 5.0, 9.0), 0, 1)
    [(5.0, 9.0)]
    >>> len(stretches(bursts("*", 0.0, 10_000.0, 90.0, 10.0, 0.5), 0, 1))
    89
    """
    if episode.bad_s == 0.0:
        return [(episode.start_s, episode.end_s)]
    draws = KeyedDraws(seed)
    found: list[tuple[float, float]] = []
    at_s = episode.start_s
    while True:
        good, bad = draws.at(len(found), number, BURST)
        start_s = at_s - episode.good_s * math.log(1.0 - good)
        if start_s >= episode.end_s:
            return found
        at_s = start_s - episode.bad_s * math.log(1.0 - bad)
        found.append((start_s, min(at_s, episode.end_s)))
        if at_s >= episode.end_s:
            return found


def by_model(episodes: Iterable[Episode], names: Sequence[str], providers: Sequence[str]) -> list[list[Episode]]:
    """Sort episodes by the models they touch and by time.

    Parameters
    ----------
    episodes : iterable of Episode
        In any order.
    names, providers : sequence of str
        The models, and who runs each.

    Returns
    -------
    list of list of Episode
        For each model its episodes in order.

    Raises
    ------
    ParameterError
        For an episode that touches no model, or two of one model that overlap.

    Examples
    --------
    >>> found = by_model([outage("a", 5.0, 9.0), slow("x", 0.0, 5.0, 2.0)], ["a", "b"], ["x", "y"])
    >>> [[episode.label for episode in one] for one in found]
    [['slow', 'outage'], []]
    """
    found: list[list[Episode]] = [[] for _ in names]
    for episode in episodes:
        touched = [
            place
            for place, both in enumerate(zip(names, providers, strict=True))
            if episode.where == EVERYWHERE or episode.where in both
        ]
        if not touched:
            known = ", ".join(dict.fromkeys((*names, *providers, EVERYWHERE)))
            raise ParameterError.of("where", episode.where, known, "name a model, a provider or * for all")
        for place in touched:
            found[place].append(episode)
    for name, its in zip(names, found, strict=True):
        its.sort(key=lambda episode: episode.start_s)
        for one, after in pairwise(its):
            if after.start_s < one.end_s:
                got = f"{after.label} [{after.start_s:g}, {after.end_s:g}) during {one.label} [{one.start_s:g}, {one.end_s:g})"
                remedy = "cut them so that each moment has one; an episode may both fail a share and be slow"
                raise ParameterError.of(f"episodes of {name}", got, "episodes that do not overlap", remedy)
    return found
