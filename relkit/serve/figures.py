"""What requests that ended say of a service: error rates, percentiles, and what retries did; pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np

from relkit.slo import Latency, Totals, latency_of
from relkit.store.readings.ended import VERDICTS, Ended
from relkit.units import US_PER_DAY, US_PER_HOUR, US_PER_MINUTE

WINDOWS_US: Final[Mapping[str, int]] = {"5m": 5 * US_PER_MINUTE, "1h": US_PER_HOUR, "24h": US_PER_DAY}
"""Over which error rates and percentiles are told, back from the moment asked for."""
LONGEST_US: Final = max(WINDOWS_US.values())
MOST_NAMES: Final = 100
"""Services told by name: the busiest; the sums hold all."""


@dataclass(frozen=True, slots=True)
class Window:
    """Requests that ended within a window.

    Parameters
    ----------
    name : str
        One of `WINDOWS_US`.
    service : str or None
        Whose; None for all of them, "" for requests that name none.
    totals : Totals
        Good, bad, excluded and unknown.
    latency : Latency
        Percentiles of those not known to have failed, where there are enough to identify them.
    """

    name: str
    service: str | None
    totals: Totals
    latency: Latency

    @property
    def error_rate(self) -> float | None:
        """Return bad / valid, in [0, 1]; None without valid requests."""
        return self.totals.bad / self.totals.valid if self.totals.valid else None


@dataclass(frozen=True, slots=True)
class Strategy:
    """What a retry strategy did to the requests of 24 hours.

    Parameters
    ----------
    name : str
        The last that a try of the request names; empty for requests that name none.
    requests : int
        Requests.
    attempts, retries : int or None
        Tries of these requests, and tries after the first; None where the log tells no tries apart.
    recovered : int
        Requests that succeeded after more than one try.
    given_up : int
        Requests whose last try failed.
    budget_left : int or None
        Retries left in the RetryBudget, in the tightest of the services by what each said last; None where none said.
    """

    name: str
    requests: int
    attempts: int | None
    retries: int | None
    recovered: int
    given_up: int
    budget_left: int | None


def windows_of(ended: Ended, at_us: int) -> tuple[Window, ...]:
    """Sum up every window back from a moment: all requests first, then the busiest services by name.

    Examples
    --------
    >>> one = np.array([1], dtype=np.int32)
    >>> request = Ended(np.array([5]), np.array([40]), one, one, one, one * 0, one * 0, ("chat",), ("",))
    >>> [(window.name, window.service, window.error_rate) for window in windows_of(request, 10)][:2]
    [('5m', None, 1.0), ('5m', 'chat', 1.0)]
    """
    found = []
    for name, width_us in WINDOWS_US.items():
        part = ended.between(at_us - width_us, at_us)
        cells = np.bincount(
            part.service * len(VERDICTS) + part.verdict, minlength=len(VERDICTS) * len(part.services)
        ).reshape(-1, len(VERDICTS))
        found.append(
            Window(
                name,
                None,
                Totals(*cells.sum(axis=0).tolist()),
                latency_of(part.latency_us[part.latency_us >= 0]).identified(),
            )
        )
        busiest = np.argsort(-cells.sum(axis=1), kind="stable")[:MOST_NAMES]
        for place in sorted(busiest.tolist(), key=lambda place: part.services[place]):
            if cells[place].any():
                mine = part.latency_us[(part.service == place) & (part.latency_us >= 0)]
                found.append(
                    Window(name, part.services[place], Totals(*cells[place].tolist()), latency_of(mine).identified())
                )
    return tuple(found)


def strategies_of(ended: Ended, at_us: int, left: Mapping[tuple[str, str], tuple[int, int]]) -> tuple[Strategy, ...]:
    """Count by retry strategy what became of the requests of the last 24 hours.

    Parameters
    ----------
    ended : Ended
        At least these requests.
    at_us : int
        The moment, microseconds since 1970 UTC.
    left : mapping
        Strategy and service to when it was said and the retries left.
    """
    part = ended.between(at_us - LONGEST_US, at_us)
    size = len(part.strategies)
    requests = np.bincount(part.strategy, minlength=size)
    told = np.bincount(part.strategy[part.tries > 0], minlength=size)
    attempts = np.bincount(part.strategy, weights=part.tries, minlength=size)
    recovered = np.bincount(part.strategy[(part.outcome == 1) & (part.tries > 1)], minlength=size)
    given_up = np.bincount(part.strategy[part.outcome == 0], minlength=size)
    purses: dict[str, list[int]] = {}
    for (strategy, _), (said_us, retries) in left.items():
        if at_us - LONGEST_US <= said_us < at_us:
            purses.setdefault(strategy, []).append(retries)
    return tuple(
        Strategy(
            name,
            int(requests[place]),
            int(attempts[place]) if told[place] else None,
            int(attempts[place]) - int(told[place]) if told[place] else None,
            int(recovered[place]),
            int(given_up[place]),
            min(purses.get(name, ()), default=None),
        )
        for place, name in sorted(enumerate(part.strategies), key=lambda named: named[1])
        if requests[place]
    )
