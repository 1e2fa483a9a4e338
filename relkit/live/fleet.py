"""Breakers that judge each other: what one model's breaker knows of the others of its chain.

Outlier ejection and LiteLLM's cooldown decide by the whole fleet. All breakers of such a chain are swept together, as in
the simulation, so that each is held against the same interval.
"""

import math
from collections.abc import Sequence
from threading import Lock
from typing import Final

from relkit.policies.codes import COOLDOWN, OPEN, OUTLIER
from relkit.policies.guard import Breaker
from relkit.policies.records import BreakerSettings, Peers

_FLEETS: Final = frozenset({OUTLIER, COOLDOWN})


def is_fleet(cfg: BreakerSettings, models: int) -> bool:
    """Say whether the breakers of a chain of so many models judge each other.

    >>> is_fleet(BreakerSettings(family=COOLDOWN), 1), is_fleet(BreakerSettings(family=COOLDOWN), 2)
    (False, True)
    """
    return models > 1 and cfg.family in _FLEETS


class Fleet:
    """The breakers of one chain.

    Parameters
    ----------
    members : sequence of Breaker
        In the order of the chain, all with the same settings and clock.
    """

    __slots__ = ("_lock", "members")

    def __init__(self, members: Sequence[Breaker]) -> None:
        self.members = tuple(members)
        self._lock = Lock()

    def look_around(self, place: int) -> None:
        """Tell the breaker at a place of the chain what it knows of the others; sweep all where that is due."""
        first = self.members[0]
        if first.settings.interval_s > 0.0:
            self._sweep(first.clock())
        self.members[place].peers = self._peers(place, 0.0, 0.0)

    def _peers(self, place: int, mean: float, sd: float) -> Peers:
        others = sum(member.state.state == OPEN for number, member in enumerate(self.members) if number != place)
        return Peers(len(self.members), others, mean, sd)

    def _sweep(self, now_s: float) -> None:
        changes = []
        with self._lock:
            if self.members[0].state.sweep_s > now_s:
                return
            least = max(self.members[0].settings.min_calls, 1)
            judged = [member.state for member in self.members if member.state.calls >= least]
            shares = [(state.calls - state.failures) / state.calls for state in judged]
            mean = sum(shares) / len(shares) if shares else 0.0
            spread = sum(share * share for share in shares) / len(shares) - mean * mean if shares else 0.0
            sd = math.sqrt(max(spread, 0.0))
            for place, member in enumerate(self.members):
                changes.append((member, member.sweep(self._peers(place, mean, sd), now_s)))
        for member, change in changes:
            member.tell(change)
