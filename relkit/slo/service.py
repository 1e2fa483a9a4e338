"""A service over a period: its objectives with what was counted for each, and the verdict a page leads with."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from statistics import median
from typing import Final

import numpy as np

from relkit.slo.budget import ErrorBudget, error_budget, share_digits, verdict
from relkit.slo.exclusions import Exclusion, leave_out
from relkit.slo.minutes import Gap, Minutes, MinuteShares, gap_text, is_dead, runs
from relkit.slo.objective import Objective
from relkit.slo.percentiles import Latency
from relkit.slo.slices import in_slices
from relkit.slo.span import LEAST_COVERAGE
from relkit.slo.uptime import Uptime
from relkit.units import percent, several
from relkit.verdict import Verdict

_TROUBLE: Final = {"MET": 0, "UNDECIDED": 1, "MISSED": 2}


@dataclass(frozen=True, slots=True)
class Goal:
    """One objective with what was counted for it.

    Parameters
    ----------
    objective : Objective
        What was promised.
    minutes : Minutes
        Counted over the reported period, in the units of the objective, exclusions left out.
    budget : ErrorBudget
        Over the reported period: the verdict's numbers.
    window_budget : ErrorBudget
        Over the objective's own window, which ends with the period.
    verdict : Verdict
        On the reported period.
    exclusions : tuple of Exclusion
        Stretches of the period that were left out.
    budget_with_all : ErrorBudget or None
        Over the reported period with these stretches counted; None without any.
    """

    objective: Objective
    minutes: Minutes
    budget: ErrorBudget
    window_budget: ErrorBudget
    verdict: Verdict
    exclusions: tuple[Exclusion, ...] = ()
    budget_with_all: ErrorBudget | None = None

    @property
    def is_window_period(self) -> bool:
        """Whether the objective's window is the reported period itself."""
        return self.window_budget == self.budget

    @property
    def is_window_covered(self) -> bool:
        """Whether the objective's window holds enough data for its budget to mean something."""
        return self.window_budget.coverage >= LEAST_COVERAGE


def goal_of(
    objective: Objective,
    told: Minutes,
    exclusions: tuple[Exclusion, ...] = (),
    *,
    level: float = 0.95,
    window_budget: ErrorBudget | None = None,
) -> Goal:
    """Judge an objective by what was counted for it.

    Parameters
    ----------
    objective : Objective
        What was promised.
    told : Minutes
        Requests of the reported period, all of them.
    exclusions : tuple of Exclusion
        Stretches of it that do not count; the verdict says what it would be with them.
    level : float
        Confidence level in (0, 1).
    window_budget : ErrorBudget, optional
        Over the objective's own window, where that is not the reported period.

    Examples
    --------
    >>> grid = Minutes(0, [99_990], [10], [0], [0], [True])
    >>> goal_of(Objective("availability", "0.999"), grid).verdict.code
    'MET'
    """
    minutes = in_slices(leave_out(told, exclusions), objective)
    budget = error_budget(objective, minutes, level)
    judged = verdict(budget, gaps=minutes.gaps())
    with_all = error_budget(objective, in_slices(told, objective), level) if exclusions else None
    if with_all is not None:
        judged = _said_with_exclusions(judged, with_all, exclusions)
    return Goal(objective, minutes, budget, window_budget or budget, judged, exclusions, with_all)


def _said_with_exclusions(judged: Verdict, with_all: ErrorBudget, left_out: tuple[Exclusion, ...]) -> Verdict:
    """Never let an exclusion decide in silence: say what the verdict would be without it."""
    other = verdict(with_all).code
    share = "unknown" if with_all.sli is None else percent(with_all.sli, 3)
    same = "also" if other == judged.code else ""
    word = f"With {several(len(left_out), 'excluded stretch', 'excluded stretches')} counted it would be {share} and {same} {other}."
    return replace(judged, why_not=" ".join(filter(None, (judged.why_not, word.replace("  ", " ")))))


@dataclass(frozen=True, slots=True)
class Service:
    """What the log tells of a service over a period.

    Parameters
    ----------
    goals : tuple of Goal
        At least one.
    latency : Latency
        Percentiles of the requests that succeeded.
    shares : MinuteShares or None
        A success share that arrived already added up.
    uptimes : mapping of str to Uptime
        Probed services.
    coverage : float or None
        Share of the period's minutes with data, for the series without requests; None for everything at once.
    gaps : tuple of (int, int)
        Missing stretches.
    flowing : bool
        Whether requests were seen.
    """

    goals: tuple[Goal, ...]
    latency: Latency
    shares: MinuteShares | None
    uptimes: Mapping[str, Uptime]
    coverage: float | None
    gaps: tuple[Gap, ...]
    flowing: bool

    @property
    def availability(self) -> Goal:
        """The objective a page leads with: of those on availability (else of all) the one in most trouble."""
        named = [goal for goal in self.goals if goal.objective.kind == "availability"] or list(self.goals)
        return max(named, key=lambda goal: (_TROUBLE[goal.verdict.code], goal.budget.spent_share or 0.0))

    @property
    def is_counted(self) -> bool:
        """Whether any objective has requests with a known outcome."""
        return any(goal.budget.valid for goal in self.goals)

    @property
    def has_dead_shares(self) -> bool:
        """Whether the pre-aggregated series is no signal: 0 % in every minute while requests flow."""
        return self.shares is not None and is_dead(self.shares, self.flowing)


