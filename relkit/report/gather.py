"""Reading what a page needs, in one short visit to the database each; what comes back holds no connection."""

from dataclasses import dataclass, replace
from typing import Final

from relkit.errors import ADVICE, WAIT_EDGES_US, ErrorKind, FingerprintCounts, NextTries
from relkit.errors.tries import Tries
from relkit.period import Period
from relkit.prices import Use
from relkit.report.scope import Scope
from relkit.slo import Goal, Group, LogSpan, Objective, Service, Traps, error_budget, leading_shares, verdict
from relkit.store import open_store, readings
from relkit.units import US_PER_DAY

GOOD_KINDS: Final = frozenset(kind.value for kind, advice in ADVICE.items() if advice.sli == "good")


@dataclass(frozen=True, slots=True)
class ErrorLog:
    """What the page of errors needs: errors counted, what followed them, what calls used, and what people say they were."""

    counts: FingerprintCounts
    tries: NextTries
    calls: tuple[Use, ...]
    labels: dict[int, ErrorKind]


@dataclass(frozen=True, slots=True)
class Log:
    """What every page says of its log: span and coverage, the traps that were counted, the hash of the ledger."""

    span: LogSpan
    traps: Traps
    data_hash: str


@dataclass(frozen=True, slots=True)
class Groups:
    """Requests counted by service and by model, most bad ones first."""

    services: tuple[Group, ...]
    models: tuple[Group, ...]


def read_log(scope: Scope) -> Log:
    """Read what every page says of its log."""
    with open_store(scope.database, rules=scope.config.rules) as store:
        return Log(
            readings.log_span(store, scope.period), readings.traps(store, scope.period), readings.data_hash(store)
        )


def read_service(scope: Scope) -> Service:
    """Count the requests of the period for every objective."""
    with open_store(scope.database, rules=scope.config.rules) as store:
        goals = []
        for objective in scope.config.objectives:
            minutes = readings.minutes(store, scope.period, objective, GOOD_KINDS)
            budget = error_budget(objective, minutes, scope.level)
            window = _window(scope.period, objective)
            over_window = budget
            if window != scope.period:
                over_window = error_budget(
                    objective, readings.minutes(store, window, objective, GOOD_KINDS), scope.level
                )
            goals.append(Goal(objective, minutes, budget, over_window, verdict(budget, gaps=minutes.gaps())))
        span = readings.log_span(store, scope.period)
        series = readings.minute_shares(store, scope.period)
        return Service(
            tuple(goals),
            readings.latencies(store, scope.period),
            leading_shares(series),
            readings.uptimes(store, scope.period),
            span.coverage,
            span.gaps,
            flowing=span.requests > 0 or any(shares.share[shares.present].any() for shares in series),
        )


def read_groups(scope: Scope, objective: Objective) -> Groups:
    """Count the requests of each service and of each model for an objective."""
    with open_store(scope.database, rules=scope.config.rules) as store:
        return Groups(
            readings.groups(store, scope.period, objective, "service", GOOD_KINDS),
            readings.groups(store, scope.period, objective, "model", GOOD_KINDS),
        )


def _window(period: Period, objective: Objective) -> Period:
    """The objective's window, ending with the period; everything stays everything."""
    if period.end_us is None:
        return period
    start_us = period.end_us - objective.window_days * US_PER_DAY
    return period if start_us == period.start_us else replace(period, start_us=start_us)


def read_failures(scope: Scope) -> FingerprintCounts:
    """Count the errors of the period."""
    with open_store(scope.database, rules=scope.config.rules) as store:
        return readings.fingerprint_counts(store, scope.period)


def read_error_log(scope: Scope) -> ErrorLog:
    """Count the errors of the period, what followed them and what calls used; read the labels of errors."""
    with open_store(scope.database, rules=scope.config.rules) as store:
        return ErrorLog(
            readings.fingerprint_counts(store, scope.period),
            readings.next_tries(store, scope.period, WAIT_EDGES_US),
            readings.call_uses(store, scope.period),
            readings.labels(store),
        )


def read_tries(scope: Scope) -> Tries:
    """Count the tries of the period by number and by hour."""
    with open_store(scope.database, rules=scope.config.rules) as store:
        return readings.tries(store, scope.period)
