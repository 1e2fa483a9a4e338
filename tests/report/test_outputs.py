"""A run counts when all of it is there; papermill's own word is not taken for anything."""

from collections.abc import Callable

import nbformat
import pytest
from nbformat import NotebookNode

from relkit.exceptions import ReportError
from relkit.report.contract import CONTRACTS
from relkit.report.outputs import check_outputs, shown_by

Make = Callable[..., NotebookNode]
# Parameters, a cell for each verdict, a cell for each plate.
LAST = 1 + len(CONTRACTS["4_slo"].verdicts) + len(CONTRACTS["4_slo"].shows)


def test_a_whole_run_is_taken_apart_in_order(make_run: Make) -> None:
    shown = check_outputs("4_slo", make_run())
    assert [record["name"] for record in shown.verdicts] == sorted(CONTRACTS["4_slo"].verdicts)
    assert {record["name"] for record in shown.plates} == set(CONTRACTS["4_slo"].shows)


def test_a_cell_that_did_not_run_makes_the_run_incomplete(make_run: Make) -> None:
    """A killed run says "completed" in papermill's metadata; a cell without a count did not run."""
    run = make_run()
    run.metadata["papermill"] = {"exception": None}
    run.cells[-1].execution_count = None
    run.cells[-1].metadata["papermill"] = {"status": "completed"}
    with pytest.raises(ReportError, match=f"code cell {LAST} did not run"):
        check_outputs("4_slo", run)


def test_an_empty_cell_needs_no_run(make_run: Make) -> None:
    run = make_run()
    run.cells.append(nbformat.v4.new_code_cell("  \n"))
    check_outputs("4_slo", run)


def test_an_error_output_is_a_failure(make_run: Make) -> None:
    run = make_run()
    run.cells[-1].outputs.append(nbformat.v4.new_output("error", ename="KeyError", evalue="'x'", traceback=[]))
    with pytest.raises(ReportError, match=f"code cell {LAST} failed: KeyError: 'x'"):
        check_outputs("4_slo", run)


def test_a_word_on_stderr_is_a_failure(make_run: Make) -> None:
    """A warning is a page that may be wrong, and its text names this machine's folders."""
    run = make_run()
    run.cells[-1].outputs.append(nbformat.v4.new_output("stream", name="stderr", text="FutureWarning: x\n"))
    with pytest.raises(ReportError, match="wrote to stderr: FutureWarning"):
        check_outputs("4_slo", run)


def test_a_missing_plate_is_named(make_run: Make) -> None:
    run = make_run()
    run.cells = [cell for cell in run.cells if not any("burn" in str(out) for out in cell.get("outputs", ()))]
    with pytest.raises(ReportError, match="does not show burn"):
        check_outputs("4_slo", run)


def test_a_name_shown_twice_is_named(make_run: Make, make_output: Make) -> None:
    run = make_run()
    run.cells[-1].outputs.append(make_output("table", "burn", caption="", values={}))
    with pytest.raises(ReportError, match="shows burn twice"):
        check_outputs("4_slo", run)


def test_a_missing_verdict_is_named(make_run: Make) -> None:
    run = make_run()
    run.cells = [cell for cell in run.cells if "verdict(3)" not in cell.source]
    with pytest.raises(ReportError, match="no verdict on slo"):
        check_outputs("4_slo", run)


def test_what_is_not_ours_is_no_record(make_run: Make) -> None:
    run = make_run()
    before = shown_by(run)
    run.cells[-1].outputs.append(nbformat.v4.new_output("display_data", data={"text/html": "<p>hi</p>"}))
    run.cells[-1].outputs.append(nbformat.v4.new_output("stream", name="stdout", text="hi"))
    assert shown_by(run) == before
