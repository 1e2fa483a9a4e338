"""The normal form: what a machine or a moment adds is gone, what a reader sees stays."""

from collections.abc import Callable

import nbformat
from hypothesis import given
from hypothesis import strategies as st
from nbformat import NotebookNode

from relkit.report.normal import KERNELSPEC, normalise, to_text
from relkit.verdict import Verdict


def test_the_normal_form_of_a_normal_form_is_itself(make_run: Callable[..., NotebookNode]) -> None:
    once = normalise(make_run("6_weekly"))
    assert to_text(normalise(once)) == to_text(once)


@given(st.text())
def test_any_text_of_a_log_is_normal_after_one_pass(text: str) -> None:
    """Escapes are shown as what they are once, not again at every pass."""
    data, _ = Verdict("slo", "MET", text)._repr_mimebundle_(), None
    run = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("v", execution_count=1)])
    run.cells[0].outputs = [nbformat.v4.new_output("execute_result", data=data, execution_count=1)]
    once = normalise(run)
    assert to_text(normalise(once)) == to_text(once)


def test_the_original_is_left_alone(make_run: Callable[..., NotebookNode]) -> None:
    run = make_run()
    before = nbformat.writes(run)
    normalise(run)
    assert nbformat.writes(run) == before


def test_traces_of_a_machine_are_taken_out(make_run: Callable[..., NotebookNode]) -> None:
    """Kernel names, widgets, papermill's and JupyterLab's metadata, times, random ids, run counts."""
    run = make_run()
    run.metadata.update(
        kernelspec={"name": "my-venv", "display_name": "My venv", "language": "python"},
        language_info={"name": "python", "version": "3.11.7"},
        papermill={"start_time": "2026-11-23T08:00:00", "output_path": "/home/me/out.ipynb"},
        widgets={"application/vnd.jupyter.widget-state+json": {}},
    )
    cell = run.cells[-1]
    cell.id = "d3adb33f"
    cell.execution_count = 41
    cell.metadata.update(papermill={"duration": 1.0}, execution={"shell.execute_reply": "2026"}, collapsed=True)
    cell.outputs[0].metadata = nbformat.from_dict({"isolated": True})
    clean = normalise(run)
    assert clean.metadata == {"kernelspec": KERNELSPEC, "language_info": {"name": "python"}}
    assert to_text(clean) == to_text(normalise(normalise(run)))
    text = to_text(clean)
    for trace in (
        "papermill",
        "my-venv",
        "3.11.7",
        "widget",
        "d3adb33f",
        "shell.execute",
        "collapsed",
        "isolated",
        "41",
    ):
        assert trace not in text
    assert clean.cells[-1].execution_count == clean.cells[-1].outputs[0].execution_count == len(clean.cells) - 1


def test_a_cell_that_did_not_run_stays_so(make_run: Callable[..., NotebookNode]) -> None:
    run = make_run()
    run.cells[-1].execution_count = None
    assert normalise(run).cells[-1].execution_count is None


def test_line_ends_and_tabs_of_an_output_stay() -> None:
    run = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("print()", execution_count=1)])
    run.cells[0].outputs = [nbformat.v4.new_output("stream", name="stdout", text="a\tb\n1 000\n")]
    assert normalise(run).cells[0].outputs[0].text == "a\tb\n1 000\n"
