"""The stretch of time a page reports: an ISO week in a zone, or everything there is."""

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from relkit.exceptions import ParameterError

_WEEK: Final = re.compile(r"([0-9]{4})-W([0-9]{2})")
EVERYTHING: Final = "all"


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


def local_time(ts_us: int, zone: str) -> datetime:
    """Turn microseconds since 1970 UTC into a time of the zone."""
    return (datetime.fromtimestamp(0, UTC) + timedelta(microseconds=ts_us)).astimezone(ZoneInfo(zone))


def moment(ts_us: int, zone: str) -> str:
    """Write a moment for people, to the minute, in the zone.

    >>> moment(1_794_787_200_000_000, "UTC")
    'Mon 2026-11-16 00:00'
    """
    return local_time(ts_us, zone).strftime("%a %Y-%m-%d %H:%M")


def _midnight_us(day: date, zone: str) -> int:
    midnight = datetime(day.year, day.month, day.day, tzinfo=ZoneInfo(zone))
    return (midnight - datetime.fromtimestamp(0, UTC)) // timedelta(microseconds=1)
