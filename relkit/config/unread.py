"""Which settings a policy reads at all: two policies that differ in nothing that is read are the same policy.

A breaker of failures in a row never looks at `window_calls`. A file for another library that cannot say `window_calls`
leaves nothing out, then. So settings that are not read are put back to their defaults before two policies are compared.
"""

import math
from dataclasses import fields, replace
from typing import Any, Final

from relkit.policies.backoff import (
    ADDITIVE,
    DECORRELATED,
    EXPONENTIAL,
    EXPONENTIAL_LESS_ONE,
    FIXED,
    LINEAR,
    NO_JITTER,
    NO_WAIT,
    PROPORTIONAL,
)
from relkit.policies.codes import (
    ADAPTIVE,
    ANCHORED,
    CONSECUTIVE,
    COOLDOWN,
    COUNT,
    EMA,
    EVIDENCE,
    OUTLIER,
    STEADY,
    THROTTLE,
    TIME,
)
from relkit.policies.codes import (
    EXPONENTIAL as GROWING,
)
from relkit.policies.policy import Policy
from relkit.policies.records import BreakerSettings
from relkit.policies.retry_budget import NO_BUDGET
from relkit.policies.retry_settings import (
    HINT_AT_LEAST,
    HINT_IGNORED,
    HINT_WITHIN,
    NO_RETRIES,
    Retry,
    RetrySettings,
)

_SHARED: Final = frozenset({COUNT, TIME, ANCHORED, COOLDOWN})
_TIMED: Final = frozenset({TIME, ANCHORED, COOLDOWN, THROTTLE})
_READERS: Final[dict[str, frozenset[int]]] = {
    "failure_threshold": frozenset({CONSECUTIVE, ADAPTIVE, EMA, OUTLIER}),
    **dict.fromkeys(
        ("threshold_floor", "threshold_ceiling", "lower_below_share", "raise_above_share", "adapt_calls"),
        frozenset({ADAPTIVE}),
    ),
    "window_calls": frozenset({COUNT, ADAPTIVE}),
    **dict.fromkeys(("window_s", "buckets", "grid_from_start"), _TIMED),
    "judges_success": _SHARED,
    "warm_up_s": _SHARED | {EMA},
    **dict.fromkeys(("ema_s", "ema_calls"), frozenset({EMA})),
    **dict.fromkeys(
        ("evidence_gap", "evidence_limit", "baseline_calls", "baseline_doubt", "baseline_low", "baseline_high"),
        frozenset({EVIDENCE}),
    ),
    **dict.fromkeys(("min_peers", "sd_factor", "ejected_share", "enforced_share"), frozenset({OUTLIER})),
    **dict.fromkeys(("accepts_factor", "reject_cap"), frozenset({THROTTLE})),
}
_DEFAULTS: Final = {field.name: field.default for field in fields(BreakerSettings)}


def read_breaker(cfg: BreakerSettings) -> BreakerSettings:
    """Return the breaker with every setting that it does not read at its default.

    Parameters
    ----------
    cfg : BreakerSettings
        Any breaker. The new one decides alike on every call.

    Examples
    --------
    >>> read_breaker(BreakerSettings(window_calls=7)) == BreakerSettings()
    True
    """
    unread = {name for name, families in _READERS.items() if cfg.family not in families}
    judged = cfg.family in _SHARED
    half_by_share = cfg.half_open_permits > 0 and cfg.half_open_successes == 0
    if not (judged or half_by_share or cfg.family in {EMA, OUTLIER}):
        unread |= {"min_calls"}
    if not (judged or half_by_share or cfg.family == EMA):
        unread |= {"failure_share", "share_is_strict"}
    if not (judged or half_by_share) or cfg.slow_share > 1.0:
        unread |= {"slow_share", "slow_call_s"}
    if cfg.interval_s > 0.0:
        unread -= {"min_peers", "sd_factor", "ejected_share", "enforced_share"}
    if cfg.family == EMA and cfg.ema_calls > 0.0:
        unread.add("ema_s")
    if cfg.half_open_permits == 0:
        unread |= {"permits_in_all", "half_open_successes", "half_open_max_s", "half_open_expiry_closes"}
    if cfg.half_open_max_s == 0.0:
        unread.add("half_open_expiry_closes")
    if cfg.open_growth != GROWING:
        unread.add("open_factor")
    if cfg.open_growth == STEADY:
        unread |= {"open_max_s", "trips_kept_s"}
    kept = {name: _DEFAULTS[name] for name in unread}
    return replace(cfg, caps_min_calls=cfg.family == COUNT and cfg.min_calls > cfg.window_calls, **kept)  # type: ignore[arg-type]  # defaults fit


