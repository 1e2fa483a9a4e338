"""A wait is read in every form in which it is said, and is finite and not negative, or nothing."""

import math
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relkit.errors.reading.retry_after import retry_after_header, retry_after_s, seconds_of, wait_in_body, wait_in_text

NOON = datetime(2026, 11, 25, 12, 0, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("0", 0.0), ("20", 20.0), (" 7 ", 7.0), ("0.5", 0.5), (".5", 0.5), (3, 3.0), (2.5, 2.5), (b"11", 11.0), ("99999999", 99_999_999.0),
        ("644ms", 0.644), ("6s", 6.0), ("2m59.56s", 179.56), ("9m38.016s", 578.016), ("1h2m3s", 3723.0), ("1d", 86_400.0), ("250µs", 250e-6),
        ("1m 30s", 90.0), ("26.5S", 26.5),
    ],
)  # fmt: skip
def test_numbers_and_spans(value, seconds):
    assert seconds_of(value) == pytest.approx(seconds)


@pytest.mark.parametrize(
    "value",
    [
        None,
        "",
        "soon",
        "-5",
        -5,
        "1e400",
        1e400,
        math.nan,
        "nan",
        "inf",
        True,
        "1e3",
        "5 apples",
        "٥",
        "1s2",
        [],
        {},
        object(),
        b"\xff",
    ],
)
def test_what_is_no_wait(value):
    assert seconds_of(value) is None


@given(st.none() | st.text() | st.floats() | st.integers() | st.binary() | st.dates().map(str))
def test_whatever_a_header_says_the_wait_is_finite_and_not_negative_or_nothing(value):
    for wait_s in (
        seconds_of(value),
        retry_after_header(value),
        retry_after_s({"retry-after": str(value)}, {"retry_after": value}, str(value)),
    ):
        assert wait_s is None or (math.isfinite(wait_s) and wait_s >= 0)


@pytest.mark.parametrize(
    "text",
    [
        "Wed, 25 Nov 2026 12:01:30 GMT",
        "Wednesday, 25-Nov-26 12:01:30 GMT",
        "Wed Nov 25 12:01:30 2026",
        "2026-11-25T12:01:30Z",
    ],
)
def test_all_forms_of_a_date_count_from_the_servers_own_clock(text):
    assert retry_after_header(text, date="Wed, 25 Nov 2026 12:00:00 GMT", now=lambda: NOON + timedelta(hours=5)) == 90.0
    assert retry_after_header(text, now=lambda: NOON) == 90.0
    assert retry_after_header(text, date="no date", now=lambda: NOON) == 90.0


def test_a_date_that_is_past_is_no_wait_at_all():
    assert retry_after_header(format_datetime(NOON, usegmt=True), now=lambda: NOON + timedelta(days=1)) == 0.0


def test_the_finest_header_wins_and_an_unreadable_one_lets_the_next_speak():
    assert retry_after_s({"retry-after-ms": "1500", "retry-after": "2"}) == 1.5
    assert retry_after_s({"retry-after-ms": "soon", "retry-after": "2"}) == 2.0
    assert retry_after_s({"x-ms-retry-after-ms": "3000"}) == 3.0
    assert retry_after_s({"x-amz-retry-after": "250"}) == 0.25
    assert retry_after_s({"grpc-retry-pushback-ms": "700"}) == 0.7


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("Please try again in 9m38.016s.", 578.016), ("Please try again in 644ms. Visit us", 0.644), ("retry after 20 seconds", 20.0),
        ("try again later in 2 minutes", 120.0), ("Please wait for 5 seconds", 5.0), ("Retry-After: 30", 30.0), ("'retryDelay': '26s'", 26.0),
        ("retry_after=5", 5.0), ("retry_after_ms: 250", 0.25), ("Please retry in 26.12s.", 26.12), ("try again in about 5 minutes", 300.0),
        ("Duplicate entry '1' for key", None), ("took 20 seconds", None), ("retry in 5 attempts", None), ("try again at 10:30", None),
        ("Retry 3 of 5", None), ("", None),
    ],
)  # fmt: skip
def test_waits_in_sentences(text, seconds):
    assert wait_in_text(text) == (None if seconds is None else pytest.approx(seconds))


def test_waits_in_bodies():
    info = {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "31.5s"}
    assert wait_in_body({"error": {"details": [{}, info]}}) == 31.5
    assert wait_in_body({"retry_after_ms": 250}) == 0.25
    assert wait_in_body({"error": "loading", "estimated_time": 20.0}) == 20.0
    assert wait_in_body({"retry_after": -1, "parameters": {"retry_after": 35}}) == 35.0
    assert wait_in_body("retry_after") is None


def test_the_last_of_the_limits_that_are_used_up_decides_and_the_others_say_nothing():
    groq = {
        "x-ratelimit-remaining-requests": "0", "x-ratelimit-reset-requests": "2m59.56s", "x-ratelimit-remaining-tokens": "0",
        "x-ratelimit-reset-tokens": "7.66s",
    }  # fmt: skip
    assert retry_after_s(groq) == pytest.approx(179.56)
    assert retry_after_s({**groq, "x-ratelimit-remaining-requests": "14"}) == pytest.approx(7.66)
    assert retry_after_s({"x-ratelimit-reset-requests": "2m59.56s"}) is None
    assert retry_after_s({**groq, "retry-after": "2"}) == 2.0
    date = {"date": "Wed, 25 Nov 2026 12:00:00 GMT"}
    assert (
        retry_after_s({**date, "x-ratelimit-remaining": "0", "x-ratelimit-reset": str(int(NOON.timestamp()) + 60)})
        == 60.0
    )
    anthropic = {
        "anthropic-ratelimit-requests-remaining": "0",
        "anthropic-ratelimit-requests-reset": "2026-11-25T12:00:42Z",
    }
    assert retry_after_s({**date, **anthropic}) == 42.0


def test_one_header_for_all_limits_speaks_for_those_that_are_used_up():
    assert retry_after_s({"ratelimit": '"default";r=0;t=33'}) == 33.0
    assert retry_after_s({"ratelimit": '"burst";r=0;t=7, "day";r=0;t=4000'}) == 4_000.0
    assert retry_after_s({"ratelimit": "limit=10, remaining=0, reset=50"}) == 50.0
    assert retry_after_s({"ratelimit": '"default";r=3;t=33'}) is None
    assert retry_after_s({"ratelimit": "default; r; t=x"}) is None


def test_discord_names_what_is_left_and_the_wait_by_one_stem():
    limited = {"x-ratelimit-remaining": "0", "x-ratelimit-reset-after": "1.5"}
    assert retry_after_s(limited) == 1.5
    assert retry_after_s({**limited, "x-ratelimit-remaining": "4"}) is None


def test_a_wait_may_be_told_as_hours_minutes_and_seconds():
    assert wait_in_text("Out of call volume quota. Quota will be replenished in 12:17:36.") == 44_256.0
    assert wait_in_text("the slot at 12:17:36 is taken") is None
