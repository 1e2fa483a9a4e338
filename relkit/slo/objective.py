"""The Objective: which share of requests must be good, over how long, and what does not count.

An objective is an exact rational. In binary 1 - 0.999 is 0.0010000000000000009, and a budget that is off in its last
digit turns "exactly on target" into "missed"; so the target is text or a Fraction, never a float.
"""

import re
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Final

from relkit.exceptions import ParameterError
from relkit.period import CALENDARS, Period, calendar_period
from relkit.units import MINUTES_PER_DAY, US_PER_DAY, duration, exact_share, several

DEFAULT_EXCLUDED: Final = frozenset(
    {
        "API_INVALID_REQUEST",
        "API_NOT_FOUND",
        "VALIDATION_ERROR",
        "BOOKING_CONFLICT",
        "MODEL_CONTEXT_LENGTH",
        "MODEL_CONTENT_POLICY",
        "CANCELLED",
    }
)
"""Error kinds that leave the denominator: faults of the caller, which no work on the service can prevent."""

NEVER_EXCLUDED: Final = frozenset({"API_AUTH_ERROR", "API_RATE_LIMIT", "API_QUOTA_EXHAUSTED"})
"""Error kinds that always count: without them a revoked key is 0 bad of 0, which reads as 100 %."""

METHODS: Final = ("occurrences", "time_slices", "ratio_time_slices")
"""What is counted: requests; stretches of time that are good or bad; the good share of each stretch."""

DEGRADED: Final = ("good", "bad")
"""What a degraded answer counts as; it is shown as a class of its own either way."""

# At most eighteen decimals keeps every product with a request count a small integer; it also keeps "1e-999999999" out.
_TARGET_TEXT: Final = re.compile(r"\d{0,3}\.\d{1,18}|\d{1,9}/\d{1,9}|\d{1,3}")
_KIND_TEXT: Final = re.compile(r"[A-Z][A-Z0-9_]*")
_MOST_DAYS: Final = 3660
_NOMINAL_DAYS: Final = {"week": 7, "month": 30, "quarter": 91}


