"""A cached answer is served by its age, stale only after an error, and never in place of a call that changes something."""

import math

import pytest

from relkit.errors import ADVICE, ErrorKind
from relkit.exceptions import ParameterError
from relkit.policies.failure import FALLBACKS
from relkit.policies.freshness import EXPIRED, FRESH, NOT_CACHED, STALE, FreshnessSettings, freshness, may_serve

CFG = FreshnessSettings(ttl_s=60.0, stale_on_error_s=600.0)


@pytest.mark.parametrize(
    ("age_s", "code"),
    [(0.0, FRESH), (59.9, FRESH), (60.0, STALE), (659.9, STALE), (660.0, EXPIRED), (-1.0, NOT_CACHED)],
)
def test_age_decides_how_an_answer_may_be_used(age_s, code):
    assert freshness(CFG, age_s, False) == code


@pytest.mark.parametrize("age_s", [0.0, 59.9, 60.0, 1e6])
def test_a_booking_is_never_answered_from_the_cache(age_s):
    code = freshness(FreshnessSettings(math.inf, math.inf), age_s, True)
    assert code == NOT_CACHED
    assert not any(may_serve(code, failed, turn) for failed in (False, True) for turn in range(len(FALLBACKS)))


def test_without_a_lifetime_nothing_is_fresh_but_may_help_in_an_outage():
    assert freshness(FreshnessSettings(0.0, 600.0), 0.0, False) == STALE
    assert freshness(FreshnessSettings(0.0, 0.0), 0.0, False) == EXPIRED


@pytest.mark.parametrize(
    ("kind", "served"),
    [
        (ErrorKind.NETWORK_TIMEOUT, True),
        (ErrorKind.API_SERVER_ERROR, True),
        (ErrorKind.MODEL_OVERLOADED, True),
        (ErrorKind.CIRCUIT_OPEN, True),
        (ErrorKind.API_INVALID_REQUEST, False),
        (ErrorKind.API_AUTH_ERROR, False),
        (ErrorKind.CANCELLED, False),
    ],
)
def test_a_stale_answer_is_for_services_that_cannot_answer(kind, served):
    turn = FALLBACKS.index(ADVICE[kind].fallback)
    assert may_serve(STALE, True, turn) == served
    assert not may_serve(STALE, False, turn)


def test_a_fresh_answer_is_served_whatever_happened_and_an_expired_one_never():
    assert may_serve(FRESH, False, 0)
    assert not may_serve(EXPIRED, True, 1)


@pytest.mark.parametrize("settings", [{"ttl_s": -1.0}, {"ttl_s": math.nan}, {"stale_on_error_s": "60"}])
def test_a_time_that_is_none_is_refused(settings):
    with pytest.raises(ParameterError, match="give seconds"):
        FreshnessSettings(**settings)
