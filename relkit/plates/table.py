"""The Table: a few rows that people read, with the numbers behind them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from html import escape
from typing import Any, Final

from relkit.plates.plate import rounded
from relkit.verdict import MIME

_SENTENCE: Final = 30
"""Characters; a cell with more is a sentence."""


@dataclass(frozen=True, slots=True)
class Table:
    """A table for a page: texts as they are shown, and the numbers behind them.

    Parameters
    ----------
    name : str
        Stable name, unique on a page.
    caption : str
        The finding in one sentence, with its number.
    columns : sequence of str
        Headings, with units.
    rows : sequence of sequence of str
        Cells as shown; a column whose cells begin with a digit or sign is set flush right.
    values : mapping of str to number, text or None
        The numbers behind it, for comparison and the manifest.
    unlisted : sequence of sequence of str
        Rows that only the table's CSV file holds; one row of the page may sum them up.

    Examples
    --------
    >>> Table("kinds", "One kind.", ("kind", "attempts"), (("API_RATE_LIMIT", "507"),)).record()["name"]
    'kinds'
    """

    name: str
    caption: str
    columns: Sequence[str]
    rows: Sequence[Sequence[str]]
    values: Mapping[str, Any] = field(default_factory=dict)
    unlisted: Sequence[Sequence[str]] = ()

    def record(self) -> dict[str, Any]:
        """Return name, caption, cells and values (9 significant digits)."""
        record = {
            "kind": "table",
            "name": self.name,
            "caption": self.caption,
            "columns": list(self.columns),
            "rows": [list(row) for row in self.rows],
            "values": rounded(self.values),
        }
        return record | ({"unlisted": [list(row) for row in self.unlisted]} if self.unlisted else {})

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, Any]:  # noqa: ARG002  IPython's signature
        numeric = [all(_is_figure(row[place]) for row in self.rows) for place in range(len(self.columns))]
        sides = ["right" if right else "left" for right in numeric]
        widths = [self._least_width(place, right=right) for place, right in enumerate(numeric)]
        head = "".join(
            f"<th scope='col' style='text-align:{side}'>{escape(name)}</th>"
            for name, side in zip(self.columns, sides, strict=True)
        )
        body = "".join(
            "<tr>"
            + "".join(
                f"<td style='text-align:{side}{width}'>{escape(cell)}</td>"
                for cell, side, width in zip(row, sides, widths, strict=True)
            )
            + "</tr>"
            for row in self.rows
        )
        html = (
            f"<figure class='table' id='{escape(self.name)}'><figcaption>{escape(self.caption)}</figcaption>"
            f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></figure>"
        )
        plain = "\n".join([self.caption, " | ".join(self.columns), *(" | ".join(row) for row in self.rows)])
        return {"text/html": html, "text/plain": plain, MIME: self.record()}

    def _least_width(self, place: int, *, right: bool) -> str:
        """Figures and short names stay on one line; a sentence is not squeezed to a word a line by its neighbours."""
        cells = [row[place] for row in self.rows]
        longest = max(map(len, cells), default=0)
        if right or (longest < _SENTENCE and not any(" " in cell for cell in cells)):
            return ";white-space:nowrap"
        return ";min-width:10em" if longest > _SENTENCE else ""


def _is_figure(cell: str) -> bool:
    return not cell.strip() or cell.strip()[0] in "0123456789−+-$–<>≤≥" or cell.strip() == "unknown"
