"""Counting for the traps: clocks, outliers, codes, counters, sampling."""

from relkit.period import Period
from relkit.slo.traps import Series, Traps
from relkit.store.open import Store
from relkit.store.readings.log import within
from relkit.store.readings.requests import uptimes
from relkit.units import US_PER_SECOND


def traps(store: Store, period: Period) -> Traps:
    """Count what would show that the log misleads."""
    where, values = within(period, "ts + coalesce(latency_us, 0)")
    row = store.connection.execute(
        f"SELECT count(*), count(ts), count(*) FILTER (ts % {US_PER_SECOND} = 0), count(ts) - count(DISTINCT ts), "
        f"count(*) FILTER (latency_us % {US_PER_SECOND} = 0), count(latency_us), coalesce(max(latency_us), 0), "
        "CAST(coalesce(sum(latency_us), 0) AS BIGINT), count(*) FILTER (NOT ended) "
        f"FROM attempts WHERE role = 'user' AND {where}",
        values,
    ).fetchone()
    assert row is not None
    harness = store.connection.execute(
        "SELECT count(*) FROM attempts JOIN fingerprints USING (fp) WHERE role = 'user' AND ok IS DISTINCT FROM TRUE "
        f"AND regexp_matches(coalesce(code, ''), '^-[0-9]') AND {where}",
        values,
    ).fetchone()
    where, values = within(period, "ts")
    series = store.connection.execute(
        "SELECT name, count(*), count(DISTINCT value), count(*) FILTER (value < before) FROM (SELECT name, source, service, value, "
        "lag(value) OVER (PARTITION BY source, service, name ORDER BY ts) AS before FROM samples "
        f"WHERE {where}) GROUP BY name, source, service ORDER BY name, source, service",
        values,
    ).fetchall()
    rows_up = store.connection.execute(f"SELECT avg(up::INT) FROM probes WHERE {where}", values).fetchone()
    found = uptimes(store, period)
    up_us = sum(uptime.up_us for uptime in found.values())
    all_us = up_us + sum(uptime.down_us for uptime in found.values())
    dropped = store.connection.execute(
        "SELECT count(*) FROM pairs WHERE state <> 'eligible' AND (primary_ok IS NULL OR shadow_ok IS NULL OR state = 'mirrored') "
        f"AND {where}",
        values,
    ).fetchone()
    attempts, timed, whole_seconds, tied, whole_second_latencies, latencies, longest_us, latency_sum_us, censored = row
    return Traps(
        attempts=attempts,
        timed=timed,
        whole_seconds=whole_seconds,
        tied=tied,
        whole_second_latencies=whole_second_latencies,
        latencies=latencies,
        longest_us=longest_us,
        latency_sum_us=latency_sum_us,
        censored=censored,
        harness_codes=harness[0] if harness else 0,
        series=tuple(Series(*steps) for steps in series),
        probe_rows_up_share=rows_up[0] if rows_up else None,
        probe_time_up_share=up_us / all_us if all_us else None,
        dropped_pairs=dropped[0] if dropped else 0,
    )
