"""Settings that cannot work are refused: the name, what came, what is allowed and what to do."""

import math
from dataclasses import fields

import pytest

from relkit.exceptions import ParameterError
from relkit.policies.backoff import DECORRELATED, FIXED, FULL, NO_JITTER, POLLY
from relkit.policies.retry_settings import NO_RETRIES, PLAN_ORDER, Retry, RetrySettings


@pytest.mark.parametrize(
    ("settings", "name", "allowed", "remedy"),
    [
        ({"max_attempts": -1}, "max_attempts = -1", "a whole number from 0", "0 = no limit"),
        ({"max_attempts": 2.0}, "max_attempts = 2.0", "a whole number", "count the first try"),
        ({"max_attempts": True}, "max_attempts = True", "a whole number", "count the first try"),
        ({"backoff": 99}, "backoff = 99", "3 (exponential)", "one of these numbers"),
        ({"jitter": "full"}, "jitter = 'full'", "1 (full)", "one of these numbers"),
        ({"hint": -1}, "hint = -1", "0 (ignored)", "one of these numbers"),
        ({"first_delay_s": -0.1}, "first_delay_s = -0.1", "a number from 0 on", "give seconds"),
        ({"cap_s": math.nan}, "cap_s = nan", "a number from 0 on", "give seconds"),
        ({"growth": 0.5}, "growth = 0.5", "a number from 1 to 1000", "shrinks"),
        ({"deadline_s": 0.0}, "deadline_s = 0.0", "a number above 0", "inf for none"),
        ({"jitter_share": 1.5}, "jitter_share = 1.5", "from 0 to 1", "give a share"),
        ({"guard_repeats": 1}, "guard_repeats = 1", "true or false", "truth value"),
        ({"floor_s": 3.0, "cap_s": 2.0}, "floor_s = 3.0", "at most cap_s = 2", "lower floor_s or raise cap_s"),
        ({"hint_floor_s": 90.0}, "hint_floor_s = 90.0", "at most hint_cap_s = 60", "raise hint_cap_s"),
        ({"backoff": DECORRELATED, "jitter": FULL}, "jitter = 1", "0 (no_jitter)", "its own jitter"),
        ({"max_attempts": 4, "max_total_attempts": 3}, "max_total_attempts = 3", "at least max_attempts = 4", "raise"),
        ({"timeout_factor": 0.5}, "timeout_factor = 0.5", "a number from 1", "main sign of overload"),
    ],
)
def test_a_setting_that_cannot_be_is_refused_in_one_sentence(settings, name, allowed, remedy):
    with pytest.raises(ParameterError) as refused:
        RetrySettings(**settings)
    text = str(refused.value)
    assert text.startswith(name)
    assert allowed in text
    assert remedy in text


@pytest.mark.parametrize(
    ("settings", "name"),
    [
        ({"first_delay_s": 5.0, "jitter": NO_JITTER, "deadline_s": 5.0}, "first_delay_s = 5.0"),
        (
            {"backoff": FIXED, "first_delay_s": 30.0, "cap_s": 60.0, "jitter": NO_JITTER, "deadline_s": 10.0},
            "first_delay_s",
        ),
        ({"floor_s": 2.0, "deadline_s": 1.0}, "floor_s = 2.0"),
    ],
)
def test_a_wait_that_no_deadline_can_hold_is_refused(settings, name):
    with pytest.raises(ParameterError, match=r"a first wait below deadline_s") as refused:
        RetrySettings(**settings)
    assert str(refused.value).startswith(name)
    assert RetrySettings(**{**settings, "max_attempts": 1}).max_attempts == 1, "without retries there is no wait"


def test_the_same_wait_is_allowed_where_only_the_time_gone_counts():
    cfg = RetrySettings(first_delay_s=5.0, jitter=NO_JITTER, deadline_s=5.0, deadline_counts_wait=False)
    assert cfg.first_delay_s == 5.0


def test_a_full_jitter_may_be_short_enough_for_a_short_deadline():
    assert RetrySettings(first_delay_s=5.0, jitter=FULL, deadline_s=4.0).deadline_s == 4.0


def test_only_the_plan_may_wait_less_than_the_base():
    assert RetrySettings(timeout_factor=0.5, plan_factors=True).timeout_factor == 0.5


def test_overrides_reach_all_three_settings_of_a_loop():
    retry = Retry.of(RetrySettings()).changed(max_attempts=7, backoff="polly", jitter="no_jitter")
    for one in (retry.transient, retry.rate_limited, retry.critical):
        assert (one.max_attempts, one.backoff, one.jitter) == (7, POLLY, NO_JITTER)


def test_the_order_of_a_loop_survives_an_override():
    retry = Retry(RetrySettings(), RetrySettings(), NO_RETRIES, PLAN_ORDER)
    assert retry.changed(cap_s=3.0).order == PLAN_ORDER


@pytest.mark.parametrize(("name", "value"), [("max_attempt", 3), ("family", 1)])
def test_an_override_of_no_setting_is_refused_with_the_names(name, value):
    with pytest.raises(ParameterError, match="max_attempts, max_total_attempts"):
        Retry.of(RetrySettings()).changed(**{name: value})


def test_an_unknown_word_is_refused_with_the_words():
    with pytest.raises(ParameterError, match="no_jitter, full, equal"):
        Retry.of(RetrySettings()).changed(jitter="fuller")


@pytest.mark.parametrize("order", [2, "plan", True])
def test_a_loop_has_one_of_two_orders(order):
    with pytest.raises(ParameterError, match=r"0 \(retryable_first\), 1 \(plan_order\)"):
        Retry(RetrySettings(), RetrySettings(), RetrySettings(), order)


def test_every_field_is_a_number_or_a_truth_value():
    """The compiled simulator derives a record type from the annotations."""
    assert {field.type for field in fields(RetrySettings)} <= {int, float, bool}
