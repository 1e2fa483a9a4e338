"""How fast a breaker notices an outage and how often it opens for nothing: one simulation for tests and proofs.

Calls fail independently and come at a steady pace; they answer at once, so that the order of answers plays no part.
"""

from collections.abc import Sequence
from copy import copy
from dataclasses import dataclass
from random import Random
from statistics import median

from relkit.policies.breaker import allow, settle
from relkit.policies.codes import CLOSED, OPENED
from relkit.policies.presets import presets
from relkit.policies.records import ALONE, BreakerSettings, BreakerState
from relkit.policies.transitions import new_breaker

PACE_S = 0.1
OUTAGES = (1.0, 0.7, 0.5, 0.3, 0.2)


@dataclass(slots=True)
class Watched:
    """A breaker, its window and its clock."""

    cfg: BreakerSettings
    state: BreakerState
    window: list[float]
    now_s: float = 0.0

    def twin(self) -> "Watched":
        """Return an independent copy."""
        return Watched(self.cfg, copy(self.state), list(self.window), self.now_s)


def fresh(cfg: BreakerSettings) -> Watched:
    """Return a breaker that has seen nothing."""
    return Watched(cfg, *new_breaker(cfg, 0.0))


def watched_preset(name: str) -> BreakerSettings:
    """Return the breaker of a preset."""
    breaker = presets[name].breaker
    assert breaker is not None
    return breaker


def serve(watched: Watched, share: float, calls: int, rng: Random, *, until_open: bool = False) -> tuple[int, int]:
    """Make so many calls that fail with `share`; return the calls settled and the openings from closed.

    Rejected calls take time and are not counted. With `until_open` it ends at the first opening.
    """
    cfg, state, window, now_s = watched.cfg, watched.state, watched.window, watched.now_s
    settled = openings = 0
    draw = rng.random
    while settled < calls:
        now_s += PACE_S
        code, generation, _ = allow(state, window, cfg, ALONE, now_s, 0.5)
        if code:
            continue
        was_closed = state.state == CLOSED
        settled += 1
        event = settle(state, window, cfg, ALONE, now_s, generation, draw() < share, 0.0)
        if event == OPENED and was_closed:
            openings += 1
            if until_open:
                break
    watched.now_s = now_s
    return settled, openings


def calls_to_open(
    cfg: BreakerSettings, shares: Sequence[float], runs: int, seed: int, most: int = 3000, outage: bool = False
) -> dict[float, float]:
    """Median calls until it opens at each failure share, after 2,000 calls at 2 %; infinite when it does not.

    With `outage` the 2,000 calls are followed by 60 at 60 % and then 200 at 2 %.
    """
    rng = Random(seed)
    found: dict[float, list[float]] = {share: [] for share in shares}
    for _ in range(runs):
        warm = fresh(cfg)
        serve(warm, 0.02, 2000, rng)
        if outage:
            serve(warm, 0.6, 60, rng)
            serve(warm, 0.02, 200, rng)
        while warm.state.state != CLOSED:
            serve(warm, 0.02, 1, rng)
        for share in shares:
            settled, openings = serve(warm.twin(), share, most, rng, until_open=True)
            found[share].append(settled if openings else float("inf"))
    return {share: median(counts) for share, counts in found.items()}


def false_openings(cfg: BreakerSettings, share: float, calls: int, seed: int, runs: int = 1) -> int:
    """Openings in `calls` calls at a steady failure share, after 2,000 calls at it, over so many breakers."""
    rng = Random(seed)
    total = 0
    for _ in range(runs):
        watched = fresh(cfg)
        serve(watched, share, 2000, rng)
        total += serve(watched, share, calls // runs, rng)[1]
    return total
