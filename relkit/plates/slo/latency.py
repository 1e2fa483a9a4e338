"""Percentiles of latency, to be read and not promised."""

from typing import Any

from relkit.plates.table import Table
from relkit.slo import Latency
from relkit.units import US_PER_SECOND, duration, several

_LATENCY_COLUMNS = ("percentile", "latency", "95 % interval")


def latency_table(latency: Latency) -> Table:
    """Show exact percentiles of the requests that succeeded, each with the interval its rank allows."""
    rows: list[tuple[str, str, str]] = []
    values: dict[str, Any] = {"n": latency.n}
    for label, value, interval in (
        ("p50", latency.p50_us, latency.p50_interval_us),
        ("p95", latency.p95_us, latency.p95_interval_us),
        ("p99", latency.p99_us, latency.p99_interval_us),
    ):
        shown = "unknown" if value is None else duration(value / US_PER_SECOND)
        between = "unknown" if interval is None else " to ".join(duration(end / US_PER_SECOND) for end in interval)
        rows.append((label, shown, between))
        values[f"{label}_us"] = value
    if not latency.n:
        return Table(
            "latency", "No request tells its latency: the percentiles are unknown.", _LATENCY_COLUMNS, rows, values
        )
    typical = "unknown" if latency.p50_us is None else duration(latency.p50_us / US_PER_SECOND)
    tail = "unknown" if latency.p99_us is None else duration(latency.p99_us / US_PER_SECOND)
    caption = (
        f"Half of {several(latency.n, 'request')} that did not fail took at most {typical}, 99 % at most {tail} "
        "(first start to last end, waits included)."
    )
    return Table("latency", caption, _LATENCY_COLUMNS, rows, values)
