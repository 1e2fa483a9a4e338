"""Which model is asked next, and what is left when none is."""

import pytest

from relkit.errors import ADVICE, ErrorKind
from relkit.exceptions import ParameterError
from relkit.policies.failure import (
    FALLBACK_CACHE,
    FALLBACK_CALL_API,
    FALLBACK_LARGER_WINDOW,
    FALLBACK_NEXT_MODEL,
    FALLBACK_NONE,
    FALLBACK_TRUNCATE,
    FALLBACKS,
)
from relkit.policies.fallback import (
    CACHED,
    GIVE_UP,
    NO_MODEL,
    TRUNCATED,
    FallbackModel,
    FallbackSettings,
    last_resort,
    next_model,
)

ALL = (True, True, True)
SAME_ANSWER_ON_EVERY_MODEL = (
    ErrorKind.API_AUTH_ERROR,
    ErrorKind.API_INVALID_REQUEST,
    ErrorKind.VALIDATION_ERROR,
    ErrorKind.BOOKING_CONFLICT,
    ErrorKind.MODEL_CONTENT_POLICY,
    ErrorKind.PROGRAMMING_ERROR,
    ErrorKind.CANCELLED,
    ErrorKind.DATABASE_QUERY_ERROR,
    ErrorKind.UNKNOWN,
)
WORTH_ANOTHER_MODEL = (
    ErrorKind.NETWORK_TIMEOUT,
    ErrorKind.NETWORK_REFUSED,
    ErrorKind.API_SERVER_ERROR,
    ErrorKind.API_RATE_LIMIT,
    ErrorKind.MODEL_OVERLOADED,
    ErrorKind.API_NOT_FOUND,
)


@pytest.mark.parametrize("kind", SAME_ANSWER_ON_EVERY_MODEL)
def test_an_error_that_every_model_would_repeat_does_not_fall_back(kind):
    assert next_model((1, 1, 1), ALL, 0, FALLBACKS.index(ADVICE[kind].fallback), 0) == NO_MODEL


@pytest.mark.parametrize("kind", WORTH_ANOTHER_MODEL)
def test_availability_capacity_and_an_unknown_model_fall_back(kind):
    assert next_model((1, 1, 1), ALL, 0, FALLBACKS.index(ADVICE[kind].fallback), 0) == 1


@pytest.mark.parametrize(
    ("windows", "usable", "index", "turn", "tokens", "place"),
    [
        ((8, 8, 32), ALL, 0, FALLBACK_LARGER_WINDOW, 0, 2),
        ((32, 8, 32), ALL, 0, FALLBACK_LARGER_WINDOW, 0, NO_MODEL),
        ((8, 16, 32), ALL, 0, FALLBACK_LARGER_WINDOW, 20, 2),
        ((8, 16, 32), ALL, 0, FALLBACK_NEXT_MODEL, 20, 2),
        ((8, 16, 32), (True, False, True), 0, FALLBACK_NEXT_MODEL, 0, 2),
        ((8, 16, 32), (True, False, False), 0, FALLBACK_NEXT_MODEL, 0, NO_MODEL),
        ((8, 16, 32), (False, True, True), -1, FALLBACK_NEXT_MODEL, 0, 1),
        ((8, 16, 32), (False, False, False), -1, FALLBACK_NEXT_MODEL, 0, NO_MODEL),
        ((8, 16, 32), ALL, 2, FALLBACK_NEXT_MODEL, 0, NO_MODEL),
        ((8, 16, 32), ALL, 0, FALLBACK_CACHE, 0, NO_MODEL),
        ((8, 16, 32), ALL, 0, FALLBACK_CALL_API, 0, NO_MODEL),
    ],
)
def test_the_next_model_is_usable_takes_the_prompt_and_comes_later(windows, usable, index, turn, tokens, place):
    assert next_model(windows, usable, index, turn, tokens) == place


@pytest.mark.parametrize(
    ("turn", "truncates", "truncated", "stale", "left"),
    [
        (FALLBACK_LARGER_WINDOW, True, False, True, TRUNCATED),
        (FALLBACK_TRUNCATE, True, False, False, TRUNCATED),
        (FALLBACK_LARGER_WINDOW, True, True, True, CACHED),
        (FALLBACK_LARGER_WINDOW, False, False, False, GIVE_UP),
        (FALLBACK_NEXT_MODEL, True, False, True, CACHED),
        (FALLBACK_NEXT_MODEL, True, False, False, GIVE_UP),
        (FALLBACK_CACHE, False, False, True, CACHED),
        (FALLBACK_NONE, True, False, True, GIVE_UP),
    ],
)
def test_what_is_left_when_no_model_can_be_asked(turn, truncates, truncated, stale, left):
    assert last_resort(turn, truncates, truncated, stale) == left


def test_a_chain_says_who_stands_behind_it():
    """The plan's three models have one provider and one key, and fail together (plan, 2.3)."""
    names = ("llama-3.1-8b-instant", "llama-3.1-70b-versatile", "mixtral-8x7b-32768")
    assert FallbackSettings(tuple(FallbackModel(name, "groq", 8192) for name in names)).providers == ("groq",)
    mixed = FallbackSettings((FallbackModel("a", "x", 1), FallbackModel("b", "y", 1), FallbackModel("c", "x", 1)))
    assert mixed.providers == ("x", "y")


def test_retries_of_three_percent_of_ten_thousand_calls_cost_four_cents():
    """The plan says $3.90 at $0.00013 a call, a hundred times too much (plan, Cost Analysis)."""
    model = FallbackModel("m", "x", 8192, 0.10, 0.30)
    assert model.cost_microusd(1000, 100) == 130
    assert sum(model.cost_microusd(1000, 100) for _ in range(300)) == 39_000


@pytest.mark.parametrize(
    ("build", "name"),
    [
        (lambda: FallbackSettings(()), "models"),
        (lambda: FallbackSettings((FallbackModel("a", "x", 1), FallbackModel("a", "y", 2))), "models = 'a'"),
        (lambda: FallbackSettings((FallbackModel("a", "x", 1),), truncates=1), "truncates"),
        (lambda: FallbackModel("", "x", 1), "name"),
        (lambda: FallbackModel("a", " ", 1), "provider"),
        (lambda: FallbackModel("a", "x", 0), "window_tokens"),
        (lambda: FallbackModel("a", "x", 1, -1.0), "usd_per_million_in"),
    ],
)
def test_a_chain_that_cannot_work_is_refused(build, name):
    with pytest.raises(ParameterError) as refused:
        build()
    assert str(refused.value).startswith(name)
