"""Shadow pairs of one experiment, added up: the 2x2 table, sums over sessions, the funnel, what is missing."""

from typing import Any, Final

from relkit.period import Period
from relkit.shadow import Experiment, MissingAnswers, PairCounts, SessionSums
from relkit.store.open import Store
from relkit.store.readings.log import within

# A pair without a session is a session of its own.
BY_SESSION: Final = "GROUP BY session_id, CASE WHEN session_id IS NULL THEN pair_id END"


def experiments(store: Store, period: Period) -> list[str]:
    """Name the experiments with pairs in the period, most pairs first."""
    where, values = within(period, "ts")
    rows = store.connection.execute(
        f"SELECT experiment FROM pairs WHERE {where} GROUP BY experiment ORDER BY count(*) DESC, experiment", values
    ).fetchall()
    return [name for (name,) in rows]


def experiment(store: Store, period: Period, name: str) -> Experiment:
    """Add up one experiment."""
    where, values = within(period, "ts")
    pairs = (
        "(SELECT session_id, pair_id, coalesce(primary_ok, FALSE) AS p, coalesce(shadow_ok, FALSE) AS s FROM pairs "
        f"WHERE experiment = ? AND state <> 'eligible' AND {where})"
    )
    bound = [name, *values]
    return whole_experiment(
        store, period, name,
        lambda: session_sums(
            store, f"(SELECT count(*) AS m, sum(s::INT - p::INT) AS d FROM {pairs} {BY_SESSION})", "d", "m", bound
        ),
    )  # fmt: skip


def whole_experiment(store: Store, period: Period, name: str, sums: Any) -> Experiment:
    """Count what needs no sessions, and take the sums over sessions from `sums` where the log names any."""
    where, values = within(period, "ts")
    # A pair is what was mirrored; a side without an answer failed. Rows that were only eligible are no pair.
    row = store.connection.execute(
        "SELECT count(*) FILTER (p AND s), count(*) FILTER (p AND NOT s), count(*) FILTER (s AND NOT p), count(*) FILTER (NOT p AND NOT s), "
        "count(*) FILTER (shadow_ok IS NULL AND primary_ok), count(*) FILTER (shadow_ok IS NULL AND primary_ok = FALSE), "
        "count(*) FILTER (primary_ok IS NULL AND shadow_ok), count(*) FILTER (primary_ok IS NULL AND shadow_ok = FALSE), "
        "count(*) FILTER (primary_ok IS NULL AND shadow_ok IS NULL), count(session_id), "
        "count(*) FILTER (differs AND differs_baseline), count(*) FILTER (NOT differs AND differs_baseline), "
        "count(*) FILTER (differs AND NOT differs_baseline), count(*) FILTER (NOT differs AND NOT differs_baseline), "
        "count(primary_first), count(*) FILTER (primary_first), min(ts), max(ts), min(primary_variant), min(shadow_variant), "
        "count(*) FILTER (state IN ('answered', 'compared')), count(*) FILTER (state = 'compared') FROM "
        "(SELECT *, coalesce(primary_ok, FALSE) AS p, coalesce(shadow_ok, FALSE) AS s FROM pairs "
        f"WHERE experiment = ? AND state <> 'eligible' AND {where})",
        [name, *values],
    ).fetchone()
    eligible = store.connection.execute(
        f"SELECT count(*) FROM pairs WHERE experiment = ? AND {where}", [name, *values]
    ).fetchone()
    assert row is not None
    assert eligible is not None
    baseline = PairCounts(*row[10:14])
    counts = PairCounts(*row[0:4])
    return Experiment(
        name=name,
        primary_variant=row[18] or "primary",
        shadow_variant=row[19] or "shadow",
        counts=counts,
        sums=sums() if row[9] else None,
        missing=MissingAnswers(*row[4:9]),
        eligible=eligible[0],
        mirrored=counts.n,
        answered=row[20],
        compared=row[21],
        duplicates=_duplicates(
            store, f"pairs WHERE experiment = ? AND state <> 'eligible' AND {where}", [name, *values]
        ),
        baseline=baseline if baseline.n else None,
        primary_first_share=row[15] / row[14] if row[14] else None,
        first_us=row[16],
        last_us=row[17],
    )


def _duplicates(store: Store, pairs: str, bound: list[Any]) -> int:
    """Count pairs whose id came before."""

    def spare(of: str) -> int:
        row = store.connection.execute(
            f"SELECT coalesce(sum(times) - count(*), 0)::BIGINT FROM (SELECT count(*) AS times FROM {pairs} GROUP BY {of})",
            bound,
        ).fetchone()
        assert row is not None
        return int(row[0])

    # Ids whose hashes all differ differ themselves; only where some agree are the longer ids compared.
    return spare("pair_id") if spare("hash(pair_id)") else 0


def session_sums(store: Store, sessions: str, d: str, m: str, bound: list[Any]) -> SessionSums:
    """Add up sessions, each a row with its difference `d` and its pairs `m`; rows without pairs are none."""
    row = store.connection.execute(
        f"SELECT count(*), sum({m}), sum({d}), sum({d} * {d}), sum({d} * {m}), sum({m} * {m}), count(*) FILTER ({d} > 0), "
        f"count(*) FILTER ({d} < 0), count(*) FILTER ({d} = 0), max({m}) FROM {sessions} WHERE {m} > 0",
        bound,
    ).fetchone()
    assert row is not None
    return SessionSums(*(int(value or 0) for value in row))
