"""Reading what a page needs, in one short visit to the database each; what comes back holds no connection."""

from dataclasses import dataclass
from datetime import UTC, datetime

from relkit.errors import GOOD_KINDS, WAIT_EDGES_US, ErrorKind, FingerprintCounts, NextTries
from relkit.errors.tries import Tries
from relkit.period import Period
from relkit.prices import Use
from relkit.report.scope import Scope
from relkit.slo import (
    Exclusion,
    Goal,
    Group,
    LogSpan,
    Minutes,
    Objective,
    Service,
    Traps,
    error_budget,
    goal_of,
    in_slices,
    leading_shares,
    leave_out,
    window_of,
)
from relkit.store import Store, last_choice, open_store, readings
from relkit.units import US_PER_SECOND


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
        goals = [_goal(store, scope, objective) for objective in scope.config.objectives]
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


def counted_minutes(store: Store, period: Period, objective: Objective) -> Minutes:
    """Count what an objective counts, without the stretches that were excluded."""
    told = readings.minutes(store, period, objective, GOOD_KINDS)
    return in_slices(leave_out(told, _exclusions(store, period, objective)), objective)


def _goal(store: Store, scope: Scope, objective: Objective) -> Goal:
    period, left_out = scope.period, _exclusions(store, scope.period, objective)
    told = readings.minutes(store, period, objective, GOOD_KINDS)
    window = window_of(period, objective)
    over_window = None
    if window != period:
        over_window = error_budget(objective, counted_minutes(store, window, objective), scope.level)
    return goal_of(objective, told, left_out, level=scope.level, window_budget=over_window)


def _exclusions(store: Store, period: Period, objective: Objective) -> tuple[Exclusion, ...]:
    return tuple(one for one in readings.exclusions(store, period) if one.concerns(objective.service))


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


def read_change(scope: Scope) -> str:
    """Return what `relkit tune` chose last, with its gain and the day of it; empty where nothing was tuned."""
    with open_store(scope.database, rules=scope.config.rules) as store:
        last = last_choice(store)
    if last is None:
        return ""
    return f"{last.sentence} ({last.code}, {datetime.fromtimestamp(last.ts // US_PER_SECOND, UTC):%Y-%m-%d})"
