"""The Plate: a figure with the finding as its caption, the same bytes from the same numbers.

JupyterLab strips inline SVG from notebooks it does not trust, and every fresh clone is untrusted; an image with the
SVG inside its address is shown. It is text, so a strict notebook comparison sees every coordinate.
"""

import io
import re
import warnings
from collections.abc import Mapping
from dataclasses import dataclass, field
from html import escape
from typing import Any, Final
from urllib.parse import quote

from matplotlib.figure import Figure

from relkit.exceptions import ReportError
from relkit.plates.style import RC, rc_context
from relkit.verdict import MIME, shown

_NUMBER: Final = re.compile(r"-?\d+\.\d{2,}")
_TAG: Final = re.compile(r"<[^>]*>")
_COMMENT: Final = re.compile(r"<!--.*?-->", re.DOTALL)
_BLANKS: Final = re.compile(r"\n\s*")
# Kept readable in the address: fewer %XX, so a picture stays small.
_SAFE: Final = " /:=;,!?@$'()*+-_.~"


@dataclass(frozen=True, slots=True)
class Plate:
    """A figure for a page.

    Parameters
    ----------
    name : str
        Stable name, unique on a page.
    caption : str
        The finding in one or two sentences, with its number.
    alt : str
        What the picture shows, for who cannot see it.
    svg : str
        The picture; empty where there is nothing to draw.
    values : mapping of str to number, text or None
        The numbers behind it, for comparison and the manifest.
    """

    name: str
    caption: str
    alt: str
    svg: str = field(repr=False)
    values: Mapping[str, Any] = field(default_factory=dict)

    def record(self) -> dict[str, Any]:
        """Return name, caption and values (9 significant digits) without the picture."""
        return {"kind": "plate", "name": self.name, "caption": self.caption, "values": rounded(self.values)}

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, Any]:  # noqa: ARG002  IPython's signature
        if not self.svg:
            html = f"<p class='none' id='{escape(self.name)}'>{escape(self.caption)}</p>"
            return {"text/html": html, "text/plain": f"{self.name}: {self.caption}", MIME: self.record()}
        html = (
            f"<figure class='plate' id='{escape(self.name)}'><img alt='{escape(self.alt)}' "
            f'src="data:image/svg+xml,{quote(self.svg, safe=_SAFE)}" style="max-width:100%"/>'
            f"<figcaption>{escape(self.caption)}</figcaption></figure>"
        )
        return {"text/html": html, "text/plain": f"{self.name}: {self.caption}", MIME: self.record()}


def rounded(values: Mapping[str, Any]) -> dict[str, Any]:
    """Round every number to 9 significant digits; refuse what JSON cannot say.

    Raises
    ------
    ReportError
        A value is NaN or infinite: say None and why instead.
    """
    plain: dict[str, Any] = {}
    for key, value in values.items():
        if isinstance(value, bool) or value is None or isinstance(value, (str, int)):
            plain[key] = value
        else:
            number = shown(float(value))
            if number is None or number != number or abs(number) == float("inf"):  # noqa: PLR0124  NaN differs from itself
                raise ReportError(f"value {key} is {number}; pages show None and the reason instead")
            plain[key] = number
    return plain


def plate(name: str, drawn: Figure, *, caption: str, alt: str, values: Mapping[str, Any] | None = None) -> Plate:
    """Draw a figure once, as SVG that depends on nothing but its numbers."""
    buffer = io.StringIO()
    with rc_context({**RC, "svg.hashsalt": name}), warnings.catch_warnings():
        # the text itself stands in the picture, so a reader's own fonts draw what ours lack
        warnings.filterwarnings("ignore", message="Glyph .* missing")
        for line in (line for axes in drawn.axes for line in axes.lines):
            line.recache(always=True)  # a path keeps the settings it was made with: a smooth curve would lose points
        drawn.savefig(buffer, format="svg", metadata={"Date": None, "Creator": None, "Format": None, "Type": None})
    text = buffer.getvalue()
    text = text[text.index("<svg") :]
    text = _COMMENT.sub("", text)
    text = re.sub(r"<metadata>.*?</metadata>", "", text, flags=re.DOTALL)
    text = _TAG.sub(lambda tag: _NUMBER.sub(_short_number, tag[0]), text)
    # CSS takes a font's name without quotes; then single ones can delimit, which need no %22 in an address
    text = _BLANKS.sub("\n", text).replace("'", "").replace('"', "'")
    return Plate(name, caption, alt, text, dict(values or {}))


def _short_number(found: re.Match[str]) -> str:
    """A tenth of a point is what an eye can see; texts between tags are what a reader reads and stay whole."""
    return f"{float(found[0]):.1f}".replace("-0.0", "0.0").removesuffix(".0")


def empty_plate(name: str, sentence: str) -> Plate:
    """Say in place of a figure why there is none: blank axes would look like a finding."""
    return Plate(name, sentence, sentence, "")
