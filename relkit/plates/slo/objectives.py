"""The objectives side by side, with what was left out, and requests beside attempts."""

from collections.abc import Sequence
from typing import Any

from relkit.period import moment
from relkit.plates.table import Table
from relkit.slo import Goal, Levels, Objective, share_digits
from relkit.slo.forecast import left_text
from relkit.units import US_PER_SECOND, count, duration, percent, several


def objectives_table(goals: Sequence[Goal]) -> Table:
    """Lay the objectives side by side: what was promised, what came, what is left."""
    shown = []
    values: dict[str, Any] = {}
    for goal in goals:
        objective, budget, window, verdict = goal.objective, goal.budget, goal.window_budget, goal.verdict
        shown.append(
            (
                objective.name,
                objective_text(objective),
                verdict.code,
                "unknown" if budget.sli is None else percent(budget.sli, share_digits(budget.sli, objective.target)),
                _bad_text(float(budget.bad)) if budget.valid else "unknown",
                "unknown" if not budget.valid else f"{float(budget.allowed):,.0f}".replace(",", "\u202f"),
                left_text(budget.left_share),
                "this period"
                if goal.is_window_period
                else f"{left_text(window.left_share)} of {objective.window_text}"
                if goal.is_window_covered
                else f"unknown: data for {percent(window.coverage, 0)} of {objective.window_text}",
            )
        )
        values |= {
            f"{objective.name}_sli": budget.sli,
            f"{objective.name}_bad": budget.bad if isinstance(budget.bad, int) else float(budget.bad),
            f"{objective.name}_left_share": budget.left_share,
            f"{objective.name}_window_left_share": window.left_share if goal.is_window_covered else None,
        }
    codes = [goal.verdict.code for goal in goals]
    caption = f"Kept {codes.count('MET')}, missed {codes.count('MISSED')}, undecided {codes.count('UNDECIDED')} of {len(goals)} objectives."
    return Table(
        "objectives",
        caption,
        ("objective", "promise", "verdict", "good", "bad", "allowed", "budget left", "of the window"),
        shown,
        values,
    )


def objective_text(objective: Objective) -> str:
    """Write the promise of an objective.

    >>> objective_text(Objective("fast", "0.95", threshold_us=2_000_000))
    '95 % within 2 s'
    """
    fast = "succeed" if objective.threshold_us is None else f"within {duration(objective.threshold_us / US_PER_SECOND)}"
    if objective.method == "occurrences":
        return f"{objective.target_text} {fast}"
    if objective.slice_target is None:
        return f"{objective.target_text} {fast}, mean of {objective.units}"
    return f"{objective.target_text} of {objective.units} have {percent(float(objective.slice_target), 4).rstrip('0 %').rstrip('.')} % {fast}"


def _bad_text(bad: float) -> str:
    return count(bad) if bad == int(bad) else f"{bad:.1f}"


def levels_table(levels: Levels, objective: Objective, name: str = "levels") -> Table:
    """Lay what users met beside what was tried, with degraded answers as a class of their own.

    Parameters
    ----------
    levels : Levels
        Counted for the objective.
    objective : Objective
        Gives the budget by which either level burns.

    Examples
    --------
    >>> from relkit.slo import Totals
    >>> both = Levels(Totals(98, 2, 0, 0), 8, Totals(95, 10, 0, 0), 5)
    >>> levels_table(both, Objective("availability", "0.99")).rows[0]
    ('requests', '90.00 %', '8.00 %', '2.00 %', '2.0x')
    """
    rows: list[tuple[str, ...]] = []
    values: dict[str, Any] = {}
    for level, totals, degraded in (
        ("requests", levels.requests, levels.degraded_requests),
        ("attempts", levels.attempts, levels.degraded_attempts),
    ):
        shares: list[float | None] = [None, None, None, None]
        if totals.valid:
            bad = totals.bad / totals.valid
            burned = bad / float(objective.budget_share)
            shares = [(totals.good - degraded) / totals.valid, degraded / totals.valid, bad, burned]
        told = ["unknown" if share is None else percent(share) for share in shares[:3]]
        rows.append((level, *told, "unknown" if shares[3] is None else f"{shares[3]:.1f}x"))
        values |= {
            f"{level}_{key}": share for key, share in zip(("full", "degraded", "bad", "burn"), shares, strict=True)
        }
    if not levels.requests.valid:
        caption = "No request with a known outcome: neither level can be told."
    else:
        caption = (
            f"{several(levels.attempts.bad, 'attempt')} went wrong and {several(levels.requests.bad, 'request')}: retries and fallbacks "
            f"kept {count(levels.mended)} failures from users; {several(levels.degraded_requests, 'answer')} came degraded "
            f"and {'counts' if levels.degraded_requests == 1 else 'count'} as {objective.degraded}."
        )
    return Table(name, caption, ("level", "answered in full", "degraded", "bad", "burn"), rows, values)


def exclusions_table(goals: Sequence[Goal], zone: str, name: str = "exclusions") -> Table:
    """List what objectives leave out, with the reason, and every objective with and without it."""
    columns = ("what", "from", "to", "reason, and who decided")
    left_out = list(dict.fromkeys(one for goal in goals for one in goal.exclusions))
    if not left_out:
        return Table(
            name,
            "No stretch of time is excluded: every number counts the whole period.",
            columns,
            (),
            {"exclusions": 0},
        )
    rows: list[tuple[str, ...]] = [
        (
            one.service or "every service",
            moment(one.start_us, zone),
            moment(one.end_us, zone),
            f"{one.reason} ({one.decided_by})",
        )
        for one in left_out
    ]
    values: dict[str, Any] = {"exclusions": len(left_out)}
    told = []
    for goal in goals:
        if goal.budget_with_all is None:
            continue
        without, counted = goal.budget.left_share, goal.budget_with_all.left_share
        rows.append(
            (goal.objective.name, left_text(without), left_text(counted), "budget left without it, and with it counted")
        )
        told.append(f"{goal.objective.name} {left_text(without)} left, {left_text(counted)} with all counted")
        values |= {f"{goal.objective.name}_without": without, f"{goal.objective.name}_with": counted}
    minutes = sum(one.minutes for one in left_out)
    caption = (
        f"{several(len(left_out), 'stretch', 'stretches')} of {several(minutes, 'minute')} left out: {'; '.join(told)}."
    )
    return Table(name, caption, columns, rows, values)
