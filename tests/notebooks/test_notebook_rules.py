"""The rules of a stored notebook: short cells, executed, in normal form, verdict first, doubts told, nothing of a machine."""

import ast
import json
import re
from pathlib import Path
from statistics import median
from typing import Any

import pytest

from relkit.report.contract import CONTRACTS, DEMO_WEEK
from relkit.report.normal import normalise, read_notebook, to_text
from relkit.report.notebooks import stored_notebooks
from relkit.report.outputs import check_outputs
from relkit.report.publish import STANDING
from relkit.verdict import MIME

MOST_CELLS = {"3_breakers": 24, "4_slo": 28, "5_shadow_ab": 24}
LARGEST = {
    "3_breakers": 250_000,
    "4_slo": 200_000,
    "5_shadow_ab": 220_000,
    "7_plan_audit": 255_000,
}  # seven to nine figures and up to twenty tables; elsewhere 150,000 bytes
FEWEST_WORDS = 40
UNEXECUTED = {"parameters", "setup"}  # these show nothing


@pytest.fixture(params=stored_notebooks(), ids=lambda path: path.stem)
def path(request: pytest.FixtureRequest) -> Path:
    found: Path = request.param
    return found


@pytest.fixture
def notebook(path: Path) -> Any:
    return read_notebook(path)


@pytest.fixture
def code(notebook: Any) -> list[Any]:
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def tags(cell: Any) -> set[str]:
    return set(cell.metadata.get("tags", ()))


def lines(cell: Any) -> int:
    return len([line for line in cell.source.splitlines() if line.strip()])


def test_every_contract_has_its_notebook_and_the_other_way_round(path: Path) -> None:
    assert path.is_file()
    assert {found.stem for found in path.parent.glob("*.ipynb")} == set(CONTRACTS)


def test_cells_are_few(path: Path, code: list[Any]) -> None:
    assert 8 <= len(code) <= MOST_CELLS.get(path.stem, 16)


def test_cells_are_short(code: list[Any]) -> None:
    """Median two lines, at most six; the parameters cell has as many as there are parameters."""
    counted = [lines(cell) for cell in code if "parameters" not in tags(cell)]
    assert median(counted) <= 2
    assert max(counted) <= 6


def test_cells_hold_no_program(code: list[Any]) -> None:
    """What needs a loop or a definition belongs into a room of relkit, where it is tested."""
    banned = (
        ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.For, ast.AsyncFor, ast.While, ast.If, ast.Try, ast.With,
        ast.Lambda, ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp,
    )  # fmt: skip
    for cell in code:
        found = [type(node).__name__ for node in ast.walk(ast.parse(cell.source)) if isinstance(node, banned)]
        assert found == [], cell.source


def test_only_the_setup_cell_imports_and_only_relkit(path: Path, code: list[Any]) -> None:
    for cell in code:
        nodes = [node for node in ast.walk(ast.parse(cell.source)) if isinstance(node, ast.Import | ast.ImportFrom)]
        if "setup" not in tags(cell):
            assert nodes == [], cell.source
            continue
        modules = [alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names]
        modules += [node.module or "" for node in nodes if isinstance(node, ast.ImportFrom)]
        assert modules
        assert all(name.split(".")[0] == "relkit" for name in modules)
        assert f'begin(\n    "{path.stem}"' in cell.source or f'begin("{path.stem}"' in cell.source


def test_parameters_come_first_then_setup_each_once(code: list[Any]) -> None:
    assert ["parameters" in tags(cell) for cell in code] == [True] + [False] * (len(code) - 1)
    assert ["setup" in tags(cell) for cell in code] == [False, True] + [False] * (len(code) - 2)


