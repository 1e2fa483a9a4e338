"""Retry loops and budgets with the numbers of libraries people run, and of the plan; each dated and sourced.

`presets.py` joins them with breakers. A library's numbers are not advice: `plan-fixed` is relkit's own answer.
"""

import math
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from relkit.policies.backoff import (
    ADDITIVE,
    EXPONENTIAL,
    EXPONENTIAL_LESS_ONE,
    FIXED,
    FULL,
    NO_JITTER,
    NO_WAIT,
    PROPORTIONAL,
)
from relkit.policies.failure import Failure
from relkit.policies.loop import waits
from relkit.policies.retry_budget import (
    AWS,
    ENVOY,
    FINAGLE,
    GRPC,
    PER_SUCCESS,
    UNLIMITED,
    RetryBudgetSettings,
    refuse_unbudgeted,
)
from relkit.policies.retry_settings import (
    HINT_CLAMPED,
    HINT_EXACT,
    HINT_IGNORED,
    HINT_WITHIN,
    NO_RETRIES,
    PLAN_ORDER,
    Retry,
    RetrySettings,
)


@dataclass(frozen=True, slots=True)
class RetryPreset:
    """The retry half of a preset.

    Parameters
    ----------
    dated : str
        Day (YYYY-MM-DD) or month from which on these are the values.
    source : str
        Where they come from, and why where relkit chose them.
    retry : Retry
        The loop.
    retry_budget : RetryBudgetSettings
        The store of retries.
    """

    dated: str
    source: str
    retry: Retry
    retry_budget: RetryBudgetSettings = UNLIMITED

    def __post_init__(self) -> None:
        refuse_unbudgeted(self.retry, self.retry_budget)


def _library(**settings: object) -> RetrySettings:
    """Return settings of a library that knows neither relkit's guard for unsafe repeats nor its hints."""
    given = {"hint": HINT_IGNORED, "guard_repeats": False, "retry_results": False, **settings}
    return RetrySettings(**given)  # type: ignore[arg-type]  # RetrySettings checks them


def _plan(**settings: object) -> RetrySettings:
    """Return settings of the plan's AdaptiveRetryPolicy (plan, 2.1): no jitter, factors after the cap, no deadline."""
    return _library(
        backoff=EXPONENTIAL, jitter=NO_JITTER, plan_factors=True, rate_limit_factor=3.0, timeout_factor=0.5,
        load_factor=2.0, load_threshold=0.8, hint=HINT_EXACT, hint_rate_limit_only=True, retry_results=True, **settings,
    )  # fmt: skip


_PLAN_TRANSIENT = _plan(max_attempts=6, first_delay_s=0.1, cap_s=2.0, growth=1.5)
_PLAN_RATE_LIMITED = _plan(max_attempts=4, first_delay_s=5.0, cap_s=60.0, growth=3.0)
_PLAN_CRITICAL = _plan(max_attempts=11, first_delay_s=0.5, cap_s=10.0, growth=2.0)
_PLAN_DATE: Final = "2025-10"

_FIXED = {
    "max_attempts": 3,
    "max_total_attempts": 6,
    "jitter": FULL,
    "rate_limit_factor": 3.0,
    "load_factor": 2.0,
    "hint_cap_s": 60.0,
    "deadline_s": 30.0,
    "needs_budget": True,
}
_FIXED_TRANSIENT = RetrySettings(first_delay_s=0.1, cap_s=2.0, growth=1.5, **_FIXED)  # type: ignore[arg-type]
_FIXED_RATE_LIMITED = RetrySettings(first_delay_s=5.0, cap_s=60.0, growth=3.0, **_FIXED)  # type: ignore[arg-type]
_TENTH = RetryBudgetSettings(PER_SUCCESS, capacity=10.0, earn=0.1, cost=1.0)

_AWS_2020 = _library(backoff=EXPONENTIAL, first_delay_s=1.0, cap_s=20.0, jitter=FULL, needs_budget=True)
_AWS_2026 = _library(
    backoff=EXPONENTIAL, first_delay_s=0.05, cap_s=20.0, jitter=FULL, hint=HINT_CLAMPED, hint_cap_s=5.0,
    needs_budget=True,
)  # fmt: skip
_AWS_2026_THROTTLED = _library(
    backoff=EXPONENTIAL, first_delay_s=1.0, cap_s=20.0, jitter=FULL, hint=HINT_CLAMPED, hint_cap_s=5.0,
    needs_budget=True,
)  # fmt: skip

