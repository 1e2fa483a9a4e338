"""What failed: fingerprints counted, and the hours in which each kind came."""

from typing import Final

import numpy as np
import numpy.typing as npt

from relkit.errors import FingerprintCount, FingerprintCounts, Signals
from relkit.errors.signals import SIGNAL_FIELDS
from relkit.period import Period
from relkit.store.classify import kinds_table
from relkit.store.open import Store
from relkit.store.readings.log import within
from relkit.units import US_PER_HOUR

# Of users, with an error, and not known to have succeeded all the same (a cache miss has).
_FAILED: Final = "role = 'user' AND fp IS NOT NULL AND ok IS DISTINCT FROM TRUE"


def fingerprint_counts(store: Store, period: Period) -> FingerprintCounts:
    """Count user attempts by error fingerprint, most frequent first.

    failed_requests counts the requests whose last attempt has the fingerprint.
    """
    where, values = within(period, "ts + coalesce(latency_us, 0)")
    fields = ", ".join(f"f.{name}" for name in SIGNAL_FIELDS)
    rows = store.connection.execute(
        f"WITH failed AS (SELECT fp, ts, source, request_id, attempt, granularity FROM attempts WHERE {_FAILED} AND {where}), "
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
    width = len(SIGNAL_FIELDS)
    counted = (FingerprintCount(row[0], Signals(*row[1 : 1 + width]), *row[1 + width :]) for row in rows)
    return FingerprintCounts(tuple(counted), told[0] if told else 0)


def cause_hours(store: Store, period: Period) -> tuple[int, dict[str, npt.NDArray[np.int64]]]:
    """Count failed user attempts by the hour in which they ended, and kind.

    Returns
    -------
    (int, dict of str to int array)
        First hour (in hours since 1970 UTC) and, for each kind, attempts in each hour from then on. Empty without a clock.
    """
    kinds = kinds_table(store.connection)
    where, values = within(period, "ts + coalesce(latency_us, 0)")
    rows = store.connection.execute(
        f"SELECT (ts + coalesce(latency_us, 0)) // {US_PER_HOUR} AS hour, kind, count(*) FROM attempts JOIN {kinds} USING (fp) "
        f"WHERE {_FAILED} AND ts IS NOT NULL AND {where} GROUP BY hour, kind ORDER BY hour, kind",
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
