"""Where things lie: the project folder, the demo database, the reports; with somewhere to go when the checkout is read-only."""

import tempfile
from pathlib import Path
from typing import Final

from relkit.exceptions import ReportError
from relkit.scratch import scratch_folder

PACKAGE: Final = Path(__file__).resolve().parent.parent


def project_folder() -> Path:
    """Return the folder that holds `notebooks/`: above the installed package, or above the current folder.

    Raises
    ------
    ReportError
        Neither holds notebooks.
    """
    for folder in (PACKAGE.parent, *(Path.cwd() / "x").parents):
        if (folder / "notebooks" / "6_weekly.ipynb").is_file():
            return folder
    raise ReportError(
        "no notebooks found: run relkit from a checkout of the project (the folder that holds notebooks/)"
    )


def is_writable(folder: Path) -> bool:
    """Say whether files can be made in a folder, by trying."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            return True
    except OSError:
        return False


def demo_database() -> Path:
    """Return where the demo week's database lies or will be made: data/ of the project, else this user's scratch folder."""
    beside = project_folder() / "data"
    return (beside if is_writable(beside) else scratch_folder()) / "demo.duckdb"


def reports_folder(database: Path) -> Path:
    """Return where pages are published: reports/ of the project for its own databases, of the current folder for others.

    The other of the two where one cannot be written: a checkout may be read-only.

    Parameters
    ----------
    database : Path
        What the pages tell of.

    Raises
    ------
    ReportError
        Neither can be written.
    """
    project, here = project_folder() / "reports", Path.cwd() / "reports"
    is_own = project.parent.resolve() in database.resolve().parents or database.resolve() == demo_database().resolve()
    for folder in (project, here) if is_own else (here, project):
        if is_writable(folder):
            return folder
    raise ReportError(f"no page can be written: neither {project} nor {here} is writable; go to a folder that is")
