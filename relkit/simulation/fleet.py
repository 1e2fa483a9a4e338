"""What the breakers of one client know of each other, and what is written down of their changes."""

import math
from typing import Any

from relkit.policies.breaker import tick
from relkit.policies.codes import OPEN


def note_change(state: Any, client: int, model: int, rows: Any, marks: Any) -> None:
    """Write down that a breaker has changed its state."""
    row = rows[marks.transitions]
    row.at_s = state.since_s
    row.client = client
    row.model = model
    row.state = state.state
    row.why = state.why
    row.why_value = state.why_value
    row.threshold = state.threshold
    marks.transitions += 1


def look_around(breakers: Any, base: int, places: int, place: int, peers: Any) -> None:
    """Count the members of a client's fleet and how many of the others are open."""
    peers.members = places
    peers.open_members = 0
    for other in range(places):
        if other != place and breakers[base + other].state == OPEN:
            peers.open_members += 1


def sweep_fleet(
    cfg: Any, breakers: Any, windows: Any, base: int, places: int, client: int, chain: Any, peers: Any, now_s: float,
    rows: Any, marks: Any,
) -> None:  # fmt: skip
    """Judge all members of a client's fleet at once, by the shares of the interval that is over."""
    members, total, squares = 0, 0.0, 0.0
    for place in range(places):
        state = breakers[base + place]
        if state.calls > 0 and state.calls >= cfg.min_calls:
            share = (state.calls - state.failures) / state.calls
            members += 1
            total += share
            squares += share * share
    mean = total / members if members > 0 else 0.0
    sd = math.sqrt(max(squares / members - mean * mean, 0.0)) if members > 0 else 0.0
    for place in range(places):
        state = breakers[base + place]
        generation = state.generation
        look_around(breakers, base, places, place, peers)
        peers.mean_share = mean
        peers.sd_share = sd
        tick(state, windows[base + place], cfg, peers, now_s)
        if state.generation != generation:
            note_change(state, client, chain[place], rows, marks)
    peers.mean_share = 0.0
    peers.sd_share = 0.0