@dataclass(frozen=True, slots=True, init=False)
class Objective:
    """A service level objective as an exact rational over a rolling window or a calendar one.

    Parameters
    ----------
    name : str
        Name in files, columns and sentences.
    target : str or Fraction
        Share of requests that must be good, strictly between 0 and 1, as exact text such as "0.999".
    window_days : int
        Length of the rolling window in days, 1 to 3660; with `calendar` its nominal length (7, 30 or 91), by which
        burn factors are scaled.
    threshold_us : int or None
        None: a request is good when it succeeds. Else a request is good when it takes at most this many microseconds.
    excluded : frozenset of str
        Error kinds that leave the denominator. They are counted and shown, never dropped.
    service : str or None
        The one service it speaks of; None means every service.
    calendar : str or None
        None: the window rolls. Else week (from Monday), month or quarter, as the zone of the report counts days.
    method : str
        occurrences: good requests among all. time_slices: a slice is good when at least `slice_target` of its requests
        are, and slices are counted. ratio_time_slices: the mean of the good shares of the slices.
    slice_minutes : int
        Length of a slice, 1 to 1440 minutes; slices begin at multiples of it since 1970 UTC.
    slice_target : str, Fraction or None
        Exact share, above 0 and at most 1, of a slice's requests that must be good; time_slices needs it, no other
        method takes it.
    degraded : str
        What an answer counts as that came degraded (from a stale cache, from a fallback model): good or bad.

    Raises
    ------
    ParameterError
        For a target that is a float, 0, 1 or outside; for excluding a kind of `NEVER_EXCLUDED`; for settings of slices
        without slices.

    Examples
    --------
    >>> goal = Objective("availability", "0.999")
    >>> goal.budget_share, goal.kind, goal.target_text
    (Fraction(1, 1000), 'availability', '99.9 %')
    >>> Objective("minutes", "0.99", method="time_slices", slice_target="0.95", calendar="month").window_text
    'the calendar month'
    """

    name: str
    target: Fraction
    window_days: int
    threshold_us: int | None
    excluded: frozenset[str]
    service: str | None
    calendar: str | None
    method: str
    slice_minutes: int
    slice_target: Fraction | None
    degraded: str

    def __init__(
        self,
        name: str,
        target: str | Fraction,
        window_days: int = 30,
        threshold_us: int | None = None,
        excluded: frozenset[str] = DEFAULT_EXCLUDED,
        service: str | None = None,
        calendar: str | None = None,
        method: str = "occurrences",
        slice_minutes: int = 1,
        slice_target: str | Fraction | None = None,
        degraded: str = "good",
    ) -> None:
        if not isinstance(name, str) or not name.strip():
            raise ParameterError.of("name", name, "a text that is not empty", "name the objective, e.g. availability")
        put = object.__setattr__  # the record is frozen; this is its only moment of writing
        put(self, "name", name)
        put(self, "target", _exact_target(target))
        put(self, "window_days", _whole("window_days", window_days, _MOST_DAYS, "give whole days, e.g. 30"))
        put(self, "threshold_us", None if threshold_us is None else _threshold(threshold_us))
        put(self, "excluded", _kinds(excluded))
        put(self, "service", service)
        put(self, "calendar", None if calendar is None else _one_of("calendar", calendar, CALENDARS))
        if calendar is not None:
            put(self, "window_days", _NOMINAL_DAYS[calendar])
        put(self, "method", _one_of("method", method, METHODS))
        put(self, "slice_minutes", _whole("slice_minutes", slice_minutes, MINUTES_PER_DAY, "give minutes, e.g. 1"))
        put(self, "slice_target", _slice_target(slice_target, method, slice_minutes))
        put(self, "degraded", _one_of("degraded", degraded, DEGRADED))

    @property
    def kind(self) -> str:
        """Say what makes a request good: `availability` (it succeeds) or `latency` (it is fast enough)."""
        return "availability" if self.threshold_us is None else "latency"

    @property
    def budget_share(self) -> Fraction:
        """Return the share of requests that may be bad, 1 - target, exactly."""
        return 1 - self.target

    @property
    def window_minutes(self) -> int:
        """Return the length of the window in minutes."""
        return self.window_days * MINUTES_PER_DAY

    @property
    def window_text(self) -> str:
        """Name the window: `30 days`, or `the calendar month`."""
        return f"the calendar {self.calendar}" if self.calendar else several(self.window_days, "day")

    @property
    def unit(self) -> str:
        """Name what is counted: `request`, or a slice of time such as `slice of 60 s`."""
        return "request" if self.method == "occurrences" else f"slice of {duration(60 * self.slice_minutes)}"

    @property
    def units(self) -> str:
        """Name what is counted, in the plural."""
        return self.unit.replace("request", "requests").replace("slice", "slices")

    @property
    def target_text(self) -> str:
        """Write the target in percent with exactly the digits it has.

        >>> Objective("a", "0.9995").target_text, Objective("b", "2/3").target_text
        ('99.95 %', '66.6667 %')
        """
        hundred = 100 * self.target
        for digits in range(19):
            scaled = hundred * 10**digits
            if scaled.denominator == 1:
                # Not by way of a float: 18 decimals do not fit into one.
                whole, rest = divmod(scaled.numerator, 10**digits)
                return f"{whole}.{rest:0{digits}d} %" if digits else f"{whole} %"
        return f"{float(hundred):.6g} %"


def _exact(name: str, given: object, allowed: str, remedy: str) -> Fraction:
    """Read a share; only exact text and fractions are exact."""
    if isinstance(given, Fraction):
        return given
    if not isinstance(given, str):
        raise ParameterError.of(name, given, allowed, remedy + "; a binary float is not exact")
    if not _TARGET_TEXT.fullmatch(given.strip()):
        raise ParameterError.of(name, given, allowed, remedy)
    try:
        return exact_share(given)
    except ZeroDivisionError:
        raise ParameterError.of(name, given, allowed, remedy) from None


