"""The two tables every page ends with: what it cannot see, and what it was made from."""

from relkit.period import Period, is_week
from relkit.plates.table import Table
from relkit.slo import ErrorBudget, LogSpan, Traps, gap_text, trap_lines
from relkit.units import count, percent, several


def caveats_table(span: LogSpan, traps: Traps, budget: ErrorBudget | None = None, name: str = "caveats") -> Table:
    """Say what could be wrong with the page, with the number behind each doubt."""
    rows: list[tuple[str, str]] = []
    if span.coverage is not None:
        gaps = f"; longest stretch without data {gap_text(span.gaps[0])}" if span.gaps else "; no stretch is missing"
        rows.append(("coverage", f"{percent(span.coverage, 1)} of the minutes{gaps}"))
    else:
        rows.append(("coverage", "unknown: everything is reported at once, whatever its clock"))
    rows.append(
        (
            "sample",
            f"{several(span.requests, 'request')} in {several(span.attempts, 'attempt')}"
            if span.attempts
            else "no attempts",
        )
    )
    if budget is not None:
        rows.append(("left out as faults of the caller", several(budget.excluded, "request")))
        rows.append(("outcome not told", f"{several(budget.unknown, 'request')}, neither good nor bad"))
    if span.other_rows:
        rows.append(("shadow, probe and canary rows", f"{count(span.other_rows)}, counted in none of these numbers"))
    rows += trap_lines(traps)
    rows.append(("lines that could not be read", _rejects_text(span)))
    values = {
        "coverage": span.coverage,
        "requests": span.requests,
        "attempts": span.attempts,
        "censored": span.censored,
        "rejects": span.rejects,
    }
    return Table(name, "What these numbers rest on, and what they leave out.", ("check", "finding"), rows, values)


def _rejects_text(span: LogSpan) -> str:
    if not span.rejects:
        return "none"
    capped = f"; the text of the first {count(span.rejects_kept)} is kept" if span.rejects_kept < span.rejects else ""
    return f"{count(span.rejects)} in the whole database{capped}"


def provenance_table(database: str, period: Period, data_hash: str, ruleset: str, name: str = "provenance") -> Table:
    """Say what the page was made from; equal entries give equal pages."""
    rows = (
        ("database", database),
        (
            "period",
            f"{period.label}, {period.zone}, Monday 00:00 to Monday 00:00" if is_week(period.label) else period.label,
        ),
        ("data", f"sha256 {data_hash[:16]} over the ingest ledger"),
        ("error rules", ruleset),
    )
    return Table(name, "Made from", ("what", "which"), rows, {"data_hash": data_hash})
