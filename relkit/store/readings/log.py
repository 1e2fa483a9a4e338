"""What the log holds: from when to when, how many rows, which minutes are covered."""

import hashlib

import numpy as np
import numpy.typing as npt

from relkit.period import Period, week_label
from relkit.slo import Gap, LogSpan, covered_minutes
from relkit.slo.minutes import runs
from relkit.store.open import Store
from relkit.store.readings.columns import int_columns
from relkit.store.readings.folded import requests_once
from relkit.units import MINUTES_PER_DAY, US_PER_DAY, US_PER_MINUTE


def data_hash(store: Store) -> str:
    """Return the sha256 over the ordered ingest ledger: equal ledgers, equal data.

    Two equal .duckdb files differ in bytes, so the file itself says nothing.
    """
    rows = store.connection.execute(
        "SELECT source, name, kind, sha256, mapping_sha256, read_rows, kept_rows, rejected_rows FROM ingests ORDER BY ingest_id"
    ).fetchall()
    return hashlib.sha256("\n".join("\x1f".join(map(str, row)) for row in rows).encode()).hexdigest()


def weeks_with_requests(store: Store, zone: str) -> list[str]:
    """Return the ISO weeks of the zone in which user requests end, oldest first; without any, those of the other rows."""
    quarter_us = US_PER_DAY // 96  # zones may be shifted by quarter hours
    for rows in (
        "SELECT ts + coalesce(latency_us, 0) AS ts FROM attempts WHERE role = 'user'",
        "SELECT ts FROM samples UNION ALL SELECT ts FROM probes UNION ALL SELECT ts FROM pairs",
    ):
        found = store.connection.execute(
            f"SELECT DISTINCT ts // {quarter_us} FROM ({rows}) WHERE ts IS NOT NULL ORDER BY 1"
        ).fetchall()
        if found:
            return sorted({week_label(quarter * quarter_us, zone) for (quarter,) in found})
    return []


def log_span(store: Store, period: Period) -> LogSpan:
    """Read what the log holds within a period.

    A request belongs to the period in which it ends. Rows of every role tell that the logger was alive.
    """
    where, values = within(period, "ts + coalesce(latency_us, 0)")
    row = store.connection.execute(
        "SELECT min(ts) FILTER (role = 'user'), max(ts + coalesce(latency_us, 0)) FILTER (role = 'user'), "
        "count(*) FILTER (role = 'user'), count(*) FILTER (role <> 'user'), count(*) FILTER (role = 'user' AND ts IS NULL), "
        "count(*) FILTER (role = 'user' AND ok IS NULL), count(*) FILTER (role = 'user' AND NOT ended) "
        f"FROM attempts WHERE {where}",
        values,
    ).fetchone()
    assert row is not None
    first_us, last_us, attempts, other_rows, no_clock, unknown, censored = row
    where, values = within(period, "end_us")
    counted = store.connection.execute(f"SELECT count(*) FROM {requests_once(store)} WHERE {where}", values).fetchone()
    requests = counted[0] if counted else 0
    more = {}
    where, values = within(period, "ts")
    for table in ("pairs", "probes", "samples"):
        found = store.connection.execute(
            f"SELECT count(*), min(ts), max(ts) FROM {table} WHERE {where}", values
        ).fetchone()
        assert found is not None
        more[table] = found[0]
        if found[1] is not None:
            first_us = found[1] if first_us is None else min(first_us, found[1])
            last_us = found[2] if last_us is None else max(last_us, found[2])
    rejects = store.connection.execute(
        "SELECT coalesce(sum(rejected_rows), 0)::BIGINT, (SELECT count(*) FROM rejects) FROM ingests"
    ).fetchone()
    assert rejects is not None
    coverage: float | None = None
    gaps: tuple[Gap, ...] = ()
    if not period.is_everything and (attempts or other_rows or more["probes"] or more["samples"] or not more["pairs"]):
        covered = coverage_of(store, period)
        start, _ = grid(period)
        coverage = float(np.count_nonzero(covered) / covered.size) if covered.size else 0.0
        gaps = tuple(sorted(runs(~covered, start), key=lambda gap: (gap[0] - gap[1], gap[0])))
    return LogSpan(
        first_us, last_us, requests, attempts, other_rows, no_clock, unknown, censored, **more,
        rejects=rejects[0], rejects_kept=rejects[1], coverage=coverage, gaps=gaps,
    )  # fmt: skip


def coverage_of(store: Store, period: Period, service: str | None = None) -> npt.NDArray[np.bool_]:
    """Return which minutes of a week hold data, by the log's own rhythm (see `relkit.slo.covered_minutes`).

    Attempts of every role count; where there are none, probes and samples do.
    """
    start, end = grid(period)
    reach = (start - MINUTES_PER_DAY, end + MINUTES_PER_DAY)
    for table in ("attempts", "samples", "probes"):
        last = "ts + coalesce(latency_us, 0)" if table == "attempts" else "ts"
        service_test = "AND service = ?" if service is not None else ""
        rows = int_columns(
            store,
            f"WITH seen AS (SELECT ts // {US_PER_MINUTE} AS start, ({last}) // {US_PER_MINUTE} AS last FROM {table} WHERE ts IS NOT NULL {service_test}) "
            "SELECT minute, count(*) AS rows FROM (SELECT start AS minute FROM seen UNION ALL SELECT last FROM seen WHERE last <> start) "
            "WHERE minute >= ? AND minute < ? GROUP BY minute ORDER BY minute",
            [*([service] if service is not None else []), *reach],
        )
        if rows["minute"].size:
            return covered_minutes(rows["minute"], start, end, rows["rows"])
    return np.zeros(end - start, dtype=np.bool_)


def grid(period: Period) -> tuple[int, int]:
    """Return the minutes of a week as (first, one past the last), in unix minutes."""
    assert period.start_us is not None
    assert period.end_us is not None
    return period.start_us // US_PER_MINUTE, period.end_us // US_PER_MINUTE


def within(period: Period, moment: str) -> tuple[str, list[int]]:
    """Write the SQL condition that a moment lies in the period, and its values."""
    if period.is_everything:
        return "TRUE", []
    assert period.start_us is not None
    assert period.end_us is not None
    return f"{moment} >= ? AND {moment} < ?", [period.start_us, period.end_us]


def span_period(store: Store, period: Period) -> Period:
    """Give everything its minutes, where every request has a clock; else it stays everything, and is counted in one sum."""
    if not period.is_everything:
        return period
    clockless = store.connection.execute("SELECT count(*) FROM attempts WHERE role = 'user' AND ts IS NULL").fetchone()
    if clockless and clockless[0]:
        return period
    row = store.connection.execute(
        "SELECT min(ts), max(ts + coalesce(latency_us, 0)) FROM (SELECT ts, latency_us FROM attempts WHERE role = 'user' "
        "UNION ALL SELECT ts, width_us - 1 FROM samples UNION ALL SELECT ts, 0 FROM probes)"
    ).fetchone()
    if row is None or row[0] is None:
        return period
    first, last = row[0] // US_PER_MINUTE, row[1] // US_PER_MINUTE + 1
    return Period(period.label, first * US_PER_MINUTE, last * US_PER_MINUTE, period.zone)
