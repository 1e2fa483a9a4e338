"""Text from logs is data: on the page, in the notebook, in summary.md and on a terminal."""

import csv
import io
import json
import re
import warnings
import xml.etree.ElementTree as ET
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbformat import NotebookNode

from relkit.batch import Batch
from relkit.period import period_of
from relkit.plates.plate import Plate
from relkit.plates.slo import series_plate
from relkit.plates.table import Table
from relkit.report import begin, read_service
from relkit.report.normal import normalise, to_text
from relkit.report.outputs import shown_by
from relkit.report.page import render_page
from relkit.report.spreadsheet import table_csv
from relkit.report.summary import summary_lines, summary_record
from relkit.store import open_store, sink_into
from relkit.units import US_PER_MINUTE
from relkit.verdict import Verdict

HOSTILE = {
    "script": "</p></figcaption><script>alert(1)</script>",
    "image": "<img src=x onerror=alert(1)>",
    "single quotes": "' onmouseover='alert(1)' x='",
    "double quotes": '" onmouseover="alert(1)" x="',
    "picture address": 'src="data:image/svg+xml,%3Csvg onload=alert(1)%3E"',
    "svg": "<svg onload=alert(1)><use href='http://x.example/a.svg'/></svg>",
    "style": "</style><style>@import 'http://x.example/a.css'</style>",
    "entity": "&lt;script&gt;alert(1)&lt;/script&gt; &#60;b&#62;",
    "template": "{{ 7 * 7 }} {% raw %} ${x}",
    "markdown": "![x](http://x.example/a.png) [y](javascript:alert(1)) **b** `c` <http://x.example> | a |",
    "heading": "\n# Not a title\n\n---\n",
    "ansi": "\x1b[31mred\x1b]8;;http://x.example\x07link\x1b[0m \x9b2J",
    "direction": "abc\u202egnp.exe\u2066\u200f",
    "nul": "a\x00b\x08\x7f",
    "comment": "<!-- --> ]]> -->",
    "formula": '=HYPERLINK("http://x.example",1)',
    "plus": "+1+cmd|' /C calc'!A0",
    "minus": "-2+3",
    "at": "@SUM(1)",
    "tab": "\t=1+1",
    "quoted": '"=1+1"\n=2',
    "blank": " =1+1",
}
ACTS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]")


