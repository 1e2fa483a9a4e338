"""What tuning remembers: runs of sweeps, so that none is played twice, and choices, so that a report can say them."""

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pandas as pd

from relkit.batch import Batch, Sink
from relkit.exceptions import DataError
from relkit.store.open import Store, open_store

_FLUSH_S: Final = 2.0  # of work is lost at most when the process is killed
_COLUMNS: Final[dict[str, tuple[str, ...]]] = {
    "sweeps": ("sweep_id", "policy_hash", "scenario", "seed", "measure", "value"),
    "choices": ("sweep_id", "policy_hash", "code", "sentence", "ts", "settings"),
}


@dataclass(frozen=True, slots=True)
class StoredChoice:
    """A choice as it was written down.

    Parameters
    ----------
    sweep_id : str
        Label of the sweep it rests on, @, and the hash of the code that made it.
    policy_hash : str
        The settings to take; of a refusal, those of today.
    code : str
        RECOMMENDED or REFUSED.
    sentence : str
        What to change, with the expected gain, its interval and the money.
    ts : int
        When it was made, microseconds since 1970 UTC.
    settings : str or None
        The settings to take as the text of a relkit.toml; None of a choice that schema 1 kept.
    """

    sweep_id: str
    policy_hash: str
    code: str
    sentence: str
    ts: int
    settings: str | None


@contextmanager
def tuning_sink(path: str | Path) -> Iterator[Sink]:
    """Offer a sink for sweeps and choices; the database is open only while rows are written.

    Parameters
    ----------
    path : str or Path
        The database; made when absent.

    Yields
    ------
    Sink
        Takes batches of the tables `sweeps` and `choices`. Rows are written every two seconds and at the end, also after an
        error or Ctrl-C: what was finished is kept.

    Raises
    ------
    DataError
        A batch names another table or other columns.

    Examples
    --------
    >>> import tempfile
    >>> row = {"sweep_id": ["s@c"], "policy_hash": ["p"], "scenario": ["w"], "seed": [1], "measure": ["m"], "value": [0.5]}
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     with tuning_sink(f"{folder}/t.duckdb") as sink:
    ...         sink(Batch("sweeps", row))
    ...     known_runs(f"{folder}/t.duckdb", "s", "c", ["m"])
    {('p', 'w', 1): (0.5,)}
    """
    waiting: list[Batch] = []
    flushed_s = time.monotonic()

    def take(batch: Batch) -> None:
        nonlocal flushed_s
        if set(batch.columns) != set(_COLUMNS.get(batch.table, ())):
            said = ", ".join(f"{name} ({', '.join(columns)})" for name, columns in _COLUMNS.items())
            raise DataError(f"batch for table {batch.table!r} with {', '.join(batch.columns)}: this sink takes {said}")
        waiting.append(batch)
        if time.monotonic() - flushed_s >= _FLUSH_S:
            _flush(path, waiting)
            flushed_s = time.monotonic()

    try:
        yield take
    finally:
        _flush(path, waiting)


def _flush(path: str | Path, waiting: list[Batch]) -> None:
    if not waiting:
        return
    with open_store(path, write=True) as store:
        ask = store.connection.execute
        ask("BEGIN")
        for table, columns in _COLUMNS.items():
            parts = [
                pd.DataFrame({name: batch.columns[name] for name in columns})
                for batch in waiting
                if batch.table == table
            ]
            if parts:
                store.connection.register("arriving", pd.concat(parts))
                ask(f"INSERT INTO {table} ({', '.join(columns)}) SELECT {', '.join(columns)} FROM arriving")
                store.connection.unregister("arriving")
        ask("COMMIT")
    waiting.clear()


def known_runs(
    path: str | Path, label: str, code: str, measures: Sequence[str]
) -> Mapping[tuple[str, str, int], tuple[float, ...]]:
    """Return the runs of a sweep that a sink has kept: they need not be played again.

    Parameters
    ----------
    path : str or Path
        The database; absent means that nothing is known.
    label : str
        Name of the sweep.
    code : str
        Hash of the present code, `relkit.tune.code_hash()`.
    measures : sequence of str
        Names and order of the values, `relkit.tune.RAW`; a run that lacks one is not known.

    Returns
    -------
    mapping of (policy hash, scenario key, seed) to tuple of float
        NaN where the run had nothing to measure.

    Raises
    ------
    DataError
        The sweep of this name was made by other code: its numbers must not be mixed with new ones.
    """
    if not Path(path).exists():
        return {}
    with open_store(path) as store:
        ask = store.connection.execute
        others = [
            name.rpartition("@")[2]
            for (name,) in ask("SELECT DISTINCT sweep_id FROM sweeps ORDER BY sweep_id").fetchall()
            if name.rpartition("@")[0] == label and name != f"{label}@{code}"
        ]
        if others:
            raise DataError(
                f"{Path(path).name}: its sweep {label!r} was made by other code (hash {others[0]}; this code is {code}), and "
                "numbers of two versions must not be mixed; take another label, or remove the old one with "
                "relkit tune --forget (of another label than tune, relkit.store.forget_sweep) and sweep anew"
            )
        rows = ask(
            "SELECT policy_hash, scenario, seed, map_from_entries(list((measure, value))) FROM "
            "(SELECT DISTINCT policy_hash, scenario, seed, measure, value FROM sweeps WHERE sweep_id = ?) "
            "GROUP BY policy_hash, scenario, seed ORDER BY policy_hash, scenario, seed",
            [f"{label}@{code}"],
        ).fetchall()
    nothing = float("nan")
    found: dict[tuple[str, str, int], tuple[float, ...]] = {}
    for policy_hash, scenario, seed, by_name in rows:
        if all(name in by_name for name in measures):
            values = tuple(nothing if by_name[name] is None else by_name[name] for name in measures)
            found[policy_hash, scenario, int(seed)] = values
    return found


def forget_sweep(store: Store, label: str) -> int:
    """Remove a sweep, whatever code made it; choices that rest on it stay.

    Parameters
    ----------
    store : Store
        Open for writing.
    label : str
        Its name.

    Returns
    -------
    int
        Rows removed.
    """
    gone = store.connection.execute(
        "DELETE FROM sweeps WHERE regexp_replace(sweep_id, '@[^@]*$', '') = ?", [label]
    ).fetchone()
    return int(gone[0]) if gone else 0


def last_choice(store: Store, label: str | None = None) -> StoredChoice | None:
    """Return the newest choice, of one sweep or of any; None where there is none.

    Parameters
    ----------
    store : Store
        Open.
    label : str or None
        Name of the sweep; None for any.
    """
    row = store.connection.execute(
        "SELECT sweep_id, policy_hash, code, sentence, ts, settings FROM choices "
        "WHERE ? IS NULL OR regexp_replace(sweep_id, '@[^@]*$', '') = ? ORDER BY ts DESC, sweep_id, policy_hash LIMIT 1",
        [label, label],
    ).fetchone()
    return None if row is None else StoredChoice(*row)