_PRESETS: dict[str, RetryPreset] = {
    "plan": RetryPreset(
        _PLAN_DATE,
        "Reliability Enhancement Plan, 2.1 and 2.2, literally: 'critical' is asked before 'retryable', multipliers come "
        "after the cap, Retry-After is obeyed without bound, nothing limits the total time or the number of retries.",
        Retry(_PLAN_TRANSIENT, _PLAN_RATE_LIMITED, _PLAN_CRITICAL, PLAN_ORDER),
    ),
    "plan-fixed": RetryPreset(
        "2026-11",
        "relkit: the plan's delays, made to work. Three tries on a model (SRE book, ch. 21) and six over a chain of "
        "three instead of 18; full jitter; factors before the cap; a timeout is never retried faster; Retry-After "
        "capped at 60 s with 10 % jitter above it; 30 s in all; 10 retries in store, one more for ten successes, so "
        "that an outage costs a tenth more load and not six times the load.",
        Retry(_FIXED_TRANSIENT, _FIXED_RATE_LIMITED, _FIXED_TRANSIENT),
        _TENTH,
    ),
    "plan-transient": RetryPreset(_PLAN_DATE, "Plan, 2.2, RetryStrategies.transient.", Retry.of(_PLAN_TRANSIENT)),
    "plan-rate-limited": RetryPreset(_PLAN_DATE, "Plan, 2.2, RetryStrategies.rateLimited.", Retry.of(_PLAN_RATE_LIMITED)),
    "plan-critical": RetryPreset(_PLAN_DATE, "Plan, 2.2, RetryStrategies.critical.", Retry.of(_PLAN_CRITICAL)),
    "plan-no-retry": RetryPreset(_PLAN_DATE, "Plan, 2.2, RetryStrategies.noRetry.", Retry.of(NO_RETRIES)),
    "plan-aggressive": RetryPreset(
        _PLAN_DATE,
        "The plan names this policy and gives no values; chosen by relkit for a user who waits: four quick tries "
        "inside the plan's 5 s objective for p99, with a budget of a fifth, the most that Finagle and Envoy allow.",
        Retry.of(
            RetrySettings(max_attempts=4, first_delay_s=0.1, cap_s=1.0, jitter=FULL, deadline_s=5.0, needs_budget=True)
        ),
        RetryBudgetSettings(PER_SUCCESS, capacity=20.0, earn=0.2, cost=1.0),
    ),
    "plan-standard": RetryPreset(
        _PLAN_DATE,
        "The plan names this policy and gives no values; chosen by relkit: three tries, as AWS, resilience4j and the "
        "SRE book have it, half a second first, 10 s in all, a budget of a tenth (SRE book, ch. 21).",
        Retry.of(
            RetrySettings(max_attempts=3, first_delay_s=0.5, cap_s=5.0, jitter=FULL, deadline_s=10.0, needs_budget=True)
        ),
        _TENTH,
    ),
    "plan-conservative": RetryPreset(
        _PLAN_DATE,
        "The plan names this policy and gives no values; chosen by relkit for work nobody waits for and for services "
        "that must be spared: one retry after 2 s or more, 60 s in all, a budget of a twentieth.",
        Retry.of(
            RetrySettings(
                max_attempts=2, first_delay_s=4.0, floor_s=2.0, cap_s=30.0, jitter=FULL, deadline_s=60.0,
                needs_budget=True,
            )
        ),
        RetryBudgetSettings(PER_SUCCESS, capacity=5.0, earn=0.05, cost=1.0),
    ),
    "aws-standard-2020": RetryPreset(
        "2020-02",
        "botocore 1.43.0, retries/standard.py and quota.py (standard mode before 1.44.0): 3 attempts, full jitter on "
        "1 s doubling up to 20 s, 500 tokens, a retry costs 5, after a timeout 10.",
        Retry.of(_AWS_2020),
        RetryBudgetSettings(AWS, capacity=500.0, earn=1.0, cost=5.0, timeout_cost=10.0, rate_limit_cost=5.0),
    ),
    "aws-standard-2026": RetryPreset(
        "2026-11-10",
        "botocore 1.44.5, retries/standard.py and quota.py (default mode since 1.44.0): first delay 50 ms, after "
        "throttling 1 s; a retry costs 14, after throttling 5; x-amz-retry-after is obeyed up to 5 s above the back-off.",
        Retry(_AWS_2026, _AWS_2026_THROTTLED, _AWS_2026),
        RetryBudgetSettings(AWS, capacity=500.0, earn=1.0, cost=14.0, timeout_cost=14.0, rate_limit_cost=5.0),
    ),
    "grpc-a6": RetryPreset(
        "2017-09",
        "grpc/proposal A6 at 1fd061ad, its example: 4 attempts, 100 ms doubling up to 1 s, +-20 %, pushback exact; "
        "throttle of 10 tokens, 0.1 back for a success, retries above half.",
        Retry.of(
            _library(
                max_attempts=4, first_delay_s=0.1, cap_s=1.0, jitter=PROPORTIONAL, jitter_share=0.2, hint=HINT_EXACT, hint_restarts=True,
                needs_budget=True,
            )
        ),
        RetryBudgetSettings(GRPC, capacity=10.0, earn=0.1, cost=1.0),
    ),
    "finagle": RetryPreset(
        "2026-08",
        "twitter/finagle at 4feb34cb, RetryBudget.scala and Retries.scala: deposits live 10 s, a fifth of requests and 10 "
        "a second may be retried, at once, and one request may take a fifth of the balance: 20 from the reserve alone.",
        Retry.of(_library(max_attempts=21, backoff=NO_WAIT, jitter=NO_JITTER, needs_budget=True)),
        RetryBudgetSettings(FINAGLE, deposit_s=10.0, retry_share=0.2, reserve_per_s=10),
    ),
    "envoy-retry": RetryPreset(
        "2026-08",
        "envoyproxy/envoy at 00c7146d, route defaults: 1 retry, uniform on [0, (2^n - 1) 25 ms), at most 250 ms; with "
        "retry_budget set: a fifth of the active requests and at least 3. Without it Envoy allows 3 retries at once.",
        Retry.of(
            _library(
                max_attempts=2, backoff=EXPONENTIAL_LESS_ONE, first_delay_s=0.025, cap_s=0.25, cap_after_jitter=True,
                jitter=FULL,
            )
        ),
        RetryBudgetSettings(ENVOY, retry_share=0.2, least_retries=3),
    ),
    "resilience4j-retry": RetryPreset(
        "2026-05", "resilience4j at af9e7c97, RetryConfig: 3 attempts, 500 ms fixed.",
        Retry.of(_library(max_attempts=3, backoff=FIXED, first_delay_s=0.5, jitter=NO_JITTER)),
    ),
    "polly": RetryPreset(
        "2026-08", "App-vNext/Polly at 173d6d1d, RetryStrategyOptions of v8: 3 retries, 2 s constant, no jitter.",
        Retry.of(_library(max_attempts=4, backoff=FIXED, first_delay_s=2.0, cap_s=math.inf, jitter=NO_JITTER)),
    ),
    "stamina": RetryPreset(
        "2026-01",
        "stamina 26.1.0, retry(): 10 attempts or 45 s, min(5 s, 100 ms doubling + U(0, 1 s)); the wait may pass 45 s.",
        Retry.of(
            _library(
                max_attempts=10, first_delay_s=0.1, cap_s=5.0, cap_after_jitter=True, jitter=ADDITIVE, jitter_s=1.0,
                deadline_s=45.0, deadline_counts_wait=False,
            )
        ),
    ),
    "tenacity": RetryPreset(
        "2026-08", "tenacity 9.2.1, @retry without arguments: for ever, without a wait.",
        Retry.of(_library(max_attempts=0, backoff=NO_WAIT, jitter=NO_JITTER)),
    ),
    "litellm": RetryPreset(
        "2026-08",
        "litellm 1.109.1, Router: 2 retries; a Retry-After of at most 60 s is obeyed, else min(0.5 2^n, 8) s; U(0, 0.75) s on top.",
        Retry.of(
            _library(
                max_attempts=3, first_delay_s=0.5, cap_s=8.0, jitter=ADDITIVE, jitter_s=0.75, hint=HINT_WITHIN,
                hint_cap_s=60.0,
            )
        ),
    ),
}  # fmt: skip

