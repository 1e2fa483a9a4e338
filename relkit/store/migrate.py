"""Schema versions: a new file gets the newest schema, an older file moves forward, a newer one is refused.

Each step forward is one SQL text in `STEPS`, run in one transaction after a copy of the file is kept beside it.
"""

import shutil
from importlib import resources
from pathlib import Path
from typing import Final

import duckdb

from relkit.exceptions import StoreError

SCHEMA_VERSION: Final = 2
# STEPS[n] takes a file of version n to n + 1.
STEPS: Final[dict[int, str]] = {1: "ALTER TABLE choices ADD COLUMN settings VARCHAR"}


def schema_version_of(connection: duckdb.DuckDBPyConnection) -> int | None:
    """Return the schema version of an open file, None when it holds no relkit tables."""
    try:
        rows = connection.execute("SELECT value FROM meta WHERE key = 'schema_version'").fetchall()
    except (duckdb.CatalogException, duckdb.BinderException):  # no such table, or somebody else's
        return None
    return int(rows[0][0]) if rows and str(rows[0][0]).isdigit() else None


def migrate(connection: duckdb.DuckDBPyConnection, path: Path, *, may_write: bool) -> None:
    """Bring an open file to the newest schema.

    Raises
    ------
    StoreError
        The file is newer than this relkit, is no relkit database, or needs a step and may not be written.
    """
    version = schema_version_of(connection)
    if version == SCHEMA_VERSION:
        return
    if version is not None and version > SCHEMA_VERSION:
        raise StoreError(
            f"{path}: written by a newer relkit (schema {version}, this one knows {SCHEMA_VERSION}); upgrade relkit, nothing was changed"
        )
    if version is None:
        tables = connection.execute("SELECT count(*) FROM duckdb_tables()").fetchone()
        if tables and tables[0]:
            raise StoreError(f"{path}: is a DuckDB file but no relkit database; name another file")
        if not may_write:
            raise StoreError(f"{path}: holds no tables; `relkit ingest` fills it")
        schema = resources.files("relkit.store").joinpath("schema.sql").read_text(encoding="utf-8")
        connection.execute("BEGIN")
        connection.execute(schema)
        connection.execute("INSERT INTO meta VALUES ('schema_version', ?)", [str(SCHEMA_VERSION)])
        connection.execute("COMMIT")
        return
    if not may_write:
        raise StoreError(
            f"{path}: has schema {version}, this relkit reads {SCHEMA_VERSION}; the next `relkit ingest` into it moves it forward"
        )
    _move_forward(connection, path, version)


def _move_forward(connection: duckdb.DuckDBPyConnection, path: Path, version: int) -> None:
    """Take all steps in one transaction, after a copy of the file is kept beside it."""
    copy = path.with_suffix(f".schema{version}.duckdb")
    connection.execute("CHECKPOINT")
    try:
        shutil.copy2(path, copy)
    except OSError as error:
        raise StoreError(
            f"{copy}: no copy of the schema {version} file could be kept ({error.strerror or error}), so it was not moved forward"
        ) from None
    connection.execute("BEGIN")
    try:
        for step in range(version, SCHEMA_VERSION):
            connection.execute(STEPS[step])
        connection.execute("UPDATE meta SET value = ? WHERE key = 'schema_version'", [str(SCHEMA_VERSION)])
        connection.execute("COMMIT")
    except (duckdb.Error, KeyError) as error:
        connection.execute("ROLLBACK")
        raise StoreError(
            f"{path}: could not be moved from schema {version} to {SCHEMA_VERSION} ({str(error).strip().splitlines()[0]}); nothing was changed"
        ) from None
