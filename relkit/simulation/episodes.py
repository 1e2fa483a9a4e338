"""Bad times of a service: outages, brownouts, rate limits, slowness, flapping and gray failures, all in one record."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from relkit.errors import ErrorKind
from relkit.exceptions import ParameterError

EVERYWHERE: Final = "*"


@dataclass(frozen=True, slots=True)
class Episode:
    """A bad time; make one with `outage`, `brownout`, `rate_limited`, `slow`, `flapping` or `gray`.

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

    def __post_init__(self) -> None:
        if not 0.0 <= self.start_s < self.end_s < math.inf:
            got, allowed = (self.start_s, self.end_s), "0 <= start_s < end_s, both finite"
            raise ParameterError.of("episode", got, allowed, "give seconds from the start of the run")
        for name in ("share", "bad_share"):
            if not 0.0 <= getattr(self, name) <= 1.0:
                raise ParameterError.of(name, getattr(self, name), "a share from 0 to 1", "give e.g. 0.3")
        if not 0.0 < self.slow_factor <= 1e6:
            raise ParameterError.of("slow_factor", self.slow_factor, "a number above 0", "10 makes it ten times slower")
        if not 0.0 <= self.period_s < math.inf:
            raise ParameterError.of("period_s", self.period_s, "seconds from 0 on", "0 = all the time")
        if self.retry_after_s is not None and not 0.0 <= self.retry_after_s < math.inf:
            raise ParameterError.of("retry_after_s", self.retry_after_s, "seconds from 0 on", "or None for no header")


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
