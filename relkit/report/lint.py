"""What the lint has against objectives and alerts, with the traffic of the log where there is one."""

from pathlib import Path

from relkit.report.alerts import alert_scope
from relkit.report.scope import Scope
from relkit.report.slo import covered_part, history_of
from relkit.slo import Objective
from relkit.slo.alert_sets import alert_set
from relkit.slo.firing import expected_valid
from relkit.slo.lint import lint_alerts, lint_log, lint_objectives
from relkit.store import open_store
from relkit.verdict import Finding


def alert_findings(
    database: Path | None,
    week: str | None,
    config: Path | None,
    alerts: str = "workbook",
    retention_days: float | None = None,
) -> list[Finding]:
    """Lint the objectives of relkit.toml and one alert set on each, at the traffic of the log.

    Parameters
    ----------
    database, config : Path or None
        Default: those in the current folder, else the demo week and the packaged objectives.
    week : str or None
        The log up to the end of this ISO week, or all; default the newest week that is over.
    alerts : str
        A name of `relkit.slo.alert_sets.ALERT_SETS`.
    retention_days : float or None
        How long the server that pages keeps its samples; None leaves that out.

    Returns
    -------
    list of Finding
        Objectives against each other first, then each with the alerts; `where` begins with the objective's name.
        Objectives in slices of time are compared, but alerts on them are not linted: foreign rules count requests.
    """
    scope = alert_scope(database, week, config)
    found = list(lint_objectives(scope.config.objectives))
    for objective in scope.config.objectives:
        if objective.method == "occurrences":
            found += _of(scope, objective, alerts, retention_days)
    return found


def _of(scope: Scope, objective: Objective, alerts: str, retention_days: float | None) -> list[Finding]:
    with open_store(scope.database, rules=scope.config.rules) as store:
        told = history_of(store, scope.period, objective)
    minutes, chosen = covered_part(told) or told, alert_set(alerts, objective.window_days)
    found = lint_log(chosen, minutes, objective)
    if int(minutes.valid.sum()):
        found += lint_alerts(chosen, objective, expected_valid(minutes, objective), retention_days)
    return [
        one
        if one.where.startswith(objective.name)
        else Finding(one.code, one.severity, one.sentence, one.value, one.threshold, f"{objective.name}: {one.where}")
        for one in found
    ]
