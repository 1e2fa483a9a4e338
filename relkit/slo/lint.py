"""Lint of alerts and objectives: what can never fire, fires for too little, or cannot be kept together.

Everything here follows from the settings, the expected traffic and, for `lint_log`, the counts; nothing is simulated.
"""

from collections.abc import Sequence
from fractions import Fraction
from itertools import combinations
from math import floor
from typing import Final

import numpy as np

from relkit.slo.alerts import AlertRule, AlertSet, AlertTier, span_text, tier_text
from relkit.slo.firing import byar_lower
from relkit.slo.minutes import Minutes, gap_text
from relkit.slo.objective import Objective
from relkit.units import MINUTES_PER_DAY, MINUTES_PER_HOUR, count, percent, several
from relkit.verdict import Finding

FEW_ERRORS: Final = 3
"""Fewer failures than this decide nothing: one bad deploy check or one bot makes two."""

_MOST_GAPS: Final = 0.05  # share of the minutes that may be missing before windows mean something else


def errors_to_fire(tier: AlertTier, objective: Objective, period_valid: int) -> int:
    """Return how many failures within the long window make a tier fire, at the mean traffic of the objective's window.

    burn: floor(b B n) + 1 of n requests in the window; budget_share: floor(q B N) + 1 of N in the objective's window;
    hours_left: from a full budget, floor(B N w / (w + hours)) + 1, as these failures spend it too; burn_lower: the least k whose lower bound is over b B n.

    Parameters
    ----------
    tier : AlertTier
        The tier; its minimum_bad counts.
    objective : Objective
        Whose budget it watches.
    period_valid : int
        Requests expected in one window of the objective.

    Examples
    --------
    >>> fast, goal = AlertTier("burn", "14.4", 60, 5), Objective("a", "0.999")
    >>> [errors_to_fire(fast, goal, month) for month in (10_000, 100_000, 250_000, 1_000_000, 10_000_000)]
    [1, 3, 6, 21, 201]
    """
    budget = objective.budget_share
    share = Fraction(tier.long_minutes, objective.window_minutes)
    if tier.measure == "budget_share":
        limit = tier.threshold * budget * period_valid
    elif tier.measure == "hours_left":
        limit = budget * period_valid * tier.long_minutes / (tier.threshold * MINUTES_PER_HOUR + tier.long_minutes)
    else:
        limit = tier.threshold * budget * period_valid * share
    needed = floor(limit) + 1
    if tier.measure == "burn_lower":
        most = 2 * needed + 50  # the bound of k is over k/2 from 12 on, at any level up to 99.9 %
        bounds = byar_lower(np.arange(most + 1, dtype=np.float64), tier.level)
        needed = int(np.argmax(bounds > float(limit))) or most
    return max(needed, tier.minimum_bad)


def lint_alerts(
    alert_set: AlertSet, objective: Objective, period_valid: int, retention_days: float | None = None
) -> list[Finding]:
    """Lint an alert set against its objective and the traffic expected.

    Parameters
    ----------
    alert_set : AlertSet
        What is deployed or about to be.
    objective : Objective
        Whose budget it watches.
    period_valid : int
        Requests expected in one window of the objective.
    retention_days : float or None
        How long samples are kept; Prometheus keeps 15 days unless told. None leaves that out.

    Returns
    -------
    list of Finding
        In the order of the alerts. Codes: UNREACHABLE (a total outage would not fire it), FEW_ERRORS (fewer than 3
        failures fire it), FOR_OVER_SHORT (`for` outlasts the window that resets), SLOW_RESET (a single window),
        BEYOND_RETENTION, BEYOND_WINDOW (a window longer than the objective's), NO_SLOW_TIER (a burn that empties the
        budget fires nothing).

    Examples
    --------
    >>> from relkit.slo.alert_sets import alert_set
    >>> found = lint_alerts(alert_set("plan-10x"), Objective("success", "0.98"), 10_000)
    >>> [finding.code for finding in found]
    ['SLOW_RESET', 'NO_SLOW_TIER']
    >>> lint_alerts(alert_set("workbook"), Objective("half", "0.5"), 10_000)[0].sentence
    'a burn above 14.4 cannot be: a total outage burns at 2; lower the factor or drop the tier'
    """
    found = [
        finding
        for rule in alert_set
        for place, tier in enumerate(rule.tiers, 1)
        for finding in _tier(rule, place, tier, objective, period_valid, retention_days)
    ]
    return found + _slow(alert_set, objective)


