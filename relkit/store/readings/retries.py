"""What followed an error: the next try of the same request, how long it waited, and whether it helped."""

from collections.abc import Sequence

from relkit.errors import NextTries, NextTry
from relkit.period import Period
from relkit.store.open import Store
from relkit.store.readings.failures import FAILED
from relkit.store.readings.log import within
from relkit.units import US_PER_HOUR


def next_tries(store: Store, period: Period, wait_edges_us: Sequence[int]) -> NextTries:
    """Count what followed each failed user attempt, by fingerprint and stretch of waiting.

    Parameters
    ----------
    store : Store
        Open database.
    period : Period
        A failed attempt belongs to the period in which it ends; its next try may end later.
    wait_edges_us : sequence of int
        Upper ends of the waits told apart, ascending, in microseconds. A wait runs from the end of the failed attempt to the
        start of the next; one below zero (the next try began earlier) counts with the shortest.

    Returns
    -------
    NextTries
        Rows that are whole requests, and rows without a request_id, have no next try.
    """
    where, values = within(period, "ts + coalesce(latency_us, 0)")
    tries = "role = 'user' AND granularity = 'attempt' AND request_id IS NOT NULL"
    stretch = " ".join(f"WHEN wait_us < {int(edge)} THEN {place}" for place, edge in enumerate(wait_edges_us))
    followed = (
        f"WITH failed AS (SELECT * FROM attempts WHERE {FAILED} AND {tries} AND {where}), "
        f"nexts AS (SELECT source, request_id, attempt - 1 AS attempt, ok, ts, service, model FROM attempts WHERE {tries} AND attempt > 1), "
        "followed AS (SELECT failed.fp, failed.source, failed.request_id, failed.service, "
        f"failed.ts // {US_PER_HOUR} AS hour, nexts.ok, nexts.ts - failed.ts - failed.latency_us AS wait_us, failed.retry_after_us, "
        "nexts.service IS DISTINCT FROM failed.service OR nexts.model IS DISTINCT FROM failed.model AS moved "
        "FROM failed JOIN nexts USING (source, request_id, attempt)) "
    )
    rows = store.connection.execute(
        f"{followed}SELECT fp, CASE WHEN wait_us IS NULL THEN NULL {stretch} ELSE {len(wait_edges_us)} END AS wait, "
        "count(*), count(*) FILTER (ok), sum(same_request), sum(same_hour), count(*) FILTER (moved), "
        "count(retry_after_us) FILTER (wait_us IS NOT NULL), count(*) FILTER (wait_us < retry_after_us), "
        "count(wait_us), coalesce(sum(wait_us), 0) "
        "FROM (SELECT *, count(*) OVER (PARTITION BY source, request_id) AS same_request, "
        "count(*) OVER (PARTITION BY service, hour) AS same_hour FROM followed WHERE ok IS NOT NULL) "
        "GROUP BY fp, wait ORDER BY fp, wait",
        values,
    ).fetchall()
    more = store.connection.execute(
        f"{followed}SELECT (SELECT coalesce(max(attempt), 0) FROM attempts WHERE {tries} AND {where}), count(*) FILTER (ok IS NULL) FROM followed",
        [*values, *values],
    ).fetchone()
    assert more is not None
    return NextTries(tuple(NextTry(fp, wait, *map(int, sums)) for fp, wait, *sums in rows), int(more[0]), int(more[1]))