def read_retries(cfg: RetrySettings) -> RetrySettings:
    """Return the retry settings with every one that is not read at its default.

    >>> read_retries(RetrySettings(max_attempts=1, first_delay_s=9.0)) == NO_RETRIES
    True
    """
    if cfg.max_attempts == 1:
        return NO_RETRIES
    plain = RetrySettings()
    changes: dict[str, Any] = {}
    if cfg.backoff == NO_WAIT and cfg.jitter != ADDITIVE:
        changes |= {"first_delay_s": plain.first_delay_s, "cap_s": plain.cap_s}
    if cfg.backoff != LINEAR:
        changes["step_s"] = plain.step_s
    if cfg.backoff not in {EXPONENTIAL, EXPONENTIAL_LESS_ONE} and cfg.backoff < DECORRELATED:
        changes["growth"] = plain.growth
    if cfg.jitter != PROPORTIONAL:
        changes["jitter_share"] = plain.jitter_share
    if cfg.jitter != ADDITIVE and cfg.hint != HINT_WITHIN:
        changes["jitter_s"] = plain.jitter_s
    if cfg.jitter == NO_JITTER and cfg.backoff < DECORRELATED:
        changes["cap_after_jitter"] = plain.cap_after_jitter
    if cfg.rate_limit_factor == cfg.timeout_factor == cfg.load_factor == 1.0:
        changes["plan_factors"] = plain.plan_factors
    if cfg.load_factor == 1.0:
        changes["load_threshold"] = plain.load_threshold
    if cfg.backoff == FIXED and cfg.jitter in {NO_JITTER, PROPORTIONAL} and _reaches_no_cap(cfg):
        changes["cap_s"] = math.inf
    changes |= _unread_hints(cfg)
    if cfg.deadline_s == plain.deadline_s:
        changes["deadline_counts_wait"] = plain.deadline_counts_wait
    return replace(cfg, **changes)


def _reaches_no_cap(cfg: RetrySettings) -> bool:
    widest = 1.0 + cfg.jitter_share if cfg.cap_after_jitter and cfg.jitter == PROPORTIONAL else 1.0
    factor = max(cfg.rate_limit_factor, 1.0) * max(cfg.timeout_factor, 1.0) * max(cfg.load_factor, 1.0)
    return cfg.first_delay_s * widest * factor <= cfg.cap_s


def _unread_hints(cfg: RetrySettings) -> dict[str, Any]:
    plain = RetrySettings()
    changes: dict[str, Any] = {}
    if cfg.hint == HINT_IGNORED:
        changes |= {"hint_restarts": plain.hint_restarts, "hint_rate_limit_only": plain.hint_rate_limit_only}
        changes |= {"hint_floor_s": plain.hint_floor_s, "hint_cap_s": plain.hint_cap_s}
    if cfg.hint != HINT_AT_LEAST:
        changes |= {"hint_jitter_share": plain.hint_jitter_share, "hint_floor_s": plain.hint_floor_s}
    return changes


def read_policy(policy: Policy) -> Policy:
    """Return the policy with every setting that it does not read at its default.

    Parameters
    ----------
    policy : Policy
        Any policy. Two that are equal after this decide alike on every call, whatever their hashes.

    Examples
    --------
    >>> from relkit.policies.presets import presets
    >>> read_policy(presets["pybreaker"]).breaker.buckets
    10
    """
    retry = policy.retry
    alone = policy.fallback is None or len(policy.fallback.models) == 1
    if retry is not None:
        first, second, third = (
            read_retries(replace(each, max_total_attempts=0) if alone else each)
            for each in (retry.transient, retry.rate_limited, retry.critical)
        )
        retry = Retry(first, second, third, retry.order)
    budget = policy.retry_budget
    fallback = policy.fallback
    no_budget = budget is None or budget.budget_family == NO_BUDGET
    if fallback is not None and no_budget:
        fallback = replace(fallback, uses_budget=True)
    return replace(
        policy,
        breaker=None if policy.breaker is None else read_breaker(policy.breaker),
        retry=retry,
        retry_budget=None if no_budget else budget,
        fallback=fallback,
    )
