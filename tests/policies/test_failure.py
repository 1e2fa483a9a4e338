"""The numbers of this room are those of the room of errors, and the plan reads errors by its own table."""

import pytest

from relkit.errors import ADVICE, ErrorKind, classify, read_signals
from relkit.errors.rules.plan import plan_rules
from relkit.policies.failure import FALLBACKS, KIND_RATE_LIMIT, KIND_TIMEOUT, NO_LIMIT, Failure, plan_failure


def test_the_two_kinds_with_a_factor_have_the_numbers_of_the_room_of_errors():
    assert ADVICE[ErrorKind.NETWORK_TIMEOUT].int_code == KIND_TIMEOUT
    assert ADVICE[ErrorKind.API_RATE_LIMIT].int_code == KIND_RATE_LIMIT


@pytest.mark.parametrize("kind", ErrorKind)
def test_a_failure_is_what_its_classification_says(kind):
    advice = ADVICE[kind]
    answer = classify({"code": kind.value})
    failure = Failure.of(advice.int_code, answer)
    assert answer.kind == kind
    assert failure.kind == advice.int_code
    assert failure.retryable == answer.retryable
    assert failure.max_retries == (NO_LIMIT if answer.max_retries is None else answer.max_retries)
    assert failure.maybe_executed == answer.maybe_executed
    assert failure.critical == (answer.severity == "critical")
    assert FALLBACKS[failure.fallback] == answer.fallback


@pytest.mark.parametrize(
    ("kind", "retryable", "critical"),
    [
        (ErrorKind.NETWORK_TIMEOUT, True, False),
        (ErrorKind.API_RATE_LIMIT, True, False),
        (ErrorKind.API_AUTH_ERROR, False, True),
        (ErrorKind.API_INVALID_REQUEST, False, False),
        (ErrorKind.API_NOT_FOUND, False, False),
        (ErrorKind.MODEL_CONTEXT_LENGTH, False, False),
        (ErrorKind.DATABASE_QUERY_ERROR, True, True),
        (ErrorKind.DATABASE_ERROR, True, False),
        (ErrorKind.PROGRAMMING_ERROR, True, False),
        (ErrorKind.CANCELLED, True, False),
        (ErrorKind.UNKNOWN, True, False),
    ],
)
def test_the_plan_retries_what_it_does_not_know_and_finds_wrong_sql_critical(kind, retryable, critical):
    failure = plan_failure(ADVICE[kind].int_code)
    assert (failure.retryable, failure.critical) == (retryable, critical)
    assert failure.max_retries == NO_LIMIT
    assert not failure.maybe_executed


@pytest.mark.parametrize(
    ("kind", "row"),
    [
        (ErrorKind.NETWORK_TIMEOUT, {"code": "ETIMEDOUT"}),
        (ErrorKind.NETWORK_REFUSED, {"code": "ECONNREFUSED"}),
        (ErrorKind.API_RATE_LIMIT, {"status": 429}),
        (ErrorKind.API_AUTH_ERROR, {"status": 401}),
        (ErrorKind.API_INVALID_REQUEST, {"status": 400}),
        (ErrorKind.API_SERVER_ERROR, {"status": 500}),
        (ErrorKind.MODEL_OVERLOADED, {"status": 503}),
        (ErrorKind.DATABASE_QUERY_ERROR, {"code": "SQLITE_ERROR"}),
        (ErrorKind.DATABASE_ERROR, {"code": "SQLITE_BUSY"}),
        (ErrorKind.UNKNOWN, {}),
    ],
)
def test_the_table_of_numbers_agrees_with_the_plans_classifier(kind, row):
    """The room of errors has the plan's classifier as a rule set; these numbers are its answers to typical errors."""
    answer = classify(read_signals(row), plan_rules())
    failure = plan_failure(ADVICE[kind].int_code)
    assert failure.retryable == answer.retryable
    assert failure.critical == (answer.severity == "critical")
