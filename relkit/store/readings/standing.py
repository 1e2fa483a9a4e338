"""Where things stand at a moment: breakers, retry budgets, shadow experiments, probes, and how far the log goes."""

from dataclasses import dataclass
from typing import Any, Final

from relkit.store.open import Store
from relkit.store.readings.columns import int_columns
from relkit.store.readings.folded import SPREAD_US
from relkit.units import US_PER_DAY, US_PER_MINUTE

_PAIR_COUNTS: Final = (
    *(f"state = '{state}'" for state in ("eligible", "mirrored", "answered", "compared")),
    *("shadow_ok", "NOT shadow_ok", "differs", "NOT differs"),
)


@dataclass(frozen=True, slots=True)
class BreakerStanding:
    """Where one breaker stands.

    Parameters
    ----------
    service, model : str
        What it guards; model is empty where it guards a whole service.
    state : str
        As the log tells it: closed, open, half_open, forced_open, disabled or metrics_only.
    since_us : int
        When it came to this state, microseconds since 1970 UTC.
    opened : int or None
        How often it opened in the 24 hours before; None when that is not known.
    """

    service: str
    model: str
    state: str
    since_us: int
    opened: int | None


@dataclass(frozen=True, slots=True)
class ShadowStanding:
    """Where one shadow experiment stands.

    Parameters
    ----------
    experiment : str
        Its name.
    eligible, mirrored, answered, compared : int
        Pairs by how far they came; each pair counts once, in its last state.
    shadow_ok, shadow_failed : int
        Answers of the shadow that were good, and that were not.
    differs, alike : int
        Compared pairs whose answers differ, and do not.
    state : str
        Of the rollout; empty without one.
    step : int or None
        Place of the step in force, None without a rollout.
    share : float or None
        Share of the traffic, in [0, 1].
    since_us : int or None
        When the rollout came to this state.
    """

    experiment: str
    eligible: int
    mirrored: int
    answered: int
    compared: int
    shadow_ok: int
    shadow_failed: int
    differs: int
    alike: int
    state: str
    step: int | None
    share: float | None
    since_us: int | None


@dataclass(frozen=True, slots=True)
class ProbeStanding:
    """What the last probe of a service found, and when (microseconds since 1970 UTC)."""

    service: str
    up: bool
    at_us: int
    latency_us: int | None


def breaker_standings(store: Store, at_us: int) -> tuple[BreakerStanding, ...]:
    """Read the last transition of every breaker before a moment, by service and model."""
    rows = store.connection.execute(
        "SELECT service, coalesce(model, '') AS model, arg_max(to_state, (ts, rowid)), max(ts), "
        "count(*) FILTER (to_state = 'open' AND ts >= ?) FROM transitions WHERE ts < ? GROUP BY ALL ORDER BY service, model",
        [at_us - US_PER_DAY, at_us],
    ).fetchall()
    return tuple(BreakerStanding(*row) for row in rows)


def budgets_left(store: Store, start_us: int, end_us: int) -> dict[tuple[str, str], tuple[int, int]]:
    """Read what was last said of each RetryBudget, by attempts that start in a stretch.

    Returns
    -------
    dict of (str, str) to (int, int)
        Strategy and service to when it was said (microseconds since 1970 UTC) and the retries left; names may be empty.
    """
    rows = store.connection.execute(
        "SELECT coalesce(strategy, ''), coalesce(service, ''), max(ts), arg_max(budget_left, (ts, attempt)) FROM attempts "
        "WHERE role = 'user' AND budget_left IS NOT NULL AND ts >= ? AND ts < ? GROUP BY ALL ORDER BY ALL",
        [start_us, end_us],
    ).fetchall()
    return {(strategy, service): (at, left) for strategy, service, at, left in rows}


