"""The view `attempts` over the table `attempt_rows`: a column is stored once a log fills it.

A log fills few of the many columns of an attempt, and each column of nothing costs as much to write as one that holds
something. So the table begins with the few that every log has, a column joins it when the first rows fill it, and the
view shows them all, with the value that a row without one has.
"""

from collections.abc import Sequence
from typing import Final

from duckdb import DuckDBPyConnection

from relkit.store.text import identifier

VIEW: Final = "attempts"
TABLE: Final = "attempt_rows"
# What a row has where its log says nothing; all other columns have NULL.
DEFAULTS: Final[dict[str, str]] = {"attempt": "1", "ended": "TRUE", "role": "'user'", "granularity": "'request'"}


def stored_table(name: str) -> str:
    """Name the table that rows of a readable name are written to.

    >>> stored_table("attempts"), stored_table("pairs")
    ('attempt_rows', 'pairs')
    """
    return TABLE if name == VIEW else name


def make_room(connection: DuckDBPyConnection, names: Sequence[str]) -> None:
    """Give the table those of the columns that it does not have yet."""
    there = _columns(connection, TABLE)
    types = _columns(connection, VIEW)
    new = [name for name in names if name not in there]
    for name in new:
        connection.execute(f"ALTER TABLE {TABLE} ADD COLUMN {identifier(name)} {types[name]}")
    if not new:
        return
    shown = ", ".join(_shown(name, kind, {*there, *new}) for name, kind in types.items())
    connection.execute(
        f"CREATE OR REPLACE VIEW {VIEW} AS SELECT {shown} FROM {TABLE} AS r JOIN ingests AS i USING (ingest_id)"
    )


def filled(connection: DuckDBPyConnection, names: Sequence[str]) -> list[str]:
    """Choose the staged columns worth storing: those the table has, and those that say more than the default."""
    there = _columns(connection, TABLE)
    new = [name for name in names if name not in there]
    if not new:
        return list(names)
    says = ", ".join(f"count(*) FILTER ({identifier(name)} IS DISTINCT FROM {_default(name)})" for name in new)
    found = connection.execute(f"SELECT {says} FROM staged WHERE fresh").fetchall()[0]
    idle = {name for name, rows in zip(new, found, strict=True) if not rows}
    return [name for name in names if name not in idle]


def _columns(connection: DuckDBPyConnection, table: str) -> dict[str, str]:
    rows = connection.execute(
        "SELECT column_name, data_type FROM duckdb_columns() WHERE table_name = ? AND NOT internal ORDER BY column_index",
        [table],
    ).fetchall()
    return dict(rows)


def _default(name: str) -> str:
    return DEFAULTS.get(name, "NULL")


def _shown(name: str, kind: str, stored: set[str]) -> str:
    column = f"i.{name}" if name == "source" else f"r.{identifier(name)}"
    if name != "source" and name not in stored:
        column = f"CAST({_default(name)} AS {kind})"
    elif name in DEFAULTS:
        column = f"coalesce({column}, CAST({_default(name)} AS {kind}))"
    return f"{column} AS {identifier(name)}"
