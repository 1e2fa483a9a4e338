"""The alert engine: which minutes a rule set fires in, as Prometheus would.

Entry i of a grid speaks of the evaluation at the end of minute i. A rule compares increases (`relkit.slo.increases`)
with exact thresholds, strictly; no value is not over. It is active while any tier holds, fires when it was active for
`for`, and fires on for keep_firing_for after.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import reduce
from typing import Final

import numpy as np
import numpy.typing as npt
from scipy.special import ndtri

from relkit.exceptions import ParameterError
from relkit.slo.alerts import AlertRule, AlertSet, AlertTier
from relkit.slo.increases import Increases
from relkit.slo.minutes import Bools, Floats, Gap, Minutes
from relkit.slo.objective import Objective

Spans = npt.NDArray[np.int64]
"""Stretches [start, end) in positions of the grid: two columns, ordered, apart from each other."""

_MINUTES_PER_HOUR: Final = 60


@dataclass(frozen=True, slots=True)
class Firing:
    """When the alerts of a rule set fire.

    Parameters
    ----------
    alert_set : AlertSet
        What was run.
    by_rule : tuple of tuple of (int, int)
        For each rule the stretches in which it fires, in unix minutes, end exclusive. An alert that starts at minute m
        is told at the end of it.

    Examples
    --------
    >>> grid = Minutes(0, [99, 50, 50, 99], [1, 50, 50, 1], [0] * 4, [0] * 4, [True] * 4)
    >>> page = AlertSet("demo", (AlertRule("Burn", "page", (AlertTier("burn", 10, 1),)),))
    >>> fire(page, grid, Objective("availability", "0.99")).pages
    [(1, 3)]
    """

    alert_set: AlertSet
    by_rule: tuple[tuple[Gap, ...], ...]

    def of(self, severity: str) -> list[Gap]:
        """Return the stretches in which any rule of a severity fires."""
        found = [
            spans
            for rule, spans in zip(self.alert_set, self.by_rule, strict=True)
            if rule.severity == severity and spans
        ]
        return pairs(joined([np.array(spans, dtype=np.int64) for spans in found]))

    @property
    def pages(self) -> list[Gap]:
        """Return the stretches in which anyone is paged."""
        return self.of("page")

    @property
    def tickets(self) -> list[Gap]:
        """Return the stretches in which a ticket is open."""
        return self.of("ticket")


class Engine:
    """Runs many rule sets over the same minutes.

    Parameters
    ----------
    minutes : Minutes
        Counts, missing kept apart from zero.
    objective : Objective
        Whose budget is burnt.
    period_valid : int or None
        Requests expected in one window of the objective, for rules that count against the budget; None takes the log's
        own rate over its covered minutes.
    restarts : sequence of int
        Unix minutes at which the counters began anew.
    step_minutes : int
        Evaluation interval; rules are evaluated where the instant, in unix minutes, is a multiple of it.

    Notes
    -----
    Few minutes are near any threshold. So the long windows are compared with the lowest threshold asked of them, and
    all else is done on the minutes that are over it; window sums come from cumulative sums, O(1) each.
    """

    def __init__(
        self,
        minutes: Minutes,
        objective: Objective,
        *,
        period_valid: int | None = None,
        restarts: Sequence[int] = (),
        step_minutes: int = 1,
    ) -> None:
        if not 1 <= step_minutes <= 60:
            raise ParameterError.of("step_minutes", step_minutes, "1 to 60", "give Prometheus' evaluation interval")
        self.minutes, self.objective, self.step = minutes, objective, step_minutes
        self.period_valid = expected_valid(minutes, objective) if period_valid is None else period_valid
        if self.period_valid < 1:
            raise ParameterError.of(
                "period_valid", self.period_valid, "at least 1 request", "say how many are expected"
            )
        self.increases = Increases(minutes, restarts)

    def spans(self, alert_sets: Sequence[AlertSet]) -> list[list[Spans]]:
        """Return for each rule set and each of its rules the stretches in which it fires, as positions of the grid."""
        places = self._places(alert_sets)
        at = _Comparisons(self, places)
        return [[self._fires(rule, at, places) for rule in rules] for rules in alert_sets]

    def fire(self, alert_set: AlertSet) -> Firing:
        """Return when the alerts of one rule set fire."""
        spans = self.spans([alert_set])[0]
        return Firing(alert_set, tuple(tuple(pairs(found + self.minutes.start_minute)) for found in spans))

    def _places(self, alert_sets: Sequence[AlertSet]) -> Spans:
        """Return the minutes at which any tier's long window is over the lowest threshold asked of it."""
        lowest: dict[tuple[str, int], AlertTier] = {}
        for tier in (tier for rules in alert_sets for rule in rules for tier in rule.tiers):
            key = ("burn" if tier.measure == "burn_lower" else tier.measure, tier.long_minutes)
            held = lowest.get(key)
            # Fewer hours left are harder to reach, so there the highest threshold is the widest net
            if held is None or (tier.threshold > held.threshold) == (tier.measure == "hours_left"):
                lowest[key] = tier
        everywhere = np.arange(len(self.minutes), dtype=np.int64)
        if self.step > 1:
            everywhere = everywhere[(everywhere + 1 + self.minutes.start_minute) % self.step == 0]
        at = _Comparisons(self, everywhere)
        masks = [at.over(tier, tier.long_minutes) for tier in lowest.values()]
        return everywhere[reduce(np.logical_or, masks)] if masks else everywhere[:0]

    def _fires(self, rule: AlertRule, at: "_Comparisons", places: Spans) -> Spans:
        active = reduce(np.logical_or, (at.holds(tier) for tier in rule.tiers))
        return lasting(active, places, self.step, rule.for_minutes, rule.keep_firing_minutes)


