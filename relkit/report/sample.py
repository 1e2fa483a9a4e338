"""The sample report in the repository: the stored notebooks, as the pages they become.

`python -m relkit.report.sample` writes it; a test writes it again and compares bytes.
"""

import json
from importlib import metadata
from pathlib import Path
from typing import Final
from urllib.parse import unquote

import nbformat
from nbformat import NotebookNode

from relkit.exceptions import ReportError
from relkit.period import period_of
from relkit.report.contract import DEMO_WEEK, contract_of
from relkit.report.outputs import check_outputs, shown_by
from relkit.report.page import render_page
from relkit.report.places import project_folder
from relkit.report.publish import NOTEBOOKS, PAGES, STANDING
from relkit.report.spreadsheet import write_tables
from relkit.report.summary import summary_lines, summary_record

PICTURE: Final = "availability_week"


def write_sample(folder: Path) -> list[Path]:
    """Write the pages, summaries and the README's picture of the demo week, from the stored notebooks.

    Parameters
    ----------
    folder : Path
        Where to; made when absent.

    Returns
    -------
    list of Path
        The files, in order of name.
    """
    folder.mkdir(parents=True, exist_ok=True)
    stored = {
        name: nbformat.read(project_folder() / "notebooks" / f"{name}.ipynb", as_version=4)
        for name in (*NOTEBOOKS, *STANDING)
    }
    entry = check_outputs(NOTEBOOKS[0], stored[NOTEBOOKS[0]])
    data_hash = next(table["values"]["data_hash"] for table in entry.tables if table["name"] == "provenance")
    for name, notebook in stored.items():
        page = render_page(
            notebook,
            title=contract_of(name).title,
            period=DEMO_WEEK,
            code={"version": metadata.version("relkit-workbench"), "commit": "sample"},
            data_hash=data_hash,
            links=[{"text": contract_of(other).title, "file": PAGES[other], "here": other == name} for other in stored],
            files=write_tables(folder, PAGES[name], shown_by(notebook).tables),
        )
        (folder / PAGES[name]).write_text(page, encoding="utf-8")
    summary = summary_record(entry, period_of(DEMO_WEEK), data_hash)
    text = json.dumps(summary, indent=1, sort_keys=True, ensure_ascii=False) + "\n"
    (folder / "summary.json").write_text(text, encoding="utf-8")
    (folder / "summary.md").write_text("\n".join(summary_lines(summary)) + "\n", encoding="utf-8")
    (folder / f"{PICTURE}.svg").write_text(_picture(stored[NOTEBOOKS[0]]), encoding="utf-8")
    return sorted(path for path in folder.rglob("*") if path.is_file())


def _picture(notebook: NotebookNode) -> str:
    """Take the picture of one plate out of its output, with a name space so that it stands alone."""
    mark = 'src="data:image/svg+xml,'
    for cell in notebook.cells:
        for output in cell.get("outputs", ()):
            html = output.get("data", {}).get("text/html", "")
            if f"id='{PICTURE}'" in html and mark in html:
                start = html.index(mark) + len(mark)
                return unquote(html[start : html.index('"', start)]) + "\n"
    raise ReportError(f"{NOTEBOOKS[0]} shows no plate {PICTURE}")


if __name__ == "__main__":
    for path in write_sample(project_folder() / "reports" / "sample"):
        print(path.relative_to(project_folder() / "reports" / "sample"))  # noqa: T201  says what it wrote
