"""Exclusions are added, and never changed in silence: to take one back is a decision of its own."""

from relkit.exceptions import DataError
from relkit.slo import Exclusion
from relkit.store.open import Store


def add_exclusion(store: Store, exclusion: Exclusion) -> None:
    """Add a stretch of time that objectives leave out.

    Raises
    ------
    DataError
        The same stretch is excluded already.
    """
    if _same(store, exclusion):
        raise DataError("this stretch is excluded already for this service; nothing was added")
    store.connection.execute(
        "INSERT INTO exclusions (ts_start, ts_end, service, reason, decided_by) VALUES (?, ?, ?, ?, ?)",
        [exclusion.start_us, exclusion.end_us, exclusion.service, exclusion.reason, exclusion.decided_by],
    )


def remove_exclusion(store: Store, start_us: int, end_us: int, service: str | None) -> None:
    """Take an exclusion back.

    Raises
    ------
    DataError
        There is none of this stretch and service.
    """
    gone = store.connection.execute(
        "DELETE FROM exclusions WHERE ts_start = ? AND ts_end = ? AND service IS NOT DISTINCT FROM ? RETURNING ts_start",
        [start_us, end_us, service],
    ).fetchall()
    if not gone:
        raise DataError("no exclusion has exactly this stretch and service; `relkit slo` lists them")


def _same(store: Store, one: Exclusion) -> bool:
    found = store.connection.execute(
        "SELECT 1 FROM exclusions WHERE ts_start = ? AND ts_end = ? AND service IS NOT DISTINCT FROM ?",
        [one.start_us, one.end_us, one.service],
    ).fetchone()
    return found is not None
