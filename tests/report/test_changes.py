"""What changed between two runs, said from their summaries; and between two outputs, in one line."""

from typing import Any

import pytest

from relkit.report.compare import difference_line
from relkit.report.diff import changes
from relkit.verdict import MIME


def summary(code: str, sentence: str = "s", **more: Any) -> dict[str, Any]:
    return {"data_hash": "a", "verdicts": {"slo": {"code": code, "sentence": sentence}}, **more}


def test_nothing_changed_says_nothing() -> None:
    assert changes(summary("MET"), summary("MET")) == []


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        (summary("MET"), summary("MISSED", "b"), "slo: MET before, MISSED now: b"),
        (summary("MET", "a"), summary("MET", "b"), "slo: still MET, before: a Now: b"),
        ({"data_hash": "a", "verdicts": {}}, summary("MET"), "slo: not reported before, MET now"),
        (summary("MET"), {"data_hash": "a", "verdicts": {}}, "slo: MET before, not reported now"),
        (summary("MET"), summary("MET", data_hash="b"), "the data differ (other ingest ledger)"),
        (summary("MET", guardrails={"x": "MET"}), summary("MET", guardrails={"x": "MISSED"}), "guardrail x: MET before, MISSED now"),
        ({}, summary("MET"), "slo: not reported before, MET now"),
    ],
)  # fmt: skip
def test_each_difference_is_one_sentence(before: dict[str, Any], after: dict[str, Any], said: str) -> None:
    assert said in changes(before, after)


def plate(**values: float) -> dict[str, Any]:
    return {"kind": "plate", "name": "burn", "caption": "c", "values": values}


def test_a_changed_plate_names_itself_and_its_number() -> None:
    assert difference_line(MIME, plate(worst=1.5), plate(worst=2)) == "plate burn: values.worst was 1.5, is 2"


def test_many_changed_numbers_stay_one_line() -> None:
    line = difference_line(MIME, plate(a=1, b=1, c=1, d=1, e=1), plate(a=2, b=2, c=2, d=2, e=2))
    assert line == "plate burn: values.a was 1, is 2; values.b was 1, is 2; values.c was 1, is 2 (and 2 more)"


def test_a_number_that_came_or_went_is_said() -> None:
    assert difference_line(MIME, plate(a=1), plate()) == "plate burn: values.a was 1, is null"


def test_a_cell_of_a_table_is_found_by_its_place() -> None:
    old = {"kind": "table", "name": "t", "rows": [["x", "1"], ["y", "2"]]}
    assert difference_line(MIME, old, {**old, "rows": [["x", "1"], ["y", "3"]]}) == "table t: rows[1][1] was 2, is 3"


@pytest.mark.parametrize("size", [10, 100_000])
def test_markup_is_cut_to_where_it_parts(size: int) -> None:
    """Not 20 KB of picture: the name of the plate, and a few characters around the first difference."""
    old = f"<figure id='burn'>{'x' * size}1{'y' * size}"
    line = difference_line("text/html", old, old.replace("1", "2"))
    assert line.startswith("burn: text/html (")
    assert "xxxxxxxxxx1yyyyyyyyyy" in line
    assert len(line) < 200
    assert "\n" not in line


def test_records_that_came_as_text_are_read() -> None:
    assert "values.a was 1, is 2" in difference_line(
        MIME, '{"kind":"plate","name":"n","values":{"a":1}}', '{"kind":"plate","name":"n","values":{"a":2}}'
    )
