"""The tables of a report as CSV files, for who wants to go on from them in a spreadsheet or a script.

A spreadsheet takes a cell that begins like a formula for one, wherever its text came from; such a cell gets an
apostrophe before it, the spreadsheets' own sign for text. Numbers are written plainly: no thin spaces, an ASCII minus.
"""

import csv
import io
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from relkit.units import printable

FOLDER: Final = "tables"
_NUMBER: Final = re.compile(r"[-+]?[0-9]+(?:[.][0-9]+)?(?: %)?")
_NO_NAME: Final = re.compile(r"[^A-Za-z0-9_-]")
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
_BETWEEN_DIGITS: Final = re.compile("(?<=[0-9])\u202f(?=[0-9])")


def csv_name(page: str, table: str) -> str:
    """Name the file of a table, from the folder of the page.

    >>> csv_name("slo.html", "services")
    'tables/slo-services.csv'
    """
    return f"{FOLDER}/{Path(page).stem}-{_NO_NAME.sub('_', table)}.csv"


def write_tables(folder: Path, page: str, tables: tuple[dict[str, Any], ...]) -> dict[str, str]:
    """Write the tables of one page, each to a file of its own.

    Parameters
    ----------
    folder : Path
        Of the page; the files go to `tables/` below it.
    page : str
        File name of the page.
    tables : tuple of records
        As `Table.record` gives them.

    Returns
    -------
    dict of str to str
        Name of a table to its file, from the folder of the page.
    """
    files = {}
    for table in tables:
        name = csv_name(page, table["name"])
        (folder / FOLDER).mkdir(exist_ok=True)
        (folder / name).write_text(table_csv(table), encoding="utf-8", newline="")
        files[table["name"]] = name
    return files


def table_csv(table: Mapping[str, Any]) -> str:
    """Write a table as CSV: its rows, or all that one row of the page sums up.

    >>> print(table_csv({"columns": ["service", "bad"], "rows": [["=1+1", "−1\u202f204"]]}), end="")
    service,bad
    '=1+1,-1204
    """
    unlisted = table.get("unlisted", ())
    rows = [*(table["rows"][:-1] if unlisted else table["rows"]), *unlisted]
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(
        [plain_cell(cell) for cell in row] for row in (table["columns"], *rows)
    )
    return text.getvalue()


def plain_cell(cell: str) -> str:
    """Write a cell so that no spreadsheet acts on it.

    >>> plain_cell("−2.06 %"), plain_cell("@SUM(A1)"), plain_cell("a\x1b[31m")
    ('-2.06 %', "'@SUM(A1)", 'a\\\\x1b[31m')
    """
    number = _BETWEEN_DIGITS.sub("", cell).replace("\N{MINUS SIGN}", "-")
    if _NUMBER.fullmatch(number):
        return number
    shown = printable(_BETWEEN_DIGITS.sub("", cell))
    return f"'{shown}" if shown.lstrip().startswith(_FORMULA) else shown
