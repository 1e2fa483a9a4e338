"""What `relkit tune` is about: which database, which week, which settings file."""

import time
from pathlib import Path

from relkit.config import load_config
from relkit.period import EVERYTHING, period_of
from relkit.report.contract import check_parameters
from relkit.report.scope import Scope
from relkit.report.weekly import chosen_config, chosen_database, newest_week_over
from relkit.store import open_store, readings


def scope_of(database: Path | None, week: str | None, config: Path | None) -> Scope:
    """Find what a command is about, as the weekly report does.

    Parameters
    ----------
    database : Path or None
        Default: relkit.duckdb in the current folder, else the demo week.
    week : str or None
        ISO week, or all; default the newest week that is over.
    config : Path or None
        relkit.toml; default the one in the current folder, else the packaged objectives.
    """
    place, settings = chosen_database(database), load_config(chosen_config(config))
    zone = settings.report.zone
    if week is not None:
        period = period_of(week, zone)
    else:
        with open_store(place) as store:
            has_weeks = bool(readings.weeks_with_requests(store, zone))
            period = newest_week_over(store, zone, time.time_ns() // 1000) if has_weeks else period_of(EVERYTHING, zone)
    return Scope("3_breakers", place, period, settings, check_parameters("3_breakers", {})["level"])
