"""Keeping the stored notebooks: executed on the demo week, in normal form, their outputs whole."""

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from relkit.report.contract import CONTRACTS, contract_of
from relkit.report.launch import run_notebook
from relkit.report.normal import to_text
from relkit.report.places import project_folder


def stored_notebooks() -> list[Path]:
    """List the notebooks of the project, in the order a reader meets them."""
    return [project_folder() / "notebooks" / f"{name}.ipynb" for name in sorted(CONTRACTS)]


def refresh_notebooks(names: Sequence[str] | None = None) -> Iterator[Path]:
    """Execute notebooks with their defaults and store each in normal form, in one step.

    Raises
    ------
    ReportError
        A notebook fails or does not show what it must; the stored one stays as it was.
    """
    for name in names or sorted(CONTRACTS):
        path = project_folder() / "notebooks" / f"{contract_of(name).notebook}.ipynb"
        notebook, _ = run_notebook(path, {})
        fresh = path.with_suffix(".ipynb.new")
        fresh.write_text(to_text(notebook), encoding="utf-8")
        os.replace(fresh, path)  # noqa: PTH105  one step: never half a notebook
        yield path
