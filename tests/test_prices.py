"""What calls cost: the log's own cost wins, tokens and prices come next, and what has neither is named and never 0."""

import pytest

from relkit.exceptions import DataError
from relkit.prices import NO_MODEL, Price, Use, money_of

PRICES = {"m": Price(0.5, 2.0), "free": Price(0.0, 0.0)}


def test_the_cost_of_the_log_wins_over_tokens_and_price():
    found = money_of([Use("s", "m", 4, costed_calls=4, cost_microusd=130)], PRICES)
    assert (found.usd, found.priced_calls, found.text) == (pytest.approx(0.00013), 4, "$0.00013")


def test_tokens_times_price_where_the_log_states_no_cost():
    found = money_of([Use("s", "m", 2, token_calls=2, tokens_in=1_000_000, tokens_out=500_000)], PRICES)
    assert found.usd == pytest.approx(0.5 + 1.0)
    assert found.usd_per_call == pytest.approx(0.75)


def test_both_kinds_of_calls_of_one_model_add_up():
    use = Use("s", "m", 3, costed_calls=1, cost_microusd=1_000_000, token_calls=2, tokens_in=2_000_000)
    assert money_of([use], PRICES).usd == pytest.approx(2.0)


@pytest.mark.parametrize(
    ("use", "text"),
    [
        (Use("s", "other", 2, token_calls=2, tokens_in=10), "no price for other"),
        (Use("s", "m", 2), "neither cost nor tokens logged for m"),
        (Use("s", None, 2), f"neither cost nor tokens logged for {NO_MODEL}"),
    ],
)
def test_what_has_no_price_is_named_and_never_zero(use, text):
    found = money_of([use], PRICES)
    assert (found.usd, found.usd_per_call, found.priced_calls) == (None, None, 0)
    assert found.text == text


def test_a_price_of_zero_is_a_price():
    found = money_of([Use("s", "free", 2, token_calls=2, tokens_in=10)], PRICES)
    assert (found.usd, found.text) == (0.0, "$0.00")


def test_what_is_missing_from_an_amount_stands_beside_it():
    found = money_of([Use("s", "m", 1, 1, 250_000), Use("s", "x", 3, token_calls=2), Use("s", "y", 1)], PRICES)
    assert found.text == "$0.25 for 1 of 5 calls; no price for x; neither cost nor tokens logged for x, y"


def test_no_calls_cost_nothing_that_is_known():
    assert money_of([], PRICES).text == "no calls"


def test_more_priced_calls_than_calls_are_a_miscount():
    with pytest.raises(DataError, match="more than its 1 calls"):
        Use("s", "m", 1, costed_calls=1, token_calls=1)
