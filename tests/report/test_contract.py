"""Parameters are checked before a kernel starts, and again by the notebook itself."""

import math
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import IPython
import papermill
import pytest

from relkit.exceptions import ParameterError
from relkit.report import begin
from relkit.report.contract import CONTRACTS, DEMO_WEEK, check_parameters, contract_of
from relkit.report.launch import run_notebook
from relkit.report.places import project_folder
from relkit.report.publish import NOTEBOOKS, PAGES, STANDING

# What plain papermill's reading of the command line (YAML) makes of a word, finding 3 of reference/notebooks.md.
COERCED = [
    pytest.param({"week": 750}, "week = 750", id="12:30 becomes base-60 750"),
    pytest.param({"level": "1e3"}, "level = '1e3'", id="1e3 becomes text"),
    pytest.param({"experiment": 7}, "experiment = 7", id="007 becomes 7"),
    pytest.param({"database": "false", "level": "false"}, "level = 'false'", id="false becomes a true text"),
    pytest.param({"level": True}, "level = True", id="true becomes a number"),
    pytest.param({"week": None}, "week = None", id="an empty word becomes None"),
    pytest.param({"config": ["a"]}, "config = ['a']", id="[a] becomes a list"),
    pytest.param({"a.b": 1}, "no parameter 'a.b'", id="a.b would be run as code"),
]
WRONG = [
    pytest.param({"wek": DEMO_WEEK}, "no parameter 'wek'; did you mean week?", id="misspelt"),
    pytest.param({"leevel": 0.9}, "did you mean level?", id="a letter too many"),
    pytest.param({"xyz": 1}, "(it takes database, week, config, level", id="like nothing known"),
    pytest.param({"week": "2026-47"}, "a week such as 2026-W47", id="no ISO week"),
    pytest.param({"week": "2025-W53"}, "a week that exists", id="a week that year does not have"),
    pytest.param({"level": 0.0}, "between 0 and 1", id="level 0"),
    pytest.param({"level": 1}, "between 0 and 1", id="level 1, as a whole number"),
    pytest.param({"level": 95.0}, "write 0.95 for 95 %", id="percent for a share"),
    pytest.param({"level": -0.1}, "between 0 and 1", id="negative"),
    pytest.param({"level": math.nan}, "between 0 and 1", id="NaN"),
    pytest.param({"level": math.inf}, "between 0 and 1", id="infinite"),
]


@pytest.mark.parametrize(("given", "said"), [*COERCED, *WRONG])
def test_wrong_parameter_is_refused_before_a_kernel_starts(
    given: dict[str, Any], said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The launcher refuses, says what it got and what is allowed, and papermill is never called."""

    def called(*words: object, **named: object) -> None:
        raise AssertionError("a kernel would have been started")

    monkeypatch.setattr(papermill, "execute_notebook", called)
    with pytest.raises(ParameterError) as refused:
        run_notebook(project_folder() / "notebooks" / "5_shadow_ab.ipynb", given)
    assert said in str(refused.value)


@pytest.mark.parametrize(("given", "said"), [*COERCED, *WRONG])
def test_wrong_parameter_is_refused_by_the_setup_cell(given: dict[str, Any], said: str) -> None:
    """`begin` checks again, so that plain papermill and JupyterLab are as safe as our launcher."""
    with pytest.raises(ParameterError) as refused:
        begin("5_shadow_ab", **given)
    assert said in str(refused.value)


def test_defaults_are_accepted_and_filled_in() -> None:
    for name, contract in CONTRACTS.items():
        checked = check_parameters(name, {})
        assert checked == {key: parameter.default for key, parameter in contract.parameters.items()}


def test_a_whole_number_is_a_number() -> None:
    """JSON and YAML write 1.0 as 1; a float parameter takes both and hands on a float."""
    with pytest.raises(ParameterError, match=r"level = 1\.0"):
        check_parameters("4_slo", {"level": 1})


def test_unknown_notebook_names_the_known_ones() -> None:
    with pytest.raises(ParameterError, match="6_weekly"):
        contract_of("7_nothing")


def test_begin_needs_no_kernel_and_finds_the_demo(demo_database: Path) -> None:
    scope = begin("4_slo", week=DEMO_WEEK)
    assert (scope.database, scope.period.label, scope.level) == (demo_database, DEMO_WEEK, 0.95)


def test_a_name_that_plain_papermill_injected_is_checked_too(monkeypatch: pytest.MonkeyPatch) -> None:
    """papermill turns a misspelt name into a variable nobody reads; the setup cell looks at the cell it injected."""
    shell = SimpleNamespace(user_ns={"In": ["", 'week: str = "2026-W47"', '# Parameters\nwek = "2026-W46"\n']})
    monkeypatch.setattr(IPython, "get_ipython", lambda: shell)
    with pytest.raises(ParameterError, match="no parameter 'wek'; did you mean week"):
        begin("4_slo", week=DEMO_WEEK)


@pytest.mark.parametrize("cell", ['# Parameters\nweek = "2026-W47"\n', "# Parameters\n%time x =", "wek = 1"])
def test_other_cells_of_a_reader_are_no_parameters(cell: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Only a cell that begins with papermill's own line counts; one that is no Python is no reason to fail."""
    shell = SimpleNamespace(user_ns={"In": ["", cell]})
    monkeypatch.setattr(IPython, "get_ipython", lambda: shell)
    assert begin("4_slo", week=DEMO_WEEK).period.label == DEMO_WEEK


def test_every_notebook_of_a_report_has_a_contract_and_a_page() -> None:
    assert set(PAGES) == {*NOTEBOOKS, *STANDING} == set(CONTRACTS)
    assert len(set(PAGES.values())) == len(PAGES)
