"""What changed between two runs, said from their summaries; and between two outputs, in one line."""

import json
from pathlib import Path
from typing import Any

import pytest

from relkit.cli import main
from relkit.exceptions import ReportError
from relkit.report.compare import difference_line
from relkit.report.diff import changes, diff_reports
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


def published(reports: Path, label: str, share: float, half: float, left: str, version: str = "1") -> None:
    """A report as publishing leaves it: a link to a run with a manifest."""
    verdict = {
        "area": "slo",
        "code": "MISSED",
        "sentence": f"{share}",
        "value": share,
        "low": share - half,
        "high": share + half,
    }
    manifest = {
        "notebook": "6_weekly 4_slo",
        "code": {"version": version},
        "verdicts": {"6_weekly": [verdict], "4_slo": []},
        "tables": {"6_weekly": [{"name": "answers", "rows": [["Error budget left?", left]]}]},
    }
    run = reports / ".runs" / f"{label}-0001"
    run.mkdir(parents=True)
    (run / "manifest.json").write_text(json.dumps(manifest))
    (reports / label).symlink_to(Path(".runs") / run.name)


def test_two_weeks_are_compared_by_their_manifests(tmp_path: Path) -> None:
    published(tmp_path, "2026-W46", 0.99, 0.001, "40 %")
    published(tmp_path, "2026-W47", 0.98, 0.001, "none", version="2")
    found = diff_reports(tmp_path, "W46", "2026-W47")
    assert (found.before, found.after, found.moved) == ("2026-W46", "2026-W47", ("slo",))
    assert found.lines == (
        "slo: still MISSED, before: 0.99 Now: 0.98",
        "slo: moved by more than chance, the intervals do not touch",
        "Error budget left? 40 % before, none now",
        "made by different versions of relkit: run the earlier week again before comparing small changes",
    )
    assert diff_reports(tmp_path, "W46", "W46").lines == ()


def test_what_chance_explains_is_not_said_to_have_moved(tmp_path: Path) -> None:
    published(tmp_path, "2026-W46", 0.99, 0.01, "40 %")
    published(tmp_path, "2026-W47", 0.98, 0.01, "40 %")
    assert diff_reports(tmp_path, "W46", "W47").moved == ()


def test_a_short_label_is_that_of_the_newest_year(tmp_path: Path) -> None:
    for label in ("2025-W46", "2026-W46"):
        published(tmp_path, label, 0.99, 0.01, "40 %")
    assert diff_reports(tmp_path, "W46", "2025-W46").before == "2026-W46"


@pytest.mark.parametrize(
    ("text", "said"), [("{", "cannot be read"), ("[]", "none of this version"), ("{}", "none of this version")]
)
def test_a_report_that_is_not_there_or_not_whole_is_told(tmp_path: Path, text: str, said: str) -> None:
    published(tmp_path, "2026-W46", 0.99, 0.01, "40 %")
    with pytest.raises(ReportError, match="no report W47; there are: 2026-W46"):
        diff_reports(tmp_path, "W46", "W47")
    with pytest.raises(ReportError, match="there are: none"):
        diff_reports(tmp_path / "nowhere", "W46", "W47")
    (tmp_path / "2026-W46" / "manifest.json").write_text(text)
    with pytest.raises(ReportError, match=said):
        diff_reports(tmp_path, "W46", "W46")


def test_the_command_says_what_differs(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    published(tmp_path, "2026-W46", 0.99, 0.001, "40 %")
    published(tmp_path, "2026-W47", 0.98, 0.001, "none")
    with pytest.raises(SystemExit) as ended:
        main(["report", "diff", "W46", "W47", "--reports", str(tmp_path)])
    assert ended.value.code == 0
    assert "Error budget left? 40 % before, none now" in capsys.readouterr().out
