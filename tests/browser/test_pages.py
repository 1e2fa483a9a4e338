"""A page as a reader gets it: no network, no sideways scrolling, a name for every figure, the answers on the first screen."""

from pathlib import Path
from typing import Any

import nbformat
import pytest
from reader import DESK, PHONE, Reader

from relkit.plates.plate import Plate
from relkit.plates.table import Table
from relkit.report.normal import normalise
from relkit.report.page import render_page
from relkit.report.publish import PAGES
from relkit.verdict import Verdict

pytestmark = pytest.mark.browser


@pytest.mark.parametrize("name", sorted(PAGES.values()))
def test_a_page_asks_nobody_and_complains_of_nothing(name: str, browser: Any, report_folder: Path) -> None:
    """The one request is the file itself; the content policy has nothing to block."""
    with Reader(browser, report_folder / name, DESK) as reader:
        assert reader.requests == [(report_folder / name).as_uri()]
        assert reader.complaints == []


@pytest.mark.parametrize("name", sorted(PAGES.values()))
def test_every_figure_has_an_accessible_name(name: str, browser: Any, report_folder: Path) -> None:
    with Reader(browser, report_folder / name, DESK) as reader:
        assert reader.unnamed() == []


@pytest.mark.parametrize("viewport", [PHONE, DESK], ids=["phone", "desk"])
@pytest.mark.parametrize("name", sorted(PAGES.values()))
def test_a_page_does_not_scroll_sideways(
    name: str, viewport: dict[str, int], browser: Any, report_folder: Path
) -> None:
    """Wide tables and pictures scroll within themselves."""
    with Reader(browser, report_folder / name, viewport) as reader:
        assert reader.overflow() <= 0


@pytest.mark.parametrize("viewport", [PHONE, DESK], ids=["phone", "desk"])
@pytest.mark.parametrize("name", sorted(PAGES.values()))
def test_axe_finds_no_violation(name: str, viewport: dict[str, int], browser: Any, report_folder: Path) -> None:
    with Reader(browser, report_folder / name, viewport) as reader:
        assert reader.violations() == []


@pytest.mark.parametrize("name", sorted(PAGES.values()))
def test_texts_in_pictures_can_be_read(name: str, browser: Any, report_folder: Path) -> None:
    """Contrast 4.5 with white, as WCAG asks for small text; on a phone the letters are not shrunk with the picture."""
    with Reader(browser, report_folder / name, PHONE) as reader:
        assert reader.least_contrast() >= 4.5
        assert reader.smallest_letter_px() >= 8.0


@pytest.mark.parametrize("name", sorted(PAGES.values()))
def test_no_figure_is_cut_on_paper(name: str, browser: Any, report_folder: Path) -> None:
    with Reader(browser, report_folder / name, DESK) as reader:
        assert reader.cut_in_print() == []


def test_the_first_screen_answers_the_five_questions(browser: Any, report_folder: Path) -> None:
    """The verdicts on slo, errors and shadow and the five answers lie above the fold of a small laptop."""
    with Reader(browser, report_folder / "index.html", DESK) as reader:
        verdicts = reader.page.locator(".verdict .code").all()
        answers = reader.page.locator("#answers tbody tr").all()
        assert len(verdicts) == 4
        assert len(answers) == 5
        for place in (*verdicts, *answers):
            box = place.bounding_box()
            assert box is not None
            assert box["y"] + box["height"] <= DESK["height"], place.inner_text()


def test_the_parts_of_a_picture_are_drawn(browser: Any, report_folder: Path) -> None:
    with Reader(browser, report_folder / "index.html", DESK) as reader:
        for picture in reader.page.locator("figure.plate svg").all():
            box = picture.bounding_box()
            assert box is not None
            assert box["width"] > 300
            assert box["height"] > 80


LONG = "x" * 20_000
HOSTILE = (
    f"</p><script>alert(1)</script><img src=http://x.example/a.png onerror=alert(2)>"
    f"<style>@import 'http://x.example/b.css'</style><svg onload=alert(3)> {LONG} \u202e"
)


@pytest.mark.parametrize("viewport", [PHONE, DESK], ids=["phone", "desk"])
def test_hostile_text_does_nothing_in_a_browser(viewport: dict[str, int], browser: Any, tmp_path: Path) -> None:
    """No dialog, no request, no complaint, no sideways scrolling, whatever a log says."""
    records = [
        Verdict("slo", "MET", HOSTILE, why_not=HOSTILE, would_change=HOSTILE),
        Table("t", HOSTILE, (HOSTILE, "n"), ((HOSTILE, "1"),)),
        Plate("p", HOSTILE, HOSTILE, "<svg viewBox='0 0 9 1'></svg>"),
        Plate("q", HOSTILE, HOSTILE, ""),
    ]
    cells = [nbformat.v4.new_markdown_cell("# T")]
    for record in records:
        output = nbformat.v4.new_output("execute_result", data=record._repr_mimebundle_(), execution_count=1)
        cells.append(nbformat.v4.new_code_cell("x", execution_count=1, outputs=[output]))
    stream = nbformat.v4.new_output("stream", name="stdout", text=HOSTILE)
    cells.append(nbformat.v4.new_code_cell("x", execution_count=1, outputs=[stream]))
    notebook = normalise(nbformat.v4.new_notebook(cells=cells))
    text = render_page(notebook, title="T", period="all", code={"version": "0", "commit": "0"}, data_hash="0" * 64)
    path = tmp_path / "page.html"
    path.write_text(text, encoding="utf-8")
    with Reader(browser, path, viewport) as reader:
        assert reader.requests == [path.as_uri()]
        assert reader.complaints == []
        assert reader.overflow() <= 0
