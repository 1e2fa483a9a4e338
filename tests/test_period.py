"""A week begins on Monday at midnight in its zone, whatever the clocks do in between."""

from datetime import datetime

import pytest

from relkit.exceptions import ParameterError
from relkit.period import calendar_period, moment, period_of, week_before, week_label

HOUR_US = 3_600_000_000


@pytest.mark.parametrize(("week", "hours"), [("2026-W47", 168), ("2026-W13", 167), ("2026-W43", 169)])
def test_a_week_with_a_change_of_clocks_is_an_hour_shorter_or_longer(week, hours):
    period = period_of(week, "Europe/Berlin")
    assert (period.end_us - period.start_us) // HOUR_US == hours
    assert moment(period.start_us, "Europe/Berlin").startswith("Mon")
    assert moment(period.start_us, "Europe/Berlin").endswith("00:00")


@pytest.mark.parametrize("zone", ["UTC", "Asia/Kathmandu", "America/New_York", "Pacific/Auckland"])
def test_the_first_and_last_moment_of_a_week_belong_to_it(zone):
    period = period_of("2026-W47", zone)
    assert week_label(period.start_us, zone) == "2026-W47"
    assert week_label(period.end_us - 1, zone) == "2026-W47"
    assert week_label(period.start_us - 1, zone) == week_before("2026-W47")
    assert week_label(period.end_us, zone) == "2026-W48"


@pytest.mark.parametrize(
    "label", ["2026-W00", "2026-W54", "2025-W53", "2026-47", "W47", "", "9999-W52", "0000-W01", "2026-W47 "]
)
def test_what_is_no_week_is_refused_with_what_is_allowed(label):
    with pytest.raises(ParameterError, match="week = "):
        period_of(label)


def test_everything_has_no_ends():
    period = period_of("all")
    assert period.is_everything
    assert (period.start_us, period.end_us) == (None, None)


@pytest.mark.parametrize(
    ("moment", "calendar", "label", "hours"),
    [
        ("2026-03-31T21:59:59+00:00", "month", "2026-03", 743),  # Berlin: an hour is lost on the 29th
        ("2026-03-31T22:00:00+00:00", "month", "2026-04", 720),
        ("2026-10-25T12:00:00+00:00", "month", "2026-10", 745),
        ("2026-10-25T12:00:00+00:00", "week", "2026-W43", 169),
        ("2028-02-29T12:00:00+00:00", "quarter", "2028-Q1", 91 * 24 - 1),
        ("2026-12-31T22:59:59+00:00", "quarter", "2026-Q4", 92 * 24 + 1),
        ("2026-12-31T23:00:00+00:00", "quarter", "2027-Q1", 90 * 24 - 1),
    ],
)
def test_calendar_windows_begin_and_end_at_midnights_of_the_zone(moment, calendar, label, hours):
    at_us = round(datetime.fromisoformat(moment).timestamp() * 1_000_000)
    found = calendar_period(at_us, calendar, "Europe/Berlin")
    assert (found.label, (found.end_us - found.start_us) / 3_600_000_000) == (label, hours)
    assert found.start_us <= at_us < found.end_us


def test_an_unknown_calendar_is_refused():
    with pytest.raises(ParameterError, match="calendar"):
        calendar_period(0, "year")