RETRY_PRESETS: Final = MappingProxyType(_PRESETS)
"""The retry half of every preset, by name."""

RETRIES_ALONE: Final = tuple(name for name in _PRESETS if name not in {"plan", "plan-fixed", "finagle", "litellm"})
"""Presets that have no breaker of the same name."""


def plan_hint_s(header: str) -> float:
    """Read a Retry-After header as the plan does: parseInt, times 1000, into a timer.

    Parameters
    ----------
    header : str
        The header's value.

    Returns
    -------
    float
        Seconds until the timer fires: NaN, negative and 0 fire after 1 ms, and so does all beyond 2^31 - 1 ms
        (Node.js, timers). An HTTP date is NaN.

    Examples
    --------
    >>> [plan_hint_s(text) for text in ("120", "2m59s", "Wed, 21 Oct 2026 07:28:00 GMT", "99999999")]
    [120.0, 2.0, 0.001, 0.001]
    """
    digits = ""
    for mark in header.strip():
        if mark.isascii() and (mark.isdigit() or (mark in "+-" and not digits)):
            digits += mark
        else:
            break
    if digits in {"", "+", "-"}:
        return 0.001
    wait_ms = int(digits[:20]) * 1000
    return wait_ms / 1000 if 1 <= wait_ms <= 2_147_483_647 else 0.001


