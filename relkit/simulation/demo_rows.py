"""The demo week's tries and health checks as rows of the attempts table."""

from collections.abc import Iterable, Mapping, Sequence
from string import Template
from typing import Any

import numpy as np
import numpy.typing as npt

from relkit.simulation.demo_draws import Flags, Floats, Ints, lognormal_counts, lognormal_us, pick
from relkit.simulation.demo_traffic import LLM, LOST, OPERATIONS, SERVICES, Requests, Streams, Tries
from relkit.simulation.demo_truth import ErrorShape, Truth
from relkit.units import US_PER_MINUTE, US_PER_SECOND

Columns = dict[str, list[Any]]
LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
FIRST_NAMES = ("ana", "ben", "chloe", "dieter", "elif", "farid", "greta", "hugo")
LAST_NAMES = ("lopez", "okafor", "novak", "schmidt", "rossi", "tanaka", "weber", "yilmaz")
TEXT_DRAWS = 80  # uniforms for the words of one message, whatever its text: a changed text leaves the others alone


def attempt_columns(truth: Truth, requests: Requests, tries: Tries, streams: Streams) -> Columns:
    """Rows of user traffic, in the order of the tries; `true_kind` comes as one more column.

    >>> from relkit.simulation.demo_traffic import draw_requests, draw_tries
    >>> from relkit.simulation.demo_truth import read_truth
    >>> from relkit.simulation.demo_draws import spawn_streams
    >>> truth, streams = read_truth(), spawn_streams(1, ["sessions", "routes", "planted", "tries", "tokens", "texts"])
    >>> requests = draw_requests(truth, streams)
    >>> columns = attempt_columns(truth, requests, draw_tries(truth, requests, streams), streams)
    >>> columns["request_id"][0], columns["attempt"][0]
    ('r000001', 1)
    """
    shape, size = tries.shape, len(tries.shape)
    ended = shape != LOST
    ok = ended & ~fails(truth, shape)
    llm = requests.service[tries.request] == LLM
    answered = ok & llm & ~tries.cached
    tokens_in, tokens_out, cost = _spend(truth, tries.model, streams["tokens"])
    session_id = [f"s{number + 1:05d}" for number in requests.session[tries.request].tolist()]
    request_id = [f"r{number + 1:06d}" for number in tries.request.tolist()]
    retry = (tries.attempt > 1).tolist()
    earlier = np.concatenate([[LOST], shape[:-1]])
    limited = (earlier == truth.error_index("rate_limited")).tolist()
    columns: Columns = {
        "request_id": request_id,
        "attempt": tries.attempt.tolist(),
        "ts": tries.ts.tolist(),
        "latency_us": _where(ended, tries.latency_us),
        "ended": ended.tolist(),
        "ok": _where(ended, ok),
        "role": ["user"] * size,
        "service": _names(SERVICES, requests.service[tries.request]),
        "model": _names([each.name for each in truth.models] + [None], tries.model),
        "operation": _names(OPERATIONS, requests.operation[tries.request]),
        "session_id": session_id,
        "arm": [None] * size,
        **_signals(truth, shape, tries.model, tries.asked_wait_us, session_id, streams["texts"]),
        "cache_hit": _where(llm & ended, tries.cached),
        "degraded": _where(ended, ok & (tries.model > 0)),
        "tokens_in": _where(answered, tokens_in),
        "tokens_out": _where(answered, tokens_out),
        "cost_microusd": _where(answered, cost),
        "strategy": [
            ("rate_limited" if slow else "transient") if again else None
            for again, slow in zip(retry, limited, strict=True)
        ],
        "granularity": ["attempt"] * size,
        "maybe_executed": [None] * size,
        "breaker_state": [None] * size,
        "true_kind": _kinds(truth, shape),
    }
    return columns


