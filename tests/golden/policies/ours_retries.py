"""relkit's own decisions on the scripts that tenacity, stamina and botocore were recorded with."""

import math
from collections.abc import Iterator, Sequence

from golden.policies import record_botocore, record_stamina, record_tenacity
from golden.policies.policy_golden import EVENTS, Try, tries

from relkit.policies.backoff import ADDITIVE, FIXED, FULL, LINEAR, NO_JITTER
from relkit.policies.failure import KIND_RATE_LIMIT, KIND_TIMEOUT, Failure
from relkit.policies.loop import after_failure, settings_for
from relkit.policies.retry import (
    NO_HINT,
    RETRY,
    STOP_ATTEMPTS,
    STOP_DEADLINE,
    STOP_NOT_RETRYABLE,
    STOP_RESULT,
    RetryState,
    begin_attempt,
    begin_call,
    decide,
)
from relkit.policies.retry_budget import SLOTS, RetryBudgetState, earn, fill
from relkit.policies.retry_presets import RETRY_PRESETS
from relkit.policies.retry_settings import HINT_IGNORED, RetrySettings

SERVER_ERROR, NETWORK_ERROR, OUTPUT_INVALID, INVALID_REQUEST = 11, 3, 15, 8


def settings(**more: object) -> RetrySettings:
    plain = {
        "max_attempts": 0,
        "jitter": NO_JITTER,
        "cap_s": math.inf,
        "hint": HINT_IGNORED,
        "guard_repeats": False,
        "retry_results": False,
    }
    return RetrySettings(**{**plain, **more})  # type: ignore[arg-type]


TENACITY = {
    "default": RETRY_PRESETS["tenacity"].retry.transient,
    "fixed": settings(max_attempts=3, backoff=FIXED, first_delay_s=2.0),
    "linear": settings(max_attempts=6, backoff=LINEAR, first_delay_s=1.0, step_s=0.7, cap_s=3.0),
    "exponential": settings(max_attempts=8, first_delay_s=0.3, cap_s=10.0, floor_s=1.0),
    "base 3": settings(first_delay_s=0.1, growth=3.0, cap_s=12.0, deadline_s=30.0, deadline_counts_wait=False),
    "random exponential": settings(max_attempts=7, first_delay_s=0.5, cap_s=60.0, jitter=FULL),
    "random exponential with floor": settings(
        max_attempts=9,
        first_delay_s=1.0,
        cap_s=8.0,
        floor_s=2.0,
        jitter=FULL,
        deadline_s=40.0,
        deadline_counts_wait=False,
    ),
    "exponential jitter": settings(
        max_attempts=10,
        first_delay_s=0.1,
        cap_s=5.0,
        cap_after_jitter=True,
        jitter=ADDITIVE,
        jitter_s=1.0,
        deadline_s=45.0,
        deadline_counts_wait=False,
    ),
    "before delay": settings(first_delay_s=0.5, deadline_s=20.0),
    "results": settings(max_attempts=4, backoff=FIXED, first_delay_s=1.5, retry_results=True),
}


def _stamina(attempts: int, deadline_s: float, first: float, cap: float, jitter: float, growth: float) -> RetrySettings:
    return settings(
        max_attempts=attempts,
        first_delay_s=first,
        growth=growth,
        cap_s=cap,
        cap_after_jitter=True,
        jitter=ADDITIVE,
        jitter_s=jitter,
        deadline_s=deadline_s,
        deadline_counts_wait=False,
    )


STAMINA = (
    RETRY_PRESETS["stamina"].retry.transient,
    _stamina(3, math.inf, 0.5, 2.0, 0.0, 2.0),
    _stamina(0, 20.0, 0.2, 30.0, 0.3, 3.0),
    _stamina(6, 10.0, 0.1, 60.0, 2.0, 1.5),
)

FAILURES = {
    "error": Failure(SERVER_ERROR),
    "refused": Failure(INVALID_REQUEST, retryable=False),
    "poor": Failure(OUTPUT_INVALID, from_result=True),
}

ENDINGS = {
    STOP_RESULT: "done",
    STOP_NOT_RETRYABLE: "raised",
    STOP_ATTEMPTS: "stop",
    STOP_DEADLINE: "stop",
}


def tenacity_lines(count: int = EVENTS) -> Iterator[str]:
    each = [TENACITY[name] for name in record_tenacity.SETTINGS]
    return _one_lane(tries(record_tenacity.OUTCOMES, count=count), each)


def stamina_lines(count: int = EVENTS) -> Iterator[str]:
    return _one_lane(tries(record_stamina.OUTCOMES, count=count), STAMINA)


def _one_lane(script: Iterator[Try], each: Sequence[RetrySettings]) -> Iterator[str]:
    """Calls one after the other, each with the next settings."""
    now_s, turn, state = 0.0, 0, RetryState()
    begin_call(state, now_s)
    for one in script:
        begin_attempt(state)
        now_s += one.latency_s
        failure = FAILURES.get(one.outcome)
        if failure is None:
            line = "done"
        else:
            code, wait_s = decide(state, each[turn % len(each)], failure, now_s, True, NO_HINT, -1.0, one.draw)
            line = f"retry {wait_s!r}" if code == RETRY else ENDINGS[code]
            if code == RETRY:
                now_s += wait_s
        if not line.startswith("retry"):
            turn += 1
            now_s += one.pause_s
            begin_call(state, now_s)
        yield line


def botocore_lines(preset: str, count: int = EVENTS) -> Iterator[str]:
    """The preset's decisions; an error is read as that botocore reads it: 1.43 takes no bare 429 for throttling."""
    retry, budget = RETRY_PRESETS[preset].retry, RETRY_PRESETS[preset].retry_budget
    bare = Failure(KIND_RATE_LIMIT) if preset == "aws-standard-2026" else Failure(INVALID_REQUEST, retryable=False)
    failures = {
        "500": Failure(SERVER_ERROR),
        "503": Failure(SERVER_ERROR),
        "read timeout": Failure(KIND_TIMEOUT),
        "connect timeout": Failure(KIND_TIMEOUT),
        "reset": Failure(NETWORK_ERROR),
        "throttled": Failure(KIND_RATE_LIMIT),
        "bare 429": bare,
        "400": Failure(INVALID_REQUEST, retryable=False),
    }
    answered = {"ok", "500", "503", "throttled", "bare 429", "400"}
    purse, window = RetryBudgetState(), [0] * SLOTS
    fill(purse, window, budget, 0.0)
    states = [RetryState() for _ in range(record_botocore.LANES)]
    for one in tries(record_botocore.OUTCOMES, lanes=record_botocore.LANES, count=count):
        state = states[one.lane]
        begin_attempt(state)
        failure = failures.get(one.outcome)
        code, wait_s = RETRY + 1, 0.0
        if failure is not None:
            hint_s = _amazon_hint_s(one.hint_ms) if one.outcome in answered else NO_HINT
            cfg = settings_for(retry, failure)
            code, wait_s = after_failure(
                state, cfg, purse, window, budget, failure, 0.0, True, hint_s, -1.0, one.draw
            )  # fmt: skip
        if failure is None or code != RETRY:
            earn(purse, budget, failure is None, state.paid)
            begin_call(state, 0.0)
            yield f"end {purse.thousandths // 1000}"
        else:
            yield f"retry {wait_s!r} {purse.thousandths // 1000}"


def _amazon_hint_s(text: str) -> float:
    """x-amz-retry-after is in whole milliseconds; what is negative or no number is no hint."""
    try:
        value = int(text) / 1000.0
    except ValueError:
        return NO_HINT
    return value if value >= 0 else NO_HINT
