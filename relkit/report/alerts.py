"""What the pages and commands on alerts read: the history, its incidents, and what alert sets would have done."""

import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from relkit.config import load_config
from relkit.exceptions import ParameterError
from relkit.period import period_of
from relkit.report.scope import Scope
from relkit.report.slo import covered_part, history_of
from relkit.report.weekly import chosen_config, chosen_database, newest_week_over
from relkit.slo import Objective
from relkit.slo.alert_sets import ALERT_SETS, alert_set, budget_share
from relkit.slo.alerts import AlertSet
from relkit.slo.backtest import Backtest, backtest
from relkit.slo.firing import expected_valid
from relkit.slo.incidents import Incident, derive_incidents, labelled, lay_on, quiet_days, split_by_share
from relkit.slo.minutes import Minutes
from relkit.slo.optimise import LEAST_INCIDENTS, BetterAlerts, better_alerts
from relkit.store import open_store, readings
from relkit.units import US_PER_MINUTE, US_PER_SECOND

OPEN_FAULT_MINUTES: Final = 8
"""How long a fault is waited for whose end nobody wrote down."""

_COMPARED: Final = ("workbook", "pyrra", "slo-generator", "slo-computer", "plan-10x")
_INVENTED_DAYS: Final = 365


@dataclass(frozen=True, slots=True)
class AlertHistory:
    """Alerts run over the history of an objective.

    Parameters
    ----------
    objective : Objective
        Whose budget they guard.
    minutes : Minutes
        The history, cut to what the log covers.
    tested : Backtest
        Alert sets scored on it, the Workbook's first.
    are_labelled : bool
        Whether the incidents were written down by somebody; else they were derived by budget share.
    better : BetterAlerts
        What the optimiser says on these incidents.
    invented : BetterAlerts or None
        What it says on incidents invented and laid on quiet days of this log; None where there are incidents enough,
        or no quiet day.
    """

    objective: Objective
    minutes: Minutes
    tested: Backtest
    are_labelled: bool
    better: BetterAlerts
    invented: BetterAlerts | None

    @property
    def recommended(self) -> AlertSet:
        """The set to deploy: the better one where it is recommended, on history before invention, else today's."""
        for found in (self.better, self.invented):
            if found is not None and found.verdict.code == "RECOMMENDED":
                return found.alert_set
        return self.better.baseline


def read_alert_history(scope: Scope, objective: Objective, sets: tuple[AlertSet, ...] = ()) -> AlertHistory:
    """Run alert sets over what the log tells of an objective up to the end of the period.

    Parameters
    ----------
    scope : Scope
        Database, period and level.
    objective : Objective
        Whose budget.
    sets : tuple of AlertSet
        What is compared; the field's sets, the plan's and one on budget share when empty. The Workbook's goes first.

    Returns
    -------
    AlertHistory
        Of a log without a clock or without any request of known outcome: one in which nothing fires.
    """
    with open_store(scope.database, rules=scope.config.rules) as store:
        told = history_of(store, scope.period, objective)
        minutes = covered_part(told) or told
        start_us, end_us = minutes.start_minute * US_PER_MINUTE, minutes.end_minute * US_PER_MINUTE
        rows = readings.faults(store, replace(scope.period, start_us=start_us, end_us=end_us), objective.service)
    expected = expected_valid(minutes, objective) if int(minutes.valid.sum()) else 1
    derived = [] if rows else derive_incidents(minutes, objective, period_valid=expected)
    known = labelled(rows, minutes, OPEN_FAULT_MINUTES) or derived
    days = objective.window_days
    compared = sets or (*(alert_set(name, days) for name in _COMPARED), budget_share(), budget_share(360, 30))
    tested = backtest(compared, minutes, objective, known, period_valid=expected, level=scope.level)
    better = better_alerts(minutes, objective, known, period_valid=expected, level=scope.level)
    return AlertHistory(
        objective, minutes, tested, bool(rows), better, _on_invented(minutes, objective, known, scope.level)
    )


def _on_invented(minutes: Minutes, objective: Objective, known: list[Incident], level: float) -> BetterAlerts | None:
    if len(known) >= LEAST_INCIDENTS:
        return None
    traffic = quiet_days(minutes, known, _INVENTED_DAYS, seed=0)
    if traffic is None or not int(traffic.valid.sum()):
        return None
    hurt, laid = lay_on(traffic, seed=0)
    expected = expected_valid(minutes, objective)
    significant, _ = split_by_share(laid, hurt, objective, period_valid=expected)
    return better_alerts(hurt, objective, significant, period_valid=expected, level=level)


def alert_scope(
    database: Path | None, week: str | None, config: Path | None, level: float = 0.95, now_us: int | None = None
) -> Scope:
    """Return what a command on alerts is about: the history up to the end of a week, or everything.

    Parameters
    ----------
    database, config : Path or None
        Default: those in the current folder, else the demo week and the packaged objectives.
    week : str or None
        ISO week, or all; default the newest week that is over.
    level : float
        Confidence level in (0, 1).
    now_us : int or None
        Now, microseconds since 1970 UTC; default the machine's clock.
    """
    place, settings = chosen_database(database), load_config(chosen_config(config))
    if week is None:
        with open_store(place, rules=settings.rules) as store:
            now = int(time.time() * US_PER_SECOND) if now_us is None else now_us
            period = newest_week_over(store, settings.report.zone, now)
    else:
        period = period_of(week, settings.report.zone)
    return Scope("4_slo", place, period, settings, level)


def objective_of(scope: Scope, name: str | None) -> Objective:
    """Return an objective of the settings by its name; the first on availability, else the first, without one.

    Raises
    ------
    ParameterError
        No objective of that name.
    """
    known = scope.config.objectives
    if name is None:
        return next((one for one in known if one.kind == "availability"), known[0])
    found = next((one for one in known if one.name == name), None)
    if found is None:
        raise ParameterError.of("--objective", name, ", ".join(one.name for one in known), "name one of relkit.toml")
    return found


def chosen_alerts(history: AlertHistory, name: str) -> AlertSet:
    """Return the alert set that is meant: "better" is the recommended one, else a name of `ALERT_SETS`."""
    if name == "better":
        return history.recommended
    if name not in ALERT_SETS:
        raise ParameterError.of("--alerts", name, ", ".join(("better", *ALERT_SETS)), "name one of these")
    return alert_set(name, history.objective.window_days)
