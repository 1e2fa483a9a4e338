"""The optimiser: alerts that fit this traffic and these incidents better than the Workbook's, and by how much.

Choosing among hundreds of sets by the history they are scored on flatters the winner. So the gain that is told comes
from stretches of time that came after those a set was chosen on, and below about twenty incidents nothing is chosen.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Final

import numpy as np

from relkit.slo.alert_sets import alert_set
from relkit.slo.alerts import AlertRule, AlertSet, AlertTier, span_text
from relkit.slo.firing import Engine, joined
from relkit.slo.incidents import Incident, bounds, derive_incidents
from relkit.slo.minutes import Floats, Ints, Minutes
from relkit.slo.objective import Objective
from relkit.slo.scoring import GRACE_MINUTES, by_day, interval, match, quantile_of_delays, rates_of, resamples
from relkit.units import MINUTES_PER_DAY, signed
from relkit.verdict import Verdict

LEAST_INCIDENTS: Final = 20
"""Fewer significant incidents than this tell sets apart by luck: one incident more or less moves recall by 5 points."""

_LEAST_WINDOW: Final = 5  # minutes: scraped once a minute, a shorter window may hold too few samples for any value

_FOLDS: Final = (0.4, 0.6, 0.8, 1.0)  # chosen on what is before each but the last, tried on what follows
_DRAWS: Final = 1000


@dataclass(frozen=True, slots=True)
class BetterAlerts:
    """What the optimiser found.

    Parameters
    ----------
    verdict : Verdict
        Of area tuning: RECOMMENDED or REFUSED, the value being the gain in F1.
    alert_set, baseline : AlertSet
        The set chosen on the whole history, and the one it is compared with. Refused for want of incidents: the
        baseline itself.
    gain, gain_low, gain_high : float or None
        F1 of the sets chosen on the past minus F1 of the baseline, both on the stretches that followed, and the
        interval of that paired difference (bootstrap over days).
    tried_on_past : tuple of str
        Which set was chosen at the end of each stretch of the past.
    considered : int
        Sets that were compared.
    incidents : int
        Significant incidents.
    period_valid : int
        Requests expected in one window of the objective: thresholds on counts hold for this number.
    """

    verdict: Verdict
    alert_set: AlertSet
    baseline: AlertSet
    gain: float | None
    gain_low: float | None
    gain_high: float | None
    tried_on_past: tuple[str, ...]
    considered: int
    incidents: int
    period_valid: int


def better_alerts(
    minutes: Minutes,
    objective: Objective,
    incidents: Sequence[Incident] | None = None,
    *,
    baseline: AlertSet | None = None,
    candidates: Sequence[AlertSet] | None = None,
    period_valid: int | None = None,
    slower_minutes: float = 1.0,
    level: float = 0.95,
    seed: int = 0,
) -> BetterAlerts:
    """Choose the paging alerts that would have told best of the incidents.

    Parameters
    ----------
    minutes, objective : Minutes, Objective
        The history.
    incidents : sequence of Incident or None
        The significant ones; None derives them by budget share, which favours sets that count against the budget.
    baseline : AlertSet or None
        What is in force; None takes the Workbook's.
    candidates : sequence of AlertSet or None
        What is compared; None takes `alert_space`.
    period_valid : int or None
        Requests expected in one window of the objective; None takes the log's own rate.
    slower_minutes : float
        How much later than the baseline the median incident may be told of, in minutes.
    level : float
        Confidence level of the gain's interval.
    seed : int
        Of the bootstrap.

    Returns
    -------
    BetterAlerts
        Among the sets within one standard error of the best F1 the simplest (fewest windows, counts and waits), of
        those the best. RECOMMENDED where the gain on unseen time is above 0 over the whole interval, else REFUSED.

    Examples
    --------
    >>> quiet = Minutes(0, [100] * 3000, [0] * 3000, [0] * 3000, [0] * 3000, [True] * 3000)
    >>> better_alerts(quiet, Objective("availability", "0.999"), [Incident(100, 130)]).verdict.code
    'REFUSED'
    """
    known = baseline or alert_set("workbook", objective.window_days)
    engine = Engine(minutes, objective, period_valid=period_valid)
    expected = engine.period_valid
    if incidents is None:
        incidents = derive_incidents(minutes, objective, period_valid=expected)
    many = len(incidents)
    if many < LEAST_INCIDENTS:
        return BetterAlerts(_too_few(many), known, known, None, None, None, (), 0, many, expected)
    sets = [known, *(alert_space(objective) if candidates is None else candidates)]
    history = _History(engine, sets, sorted(incidents), slower_minutes, seed)
    days = history.days
    edges = [max(1, round(share * days)) for share in _FOLDS]
    chosen = [history.choose(edge) for edge in edges[:-1]]
    later = np.concatenate([history.counts[place, a:b] for place, a, b in zip(chosen, edges, edges[1:], strict=False)])
    before = history.counts[0, edges[0] :]
    gain, low, high = _gain(later, before, level, seed)
    best = history.choose(days)
    verdict = _verdict(sets[best], known, gain, low, high, level, many)
    return BetterAlerts(
        verdict,
        sets[best],
        known,
        gain,
        low,
        high,
        tuple(sets[place].name for place in chosen),
        len(sets),
        many,
        expected,
    )


def alert_space(objective: Objective) -> list[AlertSet]:
    """Return the sets that the optimiser compares: pages of one or two tiers, of each family.

    Shares of the budget in one window or in two, burn rates with a minimum count, and for the least traffic "most of
    the last few requests failed" beside a plain count. Tiers that no outage can make fire are left out.

    >>> len(alert_space(Objective("availability", "0.999"))) > 500
    True
    """
    space = [*_shares(), *_two_shares(), *_burns(objective), *_hot(objective)]
    return [one for one in space if all(tier.is_reachable(objective) for rule in one for tier in rule.tiers)]


class _History:
    """Every candidate's days and delays, once; a choice then reads off the days before an edge."""

    def __init__(
        self, engine: Engine, sets: Sequence[AlertSet], incidents: Sequence[Incident], slower: float, seed: int
    ) -> None:
        size = len(engine.minutes)
        found = np.clip(bounds(incidents, engine.minutes.start_minute), 0, size)
        self.days = max(1, -(-size // MINUTES_PER_DAY))
        self.conditions = np.array([one.conditions for one in sets])
        self.slower, self.seed = slower, seed
        self.incident_day = found[:, 0] // MINUTES_PER_DAY
        self.censored: Floats = (np.diff(found)[:, 0] + GRACE_MINUTES).astype(np.float64)
        self.counts = np.zeros((len(sets), self.days, 4), dtype=np.int64)
        self.delay = np.full((len(sets), len(found)), np.nan)
        for place, (one, spans) in enumerate(zip(sets, engine.spans(sets), strict=True)):
            pages = joined([fired for rule, fired in zip(one, spans, strict=True) if rule.severity == "page"])
            matched = match(pages, found)
            self.counts[place] = by_day(matched, size)
            self.delay[place] = matched.delay

    def choose(self, before_day: int) -> int:
        """Return the place of the simplest set within one standard error of the best on the days before one."""
        f1 = np.nan_to_num(rates_of(self.counts[:, :before_day].sum(axis=1))[2])
        seen = self.incident_day < before_day
        if not seen.any():
            return 0
        limit = self._median(0, seen) + self.slower
        best = next(
            place
            for place in np.argsort(-f1, kind="stable").tolist()
            if place == 0 or self._median(place, seen) <= limit
        )
        draws = resamples(before_day, 200, self.seed)
        error = float(np.nanstd(rates_of(draws @ self.counts[best, :before_day])[2]))
        near = [
            place
            for place in np.flatnonzero(f1 >= f1[best] - error).tolist()
            if place == best or self._median(place, seen) <= limit
        ]
        return min(near, key=lambda place: (int(self.conditions[place]), -float(f1[place]), self._median(place, seen)))

    def _median(self, place: int, seen: np.ndarray[tuple[int], np.dtype[np.bool_]]) -> float:
        median = quantile_of_delays(self.delay[place, seen], self.censored[seen], 0.5)
        return np.inf if median is None else median


def _gain(later: Ints, before: Ints, level: float, seed: int) -> tuple[float | None, float | None, float | None]:
    """Return the difference in F1 on the same days, and its interval."""
    if not before[:, 3].sum():
        return None, None, None
    gain = float(rates_of(later.sum(axis=0))[2] - rates_of(before.sum(axis=0))[2])
    draws = resamples(len(before), _DRAWS, seed)
    ends = interval(rates_of(draws @ later)[2] - rates_of(draws @ before)[2], level)
    return (gain, None, None) if ends is None else (gain, *ends)


def _verdict(
    chosen: AlertSet,
    known: AlertSet,
    gain: float | None,
    low: float | None,
    high: float | None,
    level: float,
    many: int,
) -> Verdict:
    if gain is None or low is None or high is None:
        why = "No incident came after the time that sets could be chosen on."
        return Verdict(
            "tuning", "REFUSED", f"Keep {known.name}.", n=many, why_not=why, would_change="A longer history."
        )
    between = f"({100 * level:.4g} % interval {signed(low)} to {signed(high)})"
    if low > 0:
        text = f"{chosen.name} instead of {known.name}: F1 {signed(gain)} {between} on time it was not chosen on."
        return Verdict("tuning", "RECOMMENDED", text, gain, low, high, "F1", level, many)
    text = f"Keep {known.name}: the best other set gains {signed(gain)} in F1 {between} on time it was not chosen on."
    would = "Nothing in sight: the gain is not above 0." if gain <= 0 else _more(gain, low, many)
    return Verdict("tuning", "REFUSED", text, gain, low, high, "F1", level, many, "The interval holds 0.", would)


def _more(gain: float, low: float, many: int) -> str:
    needed = max(many + 1, round(many * ((gain - low) / gain) ** 2))
    return f"About {needed} incidents in all, at this gain: history grows, or invented ones are laid on it (lay_on)."


def _too_few(many: int) -> Verdict:
    return Verdict(
        "tuning",
        "REFUSED",
        f"{many} significant incidents: too few to choose alerts by.",
        n=many,
        why_not=f"Below {LEAST_INCIDENTS} incidents a set wins by luck.",
        would_change="More history, incidents with labels, or invented incidents laid on this traffic (lay_on).",
    )


def _page(name: str, *tiers: AlertTier, for_minutes: int = 0) -> AlertSet:
    return AlertSet(name, (AlertRule("BudgetPage", "page", tiers, for_minutes),), "chosen on this history")


def _shares() -> list[AlertSet]:
    return [
        _page(
            f"{100 * float(Fraction(share)):g} % of the budget in {span_text(long)} and {span_text(short)}" + (f", for {wait}m" if wait else ""),
            AlertTier("budget_share", share, long, short),
            for_minutes=wait,
        )
        for long in (15, 30, 60, 120, 180, 360)
        for short in sorted({max(_LEAST_WINDOW, long // part) for part in (3, 4, 6, 12, 24)})
        for share in ("0.005", "0.01", "0.0125", "0.015", "0.02", "0.025", "0.03")
        for wait in (0, 2)
    ]  # fmt: skip


def _two_shares() -> list[AlertSet]:
    return [
        _page(
            f"{100 * float(Fraction(fast)):g} % of the budget in {span_text(long)} or {100 * float(Fraction(slow)):g} % in {span_text(longer)}",
            AlertTier("budget_share", fast, long, max(_LEAST_WINDOW, long // 12)),
            AlertTier("budget_share", slow, longer, longer // 12),
        )
        for long in (15, 30, 60)
        for longer in (120, 180, 360)
        for fast in ("0.01", "0.015", "0.02")
        for slow in ("0.01", "0.015", "0.02", "0.03", "0.05")
    ]


def _burns(objective: Objective) -> list[AlertSet]:
    sets = []
    for long in (30, 60, 120):
        for share in ("0.01", "0.02", "0.03"):
            fast = Fraction(share) * objective.window_minutes / long
            for least in (0, 2, 3, 5, 10, 20):
                first = AlertTier("burn", fast, long, max(_LEAST_WINDOW, long // 12), least)
                many = f", at least {least} bad" if least else ""
                sets.append(_page(f"burn {float(fast):.4g} in {span_text(long)}{many}", first))
                for more in ("0.03", "0.05", "0.08"):
                    slow = Fraction(more) * objective.window_minutes / 360
                    name = f"burn {float(fast):.4g} in {span_text(long)} or {float(slow):.4g} in 6h{many}"
                    sets.append(_page(name, first, AlertTier("burn", slow, 360, 30, least)))
    return sets


def _hot(objective: Objective) -> list[AlertSet]:
    sets = []
    for failing in (25, 30, 40, 50, 70):
        factor = Fraction(failing, 100) / objective.budget_share
        for window in (5, 6, 8):
            for least, long, short in ((2, 30, 5), (2, 60, 5), (2, 60, 10), (3, 60, 10), (3, 120, 10)):
                name = f"{failing} % failing in {window}m or {least} bad in {span_text(long)} and {span_text(short)}"
                sets.append(_page(name, AlertTier("burn", factor, window), AlertTier("burn", 1, long, short, least)))
    return sets
