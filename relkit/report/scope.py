"""What a notebook is about: its parameters checked, its database found, its period and objectives read."""

import ast
import contextlib
import sys
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from relkit.config import Config, load_config
from relkit.period import Period, period_of
from relkit.report.contract import check_parameters
from relkit.report.demo import ensure_demo


@dataclass(frozen=True, slots=True)
class Scope:
    """What a notebook reports on.

    Parameters
    ----------
    notebook : str
        Its name.
    database : Path
        Where the log lies.
    period : Period
        The week, or everything.
    config : Config
        Objectives, margins, prices.
    level : float
        Confidence level of every interval.
    experiment : str
        Asked for; empty = the one with most pairs.
    """

    notebook: str
    database: Path
    period: Period
    config: Config
    level: float
    experiment: str = ""


def begin(notebook: str, **parameters: object) -> Scope:
    """Check a notebook's parameters and find what it reports on.

    Warnings of ours become errors: a page that warns is a page that is wrong. Names that plain papermill passed are
    checked too: it accepts a misspelt one, which would otherwise be a variable nobody reads.

    Parameters
    ----------
    notebook : str
        File name without its ending.
    **parameters
        The values of its parameters cell.

    Raises
    ------
    ParameterError
        A parameter is not acceptable.
    """
    checked = checked_in_cell(notebook, parameters)
    config = load_config(Path(checked["config"]) if checked["config"] else None)
    database = Path(checked["database"]) if checked["database"] else ensure_demo()
    return Scope(
        notebook,
        database,
        period_of(checked["week"], config.report.zone),
        config,
        checked["level"],
        checked.get("experiment", ""),
    )


def checked_in_cell(notebook: str, parameters: Mapping[str, object]) -> dict[str, Any]:
    """Check a notebook's parameters in its setup cell, and make warnings of ours errors.

    Parameters
    ----------
    notebook : str
        File name without its ending.
    parameters : mapping
        The values of its parameters cell.

    Raises
    ------
    ParameterError
        A parameter is not acceptable.
    """
    warnings.filterwarnings("error", module="relkit|__main__")
    return check_parameters(notebook, dict.fromkeys(_passed_names()) | dict(parameters))


def _passed_names() -> list[str]:
    """List the names in cells that papermill injected, which begin with the line it writes; none outside IPython."""
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython else None
    names = []
    for source in shell.user_ns.get("In", ()) if shell else ():
        if source.startswith("# Parameters\n"):
            with contextlib.suppress(SyntaxError):
                names += [
                    target.id
                    for statement in ast.parse(source).body
                    if isinstance(statement, ast.Assign)
                    for target in statement.targets
                    if isinstance(target, ast.Name)
                ]
    return names