def lint_log(alert_set: AlertSet, minutes: Minutes, objective: Objective) -> list[Finding]:
    """Lint an alert set and its objective against the counts of a log.

    Returns
    -------
    list of Finding
        Codes: DEAD_SIGNAL (no valid request, or never a good one), NEVER_BAD (no failure at all: is it counted?),
        BEYOND_LOG (a window longer than the log: its alerts were never seen working), GAPS (over 5 % missing).

    Examples
    --------
    >>> from relkit.slo.alert_sets import alert_set
    >>> short = Minutes(0, [9] * 90, [1] * 90, [0] * 90, [0] * 90, [True] * 90)
    >>> [finding.code for finding in lint_log(alert_set("workbook"), short, Objective("a", "0.999"))]
    ['BEYOND_LOG']
    """
    totals, where = minutes.totals, objective.name
    found = []
    dead = (
        "no valid request in the log: nothing is measured, and no alert can fire; check the mapping and the exclusions"
        if not totals.valid
        else f"none of {count(totals.valid)} requests is good: a service that never succeeds loses its traffic, so the "
        "measure is dead; check what counts as good"
    )
    if not totals.good:
        found.append(Finding("DEAD_SIGNAL", "error", dead, 0, 1, where))
    elif not totals.bad:
        sentence = f"none of {count(totals.valid)} requests is bad: check that failures are counted before trusting it"
        found.append(Finding("NEVER_BAD", "warning", sentence, 0, 1, where))
    longest, days = max(alert_set.windows), len(minutes) / MINUTES_PER_DAY
    if longest > len(minutes):
        sentence = (
            f"a window of {span_text(longest)} is longer than the log of {days:.3g} days: no score of it means "
            "anything; bring a longer log"
        )
        found.append(Finding("BEYOND_LOG", "warning", sentence, longest / MINUTES_PER_DAY, days, alert_set.name))
    missing = 1 - minutes.coverage
    if missing > _MOST_GAPS:
        sentence = (
            f"{percent(missing, 1)} of the minutes are missing, the longest stretch {gap_text(minutes.gaps()[0])}: "
            "an alert is blind there"
        )
        found.append(Finding("GAPS", "warning", sentence, missing, _MOST_GAPS, where))
    return found


def lint_objectives(objectives: Sequence[Objective]) -> list[Finding]:
    """Find objectives that contradict: one allows so many failures that the other cannot be kept.

    Two objectives are compared where what is bad for the looser one is bad for the stricter one too: the same service
    (or one of them for all), both of success or both of latency, no kind that the stricter one alone leaves out, and no
    longer threshold in the stricter one.

    Returns
    -------
    list of Finding
        Code CONTRADICTION, an error; with the burn at which keeping the looser one burns the stricter one's budget.

    Examples
    --------
    >>> pair = [Objective("availability", "0.999"), Objective("success", "0.98")]
    >>> [(finding.code, finding.value) for finding in lint_objectives(pair)]
    [('CONTRADICTION', 20.0)]
    """
    found = []
    for one, two in combinations(objectives, 2):
        strict, loose = sorted((one, two), key=lambda objective: objective.budget_share)
        if strict.budget_share == loose.budget_share or not _share_failures(strict, loose):
            continue
        burn = loose.budget_share / strict.budget_share
        days = float(strict.window_days / burn)
        sentence = (
            f"{loose.name} at exactly {loose.target_text} burns the budget of {strict.name} ({strict.target_text}) at "
            f"{float(burn):.3g}x and empties it in {days:.3g} days; keep one, or let them measure different things"
        )
        found.append(Finding("CONTRADICTION", "error", sentence, float(burn), 1.0, f"{strict.name}, {loose.name}"))
    return found


