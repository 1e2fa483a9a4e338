"""The demo week's report, made by real kernels twice: in this process, and as a person types it under other conditions."""

import hashlib
import json
import os
import re
import subprocess
import sys
from collections import Counter
from html.parser import HTMLParser
from pathlib import Path

import pytest

from relkit.report.explorer import FILE as EXPLORER
from relkit.report.publish import NOTEBOOKS, PAGES
from relkit.units import printable

WEEK = "2026-W47"


@pytest.fixture(scope="session")
def typed(report_folder: Path, demo_database: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str, str]:
    """`relkit report --json` from a folder with a space, without HOME, in a terminal without Unicode, at four threads."""
    here = tmp_path_factory.mktemp("another folder")
    environment = {name: value for name, value in os.environ.items() if name not in {"HOME", "LANG", "PYTHONUTF8"}}
    environment |= {"RELKIT_THREADS": "4", "LC_ALL": "C", "TZ": "Asia/Tokyo", "PYTHONHASHSEED": "7", "COLUMNS": "40"}
    words = [sys.executable, "-m", "relkit", "report", "--week", WEEK, "--reports", "the reports", "--json"]
    done = subprocess.run(words, cwd=here, env=environment, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    return here / "the reports" / WEEK, done.stdout, done.stderr


def without_code(page: bytes) -> bytes:
    """The page but for the version and commit it names."""
    return re.sub(rb"Made by relkit [^)]*\)", b"", page)


def files_of(folder: Path) -> list[str]:
    """Name all files of a report, those in its folders too."""
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


def test_equal_inputs_give_equal_bytes(report_folder: Path, typed: tuple[Path, str, str]) -> None:
    """Another process, folder, zone, hash seed and number of threads: the same notebooks, pages and summaries."""
    other = typed[0]
    names = files_of(report_folder)
    assert names == files_of(other)
    for name in names:
        if name == "manifest.json":
            continue
        ours, theirs = ((folder / name).read_bytes() for folder in (report_folder, other))
        ours, theirs = (without_code(ours), without_code(theirs)) if name.endswith(".html") else (ours, theirs)
        assert hashlib.sha256(ours).hexdigest() == hashlib.sha256(theirs).hexdigest(), name


def test_manifests_differ_in_the_code_alone(report_folder: Path, typed: tuple[Path, str, str]) -> None:
    ours, theirs = (json.loads((folder / "manifest.json").read_text()) for folder in (report_folder, typed[0]))
    assert set(theirs["code"]) == {"version", "commit", "lock"}
    assert len(theirs["code"]["lock"]) == 64
    for manifest in (ours, theirs):
        del manifest["code"]
        manifest["files"] = {name: sha for name, sha in manifest["files"].items() if not name.endswith(".html")}
    assert ours == theirs


def test_what_is_typed_answers_in_json_and_says_nothing_else(typed: tuple[Path, str, str]) -> None:
    """ASCII and no control character but line ends; kernels, papermill and progress bar are silent."""
    _, out, err = typed
    record = json.loads(out)
    assert record["page"] == f"the reports/{WEEK}/index.html"
    assert (record["is_new"], record["changed"], record["broken"]) == (True, [], [])
    assert set(record["summary"]["verdicts"]) == {"data", "slo", "errors", "shadow"}
    assert out.isascii()
    assert all(printable(line) == line for line in out.splitlines())
    assert err == ""


def test_nothing_names_this_machine(report_folder: Path, typed: tuple[Path, str, str], demo_database: Path) -> None:
    """No folder, no user, no process of whoever ran it."""
    for folder in (report_folder, typed[0]):
        for path in map(folder.joinpath, files_of(folder)):
            text = path.read_text()
            for trace in (str(demo_database.parent), str(Path.cwd()), str(folder.parent), "kernels-", "making-"):
                assert trace not in text, (path.name, trace)


def test_a_report_leaves_nothing_but_itself(typed: tuple[Path, str, str]) -> None:
    reports = typed[0].parent
    assert [path.name for path in reports.iterdir() if path.name != ".runs"] == [WEEK]
    assert [path.name for path in (reports / ".runs").iterdir()] == [f"{WEEK}-0001"]


class Page(HTMLParser):
    """What a reader of the page's elements needs to know."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: Counter[str] = Counter()
        self.ids: Counter[str] = Counter()
        self.addresses: list[str] = []
        self.handlers: list[str] = []
        self.figures: list[str] = []
        self.language = ""
        self._depth = 0
        self._in_caption = False
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags[tag] += 1
        for name, value in attrs:
            if name == "id":
                self.ids[value or ""] += 1
            if name in {"src", "href", "xlink:href", "action", "data", "poster", "srcset"}:
                self.addresses.append(value or "")
            if name.startswith("on"):
                self.handlers.append(name)
            if name in {"aria-label", "alt"} and self._depth:
                self.figures[-1] += value or ""
        if tag == "html":
            self.language = dict(attrs).get("lang") or ""
        if tag == "figure":
            self._depth += 1
            self.figures.append("")
        if tag == "figcaption":
            self._in_caption = True

    def handle_endtag(self, tag: str) -> None:
        if tag == "figure":
            self._depth -= 1
        if tag == "figcaption":
            self._in_caption = False

    def handle_data(self, data: str) -> None:
        if self._in_caption and self.figures:
            self.figures[-1] += data


@pytest.fixture(scope="session", params=sorted(PAGES.values()))
def page(request: pytest.FixtureRequest, report_folder: Path) -> Page:
    return Page((report_folder / request.param).read_text())


def test_a_page_has_one_title_and_a_language(page: Page) -> None:
    assert (page.tags["h1"], page.tags["title"], page.tags["main"], page.language) == (1, 1, 1, "en")


def test_every_figure_has_a_name_to_read_aloud(page: Page) -> None:
    assert page.figures
    assert all(name.strip() for name in page.figures)


def test_a_page_runs_nothing_and_asks_nobody(page: Page) -> None:
    """No script, no handler, no frame, no form; addresses lead within the page or to its neighbours."""
    for tag in ("script", "iframe", "object", "embed", "form", "link", "base", "img"):
        assert page.tags[tag] == 0, tag
    assert page.handlers == []
    neighbours = {*PAGES.values(), EXPLORER}
    for address in page.addresses:
        inside = address.startswith("#") or address in neighbours
        assert inside or re.fullmatch(r"tables/[a-z0-9_-]+\.csv", address), address


def test_an_id_stands_once_on_a_page(page: Page) -> None:
    assert {name: times for name, times in page.ids.items() if times > 1} == {}


@pytest.mark.parametrize("name", sorted(PAGES.values()))
def test_a_page_is_small_and_its_style_asks_nobody(name: str, report_folder: Path) -> None:
    text = (report_folder / name).read_text()
    assert len(text.encode()) <= 150_000
    assert "Content-Security-Policy" in text
    assert "@import" not in text
    assert re.findall(r"url\((?!#)", text) == []


def test_the_summary_fits_a_chat(report_folder: Path) -> None:
    lines = (report_folder / "summary.md").read_text().splitlines()
    assert 2 <= len(lines) <= 10
    assert all(printable(line) == line for line in lines)


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_a_published_notebook_names_what_it_was_given(name: str, report_folder: Path) -> None:
    notebook = json.loads((report_folder / f"{name}.ipynb").read_text())
    (injected,) = [cell for cell in notebook["cells"] if "injected-parameters" in cell["metadata"].get("tags", [])]
    assert "".join(injected["source"]) == f'# Parameters\ndatabase = "demo.duckdb"\nweek = "{WEEK}"\nconfig = ""'
