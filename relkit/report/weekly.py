"""The weekly run: which database, which week, and whether a guardrail broke."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from relkit.config import load_config
from relkit.exceptions import ReportError
from relkit.period import Period, period_of
from relkit.report.contract import check_parameters
from relkit.report.demo import ensure_demo
from relkit.report.guardrails import BROKEN, guardrail_codes
from relkit.report.places import demo_database, reports_folder
from relkit.report.publish import NOTEBOOKS, Published, publish
from relkit.report.scope import Scope
from relkit.slo import data_verdict
from relkit.store import Store, open_store, readings
from relkit.units import count

DATABASE_NAME = "relkit.duckdb"
CONFIG_NAME = "relkit.toml"


@dataclass(frozen=True, slots=True)
class WeeklyRun:
    """What a weekly run did: the published report, its first lines, and the guardrails that broke."""

    published: Published
    lines: tuple[str, ...]
    broken: tuple[str, ...]


def publish_week(
    *,
    database: Path | None = None,
    week: str | None = None,
    config: Path | None = None,
    reports: Path | None = None,
    on_step: Callable[[str], None] = lambda name: None,
    now_us: int | None = None,
) -> WeeklyRun:
    """Publish the report of a week.

    Parameters
    ----------
    database : Path, optional
        Default: relkit.duckdb in the current folder, else the demo week.
    week : str, optional
        ISO week or all; default the newest week that is over and holds requests.
    config : Path, optional
        Default: relkit.toml in the current folder, else the packaged objectives.
    reports : Path, optional
        Default: reports/ of the project for a database that lies in it, else of the current folder.
    on_step : callable
        Told each notebook's name when it has run.
    now_us : int, optional
        The clock, microseconds since 1970 UTC; default the machine's.

    Raises
    ------
    ReportError
        There is nothing to report; nothing was written.
    """
    place = chosen_database(database)
    settings_path = chosen_config(config)
    settings = load_config(settings_path)
    zone = settings.report.zone
    now = now_us if now_us is not None else time.time_ns() // 1000
    with open_store(place) as store:
        period = period_of(week, zone) if week else newest_week_over(store, zone, now)
        first_line = _not_empty(store, period, zone, now)
        place = place.resolve()
        level = check_parameters(NOTEBOOKS[0], {})["level"]
        guardrails = guardrail_codes(Scope(NOTEBOOKS[0], place, period, settings, level))
        # Held open meanwhile: a writer in between would make pages of two states of the log.
        published = publish(
            place,
            period,
            readings.data_hash(store),
            reports if reports is not None else reports_folder(place),
            config=str(settings_path.resolve()) if settings_path else "",
            guardrails=guardrails,
            on_step=on_step,
        )
    verdicts = published.summary["verdicts"]
    if database is None and place == demo_database().resolve():
        first_line = f"No {DATABASE_NAME} here: this is the demo week. {first_line}"
    lines = [first_line] + [
        f"{area}: {record['code'].replace('_', ' ')}. {record['sentence']}"
        for area, record in verdicts.items()
        if area != "data"
    ]
    return WeeklyRun(published, tuple(lines), tuple(name for name, code in guardrails.items() if code in BROKEN))


def chosen_database(asked: Path | None) -> Path:
    """Return the database that is meant: the one asked for, else relkit.duckdb in the current folder, else the demo week."""
    if asked is not None:
        return asked
    here = Path(DATABASE_NAME)
    return here if here.is_file() else ensure_demo()


def chosen_config(asked: Path | None) -> Path | None:
    """Return the settings that are meant: the file asked for, else relkit.toml in the current folder, else none."""
    return asked or (Path(CONFIG_NAME) if Path(CONFIG_NAME).is_file() else None)


def newest_week_over(store: Store, zone: str, now_us: int) -> Period:
    """Return the newest week with requests that is over.

    Raises
    ------
    ReportError
        No row has a time, or no week is over yet.
    """
    weeks = readings.weeks_with_requests(store, zone)
    if not weeks:
        raise ReportError("the database holds no row with a time; ingest a log, or report everything with --all")
    over = [week for week in weeks if (period_of(week, zone).end_us or 0) <= now_us]
    if not over:
        raise ReportError(f"no week with requests is over yet (there is {', '.join(weeks[-3:])}); name one with --week")
    return period_of(over[-1], zone)


def _not_empty(store: Store, period: Period, zone: str, now_us: int) -> str:
    span = readings.log_span(store, period)
    if span.is_empty:
        weeks = readings.weeks_with_requests(store, zone)
        known = f"weeks with requests: {', '.join(weeks[-5:])}" if weeks else "no row has a time (try --all)"
        if span.other_rows:
            known = f"its {count(span.other_rows)} rows are arms, shadows or probes, which no page shows alone"
        future = " lies in the future and" if period.start_us is not None and period.start_us > now_us else ""
        raise ReportError(f"{period.label}{future} holds nothing to report; {known}. Nothing was written")
    return data_verdict(span, period).sentence
