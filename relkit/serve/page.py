"""The page at `/`: the Plates and Verdicts of the package on the seven days before a moment, nothing of its own."""

from importlib import metadata
from pathlib import Path
from typing import Final

from relkit.config import Config
from relkit.period import Period, moment
from relkit.plates import shadow as shadow_plates
from relkit.plates import slo as slo_plates
from relkit.plates import standing
from relkit.plates.page import provenance_table
from relkit.report.page import Shown, render_records
from relkit.report.scope import Scope
from relkit.report.shadow import decide_shadow, judge_shadow, read_experiments, read_study, rules_of
from relkit.serve.snapshot import Snapshot
from relkit.serve.tally import WEEK_US
from relkit.slo import Latency, Service, headline
from relkit.store import open_store, readings
from relkit.units import US_PER_DAY, US_PER_SECOND, duration

LEVEL: Final = 0.95
TITLE: Final = "Where things stand"
_SHADOW_US: Final = 28 * US_PER_DAY
"""How far back the pairs of a rollout are read."""


def page_html(database: Path, config: Config, snapshot: Snapshot, now_us: int) -> str:
    """Draw the page of a moment.

    Parameters
    ----------
    database : Path
        For the pairs of shadow experiments; only its name is shown.
    config : Config
        Margins and zone.
    snapshot : Snapshot
        Everything else.
    now_us : int
        The clock: a page of another time says so.

    Returns
    -------
    str
        One HTML document, without scripts and requests.
    """
    at_us, zone = snapshot.at_us, config.report.zone
    service = Service(snapshot.week, _day(snapshot), None, {}, None, (), flowing=True)
    goal = service.availability
    sections: list[tuple[str, str, list[Shown]]] = [
        ("", _lateness(snapshot, now_us, zone), [headline(service)]),
        (
            "The last 24 hours",
            "",
            [
                standing.breakers_table(snapshot.breakers, at_us, zone),
                standing.rates_table(snapshot.windows),
                standing.strategies_table(snapshot.strategies),
            ],
        ),
        (
            "Objectives over seven days",
            "",
            [
                slo_plates.objectives_table(snapshot.week),
                slo_plates.budget_plate(goal.minutes, goal.objective),
                slo_plates.burn_plate(goal.minutes, goal.objective),
            ],
        ),
        ("Rollouts and shadows", "", _rollouts(database, config, snapshot)),
    ]
    with open_store(database, rules=config.rules) as store:
        data_hash = readings.data_hash(store)
    period = Period(f"seven days to {moment(at_us, zone)} {zone}", at_us - WEEK_US, at_us, zone)
    sections.append(("", "", [provenance_table(database.name, period, data_hash, config.rules.hash)]))
    code = {"version": metadata.version("relkit-workbench"), "commit": "unknown"}
    return render_records(sections, title=TITLE, period=period.label, code=code, data_hash=data_hash)


def _rollouts(database: Path, config: Config, snapshot: Snapshot) -> list[Shown]:
    """Show where every rollout stands, and judge the one that runs, else the one with most pairs."""
    at_us, zone = snapshot.at_us, config.report.zone
    found: list[Shown] = [standing.rollouts_table(snapshot.shadow, zone)]
    running = [one.experiment for one in snapshot.shadow if one.state and one.compared]
    scope = Scope("5_shadow_ab", database, Period("these four weeks", at_us - _SHADOW_US, at_us, zone), config, LEVEL)
    with open_store(database, rules=config.rules) as store:
        names = readings.experiments(store, scope.period)
    if not names:
        return found
    chosen = next((name for name in running if name in names), names[0])
    scope = Scope(scope.notebook, database, scope.period, config, LEVEL, chosen)
    study = read_study(scope)
    verdict = judge_shadow(scope, study)
    rules = rules_of(scope, study)
    return [
        verdict,
        *found,
        shadow_plates.experiment_plate(study, verdict, rules.margins.errors),
        shadow_plates.guardrails_table(decide_shadow(scope, study, anytime=True)),
        shadow_plates.experiments_table(read_experiments(scope, study)),
    ]


def _day(snapshot: Snapshot) -> Latency:
    """Return the percentiles of all requests over the longest window."""
    return next(one.latency for one in reversed(snapshot.windows) if one.service is None)


def _lateness(snapshot: Snapshot, now_us: int, zone: str) -> str:
    """Say it when the page is of another time than now, or the log ends before it."""
    last_us = snapshot.last_row_us
    if last_us is None:
        return "The log holds no row before this moment."
    told = f"The newest row of the log began {moment(last_us, zone)} {zone}."
    if now_us - snapshot.at_us > US_PER_DAY:
        told += f" This is how things stood {moment(snapshot.at_us, zone)}, {duration((now_us - snapshot.at_us) / US_PER_SECOND)} ago."
    return told
