"""What a notebook is about: its parameters checked, its database found, its period and objectives read."""

import warnings
from dataclasses import dataclass
from pathlib import Path

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

    Warnings of ours become errors: a page that warns is a page that is wrong.

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
    warnings.filterwarnings("error", module="relkit|__main__")
    checked = check_parameters(notebook, parameters)
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
