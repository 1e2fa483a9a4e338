"""The audit of the plan: its numbers are those of the design notes, every one from a function, and its verdict follows them."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from relkit.exceptions import ParameterError
from relkit.exhibit import Exhibit
from relkit.report import plan_audit
from relkit.report.normal import read_notebook
from relkit.report.places import project_folder
from relkit.report.plan_audit import Audit, begin, hashes, judge, read_audit
from relkit.report.publish import PAGES, STANDING, stored_run
from relkit.tune.before_after import MEASURED, BeforeAfter

# What the notes say, literal and corrected; None where they say nothing. Shares are simulated: within 4 points, twice a standard error.
EXACT = {
    "E15": (6, 1), "E16": (6, 1), "E17": (11, 1), "E08": (0, 3), "L04": (1, 0),
    "R01": (10, 0), "R10": (6, 1), "R11": (18, 6), "F01": (3, 1), "F06": (0, 2),
    "B01": (10, 5), "B02": (10, 5), "B03": (43.2, None), "B06": (1, 5), "S05": (5_760, 4), "S06": (0, 60), "S07": (3, 0),
    "S04": (50, None), "O01": (43, 43.2), "O02": (720, 1_000), "O03": (20, None), "O06": (59.4, None), "O07": (80, None),
    "O08": (2, None), "M01": (3.9, 0.039),
}  # fmt: skip
SIMULATED = {
    "S01": (0.41, 0.026), "S02": (0.25, 0.006), "S10": (0.34, 0.025), "A01": (0.186, 0.395), "A02": (0.0, 0.896),
    "A07": (0.47, None), "A12": (0.175, 0.05), "A13": (0.14, None),
}  # fmt: skip


@pytest.fixture(scope="module")
def audit() -> Audit:
    return read_audit(0.95)


@pytest.fixture(scope="module")
def numbers(audit: Audit) -> dict[str, Exhibit]:
    return {one.id: one for one in audit.exhibits}


@pytest.mark.parametrize("defect", EXACT)
def test_the_numbers_are_those_of_the_design_notes(defect: str, numbers: dict[str, Exhibit]) -> None:
    for known, found in zip(EXACT[defect], (numbers[defect].literal, numbers[defect].corrected), strict=True):
        assert known is None or found == pytest.approx(known, rel=1e-9)


@pytest.mark.parametrize("defect", SIMULATED)
def test_the_simulated_numbers_are_near_those_of_the_design_notes(defect: str, numbers: dict[str, Exhibit]) -> None:
    for known, found in zip(SIMULATED[defect], (numbers[defect].literal, numbers[defect].corrected), strict=True):
        assert known is None or found == pytest.approx(known, abs=0.04)


def test_notes_hold_the_numbers_that_go_with_them(numbers: dict[str, Exhibit]) -> None:
    assert "65.5 s" in numbers["E17"].note
    assert "65.5 s" in numbers["R01"].note
    assert numbers["R11"].note.startswith("33 with the critical strategy; 54 to 99")
    assert "240 an hour" in numbers["S05"].note
    assert "4,680" in numbers["S05"].note
    assert numbers["S12"].note.startswith("2.8, 6.9, 13.9")
    assert numbers["R02"].literal == 0.001
    assert numbers["B12"].literal == pytest.approx(7e-10, rel=0.02)
    assert numbers["B17"].literal == pytest.approx(930, rel=0.03)
    assert numbers["B17"].corrected == pytest.approx(54, abs=4)


def test_every_defect_of_high_severity_has_a_number_but_for_health(audit: Audit) -> None:
    assert audit.without_number == ("H05", "H06", "H09", "H11")
    assert audit.with_number == len(audit.high) - 4
    assert {one.id for one in audit.exhibits} - audit.high == {"O01", "O02", "M01"}


def test_no_secret_stays_in_ours_and_the_literal_form_leaks(numbers: dict[str, Exhibit]) -> None:
    for defect in ("C03", "C04", "C05", "L03"):
        assert numbers[defect].literal == 3
        assert numbers[defect].corrected == 0


def suite(ours: float, plan: float) -> BeforeAfter:
    """Four seeds, one scenario; success alone differs."""
    values = np.zeros((5, 1, 4, len(MEASURED)))
    values[..., 0] = np.array([0.9, 0.8, plan, 0.99, ours])[:, None, None] + np.array([0.0, 1e-3, 2e-3, 1e-3])
    names = ("bare", "plan as dated", "plan", "plan-fixed", "our choice")
    return BeforeAfter(names, ("outage",), values, 0.95)


def test_the_verdict_follows_the_numbers() -> None:
    better, same = judge(suite(0.995, 0.98)), judge(suite(0.98, 0.98))
    assert (better.code, same.code) == ("RECOMMENDED", "REFUSED")
    assert better.value == pytest.approx(0.015)
    assert "Do not deploy the plan as written" in better.sentence
    assert better.n == 4


def test_the_parameters_are_checked_in_the_cell() -> None:
    assert begin("7_plan_audit", level=0.9) == 0.9
    with pytest.raises(ParameterError, match="no parameter 'week'"):
        begin("7_plan_audit", level=0.95, week="2026-W47")


def test_the_hashes_are_of_settings_that_differ() -> None:
    assert len(set(hashes().values())) == len(hashes()) == 4


def test_a_page_of_no_week_is_made_of_its_stored_notebook(tmp_path: Path) -> None:
    for name in STANDING:
        notebook, shown = stored_run(project_folder(), name)
        assert notebook == read_notebook(project_folder() / "notebooks" / f"{name}.ipynb")
        assert shown.verdicts
        assert PAGES[name] == "audit.html"
    with pytest.raises(OSError, match="7_plan_audit"):
        stored_run(tmp_path, "7_plan_audit")


def test_the_page_of_the_shadow_says_what_is_estimated() -> None:
    """Defect A10: one turn, given the history that the primary made."""
    text = (project_folder() / "notebooks" / "5_shadow_ab.ipynb").read_text(encoding="utf-8")
    assert "one turn: what the shadow would have answered, given the history the primary made" in text


def test_a_test_that_is_added_to_the_list_changes_no_page(audit: Audit, monkeypatch: pytest.MonkeyPatch) -> None:
    """The stored page would differ from a fresh one for nothing a reader sees."""
    told = [replace(one, test="tests/x.py::test_y", figure="z") for one in audit.defects]
    other = [replace(told[0], says="Another statement."), *told[1:]]
    for listed, same in ((told, True), (other, False)):
        monkeypatch.setattr(plan_audit, "read_defects", lambda listed=listed: tuple(listed))
        for slow in ("call_exhibits", "verdict_exhibits", "peeking", "power_of_tests", "threshold_shares"):
            monkeypatch.setattr(plan_audit, slow, lambda *_, slow=slow, **__: audit.looks if slow == "peeking" else ())
        assert (read_audit(0.95).digest == audit.digest) is same