class _Comparisons:
    """The comparisons of tiers at some minutes; equal ones are made once."""

    def __init__(self, engine: Engine, places: Spans) -> None:
        self._engine, self._places = engine, places
        self._sums: dict[int, tuple[Floats, Floats]] = {}
        self._shares: dict[int, Floats] = {}
        self._held: dict[AlertTier, Bools] = {}
        self._left: Floats | None = None

    def holds(self, tier: AlertTier) -> Bools:
        if tier not in self._held:
            held = self.over(tier, tier.long_minutes)
            if tier.minimum_bad:
                held = held & (self._increase(tier.long_minutes)[0] >= tier.minimum_bad)
            if tier.measure == "burn_lower":
                held = held & self._surely_over(tier)
            if tier.short_minutes is not None:
                held = held & self.over(tier, tier.short_minutes)
            self._held[tier] = held
        return self._held[tier]

    def over(self, tier: AlertTier, window: int) -> Bools:
        """Compare one window of a tier, by measure; NaN is not over."""
        budget = self._engine.objective.budget_share
        if tier.measure == "budget_share":
            limit = tier.threshold * budget * self._engine.period_valid * window / tier.long_minutes
            over: Bools = self._increase(window)[0] > float(limit)
        elif tier.measure == "hours_left":
            # budget left / (bad per minute) < hours: written without a division
            over = self._budget_left() * window < self._increase(window)[0] * float(tier.threshold * _MINUTES_PER_HOUR)
        else:
            over = self._share(window) > float(tier.threshold * budget)
        return over

    def _increase(self, window: int) -> tuple[Floats, Floats]:
        if window not in self._sums:
            self._sums[window] = self._engine.increases.over(window, self._places)
        return self._sums[window]

    def _share(self, window: int) -> Floats:
        """Return bad / valid; a quotient of whole numbers below 2^26 is over a threshold exactly when its float is."""
        if window not in self._shares:
            bad, valid = self._increase(window)
            self._shares[window] = np.divide(bad, valid, out=np.full(len(bad), np.nan), where=valid > 0)
        return self._shares[window]

    def _surely_over(self, tier: AlertTier) -> Bools:
        bad, valid = self._increase(tier.long_minutes)
        limit = float(tier.threshold * self._engine.objective.budget_share)
        sure: Bools = byar_lower(bad, tier.level) > limit * valid
        return sure

    def _budget_left(self) -> Floats:
        if self._left is None:
            objective = self._engine.objective
            spent = self._increase(objective.window_minutes)[0]
            self._left = np.maximum(float(objective.budget_share * self._engine.period_valid) - spent, 0.0)
        return self._left


def fire(
    alert_set: AlertSet,
    minutes: Minutes,
    objective: Objective,
    *,
    period_valid: int | None = None,
    restarts: Sequence[int] = (),
    step_minutes: int = 1,
) -> Firing:
    """Return when the alerts of a rule set fire over a grid of minutes; see `Engine` for the parameters.

    >>> grid = Minutes(0, [99] * 9 + [0], [1] * 9 + [100], [0] * 10, [0] * 10, [True] * 10)
    >>> page = AlertSet("demo", (AlertRule("Burn", "page", (AlertTier("burn", 5, 5),)),))
    >>> fire(page, grid, Objective("availability", "0.99")).pages
    [(9, 10)]
    """
    engine = Engine(minutes, objective, period_valid=period_valid, restarts=restarts, step_minutes=step_minutes)
    return engine.fire(alert_set)


