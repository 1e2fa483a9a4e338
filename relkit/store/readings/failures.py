"""What failed: fingerprints counted with the hours in which they came, what calls used, and labels."""

from typing import Final

from relkit.errors import ErrorKind, FingerprintCount, FingerprintCounts, Signals
from relkit.errors.signals import SIGNAL_FIELDS
from relkit.period import Period
from relkit.prices import Use
from relkit.store.open import Store
from relkit.store.readings.log import within
from relkit.units import US_PER_HOUR

# Of users, with an error, and not known to have succeeded all the same (a cache miss has).
FAILED: Final = "role = 'user' AND fp IS NOT NULL AND ok IS DISTINCT FROM TRUE"


def fingerprint_counts(store: Store, period: Period) -> FingerprintCounts:
    """Count user attempts by error fingerprint, most frequent first.

    failed_requests counts the requests whose last attempt has the fingerprint. An attempt belongs to the hour, and the
    period, in which it ends.
    """
    where, values = within(period, "ts + coalesce(latency_us, 0)")
    fields = ", ".join(f"f.{name}" for name in SIGNAL_FIELDS)
    # A request with one attempt is the usual case: only those with more are looked up.
    rows = store.connection.execute(
        f"WITH failed AS (SELECT fp, ts, source, request_id, attempt, granularity FROM attempts WHERE {FAILED} AND {where}), "
        "lasts AS (SELECT source, request_id, max(attempt) AS attempt FROM attempts WHERE role = 'user' AND request_id IS NOT NULL "
        "AND attempt > (SELECT min(attempt) FROM attempts) GROUP BY source, request_id), "
        "counted AS (SELECT fp, count(*) AS attempts, "
        "count(*) FILTER (granularity = 'request' OR lasts.attempt IS NULL OR failed.attempt >= lasts.attempt) AS requests, "
        "min(failed.ts) AS first_us, max(failed.ts) AS last_us FROM failed LEFT JOIN lasts USING (source, request_id) GROUP BY fp) "
        f"SELECT fp, {fields}, attempts, requests, first_us, last_us FROM counted JOIN fingerprints f USING (fp) ORDER BY attempts DESC, fp",
        values,
    ).fetchall()
    told = store.connection.execute(
        f"SELECT count(ok) FROM attempts WHERE role = 'user' AND {where}", values
    ).fetchone()
    uses: dict[int, list[Use]] = {}
    for fp, use in _uses(store, "fp", f"{FAILED} AND {where}", values):
        uses.setdefault(fp, []).append(use)
    hours = _hours(store, where, values)
    width = len(SIGNAL_FIELDS)
    counted = []
    for fp, *more in rows:
        attempts, requests, first_us, last_us = more[width:]
        signals, used = Signals(*more[:width]), tuple(uses[fp])
        counted.append(
            FingerprintCount(fp, signals, attempts, requests, first_us, last_us, used, tuple(hours.get(fp, ())))
        )
    return FingerprintCounts(tuple(counted), told[0] if told else 0)


def _hours(store: Store, where: str, values: list[int]) -> dict[int, list[tuple[int, int]]]:
    rows = store.connection.execute(
        f"SELECT fp, (ts + coalesce(latency_us, 0)) // {US_PER_HOUR} AS hour, count(*) FROM attempts "
        f"WHERE {FAILED} AND ts IS NOT NULL AND {where} GROUP BY fp, hour ORDER BY fp, hour",
        values,
    ).fetchall()
    hours: dict[int, list[tuple[int, int]]] = {}
    for fp, hour, attempts in rows:
        hours.setdefault(fp, []).append((hour, attempts))
    return hours


def call_uses(store: Store, period: Period) -> tuple[Use, ...]:
    """Add up what all user attempts used, by service and model."""
    where, values = within(period, "ts + coalesce(latency_us, 0)")
    return tuple(use for _, use in _uses(store, "0", f"role = 'user' AND {where}", values))


def labels(store: Store) -> dict[int, ErrorKind]:
    """Read what people say errors really were: the latest label of each fingerprint."""
    rows = store.connection.execute(
        "SELECT fp, arg_max(kind, (ts, rowid)) FROM labels GROUP BY fp ORDER BY fp"
    ).fetchall()
    return {fp: ErrorKind(kind) for fp, kind in rows}


def _uses(store: Store, key: str, test: str, values: list[int]) -> list[tuple[int, Use]]:
    tokens = "cost_microusd IS NULL AND (tokens_in IS NOT NULL OR tokens_out IS NOT NULL)"
    rows = store.connection.execute(
        f"SELECT {key} AS key, service, model, count(*), count(cost_microusd), coalesce(sum(cost_microusd), 0), "
        f"count(*) FILTER ({tokens}), coalesce(sum(tokens_in) FILTER ({tokens}), 0), coalesce(sum(tokens_out) FILTER ({tokens}), 0) "
        f"FROM attempts WHERE {test} GROUP BY ALL ORDER BY key, service, model",
        values,
    ).fetchall()
    return [(key, Use(service, model, *map(int, sums))) for key, service, model, *sums in rows]
