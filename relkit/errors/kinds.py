"""What can fail: the 26 kinds of error, and what each one advises.

A kind is the answer to "what failed"; its `Advice` is the answer to "and now". Severity speaks to people, retry to
machines, and the two never stand in for each other: a wrong key is critical and must not be retried.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum, unique
from types import MappingProxyType
from typing import Final, Literal, TypeAlias

Severity: TypeAlias = Literal["low", "medium", "high", "critical"]
Fallback: TypeAlias = Literal["none", "next_model", "larger_window", "truncate", "cache", "call_api"]
BreakerVote: TypeAlias = Literal["failure", "ignore", "success"]
SliVote: TypeAlias = Literal["bad", "good", "excluded"]


@unique
class ErrorKind(StrEnum):
    """The kind of an error; the value is the name, as it stands in tables, logs and rules.

    >>> ErrorKind("API_RATE_LIMIT") is ErrorKind.API_RATE_LIMIT
    True
    """

    NETWORK_TIMEOUT = "NETWORK_TIMEOUT"
    NETWORK_REFUSED = "NETWORK_REFUSED"
    NETWORK_ERROR = "NETWORK_ERROR"
    NETWORK_TLS = "NETWORK_TLS"
    API_RATE_LIMIT = "API_RATE_LIMIT"
    API_QUOTA_EXHAUSTED = "API_QUOTA_EXHAUSTED"
    API_AUTH_ERROR = "API_AUTH_ERROR"
    API_INVALID_REQUEST = "API_INVALID_REQUEST"
    API_NOT_FOUND = "API_NOT_FOUND"
    API_CONFLICT = "API_CONFLICT"
    API_SERVER_ERROR = "API_SERVER_ERROR"
    MODEL_OVERLOADED = "MODEL_OVERLOADED"
    MODEL_CONTEXT_LENGTH = "MODEL_CONTEXT_LENGTH"
    MODEL_CONTENT_POLICY = "MODEL_CONTENT_POLICY"
    MODEL_OUTPUT_INVALID = "MODEL_OUTPUT_INVALID"
    VALIDATION_ERROR = "VALIDATION_ERROR"
    BOOKING_CONFLICT = "BOOKING_CONFLICT"
    DATABASE_ERROR = "DATABASE_ERROR"
    DATABASE_QUERY_ERROR = "DATABASE_QUERY_ERROR"
    CACHE_MISS = "CACHE_MISS"
    CACHE_UNAVAILABLE = "CACHE_UNAVAILABLE"
    CIRCUIT_OPEN = "CIRCUIT_OPEN"
    CANCELLED = "CANCELLED"
    LOCAL_RESOURCE = "LOCAL_RESOURCE"
    PROGRAMMING_ERROR = "PROGRAMMING_ERROR"
    UNKNOWN = "UNKNOWN"


@dataclass(frozen=True, slots=True)
class Advice:
    """What a kind advises, before a rule overrides a part of it.

    Parameters
    ----------
    int_code : int
        Stable number of the kind, 1 to 26; never reused.
    retryable : bool
        Whether the same call, unchanged, may succeed later.
    max_retries : int or None
        0 when not retryable, 1 for "once", None where the retry policy decides.
    severity : str
        low, medium, high or critical: how soon a person should look.
    alert : bool
        Whether a person must act before it gets better.
    user_message : str or None
        What to tell the user; None means say nothing.
    fallback : str
        none, next_model, larger_window, truncate, cache or call_api.
    breaker : str
        How a circuit breaker counts it: failure, ignore or success.
    sli : str
        How the service level counts it: bad, good or excluded.
    maybe_executed_default : bool
        Whether the other side may have done the work all the same.
    meaning : str
        One plain sentence for the reader of a report.
    """

    int_code: int
    retryable: bool
    max_retries: int | None
    severity: Severity
    alert: bool
    user_message: str | None
    fallback: Fallback
    breaker: BreakerVote
    sli: SliVote
    maybe_executed_default: bool
    meaning: str


_K = ErrorKind
_BUSY = "The service is busy right now. We are trying again."
_DOWN = "The service cannot be reached right now. We are trying again."
_OURS = "Something is wrong on our side. We have been told and are looking into it."
_SORRY = "Something went wrong on our side. Please try again later."  # nobody is told: no alert

# Columns: int_code, retryable, max_retries, severity, alert, user_message, fallback, breaker, sli,
# maybe_executed_default, meaning.
# breaker: failure = the dependency does not serve us; ignore = it says nothing about the dependency's health;
# success = it did its work and this is the answer. A rate limit is "ignore" because its remedy is the wait the
# service names, not an open breaker.
ADVICE: Final[Mapping[ErrorKind, Advice]] = MappingProxyType(
    {
        _K.NETWORK_TIMEOUT: Advice(
            1, True, None, "high", False, "This takes longer than usual. We are trying again.", "next_model", "failure",
            "bad", True, "No answer came in the time we allow; the work may have been done.",
        ),
        _K.NETWORK_REFUSED: Advice(
            2, True, None, "high", False, _DOWN, "next_model", "failure", "bad", False,
            "Nobody accepted the connection; nothing was sent.",
        ),
        _K.NETWORK_ERROR: Advice(
            3, True, None, "high", False, _DOWN, "next_model", "failure", "bad", True,
            "The connection broke, or the name of the host could not be found.",
        ),
        _K.NETWORK_TLS: Advice(
            4, False, 0, "critical", False, _SORRY, "next_model", "failure", "bad", False,
            "The secure connection could not be set up, mostly because of a certificate; waiting does not mend it.",
        ),
        _K.API_RATE_LIMIT: Advice(
            5, True, None, "medium", False, _BUSY, "next_model", "ignore", "bad", False,
            "We sent more than we may in this span of time; the same call will do later.",
        ),
        _K.API_QUOTA_EXHAUSTED: Advice(
            6, False, 0, "critical", True, _OURS, "next_model", "failure", "bad", False,
            "The money or the plan is used up; somebody has to pay or raise the limit.",
        ),
        _K.API_AUTH_ERROR: Advice(
            7, False, 0, "critical", True, _OURS, "none", "failure", "bad", False,
            "Our key, account or region is not allowed to make this call.",
        ),
        _K.API_INVALID_REQUEST: Advice(
            8, False, 0, "low", False, "This request could not be understood. Please put it another way.", "none",
            "ignore", "excluded", False, "The request itself is wrong, and will be as wrong next time.",
        ),
        _K.API_NOT_FOUND: Advice(
            9, False, 0, "high", True, _OURS, "next_model", "ignore", "excluded", False,
            "What we asked for does not exist, or the model is unknown or retired.",
        ),
        _K.API_CONFLICT: Advice(
            10, True, None, "medium", False, None, "none", "ignore", "bad", False,
            "Somebody else is changing the same thing; another try soon may do.",
        ),
        _K.API_SERVER_ERROR: Advice(
            11, True, None, "high", False, _DOWN, "next_model", "failure", "bad", True,
            "The other side failed while working on the request; it may have finished it.",
        ),
        _K.MODEL_OVERLOADED: Advice(
            12, True, None, "high", False, _BUSY, "next_model", "failure", "bad", False,
            "The service or the model has no capacity for us at the moment.",
        ),
        _K.MODEL_CONTEXT_LENGTH: Advice(
            13, False, 0, "medium", False, "This text is too long. Please shorten it.", "larger_window", "ignore",
            "excluded", False, "The request is longer than the model or the plan takes at once.",
        ),
        _K.MODEL_CONTENT_POLICY: Advice(
            14, False, 0, "low", False, "This cannot be answered. Please put it another way.", "none", "ignore",
            "excluded", False, "A content rule of the provider stopped the request or the answer.",
        ),
        _K.MODEL_OUTPUT_INVALID: Advice(
            15, True, 1, "medium", False, None, "next_model", "ignore", "bad", True,
            "The model answered, but not in the shape we need; one more try is worth it.",
        ),
        _K.VALIDATION_ERROR: Advice(
            16, False, 0, "low", False, "Please check what you entered.", "none", "success", "excluded", False,
            "What the user or the caller gave us does not pass our checks.",
        ),
        _K.BOOKING_CONFLICT: Advice(
            17, False, 0, "low", False, "This time is taken. Please choose another one.", "none", "success",
            "excluded", False, "The slot is taken; that is an answer, not a fault.",
        ),
        _K.DATABASE_ERROR: Advice(
            18, True, None, "critical", True, "A short hitch on our side. We are trying again.", "none", "failure",
            "bad", False, "The database is busy, gone away or gave up on a deadlock.",
        ),
        _K.DATABASE_QUERY_ERROR: Advice(
            19, False, 0, "high", False, _SORRY, "none", "ignore", "bad", False,
            "The database cannot carry out this statement, now or later.",
        ),
        _K.CACHE_MISS: Advice(
            20, False, 0, "low", False, None, "call_api", "success", "good", False,
            "The cache does not hold the answer; that is its ordinary work.",
        ),
        _K.CACHE_UNAVAILABLE: Advice(
            21, False, 0, "medium", False, None, "call_api", "failure", "bad", False,
            "The cache cannot be reached; go round it.",
        ),
        _K.CIRCUIT_OPEN: Advice(
            22, False, 0, "medium", False, _BUSY, "cache", "ignore", "bad", False,
            "Our own circuit breaker did not let the call out.",
        ),
        _K.CANCELLED: Advice(
            23, False, 0, "low", False, None, "none", "ignore", "excluded", True,
            "The caller gave up before there was an answer.",
        ),
        _K.LOCAL_RESOURCE: Advice(
            24, False, 0, "critical", False, _SORRY, "none", "ignore", "bad", False,
            "This machine ran out of disk, memory or file handles.",
        ),
        _K.PROGRAMMING_ERROR: Advice(
            25, False, 0, "critical", True, _OURS, "none", "ignore", "bad", True,
            "A bug in our own code; it will come back until it is mended.",
        ),
        _K.UNKNOWN: Advice(
            26, False, 0, "medium", False, _SORRY, "none", "failure", "bad", True,
            "No rule knows this error; somebody should look and write one.",
        ),
    }
)  # fmt: skip

GOOD_KINDS: Final = frozenset(kind.value for kind, advice in ADVICE.items() if advice.sli == "good")
"""Kinds that are no failure of the service: a request that ends with one is good."""
