"""The stretch of time a page reports: an ISO week in a zone, or everything there is."""

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from relkit.exceptions import ParameterError

_WEEK: Final = re.compile(r"([0-9]{4})-W([0-9]{2})")
EVERYTHING: Final = "all"
CALENDARS: Final = ("week", "month", "quarter")
"""Stretches of the calendar an objective may hold for; a week begins on Monday."""


@dataclass(frozen=True, slots=True)
class Period:
    """A stretch of time, end exclusive; start and end are None when it is everything, clock or no clock.

    Parameters
    ----------
    label : str
        "2026-W47" or "all".
    start_us, end_us : int or None
        Microseconds since 1970 UTC.
    zone : str
        Zone in which the week begins on Monday 00:00 and in which times are shown.
    """

    label: str
    start_us: int | None
    end_us: int | None
    zone: str = "UTC"

    @property
    def is_everything(self) -> bool:
        """Whether the period is all there is."""
        return self.start_us is None


def period_of(label: str, zone: str = "UTC") -> Period:
    """Read "2026-W47" or "all".

    Raises
    ------
    ParameterError
        No ISO week.

    Examples
    --------
    >>> week = period_of("2026-W47")
    >>> (week.end_us - week.start_us) // 86_400_000_000
    7
    """
    if label == EVERYTHING:
        return Period(label, None, None, zone)
    found = _WEEK.fullmatch(label)
    remedy = "write an ISO week, or all"
    if not found:
        raise ParameterError.of("week", label, "a week such as 2026-W47, or all", remedy)
    try:
        monday = date.fromisocalendar(int(found[1]), int(found[2]), 1)
        return Period(label, _midnight_us(monday, zone), _midnight_us(monday + timedelta(days=7), zone), zone)
    except (ValueError, OverflowError):
        raise ParameterError.of("week", label, "a week that exists (W01 to W52 or W53)", remedy) from None


def is_week(label: str) -> bool:
    """Say whether a label is written as an ISO week is.

    >>> is_week("2026-W47"), is_week("all")
    (True, False)
    """
    return _WEEK.fullmatch(label) is not None


def week_label(ts_us: int, zone: str = "UTC") -> str:
    """Name the ISO week a moment lies in.

    >>> week_label(1_795_391_999_999_999)
    '2026-W47'
    """
    year, week, _ = local_time(ts_us, zone).isocalendar()
    return f"{year}-W{week:02d}"


def week_before(label: str) -> str:
    """Name the week before.

    >>> week_before("2026-W01")
    '2025-W52'
    """
    period = period_of(label)
    assert period.start_us is not None
    return week_label(period.start_us - 1)


def calendar_period(ts_us: int, calendar: str, zone: str = "UTC") -> Period:
    """Return the week, month or quarter of the zone's calendar that a moment lies in.

    Parameters
    ----------
    ts_us : int
        The moment, microseconds since 1970 UTC.
    calendar : str
        week, month or quarter.
    zone : str
        IANA zone whose midnights bound it: with daylight saving a month is an hour longer or shorter than its days.

    Examples
    --------
    >>> november = calendar_period(1_795_391_999_999_999, "month", "Europe/Berlin")
    >>> november.label, (november.end_us - november.start_us) / 3_600_000_000
    ('2026-11', 720.0)
    >>> october = calendar_period(november.start_us - 1, "month", "Europe/Berlin")
    >>> (october.end_us - october.start_us) / 3_600_000_000
    745.0
    """
    day = local_time(ts_us, zone).date()
    if calendar == "week":
        return period_of(week_label(ts_us, zone), zone)
    if calendar not in CALENDARS:
        raise ParameterError.of("calendar", calendar, ", ".join(CALENDARS), "name one of these")
    months = 1 if calendar == "month" else 3
    first = day.replace(month=(day.month - 1) // months * months + 1, day=1)
    beyond = (first + timedelta(days=31 * months)).replace(day=1)  # 31 days on is always in the month after
    label = f"{first:%Y-%m}" if calendar == "month" else f"{first.year}-Q{(first.month + 2) // 3}"
    return Period(label, _midnight_us(first, zone), _midnight_us(beyond, zone), zone)


def local_time(ts_us: int, zone: str) -> datetime:
    """Turn microseconds since 1970 UTC into a time of the zone."""
    return (datetime.fromtimestamp(0, UTC) + timedelta(microseconds=ts_us)).astimezone(ZoneInfo(zone))


def moment_us(text: str) -> int | None:
    """Read a time that names its zone, as microseconds since 1970 UTC; None when the text is none.

    >>> moment_us("2026-11-16T00:00:00Z"), moment_us("2026-11-16"), moment_us("yesterday")
    (1794787200000000, None, None)
    """
    try:
        given = datetime.fromisoformat(text)
    except ValueError:
        return None
    if given.tzinfo is None:
        return None
    return (given - datetime.fromtimestamp(0, UTC)) // timedelta(microseconds=1)


def moment(ts_us: int, zone: str) -> str:
    """Write a moment for people, to the minute, in the zone.

    >>> moment(1_794_787_200_000_000, "UTC")
    'Mon 2026-11-16 00:00'
    """
    return local_time(ts_us, zone).strftime("%a %Y-%m-%d %H:%M")


def _midnight_us(day: date, zone: str) -> int:
    midnight = datetime(day.year, day.month, day.day, tzinfo=ZoneInfo(zone))
    return (midnight - datetime.fromtimestamp(0, UTC)) // timedelta(microseconds=1)
