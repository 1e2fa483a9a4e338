"""Breakers with the numbers of libraries people run, of the plan, and relkit's own; each dated and sourced.

`presets.py` joins them with retries. docs/policies.md explains every field.
"""

from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from relkit.policies.codes import (
    ADAPTIVE,
    ANCHORED,
    CONSECUTIVE,
    COOLDOWN,
    COUNT,
    EMA,
    EQUAL_JITTER,
    EVIDENCE,
    EXPONENTIAL,
    LINEAR,
    OUTLIER,
    PER_ATTEMPT,
    PER_CALL,
    PROBE_CLOSES,
    PROBE_HALF_OPENS,
    PROBE_OPENS,
    THROTTLE,
    TIME,
    VOTES_ACCEPTED,
    VOTES_ALL,
    VOTES_ANSWERED,
    VOTES_BY_KIND,
    VOTES_LITELLM,
    VOTES_SERVER,
)
from relkit.policies.records import BreakerSettings


@dataclass(frozen=True, slots=True)
class BreakerPreset:
    """The breaker half of a preset.

    Parameters
    ----------
    dated : str
        Day (YYYY-MM-DD) or month from which on these are the values.
    source : str
        Where they come from, and why where relkit chose them.
    breaker : BreakerSettings
        The settings.
    """

    dated: str
    source: str
    breaker: BreakerSettings


def _library(**settings: object) -> BreakerSettings:
    """Return settings of a library: it asks for a permit each attempt, takes every error for a failure, has one rule."""
    given = {"votes": VOTES_ALL, "counts": PER_ATTEMPT, "failure_threshold": 0, **settings}
    return BreakerSettings(**given)  # type: ignore[arg-type]  # BreakerSettings checks them


# relkit's own way back: open times that grow and differ between clients, a probe that only half-opens, no endless wait
# for a half-open call, openings remembered for a while so that a flapping service is asked ever more rarely.
_OURS = {
    "open_s": 30.0,
    "open_growth": EXPONENTIAL,
    "open_factor": 2.0,
    "open_max_s": 300.0,
    "open_jitter": 0.1,
    "waits_for_call": True,
    "half_open_max_s": 60.0,
    "probe_success": PROBE_HALF_OPENS,
    "votes": VOTES_BY_KIND,
    "counts": PER_CALL,
}

_RESILIENCE4J = {
    "min_calls": 100,
    "failure_share": 0.5,
    "slow_share": 1.0,
    "slow_call_s": 60.0,
    "judges_success": True,
    "half_open_permits": 10,
    "permits_in_all": True,
    "half_open_successes": 0,
    "open_s": 60.0,
    "open_is_strict": True,
    "waits_for_call": True,
    "records_late": True,
}

_ENVOY = {
    "family": OUTLIER,
    "interval_s": 10.0,
    "open_s": 30.0,
    "open_growth": LINEAR,
    "open_max_s": 300.0,
    "half_open_permits": 0,
    "ejected_share": 0.1,
    "probe_success": PROBE_CLOSES,
    "votes": VOTES_SERVER,
}

