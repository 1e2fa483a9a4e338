"""What an attempt meets: the episode in force, an error before it is served, and how its service goes."""

from typing import Any, Final

from relkit.policies.failure import KIND_RATE_LIMIT
from relkit.policies.retry import NO_HINT
from relkit.simulation.draws import EPISODE, REQUEST, TOKENS, drawn
from relkit.simulation.latency import latency_s
from relkit.simulation.tokens import billed, count_at

KIND_CUT: Final = 3  # NETWORK_ERROR
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


def tokens_at(setup: Any, request: int) -> tuple[int, int]:
    """Return the tokens that a request asks and is answered with."""
    asked, answered = drawn(setup.seed, request, 0, TOKENS)
    return count_at(setup.in_median, setup.in_sigma, asked), count_at(setup.out_median, setup.out_sigma, answered)


def over_limit(setup: Any, model: Any, server: Any, request: int, now_s: float) -> bool:
    """Count an attempt against the limits of the minute, and say whether it is beyond one."""
    minute = int(now_s / _MINUTE_S)
    if minute != server.minute:
        server.minute = minute
        server.asked = 0
        server.used = 0
    server.asked += 1
    if model.requests_per_minute > 0 and server.asked > model.requests_per_minute:
        return True
    if model.tokens_per_minute > 0:
        asked, answered = tokens_at(setup, request)
        if server.used > 0 and server.used + asked + answered > model.tokens_per_minute:
            return True
        server.used += asked + answered
    return False


def error_of(
    setup: Any, model: Any, server: Any, episodes: Any, kinds: Any, until: Any, luck: Any, request: int, attempt: int,
    now_s: float, draw: float,
) -> tuple[int, float]:  # fmt: skip
    """Return kind and stated wait of the error that meets an attempt before it is served; kind 0 for none.

    In this order: the episode, the limits of the minute, a request wrong in itself, the usual errors.
    """
    row = in_force(model, server, episodes, now_s)
    if row >= 0 and episodes[row].share > 0.0:
        share = episodes[row].share
        if share >= 1.0 or drawn(setup.seed, request, attempt, EPISODE)[0] < share:
            return episodes[row].kind, episodes[row].hint_s
    limited = model.requests_per_minute > 0 or model.tokens_per_minute > 0
    if limited and over_limit(setup, model, server, request, now_s):
        left_s = (server.minute + 1) * _MINUTE_S - now_s
        if setup.plan_hints:
            left_s = max(int(left_s) * 1.0, 0.001)
        return KIND_RATE_LIMIT, left_s
    if setup.invalid_share > 0.0 and drawn(setup.seed, request, 0, REQUEST)[0] < setup.invalid_share:
        return KIND_INVALID, NO_HINT
    factor = luck[request] if len(luck) > 0 else 1.0
    for place in range(model.errors_from, model.errors_to):
        if draw < until[place] * factor:
            return kinds[place], NO_HINT
    return 0, NO_HINT


def places_now(model: Any, server: Any, episodes: Any, now_s: float) -> int:
    """Return how many services may run at once now; an episode may leave a share of them, which rises to its end."""
    if model.ramps:
        row = in_force(model, server, episodes, now_s)
        if row >= 0:
            episode = episodes[row]
            part = (now_s - episode.start_s) / (episode.end_s - episode.start_s)
            share = episode.capacity_share + (1.0 - episode.capacity_share) * part
            return max(int(model.servers * share), 1)
    return int(model.servers)


def service_of(
    setup: Any, model: Any, server: Any, episodes: Any, values: Any, request: int, attempt: int, now_s: float, draw: float
) -> tuple[float, int, int]:  # fmt: skip
    """Return how long a service that starts now takes, the kind of error it ends in (0 for none), and its price."""
    time_s = latency_s(model.family, values, model.values_from, model.values_to, draw)
    row = in_force(model, server, episodes, now_s)
    kind, part = 0, 1.0
    if row >= 0:
        time_s *= episodes[row].slow_factor
        share = episodes[row].cut_share
        if share > 0.0:
            where = drawn(setup.seed, request, attempt, EPISODE)[1]
            if where < share:  # where the stream is cut is uniform: its draw is, below the share
                kind, part = KIND_CUT, where / share
                time_s *= part
    cost = model.cost_microusd
    if setup.counts_tokens:
        asked, answered = tokens_at(setup, request)
        cost = billed(model, asked, int(answered * part))
    return time_s, kind, cost
