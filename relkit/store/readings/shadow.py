"""Shadow pairs of one experiment, added up: the 2x2 table, sums over sessions, the funnel, what is missing."""

from relkit.period import Period
from relkit.shadow import Experiment, MissingAnswers, PairCounts, SessionSums
from relkit.store.open import Store
from relkit.store.readings.log import within


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
    # A pair is what was mirrored; a side without an answer failed. Rows that were only eligible are no pair.
    pairs = (
        "SELECT *, coalesce(primary_ok, FALSE) AS p, coalesce(shadow_ok, FALSE) AS s FROM pairs "
        f"WHERE experiment = ? AND state <> 'eligible' AND {where}"
    )
    bound = [name, *values]
    row = store.connection.execute(
        "SELECT count(*) FILTER (p AND s), count(*) FILTER (p AND NOT s), count(*) FILTER (s AND NOT p), count(*) FILTER (NOT p AND NOT s), "
        "count(*) FILTER (shadow_ok IS NULL AND primary_ok), count(*) FILTER (shadow_ok IS NULL AND primary_ok = FALSE), "
        "count(*) FILTER (primary_ok IS NULL AND shadow_ok), count(*) FILTER (primary_ok IS NULL AND shadow_ok = FALSE), "
        "count(*) FILTER (primary_ok IS NULL AND shadow_ok IS NULL), "
        "count(*) - count(DISTINCT pair_id), count(session_id), "
        "count(*) FILTER (differs AND differs_baseline), count(*) FILTER (NOT differs AND differs_baseline), "
        "count(*) FILTER (differs AND NOT differs_baseline), count(*) FILTER (NOT differs AND NOT differs_baseline), "
        "count(primary_first), count(*) FILTER (primary_first), min(ts), max(ts), min(primary_variant), min(shadow_variant), "
        f"count(*) FILTER (state IN ('answered', 'compared')), count(*) FILTER (state = 'compared') FROM ({pairs})",
        bound,
    ).fetchone()
    assert row is not None
    eligible = store.connection.execute(
        f"SELECT count(*) FROM pairs WHERE experiment = ? AND {where}", bound
    ).fetchone()
    counts = PairCounts(*row[0:4])
    sums = _session_sums(store, pairs, bound) if row[10] else None
    baseline = PairCounts(*row[11:15])
    return Experiment(
        name=name,
        primary_variant=row[19] or "primary",
        shadow_variant=row[20] or "shadow",
        counts=counts,
        sums=sums,
        missing=MissingAnswers(*row[4:9]),
        eligible=eligible[0] if eligible else 0,
        mirrored=counts.n,
        answered=row[21],
        compared=row[22],
        duplicates=row[9],
        baseline=baseline if baseline.n else None,
        primary_first_share=row[16] / row[15] if row[15] else None,
        first_us=row[17],
        last_us=row[18],
    )


def _session_sums(store: Store, pairs: str, bound: list[object]) -> SessionSums:
    row = store.connection.execute(
        "SELECT count(*), sum(m), sum(d), sum(d * d), sum(d * m), sum(m * m), count(*) FILTER (d > 0), count(*) FILTER (d < 0), "
        "count(*) FILTER (d = 0), max(m) FROM (SELECT count(*) AS m, sum(s::INT - p::INT) AS d "
        # a pair without a session is a session of its own
        f"FROM ({pairs}) GROUP BY session_id, CASE WHEN session_id IS NULL THEN pair_id END)",
        bound,
    ).fetchone()
    assert row is not None
    return SessionSums(*(int(value) for value in row))
