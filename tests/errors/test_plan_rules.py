"""The rule set `plan` answers as the plan's ErrorClassifier is documented to, defects included."""

import pytest

from relkit.errors import ErrorKind, Signals, classify, read_signals
from relkit.errors.rules.plan import plan_rules, plan_signals

PLAN = plan_rules()


def answer(**row):
    return classify(read_signals(row), PLAN)


@pytest.mark.parametrize(
    ("row", "kind", "retryable", "message", "alert", "fallback"),
    [
        ({"code": "ETIMEDOUT"}, "NETWORK_TIMEOUT", True, "Connection timeout - retrying automatically", False, "none"),
        ({"message": "read timeout"}, "NETWORK_TIMEOUT", True, "Connection timeout - retrying automatically", False, "none"),
        ({"code": "ECONNREFUSED"}, "NETWORK_REFUSED", True, "Service temporarily unavailable - retrying", False, "none"),
        ({"status": 429}, "API_RATE_LIMIT", True, "Please wait a moment while we process your request", False, "none"),
        ({"status": 401}, "API_AUTH_ERROR", False, "Service configuration error - please contact support", True, "none"),
        ({"status": 403}, "API_AUTH_ERROR", False, "Service configuration error - please contact support", True, "none"),
        ({"status": 400}, "API_INVALID_REQUEST", False, "Invalid request - please try rephrasing", False, "none"),
        ({"status": 503}, "MODEL_OVERLOADED", True, "AI service is busy - retrying with backup model", False, "next_model"),
        ({"message": "the context length is"}, "MODEL_CONTEXT_LENGTH", False, "Message too long - please keep it concise", False, "none"),
        ({"message": "model_permission_blocked_org"}, "API_AUTH_ERROR", False, "Service configuration error - please contact support", True, "none"),
        ({"code": "SQLITE_ERROR"}, "DATABASE_ERROR", True, "Temporary system issue - retrying", True, "none"),
        ({}, "UNKNOWN", True, "Temporary issue - retrying", False, "none"),
    ],
)  # fmt: skip
def test_each_branch_gives_the_entry_of_the_plan(row, kind, retryable, message, alert, fallback):
    got = answer(**row)
    told = (got.kind.value, got.retryable, got.user_message, got.alert, got.fallback)
    assert told == (kind, retryable, message, alert, fallback)


@pytest.mark.parametrize(
    ("row", "kind"),
    [
        ({"status": 400, "message": "invalid value for parameter 'timeout'"}, "NETWORK_TIMEOUT"),  # words before status
        ({"message": "Request timed out."}, "UNKNOWN"),
        ({"message": "Timeout"}, "UNKNOWN"),  # case is minded
        ({"status": 400, "code": "context_length_exceeded", "message": "context length"}, "API_INVALID_REQUEST"),
        ({"status": 429, "code": "insufficient_quota"}, "API_RATE_LIMIT"),
        ({"status": 503, "code": "SQLITE_ERROR"}, "MODEL_OVERLOADED"),
        ({"status": 429, "code": "ECONNREFUSED"}, "NETWORK_REFUSED"),  # the code is asked first
        ({"code": "SQLITE_BUSY"}, "UNKNOWN"),
        ({"exception_type": "BOOKING_CONFLICT", "code": "BOOKING_CONFLICT"}, "UNKNOWN"),  # three kinds are never given
        ({"code": "VALIDATION_ERROR"}, "UNKNOWN"),
        ({"code": "CACHE_MISS"}, "UNKNOWN"),
    ],
)
def test_the_order_and_the_blind_spots_are_the_plans(row, kind):
    assert answer(**row).kind.value == kind


@pytest.mark.parametrize("status", [404, 408, 409, 413, 422, 498, 500, 502, 504, 529])
def test_statuses_without_a_branch_are_unknown_and_retried(status):
    assert (answer(status=status).kind, answer(status=status).retryable) == (ErrorKind.UNKNOWN, True)


class Response:
    def __init__(self, **fields):
        self.__dict__.update(fields)


class RaisedError(Exception):
    def __init__(self, text, **fields):
        super().__init__(text)
        self.__dict__.update(fields)


class HostileError(Exception):
    @property
    def response(self):
        raise RuntimeError

    def __str__(self):
        raise RuntimeError


def test_a_live_error_is_read_as_axios_shapes_it():
    error = RaisedError("busy", response=Response(status=503, status_code=400), status_code=429, code="X")
    assert plan_signals(error) == Signals(status=503, code="X", message="busy")
    assert plan_signals(error, "status_code").status == 400


def test_what_python_clients_carry_is_not_seen():
    error = RaisedError("rate limited", response=Response(status_code=429), status_code=429)
    assert classify(plan_signals(error), PLAN).kind is ErrorKind.UNKNOWN
    assert classify(plan_signals(error, "status_code"), PLAN).kind is ErrorKind.API_RATE_LIMIT


def test_hostile_errors_and_callables_say_nothing():
    assert plan_signals(HostileError()) == Signals()
    assert plan_signals(RaisedError("", code=lambda: 14)) == Signals()
