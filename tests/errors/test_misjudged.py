"""What wrong answers cost: read from the log, or said to be unknown with the reason."""

import pytest

from relkit.errors import FingerprintCount, FingerprintCounts, NextTries, NextTry, Signals, classify
from relkit.errors.evaluation.misjudged import cost_of_mistakes
from relkit.prices import Price, Use

BAD, DOWN, LIMIT, AUTH = Signals(status=400), Signals(status=500), Signals(status=429), Signals(status=401)
USE = Use("llm", "m", 4, costed_calls=4, cost_microusd=400)


def log(*rows):
    """Rows of (signals, attempts, requests lost); the fingerprint is the place."""
    return FingerprintCounts(
        tuple(
            FingerprintCount(i, s, n, lost, 0, 90_000_000, (Use("llm", "m", n),)) for i, (s, n, lost) in enumerate(rows)
        )
    )


def priced(right, wrong, n=10, lost=10, tries=None, calls=(USE,), prices=None):
    counts = log((right, n, lost))
    found = cost_of_mistakes(counts, {0: classify(right)}, {0: classify(wrong)}, tries or NextTries(), calls, prices)
    return {cost.mistake: cost for cost in found}


def waits(fp=0, retries=10, successes=5, wait=1, mean_us=500_000, **more):
    return NextTry(fp, wait, retries, successes, retries, retries, waits=retries, wait_sum_us=retries * mean_us, **more)


def test_right_answers_cost_nothing():
    assert priced(DOWN, DOWN) == {}


def test_permanent_called_transient_costs_the_tries_waits_and_dollars_of_this_log():
    tries = NextTries((waits(fp=1),), most_tries=3)
    counts = log((BAD, 12, 10), (DOWN, 10, 0))
    right = {0: classify(BAD), 1: classify(DOWN)}
    (cost, *_) = cost_of_mistakes(counts, right, {0: classify(DOWN), 1: classify(DOWN)}, tries, (USE,))
    assert (cost.attempts, cost.amount, cost.unit) == (12, 20, "tries")
    assert cost.text == (
        "20 extra tries, with 3 tries a request as this log makes them; 10 s of waiting for users in all; at most $0.002 at $0.10 for 1,000 calls"
    )


def test_a_call_is_priced_by_tokens_where_the_log_has_no_cost():
    use = Use("llm", "m", 2, token_calls=2, tokens_in=1_000_000)
    cost = priced(BAD, DOWN, tries=NextTries((), 2), calls=(use,), prices={"m": Price(3, 3)})[
        "permanent, called transient"
    ]
    assert cost.text.endswith("at most $15.00 at $1,500.00 for 1,000 calls")


@pytest.mark.parametrize("calls", [(), (Use("llm", "m", 3),), (Use("other", "m", 4, 4, 400),)])
def test_a_call_without_a_price_is_said_to_have_none(calls):
    cost = priced(BAD, DOWN, tries=NextTries((), 2), calls=calls)["permanent, called transient"]
    assert cost.text.endswith("no call is priced")


def test_where_nothing_is_ever_tried_twice_extra_tries_are_unknown():
    cost = priced(BAD, DOWN, tries=NextTries((), 1))["permanent, called transient"]
    assert (cost.amount, cost.text) == (None, "unknown: no request of this log was tried twice")


def test_transient_called_permanent_costs_the_requests_that_a_retry_saved():
    cost = priced(DOWN, BAD, tries=NextTries((waits(retries=8, successes=6),), 3))["transient, called permanent"]
    assert (cost.amount, cost.unit) == (6, "requests")
    assert priced(DOWN, BAD)["transient, called permanent"].text.startswith("unknown")


def test_a_rate_limit_that_waits_like_the_others_comes_too_early():
    """Others wait 0.5 s; of 7 retries the server had asked for, 5 waited 1 to 5 s and 2 between 0.1 and 1 s."""
    tries = NextTries((waits(0, 5, wait=2, asked=5), waits(0, 2, 1, wait=1, asked=2), waits(1)), 3)
    counts = log((LIMIT, 7, 7), (DOWN, 10, 0))
    right = {0: classify(LIMIT), 1: classify(DOWN)}
    found = {
        cost.mistake: cost for cost in cost_of_mistakes(counts, right, dict.fromkeys((0, 1), classify(DOWN)), tries)
    }
    cost = found["rate limit, called something else to retry"]
    assert (cost.attempts, cost.amount) == (7, 5)
    assert cost.text.startswith("at least 5 of 7 retries")


def test_without_the_servers_word_too_early_is_unknown():
    tries = NextTries((waits(0), waits(1)), 3)
    counts = log((LIMIT, 7, 7), (DOWN, 10, 0))
    right = {0: classify(LIMIT), 1: classify(DOWN)}
    found = {
        cost.mistake: cost for cost in cost_of_mistakes(counts, right, dict.fromkeys((0, 1), classify(DOWN)), tries)
    }
    assert found["rate limit, called something else to retry"].amount is None


def test_a_missed_alert_says_how_long_it_went_on_and_that_no_log_knows_who_looked():
    cost = priced(AUTH, BAD)["needs a person, called without alert"]
    assert cost.amount is None
    assert "came over 90 s" in cost.text
    assert "no log" in cost.text


def test_a_breaker_is_misled_both_ways():
    assert priced(BAD, DOWN)["breaker misled"].text.startswith(
        "10 attempts would count as failures of a healthy service, 0"
    )
    assert priced(DOWN, BAD)["breaker misled"].text == (
        "0 attempts would count as failures of a healthy service, 10 would be missed"
    )


def test_duplicates_are_in_no_log():
    assert priced(DOWN, BAD)["maybe executed, called surely not"].amount is None
