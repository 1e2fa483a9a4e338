"""From an error to a decision: what `classify` says of a failure, and what the retry loop and the chain make of it.

The plan's own reading of the same failures stands beside it.
"""

import pytest

from relkit.errors import ADVICE, ErrorKind, classify
from relkit.errors.reading.retry_after import retry_after_header
from relkit.policies.failure import Failure
from relkit.policies.fallback import NO_MODEL, next_model
from relkit.policies.loop import waits
from relkit.policies.retry import (
    CRITICAL,
    NO_RETRY,
    RATE_LIMITED,
    RETRY,
    STOP_DEADLINE,
    TRANSIENT,
    RetryState,
    begin_attempt,
    choose_strategy,
    decide,
)
from relkit.policies.retry_presets import RETRY_PRESETS, plan_hint_s
from relkit.policies.retry_settings import RETRYABLE_FIRST, RetrySettings

PLAN, FIXED = RETRY_PRESETS["plan"].retry, RETRY_PRESETS["plan-fixed"].retry
SENT = "Wed, 21 Oct 2026 07:28:00 GMT"

STRATEGIES = {
    **dict.fromkeys(ErrorKind, NO_RETRY),
    ErrorKind.NETWORK_TIMEOUT: TRANSIENT,
    ErrorKind.NETWORK_REFUSED: TRANSIENT,
    ErrorKind.NETWORK_ERROR: TRANSIENT,
    ErrorKind.API_CONFLICT: TRANSIENT,
    ErrorKind.API_SERVER_ERROR: TRANSIENT,
    ErrorKind.MODEL_OVERLOADED: TRANSIENT,
    ErrorKind.MODEL_OUTPUT_INVALID: TRANSIENT,
    ErrorKind.API_RATE_LIMIT: RATE_LIMITED,
    ErrorKind.DATABASE_ERROR: CRITICAL,
}


def failure_of(row):
    answer = classify(row)
    return answer.kind, Failure.of(ADVICE[answer.kind].int_code, answer)


@pytest.mark.parametrize("kind", ErrorKind)
def test_every_kind_has_its_retry_strategy(kind):
    """The plan's table names none of its entries, so that its strategy for rate limits is never chosen."""
    told, failure = failure_of({"code": kind.value})
    assert told == kind
    assert choose_strategy(RETRYABLE_FIRST, failure) == STRATEGIES[kind]


@pytest.mark.parametrize(
    ("row", "kind", "retried", "other_model"),
    [
        ({"code": "ECONNRESET"}, "NETWORK_ERROR", True, True),
        ({"code": "EPIPE"}, "NETWORK_ERROR", True, True),
        ({"code": "ENOTFOUND"}, "NETWORK_ERROR", True, True),
        ({"code": "EAI_AGAIN"}, "NETWORK_ERROR", True, True),
        ({"exception_type": "SSLCertVerificationError"}, "NETWORK_TLS", False, True),
        ({"exception_type": "CancelledError"}, "CANCELLED", False, False),
        ({"code": "SQLITE_BUSY"}, "DATABASE_ERROR", True, False),
        ({"code": "SQLITE_ERROR"}, "DATABASE_QUERY_ERROR", False, False),
        ({"status": 400, "code": "model_decommissioned"}, "API_NOT_FOUND", False, True),
        ({"status": 400, "code": "context_length_exceeded"}, "MODEL_CONTEXT_LENGTH", False, False),
        ({"status": 401}, "API_AUTH_ERROR", False, False),
        ({"status": 409}, "API_CONFLICT", True, False),
        ({"status": 422}, "API_INVALID_REQUEST", False, False),
        ({"exception_type": "KeyError"}, "PROGRAMMING_ERROR", False, False),
        ({}, "UNKNOWN", False, False),
    ],
)
def test_one_classification_decides_about_retry_and_other_models(row, kind, retried, other_model):
    told, failure = failure_of(row)
    state = RetryState()
    begin_attempt(state)
    code, _ = decide(state, RetrySettings(), failure, 0.0, True, -1.0, -1.0, 0.5)
    assert told == kind
    assert (code == RETRY) == retried
    assert (next_model((8, 8), (True, True), 0, failure.fallback, 0) != NO_MODEL) == other_model


@pytest.mark.parametrize(
    ("header", "ours_s", "plan_s"),
    [
        ("20", 20.0, 20.0),
        ("Wed, 21 Oct 2026 07:28:20 GMT", 20.0, 0.001),
        ("Wed, 21 Oct 2026 07:27:00 GMT", 0.0, 0.001),
        ("0.5", 0.5, 0.001),
        ("1.5", 1.5, 1.0),
        ("2m59s", 179.0, 2.0),
        ("-5", None, 0.001),
        ("soon", None, 0.001),
    ],
)
def test_a_header_is_read_whole_and_by_the_plan_to_its_first_letter(header, ours_s, plan_s):
    """Both forms of RFC 9110; a timer of NaN fires after 1 ms, so that a date hammers the limiter that sent it."""
    assert retry_after_header(header, date=SENT) == ours_s
    assert plan_hint_s(header) == plan_s


def test_a_date_is_waited_for_and_by_the_plan_not_at_all():
    header = "Wed, 21 Oct 2026 07:28:10 GMT"
    limited = Failure(5)
    hint_s = retry_after_header(header, date=SENT)
    code, found = waits(FIXED, limited, hint_s=hint_s)
    assert code == STOP_DEADLINE
    assert min(found) >= 10.0
    _, found = waits(PLAN, limited, hint_s=plan_hint_s(header))
    assert found == (0.001,) * 5
