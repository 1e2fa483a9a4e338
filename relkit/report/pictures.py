"""Pictures of a published page: decoded from their addresses, and written without the markup that changes nothing.

A notebook keeps a picture as matplotlib wrote it. A page has a dozen of them in one file that people mail around: there
groups that group nothing, fonts that the page's own style names, and spelt-out lines of rectangles are a third of it.
"""

import re
from typing import Final
from urllib.parse import unquote

_MARK: Final = 'src="data:image/svg+xml,'
# matplotlib numbers its groups from 1 in every picture; on a page with several, the numbers would stand twice
_UNUSED_ID: Final = re.compile(r"(?<=<g) id='[\w.]+_\d+'")
_TAG: Final = re.compile(r"<(/?)(\w+)([^<>]*?)(/?)>\n?")
_PATH: Final = re.compile(r"(?<= d=')[^']*(?=')")
_STEP: Final = re.compile(r"([A-Za-z])|(-?[\d.]+)")
_FONT: Final = re.compile(r"font-family: [^;']*;? ?")
_NO_TURN: Final = re.compile(r" transform='rotate\(-?0 [^']*'")
_LINES: Final = "ML"
_NUMBERS: Final = {"M": 2, "L": 2, "Q": 4, "C": 6}


def inline_pictures(html: str) -> str:
    """Turn `<img src="data:image/svg+xml,...">` into the picture itself: smaller, sharper in print, selectable text.

    Parameters
    ----------
    html : str
        Markup of a Plate.

    Returns
    -------
    str
        The same with the SVG in place; the text for who cannot see it becomes its label.
    """
    while _MARK in html:
        start = html.index(_MARK)
        end = html.index('"', start + len(_MARK))
        open_tag = html.rindex("<img", 0, start)
        close_tag = html.index(">", end) + 1
        alt = html[open_tag:start].split("alt='", 1)[1].rsplit("'", 1)[0]
        svg = squeezed(unquote(html[start + len(_MARK) : end]))
        html = html[:open_tag] + svg.replace("<svg", f"<svg role='img' aria-label='{alt}'", 1) + html[close_tag:]
    return html


def squeezed(svg: str) -> str:
    """Leave out of a picture what does not change how it looks on a page.

    Parameters
    ----------
    svg : str
        As `relkit.plates.plate` writes it: attributes in single quotes, no comments.

    Examples
    --------
    >>> squeezed("<g id='axes_1'>\\n<path d='M 1 2 \\nL 1 9 \\nL 4 9 \\nL 4 2 \\nz\\n' style='fill: #b34700'/>\\n</g>")
    "<path d='M1 2V9H4V2z' style='fill: #b34700'/>"
    >>> squeezed("<text style='font-size: 9px; font-family: DejaVu Sans; fill: #222222' x='1' transform='rotate(-0 1 2)'>a < b</text>")
    "<text style='font-size: 9px; fill: #222222' x='1'>a < b</text>"
    """
    svg = _UNUSED_ID.sub("", svg)
    kept: list[bool] = []

    def written(tag: re.Match[str]) -> str:
        closes, name, attributes, is_empty = tag.groups()
        if name == "g" and closes:
            return "</g>" if kept.pop() else ""
        if name == "g" and is_empty:
            return ""
        if name == "g":
            kept.append(bool(attributes.strip()))
            if not kept[-1]:
                return ""
        attributes = _PATH.sub(lambda path: short_path(path[0]), attributes)
        attributes = _NO_TURN.sub("", _FONT.sub("", attributes))
        return f"<{closes}{name}{attributes}{is_empty}>"

    return _TAG.sub(written, svg)


def short_path(path: str) -> str:
    """Write the outline of a shape briefly: no letter that the one before implies, upright and level lines as such.

    Examples
    --------
    >>> short_path("M 0 1 L 2 3 L 2 5 C 1 1 2 2 3 3 L 3 4 z")
    'M0 1 2 3V5C1 1 2 2 3 3V4z'
    """
    written: list[str] = []
    at: tuple[str, str] | None = None
    last = ""
    numbers: list[str] = []
    command = ""
    for letter, number in _STEP.findall(path):
        if letter:
            command = letter
            if letter in "zZ":
                written.append("z")
                at, last = None, "z"
            continue
        numbers.append(number)
        if len(numbers) < _NUMBERS[command]:
            continue
        x, y = numbers[-2:]
        if command == "L" and at and at[0] == x:
            written.append(f"V{y}")
            last = "V"
        elif command == "L" and at and at[1] == y:
            written.append(f"H{x}")
            last = "H"
        else:
            joins = command == "L" and last in _LINES and last
            written.append((" " if joins else command) + " ".join(numbers))
            last = command
        at, numbers = (x, y), []
    return "".join(written)
