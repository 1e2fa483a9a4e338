"""Lines that cannot be rows: where they stand, why, and their redacted text."""

import csv
import io
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Final, NamedTuple

from duckdb import DuckDBPyConnection

from relkit.errors import redact_text
from relkit.store.ingest.files import LogFile, open_bytes

RAW_KEPT: Final = 500
_WORDS: Final = {
    "MISSING COLUMNS": "has fewer cells than the header",
    "TOO MANY COLUMNS": "has more cells than the header",
    "INVALID ENCODING": "is not UTF-8",
    "UNQUOTED VALUE": "opens a quote that is never closed",
    "LINE SIZE OVER MAXIMUM": "is longer than 16 MiB",
    "INVALID STATE": "has a quote in the middle of a cell",
}


class Reject(NamedTuple):
    """One line that could not become a row."""

    line: int
    reason: str
    raw: str


def malformed_lines(connection: DuckDBPyConnection, file: LogFile) -> list[Reject]:
    """Return the lines the reader could not split into cells (one reject a line)."""
    if file.format == "parquet":
        return []
    rows = connection.execute(
        "SELECT line, error_type, csv_line FROM file_rejects ORDER BY line, column_idx"
    ).fetchall()
    first: dict[int, Reject] = {}
    for line, kind, raw in rows:
        # DuckDB counts one line too few after an encoding error; the place is still the neighbour a reader finds
        first.setdefault(
            line, Reject(line, _WORDS.get(kind, kind.lower()), redact_text((raw or "").strip("\n"))[:RAW_KEPT])
        )
    return list(first.values())


def bad_rows(connection: DuckDBPyConnection, file: LogFile, known_records: int) -> list[Reject]:
    """Return the records whose values could not be read, with the line each stands in."""
    rows = connection.execute(
        "SELECT n, problem FROM staged WHERE wanted AND problem IS NOT NULL AND n > ? ORDER BY n", [known_records]
    ).fetchall()
    if not rows:
        return []
    places = _places(file, {n for n, _ in rows})
    return [Reject(places[n][0], problem, redact_text(places[n][1])[:RAW_KEPT]) for n, problem in rows]


def _places(file: LogFile, wanted: set[int]) -> dict[int, tuple[int, str]]:
    """Find line number and text of the n-th good records by reading the file once more, as text."""
    found = {n: (n, "") for n in wanted}
    if file.format == "parquet":
        return found
    with open_bytes(file.path, file.packing) as stream:
        text = io.TextIOWrapper(stream, encoding="utf-8-sig", errors="surrogateescape", newline="")
        records = _json_records(text) if file.format == "jsonl" else _csv_records(text, file)
        for n, (line, raw) in enumerate(records, start=1):
            if n in wanted:
                found[n] = (line, raw.encode("utf-8", "replace").decode())
            if n >= max(wanted):
                break
    return found


def _json_records(text: Iterable[str]) -> Iterator[tuple[int, str]]:
    """Every line that is UTF-8 is a record, an empty one too."""
    for line, raw in enumerate(text, start=1):
        if _is_utf8(raw):
            yield line, raw.rstrip("\r\n")


def _csv_records(text: Iterable[str], file: LogFile) -> Iterator[tuple[int, str]]:
    csv.field_size_limit(1 << 30)
    reader = csv.reader(text, delimiter=file.delimiter)
    next(reader, None)
    start = reader.line_num + 1
    for cells in reader:
        if len(cells) == len(file.columns) and all(map(_is_utf8, cells)):
            yield start, file.delimiter.join(cells)
        start = reader.line_num + 1


def _is_utf8(text: str) -> bool:
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True


def frequent(rejects: Iterable[Reject], most: int = 3) -> list[tuple[str, int]]:
    """Count the commonest reasons, values left out so that like reasons add up.

    >>> frequent([Reject(2, "status: '1x' is no status", ""), Reject(3, "status: '2y' is no status", "")])
    [('status: … is no status', 2)]
    """
    return Counter(_without_value(row.reason) for row in rejects).most_common(most)


def _without_value(reason: str) -> str:
    before, quote, rest = reason.partition("'")
    value_and_after = rest.rpartition("'")
    return f"{before}…{value_and_after[2]}" if quote and value_and_after[1] else reason
