"""The explorer's page: one file, no network, small, and whatever a name holds stays text."""

import json
import re
from collections.abc import Mapping
from functools import cache
from typing import Any

import pytest
from tuned import quiet

from relkit.exceptions import ReportError
from relkit.plates.explorer import MOST_BYTES, as_json, explorer_page
from relkit.policies.presets import presets
from relkit.tune.explore import explored, ghosts_of
from relkit.tune.grid import open_times
from relkit.tune.groundwork import base_of, space_of, suite_of


@cache
def numbers() -> Mapping[str, Any]:
    space = space_of(presets["plan-fixed"])
    suite = [
        each
        for each in suite_of(base_of(quiet()).changed(requests=2000), 60.0)
        if each.name in {"outage", "brownout", "flapping"}
    ]
    return explored(
        space.base, open_times(space), suite, "a {failure_share}", ghosts=ghosts_of(presets["plan-fixed"]), seeds=(1, 2)
    ).record


def page(title: str = "Explorer") -> str:
    return explorer_page(numbers(), title=title, period="2026-W47")


def test_it_is_one_small_file_that_asks_nobody() -> None:
    text = page()
    assert len(text.encode()) <= MOST_BYTES
    assert not re.search(r"(src|href)=[\"']?(https?:)?//|@import|url\(|fetch\(|XMLHttpRequest|import\(", text)
    assert "default-src 'none'" in text
    assert len(re.findall("<script", text)) == 1


def test_its_numbers_parse_back_and_there_are_320_points() -> None:
    text = page()
    found = re.search(r'relkitExplorer\(document\.getElementById\("explorer"\), (\{.*\})\);', text)
    assert found
    record = json.loads(found[1])
    assert [len(scenario["points"]) for scenario in record["scenarios"]] == [320, 320, 320]
    assert len(record["settings"]["failure_share"]) * len(record["settings"]["open_s"]) == 64
    assert next(each["name"] for each in record["scenarios"][0]["presets"]) == "plan-fixed"


def test_a_page_beyond_the_limit_is_not_written() -> None:
    with pytest.raises(ReportError, match="1500000"):
        explorer_page({"text": "x" * MOST_BYTES}, title="T", period="all")


def test_text_cannot_leave_its_place() -> None:
    assert "</script><b>" not in as_json({"name": "</script><b>"})
    assert json.loads(as_json({"name": "</script><b>"})) == {"name": "</script><b>"}
    assert "<b>x</b>" not in page("<b>x</b>")
