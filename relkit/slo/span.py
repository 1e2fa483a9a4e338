"""What a page stands on: from when to when a log runs, how many rows, and how much of the time is covered."""

from dataclasses import dataclass
from typing import Final

from relkit.period import Period, moment
from relkit.slo.minutes import Gap, gap_text
from relkit.units import US_PER_MINUTE, count, percent, several
from relkit.verdict import Verdict

LEAST_COVERAGE: Final = 0.95
_WORTH_NAMING: Final = 0.01


@dataclass(frozen=True, slots=True)
class LogSpan:
    """The log within a period.

    Parameters
    ----------
    first_us, last_us : int or None
        First start and last end of any attempt of a user (else of a sample, probe or pair), microseconds since 1970
        UTC; None without a clock or without rows.
    requests, attempts : int
        Of users.
    other_rows : int
        Attempts of shadow, probe and canary: counted in no SLO number.
    no_clock : int
        User attempts without a time.
    unknown, censored : int
        User attempts whose outcome is not told; of these, those without an end.
    pairs, probes, samples, rejects : int
        Shadow pairs, probe rows, pre-aggregated values; lines of the sources that could not be read.
    rejects_kept : int
        Those of the lines whose text was kept: of each file the first 10,000 are.
    coverage : float or None
        Share of the period's minutes that hold data; None for everything at once.
    gaps : tuple of (int, int)
        Missing stretches in unix minutes, longest first.
    """

    first_us: int | None
    last_us: int | None
    requests: int
    attempts: int
    other_rows: int = 0
    no_clock: int = 0
    unknown: int = 0
    censored: int = 0
    pairs: int = 0
    probes: int = 0
    samples: int = 0
    rejects: int = 0
    rejects_kept: int = 0
    coverage: float | None = None
    gaps: tuple[Gap, ...] = ()

    @property
    def is_empty(self) -> bool:
        """Whether the period holds nothing at all to report."""
        return not (self.requests or self.pairs or self.probes or self.samples)


def data_verdict(span: LogSpan, period: Period) -> Verdict:
    """Say what the page stands on: FINE, WARN (with each reason), or INVALID (nothing to report).

    Parameters
    ----------
    span : LogSpan
        What the log holds in the period.
    period : Period
        The week, or everything.

    Returns
    -------
    Verdict
        Area data; value is the share of minutes covered, None where there is no clock.

    Examples
    --------
    >>> from relkit.period import period_of
    >>> data_verdict(LogSpan(None, None, 0, 0, pairs=20), period_of("all")).sentence
    'Data of all, without a clock: 20 shadow pairs.'
    """
    held = [
        f"{count(number)} {word}"
        for number, word in (
            (span.requests, "requests"),
            (span.pairs, "shadow pairs"),
            (span.probes, "probe rows"),
            (span.samples, "pre-aggregated values"),
        )
        if number
    ] or ["no requests"]
    parts = [f"{_from_to(span, period)}: {', '.join(held)}"]
    if span.coverage is not None:
        parts.append(f"{percent(span.coverage, 1)} of the week's minutes covered")
    reasons = _reasons(span)
    code = "INVALID" if span.is_empty else "WARN" if reasons else "FINE"
    gap = span.coverage is not None and span.coverage < LEAST_COVERAGE
    return Verdict(
        "data",
        code,
        "; ".join(parts) + ".",
        value=span.coverage,
        n=span.attempts,
        why_not=" ".join(reasons),
        would_change="Ingest the missing rows and run the report again." if gap else "",
    )


def _from_to(span: LogSpan, period: Period) -> str:
    if span.first_us is None or span.last_us is None:
        return f"Data of {period.label}" + ("" if span.is_empty else ", without a clock")
    first, last = (moment(ts // US_PER_MINUTE * US_PER_MINUTE, period.zone) for ts in (span.first_us, span.last_us))
    return f"Data from {first} to {last} {period.zone}"


def _reasons(span: LogSpan) -> list[str]:
    reasons = []
    if span.coverage is not None and span.coverage < LEAST_COVERAGE and span.gaps:
        more = f" and {several(len(span.gaps) - 1, 'more stretch', 'more stretches')}" if len(span.gaps) > 1 else ""
        reasons.append(f"No data from {gap_text(span.gaps[0])}{more}: missing, not silent.")
    if span.attempts and span.unknown > _WORTH_NAMING * span.attempts:
        reasons.append(
            f"The outcome of {count(span.unknown)} of {several(span.attempts, 'attempt')} is not told"
            + (f" ({count(span.censored)} started and never ended: censored, not failed)." if span.censored else ".")
        )
    if span.no_clock and span.first_us is not None:
        reasons.append(f"Without a time: {several(span.no_clock, 'attempt')}; no week counts them, only --all does.")
    return reasons
