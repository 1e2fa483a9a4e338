"""Stretches of time that objectives leave out, as somebody decided."""

from relkit.period import Period
from relkit.slo import Exclusion
from relkit.store.open import Store


def exclusions(store: Store, period: Period) -> tuple[Exclusion, ...]:
    """Read the exclusions that touch a period, oldest first."""
    test, values = "TRUE", []
    if period.start_us is not None and period.end_us is not None:
        test, values = "ts_start < ? AND ts_end > ?", [period.end_us, period.start_us]
    rows = store.connection.execute(
        f"SELECT ts_start, ts_end, reason, decided_by, service FROM exclusions WHERE {test} ORDER BY ALL", values
    ).fetchall()
    return tuple(Exclusion(*row) for row in rows)
