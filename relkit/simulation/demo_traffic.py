"""The demo week's requests and the tries they take, as arrays of integers.

A request is a turn of a chat session. Its tries go first to the primary model, then to it again, then to a fallback.
Errors are planted in known numbers on first tries, and episodes fail tries by when they start.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from relkit.simulation.demo_draws import Flags, Floats, Ints, geometric, lognormal_us, pick
from relkit.simulation.demo_truth import Truth
from relkit.units import US_PER_DAY, US_PER_MINUTE, US_PER_SECOND

Streams = Mapping[str, np.random.Generator]

LLM, DATABASE = 0, 1
SERVICES = ("groq", "booking-db")
OPERATIONS = ("chat", "lookup", "book")
FINE = -1  # no error
LOST = -2  # the end was never seen
QUIET_US = 2 * US_PER_MINUTE  # nothing starts so shortly before the week ends, so that every try ends within it
CLEARANCE_US = US_PER_MINUTE  # planted errors stay so far from episodes that their retries do too


@dataclass(frozen=True, slots=True)
class Requests:
    """What users asked, ordered by time; arrays of one length.

    `session` counts from 0 by start of the session, `turn` from 1 within it; `service` and `operation` index SERVICES
    and OPERATIONS; `cached` says that the response cache holds an answer.
    """

    ts: Ints
    session: Ints
    turn: Ints
    service: Ints
    operation: Ints
    cached: Flags


@dataclass(frozen=True, slots=True)
class Tries:
    """The tries of the requests, ordered by request and attempt; arrays of one length.

    `shape` indexes `Truth.errors`, or is FINE or LOST; `episode` indexes `Truth.episodes` where one failed the try,
    else -1; `model` indexes `Truth.models`, -1 for the database; `asked_wait_us` is what a rate limit asks for, else 0.
    """

    request: Ints
    attempt: Ints
    ts: Ints
    latency_us: Ints
    model: Ints
    shape: Ints
    episode: Ints
    cached: Flags
    asked_wait_us: Ints


def draw_requests(truth: Truth, streams: Streams) -> Requests:
    """Draw sessions by a day's and a week's rhythm, then their turns.

    >>> from relkit.simulation.demo_truth import read_truth
    >>> from relkit.simulation.demo_draws import spawn_streams
    >>> requests = draw_requests(read_truth(), spawn_streams(1, ["sessions", "routes"]))
    >>> bool((np.diff(requests.ts) >= 0).all())
    True
    """
    traffic, rng = truth.traffic, streams["sessions"]
    sessions = int(traffic["sessions"])
    begun = np.sort(_session_starts(truth, rng.random(sessions)))
    turns = geometric(rng.random(sessions), traffic["mean_turns"], traffic["max_turns"])
    session = np.repeat(np.arange(sessions), turns)
    first = np.cumsum(turns) - turns
    turn = np.arange(len(session)) - first[session] + 1
    gap = traffic["least_gap_s"] * US_PER_SECOND + lognormal_us(
        rng.random(len(session)), traffic["think_median_s"], traffic["think_sigma"]
    )
    gap[first] = 0
    since = np.cumsum(gap)
    ts = begun[session] + since - since[first][session]
    keep = np.flatnonzero(ts < truth.end_us - QUIET_US)
    order = keep[np.lexsort((session[keep], ts[keep]))]
    rng = streams["routes"]
    size = len(order)
    service = np.where(rng.random(size) < traffic["llm_share"], LLM, DATABASE)
    draw = rng.random(size)
    operation = np.where(
        service == LLM, _operations(draw, traffic["llm_operations"]), _operations(draw, traffic["db_operations"])
    )
    cached = (rng.random(size) < traffic["cached_lookup_share"]) & (service == LLM) & (operation == 1)
    return Requests(ts[order], session[order], turn[order], service, operation, cached)


def _session_starts(truth: Truth, uniforms: Floats) -> Ints:
    """Start times with a rate that follows the hour and the weekday."""
    traffic = truth.traffic
    minute = np.arange((truth.end_us - truth.start_us) // US_PER_MINUTE)
    hour = minute % 1440 / 60
    swing = ((1 + np.cos(2 * np.pi * (hour - traffic["peak_hour"]) / 24)) / 2) ** 1.5
    by_day = np.asarray(traffic["day_factors"])[minute // 1440]
    rate = by_day * (traffic["night_share"] + (1 - traffic["night_share"]) * swing)
    reached = np.concatenate([[0.0], np.cumsum(rate)])
    offset = np.interp(uniforms * reached[-1], reached, np.arange(len(reached)) * float(US_PER_MINUTE))
    starts: Ints = truth.start_us + np.floor(offset).astype(np.int64)
    return starts


def _operations(uniforms: Floats, shares: Mapping[str, float]) -> Ints:
    places = np.array([OPERATIONS.index(name) for name in shares], dtype=np.int64)
    return places[pick(uniforms, list(shares.values()))]


def draw_tries(truth: Truth, requests: Requests, streams: Streams) -> Tries:
    """Run every request through at most three tries.

    >>> from relkit.simulation.demo_truth import read_truth
    >>> from relkit.simulation.demo_draws import spawn_streams
    >>> streams = spawn_streams(1, ["sessions", "routes", "planted", "tries"])
    >>> tries = draw_tries(read_truth(), draw_requests(read_truth(), streams), streams)
    >>> int(tries.attempt.max())
    3
    """
    most = int(truth.calls["most_tries"])
    retries = np.array([shape.retries for shape in truth.errors] + [0, 0])  # LOST and FINE index the two at the end
    again = np.array([shape.again for shape in truth.errors] + [0.0, 0.0])
    rate_limited = truth.error_index("rate_limited")
    request, ts, wanted = np.arange(len(requests.ts)), requests.ts, _plant(truth, requests, streams)
    rounds = []
    for attempt in range(1, most + 1):
        draws = streams["tries"].random((8, len(request)))
        tries = _try_once(truth, requests, request, attempt, ts, wanted, draws)
        rounds.append(tries)
        waits = truth.calls["transient_wait_s"][min(attempt, most - 1) - 1] * (0.5 + draws[6])
        # Whole seconds, as in the Retry-After header, and a little so that not all come back at once.
        asked = np.ceil(tries.asked_wait_us / US_PER_SECOND) + 0.5 * draws[6]
        wait_s = np.where(tries.shape == rate_limited, asked, waits)
        more = np.flatnonzero(retries[tries.shape] >= attempt)
        # A planted error may come back; an episode decides anew for each try.
        same = (draws[7] < again[tries.shape]) & (tries.episode < 0)
        request, wanted = request[more], np.where(same, tries.shape, FINE)[more]
        ts = (tries.ts + tries.latency_us + np.rint(wait_s * US_PER_SECOND).astype(np.int64))[more]
    columns = {name: np.concatenate([getattr(part, name) for part in rounds]) for name in Tries.__slots__}
    order = np.lexsort((columns["attempt"], columns["request"]))
    return Tries(**{name: column[order] for name, column in columns.items()})


def _try_once(
    truth: Truth, requests: Requests, request: Ints, attempt: int, ts: Ints, wanted: Ints, draws: Floats
) -> Tries:
    """One try of each of these requests; `wanted` is the planted error, FINE or LOST."""
    calls = truth.calls
    service = requests.service[request]
    third = np.where(draws[0] < calls["second_fallback_share"], 2, 1)
    model = np.where(service == LLM, third if attempt == calls["most_tries"] else 0, -1)
    medians = np.array([each.median_s for each in truth.models] + [truth.database["median_s"]])
    sigmas = np.array([each.sigma for each in truth.models] + [truth.database["sigma"]])
    cached = requests.cached[request] & (wanted == FINE)
    shape, episode, slowdown = wanted.copy(), np.full(len(request), -1), np.ones(len(request))
    for place, trouble in enumerate(truth.episodes):
        inside = (ts >= trouble.start_us) & (ts < trouble.end_us) & (service == SERVICES.index(trouble.service))
        slowdown[inside] = trouble.slowdown
        hit = inside & (draws[1] < trouble.share)
        how = np.array([truth.error_index(name) for name in trouble.errors])[
            pick(draws[2], list(trouble.errors.values()))
        ]
        shape[hit], episode[hit] = how[hit], place
    latency = lognormal_us(
        draws[3], np.where(cached, truth.traffic["cached_median_s"], medians[model] * slowdown), sigmas[model]
    )
    fast, slow = (np.array([getattr(each, name) for each in truth.errors] + [0, 0]) for name in ("fast_ms", "slow_ms"))
    failing_us = np.rint(1000 * (fast[shape] + (slow - fast)[shape] * draws[4] ** 2)).astype(np.int64)
    fails = np.array([not each.harmless for each in truth.errors] + [False, False])[shape]
    late = ~fails & (shape != LOST) & (latency >= calls["timeout_s"] * US_PER_SECOND)
    shape[late] = truth.error_index("timed_out")
    failing_us[late] = calls["timeout_s"] * US_PER_SECOND + np.rint(20_000 * draws[4][late]).astype(np.int64)
    for place, trouble in enumerate(truth.episodes):
        episode[late & (ts >= trouble.start_us) & (ts < trouble.end_us)] = place
    fails |= late
    low, high = calls["rate_limit_wait_s"]
    asked_us = np.rint(100 * (low + (high - low) * draws[5])).astype(np.int64) * 10_000
    return Tries(
        request=request,
        attempt=np.full(len(request), attempt),
        ts=ts,
        latency_us=np.where(fails, failing_us, latency),
        model=model,
        shape=shape,
        episode=episode,
        # The cache finds similar questions with the provider's help: it cannot answer where the provider does not.
        cached=cached & ~fails,
        asked_wait_us=np.where(shape == truth.error_index("rate_limited"), asked_us, 0),
    )


def _plant(truth: Truth, requests: Requests, streams: Streams) -> Ints:
    """For each request the error its first try meets: an index into `Truth.errors`, FINE or LOST."""
    luck = streams["planted"].random(len(requests.ts))
    order = np.argsort(luck, kind="stable")
    free = np.ones(len(requests.ts), dtype=np.bool_)
    for trouble in truth.episodes:
        free &= (requests.ts < trouble.start_us - CLEARANCE_US) | (requests.ts >= trouble.end_us + CLEARANCE_US)
    planted = np.full(len(requests.ts), FINE)
    # Errors that come in a row choose first: they need the next free requests from a given moment on.
    for place, shape in sorted(enumerate(truth.errors), key=lambda each: each[1].at_us is None):
        fits = free & (requests.service == SERVICES.index(shape.service))
        if shape.operation is not None:
            fits &= requests.operation == OPERATIONS.index(shape.operation)
        if shape.harmless:
            fits &= ~requests.cached
        chosen = order[fits[order]] if shape.at_us is None else np.flatnonzero(fits & (requests.ts >= shape.at_us))
        chosen = chosen[: shape.count]
        planted[chosen], free[chosen] = place, False
    planted[order[free[order]][: truth.traffic["lost_ends"]]] = LOST
    return planted


def day_of(truth: Truth, ts: Ints) -> Ints:
    """Day of the week, 0 = Monday.

    >>> from relkit.simulation.demo_truth import read_truth
    >>> truth = read_truth()
    >>> day_of(truth, np.array([truth.start_us, truth.end_us - 1]))
    array([0, 6])
    """
    days: Ints = (ts - truth.start_us) // US_PER_DAY
    return days
