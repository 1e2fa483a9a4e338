"""Pairs to read: a seeded sample of each way in which primary and shadow disagree."""

from typing import Final

from relkit.period import Period
from relkit.shadow.disagreement import Disagreement
from relkit.store.open import Store
from relkit.store.readings.log import within

_STRATA: Final = {
    "only the primary right": "p AND NOT s",
    "only the shadow right": "s AND NOT p",
    "neither right": "NOT p AND NOT s",
    "the primary differs from itself": "differs_baseline AND p AND s",
}


def disagreements(store: Store, period: Period, name: str, *, seed: int, each: int) -> tuple[Disagreement, ...]:
    """Draw pairs of every stratum; equal seeds draw equal pairs, and a log that grows keeps most of them.

    Parameters
    ----------
    store : Store
        Open database.
    period : Period
        Which pairs.
    name : str
        The experiment.
    seed : int
        Of the draw.
    each : int
        Most pairs a stratum.
    """
    where, values = within(period, "ts")
    found: list[Disagreement] = []
    for stratum, test in _STRATA.items():
        pairs = (
            "(SELECT *, coalesce(primary_ok, FALSE) AS p, coalesce(shadow_ok, FALSE) AS s FROM pairs "
            f"WHERE experiment = ? AND state <> 'eligible' AND {where})"
        )
        rows = store.connection.execute(
            f"WITH drawn AS (SELECT *, hash(pair_id || ?) AS place FROM {pairs} WHERE {test} ORDER BY place, pair_id LIMIT {each}), "
            "texts AS (SELECT pair_id, source, min(primary_body) AS primary_body, min(shadow_body) AS shadow_body "
            "FROM pair_bodies GROUP BY pair_id, source) "
            "SELECT pair_id, segment, turn, primary_action, shadow_action, primary_body, shadow_body, "
            f"(SELECT count(*) FROM {pairs} WHERE {test}) FROM drawn LEFT JOIN texts USING (pair_id, source) ORDER BY place, pair_id",
            [f":{seed}", name, *values, name, *values],
        ).fetchall()
        found += [Disagreement(stratum, *row) for row in rows]
    return tuple(found)