def shadow_standings(store: Store, at_us: int) -> tuple[ShadowStanding, ...]:
    """Count the pairs of every experiment before a moment, and read where its rollout stands; pairs without a clock count."""
    ask = store.connection.execute
    sums = ", ".join(f"count(*) FILTER ({test})" for test in _PAIR_COUNTS)
    pairs = ask(
        f"SELECT experiment, {sums} FROM pairs WHERE ts IS NULL OR ts < ? GROUP BY experiment ORDER BY experiment",
        [at_us],
    ).fetchall()
    rollouts = ask(
        "SELECT experiment, arg_max(struct_pack(state := state, step := step, share := share, ts := ts), (ts, rowid)) "
        "FROM rollouts WHERE ts < ? GROUP BY experiment ORDER BY experiment",
        [at_us],
    ).fetchall()
    counts = {row[0]: row[1:] for row in pairs}
    ledger = dict(rollouts)
    found = []
    for name in sorted(counts.keys() | ledger.keys()):
        last = ledger.get(name) or {"state": ""}
        rollout = (last["state"], last.get("step"), last.get("share"), last.get("ts"))
        values: list[Any] = [name, *counts.get(name, (0,) * len(_PAIR_COUNTS)), *rollout]
        found.append(ShadowStanding(*values))
    return tuple(found)


def probe_standings(store: Store, at_us: int) -> tuple[ProbeStanding, ...]:
    """Read the last probe of every service that was probed in the 24 hours before a moment."""
    rows = store.connection.execute(
        "SELECT service, arg_max(up, (ts, ingest_id, rowid)), max(ts), arg_max(latency_us, (ts, ingest_id, rowid)) "
        "FROM probes WHERE ts >= ? AND ts < ? GROUP BY service ORDER BY service",
        [at_us - US_PER_DAY, at_us],
    ).fetchall()
    return tuple(ProbeStanding(*row) for row in rows)


def rows_by_minute(store: Store, start_us: int, end_us: int, service: str | None = None) -> tuple[list[int], list[int]]:
    """Count the attempts of every role that start or end in each minute of a stretch: the rhythm by which coverage is told.

    Returns
    -------
    tuple of list of int
        Minutes since 1970 UTC, ascending, and rows in each.
    """
    test = "AND service = ?" if service is not None else ""
    rows = int_columns(
        store,
        f"WITH seen AS (SELECT ts // {US_PER_MINUTE} AS start, (ts + coalesce(latency_us, 0)) // {US_PER_MINUTE} AS last FROM attempts "
        f"WHERE ts >= ? AND ts < ? {test}) SELECT minute, count(*) AS rows FROM "
        "(SELECT start AS minute FROM seen UNION ALL SELECT last FROM seen WHERE last <> start) "
        "WHERE minute >= ? AND minute < ? GROUP BY minute ORDER BY minute",
        [
            start_us - SPREAD_US,
            end_us,
            *([service] if service is not None else []),
            start_us // US_PER_MINUTE,
            -(-end_us // US_PER_MINUTE),
        ],
    )
    return rows["minute"].tolist(), rows["rows"].tolist()


def last_row_us(store: Store, at_us: int) -> int | None:
    """Return when the newest attempt, probe or pair before a moment began; None when there is none."""
    ask = store.connection.execute
    for low in (at_us - US_PER_DAY, 0):  # most often the newest is of the last day, which is quickly found
        row = ask(
            "SELECT max(ts) FROM (SELECT max(ts) AS ts FROM attempts WHERE ts >= ? AND ts < ? UNION ALL "
            "SELECT max(ts) FROM probes WHERE ts >= ? AND ts < ? UNION ALL SELECT max(ts) FROM pairs WHERE ts >= ? AND ts < ?)",
            [low, at_us] * 3,
        ).fetchone()
        if row and row[0] is not None:
            return int(row[0])
    return None


def first_row_us(store: Store) -> int | None:
    """Return when the first attempt with a clock began; None without any."""
    row = store.connection.execute("SELECT min(ts) FROM attempts").fetchone()
    return None if row is None or row[0] is None else int(row[0])
