"""Keeping the stored notebooks: executed on the demo week, in normal form, their outputs whole."""

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from relkit.exceptions import ReportError
from relkit.report.contract import CONTRACTS, contract_of
from relkit.report.launch import run_notebooks
from relkit.report.normal import to_text
from relkit.report.places import project_folder


def stored_notebooks() -> list[Path]:
    """List the notebooks of the project, in the order a reader meets them."""
    return [project_folder() / "notebooks" / f"{name}.ipynb" for name in sorted(CONTRACTS)]


def refresh_notebooks(names: Sequence[str] | None = None) -> Iterator[Path]:
    """Execute notebooks with their defaults and store each in normal form, in one step.

    Raises
    ------
    ParameterError
        There is no such notebook; none was run.
    ReportError
        A notebook fails or does not show what it must; all stored ones stay as they were.
    """
    asked = {contract_of(name).notebook for name in names or CONTRACTS}
    stored = [path for path in stored_notebooks() if path.stem in asked]
    for path, (notebook, _) in zip(stored, run_notebooks(stored, {}).values(), strict=True):
        fresh = path.with_suffix(".ipynb.new")
        try:
            fresh.write_text(to_text(notebook), encoding="utf-8")
            os.replace(fresh, path)  # noqa: PTH105  one step: never half a notebook
        except OSError as error:
            raise ReportError(f"{path}: cannot be written ({error.strerror}); it stays as it was") from None
        yield path
