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


def reports_folder() -> Path:
    """Return where pages are published: the project's reports/, or ./reports when the checkout is read-only.

    Raises
    ------
    ReportError
        Neither can be written.
    """
    for folder in (project_folder() / "reports", Path.cwd() / "reports"):
        if is_writable(folder):
            return folder
    raise ReportError(
        f"no page can be written: neither {project_folder() / 'reports'} nor {Path.cwd() / 'reports'} is writable; go to a folder that is"
    )