def expected_valid(minutes: Minutes, objective: Objective) -> int:
    """Return how many requests one window of the objective holds at the log's own rate.

    >>> expected_valid(Minutes(0, [10, 10], [0, 0], [0, 0], [0, 0], [True, True]), Objective("a", "0.9", 1))
    14400
    """
    covered = int(np.count_nonzero(minutes.covered))
    if not covered or not int(minutes.valid.sum()):
        raise ParameterError.of("minutes", "no valid request", "a log with requests", "say period_valid yourself")
    return max(1, round(Fraction(int(minutes.valid.sum()) * objective.window_minutes, covered)))


def byar_lower(events: Floats, level: float) -> Floats:
    """Return Byar's approximation to the exact one-sided lower Poisson bound of a count; 0 for no event.

    k (1 - 1/(9k) - z/(3 sqrt k))^3. It uses arithmetic that PromQL has, and is within 3 % of the exact bound from 3 on.

    References
    ----------
    Breslow and Day, Statistical Methods in Cancer Research II (IARC 1987), p. 69.

    >>> byar_lower(np.array([0.0, 3.0, 10.0]), 0.95).round(2).tolist()
    [0.0, 0.81, 5.42]
    """
    some = np.maximum(events, 1e-300)
    with np.errstate(over="ignore", invalid="ignore"):
        inner = 1 - 1 / (9 * some) - ndtri(level) / (3 * np.sqrt(some))
        bound: Floats = np.where(events > 0, some * np.maximum(inner, 0.0) ** 3, 0.0)
    return bound


def lasting(active: Bools, places: Spans, step: int, for_minutes: int, keep_minutes: int) -> Spans:
    """Turn "active" into "firing": Prometheus' `for` and keep_firing_for.

    Parameters
    ----------
    active : bool array
        Whether the expression had a result, at each of `places`.
    places : integer array
        Positions of the evaluations looked at, ascending; where one is left out the expression had no result.
    step : int
        Minutes between evaluations.
    for_minutes, keep_minutes : int
        An alert fires from the first evaluation at which it has been active for `for_minutes`, and until the first at
        which it has been inactive for `keep_minutes`.

    >>> lasting(np.array([True, True, True, False]), np.arange(4), 1, 2, 5).tolist()
    [[2, 8]]
    """
    at = places[active]
    if not at.size:
        return np.empty((0, 2), dtype=np.int64)
    breaks = np.flatnonzero(np.diff(at) > step)
    starts = at[np.concatenate(([0], breaks + 1))]
    ends = at[np.concatenate((breaks, [at.size - 1]))] + step
    if not for_minutes and not keep_minutes:
        return np.column_stack((starts, ends))
    wait, keep = -(-for_minutes // step) * step, -(-keep_minutes // step) * step
    fired: list[list[int]] = []
    for start, end in zip(starts.tolist(), ends.tolist(), strict=True):
        if fired and start <= fired[-1][1]:  # still kept firing: `for` does not count anew
            fired[-1][1] = end + keep
        elif start + wait < end:
            fired.append([start + wait, end + keep])
    return np.array(fired, dtype=np.int64).reshape(-1, 2)


def joined(spans: Sequence[Spans], gap: int = 0) -> Spans:
    """Return the union of stretches; those at most `gap` apart become one.

    >>> joined([np.array([[0, 5], [20, 22]]), np.array([[4, 9]])], gap=2).tolist()
    [[0, 9], [20, 22]]
    """
    some = [found for found in spans if len(found)]
    if not some:
        return np.empty((0, 2), dtype=np.int64)
    if len(some) == 1 and gap == 0:
        return some[0]
    every = np.concatenate(some)
    every = every[np.argsort(every[:, 0], kind="stable")]
    reach = np.maximum.accumulate(every[:, 1])
    first = np.concatenate(([True], every[1:, 0] > reach[:-1] + gap))
    places = np.flatnonzero(first)
    last = np.concatenate((places[1:] - 1, [len(every) - 1]))
    return np.column_stack((every[places, 0], reach[last]))


def pairs(spans: Spans) -> list[Gap]:
    """Return stretches as plain pairs.

    >>> pairs(np.array([[1, 2]]))
    [(1, 2)]
    """
    return [(start, end) for start, end in spans.tolist()]
