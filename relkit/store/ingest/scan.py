"""How DuckDB reads a log file: one row a record, every cell as text, under names of our own.

The log's own names never reach SQL: cells are called c0, c1, ..., so a header may hold quotes, semicolons, or two names
that differ by case alone.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from difflib import get_close_matches
from pathlib import Path
from typing import Final

import duckdb
from duckdb import DuckDBPyConnection

from relkit.exceptions import DataError
from relkit.scratch import leased_folder, process_folder
from relkit.store.ingest.files import CHUNK, DELIMITERS, LogFile, open_bytes
from relkit.store.ingest.importers.importer import Importer
from relkit.store.text import identifier, md5_64, quoted

MAX_LINE_BYTES: Final = 16 << 20
_MISSPELT: Final = 0.85


@dataclass(slots=True)
class Scan:
    """The FROM text of a file, and how a column of the log is named in it.

    Parameters
    ----------
    file : LogFile
        The file.
    parquet_columns : dict of str to str
        Column name to DuckDB type, for Parquet.
    lines_table : str
        A table that holds the scanned records already; empty: they are read from the file.
    importer : Importer or None
        What takes the lines apart, which lie in its table LINES by then; None: a line is a record.
    """

    file: LogFile
    parquet_columns: dict[str, str] = field(default_factory=dict)
    lines_table: str = ""
    importer: Importer | None = None
    _json_keys: dict[str, str] = field(default_factory=dict)

    def column(self, name: str) -> str:
        """Return the SQL name of a column of the log.

        Raises
        ------
        DataError
            There is none of this name (with the nearest), or it is nested.
        """
        if self.importer:
            if name not in self.importer.columns:
                raise self._absent(name, self.importer.columns)
            return f"c{self.importer.columns.index(name)}"
        if self.file.format == "jsonl":
            return self._json_keys.setdefault(name, f"c{len(self._json_keys)}")
        known = tuple(self.parquet_columns) if self.file.format == "parquet" else self.file.columns
        if name not in known:
            raise self._absent(name, known)
        kind = self.parquet_columns.get(name, "")
        if is_nested(kind):
            raise DataError(
                f"{self.file.path.name}: column {name!r} is nested ({kind}); write it out flat first, or map another"
            )
        return f"c{known.index(name)}"

    @property
    def hash(self) -> str:
        """SQL of the identity of a line: the MD5 of its text, or of its cells."""
        if self.importer:
            return md5_64("relkit__key")
        if self.file.format == "jsonl":
            return md5_64("line")
        return md5_64("concat(" + ", chr(31), ".join(self.names) + ")")

    @property
    def carried(self) -> list[str]:
        """Columns of `records` beside the cells: what a record says against itself, and the place of its line."""
        if self.importer:
            return ["relkit__problem", "relkit__record"]
        return ["is_object"] if self.file.format == "jsonl" else []

    @property
    def own_problem(self) -> str:
        """SQL of why a record cannot be a row, whatever the mapping; empty: nothing to say."""
        if self.importer:
            return "relkit__problem"
        return "CASE WHEN NOT is_object THEN 'not a JSON object' END" if self.file.format == "jsonl" else ""

    @property
    def names(self) -> list[str]:
        """SQL names of the columns of `records`; of JSON lines, those asked for so far."""
        if self.file.format == "jsonl":
            return list(self._json_keys.values())
        if self.file.format == "parquet":
            return [f"c{index}" for index, kind in enumerate(self.parquet_columns.values()) if not is_nested(kind)]
        return [f"c{index}" for index in range(len(self.file.columns))]

    @property
    def records(self) -> str:
        """SQL of all records, in the order of the file."""
        if self.importer:
            return f"({self.importer.rows()})"
        if self.lines_table:
            return self.lines_table
        place = quoted(glob_safe(self.file.path))
        if self.file.format == "parquet":
            casts = [
                f"CAST({identifier(name)} AS VARCHAR) AS c{index}"
                for index, (name, kind) in enumerate(self.parquet_columns.items())
                if not is_nested(kind)
            ]
            return f"(SELECT {', '.join(casts)} FROM read_parquet({place}))"
        if self.file.format == "jsonl":
            keys = "".join(f", {_json_value(name)} AS {alias}" for name, alias in self._json_keys.items())
            return (
                f"(SELECT line, is_object{keys} FROM (SELECT line, CASE WHEN json_valid(line) THEN json_type(line) = 'OBJECT' ELSE FALSE END "
                f"AS is_object FROM {self.text_lines}))"
            )
        names = ", ".join(f"'{cell}': 'VARCHAR'" for cell in self.names)
        blank = " WHERE c0 IS NOT NULL" if len(self.file.columns) == 1 else ""
        return (
            f"(SELECT * FROM read_csv({place}, columns={{{names}}}, delim={quoted(self.file.delimiter)}, quote='\"', escape='\"', "
            f"header=true, {self._reader}){blank})"
        )

    @property
    def text_lines(self) -> str:
        """SQL of the lines of a text file that are not blank, each whole in the column `line`."""
        # chr(1) cannot stand unescaped in JSON, so a whole line arrives as one cell
        lines = (
            f"read_csv({quoted(glob_safe(self.file.path))}, columns={{'line': 'VARCHAR'}}, delim=chr(1), quote='', escape='', "
            f"header=false, {self._reader})"
        )
        return f"(SELECT line FROM {lines} WHERE trim(line) <> '')"

    @property
    def _reader(self) -> str:
        return (
            f"auto_detect=false, compression={quoted(self.file.packing)}, max_line_size={MAX_LINE_BYTES}, strict_mode=true, "
            "store_rejects=true, rejects_table='file_rejects', rejects_scan='file_scans', rejects_limit=0"
        )

    def unseen_keys(self, connection: DuckDBPyConnection) -> list[str]:
        """List the JSON keys that are asked for and stand in no line; one that looks misspelt is refused.

        A key that is merely absent is no error: many logs write `error` only where there is one.

        Raises
        ------
        DataError
            One much like it stands there, and nobody reads that one: it is probably meant.
        """
        if self.file.format != "jsonl" or self.importer:
            return []
        doubtful = {name: alias for name, alias in self._json_keys.items() if name not in self.file.columns}
        if not doubtful:
            return []
        counts = connection.execute(
            f"SELECT {', '.join(f'count({alias})' for alias in doubtful.values())} FROM {self.records}"
        ).fetchone()
        unseen = [name for name, count in zip(doubtful, counts or (), strict=True) if not count]
        unread = [name for name in self.file.columns if name not in self._json_keys]
        for name in unseen:
            if get_close_matches(name, unread, n=1, cutoff=_MISSPELT):
                raise self._absent(name, self.file.columns)
        return unseen

    def _absent(self, name: str, known: tuple[str, ...]) -> DataError:
        near = get_close_matches(name, known, n=1)
        hint = f"; did you mean {near[0]!r}?" if near else ""
        what = "key" if self.file.format == "jsonl" and not self.importer else "column"
        if self.file.format == "csv" and len(known) == 1 and any(mark in known[0] for mark in DELIMITERS):
            hint = f'; it was split at {self.file.delimiter!r}: say delimiter = "..." in the mapping'
        return DataError(f"{self.file.path.name}: has no {what} {name!r}{hint} (it has {', '.join(known)})")


def is_nested(kind: str) -> bool:
    """Say whether a DuckDB type holds more than one value.

    >>> is_nested("INTEGER[]"), is_nested("VARCHAR")
    (True, False)
    """
    return kind.endswith("]") or kind.startswith(("STRUCT", "MAP", "UNION"))


def _json_value(name: str) -> str:
    """SQL of a key's value as text; `a.b` is the key of that name, or else the key b within a."""
    escaped = name.replace("~", "~0").replace("/", "~1")
    pointers = dict.fromkeys(("/" + escaped, "/" + escaped.replace(".", "/")))
    values = [f"json_extract_string(line, {quoted(pointer)})" for pointer in pointers]
    value = values[0] if len(values) == 1 else f"coalesce({', '.join(values)})"
    return f"CASE WHEN is_object THEN {value} END"


