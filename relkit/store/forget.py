"""Taking a log back: what was read of it with a wrong mapping, and its entries in the ledger."""

from difflib import get_close_matches
from typing import Final

from relkit.exceptions import DataError
from relkit.store.attempts import stored_table
from relkit.store.open import Store

_TABLES: Final = ("attempts", "pairs", "samples", "probes", "faults")
_ITS: Final = "ingest_id IN (SELECT ingest_id FROM ingests WHERE source = ?)"


def forget_source(store: Store, source: str) -> int:
    """Remove every row, reject and ledger entry of a log, in one transaction; the data hash is as if it had never come.

    Parameters
    ----------
    store : Store
        Open for writing.
    source : str
        The log's name, as its mapping says it.

    Returns
    -------
    int
        Rows removed.

    Raises
    ------
    DataError
        There is no log of this name; nothing was changed.
    """
    ask = store.connection.execute
    known = [name for (name,) in ask("SELECT DISTINCT source FROM ingests ORDER BY source").fetchall()]
    if source not in known:
        near = get_close_matches(source, known, n=1)
        hint = f"; did you mean {near[0]!r}?" if near else ""
        raise DataError(f"{store.path.name}: holds no log {source!r}{hint} (it holds {', '.join(known) or 'none'})")
    ask("BEGIN")
    try:
        rows = 0
        for table in _TABLES:
            gone = ask(f"DELETE FROM {stored_table(table)} WHERE {_ITS}", [source]).fetchone()
            rows += int(gone[0]) if gone else 0
        ask(f"DELETE FROM rejects WHERE {_ITS}", [source])
        ask("DELETE FROM ingests WHERE source = ?", [source])
        ask("DELETE FROM fingerprints WHERE fp NOT IN (SELECT fp FROM attempts WHERE fp IS NOT NULL)")
        ask("DELETE FROM classifications WHERE fp NOT IN (SELECT fp FROM fingerprints)")
        ask("COMMIT")
    except BaseException:
        ask("ROLLBACK")
        raise
    return rows
