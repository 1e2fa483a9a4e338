"""Where every objective stands, in a few lines and as a record: what a terminal shows of the page of objectives."""

import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from relkit.config import load_config
from relkit.period import period_of
from relkit.report.gather import read_log, read_service
from relkit.report.scope import Scope
from relkit.report.slo import Outlook, read_outlook
from relkit.report.weekly import chosen_config, chosen_database, newest_week_over
from relkit.slo import Goal, data_verdict
from relkit.slo.forecast import left_text
from relkit.store import open_store
from relkit.units import US_PER_SECOND, percent
from relkit.verdict import shown


@dataclass(frozen=True, slots=True)
class SloStatus:
    """Where the objectives stand.

    Parameters
    ----------
    lines : tuple of str
        For a reader.
    record : dict
        For a program: period, data, objectives with budget, forecast and verdict.
    broken : tuple of str
        Guardrails of relkit.toml that name a missed objective.
    """

    lines: tuple[str, ...]
    record: dict[str, Any]
    broken: tuple[str, ...]


def slo_status(
    database: Path | None, week: str | None, config: Path | None, level: float = 0.95, now_us: int | None = None
) -> SloStatus:
    """Judge every objective of a period, and tell what is left of its budget now and when its window ends.

    Parameters
    ----------
    database : Path or None
        Default: relkit.duckdb in the current folder, else the demo week.
    week : str or None
        ISO week, or all; default the newest week that is over.
    config : Path or None
        relkit.toml; default the one in the current folder, else the packaged objectives.
    level : float
        Confidence level in (0, 1).
    now_us : int or None
        Now, microseconds since 1970 UTC; default the machine's clock.
    """
    place, settings = chosen_database(database), load_config(chosen_config(config))
    zone = settings.report.zone
    if week is None:
        with open_store(place, rules=settings.rules) as store:
            period = newest_week_over(store, zone, int(time.time() * US_PER_SECOND) if now_us is None else now_us)
    else:
        period = period_of(week, zone)
    scope = Scope("4_slo", place, period, settings, level)
    span, service = read_log(scope).span, read_service(scope)
    data = data_verdict(span, period)
    lines, objectives = [data.sentence], []
    for goal in service.goals:
        outlook = read_outlook(scope, goal)
        lines += _lines(goal, outlook)
        objectives.append(_record(goal, outlook))
    lines += [
        f"excluded: {one.reason} ({one.decided_by})"
        for one in dict.fromkeys(one for goal in service.goals for one in goal.exclusions)
    ]
    guarded = settings.report.guardrails
    broken = tuple(
        goal.objective.name
        for goal in service.goals
        if goal.verdict.code == "MISSED" and goal.objective.name in guarded
    )
    lines += [f"guardrail broken: {name}" for name in broken]
    record = {
        "database": place.name,
        "period": period.label,
        "zone": zone,
        "data": data.code,
        "objectives": objectives,
        "broken": list(broken),
    }
    return SloStatus(tuple(lines), record, broken)


def _lines(goal: Goal, outlook: Outlook) -> list[str]:
    name = goal.objective.name
    lines = [f"{name}: {goal.verdict.code}. {goal.verdict.sentence}"]
    whole = goal.objective.window_text
    if goal.is_window_period:
        window = ""
    elif goal.is_window_covered:
        window = f"; {left_text(goal.window_budget.left_share)} of {whole}"
    else:
        window = f"; of {whole} unknown, the log holds {percent(goal.window_budget.coverage, 0)} of it"
    lines.append(f"  budget left: {left_text(goal.budget.left_share)} of this period{window}")
    if outlook.ahead is not None:
        lines.append(f"  to come: {outlook.ahead.verdict.code}. {outlook.ahead.verdict.sentence}")
    applying = [clause.name for clause in outlook.clauses if clause.fired]
    if applying:
        lines.append(f"  budget policy: {', '.join(applying)}")
    lines += [f"  {text}" for text in (goal.verdict.why_not, goal.verdict.would_change) if text]
    return lines


def _record(goal: Goal, outlook: Outlook) -> dict[str, Any]:
    budget, ahead = goal.budget, outlook.ahead
    with_all = goal.budget_with_all
    return {
        "name": goal.objective.name,
        "target": str(goal.objective.target),
        "method": goal.objective.method,
        "unit": goal.objective.unit,
        "window": goal.objective.window_text,
        "verdict": goal.verdict.code,
        "sentence": goal.verdict.sentence,
        "valid": budget.valid,
        "bad": budget.bad if isinstance(budget.bad, int) else shown(float(budget.bad)),
        "good_share": shown(budget.sli),
        "low": shown(budget.low),
        "high": shown(budget.high),
        "left_share": shown(budget.left_share),
        "left_share_with_excluded_time": None if with_all is None else shown(with_all.left_share),
        "window_left_share": shown(goal.window_budget.left_share) if goal.is_window_covered else None,
        "requests_to_decide": budget.requests_to_decide,
        "policy": [clause.name for clause in outlook.clauses if clause.fired],
        "forecast": None
        if ahead is None
        else {
            "end_minute": ahead.end_minute,
            "left_share": shown(ahead.left),
            "low": shown(ahead.low),
            "high": shown(ahead.high),
            "met_share": shown(ahead.met_share),
            "runs_out_minute": ahead.runs_out_minute,
            "verdict": ahead.verdict.code,
        },
    }
