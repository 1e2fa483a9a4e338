"""What an attempt meets: the episode in force, an error before it is served, and the time of its service."""

from typing import Any, Final

from relkit.policies.failure import KIND_RATE_LIMIT
from relkit.policies.retry import NO_HINT
from relkit.simulation.draws import EPISODE, REQUEST, drawn
from relkit.simulation.latency import latency_s

KIND_INVALID: Final = 8
NOTHING: Final = -1
_MINUTE_S: Final = 60.0


def in_force(model: Any, server: Any, episodes: Any, now_s: float) -> int:
    """Return the row of the episode in force, or -1; time never runs backwards, so what is over is passed for good."""
    while server.episode < model.episodes_to and now_s >= episodes[server.episode].end_s:
        server.episode += 1
    if server.episode >= model.episodes_to:
        return NOTHING
    episode = episodes[server.episode]
    if now_s < episode.start_s:
        return NOTHING
    if episode.period_s > 0.0:
        gone_s = now_s - episode.start_s
        if gone_s - int(gone_s / episode.period_s) * episode.period_s >= episode.bad_s:
            return NOTHING
    return int(server.episode)


def error_of(
    setup: Any, model: Any, server: Any, episodes: Any, kinds: Any, until: Any, request: int, attempt: int, now_s: float,
    draw: float,
) -> tuple[int, float]:  # fmt: skip
    """Return kind and stated wait of the error that meets an attempt before it is served; kind 0 for none.

    In this order: the episode, the limit of requests a minute, a request wrong in itself, the usual errors.
    """
    row = in_force(model, server, episodes, now_s)
    if row >= 0 and episodes[row].share > 0.0:
        share = episodes[row].share
        if share >= 1.0 or drawn(setup.seed, request, attempt, EPISODE)[0] < share:
            return episodes[row].kind, episodes[row].hint_s
    if model.requests_per_minute > 0:
        minute = int(now_s / _MINUTE_S)
        if minute != server.minute:
            server.minute = minute
            server.asked = 0
        server.asked += 1
        if server.asked > model.requests_per_minute:
            left_s = (minute + 1) * _MINUTE_S - now_s
            if setup.plan_hints:
                left_s = max(int(left_s) * 1.0, 0.001)
            return KIND_RATE_LIMIT, left_s
    if setup.invalid_share > 0.0 and drawn(setup.seed, request, 0, REQUEST)[0] < setup.invalid_share:
        return KIND_INVALID, NO_HINT
    for place in range(model.errors_from, model.errors_to):
        if draw < until[place]:
            return kinds[place], NO_HINT
    return 0, NO_HINT


def service_s(model: Any, server: Any, episodes: Any, values: Any, now_s: float, draw: float) -> float:
    """Return how long a service that starts now takes, in seconds."""
    time_s = latency_s(model.family, values, model.values_from, model.values_to, draw)
    row = in_force(model, server, episodes, now_s)
    if row >= 0:
        time_s *= episodes[row].slow_factor
    return time_s
