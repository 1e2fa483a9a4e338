"""Faults that somebody wrote down: labels for what alerts should have told of."""

from relkit.period import Period
from relkit.store.open import Store
from relkit.units import US_PER_MINUTE


def faults(store: Store, period: Period, service: str | None = None) -> list[tuple[int, int | None, str]]:
    """Read the faults that begin in a period, oldest first: start and end in unix minutes (None = not told), label.

    Parameters
    ----------
    store : Store
        Where they lie.
    period : Period
        The stretch; everything when it has no bounds.
    service : str or None
        Faults of this service and those of none in particular; None for all.
    """
    tests: list[str] = ["TRUE"]
    values: list[int | str] = []
    if period.start_us is not None and period.end_us is not None:
        tests.append("ts_start >= ? AND ts_start < ?")
        values += [period.start_us, period.end_us]
    if service is not None:
        tests.append("(service IS NULL OR service = ?)")
        values.append(service)
    rows = store.connection.execute(
        f"SELECT ts_start, ts_end, concat_ws(' ', label, service) FROM faults WHERE {' AND '.join(tests)} ORDER BY ALL",
        values,
    ).fetchall()
    return [
        (start // US_PER_MINUTE, None if end is None else -(-end // US_PER_MINUTE), text) for start, end, text in rows
    ]
