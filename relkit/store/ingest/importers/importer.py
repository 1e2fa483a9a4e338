"""What an importer is: SQL that turns the lines of a well-known log into records a mapping can name.

An importer works in two steps. `lines` reads every line of the file once, into the temporary table LINES, in the order
of the file; its row numbers are the places of the lines. `rows` makes records of that table: none, one or several a
line, and it may look at other lines. Each record carries `relkit__record` (place of its line, from 1),
`relkit__problem` (NULL, or why it cannot be a row), `relkit__key` (a text that tells it from all others) and then the
importer's columns as c0, c1, ..., as text. Units, zones and our own names stand in the packaged mapping, so a user can
take it, change it, and give it with `--map`.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from relkit.store.ingest.values import BLANKS, texts
from relkit.store.text import identifier, quoted

if TYPE_CHECKING:
    from relkit.store.ingest.scan import Scan

LINES: Final = "temp.log_lines"


@dataclass(frozen=True, slots=True)
class Importer:
    """One well-known log format.

    Parameters
    ----------
    name : str
        Its name in `importer = "..."` and in `--map`.
    what : str
        What people call it, for messages.
    columns : tuple of str
        What its records give to a mapping, in the order of c0, c1, ...
    lines : callable
        Of the scan and the mapping's log_format ("" where it has none): SELECT that fills LINES.
    rows : callable
        SELECT of the records, from LINES.
    joins_lines : bool
        Whether a record may depend on other lines; then a file that has grown is read anew.
    is_unique : bool
        Whether `relkit__key` names a record for good, in whatever file it stands.
    """

    name: str
    what: str
    columns: tuple[str, ...]
    lines: "Callable[[Scan, str], str]"
    rows: Callable[[], str]
    joins_lines: bool = False
    is_unique: bool = False


def cells_sql(scan: "Scan", names: Sequence[str], more: str = "") -> str:
    """Write the SELECT of named cells of each line, as text, from JSON lines or CSV; an absent one is NULL.

    Parameters
    ----------
    scan : Scan
        Of the file.
    names : sequence of str
        Keys or columns of the log.
    more : str
        Further items of the SELECT; of JSON lines they may name `line`.

    Returns
    -------
    str
        SELECT giving the cells under their names, and `relkit__problem`.
    """
    if scan.file.format == "csv":
        there = scan.file.columns
        cells = [
            f"{_cell(f'c{there.index(name)}') if name in there else 'NULL::VARCHAR'} AS {identifier(name)}"
            for name in names
        ]
        whole = f", concat_ws(chr(31), {', '.join(f'c{place}' for place in range(len(there)))}) AS line" if more else ""
        return f"SELECT {', '.join(cells)}, NULL::VARCHAR AS relkit__problem{more} FROM (SELECT *{whole} FROM {scan.records})"
    keys = ", ".join(f'"{name}":"VARCHAR"' for name in names)
    parsed = f"SELECT line, TRY(from_json(line, {quoted('{' + keys + '}')})) AS doc FROM {scan.text_lines}"
    cells = [f"{_cell(f'doc.{identifier(name)}')} AS {identifier(name)}" for name in names]
    problem = "CASE WHEN doc IS NULL THEN 'not a JSON object' END AS relkit__problem"
    return f"SELECT {', '.join(cells)}, {problem}{more} FROM ({parsed})"


def _cell(sql: str) -> str:
    """Make what exporters write for "nothing here" NULL."""
    return f"CASE WHEN trim({sql}) NOT IN {texts(BLANKS)} THEN trim({sql}) END"


def record_sql(values: dict[str, str], source: str, *, key: str, record: str, problem: str, order: str = "") -> str:
    """Write the last SELECT of an importer: the carried columns, then its own as c0, c1, ... as text.

    Parameters
    ----------
    values : dict of str to str
        SQL of each of the importer's columns, in their order.
    source : str
        FROM text.
    key, record, problem : str
        SQL of the carried columns.
    order : str
        ORDER BY text; empty where the order of the file is kept anyway.
    """
    cells = ", ".join(f"CAST({sql} AS VARCHAR) AS c{place}" for place, sql in enumerate(values.values()))
    tail = f" ORDER BY {order}" if order else ""
    return f"SELECT {record} AS relkit__record, {problem} AS relkit__problem, {key} AS relkit__key, {cells} FROM {source}{tail}"


def first_of(*cells: str) -> str:
    """SQL of the first of some values that is not NULL."""
    return f"coalesce({', '.join(cells)})"


def moment_us(cell: str) -> str:
    """SQL of a time as microseconds since 1970, from an ISO stamp (one without a zone is UTC) or seconds since 1970."""
    seconds = f"TRY_CAST({cell} AS DOUBLE)"
    return f"CASE WHEN {seconds} IS NOT NULL THEN TRY_CAST(round({seconds} * 1e6) AS BIGINT) ELSE TRY(epoch_us(TRY_CAST({cell} AS TIMESTAMPTZ))) END"
