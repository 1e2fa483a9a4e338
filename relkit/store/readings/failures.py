"""What failed: fingerprints counted, and the hours in which each kind came."""

from typing import Final

import numpy as np
import numpy.typing as npt

from relkit.errors import ErrorKind, FingerprintCount, FingerprintCounts, RuleSet, Signals
from relkit.errors.signals import SIGNAL_FIELDS
from relkit.period import Period
from relkit.prices import Use
from relkit.store.classify import kinds_table
from relkit.store.open import Store
from relkit.store.readings.log import within
from relkit.units import US_PER_HOUR

# Of users, with an error, and not known to have succeeded all the same (a cache miss has).
FAILED: Final = "role = 'user' AND fp IS NOT NULL AND ok IS DISTINCT FROM TRUE"


def fingerprint_counts(store: Store, period: Period) -> FingerprintCounts:
    """Count user attempts by error fingerprint, most frequent first.

    failed_requests counts the requests whose last attempt has the fingerprint.
    """
    where, values = within(period, "ts + coalesce(latency_us, 0)")
    fields = ", ".join(f"f.{name}" for name in SIGNAL_FIELDS)
    rows = store.connection.execute(
        f"WITH failed AS (SELECT fp, ts, source, request_id, attempt, granularity FROM attempts WHERE {FAILED} AND {where}), "
        "lasts AS (SELECT source, request_id, max(attempt) AS attempt FROM attempts WHERE role = 'user' "
        "AND (source, request_id) IN (SELECT source, request_id FROM failed WHERE granularity = 'attempt') GROUP BY source, request_id) "
        f"SELECT fp, {fields}, count(*), "
        "count(*) FILTER (failed.request_id IS NULL OR granularity = 'request' OR failed.attempt = lasts.attempt), "
        "min(failed.ts), max(failed.ts) FROM failed LEFT JOIN lasts USING (source, request_id) JOIN fingerprints f USING (fp) "
        f"GROUP BY fp, {fields} ORDER BY count(*) DESC, fp",
        values,
    ).fetchall()
    told = store.connection.execute(
        f"SELECT count(ok) FROM attempts WHERE role = 'user' AND {where}", values
    ).fetchone()
    uses: dict[int, list[Use]] = {}
    for fp, use in _uses(store, "fp", f"{FAILED} AND {where}", values):
        uses.setdefault(fp, []).append(use)
    width = len(SIGNAL_FIELDS)
    counted = []
    for fp, *more in rows:
        attempts, requests, first_us, last_us = more[width:]
        signals = Signals(*more[:width])
        counted.append(FingerprintCount(fp, signals, attempts, requests, first_us, last_us, tuple(uses[fp])))
    return FingerprintCounts(tuple(counted), told[0] if told else 0)


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


def cause_hours(
    store: Store, period: Period, rules: RuleSet | None = None
) -> tuple[int, dict[str, npt.NDArray[np.int64]]]:
    """Count failed user attempts by the hour in which they ended, and kind by the rules (by default relkit's own).

    Returns
    -------
    (int, dict of str to int array)
        First hour (in hours since 1970 UTC) and, for each kind, attempts in each hour from then on. Empty without a clock.
    """
    kinds = kinds_table(store.connection, rules)
    where, values = within(period, "ts + coalesce(latency_us, 0)")
    rows = store.connection.execute(
        f"SELECT (ts + coalesce(latency_us, 0)) // {US_PER_HOUR} AS hour, kind, count(*) FROM attempts JOIN {kinds} USING (fp) "
        f"WHERE {FAILED} AND ts IS NOT NULL AND {where} GROUP BY hour, kind ORDER BY hour, kind",
        values,
    ).fetchall()
    if not rows:
        return 0, {}
    first = rows[0][0] if period.start_us is None else period.start_us // US_PER_HOUR
    last = rows[-1][0] + 1 if period.end_us is None else -(-period.end_us // US_PER_HOUR)
    hours = {kind: np.zeros(last - first, dtype=np.int64) for kind in sorted({row[1] for row in rows})}
    for hour, kind, number in rows:
        hours[kind][hour - first] = number
    return first, hours
