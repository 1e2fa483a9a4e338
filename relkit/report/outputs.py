"""What an executed notebook shows: its plates, tables and verdicts, and whether the contract is kept."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from relkit.exceptions import ReportError
from relkit.report.contract import contract_of
from relkit.report.normal import NotebookNode
from relkit.verdict import MIME


@dataclass(frozen=True, slots=True)
class Shown:
    """Records of an executed notebook, in order of appearance."""

    plates: tuple[dict[str, Any], ...]
    tables: tuple[dict[str, Any], ...]
    verdicts: tuple[dict[str, Any], ...]


def shown_by(notebook: NotebookNode) -> Shown:
    """Collect the records that a notebook's outputs carry."""
    records = list(_records(notebook))
    return Shown(
        tuple(record for record in records if record["kind"] == "plate"),
        tuple(record for record in records if record["kind"] == "table"),
        tuple(record for record in records if record["kind"] == "verdict"),
    )


def _records(notebook: NotebookNode) -> Iterator[dict[str, Any]]:
    for cell in notebook.cells:
        for output in cell.get("outputs", ()):
            record = output.get("data", {}).get(MIME)
            if record:
                yield record


def check_outputs(name: str, notebook: NotebookNode) -> Shown:
    """Make sure a run is whole: every cell ran, none failed or spoke on stderr, all that was promised is there.

    papermill marks killed runs "completed", so its word is not taken for anything.

    Raises
    ------
    ReportError
        Names what is missing.
    """
    contract = contract_of(name)
    for number, cell in enumerate((cell for cell in notebook.cells if cell.cell_type == "code"), start=1):
        if cell.source.strip() and cell.execution_count is None:
            raise ReportError(f"{name}: code cell {number} did not run; nothing was published")
        for output in cell.outputs:
            if output.output_type == "error":
                raise ReportError(
                    f"{name}: code cell {number} failed: {output.ename}: {output.evalue}; nothing was published"
                )
            if output.output_type == "stream" and output.name == "stderr":
                raise ReportError(
                    f"{name}: code cell {number} wrote to stderr: {output.text.strip()[:300]}; nothing was published"
                )
    found = shown_by(notebook)
    names = [record["name"] for record in (*found.plates, *found.tables)]
    if missing := sorted(contract.shows - set(names)):
        raise ReportError(f"{name}: the run does not show {', '.join(missing)}; nothing was published")
    if twice := sorted({shown for shown in names if names.count(shown) > 1}):
        raise ReportError(f"{name}: shows {', '.join(twice)} twice; nothing was published")
    if missing := sorted(contract.verdicts - {record["area"] for record in found.verdicts}):
        raise ReportError(f"{name}: reaches no verdict on {', '.join(missing)}; nothing was published")
    return found
