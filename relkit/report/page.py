"""From an executed notebook to one HTML file: no code, no network, the pictures inside.

Only outputs of our own records, which escape every text, are taken as markup; whatever else a cell shows is taken as
text. Markdown is ours. A content security policy forbids scripts and requests all the same, because log texts end up
on these pages.
"""

import re
from collections.abc import Mapping, Sequence
from html import escape
from importlib import resources
from typing import Any, Final, Protocol

import jinja2
from markupsafe import Markup

from relkit.report.normal import NotebookNode
from relkit.report.pictures import inline_pictures
from relkit.verdict import MIME

_HIDDEN: Final = {"parameters", "injected-parameters", "setup"}
_FIGURE: Final = re.compile(r"<figure class='[a-z]+' id='(?P<id>[^']+)'>")
_CSV_LINK: Final = "<p class='csv'><a href='{0}'>{0}</a></p>"
_ANCHOR: Final = re.compile(r'<a class="anchor-link"[^>]*>.*?</a>')


def render_page(
    notebook: NotebookNode,
    *,
    title: str,
    period: str,
    code: Mapping[str, str],
    data_hash: str,
    links: Sequence[Mapping[str, object]] = (),
    files: Mapping[str, str] | None = None,
) -> str:
    """Write the page of an executed notebook.

    Parameters
    ----------
    notebook : NotebookNode
        Executed, in normal form.
    title, period : str
        Head of the page.
    code : mapping
        version and commit.
    data_hash : str
        Of the ledger.
    links : sequence of mappings
        text, file, here: the other pages of the report.
    files : mapping of str to str, optional
        Name of a table to the CSV file that lies beside the page.

    Returns
    -------
    str
        One HTML document.
    """
    blocks = _blocks(notebook, files or {})
    return _document(blocks, title=title, period=period, code=code, data_hash=data_hash, links=links)


class Shown(Protocol):
    """A Plate, Table or Verdict: what knows how it is shown."""

    def _repr_mimebundle_(self) -> dict[str, Any]: ...


def render_records(
    sections: Sequence[tuple[str, str, Sequence[Shown]]],
    *,
    title: str,
    period: str,
    code: Mapping[str, str],
    data_hash: str,
) -> str:
    """Write a page of Plates, Tables and Verdicts that no notebook has gathered.

    Parameters
    ----------
    sections : sequence of (str, str, sequence of Shown)
        Heading and leading text, either of which may be empty, and what stands under them; no name twice on a page.
    title, period : str
        Head of the page.
    code : mapping
        version and commit.
    data_hash : str
        Of the ledger.

    Returns
    -------
    str
        One HTML document, without scripts.
    """
    blocks = []
    for heading, text, records in sections:
        lead = (f"<h2>{escape(heading)}</h2>" if heading else "") + (f"<p>{escape(text)}</p>" if text else "")
        shown = [inline_pictures(_named(record._repr_mimebundle_()["text/html"])) for record in records]
        blocks.append("\n".join(filter(None, (lead, *shown))))
    return _document(blocks, title=title, period=period, code=code, data_hash=data_hash)


def _document(
    blocks: Sequence[str],
    *,
    title: str,
    period: str,
    code: Mapping[str, str],
    data_hash: str,
    links: Sequence[Mapping[str, object]] = (),
) -> str:
    folder = resources.files("relkit.report").joinpath("template")
    template = jinja2.Environment(autoescape=True, trim_blocks=True, undefined=jinja2.StrictUndefined).from_string(
        folder.joinpath("page.html.j2").read_text(encoding="utf-8")
    )
    return template.render(
        title=title,
        period=period,
        code=code,
        data_hash=data_hash,
        links=links,
        style=Markup(  # noqa: S704  our own file
            folder.joinpath("page.css").read_text(encoding="utf-8")
        ),
        blocks=[Markup(block) for block in blocks],  # noqa: S704  our records escape every text
    )


def _blocks(notebook: NotebookNode, files: Mapping[str, str]) -> list[str]:
    """List the parts of the page; what leads up to a figure is kept together with it when the page is printed."""
    blocks: list[str] = []
    lead = ""
    for place, cell in enumerate(notebook.cells):
        if _HIDDEN & set(cell.metadata.get("tags", ())):
            continue
        if cell.cell_type == "markdown":
            if place:  # the first cell is the title, which the head of the page shows
                lead += _markdown(cell.source)
            continue
        for output in cell.get("outputs", ()):
            shown = output.get("data", {})
            if MIME in shown and "text/html" in shown:
                block = inline_pictures(_named(shown["text/html"]))
                if file := files.get(shown[MIME].get("name", "")):
                    block = block.removesuffix("</figure>") + _CSV_LINK.format(escape(file)) + "</figure>"
            elif text := shown.get("text/plain") or output.get("text"):
                block = f"<pre>{escape(text)}</pre>"
            else:
                continue
            blocks.append(f"<section>\n{lead}\n{block}\n</section>" if lead else block)
            lead = ""
    return [*blocks, lead] if lead else blocks


def _markdown(text: str) -> str:
    from nbconvert.filters import markdown2html_mistune  # noqa: PLC0415  a second of imports that only a page needs

    return _ANCHOR.sub("", markdown2html_mistune(text))


def _named(html: str) -> str:
    """Let each figure be read aloud by its caption; Chromium takes no name from `<figcaption>` alone.

    On a narrow screen it scrolls within itself: by keys too, once it can be reached by them.
    """
    found = _FIGURE.match(html)
    if not found:
        return html
    caption = f"{found['id']}-caption"
    head = f"{found[0][:-1]} aria-labelledby='{caption}' tabindex='0'>"
    return head + html[found.end() :].replace("<figcaption>", f"<figcaption id='{caption}'>", 1)