def probe_columns(truth: Truth, streams: Streams) -> Columns:
    """Rows of health checks: regular ones, and one a minute after a failure until the service is back.

    >>> from relkit.simulation.demo_truth import read_truth
    >>> from relkit.simulation.demo_draws import spawn_streams
    >>> set(probe_columns(read_truth(), spawn_streams(1, ["probes"]))["role"])
    {'probe'}
    """
    probes, rng = truth.probes, streams["probes"]
    offset, every = probes["offset_min"] * US_PER_MINUTE, probes["every_min"] * US_PER_MINUTE
    regular = np.arange(truth.start_us + offset, truth.end_us, every)
    outages = [each for each in truth.episodes if each.share == 1]
    extra = [
        np.arange(start + US_PER_MINUTE, outage.end_us + US_PER_MINUTE, US_PER_MINUTE)
        for outage in outages
        for start in regular[(regular >= outage.start_us) & (regular < outage.end_us)].tolist()
    ]
    ts = np.sort(np.concatenate([regular, *extra]))
    size = len(ts)
    draws = rng.random((4, size))
    shape, slowdown = np.full(size, -1), np.ones(size)
    for trouble in truth.episodes:
        inside = (ts >= trouble.start_us) & (ts < trouble.end_us)
        slowdown[inside] = trouble.slowdown
        if trouble in outages:
            how = np.array([truth.error_index(name) for name in trouble.errors])
            shape[inside] = how[pick(draws[0], list(trouble.errors.values()))][inside]
    bad = fails(truth, shape)
    answer_us = lognormal_us(draws[1], probes["median_s"] * slowdown, probes["sigma"])
    failing_us = np.rint(US_PER_SECOND * (0.002 + 0.03 * draws[2])).astype(np.int64)
    model = np.zeros(size, dtype=np.int64)
    nothing = [None] * size
    return {
        "request_id": [f"p{number + 1:05d}" for number in range(size)],
        "attempt": [1] * size,
        "ts": ts.tolist(),
        "latency_us": np.where(bad, failing_us, answer_us).tolist(),
        "ended": [True] * size,
        "ok": (~bad).tolist(),
        "role": ["probe"] * size,
        "service": [SERVICES[LLM]] * size,
        "model": [truth.models[0].name] * size,
        "operation": ["health"] * size,
        "session_id": nothing,
        "arm": nothing,
        **_signals(truth, shape, model, np.zeros(size, dtype=np.int64), [""] * size, rng),
        **dict.fromkeys(("cache_hit", "degraded", "tokens_in", "tokens_out", "cost_microusd", "strategy"), nothing),
        "granularity": ["attempt"] * size,
        "maybe_executed": nothing,
        "breaker_state": nothing,
        "true_kind": _kinds(truth, shape),
    }


def merge_by_time(parts: Sequence[Columns]) -> Columns:
    """Put rows of several parts into one order: time, then request, then attempt.

    >>> part = {"ts": [5, 3], "request_id": ["a", "b"], "attempt": [1, 1]}
    >>> merge_by_time([part])["request_id"]
    ['b', 'a']
    """
    joined = {name: [value for part in parts for value in part[name]] for name in parts[0]}
    keys = list(zip(joined["ts"], joined["request_id"], joined["attempt"], strict=True))
    order = sorted(range(len(keys)), key=keys.__getitem__)
    return {name: [column[place] for place in order] for name, column in joined.items()}


def fails(truth: Truth, shape: Ints) -> Flags:
    """Which tries failed: those with an error that is not harmless.

    >>> from relkit.simulation.demo_truth import read_truth
    >>> truth = read_truth()
    >>> fails(truth, np.array([truth.error_index("refused"), truth.error_index("cache_miss"), -1])).tolist()
    [True, False, False]
    """
    return np.array([not each.harmless for each in truth.errors] + [False, False])[shape]