def _exact_target(given: object) -> Fraction:
    allowed, remedy = "an exact share above 0 and below 1", 'write it as text, e.g. "0.999"'
    target = _exact("target", given, allowed, remedy)
    shown = given if isinstance(given, str) else str(target)
    if target == 1:
        raise ParameterError.of("target", shown, allowed, "with no budget every failure misses it: pick 0.9999")
    if 1 < target < 100:
        raise ParameterError.of("target", shown, allowed, f'write percent as a share: "{float(target / 100):.15g}"')
    if not 0 < target < 1:
        raise ParameterError.of("target", shown, allowed, remedy)
    return target


def _whole(name: str, given: object, most: int, remedy: str) -> int:
    if isinstance(given, bool) or not isinstance(given, int) or not 1 <= given <= most:
        raise ParameterError.of(name, given, f"a whole number from 1 to {most}", remedy)
    return given


def _slice_target(given: object, method: str, slice_minutes: int) -> Fraction | None:
    """Check the settings of slices against the method that uses them."""
    allowed, remedy = "an exact share above 0 and at most 1", 'write it as text, e.g. "0.95"'
    if method == "time_slices":
        if given is None:
            raise ParameterError.of(
                "slice_target", None, allowed, "say when a slice is good, e.g. slice_target = 0.95 as text"
            )
        target = _exact("slice_target", given, allowed, remedy)
        if not 0 < target <= 1:
            raise ParameterError.of("slice_target", str(target), allowed, remedy)
        return target
    if given is not None:
        raise ParameterError.of("slice_target", given, "none here", "only the method time_slices judges single slices")
    if method == "occurrences" and slice_minutes != 1:
        raise ParameterError.of(
            "slice_minutes",
            slice_minutes,
            "none here",
            "the method occurrences counts requests: take it out, or name a method of slices",
        )
    return None


def window_of(period: Period, objective: Objective) -> Period:
    """Return an objective's window as far as a period's end: rolling back from it, or the calendar's up to it.

    >>> week = Period("a week", 0, 7 * US_PER_DAY)
    >>> window_of(week, Objective("availability", "0.999", window_days=28)).start_us // US_PER_DAY
    -21
    """
    if period.end_us is None:
        return period
    start_us = period.end_us - objective.window_days * US_PER_DAY
    if objective.calendar is not None:
        begun = calendar_period(period.end_us - 1, objective.calendar, period.zone).start_us
        assert begun is not None
        start_us = begun
    return period if start_us == period.start_us else replace(period, start_us=start_us)


def _one_of(name: str, given: object, allowed: tuple[str, ...]) -> str:
    if not isinstance(given, str) or given not in allowed:
        raise ParameterError.of(name, given, ", ".join(allowed), "name one of these")
    return given


def _threshold(given: object) -> int:
    return _whole("threshold_us", given, 10**12, "give whole microseconds: 2,000 ms are 2_000_000")


def _kinds(given: object) -> frozenset[str]:
    """Check the excluded kinds: names of kinds, and none that would hide an outage."""
    remedy = 'give a set of error kinds, e.g. {"API_NOT_FOUND"}'
    if isinstance(given, str) or not isinstance(given, frozenset | set | tuple | list):
        raise ParameterError.of("excluded", given, "a set of error kinds", remedy)
    kinds = frozenset(given)
    for kind in sorted(kinds, key=str):
        if not isinstance(kind, str) or not _KIND_TEXT.fullmatch(kind):
            raise ParameterError.of("excluded", kind, "names of error kinds in capitals", remedy)
    hidden = sorted(kinds & NEVER_EXCLUDED)
    if hidden:
        raise ParameterError.of(
            "excluded",
            ", ".join(hidden),
            "any kind but " + ", ".join(sorted(NEVER_EXCLUDED)),
            "take it out: with it a revoked key, an empty account or total rate limiting would read as 100 % good",
        )
    return kinds
