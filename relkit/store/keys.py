"""The key of a database's pseudonyms: 32 random bytes in a file beside it, made when the first pseudonym is.

It lies apart from the data so that who gets the database alone can neither read a pseudonym nor try guesses on it. Who
loses it loses the joins between old rows and new ones, so a database with pseudonyms takes no others without it.
"""

import hashlib
import os
from pathlib import Path
from typing import Final

from duckdb import DuckDBPyConnection

from relkit.errors.redact import new_key
from relkit.errors.redact.pseudonyms import KEY_BYTES
from relkit.exceptions import StoreError
from relkit.store.redaction_sql import BLOCK_BYTES, KEY_VARIABLE
from relkit.store.text import identifier

_KEY_ID: Final = "pseudonym_key_id"


def key_file_of(database: Path) -> Path:
    """Name the key file of a database.

    >>> key_file_of(Path("logs/relkit.duckdb")).name
    'relkit.duckdb.key'
    """
    return database.with_name(f"{database.name}.key")


def read_key(database: Path) -> bytes | None:
    """Read the key of a database's pseudonyms, for whoever writes rows that shall join with it; None when it has none.

    Raises
    ------
    StoreError
        The file cannot be read, or holds no key.
    """
    place = key_file_of(database)
    try:
        key = bytes.fromhex(place.read_text(encoding="ascii").strip())
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) else "it holds no key"
        raise StoreError(f"{place}: cannot be read ({why}); put the database's own key file there") from None
    if len(key) != KEY_BYTES:
        raise StoreError(
            f"{place}: holds {len(key)} bytes, a key has {KEY_BYTES}; put the database's own key file there"
        )
    return key


def lend_key(connection: DuckDBPyConnection, database: Path) -> None:
    """Give a connection the database's key, or a fresh one where there are no pseudonyms yet.

    Where there are some and their key is gone, it gets none: `pseudonym_sql` then raises when one is needed.
    """
    key, known = read_key(database), _known_id(connection)
    if known is not None and (key is None or _id_of(key) != known):
        return
    padded = (key or new_key()).ljust(BLOCK_BYTES, b"\0")
    connection.execute(f"SET VARIABLE {KEY_VARIABLE} = ?", [padded])
    for mask in (0x36, 0x5C):
        connection.execute(f"SET VARIABLE {KEY_VARIABLE}_{mask:02x} = ?", [bytes(byte ^ mask for byte in padded)])


def keep_key(connection: DuckDBPyConnection, database: Path, ids: list[str]) -> None:
    """Write the connection's key beside the database when staged rows hold the first pseudonyms made with it.

    Parameters
    ----------
    connection : DuckDBPyConnection
        Inside the transaction that will store the rows of the table `staged`.
    database : Path
        The file.
    ids : list of str
        Columns of `staged` that may hold pseudonyms.

    Raises
    ------
    StoreError
        The file cannot be written; without it the rows must not be stored.
    """
    if not ids or _known_id(connection) is not None:
        return
    test = " OR ".join(f"starts_with({identifier(name)}, '[id:')" for name in ids)
    if not connection.execute(f"SELECT 1 FROM staged WHERE {test} LIMIT 1").fetchone():
        return
    row = connection.execute(f"SELECT getvariable('{KEY_VARIABLE}')").fetchone()
    if not row or row[0] is None:
        return
    key = bytes(row[0])[:KEY_BYTES]
    place = key_file_of(database)
    fresh = place.with_name(f"{place.name}.new")
    try:
        with os.fdopen(os.open(fresh, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600), "w", encoding="ascii") as file:
            file.write(key.hex() + "\n")
        os.replace(fresh, place)  # noqa: PTH105  in one step: half a key would shut everybody out
    except OSError as error:
        fresh.unlink(missing_ok=True)
        raise StoreError(
            f"{place}: the key of the pseudonyms cannot be written ({error.strerror or error}); nothing was stored"
        ) from None
    connection.execute("INSERT INTO meta VALUES (?, ?)", [_KEY_ID, _id_of(key)])


def _known_id(connection: DuckDBPyConnection) -> str | None:
    row = connection.execute("SELECT value FROM meta WHERE key = ?", [_KEY_ID]).fetchone()
    return str(row[0]) if row else None


def _id_of(key: bytes) -> str:
    """A key's own name: 64 bits of its hash tell whether it is the right one, and nothing else."""
    return hashlib.sha256(key).hexdigest()[:16]