def test_the_parameters_cell_is_the_contract(path: Path, code: list[Any]) -> None:
    """One annotated assignment a line, with a comment: `papermill --help-notebook` shows them. Same names, types, defaults."""
    parameters = CONTRACTS[path.stem].parameters
    written: dict[str, tuple[str, Any]] = {}
    for line in code[0].source.splitlines():
        assert re.fullmatch(r"[a-z_]+: [a-z]+ = [^#=]+  # \S.*", line), line
        (node,) = ast.parse(line).body
        assert isinstance(node, ast.AnnAssign)
        assert isinstance(node.target, ast.Name)
        assert node.value is not None
        written[node.target.id] = ast.unparse(node.annotation), ast.literal_eval(node.value)
    assert written == {name: (known.kind.__name__, known.default) for name, known in parameters.items()}
    assert list(written) == list(parameters)
    if path.stem not in STANDING:  # these read no log
        assert written["week"][1] == DEMO_WEEK


def test_the_setup_cell_hands_on_every_parameter(path: Path, code: list[Any]) -> None:
    (call,) = [
        node
        for node in ast.walk(ast.parse(code[1].source))
        if isinstance(node, ast.Call) and ast.unparse(node.func).endswith("begin")
    ]
    handed = {keyword.arg: ast.unparse(keyword.value) for keyword in call.keywords}
    assert handed == {name: name for name in CONTRACTS[path.stem].parameters}


def test_outputs_are_stored(code: list[Any]) -> None:
    """A strict comparison with a stripped notebook compares nothing and passes."""
    for cell in code:
        assert cell.execution_count is not None, cell.source
        if not tags(cell) & UNEXECUTED:
            assert cell.outputs, cell.source
            assert all(MIME in output.data for output in cell.outputs), cell.source


def test_the_contract_is_kept(path: Path, notebook: Any) -> None:
    check_outputs(path.stem, notebook)


def test_the_notebook_is_in_normal_form(path: Path, notebook: Any) -> None:
    """Byte for byte: kernelspec python3, ids by place, no widgets, no metadata of papermill, JupyterLab or a machine."""
    stored = path.read_text(encoding="utf-8")
    assert to_text(normalise(notebook)) == stored
    record = json.loads(stored)
    assert record["metadata"]["kernelspec"]["name"] == "python3"
    assert set(record["metadata"]) == {"kernelspec", "language_info"}
    assert all(set(cell["metadata"]) <= {"tags"} for cell in record["cells"])
    folders = [f"/{name}/" for name in ("home", "root", "tmp")]
    for trace in ("application/vnd.jupyter.widget", '"papermill"', "image/png", *folders):
        assert trace not in stored


def test_the_verdict_comes_first(path: Path, code: list[Any]) -> None:
    shown = [cell for cell in code if cell.outputs]
    assert shown[0].outputs[0].data[MIME]["kind"] == "verdict"


def test_a_caption_says_the_finding_with_its_number(code: list[Any]) -> None:
    """What stands in place of a picture, where there is nothing to draw, says why and needs no number."""
    for cell in code:
        for output in cell.outputs:
            if "<img" in output.data["text/html"]:
                assert re.search(r"\d", output.data[MIME]["caption"]), output.data[MIME]["name"]


def test_pictures_are_images_with_a_text_not_inline_drawings(code: list[Any]) -> None:
    """JupyterLab strips inline drawings from notebooks it does not trust, and every fresh clone is untrusted."""
    for cell in code:
        for output in cell.outputs:
            html = output.data["text/html"]
            assert "<svg" not in html
            for image in re.findall(r"<img[^>]*>", html):
                assert re.search(r"alt='[^']{10,}'", image)
                assert 'src="data:image/svg+xml,' in image


def test_the_doubts_are_told_near_the_end(notebook: Any) -> None:
    headings = [cell.source.splitlines()[0] for cell in notebook.cells if cell.cell_type == "markdown"]
    assert headings[0].startswith("# ")
    assert [heading for heading in headings if heading.startswith("# ")] == headings[:1]
    assert headings[-1] == "## What could be wrong"


def test_provenance_comes_last(code: list[Any]) -> None:
    assert code[-1].outputs[-1].data[MIME]["name"] == "provenance"


def test_there_is_prose_to_read(notebook: Any) -> None:
    text = " ".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")
    assert len(re.findall(r"[A-Za-z]{2,}", text)) >= FEWEST_WORDS


def test_the_file_is_small(path: Path) -> None:
    assert path.stat().st_size <= LARGEST.get(path.stem, 150_000)
