"""Lines that cannot be rows: where they stand, why, and their redacted text.

DuckDB tells the byte at which a line it could not split begins, and counts lines by rules of its own (blank lines and
line ends within quotes are left out). So the file is read once more, as bytes, as far as the last reject: only where
there is one.
"""

import csv
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final, NamedTuple

from duckdb import DuckDBPyConnection

from relkit.errors import redact_text
from relkit.store.ingest.files import LogFile, open_bytes
from relkit.store.ingest.values import REASON_MARK

REJECTS_KEPT: Final = 10_000
RAW_KEPT: Final = 500
VALUE_KEPT: Final = 60
_READ: Final = 4_000
_UNCLOSED: Final = "UNQUOTED VALUE"
_WORDS: Final = {
    "MISSING COLUMNS": "has fewer cells than the header",
    "TOO MANY COLUMNS": "has more cells than the header",
    "INVALID ENCODING": "is not UTF-8",
    _UNCLOSED: "opens a quote that is not closed, or goes on after the closing one",
    "LINE SIZE OVER MAXIMUM": "is longer than 16 MiB",
}


class Reject(NamedTuple):
    """One line that could not become a row."""

    line: int
    reason: str
    raw: str


@dataclass(frozen=True, slots=True)
class Rejects:
    """The rejects of a file.

    Parameters
    ----------
    new : int
        Rejects in the part of the file that is read for the first time.
    malformed : int
        Lines of the whole file that could not be split into cells.
    rows : tuple of Reject
        The first 10,000 of the new ones, in the order of the file.
    open_line : int or None
        Where a record starts that the end of the file cuts off, when it cannot be split into cells.
    """

    new: int = 0
    malformed: int = 0
    rows: tuple[Reject, ...] = ()
    open_line: int | None = None


def find_rejects(
    connection: DuckDBPyConnection,
    file: LogFile,
    known_records: int,
    known_lines: int,
    ended_lines: int,
    place: str = "rowid + 1",
) -> Rejects:
    """Find the lines that could not be split, and the records whose values could not be read.

    Parameters
    ----------
    connection : DuckDBPyConnection
        Holds `staged` and, for text formats, `file_rejects`.
    file : LogFile
        The file that was staged.
    known_records, known_lines : int
        The part that an earlier reading has judged.
    ended_lines : int
        Lines of the file that have an end.
    place : str
        SQL of which record of the file a staged row comes from, counted from 1.
    """
    test = "wanted AND problem IS NOT NULL AND rowid >= ?"
    counted = connection.execute(f"SELECT count(*) FROM staged WHERE {test}", [known_records]).fetchone()
    bad_count = counted[0] if counted else 0
    problems = dict(
        connection.execute(
            f"SELECT {place}, problem FROM staged WHERE {test} ORDER BY rowid LIMIT {REJECTS_KEPT}", [known_records]
        ).fetchall()
    )
    if file.format == "parquet":
        rows = [Reject(n, shown_reason(problem), "") for n, problem in problems.items()]
        return Rejects(bad_count, 0, tuple(rows))
    unsplit = connection.execute(
        "SELECT line_byte_position - 1 AS start, min(error_type) FROM file_rejects GROUP BY start ORDER BY start"
    ).fetchall()
    if not problems and not unsplit:
        return Rejects()
    found: list[Reject] = []
    malformed = new_malformed = 0
    open_line = None
    for line, raw, n, kind in _walk(file, problems, unsplit):
        if kind is None:
            found.append(Reject(line, shown_reason(problems[n]), _readable(raw)))
            continue
        malformed += 1
        if line > ended_lines or (line + raw.count(b"\n") > ended_lines and (kind == _UNCLOSED or raw.count(b'"') % 2)):
            open_line = line
        if line > known_lines:
            new_malformed += 1
            if file.format == "jsonl" and kind != "LINE SIZE OVER MAXIMUM":
                reason = "is not UTF-8" if kind == "INVALID ENCODING" else "not a JSON object"
            else:
                reason = _WORDS.get(kind, kind.lower())
            found.append(Reject(line, reason, _readable(raw)))
    return Rejects(bad_count + new_malformed, malformed, tuple(found[:REJECTS_KEPT]), open_line)


def _walk(
    file: LogFile, problems: dict[int, str], unsplit: list[tuple[int, str]]
) -> Iterator[tuple[int, bytes, int, str | None]]:
    """Yield line number, bytes, place among the good records and kind of each reject (kind None: it could be split)."""
    starts = [start for start, _ in unsplit]
    last_problem = max(problems, default=0)
    seen = n = 0
    with open_bytes(file.path, file.packing) as stream:
        for line, end, raw in _records(stream, file):
            # The start that DuckDB tells may lie in line ends before the record, never after its last letter.
            upto = bisect_left(starts, end - len(raw) + len(raw.rstrip(b"\r\n")), lo=seen)
            if upto > seen:
                yield line, raw, 0, unsplit[seen][1]
                seen = upto
            else:
                n += 1
                if n in problems:
                    yield line, raw, n, None
            if seen == len(starts) and n >= last_problem:
                return


def _records(stream: Iterable[bytes], file: LogFile) -> Iterator[tuple[int, int, bytes]]:
    """Yield the first line, the byte after the end, and the bytes of each record; header and blank lines are none."""
    lines = iter(stream)
    number = end = 0
    is_header = file.format == "csv"
    blanks = (b"", b'""') if is_header and len(file.columns) == 1 else (b"",)
    delimiter = file.delimiter or ","
    csv.field_size_limit(1 << 30)
    for raw in lines:
        first, number, end = number + 1, number + 1, end + len(raw)
        record = raw
        if file.format == "csv" and b'"' in raw:  # a quoted cell may run over several lines
            parts = [raw]

            def fed(parts: list[bytes] = parts) -> Iterator[str]:
                yield _latin(parts[0])
                for more in lines:
                    parts.append(more)
                    yield _latin(more)

            next(csv.reader(fed(), delimiter=delimiter), None)
            record = b"".join(parts)
            number, end = number + len(parts) - 1, end + len(record) - len(raw)
        if record.strip(b"\r\n" if file.format == "csv" else b" \r\n") in blanks:
            continue
        if is_header:
            is_header = False
            continue
        yield first, end, record


def _latin(raw: bytes) -> str:
    return raw.decode("latin-1").replace("\r", " ").replace("\0", " ")


def _readable(raw: bytes) -> str:
    text = raw[:_READ].decode("utf-8-sig", "replace").strip("\r\n")
    return redact_text(text.replace("\0", ""))[:RAW_KEPT]


def shown_reason(problem: str) -> str:
    """Redact the value inside a reason before it is shortened: half a secret would not be known for one."""
    before, mark, rest = problem.partition(REASON_MARK)
    if not mark:
        return redact_text(problem)
    value, _, after = rest.rpartition(REASON_MARK)
    return f"{before}'{redact_text(value.replace(chr(0), ''))[:VALUE_KEPT]}'{after}"


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