def _spend(truth: Truth, model: Ints, rng: np.random.Generator) -> tuple[Ints, Ints, Ints]:
    """Tokens in, tokens out and their cost in whole millionths of a dollar, rounded half up."""
    traffic = truth.traffic
    draws = rng.random((2, len(model)))
    tokens_in = lognormal_counts(draws[0], traffic["tokens_in_median"], traffic["tokens_in_sigma"])
    tokens_out = lognormal_counts(draws[1], traffic["tokens_out_median"], traffic["tokens_out_sigma"])
    cents_in, cents_out = (
        np.array([getattr(each, name) for each in truth.models] + [0])[model] for name in ("cents_in", "cents_out")
    )
    # Cents per million tokens are hundredths of a millionth of a dollar per token.
    return tokens_in, tokens_out, (tokens_in * cents_in + tokens_out * cents_out + 50) // 100


def _signals(
    truth: Truth, shape: Ints, model: Ints, asked_wait_us: Ints, session_id: Sequence[str], rng: np.random.Generator
) -> Columns:
    """What a caller sees of each error."""
    size = len(shape)
    shapes: list[ErrorShape | None] = [truth.errors[place] if place >= 0 else None for place in shape.tolist()]
    seen = np.flatnonzero(shape >= 0)
    draws = rng.random((len(seen), TEXT_DRAWS))
    message: list[str | None] = [None] * size
    for row, uniforms in zip(seen.tolist(), draws, strict=True):
        text = truth.errors[shape[row]].message
        if text is not None:
            words = _words(uniforms) | {
                "model": truth.models[model[row]].name if model[row] >= 0 else "",
                "session": session_id[row],
                "wait": f"{asked_wait_us[row] / US_PER_SECOND:.2f}",
            }
            message[row] = Template(text).substitute(words)
    asked = -(-asked_wait_us // US_PER_SECOND) * US_PER_SECOND  # the header carries whole seconds, rounded up
    return {
        "exception_type": [each.exception_type if each else None for each in shapes],
        "status": [each.status if each else None for each in shapes],
        "code": [each.code if each else None for each in shapes],
        "message": message,
        "retry_after_us": _where(asked_wait_us > 0, asked),
    }


def _words(uniforms: Floats) -> dict[str, str]:
    """Made-up ids, an address, a phone number and a key for one message."""
    letters = "".join(LETTERS[int(u * len(LETTERS))] for u in uniforms[:60])
    digits = "".join(str(int(u * 10)) for u in uniforms[60:76])
    first, last = (
        names[int(u * len(names))] for names, u in zip((FIRST_NAMES, LAST_NAMES), uniforms[76:78], strict=True)
    )
    return {
        # Looks like a provider's key so that redaction has something to find; made here, valid nowhere.
        "key": "_".join(["gsk", letters[:40]]),
        "token": "01" + letters[40:60].lower(),
        "n3": digits[:3],
        "m3": "9" + digits[13:15],
        "n4": digits[3:7],
        "n5": digits[7:12],
        "digit": digits[12],
        "phone": f"+1 202 555 01{digits[:2]}",
        "email": f"{first}.{last}{digits[13:15]}@example.com",
    }


def _kinds(truth: Truth, shape: Ints) -> list[str | None]:
    return _names([each.kind for each in truth.errors] + [None, None], shape)


def _names(names: Sequence[str | None], places: Ints) -> list[Any]:
    return [names[place] for place in places.tolist()]


def _where(known: Flags, values: npt.NDArray[Any]) -> list[Any]:
    """Values as a list, None where they are not known."""
    return [value if here else None for here, value in zip(known.tolist(), values.tolist(), strict=True)]


def count_kinds(kinds: Iterable[str | None]) -> Mapping[str, int]:
    """How often each kind occurs, by name.

    >>> count_kinds(["B", None, "A", "B"])
    {'A': 1, 'B': 2}
    """
    counts: dict[str, int] = {}
    for kind in kinds:
        if kind is not None:
            counts[kind] = counts.get(kind, 0) + 1
    return dict(sorted(counts.items()))
