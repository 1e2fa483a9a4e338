"""The explorer: three sliders over 320 points that were played beforehand, one offline page; and the live trial in JupyterLab."""

import json
from collections.abc import Mapping
from html import escape
from importlib import resources
from string import Template
from typing import Any

from relkit.exceptions import ReportError

MOST_BYTES = 1_500_000
"""The largest page that is written."""


def _part(name: str) -> str:
    return resources.files("relkit.plates").joinpath("template", name).read_text(encoding="utf-8")


def script() -> str:
    """Return the script that draws."""
    return _part("explorer.js")


def as_json(record: Mapping[str, Any]) -> str:
    """Write a record so that it can stand in a script: no tag, comment or line end of JavaScript is in it.

    >>> as_json({"a": "</script><!--"})
    '{"a":"\\\\u003c/script>\\\\u003c!--"}'
    """
    text = json.dumps(record, separators=(",", ":"), allow_nan=False, ensure_ascii=True, sort_keys=True)
    return text.replace("<", "\\u003c")


def explorer_page(record: Mapping[str, Any], *, title: str, period: str) -> str:
    """Write the explorer as one HTML file that needs no network.

    Parameters
    ----------
    record : mapping
        Of `relkit.tune.explore.explored`.
    title, period : str
        Head of the page.

    Returns
    -------
    str
        One HTML document. Its content security policy allows its own script and nothing from anywhere else.

    Raises
    ------
    ReportError
        It would be larger than `MOST_BYTES`.
    """
    page = Template(_part("explorer.html")).substitute(
        title=escape(title),
        period=escape(period),
        style=_part("explorer.css"),
        script=_part("explorer.js"),
        record=as_json(record),
    )
    if (size := len(page.encode())) > MOST_BYTES:
        raise ReportError(f"the explorer would take {size} bytes, and {MOST_BYTES} are allowed: play fewer requests")
    return page
