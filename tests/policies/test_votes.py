"""Which kinds are failures: relkit's advice, and each library's default."""

import pytest

from relkit.errors import ErrorKind
from relkit.errors.kinds import ADVICE
from relkit.policies.codes import FAILURE, IGNORED, SUCCESS, VOTES
from relkit.policies.votes import opens_at_once, outcome_of

ADVISED = {"failure": FAILURE, "ignore": IGNORED, "success": SUCCESS}


def vote(votes: str, kind: str) -> int:
    advice = ADVICE[ErrorKind(kind)]
    return outcome_of(VOTES.index(votes), advice.int_code, ADVISED[advice.breaker])


@pytest.mark.parametrize("kind", ErrorKind)
def test_by_kind_is_the_advice_of_the_room_of_errors(kind: ErrorKind) -> None:
    assert vote("by_kind", kind) == ADVISED[ADVICE[kind].breaker]
    assert vote("every_error", kind) == FAILURE


@pytest.mark.parametrize(
    ("votes", "failures"),
    [
        ("server_errors", {"NETWORK_TIMEOUT", "NETWORK_REFUSED", "NETWORK_ERROR", "NETWORK_TLS", "API_SERVER_ERROR", "MODEL_OVERLOADED"}),
        ("not_accepted", {"NETWORK_TIMEOUT", "NETWORK_REFUSED", "NETWORK_ERROR", "NETWORK_TLS", "API_SERVER_ERROR", "MODEL_OVERLOADED", "API_RATE_LIMIT"}),
    ],
)  # fmt: skip
def test_libraries_that_look_at_the_status(votes: str, failures: set[str]) -> None:
    for kind in ErrorKind:
        assert vote(votes, kind) == (FAILURE if kind in failures else SUCCESS)


def test_polly_leaves_out_cancellation_alone() -> None:
    assert [kind for kind in ErrorKind if vote("all_but_cancelled", kind) == IGNORED] == ["CANCELLED"]


def test_litellm_by_status() -> None:
    at_once = {kind.value for kind in ErrorKind if opens_at_once(VOTES.index("litellm"), ADVICE[kind].int_code, 2)}
    assert at_once == {"API_RATE_LIMIT", "API_AUTH_ERROR", "API_NOT_FOUND", "API_QUOTA_EXHAUSTED"}
    assert all(vote("litellm", kind) == FAILURE for kind in at_once)
    assert vote("litellm", "API_INVALID_REQUEST") == IGNORED
    assert vote("litellm", "NETWORK_TIMEOUT") == FAILURE
    sole = {kind.value for kind in ErrorKind if opens_at_once(VOTES.index("litellm"), ADVICE[kind].int_code, 1)}
    assert sole == {"API_AUTH_ERROR", "API_NOT_FOUND"}
    assert not opens_at_once(VOTES.index("every_error"), 5, 2)
