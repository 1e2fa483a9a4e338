"""relkit's own decisions on the scripts that pybreaker and opossum were recorded with."""

import heapq
from collections.abc import Iterator
from dataclasses import replace
from itertools import groupby, islice
from operator import attrgetter

from golden.policies import record_opossum, record_pybreaker
from golden.policies.policy_golden import EVENTS

from relkit.policies.breaker import allow, settle
from relkit.policies.codes import ADMIT, FAILURE, IGNORED, STATES, SUCCESS
from relkit.policies.presets import presets
from relkit.policies.records import ALONE, BreakerSettings
from relkit.policies.transitions import new_breaker

OUTCOMES = {"ok": SUCCESS, "error": FAILURE, "excluded": IGNORED, "filtered": IGNORED}


def breaker_of(preset: str) -> BreakerSettings:
    breaker = presets[preset].breaker
    assert breaker is not None
    return breaker


def pybreaker_lines(count: int = EVENTS) -> Iterator[str]:
    """One call after the other, as pybreaker's lock has it."""
    now_s = 0.0
    cfg = breaker_of("pybreaker")
    state, window = new_breaker(cfg, now_s)
    for number, call in enumerate(record_pybreaker.calls(count)):
        if number % record_pybreaker.CALLS_EACH == 0:
            told = record_pybreaker.SETTINGS[number // record_pybreaker.CALLS_EACH % len(record_pybreaker.SETTINGS)]
            cfg = replace(
                breaker_of("pybreaker"),
                failure_threshold=int(told.get("fail_max", 5)),
                open_s=told.get("reset_timeout", 60.0),
                half_open_successes=int(told.get("success_threshold", 1)),
            )
            state, window = new_breaker(cfg, now_s)
        now_s += call.gap_s
        code, generation, _ = allow(state, window, cfg, ALONE, now_s, 0.0)
        if code == ADMIT:
            now_s += call.latency_s
            settle(state, window, cfg, ALONE, now_s, generation, OUTCOMES[call.outcome], call.latency_s)
        yield f"{'sent' if code == ADMIT else 'rejected'} {STATES[state.state]}"


def opossum_lines(count: int = EVENTS) -> Iterator[str]:
    """Overlapping calls; what ends at a moment is settled before what starts at it."""
    return islice(_opossum_lines(count), count)


def _opossum_lines(count: int) -> Iterator[str]:
    for block, calls in groupby(record_opossum.calls(count), key=attrgetter("block")):
        told = record_opossum.SETTINGS[block % len(record_opossum.SETTINGS)]
        timeout_s = told.get("timeout", 10_000) / 1000
        cfg = replace(
            breaker_of("opossum-10"),
            min_calls=told.get("volumeThreshold", 0),
            failure_share=told.get("errorThresholdPercentage", 50) / 100,
            open_s=told.get("resetTimeout", 30_000) / 1000,
            timeout_s=timeout_s,
            window_s=told.get("rollingCountTimeout", 10_000) / 1000,
            buckets=told.get("rollingCountBuckets", 10),
        )
        state, window = new_breaker(cfg, 0.0)
        ends: list[tuple[float, int, int, int, float]] = []

        def ended(until_s: float, ends=ends, state=state, window=window, cfg=cfg) -> Iterator[str]:
            while ends and ends[0][0] <= until_s:
                at_s, _, generation, outcome, latency_s = heapq.heappop(ends)
                settle(state, window, cfg, ALONE, at_s, generation, outcome, latency_s)
                yield f"ended {STATES[state.state]}"

        for order, call in enumerate(calls):
            now_s = call.start_ms / 1000
            yield from ended(now_s)
            code, generation, _ = allow(state, window, cfg, ALONE, now_s, 0.0)
            if code == ADMIT:
                latency_s = min(call.latency_ms / 1000, timeout_s)
                outcome = FAILURE if call.latency_ms / 1000 > timeout_s else OUTCOMES[call.outcome]
                heapq.heappush(ends, (now_s + latency_s, order, generation, outcome, latency_s))
            yield f"{'sent' if code == ADMIT else 'rejected'} {STATES[state.state]}"
        yield from ended(float("inf"))
