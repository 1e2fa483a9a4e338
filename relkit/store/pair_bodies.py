"""Texts of pairs, for the disagreement browser: redacted and capped before they are kept."""

from collections.abc import Iterable
from typing import Final

from relkit.errors import redact_text
from relkit.store.open import Store

LONGEST: Final = 2_000


def add_pair_bodies(store: Store, source: str, bodies: Iterable[tuple[str, str, str]]) -> int:
    """Keep what primary and shadow said of some pairs; a pair whose texts are already there is left as it is.

    Parameters
    ----------
    store : Store
        Open for writing.
    source : str
        The log the pairs belong to.
    bodies : iterable of (str, str, str)
        Pair id, text of the primary, text of the shadow.

    Returns
    -------
    int
        Pairs whose texts were added.
    """
    rows = [(pair, source, *(redact_text(text)[:LONGEST] for text in texts)) for pair, *texts in bodies]
    known = {
        pair
        for (pair,) in store.connection.execute("SELECT pair_id FROM pair_bodies WHERE source = ?", [source]).fetchall()
    }
    fresh = [row for row in {row[0]: row for row in rows}.values() if row[0] not in known]
    if fresh:
        store.connection.executemany("INSERT INTO pair_bodies VALUES (?, ?, ?, ?)", fresh)
    return len(fresh)
