"""The table of kinds says one thing per kind, and never two that contradict each other."""

import pytest

from relkit.errors import ADVICE, ErrorKind

EXCLUDED = {
    "API_INVALID_REQUEST", "API_NOT_FOUND", "VALIDATION_ERROR", "BOOKING_CONFLICT", "MODEL_CONTEXT_LENGTH",
    "MODEL_CONTENT_POLICY", "CANCELLED",
}  # fmt: skip
RETRYABLE = {
    "NETWORK_TIMEOUT", "NETWORK_REFUSED", "NETWORK_ERROR", "API_RATE_LIMIT", "API_CONFLICT", "API_SERVER_ERROR",
    "MODEL_OVERLOADED", "DATABASE_ERROR", "MODEL_OUTPUT_INVALID",
}  # fmt: skip


def test_there_are_26_kinds_each_with_advice_and_its_own_number():
    assert len(ErrorKind) == 26
    assert set(ADVICE) == set(ErrorKind)
    assert [ADVICE[kind].int_code for kind in ErrorKind] == list(range(1, 27))
    assert all(kind.name == kind.value for kind in ErrorKind)


def test_the_retryable_kinds_are_the_designed_ones():
    assert {kind for kind in ErrorKind if ADVICE[kind].retryable} == RETRYABLE


@pytest.mark.parametrize("kind", ErrorKind)
def test_retries_and_retryable_agree(kind):
    advice = ADVICE[kind]
    assert (advice.max_retries == 0) is (not advice.retryable)
    assert advice.max_retries == 1 or kind is not ErrorKind.MODEL_OUTPUT_INVALID


def test_only_client_faults_and_business_outcomes_leave_the_sli():
    assert {kind for kind in ErrorKind if ADVICE[kind].sli == "excluded"} == EXCLUDED
    assert {kind for kind in ErrorKind if ADVICE[kind].sli == "good"} == {"CACHE_MISS"}


def test_a_miss_says_nothing_to_the_user_and_every_kind_has_a_sentence_for_the_report():
    assert ADVICE[ErrorKind.CACHE_MISS].user_message is None
    assert all(advice.meaning.endswith(".") for advice in ADVICE.values())


def test_nobody_can_change_the_table():
    with pytest.raises(TypeError):
        ADVICE[ErrorKind.UNKNOWN] = ADVICE[ErrorKind.CANCELLED]