@dataclass(frozen=True, slots=True)
class WaitCase:
    """One row of the table of waits.

    Parameters
    ----------
    name : str
        What happens, in words.
    failure : Failure
        What fails, as relkit classifies it.
    header : str
        The Retry-After header; empty for none.
    hint_s : float
        What relkit reads from it, seconds; below 0 for nothing.
    load : float
        Load the server states, a share; below 0 for none.
    has_key : bool
        Whether the call may be repeated safely.
    """

    name: str
    failure: Failure
    header: str = ""
    hint_s: float = -1.0
    load: float = -1.0
    has_key: bool = True


WAIT_CASES: Final = (
    WaitCase("server error", Failure(11, maybe_executed=True)),
    WaitCase("server error above load 0.8", Failure(11, maybe_executed=True), load=0.9),
    WaitCase("connection refused", Failure(2)),
    WaitCase("timeout of a call that reads", Failure(1)),
    WaitCase("timeout of a booking without key", Failure(1, maybe_executed=True), has_key=False),
    WaitCase("rate limit without hint", Failure(5)),
    WaitCase("rate limit, Retry-After 10", Failure(5), "10", 10.0),
    WaitCase("rate limit, Retry-After 3600", Failure(5), "3600", 3600.0),
    WaitCase("rate limit, Retry-After an HTTP date in 20 s", Failure(5), "Wed, 21 Oct 2026 07:28:20 GMT", 20.0),
    WaitCase("wrong key (401)", Failure(7, retryable=False, max_retries=0, critical=True)),
    WaitCase("typo in SQL", Failure(19, retryable=False, max_retries=0)),
    WaitCase("database busy", Failure(18, critical=True)),
)
"""Twelve failures in which the plan and its corrected form are compared."""


def case_waits(retry: Retry, case: WaitCase, draw: float = 0.5) -> tuple[int, tuple[float, ...]]:
    """Return how a loop ends a case that fails for ever, and its waits.

    Parameters
    ----------
    retry : Retry
        The loop; one of order plan_order reads the header as the plan does.
    case : WaitCase
        The case.
    draw : float
        The draw of each wait; 0.5 shows the median.

    Returns
    -------
    tuple of int and tuple of float
        As `relkit.policies.loop.waits`.

    Examples
    --------
    >>> code, found = case_waits(RETRY_PRESETS["plan"].retry, WAIT_CASES[10])
    >>> len(found), sum(found)
    (10, 65.5)
    """
    hint_s = case.hint_s
    if retry.order == PLAN_ORDER and case.header:
        hint_s = plan_hint_s(case.header)
    return waits(retry, case.failure, hint_s=hint_s, load=case.load, draw=draw, has_key=case.has_key)
