"""Requests of users: counted by the minute in which they end, and how long they took.

A request's outcome is its last attempt; its latency runs from first start to last end, waits included. Shadow, probe
and canary rows change none of these numbers.
"""

from typing import Final, Literal

import numpy as np
import numpy.typing as npt

from relkit.exceptions import DataError
from relkit.period import Period
from relkit.slo import (
    Group,
    Latency,
    Levels,
    Minutes,
    MinuteShares,
    Objective,
    Totals,
    Uptime,
    latency_of,
    time_weighted,
)
from relkit.store.classify import kinds_table
from relkit.store.open import Store
from relkit.store.readings.columns import columns, int_columns
from relkit.store.readings.folded import requests_table
from relkit.store.readings.log import coverage_of, grid, span_period, within
from relkit.store.text import quoted
from relkit.units import MINUTES_PER_DAY, US_PER_MINUTE

_LONGEST_GRID: Final = 10 * 366 * MINUTES_PER_DAY
CELLS: Final = ("good", "bad", "excluded", "unknown")
_ATTEMPTS: Final = (
    "(SELECT ts + coalesce(latency_us, 0) AS end_us, latency_us, ok, ended, fp, service, model, degraded FROM attempts "
    "WHERE role = 'user')"
)
_COUNTED: Final = ", ".join(f"count(*) FILTER (verdict = '{cell}') AS {cell}" for cell in CELLS)


def minutes(store: Store, period: Period, objective: Objective, good_kinds: frozenset[str] = frozenset()) -> Minutes:
    """Count the requests of each minute for an objective.

    Parameters
    ----------
    store : Store
        Open database.
    period : Period
        A week, or everything (then the grid spans the rows that have a clock; without any, it is one minute).
    objective : Objective
        Availability: good when the last attempt succeeded. Latency: of the requests that are not known to have failed,
        good when at most the threshold; failures belong to availability. Kinds in `objective.excluded` leave the denominator.
    good_kinds : frozenset of str
        Kinds that are no failure (a cache miss).

    Returns
    -------
    Minutes
    """
    spanned = span_period(store, period)
    clock = not spanned.is_everything
    counted = minute_counts(store, spanned, objective, good_kinds)
    if not clock:
        good_n, bad_n, excluded_n, unknown_n = (counted[name].sum(keepdims=True) for name in CELLS)
        return Minutes(0, good_n, bad_n, excluded_n, unknown_n, good_n + bad_n + excluded_n + unknown_n > 0)
    start, end = grid(spanned)
    if end - start > _LONGEST_GRID:
        raise DataError(
            f"the log spans {(end - start) // MINUTES_PER_DAY:,} days; report a week, or mend the times that lie far off"
        )
    place = counted["minute"] - start
    cells = {name: np.zeros(end - start, dtype=np.int64) for name in CELLS}
    for name, cell in cells.items():
        cell[place] = counted[name]
    covered = coverage_of(store, spanned, objective.service)
    covered[place] = True
    return Minutes(start, cells["good"], cells["bad"], cells["excluded"], cells["unknown"], covered)


def minute_counts(
    store: Store, period: Period, objective: Objective, good_kinds: frozenset[str] = frozenset()
) -> dict[str, npt.NDArray[np.int64]]:
    """Count as `minutes` does, without a grid: the minutes in which requests end, and those of each outcome.

    Returns
    -------
    dict of str to integer array
        minute (since 1970 UTC, ascending; the one minute 0 when the period is everything), good, bad, excluded, unknown.
    """
    where, values = within(period, "end_us")
    minute = "0" if period.is_everything else f"end_us // {US_PER_MINUTE}"
    return int_columns(
        store,
        f"SELECT {minute} AS minute, {_COUNTED} FROM ({judged(store, objective, good_kinds)}) WHERE {where} "
        "GROUP BY minute ORDER BY minute",
        values,
    )


def groups(
    store: Store,
    period: Period,
    objective: Objective,
    by: Literal["service", "model", "kind"],
    good_kinds: frozenset[str] = frozenset(),
) -> tuple[Group, ...]:
    """Count the requests of each service, model or kind of error for an objective; most bad requests first.

    Returns
    -------
    tuple of Group
        Requests that name none stand under the empty name.
    """
    where, values = within(span_period(store, period), "end_us")
    rows = store.connection.execute(
        f"SELECT coalesce({by}, '') AS name, {_COUNTED} FROM ({judged(store, objective, good_kinds)}) WHERE {where} "
        "GROUP BY name ORDER BY bad DESC, good DESC, name",
        values,
    ).fetchall()
    return tuple(Group(name, Totals(*counts)) for name, *counts in rows)


def levels(store: Store, period: Period, objective: Objective, good_kinds: frozenset[str] = frozenset()) -> Levels:
    """Count for an objective what users met (requests) beside what was tried (attempts), and the degraded answers of either."""
    where, values = within(span_period(store, period), "end_us")
    found = []
    for rows in (requests_table(store), _ATTEMPTS):
        row = store.connection.execute(
            f"SELECT {_COUNTED}, count(*) FILTER (verdict = 'good' AND degraded) "
            f"FROM ({judged(store, objective, good_kinds, rows)}) WHERE {where}",
            values,
        ).fetchone()
        assert row is not None
        found.append((Totals(*row[:4]), int(row[4])))
    (requests, degraded_requests), (attempts, degraded_attempts) = found
    return Levels(requests, degraded_requests, attempts, degraded_attempts)


