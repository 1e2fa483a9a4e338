"""Attempts one by one, as calibration and replay read them."""

from typing import Any

import numpy as np

from relkit.errors import ADVICE, ErrorKind
from relkit.exceptions import DataError
from relkit.period import Period
from relkit.simulation.traffic import LoggedTraffic
from relkit.store.classify import kinds_table
from relkit.store.open import Store
from relkit.store.readings.columns import int_columns
from relkit.store.readings.log import within

_REJECTED_KIND = ErrorKind.CIRCUIT_OPEN


def traffic(store: Store, period: Period, model: str = "") -> LoggedTraffic:
    """Read the attempts on one model, ordered by start.

    Parameters
    ----------
    store : Store
        Open database.
    period : Period
        An attempt belongs to the period in which it starts.
    model : str
        Which model, or which service where the log names no models; empty for the one with most attempts.

    Returns
    -------
    LoggedTraffic
        Attempts of users and of probes that have a clock. A row is rejected, and therefore missing, where its kind is
        CIRCUIT_OPEN, or where it was made with the breaker open and did not succeed. A call without an end often names no
        model; it may have been on this one, and is here.

    Raises
    ------
    DataError
        The period holds no attempt with a clock, or none on this model.
    """
    where, values = within(period, "ts")
    stretch = "the log" if period.is_everything else period.label
    base = f"ts IS NOT NULL AND role IN ('user', 'probe') AND {where}"
    names = store.connection.execute(
        f"SELECT coalesce(model, service, '') AS name, count(*) AS rows FROM attempts WHERE {base} GROUP BY name ORDER BY rows DESC, name",
        values,
    ).fetchall()
    if not names:
        raise DataError(f"no attempt of {stretch} has a clock; calibration and replay need times: map a column to ts")
    counted = dict(names)
    chosen = model or names[0][0]
    if chosen not in counted:
        known = ", ".join(name or "(no name)" for name, _ in names[:8])
        raise DataError(f"no attempt of {stretch} is on {chosen!r}; the log has {known}")
    codes = " ".join(f"WHEN '{kind.value}' THEN {advice.int_code}" for kind, advice in sorted(ADVICE.items()))
    found = int_columns(
        store,
        "SELECT ts AS start_us, coalesce(latency_us, -1) AS latency_us, "
        "CASE WHEN ok THEN 1 WHEN ok IS NULL THEN -1 ELSE 0 END AS outcome, "
        f"CASE WHEN a.fp IS NULL THEN 0 ELSE CASE c.kind {codes} ELSE 0 END END AS kind, "
        "CASE WHEN request_id IS NULL THEN -1 - row_number() OVER (ORDER BY ts, line_hash) "
        "ELSE (hash(a.source, request_id) >> 1)::BIGINT END AS request, attempt AS number, "
        f"(coalesce(c.kind = '{_REJECTED_KIND.value}', FALSE) OR (coalesce(breaker_state IN ('open', 'forced_open'), FALSE) "
        "AND ok IS DISTINCT FROM TRUE))::INTEGER AS rejected, ended::INTEGER AS ended, "
        "coalesce(retry_after_us, -1) AS retry_after_us, (role = 'user')::INTEGER AS is_user "
        f"FROM attempts a LEFT JOIN {kinds_table(store.connection, store.rules)} c USING (fp) "
        f"WHERE {base} AND (coalesce(model, service, '') = ? OR (model IS NULL AND NOT ended)) ORDER BY ts, request, attempt",
        [*values, chosen],
    )
    flags = {name: found.pop(name).astype(np.bool_) for name in ("rejected", "ended", "is_user")}
    columns: dict[str, Any] = {**found, **flags}
    return LoggedTraffic(model=chosen, **columns, others=sum(counted.values()) - len(found["start_us"]))
