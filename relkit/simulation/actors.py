"""Who takes part in the oracle's simulation: clients and their breakers, calls and servers, as plain objects."""

import math
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field

from relkit.policies.records import BreakerState
from relkit.policies.retry import NO_HINT, RetryState
from relkit.policies.retry_budget import SLOTS, RetryBudgetState
from relkit.simulation.draws import ARRIVAL, KeyedDraws
from relkit.simulation.workload import EpisodeRow, ModelRow, Workload


@dataclass(slots=True)
class Guard:
    """One client's breaker for one model."""

    state: BreakerState
    window: list[float]
    client: int
    model: int


@dataclass(slots=True)
class Client:
    """One client: a breaker for each model of its chain, and its RetryBudget."""

    guards: list[Guard]
    purse: RetryBudgetState = field(default_factory=RetryBudgetState)
    slots: list[int] = field(default_factory=lambda: [0] * SLOTS)


@dataclass(slots=True)
class Call:
    """One request on its way."""

    number: int
    client: Client
    key: int | None
    came_s: float
    retry: RetryState = field(default_factory=RetryState)
    place: int = 0
    generation: int = 0
    kind: int = 0
    hint_s: float = NO_HINT
    attempt_s: float = 0.0
    entered_s: float = 0.0
    waited_s: float = 0.0
    waits_for: int = 0
    will_be_answered: bool = False
    in_queue: bool = False
    paying: bool = False


@dataclass(slots=True)
class Server:
    """One model: who is served, who waits, and what befalls it."""

    number: int
    row: ModelRow
    episodes: deque[EpisodeRow]
    busy: int = 0
    live: int = 0
    queue: deque[tuple[Call, int, float]] = field(default_factory=deque)
    minute: int = -1
    asked: int = 0
    used: int = 0

    def episode(self, now_s: float) -> EpisodeRow | None:
        """Return the episode in force."""
        while self.episodes and self.episodes[0].end_s <= now_s:
            self.episodes.popleft()
        if not self.episodes or now_s < self.episodes[0].start_s:
            return None
        its = self.episodes[0]
        gone_s = now_s - its.start_s
        if its.period_s > 0 and gone_s - math.floor(gone_s / its.period_s) * its.period_s >= its.bad_s:
            return None
        return its

    def has_server(self, now_s: float) -> bool:
        """Whether a service can start now."""
        if self.row.servers < 0:
            return True
        its = self.episode(now_s) if self.row.ramps else None
        if its is None:
            return self.busy < self.row.servers
        gone = (now_s - its.start_s) / (its.end_s - its.start_s)
        share = its.capacity_share + (1.0 - its.capacity_share) * gone
        return self.busy < max(math.floor(self.row.servers * share), 1)

    def admits(self, now_s: float, tokens: int) -> bool:
        """Count an attempt against the limits of its minute; say whether it is within them."""
        minute = math.floor(now_s / 60)
        if minute != self.minute:
            self.minute, self.asked, self.used = minute, 0, 0
        self.asked += 1
        if self.row.requests_per_minute and self.asked > self.row.requests_per_minute:
            return False
        if self.row.tokens_per_minute and self.used and self.used + tokens > self.row.tokens_per_minute:
            return False
        self.used += tokens
        return True

    def has_place(self) -> bool:
        """Whether there is a place to wait."""
        return self.row.queue < 0 or self.live < self.row.queue


def arrivals_of(work: Workload, draws: KeyedDraws) -> Iterator[float]:
    """When each request comes, in seconds; what falls into a gap comes at its end."""
    held_s = work.held_s.tolist()
    gaps = list(zip(held_s[::2], held_s[1::2], strict=True))
    for at_s in _unheld(work, draws):
        yield next((end_s for start_s, end_s in gaps if start_s <= at_s < end_s), at_s)


def _unheld(work: Workload, draws: KeyedDraws) -> Iterator[float]:
    if work.setup.replayed:
        yield from work.times_s.tolist()
        return
    rates, lengths_s = work.rates.tolist(), work.lengths_s.tolist()
    units = 0.0
    piece, before_units, before_s = 0, 0.0, 0.0
    for number in range(work.setup.requests):
        units -= math.log(1.0 - draws.at(number, 0, ARRIVAL)[0])
        if len(rates) == 1:
            yield units / rates[0]
            continue
        while units >= before_units + rates[piece] * lengths_s[piece]:
            before_units += rates[piece] * lengths_s[piece]
            before_s += lengths_s[piece]
            piece = (piece + 1) % len(rates)
        yield before_s + (units - before_units) / rates[piece]
