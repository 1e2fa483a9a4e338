"""Schema versions: a new file gets the newest schema, an older file moves forward, a newer one is refused.

Each step forward is one SQL text in `STEPS`, run in one transaction after a copy of the file is kept beside it.
"""

import shutil
from importlib import resources
from pathlib import Path
from typing import Final

import duckdb

from relkit.exceptions import StoreError

SCHEMA_VERSION: Final = 1
# STEPS[n] takes a file of version n to n + 1.
STEPS: Final[dict[int, str]] = {}


def schema_version_of(connection: duckdb.DuckDBPyConnection) -> int | None:
    """Return the schema version of an open file, None when it holds no relkit tables."""
    try:
        row = connection.execute("SELECT value FROM meta WHERE key = 'schema_version'").fetchone()
    except duckdb.CatalogException:
        return None
    return int(row[0]) if row else None


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
            f"{path}: has schema {version}, this relkit reads {SCHEMA_VERSION}; run `relkit ingest` or `relkit migrate` once"
        )
    connection.execute("CHECKPOINT")
    shutil.copy2(path, path.with_suffix(f".schema{version}.duckdb"))
    connection.execute("BEGIN")
    for step in range(version, SCHEMA_VERSION):
        connection.execute(STEPS[step])
    connection.execute("UPDATE meta SET value = ? WHERE key = 'schema_version'", [str(SCHEMA_VERSION)])
    connection.execute("COMMIT")