class Elements(HTMLParser):
    """The elements and attributes a browser would see."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs


def _records(text: str) -> list[Any]:
    return [
        Verdict("slo", "MET", text, why_not=text, would_change=text),
        Table("t", text, (text, "n"), ((text, "1"), (text, text)), {"x": text}),
        Plate("p", text, text, "<svg viewBox='0 0 1 1'><g id='figure_1'></g></svg>", {"x": text}),
        Plate("q", text, text, ""),
    ]


def _notebook(text: str) -> NotebookNode:
    cells = [nbformat.v4.new_markdown_cell("# T")]
    for number, record in enumerate(_records(text), start=1):
        output = nbformat.v4.new_output("execute_result", data=record._repr_mimebundle_(), execution_count=number)
        cells.append(nbformat.v4.new_code_cell("x", execution_count=number, outputs=[output]))
    stream = nbformat.v4.new_output("stream", name="stdout", text=text)
    foreign = nbformat.v4.new_output(
        "display_data", data={"text/html": text, "text/plain": text, "text/markdown": text}
    )
    cells.append(nbformat.v4.new_code_cell("x", execution_count=9, outputs=[stream, foreign]))
    return normalise(nbformat.v4.new_notebook(cells=cells))


def _page(notebook: NotebookNode) -> str:
    code = {"version": "0", "commit": "c0ffee"}
    return render_page(notebook, title="T", period="2026-W47", code=code, data_hash="0" * 64)


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_text_adds_no_element_and_no_attribute_to_the_page(text: str) -> None:
    """A page with hostile text has the very elements and attributes of one with harmless text."""
    hostile, harmless = Elements(_page(_notebook(text))), Elements(_page(_notebook("abc")))
    assert hostile.tags == harmless.tags
    assert [name for name, _ in hostile.attributes] == [name for name, _ in harmless.attributes]
    assert not ACTS.search(_page(_notebook(text)))


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_text_stays_text_in_the_notebook(text: str) -> None:
    """JupyterLab shows text/html: no element comes from the text, and nothing acts unseen in any text."""
    stored = to_text(_notebook(text))
    assert not ACTS.search(stored.replace("\\n", "").replace("\\t", ""))
    for cell, plain in zip(json.loads(stored)["cells"][1:5], _notebook("abc").cells[1:5], strict=True):
        html = "".join(cell["outputs"][0]["data"]["text/html"])
        assert Elements(html).tags == Elements(plain.outputs[0].data["text/html"]).tags


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_text_is_inert_in_the_summary(text: str) -> None:
    """One line a verdict, whatever the text; nothing a terminal acts on, no markup a chat would follow."""
    shown = shown_by(_notebook(text))
    lines = summary_lines(summary_record(shown, period_of("2026-W47"), "0" * 64))
    assert len(lines) == 2
    body = lines[1].removeprefix("- slo **MET**: ")
    assert "\n" not in body
    assert not ACTS.search(body)
    assert not re.search(r"(?<!\\)[\[\]<>`*_|]|(?<!\\)://", body)


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_text_is_inert_in_the_csv_of_a_table(text: str) -> None:
    """One cell stays one cell, begins like no formula, and holds nothing that acts unseen."""
    record = Table("t", "c", (text, "n"), ((text, "−1\u202f204"), (text, "-5 %"))).record()
    rows = list(csv.reader(io.StringIO(table_csv(record))))
    assert [len(row) for row in rows] == [2, 2, 2]
    assert [row[1] for row in rows] == ["n", "-1204", "-5 %"]
    for cell, _ in rows:
        assert not cell.lstrip().startswith(("=", "+", "-", "@"))
        assert not ACTS.search(cell)


def test_a_megabyte_is_shown_whole_on_the_page_and_cut_in_the_summary() -> None:
    text = "<b>" * 350_000
    page = _page(_notebook(text))
    assert "&lt;b&gt;" * 350_000 in page
    assert "<b><b>" not in page
    assert max(map(len, summary_lines(summary_record(shown_by(_notebook(text)), period_of("all"), "")))) < 1_000


def test_a_summary_has_ten_lines_at_most() -> None:
    verdicts = {f"area {n}": {"code": "MET", "sentence": "x"} for n in range(30)}
    assert len(summary_lines({"week": "2026-W47", "verdicts": verdicts})) == 10


def test_markup_comes_from_our_own_records_alone(make_run: Callable[..., NotebookNode]) -> None:
    """Whatever else a cell shows as HTML is taken as the text it also has."""
    run = make_run()
    data = {"text/html": "<h1>x</h1><iframe src='http://x.example'></iframe>", "text/plain": "a <b>"}
    run.cells[-1].outputs.append(nbformat.v4.new_output("display_data", data=data))
    page = _page(normalise(run))
    assert "iframe" not in page
    assert "<pre>a &lt;b&gt;</pre>" in page


@pytest.mark.parametrize(
    "service", ["$x^2_$", "支付 😀", "a\x1b[31m", "x" * 2_000], ids=["math", "glyphs", "ansi", "long"]
)
def test_a_service_name_in_a_picture_is_text(service: str, tmp_path: Path) -> None:
    """One odd name in a log must not keep the week's page from being made: a warning counts as a failure there."""
    path = tmp_path / "log.duckdb"
    start = period_of("2026-W47").start_us or 0
    rows = {
        "ts": [start + minute * US_PER_MINUTE for minute in range(60)],
        "service": [service] * 60,
        "up": [True] * 60,
    }
    with open_store(path, write=True) as store, sink_into(store, "test", "x") as sink:
        sink(Batch("probes", rows))
    scope = begin("4_slo", database=str(path), week="2026-W47")
    with warnings.catch_warnings(action="error"):
        drawn = series_plate(read_service(scope))
    assert ET.fromstring(drawn.svg).tag.endswith("svg")
