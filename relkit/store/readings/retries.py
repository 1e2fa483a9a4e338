"""What followed an error: the next try of the same request, how long it waited, whether it helped; and all tries by number and hour."""

from collections.abc import Sequence
from typing import Final

from relkit.errors import NextTries, NextTry
from relkit.errors.tries import Tries, TryHour, TryNumber
from relkit.period import Period
from relkit.store.open import Store
from relkit.store.readings.failures import FAILED
from relkit.store.readings.log import within
from relkit.units import US_PER_HOUR

_TRIES: Final = "role = 'user' AND granularity = 'attempt' AND request_id IS NOT NULL"
_FOLLOWED: Final = "followed_tries"


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
    ask = store.connection.execute
    where, values = within(period, "ts + coalesce(latency_us, 0)")
    # Only attempts that have one before them can be a next try: of most logs a small part.
    ask(
        f"CREATE OR REPLACE TEMP TABLE {_FOLLOWED} AS "
        "WITH nexts AS (SELECT source, request_id, attempt - 1 AS attempt, ok, ts, service, model FROM attempts "
        f"WHERE {_TRIES} AND attempt > (SELECT min(attempt) FROM attempts)), "
        "failed AS (SELECT fp, source, request_id, attempt, ts, latency_us, service, model, retry_after_us FROM attempts "
        f"WHERE {FAILED} AND {_TRIES} AND {where}) "
        "SELECT failed.fp, hash(failed.source, failed.request_id) AS request, failed.service, "
        f"failed.ts // {US_PER_HOUR} AS hour, nexts.ok, nexts.ts - failed.ts - failed.latency_us AS wait_us, failed.retry_after_us, "
        "nexts.service IS DISTINCT FROM failed.service OR nexts.model IS DISTINCT FROM failed.model AS moved "
        "FROM failed JOIN nexts USING (source, request_id, attempt)",
        values,
    )
    stretch = " ".join(f"WHEN wait_us < {int(edge)} THEN {place}" for place, edge in enumerate(wait_edges_us))
    rows = ask(
        f"SELECT fp, CASE WHEN wait_us IS NULL THEN NULL {stretch} ELSE {len(wait_edges_us)} END AS wait, "
        "count(*), count(*) FILTER (ok), sum(same_request), sum(same_hour), count(*) FILTER (moved), "
        "count(retry_after_us) FILTER (wait_us IS NOT NULL), count(*) FILTER (wait_us < retry_after_us), "
        "count(wait_us), coalesce(sum(wait_us), 0) "
        f"FROM (SELECT * FROM {_FOLLOWED} WHERE ok IS NOT NULL) AS told "
        f"JOIN (SELECT request, count(*) AS same_request FROM {_FOLLOWED} WHERE ok IS NOT NULL GROUP BY request) USING (request) "
        f"JOIN (SELECT service, hour, count(*) AS same_hour FROM {_FOLLOWED} WHERE ok IS NOT NULL GROUP BY service, hour) AS hours "
        f"ON hours.service IS NOT DISTINCT FROM told.service AND hours.hour IS NOT DISTINCT FROM told.hour "
        "GROUP BY fp, wait ORDER BY fp, wait",
    ).fetchall()
    untold = ask(f"SELECT count(*) FILTER (ok IS NULL) FROM {_FOLLOWED}").fetchone()
    ask(f"DROP TABLE {_FOLLOWED}")
    most = ask(f"SELECT coalesce(max(attempt), 0) FROM attempts WHERE {_TRIES} AND {where}", values).fetchone()
    assert untold is not None
    assert most is not None
    counted = tuple(NextTry(fp, wait, *map(int, sums)) for fp, wait, *sums in rows)
    return NextTries(counted, int(most[0]), int(untold[0]))


def tries(store: Store, period: Period) -> Tries:
    """Count user tries by their number, and by the hour in which they end.

    Parameters
    ----------
    store : Store
        Open database.
    period : Period
        A try belongs to the period in which it ends.

    Returns
    -------
    Tries
        Without rows that are whole requests, and without rows that have no request_id: those tell no tries apart.
    """
    ask = store.connection.execute
    ended = "ts + coalesce(latency_us, 0)"
    where, values = within(period, ended)
    first = ask(f"SELECT min(attempt) FROM attempts WHERE {_TRIES}").fetchone()
    assert first is not None
    if first[0] is None:
        return Tries((), ())
    numbers = ask(
        f"SELECT attempt - {int(first[0]) - 1} AS number, count(*), count(*) FILTER (ok), count(*) FILTER (ok IS NULL), "
        f"sum(cost_microusd), count(cost_microusd) FROM attempts WHERE {_TRIES} AND {where} GROUP BY number ORDER BY number",
        values,
    ).fetchall()
    hours = ask(
        f"SELECT ({ended}) // {US_PER_HOUR} AS hour, count(*) FILTER (attempt = {int(first[0])}), count(*), count(*) FILTER (NOT ok) "
        f"FROM attempts WHERE {_TRIES} AND {where} AND ts IS NOT NULL GROUP BY hour ORDER BY hour",
        values,
    ).fetchall()
    return Tries(
        tuple(
            TryNumber(number, made, succeeded, untold, None if cost is None else int(cost), priced)
            for number, made, succeeded, untold, cost, priced in numbers
        ),
        tuple(TryHour(hour, requests, made, failed) for hour, requests, made, failed in hours),
    )
