"""Which models were asked, and how often they answered."""

from relkit.period import Period
from relkit.store.open import Store
from relkit.store.readings.log import within


def answering(store: Store, period: Period) -> tuple[tuple[str, int, int], ...]:
    """Count for each model the attempts whose end is known, and those that succeeded.

    Parameters
    ----------
    store : Store
        Open database.
    period : Period
        An attempt belongs to the period in which it starts.

    Returns
    -------
    tuple of (str, int, int)
        Model, attempts and successes, by name. Attempts of probes count: they, too, show whether a model answers.
    """
    where, values = within(period, "ts")
    rows = store.connection.execute(
        "SELECT model, count(*) AS calls, count(*) FILTER (WHERE ok) AS good FROM attempts "
        f"WHERE model IS NOT NULL AND ok IS NOT NULL AND {where} GROUP BY model ORDER BY model",
        values,
    ).fetchall()
    return tuple((str(model), int(calls), int(good)) for model, calls, good in rows)
