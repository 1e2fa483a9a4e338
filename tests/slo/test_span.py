"""The first line of a page: from when to when, how much is covered, what is not told."""

import pytest

from relkit.period import period_of
from relkit.slo import LogSpan, data_verdict

WEEK = period_of("2026-W47")
START_US = WEEK.start_us


def spanning(**more):
    fields = {
        "first_us": START_US,
        "last_us": START_US + 3_600_000_000,
        "requests": 1000,
        "attempts": 1100,
        "coverage": 1.0,
    }
    return LogSpan(**{**fields, **more})


def test_a_whole_log_is_fine_and_says_from_when_to_when():
    verdict = data_verdict(spanning(), WEEK)
    assert verdict.code == "FINE"
    assert "from Mon 2026-11-16 00:00 to Mon 2026-11-16 01:00 UTC" in verdict.sentence
    assert "100.0 % of the week's minutes covered" in verdict.sentence


def test_times_are_shown_in_the_zone_of_the_week():
    assert (
        "01:00 to Mon 2026-11-16 02:00 Europe/Berlin"
        in data_verdict(spanning(), period_of("2026-W47", "Europe/Berlin")).sentence
    )


def test_a_gap_is_named_as_missing_with_what_to_do():
    minute = START_US // 60_000_000
    verdict = data_verdict(spanning(coverage=0.5, gaps=((minute, minute + 5040),)), WEEK)
    assert verdict.code == "WARN"
    assert "2026-11-16 00:00" in verdict.why_not
    assert "missing, not silent" in verdict.why_not
    assert verdict.would_change


@pytest.mark.parametrize(("unknown", "code"), [(11, "FINE"), (12, "WARN")])
def test_outcomes_that_are_not_told_are_named_from_one_percent_on(unknown, code):
    assert data_verdict(spanning(unknown=unknown), WEEK).code == code


def test_censored_attempts_are_said_not_to_have_failed():
    assert "censored, not failed" in data_verdict(spanning(unknown=300, censored=289), WEEK).why_not


def test_attempts_without_a_time_count_in_no_week_and_it_says_so():
    assert "Without a time: 40 attempts;" in data_verdict(spanning(no_clock=40), WEEK).why_not


def test_nothing_is_invalid_and_nothing_is_not_fine():
    assert data_verdict(LogSpan(None, None, 0, 0, coverage=0.0), WEEK).code == "INVALID"


def test_data_without_a_clock_says_so():
    assert (
        data_verdict(LogSpan(None, None, 0, 0, pairs=14_042), period_of("all")).sentence
        == "Data of all, without a clock: 14\u202f042 shadow pairs."
    )