def glob_safe(path: Path) -> str:
    """Write a path so that DuckDB takes its letters as they are, brackets and stars too.

    >>> glob_safe(Path("log[1].csv"))
    'log[[]1].csv'
    """
    return "".join(f"[{letter}]" if letter in "[*?" else letter for letter in str(path))


def scan_of(connection: DuckDBPyConnection, file: LogFile) -> Scan:
    """Say how a file is scanned.

    Raises
    ------
    DataError
        It is no readable Parquet file.
    """
    if file.format != "parquet":
        return Scan(file)
    try:
        rows = connection.execute(f"DESCRIBE SELECT * FROM read_parquet({quoted(glob_safe(file.path))})").fetchall()
    except duckdb.Error as error:
        raise DataError(
            f"{file.path.name}: is no readable Parquet file: {str(error).strip().splitlines()[0]}"
        ) from None
    return Scan(file, {row[0]: row[1] for row in rows})


def drop_scan_tables(connection: DuckDBPyConnection) -> None:
    """Forget what the CSV reader could not split; the next scan writes these tables anew."""
    for name in ("file_rejects", "file_scans"):
        connection.execute(f"DROP TABLE IF EXISTS {name}")


@contextmanager
def copied(file: LogFile, first_bytes: int | None = None, *, plain_line_ends: bool = False) -> Iterator[LogFile]:
    """Lend a copy of a file's content, for the length of a `with`.

    Parameters
    ----------
    file : LogFile
        The file.
    first_bytes : int, optional
        Only so many, for a log that is being written to.
    plain_line_ends : bool
        Every CR LF becomes LF, and a CR alone a blank: DuckDB reads no file that mixes them.
    """
    with leased_folder(process_folder(), "copy-") as folder:
        place = folder / file.path.name
        with open_bytes(file.path, file.packing) as origin, place.open("wb") as copy:
            left, held = first_bytes, b""
            while chunk := origin.read(CHUNK if left is None else min(CHUNK, left)):
                left = None if left is None else left - len(chunk)
                if plain_line_ends:
                    chunk, held = held + chunk, b""
                    if chunk.endswith(b"\r"):  # its LF may come with the next chunk
                        chunk, held = chunk[:-1], b"\r"
                    chunk = chunk.replace(b"\r\n", b"\n").replace(b"\r", b" ")
                copy.write(chunk)
            copy.write(held.replace(b"\r", b" "))
        yield replace(file, path=place, packing="none")