def _tier(
    rule: AlertRule, place: int, tier: AlertTier, objective: Objective, period_valid: int, retention_days: float | None
) -> list[Finding]:
    where = f"{rule.name}, tier {place}: {tier_text(tier)}"
    found = []
    factor = tier.flat_factor(objective.window_days)
    if factor is not None and not tier.is_reachable(objective):
        most = float(1 / objective.budget_share)
        sentence = f"a burn above {float(factor):.4g} cannot be: a total outage burns at {most:.4g}; lower the factor or drop the tier"
        found.append(Finding("UNREACHABLE", "error", sentence, float(factor), most, where))
    else:
        needed = errors_to_fire(tier, objective, period_valid)
        if needed < FEW_ERRORS:
            sentence = (
                f"{several(needed, 'failure')} in {span_text(tier.long_minutes)} fire it at {count(period_valid)} requests "
                f"in {objective.window_text}; demand a minimum count, or count against the budget"
            )
            found.append(Finding("FEW_ERRORS", "warning", sentence, needed, FEW_ERRORS, where))
    if tier.short_minutes is None:
        sentence = f"a single window: it fires on for up to {span_text(tier.long_minutes)} after the trouble; add a short one of a twelfth"
        found.append(Finding("SLOW_RESET", "warning", sentence, tier.long_minutes, tier.long_minutes / 12, where))
    elif rule.for_minutes > tier.short_minutes:
        sentence = (
            f"`for` of {span_text(rule.for_minutes)} outlasts the window of {span_text(tier.short_minutes)}: an outage "
            "that is shorter than it is never told, however bad; shorten `for`"
        )
        found.append(Finding("FOR_OVER_SHORT", "warning", sentence, rule.for_minutes, tier.short_minutes, where))
    days = tier.long_minutes / MINUTES_PER_DAY
    if retention_days is not None and days > retention_days:
        sentence = (
            f"its window of {days:.3g} days reaches beyond the {retention_days:g} days that samples are kept, so it looks "
            "at less than it says; keep them longer"
        )
        found.append(Finding("BEYOND_RETENTION", "error", sentence, days, retention_days, where))
    if tier.long_minutes > objective.window_minutes:
        sentence = f"its window of {days:.3g} days is longer than the objective's {objective.window_text}"
        found.append(Finding("BEYOND_WINDOW", "warning", sentence, days, objective.window_days, where))
    return found


def _slow(alert_set: AlertSet, objective: Objective) -> list[Finding]:
    """Find a slow burn that empties the budget and fires nothing: the least factor of any reachable tier is over 1."""
    tiers = [tier for rule in alert_set for tier in rule.tiers if tier.is_reachable(objective)]
    factors = [tier.flat_factor(objective.window_days) for tier in tiers]
    known = [factor for factor in factors if factor is not None]
    if not known or len(known) < len(factors) or min(known) <= 1:
        return []
    least = float(min(known))
    hours = objective.window_days * 24 / least
    sentence = (
        f"a steady burn of {least:.4g} empties the budget in {hours:.3g} h and fires nothing; add a tier with factor 1"
    )
    return [Finding("NO_SLOW_TIER", "warning", sentence, least, 1.0, alert_set.name)]


def _share_failures(strict: Objective, loose: Objective) -> bool:
    """Say whether a request that is bad for the looser objective is bad for the stricter one too."""
    same_service = strict.service == loose.service or strict.service is None or loose.service is None
    if not same_service or strict.kind != loose.kind or strict.method != loose.method:
        return False
    if not strict.excluded <= loose.excluded or (loose.degraded, strict.degraded) == ("bad", "good"):
        return False
    if strict.threshold_us is None or loose.threshold_us is None:
        return True
    return strict.threshold_us <= loose.threshold_us