def latencies(store: Store, period: Period, service: str | None = None) -> Latency:
    """Read the percentiles of the latency of requests not known to have failed, exact, with their intervals."""
    where, values = within(span_period(store, period), "end_us")
    test = f"AND service = {quoted(service)}" if service is not None else ""
    rows = int_columns(
        store,
        f"SELECT latency_us FROM {requests_table(store)} WHERE ok IS DISTINCT FROM FALSE AND ended AND latency_us IS NOT NULL "
        f"AND {where} {test} ORDER BY latency_us",
        values,
    )
    return latency_of(rows["latency_us"])


def minute_shares(store: Store, period: Period) -> list[MinuteShares]:
    """Read every series `success_share` that arrived already added up, one for each source and service.

    A value over several minutes stands for each of them. Empty where there is no such series, or no clock.
    """
    spanned = span_period(store, period)
    if spanned.is_everything:
        return []
    where, values = within(spanned, "ts")
    rows = columns(
        store,
        f"SELECT source, coalesce(service, '') AS service, ts // {US_PER_MINUTE} AS minute, "
        f"greatest(1, width_us // {US_PER_MINUTE}) AS width, value FROM samples WHERE name = 'success_share' AND {where} "
        "ORDER BY source, service, ts, ingest_id",
        values,
    )
    start, end = grid(spanned)
    series: dict[tuple[str, str], np.ndarray[tuple[int], np.dtype[np.float64]]] = {}
    for source, service, minute, width, value in zip(*rows.values(), strict=True):
        share = series.setdefault((str(source), str(service)), np.full(end - start, np.nan))
        share[int(minute) - start : int(minute) - start + int(width)] = value
    return [MinuteShares(start, share, "/".join(filter(None, key))) for key, share in series.items()]


def uptimes(store: Store, period: Period) -> dict[str, Uptime]:
    """Read the time-weighted availability of each probed service; a state holds until the next row.

    It holds at most to the last row of its source. A service name that several sources use is told with its source.
    """
    spanned = span_period(store, period)
    if spanned.is_everything:
        return {}
    assert spanned.start_us is not None
    assert spanned.end_us is not None
    # The state a service was in when the period began holds until its first row within; one that was not heard of for
    # as long as the period lasts is not probed any more.
    heard_us = 2 * spanned.start_us - spanned.end_us
    rows = columns(
        store,
        "SELECT source, service, greatest(ts, ?) AS ts, up, last_ts FROM (SELECT source, service, ts, up, ingest_id, rowid AS place, "
        "lead(ts) OVER (PARTITION BY source, service ORDER BY ts, ingest_id, rowid) AS until FROM probes WHERE ts >= ? AND ts < ?) "
        "JOIN (SELECT source, max(ts) AS last_ts FROM probes GROUP BY source) USING (source) "
        "WHERE ts >= ? OR until IS NULL OR until > ? ORDER BY service, source, ts, ingest_id, place",
        [spanned.start_us, heard_us, spanned.end_us, spanned.start_us, spanned.start_us],
    )
    keys = list(zip(rows["service"].astype(str), rows["source"].astype(str), strict=True))
    names = [name for name, _ in dict.fromkeys(keys)]
    found = {}
    for key in dict.fromkeys(keys):
        mine = np.array([other == key for other in keys])
        end_us = min(spanned.end_us, int(rows["last_ts"][mine][0]))
        label = f"{key[0]} ({key[1]})" if names.count(key[0]) > 1 else key[0]
        if end_us > int(rows["ts"][mine][0]):
            found[label] = time_weighted(rows["ts"][mine].astype(np.int64), rows["up"][mine].astype(np.bool_), end_us)
    return found


def judged(
    store: Store, objective: Objective, good_kinds: frozenset[str] = frozenset(), rows: str = "", more: str = ""
) -> str:
    """Write the SQL of the requests (or other rows) an objective is about: when each ended, whose it was, what it counts as.

    Parameters
    ----------
    store : Store
        Open database; the temporary tables of requests and kinds are made.
    objective : Objective
        Decides the verdict: good, bad, excluded or unknown.
    good_kinds : frozenset of str
        Kinds that are no failure.
    rows : str
        Other rows than those of `requests_table`.
    more : str
        Further columns of these rows, each after a comma.
    """
    kinds = kinds_table(store.connection, store.rules)
    good, excluded = _kind_list(good_kinds), _kind_list(objective.excluded)
    unknown, bad, is_good, kept = "ok IS NULL", "NOT ok", "ok", "TRUE"
    if objective.kind == "latency":
        unknown, bad, is_good = "FALSE", f"latency_us > {int(objective.threshold_us or 0)}", "TRUE"
        good, kept = _kind_list(frozenset()), "ok IS DISTINCT FROM FALSE AND ended AND latency_us IS NOT NULL"
    if objective.degraded == "bad":
        bad = f"({bad} OR degraded)"
    if objective.service is not None:
        kept += f" AND service = {quoted(objective.service)}"
    return (
        f"SELECT end_us, service, model, kind, degraded{more}, "
        f"CASE WHEN kind IN {excluded} THEN 'excluded' WHEN kind IN {good} THEN 'good' WHEN {unknown} THEN 'unknown' "
        f"WHEN {bad} THEN 'bad' WHEN {is_good} THEN 'good' ELSE 'unknown' END AS verdict "
        f"FROM {rows or requests_table(store)} LEFT JOIN {kinds} USING (fp) WHERE {kept}"
    )


def _kind_list(kinds: frozenset[str]) -> str:
    return "(" + ", ".join(quoted(kind) for kind in sorted(kinds | {""})) + ")"