def headline(service: Service) -> Verdict:
    """Return the verdict a page leads with: on requests where outcomes are told, else on what there is.

    Minute shares and probes carry no counts, so their verdict has no interval and says so; a dead metric gives none.
    """
    goal = service.availability
    if goal.budget.valid or (service.shares is None and not service.uptimes):
        if len(service.goals) == 1 or not service.is_counted:
            return goal.verdict
        return replace(goal.verdict, sentence=f"{goal.objective.name}: {goal.verdict.sentence} {_tally(service.goals)}")
    if service.has_dead_shares:
        assert service.shares is not None
        return Verdict(
            "slo",
            "UNDECIDED",
            f"No signal: {service.shares.source} shows 0 % success in every minute while requests flow.",
            why_not="A service that never succeeds does not keep its traffic: the metric is dead, not the service.",
            would_change="A metric that counts, or a log that tells outcomes.",
        )
    if service.shares is not None:
        return _of_shares(service.shares, goal.objective, is_week=service.coverage is not None)
    return _of_uptimes(service, goal.objective) or goal.verdict


def leading_shares(series: Sequence[MinuteShares]) -> MinuteShares | None:
    """Return the series a page leads with: the one with the lowest mean among those that measure anything.

    None without any. A series that is 0 throughout leads only where there is no other: beside others it is dead.
    """
    alive = [shares for shares in series if shares.share[shares.present].any()] or list(series)
    return min(alive, key=lambda shares: float(np.nanmean(shares.share)), default=None)


def _tally(goals: Sequence[Goal]) -> str:
    """Count the objectives by verdict, the others' names where they are not kept."""
    kept = sum(goal.verdict.code == "MET" for goal in goals)
    parts = [f"{kept} of {len(goals)} objectives kept"]
    for code, word in (("MISSED", "missed"), ("UNDECIDED", "undecided")):
        names = [goal.objective.name for goal in goals if goal.verdict.code == code]
        if names:
            parts.append(f"{word}: {', '.join(names)}")
    return "; ".join(parts) + "."


def _of_shares(shares: MinuteShares, objective: Objective, *, is_week: bool) -> Verdict:
    there = shares.share[shares.present]
    mean = float(there.mean())
    return _without_interval(
        objective,
        mean,
        f"{_exactly(mean, objective)} is the unweighted mean of {several(there.size, 'minute share')} ({shares.source})",
        int(there.size),
        "Minute shares carry no counts",
        shares.coverage if is_week else None,
        sorted(runs(~shares.present, shares.start_minute), key=lambda gap: gap[0] - gap[1]),
    )


def _of_uptimes(service: Service, objective: Objective) -> Verdict | None:
    shares = [uptime.share for uptime in service.uptimes.values() if uptime.share is not None]
    up_us = sum(uptime.up_us for uptime in service.uptimes.values())
    all_us = up_us + sum(uptime.down_us for uptime in service.uptimes.values())
    if not shares or not all_us:
        return None
    pooled = up_us / all_us
    how = (
        f"{_exactly(pooled, objective)} of the time was up over {len(shares)} probed services "
        f"(time-weighted; median service {percent(median(shares))}, worst {percent(min(shares))})"
    )
    why = "A probe sees a moment, not the requests between"
    return _without_interval(objective, pooled, how, len(shares), why, service.coverage, service.gaps)


def _exactly(share: float, objective: Objective) -> str:
    return percent(share, share_digits(share, objective.target))


def _without_interval(
    objective: Objective, share: float, how: str, n: int, why: str, coverage: float | None, gaps: Sequence[Gap]
) -> Verdict:
    code = "MET" if Fraction(share) >= objective.target else "MISSED"
    reasons = [f"{why}: no interval can be given."]
    changes = ""
    if coverage is not None and coverage < LEAST_COVERAGE:
        code = "UNDECIDED"
        gap = f" (no data from {gap_text(gaps[0])})" if gaps else ""
        reasons.insert(0, f"Not enough data: {percent(coverage, 1)} of the minutes are covered{gap}.")
        changes = "The rows of the missing minutes."
    word = {"MET": "kept", "MISSED": "missed", "UNDECIDED": "undecided"}[code]
    return Verdict(
        "slo",
        code,
        f"{how}; the objective is {objective.target_text}: {word}.",
        value=share,
        n=n,
        why_not=" ".join(reasons),
        would_change=changes,
    )
