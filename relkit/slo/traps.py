"""Traps in a log that an average would hide: found by counting, named on the page.

Each is a way in which real logs mislead: a clock that is too coarse, a counter that never falls, one row that
carries the sum, codes that no service sends. Naming them costs a line; averaging over them costs the conclusion.
"""

from dataclasses import dataclass
from typing import Final

from relkit.units import US_PER_SECOND, duration, percent, several

_ENOUGH_ROWS: Final = 20
_HEAVY: Final = 0.25
_TIED: Final = 0.05
_APART: Final = 0.005


@dataclass(frozen=True, slots=True)
class Series:
    """A pre-aggregated series: how many values, how many distinct, and how often it fell."""

    name: str
    values: int
    distinct: int
    falls: int

    @property
    def is_running_total(self) -> bool:
        """Whether it only ever rises, and does so most of the time.

        >>> Series("requests_total", 100, 98, 0).is_running_total
        True
        """
        return self.values >= _ENOUGH_ROWS and self.falls == 0 and 2 * self.distinct > self.values


@dataclass(frozen=True, slots=True)
class Traps:
    """What was counted to find the traps.

    Parameters
    ----------
    attempts, timed : int
        User attempts, and those of them with a time.
    whole_seconds, tied : int
        Attempts whose time is a whole second, and attempts that share their time with an earlier one.
    whole_second_latencies, latencies : int
        Latencies that are whole seconds, and all.
    longest_us, latency_sum_us : int
        Longest latency, and the sum of all.
    censored : int
        Attempts that started and never ended.
    harness_codes : int
        Failed attempts whose code is a negative number: a benchmark's own rule, not an error of a service.
    series : tuple of Series
        Pre-aggregated series.
    probe_rows_up_share, probe_time_up_share : float or None
        Share of probe rows that are up, and share of time; far apart when rows are unevenly spaced.
    dropped_pairs : int
        Mirrored requests without an answer of one side.

    Examples
    --------
    >>> trap_lines(Traps(attempts=100, censored=14))
    [('censored starts', '14 attempts started and never ended: neither good nor bad')]
    """

    attempts: int = 0
    timed: int = 0
    whole_seconds: int = 0
    tied: int = 0
    whole_second_latencies: int = 0
    latencies: int = 0
    longest_us: int = 0
    latency_sum_us: int = 0
    censored: int = 0
    harness_codes: int = 0
    series: tuple[Series, ...] = ()
    probe_rows_up_share: float | None = None
    probe_time_up_share: float | None = None
    dropped_pairs: int = 0


def trap_lines(traps: Traps) -> list[tuple[str, str]]:
    """Name each trap that the counts show, with its number.

    Returns
    -------
    list of (str, str)
        Name and finding, in a fixed order; empty when there is none.
    """
    found: list[tuple[str, str]] = []
    if traps.timed >= _ENOUGH_ROWS and traps.whole_seconds == traps.timed and traps.tied > _TIED * traps.timed:
        share = percent(traps.tied / traps.timed, 0)
        found.append(
            ("coarse clock", f"times are whole seconds; {share} of the attempts share theirs with an earlier one")
        )
    if traps.latencies >= _ENOUGH_ROWS and traps.whole_second_latencies == traps.latencies:
        found.append(("coarse latency", "every latency is a whole number of seconds: percentiles step by one second"))
    if traps.latencies >= _ENOUGH_ROWS and traps.longest_us > _HEAVY * traps.latency_sum_us:
        share = percent(traps.longest_us / traps.latency_sum_us, 0)
        found.append(
            (
                "one outlier",
                f"one attempt of {duration(traps.longest_us / US_PER_SECOND)} carries {share} of all latency: no mean is shown",
            )
        )
    if traps.censored:
        found.append(
            ("censored starts", f"{several(traps.censored, 'attempt')} started and never ended: neither good nor bad")
        )
    if traps.harness_codes:
        found.append(
            (
                "harness codes",
                f"{several(traps.harness_codes, 'failed attempt')} with a negative code, which no service sends: the harness's own rule?",
            )
        )
    totals = [series.name for series in traps.series if series.is_running_total]
    if totals:
        names = ", ".join(totals[:3]) + (" ..." if len(totals) > 3 else "")
        found.append(("cumulative counter", f"{names} never falls: a running total, not a value per interval"))
    if (
        traps.probe_rows_up_share is not None
        and traps.probe_time_up_share is not None
        and abs(traps.probe_rows_up_share - traps.probe_time_up_share) > _APART
    ):
        rows, time = percent(traps.probe_rows_up_share), percent(traps.probe_time_up_share)
        why = "rows are written on changes, so time is weighted"
        found.append(("uneven sampling", f"{rows} of the probe rows are up, {time} of the time: {why}"))
    if traps.dropped_pairs:
        found.append(
            (
                "dropped pairs",
                f"{several(traps.dropped_pairs, 'mirrored request')} without an answer of one side: each counts as a failure of that side",
            )
        )
    return found
