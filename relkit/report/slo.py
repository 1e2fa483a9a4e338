"""What the page of objectives reads beyond its counts: the outlook of a budget, requests beside attempts, the bill."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from relkit.errors import GOOD_KINDS
from relkit.period import Period, calendar_period
from relkit.report.gather import counted_minutes
from relkit.report.scope import Scope
from relkit.slo import Clause, Costs, Forecast, Goal, Levels, Minutes, Objective, cost_of, policy_clauses
from relkit.slo.budget_policy import QUARTER_DAYS
from relkit.slo.forecast import forecast
from relkit.store import Store, open_store, readings
from relkit.units import MINUTES_PER_DAY, US_PER_DAY, US_PER_MINUTE

LEAST_AHEAD_DAYS: Final = 7


@dataclass(frozen=True, slots=True)
class Outlook:
    """How an error budget will fare, how such a forecast did, and what the budget policy asks.

    Parameters
    ----------
    ahead : Forecast or None
        Of the window that is not over; None when the log has no clock or no covered minute.
    halfway : Forecast or None
        What would have been told at half time of the reported period about its end.
    became : float or None
        What was left then.
    clauses : tuple of Clause
        Of the Workbook's policy.
    """

    ahead: Forecast | None
    halfway: Forecast | None
    became: float | None
    clauses: tuple[Clause, ...]


def read_outlook(scope: Scope, goal: Goal) -> Outlook:
    """Forecast the budget of an objective from the log up to the end of the period, and ask the policy.

    A rolling window is forecast to the day on which the log covers it whole, at least seven days on; a calendar one to its
    end. The log is read back a quarter, or the objective's window where that is longer.
    """
    objective = goal.objective
    with open_store(scope.database, rules=scope.config.rules) as store:
        told = covered_part(history_of(store, scope.period, objective))
        if told is None:
            return Outlook(None, None, None, ())
        asked = replace(
            scope.period,
            start_us=(told.end_minute - QUARTER_DAYS * MINUTES_PER_DAY) * US_PER_MINUTE,
            end_us=told.end_minute * US_PER_MINUTE,
        )
        kinds = readings.groups(store, asked, objective, "kind", GOOD_KINDS)
    start, end = _window_ahead(told, objective, scope.period.zone)
    ahead = forecast(told, objective, end, start_minute=start, level=scope.level)
    return Outlook(ahead, *_halfway(goal, scope.level), policy_clauses(told, objective, kinds))


def read_levels(scope: Scope, objective: Objective) -> Levels:
    """Count requests beside attempts, and degraded answers as a class of their own."""
    with open_store(scope.database, rules=scope.config.rules) as store:
        return readings.levels(store, scope.period, objective, GOOD_KINDS)


def read_costs(scope: Scope) -> Costs:
    """Add up what the period's calls cost, by why they were made."""
    with open_store(scope.database, rules=scope.config.rules) as store:
        cells = readings.cost_cells(store, scope.period)
        answers: Mapping[int, int] = readings.answers_by_day(store, scope.period)
    return cost_of(cells, answers, scope.config.prices, scope.level)


def history_of(store: Store, period: Period, objective: Objective) -> Minutes:
    """Count what an objective counts, as far back from a period's end as forecasts and alerts look: a quarter, or its window."""
    if period.end_us is None:
        return counted_minutes(store, period, objective)
    days = max(QUARTER_DAYS, objective.window_days)
    return counted_minutes(store, replace(period, start_us=period.end_us - days * US_PER_DAY), objective)


def covered_part(minutes: Minutes) -> Minutes | None:
    """Cut off what the log does not cover at either end; None when nothing is left, or there is no clock."""
    there = np.flatnonzero(minutes.covered)
    if len(minutes) < 2 or not there.size:
        return None
    return minutes.slice(minutes.start_minute + int(there[0]), minutes.start_minute + int(there[-1]) + 1)


def _window_ahead(told: Minutes, objective: Objective, zone: str) -> tuple[int | None, int]:
    now = told.end_minute
    if objective.calendar is not None:
        window = calendar_period(now * US_PER_MINUTE, objective.calendar, zone)
        assert window.start_us is not None
        assert window.end_us is not None
        return window.start_us // US_PER_MINUTE, window.end_us // US_PER_MINUTE
    return None, max(now + LEAST_AHEAD_DAYS * MINUTES_PER_DAY, told.start_minute + objective.window_minutes)


def _halfway(goal: Goal, level: float) -> tuple[Forecast | None, float | None]:
    minutes = goal.minutes
    half = minutes.start_minute + len(minutes) // 2
    if len(minutes) < 2 * MINUTES_PER_DAY or goal.budget.left_share is None:
        return None, None
    told = forecast(
        minutes.slice(minutes.start_minute, half),
        goal.objective,
        minutes.end_minute,
        start_minute=minutes.start_minute,
        level=level,
    )
    return (told, goal.budget.left_share) if told.left is not None else (None, None)
