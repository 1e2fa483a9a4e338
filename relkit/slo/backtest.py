"""The backtest: what alerts would have done on history, scored against the incidents they should have told of."""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Final

import numpy as np

from relkit.exceptions import ParameterError
from relkit.slo.alerts import AlertRule, AlertSet, tier_text
from relkit.slo.firing import Engine, Spans, joined, pairs
from relkit.slo.incidents import PAGE_SHARE, Incident, bounds, budget_shares, derive_incidents
from relkit.slo.minutes import Floats, Gap, Ints, Minutes
from relkit.slo.objective import Objective
from relkit.slo.reach import Reach, reach
from relkit.slo.scoring import (
    GRACE_MINUTES,
    Matches,
    by_day,
    interval,
    match,
    quantile_of_delays,
    rates_of,
    resamples,
)
from relkit.units import MINUTES_PER_DAY

_DRAWS: Final = 1000
_FEW_DRAWS: Final = 400

Interval = tuple[float, float] | None


@dataclass(frozen=True, slots=True)
class Score:
    """How one alert set did.

    Parameters
    ----------
    alert_set : AlertSet
        What was run.
    alerts, true_alerts : int
        Alerts, and those that overlap an incident.
    per_week : float
        Alerts a week over the minutes with data.
    precision, recall, f1 : float or None
        True alerts / alerts; incidents told / incidents; their harmonic mean. None where the denominator is 0.
    precision_interval, recall_interval, f1_interval : (float, float) or None
        Bootstrap over days.
    delay_p50, delay_p90 : float or None
        Minutes from an incident's start until someone is told, by Kaplan and Meier; None where too many went untold.
    delay_interval : (float, float) or None
        Of the median, bootstrap over incidents.
    reset_p50, reset_p90 : float or None
        Minutes from an incident's end until the alert is off, over those told of.
    budget_at_page_p50, budget_at_page_max : float or None
        Share of one window's budget that an incident had spent when someone was told.
    worst_untold : float
        Largest share of the budget that an incident spent without anyone told; minor incidents count too.
    healthy_minutes : int
        Minutes in which it fires outside of every incident, the time to reset included.
    reach : tuple of Reach
        For each tier, whether it can fire at all and how many failures that takes.
    firing : tuple of (int, int)
        When it fires, in unix minutes.
    is_true : tuple of bool
        For each alert (runs of firing close together are one), whether it overlaps an incident.
    """

    alert_set: AlertSet
    alerts: int
    true_alerts: int
    per_week: float
    precision: float | None
    recall: float | None
    f1: float | None
    precision_interval: Interval
    recall_interval: Interval
    f1_interval: Interval
    delay_p50: float | None
    delay_p90: float | None
    delay_interval: Interval
    reset_p50: float | None
    reset_p90: float | None
    budget_at_page_p50: float | None
    budget_at_page_max: float | None
    worst_untold: float
    healthy_minutes: int
    reach: tuple[Reach, ...]
    firing: tuple[Gap, ...]
    is_true: tuple[bool, ...]

    @property
    def errors_needed(self) -> int | None:
        """Return how few bad requests can make it fire in a quiet hour; None when no tier ever can."""
        needed = [one.errors_needed for one in self.reach if one.is_reachable]
        return min(needed) if needed else None


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one alert set did about one incident.

    Parameters
    ----------
    incident : Incident
        The stretch.
    budget_share : float
        Share of one window's budget that it spent.
    is_significant : bool
        Whether someone should have been told.
    told_minute : int or None
        Unix minute at whose end someone was told.
    delay_minutes : float or None
        From its start.
    told_by : str
        The tier that held then; empty where nobody was told.
    budget_when_told : float or None
        Share of the budget spent by then.
    reset_minutes : float or None
        From its end until the alert is off.
    """

    incident: Incident
    budget_share: float
    is_significant: bool
    told_minute: int | None
    delay_minutes: float | None
    told_by: str
    budget_when_told: float | None
    reset_minutes: float | None


@dataclass(frozen=True, slots=True)
class Backtest:
    """Alert sets scored on the same minutes against the same incidents.

    Parameters
    ----------
    objective : Objective
        Whose budget.
    severity : str
        Which alerts were scored: page or ticket.
    incidents, minor : tuple of Incident
        Those someone should have been told of, and the other known ones.
    scores : tuple of Score
        One for each alert set, in the order given.
    outcomes : tuple of tuple of Outcome
        For each alert set, incident by incident in order of time.
    period_valid : int
        Requests expected in one window of the objective.
    days : float
        Days with data.
    level : float
        Confidence level of the intervals.

    Examples
    --------
    >>> from relkit.slo.alert_sets import alert_set
    >>> n = 3000
    >>> bad = [0] * n
    >>> bad[2000:2030] = [50] * 30
    >>> grid = Minutes(0, [100 - b for b in bad], bad, [0] * n, [0] * n, [True] * n)
    >>> done = backtest([alert_set("workbook")], grid, Objective("availability", "0.999"), [Incident(2000, 2030)])
    >>> done.scores[0].f1, done.scores[0].delay_p50, done.outcomes[0][0].told_by
    (1.0, 2.0, 'burn > 14.4 over 1h and 5m')
    """

    objective: Objective
    severity: str
    incidents: tuple[Incident, ...]
    minor: tuple[Incident, ...]
    scores: tuple[Score, ...]
    outcomes: tuple[tuple[Outcome, ...], ...]
    period_valid: int
    days: float
    level: float

    def of(self, name: str) -> Score:
        """Return the score of an alert set by its name."""
        return self.scores[self._place(name)]

    def outcomes_of(self, name: str) -> tuple[Outcome, ...]:
        """Return what an alert set did, incident by incident."""
        return self.outcomes[self._place(name)]

    def _place(self, name: str) -> int:
        names = [score.alert_set.name for score in self.scores]
        if name not in names:
            raise ParameterError.of("alert set", name, ", ".join(names), "name one that was run")
        return names.index(name)


def backtest(
    alert_sets: Sequence[AlertSet],
    minutes: Minutes,
    objective: Objective,
    incidents: Sequence[Incident] | None = None,
    *,
    minor: Sequence[Incident] = (),
    share: Fraction = PAGE_SHARE,
    severity: str = "page",
    period_valid: int | None = None,
    restarts: Sequence[int] = (),
    step_minutes: int = 1,
    level: float = 0.95,
    seed: int = 0,
) -> Backtest:
    """Score alert sets on history.

    Parameters
    ----------
    alert_sets : sequence of AlertSet
        At least one.
    minutes, objective : Minutes, Objective
        The history.
    incidents : sequence of Incident or None
        What someone should have been told of; None derives them by budget share (`derive_incidents`).
    minor : sequence of Incident
        Known trouble that was not worth an alert: an alert on it is false, but the service was not healthy.
    share : Fraction
        With derived incidents: the share of the budget from which one counts.
    severity : str
        Which alerts are scored.
    period_valid, restarts, step_minutes
        See `relkit.slo.firing.Engine`.
    level : float
        Confidence level of the intervals.
    seed : int
        Of the bootstrap.

    Raises
    ------
    ParameterError
        Without any alert set, or for a severity that none of them has.
    """
    if not alert_sets:
        raise ParameterError.of("alert_sets", "none", "at least one", "pass alert_set('workbook')")
    engine = Engine(minutes, objective, period_valid=period_valid, restarts=restarts, step_minutes=step_minutes)
    expected = engine.period_valid
    if incidents is None:
        incidents = derive_incidents(minutes, objective, share=share, period_valid=expected)
    course = _Course(engine, sorted(incidents), sorted(minor), severity, level, seed)
    fired = engine.spans(alert_sets)
    scores, outcomes = [], []
    for one, spans in zip(alert_sets, fired, strict=True):
        firing = joined([found for rule, found in zip(one, spans, strict=True) if rule.severity == severity])
        scores.append(course.score(one, firing))
        outcomes.append(course.outcomes(one, firing))
    days = float(np.count_nonzero(minutes.covered)) / MINUTES_PER_DAY
    kept = (tuple(course.incidents), tuple(course.minor))
    return Backtest(objective, severity, *kept, tuple(scores), tuple(outcomes), expected, days, level)


class _Course:
    """What all alert sets of one backtest share."""

    def __init__(
        self,
        engine: Engine,
        incidents: Sequence[Incident],
        minor: Sequence[Incident],
        severity: str,
        level: float,
        seed: int,
    ) -> None:
        self.engine, self.incidents, self.minor = engine, incidents, minor
        self.severity, self.level = severity, level
        minutes = engine.minutes
        self.size = len(minutes)
        self.start = minutes.start_minute
        self.bounds = np.clip(bounds(incidents, self.start), 0, self.size)
        self.every = sorted([*incidents, *minor])
        self.every_bounds = np.clip(bounds(self.every, self.start), 0, self.size)
        self.shares = budget_shares(self.every, minutes, engine.objective, engine.period_valid)
        self.bad = np.concatenate((np.zeros(1, dtype=np.int64), np.cumsum(minutes.bad)))
        self.allowed = float(engine.objective.budget_share * engine.period_valid)
        days = max(1, -(-self.size // MINUTES_PER_DAY))
        self.draws = resamples(days, _DRAWS, seed)
        self.picks = np.random.default_rng(seed).integers(0, max(1, len(incidents)), (_FEW_DRAWS, len(incidents)))
        self.censored: Floats = (np.diff(self.bounds)[:, 0] + GRACE_MINUTES).astype(np.float64)

    def score(self, alert_set: AlertSet, firing: Spans) -> Score:
        found = match(firing, self.bounds)
        precision, recall, f1 = rates_of(self.draws @ by_day(found, self.size))
        weeks = np.count_nonzero(self.engine.minutes.covered) / (7 * MINUTES_PER_DAY)
        paid = self._budget_at_page(found)
        resets = found.reset[found.is_told]
        known = alert_set.of(self.severity)
        return Score(
            alert_set,
            len(found.alerts),
            int(found.is_true.sum()),
            float(len(found.alerts) / weeks) if weeks else 0.0,
            found.precision,
            found.recall,
            found.f1,
            interval(precision, self.level),
            interval(recall, self.level),
            interval(f1, self.level),
            quantile_of_delays(found.delay, self.censored, 0.5),
            quantile_of_delays(found.delay, self.censored, 0.9),
            self._delay_interval(found),
            _quantile(resets, 0.5),
            _quantile(resets, 0.9),
            _quantile(paid, 0.5),
            _quantile(paid, 1.0),
            self._worst_untold(firing),
            self._healthy_minutes(firing),
            tuple(reach(tier, self.engine) for rule in known for tier in rule.tiers),
            tuple(pairs(firing + self.start)),
            tuple(found.is_true.tolist()),
        )

    def outcomes(self, alert_set: AlertSet, firing: Spans) -> tuple[Outcome, ...]:
        found = match(firing, self.every_bounds)
        tiers = [tier for rule in alert_set.of(self.severity) for tier in rule.tiers]
        alone = [AlertSet(f"{place}", (AlertRule("tier", self.severity, (tier,)),)) for place, tier in enumerate(tiers)]
        held = [spans[0] for spans in self.engine.spans(alone)] if alone else []
        significant = set(self.incidents)
        rows = []
        for place, (incident, lost) in enumerate(zip(self.every, self.shares, strict=True)):
            told = bool(found.is_told[place])
            at = int(self.every_bounds[place, 0] + found.delay[place]) - 1 if told else -1
            by = [tier_text(tier) for tier, spans in zip(tiers, held, strict=True) if _holds(spans, at)] if told else []
            rows.append(
                Outcome(
                    incident,
                    lost,
                    incident in significant,
                    self.start + at if told else None,
                    float(found.delay[place]) if told else None,
                    ", ".join(by[:1]) if by else ("an alert that was still on" if told else ""),
                    float((self.bad[at + 1] - self.bad[self.every_bounds[place, 0]]) / self.allowed) if told else None,
                    float(found.reset[place]) if told else None,
                )
            )
        return tuple(rows)

    def _budget_at_page(self, found: Matches) -> Floats:
        told = found.is_told
        at = (found.incidents[told, 0] + found.delay[told]).astype(np.int64)
        spent: Floats = (self.bad[np.minimum(at, self.size)] - self.bad[found.incidents[told, 0]]) / self.allowed
        return spent

    def _delay_interval(self, found: Matches) -> Interval:
        if not len(self.incidents):
            return None
        medians = [quantile_of_delays(found.delay[pick], self.censored[pick], 0.5) for pick in self.picks]
        return interval(np.array([np.nan if median is None else median for median in medians]), self.level)

    def _worst_untold(self, firing: Spans) -> float:
        told = match(firing, self.every_bounds).is_told
        return max((lost for lost, is_told in zip(self.shares, told, strict=True) if not is_told), default=0.0)

    def _healthy_minutes(self, firing: Spans) -> int:
        edge = np.zeros(self.size + 1, dtype=np.int64)
        trouble = joined([self.every_bounds])
        np.add.at(edge, trouble[:, 0], 1)
        np.add.at(edge, trouble[:, 1], -1)
        healthy = np.concatenate((np.zeros(1, dtype=np.int64), np.cumsum(np.cumsum(edge)[:-1] == 0)))
        ends: Ints = np.minimum(firing, self.size)
        return int((healthy[ends[:, 1]] - healthy[ends[:, 0]]).sum())


def _quantile(values: Floats, level: float) -> float | None:
    return float(np.quantile(values, level)) if values.size else None


def _holds(spans: Spans, at: int) -> bool:
    place = int(np.searchsorted(spans[:, 1], at, side="right"))
    return place < len(spans) and int(spans[place, 0]) <= at