_PRESETS: dict[str, BreakerPreset] = {
    "plan": BreakerPreset(
        "2025-10",
        "Reliability Enhancement Plan, 3.1 to 3.3, literally: the threshold moves by one after every call, up where it "
        "is healthy; a health check closes at once; every error counts, whatever its kind; results of earlier permits "
        "count. Its base class is not shown: failures in a row, a lazy half open of one call.",
        _library(
            family=ADAPTIVE, failure_threshold=5, threshold_floor=2, threshold_ceiling=10, lower_below_share=0.7,
            raise_above_share=0.95, window_calls=100, adapt_calls=1, keeps_window=True, records_late=True, open_s=60.0,
            waits_for_call=True, probe_success=PROBE_CLOSES,
        ),
    ),
    "plan-fixed": BreakerPreset(
        "2026-11",
        "relkit: the plan's breaker, made to work. The threshold moves at most once in 100 calls and never above its "
        "base of 5, so that good health does not slow it down; failures of the service alone count; the window is "
        "forgotten on closing; a health check half-opens; 30 s open, growing to 300 s, spread by 10 %.",
        BreakerSettings(
            family=ADAPTIVE, failure_threshold=5, threshold_floor=2, threshold_ceiling=5, lower_below_share=0.7,
            raise_above_share=0.95, window_calls=100, adapt_calls=100, **_OURS,  # type: ignore[arg-type]
        ),
    ),
    "relkit-adaptive": BreakerPreset(
        "2026-11",
        "relkit: a CUSUM test (Page 1954) against the failure share it has learned, with an upper bound for that share. "
        "Tuned by simulation for at most one false opening in 100,000 calls at 1 to 10 % of failures.",
        BreakerSettings(
            family=EVIDENCE, evidence_gap=0.2, evidence_limit=12.0, baseline_calls=1000, baseline_doubt=2.0,
            half_open_permits=3, permits_in_all=True, half_open_successes=0, min_calls=3, failure_share=0.5,
            trips_kept_s=60.0, **_OURS,  # type: ignore[arg-type]
        ),
    ),
    "resilience4j-count": BreakerPreset(
        "2026-05",
        "resilience4j at af9e7c97, CircuitBreakerConfig: 100 calls, 50 % failed or 100 % slower than 60 s.",
        _library(family=COUNT, window_calls=100, caps_min_calls=True, **_RESILIENCE4J),
    ),
    "resilience4j-time": BreakerPreset(
        "2026-05",
        "resilience4j at af9e7c97, CircuitBreakerConfig with TIME_BASED: 100 slots of one second.",
        _library(family=TIME, window_s=100.0, buckets=100, **_RESILIENCE4J),
    ),
    "polly-8": BreakerPreset(
        "2026-08",
        "App-vNext/Polly at 173d6d1d, CircuitBreakerStrategyOptions of v8: 10 % of at least 100 calls in 30 s.",
        _library(
            family=ANCHORED, window_s=30.0, buckets=10, min_calls=100, failure_share=0.1, open_s=5.0,
            waits_for_call=True, ignored_is_success=True, records_late=True, votes=VOTES_ANSWERED,
        ),
    ),
    "opossum-10": BreakerPreset(
        "2026-07",
        "nodeshift/opossum 10.0.0: more than 50 % of the requests fired in 10 s, no minimum, time-out 10 s.",
        _library(
            family=TIME, window_s=10.0, buckets=10, grid_from_start=True, min_calls=0, failure_share=0.5,
            share_is_strict=True, timeout_s=10.0, counts_at_start=True, keeps_window=True, open_s=30.0,
            permits_in_all=True, ignored_is_success=True, records_late=True, probe_failure=PROBE_OPENS,
        ),
    ),
    "pybreaker": BreakerPreset(
        "2025-09", "danielfm/pybreaker 1.4.1: 5 failures in a row, 60 s, one trial call.",
        _library(
            family=CONSECUTIVE, failure_threshold=5, open_s=60.0, waits_for_call=True, ignored_is_success=True,
        ),
    ),
    "gobreaker": BreakerPreset(
        "2026-08",
        "sony/gobreaker at fed8e9eb: more than 5 failures in a row, 60 s, one request half open. Its MaxRequests is "
        "half_open_permits and half_open_successes together.",
        _library(
            family=CONSECUTIVE, failure_threshold=6, open_s=60.0, open_is_strict=True, permits_in_all=True,
        ),
    ),
    "envoy-consecutive": BreakerPreset(
        "2026-08",
        "envoyproxy/envoy at 00c7146d, outlier_detection.proto: consecutive_5xx 5, 30 s times the ejections, released at "
        "the next sweep of 10 s, at most 10 % of the hosts.",
        _library(failure_threshold=5, **_ENVOY),
    ),
    "envoy-success-rate": BreakerPreset(
        "2026-08",
        "envoyproxy/envoy at 00c7146d, outlier_detection.proto: success share below the mean of at least 5 hosts by 1.9 "
        "standard deviations, judged at each sweep from 100 calls on.",
        _library(failure_threshold=0, sd_factor=1.9, min_calls=100, min_peers=5, **_ENVOY),
    ),
    "sre-k2": BreakerPreset(
        "2016-03",
        "Site Reliability Engineering, ch. 21, client-side throttling: K = 2 over two minutes. It rejects a share of the "
        "calls and never opens.",
        _library(
            family=THROTTLE, window_s=120.0, buckets=120, accepts_factor=2.0, counts_at_start=True,
            ignored_is_success=True, votes=VOTES_ACCEPTED,
        ),
    ),
    "finagle": BreakerPreset(
        "2026-08",
        "twitter/finagle at 4feb34cb, FailureAccrualFactory: success share below 80 % over 30 s, or 5 failures in a row; "
        "dead for equal-jittered 5 to 300 s, then one probe.",
        _library(
            family=EMA, ema_s=30.0, failure_share=0.2, share_is_strict=True, min_calls=5, warm_up_s=30.0,
            failure_threshold=5, open_s=5.0, open_growth=EQUAL_JITTER, open_max_s=300.0,
        ),
    ),
    "litellm": BreakerPreset(
        "2026-08",
        "litellm 1.109.1, router cooldowns: more than 50 % of at least 5 requests of a minute, or at once by status; 5 s, "
        "then back without a trial; a sole deployment is spared, but for 401 and 404.",
        _library(
            family=COOLDOWN, window_s=60.0, buckets=1, min_calls=5, failure_share=0.5, share_is_strict=True, open_s=5.0,
            half_open_permits=0, records_late=True, keeps_window=True, votes=VOTES_LITELLM,
        ),
    ),
}  # fmt: skip

BREAKER_PRESETS: Final = MappingProxyType(_PRESETS)
"""The breaker half of every preset, by name."""
