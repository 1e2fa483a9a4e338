"""docs/plan_defects.toml is well formed, and no defect of the design notes is left out or told twice."""

import re
import tomllib
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from relkit.exceptions import ReportError
from relkit.report.contract import CONTRACTS
from relkit.report.plan_defects import AREAS as AREA_NAMES
from relkit.report.plan_defects import defects_page, read_defects

FILE = Path(__file__).parents[2] / "docs" / "plan_defects.toml"
AREAS = "ECLRFBHSAOM"
KEYS = {"id", "severity", "plan", "says", "consequence", "rule", "test", "figure", "sources"}
PLAN_SECTIONS = {
    *("1.1", "1.2", "2.1", "2.2", "2.3", "3.1", "3.2", "3.3", "4.1", "4.2", "4.3", "5.1", "5.2"),
    *("Executive Summary", "Current State Analysis", "Implementation Roadmap", "Testing Strategy"),
    *("Metrics & SLOs", "Cost Analysis", "Success Metrics", "Conclusion"),
}

# The rows of the design notes that list a defect of the plan. 138 stand in the defect tables; the others are
# the clauses of running text beside them. A row with several defects is cited by parts: #8a, #8b, ...
ROWS = [
    *[f"errors 2.1 #{n}" for n in range(1, 26)],
    *[f"errors 2.2 #{n}" for n in range(1, 7)],
    *[f"errors 2.3 #{n}" for n in range(1, 9)],
    *[f"errors 2.4 #{n}" for n in range(1, 8)],
    *[f"errors 2.5 #{n}" for n in range(1, 13)],
    *[f"policies 4 #{n}" for n in range(1, 51)],
    *[f"slo 3 #{n}" for n in range(1, 13)],
    *[f"shadow-ab 2.1 A{n}" for n in range(1, 15)],
    *[f"shadow-ab 2.2 B{n}" for n in range(1, 11)],
    *[f"shadow-ab 7 #{n}" for n in range(1, 4)],
    *[f"tuning facts #{n}" for n in range(1, 6)],
]
# Headline findings that repeat a defect with its figure: cited where they add one.
HEADLINES = {
    *(
        "errors 0 #1",
        "errors 0 #2",
        "policies 0 #4",
        "policies 0 #5",
        "policies 0 #7",
        "tuning 0 #6",
        "slo headline #5",
    ),
    *(f"shadow-ab 0 #{n}" for n in range(1, 7)),
}

DEFECTS: list[dict[str, Any]] = tomllib.loads(FILE.read_text(encoding="utf-8"))["defect"]
SOURCES = [source for defect in DEFECTS for source in defect["sources"]]


def row_of(source: str) -> tuple[str, str]:
    """Split "policies 4 #8a" into its row and the letter of its part, which may be empty."""
    row, part = re.fullmatch(r"(.*\d)([a-z]?)", source).groups()
    return row, part


def test_the_file_holds_defects_and_nothing_else():
    assert set(tomllib.loads(FILE.read_text(encoding="utf-8"))) == {"defect"}


@pytest.mark.parametrize("defect", DEFECTS, ids=lambda defect: defect["id"])
def test_an_entry_has_every_field_in_its_form(defect):
    assert set(defect) == KEYS
    assert re.fullmatch(rf"[{AREAS}]\d\d", defect["id"])
    assert defect["severity"] in {"high", "medium", "low"}
    assert defect["plan"] in PLAN_SECTIONS
    for field in ("says", "consequence", "rule"):
        text = defect[field]
        assert text == text.strip()
        assert text.endswith("."), f"{field} is no sentence"
    assert defect["sources"]
    assert isinstance(defect["test"], str)
    assert isinstance(defect["figure"], str)


@pytest.mark.parametrize("defect", [each for each in DEFECTS if each["test"]], ids=lambda defect: defect["id"])
def test_a_named_test_exists(defect):
    file, _, name = defect["test"].partition("::")
    assert f"def {name.partition('[')[0]}(" in (FILE.parents[1] / file).read_text(encoding="utf-8")


@pytest.mark.parametrize("defect", [each for each in DEFECTS if each["figure"]], ids=lambda defect: defect["id"])
def test_a_named_figure_is_shown_by_its_notebook(defect):
    notebook, _, name = defect["figure"].partition(": ")
    assert name in CONTRACTS[notebook].shows


def test_every_defect_of_high_severity_outside_health_has_a_test_and_a_figure():
    """Health is shown by the service that answers for it."""
    high = [each for each in DEFECTS if each["severity"] == "high" and each["id"][0] != "H"]
    assert [each["id"] for each in high if not each["test"] or not each["figure"]] == []


def test_the_page_is_made_of_the_list():
    """docs/plan-defects.md, byte for byte: `python -m relkit.report.plan_defects` writes it."""
    assert (FILE.parent / "plan-defects.md").read_text(encoding="utf-8") == defects_page(read_defects(FILE))


def test_the_page_tells_every_defect_once_with_its_rule():
    page = defects_page(read_defects(FILE))
    for defect in DEFECTS:
        assert page.count(f"**{defect['id']}**") == 1
        assert defect["rule"] in page
    assert all(f"## {name}" in page for name in AREA_NAMES.values())
    assert "".join(AREA_NAMES) == AREAS


@pytest.mark.parametrize("text", ["[[defect]]\nid = 'E01'", "[[defekt]]", "= 1", "[[defect]]\nid = 'E01'\nmore = 2"])
def test_a_list_with_faults_is_refused_with_its_name(tmp_path, text):
    file = tmp_path / "defects.toml"
    file.write_text(text)
    with pytest.raises(ReportError, match=r"defects\.toml"):
        read_defects(file)


def test_ids_are_given_once():
    assert [name for name, count in Counter(defect["id"] for defect in DEFECTS).items() if count > 1] == []


def test_areas_stand_in_order_and_ids_ascend_within_them():
    ids = [defect["id"] for defect in DEFECTS]
    assert ids == sorted(ids, key=lambda name: (AREAS.index(name[0]), name))


def test_no_two_entries_say_the_same():
    for field in ("says", "rule"):
        assert [text for text, count in Counter(defect[field] for defect in DEFECTS).items() if count > 1] == []


def test_no_row_or_part_of_the_notes_is_used_twice():
    assert [source for source, count in Counter(SOURCES).items() if count > 1] == []


def test_every_row_of_the_notes_is_covered_and_no_other_is_cited():
    cited = {row_of(source)[0] for source in SOURCES}
    assert sorted(set(ROWS) - cited) == []
    assert sorted(cited - set(ROWS) - HEADLINES) == []


def test_a_row_is_cited_whole_or_in_all_its_parts():
    parts: dict[str, list[str]] = {}
    for source in SOURCES:
        row, part = row_of(source)
        parts.setdefault(row, []).append(part)
    for row, letters in parts.items():
        wanted = [""] if letters == [""] else [chr(ord("a") + n) for n in range(max(len(letters), 2))]
        assert sorted(letters) == wanted, row
