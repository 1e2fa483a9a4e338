"""The few pictures of the weekly page that no other page has."""

from typing import Any

import numpy as np

from relkit.errors import FingerprintCounts, RuleSet, biggest_cause
from relkit.plates.plate import Plate, empty_plate, plate
from relkit.plates.slo import days_axis
from relkit.plates.style import BAD, GOOD, GRID, bars, figure, spans, whole_numbers
from relkit.plates.table import Table
from relkit.slo import Minutes, Objective, Service, gap_text
from relkit.units import HOURS_PER_DAY, MINUTES_PER_HOUR, count, percent, several
from relkit.verdict import Verdict


def answers_table(
    slo: Verdict,
    service: Service,
    failures: FingerprintCounts,
    shadow: Verdict,
    rules: RuleSet | None = None,
    change: str = "",
    name: str = "answers",
) -> Table:
    """Answer the five questions a reader has on Monday, one line each; `change` is what tuning chose last."""
    goal, cause = service.availability, biggest_cause(failures, rules)
    # A budget over a window that is mostly without data would be a guess: then the period's own budget is told.
    budget = goal.window_budget if goal.is_window_covered else goal.budget
    has_days = goal.is_window_covered and not goal.is_window_period
    days = goal.objective.window_text if has_days else "of this period"
    allowed = count(float(budget.allowed))
    if budget.left_share is None or budget.spent_share is None:
        left = "unknown: no request with a known outcome"
    elif budget.left_share < 0:
        left = f"none: {several(float(budget.bad), f'bad {goal.objective.unit}', f'bad {goal.objective.units}')}, {allowed} allowed"
    else:
        left = f"{percent(budget.left_share, 0)} of {allowed} allowed bad requests"
    nothing = "unknown: no attempt tells its outcome" if failures.told == 0 else "nothing failed"
    rows = (
        ("SLO kept in this period?", _kept(slo, service)),
        (f"Error budget left ({days})?", left),
        (
            "Biggest cause?",
            f"{cause.kind.value}: {percent(cause.share, 0)} of failed attempts" if cause else nothing,
        ),
        (
            "May the shadow go live?",
            {
                "PROMOTE": "yes",
                "ROLL_BACK": "no, roll it back",
                "HOLD": "not yet: hold",
                "INCONCLUSIVE": "undecided" if shadow.n else "no shadow ran",
                "INVALID": "no valid comparison",
            }[shadow.code],
        ),
        ("What to change?", change or "no tuned change yet"),
    )
    values = {"budget_left_share": budget.left_share, "cause_share": cause.share if cause else None}
    return Table(name, "The week in five answers.", ("question", "answer"), rows, values)


def _kept(slo: Verdict, service: Service) -> str:
    """Answer for all objectives at once, each by its name."""
    words = {"MET": "kept", "MISSED": "missed", "UNDECIDED": "undecided"}
    codes = [goal.verdict.code for goal in service.goals] if service.is_counted else [slo.code]
    answer = "no" if "MISSED" in codes else "undecided" if "UNDECIDED" in codes else "yes"
    if len(codes) == 1:
        return answer
    return f"{answer}: " + ", ".join(f"{goal.objective.name} {words[goal.verdict.code]}" for goal in service.goals)


def availability_week_plate(minutes: Minutes, objective: Objective, name: str = "availability_week") -> Plate:
    """Draw bad requests by hour over the traffic, so that one sees when the week went wrong."""
    hours = len(minutes) // MINUTES_PER_HOUR
    if hours < 1:
        return empty_plate(name, "The requests have no clock: there is no course of time to draw.")
    if not minutes.valid.any():
        return empty_plate(name, "No request with a known outcome: there is no course of availability to draw.")
    bad = minutes.bad[: hours * MINUTES_PER_HOUR].reshape(hours, MINUTES_PER_HOUR).sum(axis=1)
    valid = minutes.valid[: hours * MINUTES_PER_HOUR].reshape(hours, MINUTES_PER_HOUR).sum(axis=1)
    covered = minutes.covered[: hours * MINUTES_PER_HOUR].reshape(hours, MINUTES_PER_HOUR).any(axis=1)
    worst = int(np.argmax(bad))
    total_bad = int(minutes.bad.sum())
    three = int(np.sort(bad)[-3:].sum())
    start_hour = minutes.start_minute / MINUTES_PER_HOUR
    fig, axes = figure(height_in=2.9, rows=2, sharex=True, gridspec_kw={"height_ratios": (2, 1)})
    upper, lower = axes
    x = (start_hour + np.arange(hours)) / HOURS_PER_DAY
    if hours <= 24 * 21:
        bars(upper, x, np.zeros(hours), bad, 1 / 24, BAD)
    else:
        upper.plot(x, bad, color=BAD, lw=0.8)
    upper.set_ylabel("bad an hour")
    if bad[worst]:
        upper.annotate(
            f"{count(int(bad[worst]))}",
            (x[worst] + 1 / 48, bad[worst]),
            xytext=(0, 2),
            textcoords="offset points",
            ha="center",
            fontsize=8.5,
            color=BAD,
        )
    lower.fill_between(x, valid, color=GOOD, alpha=0.35, lw=0, step="post")
    lower.set_ylabel("requests")
    for ax in axes:
        spans(ax, [(x[place], x[place] + 1 / 24) for place in np.flatnonzero(~covered)], GRID)
    upper.set_ylim(0, max(1, bad.max()) * 1.15)
    lower.set_ylim(bottom=0)
    whole_numbers(upper.yaxis)
    whole_numbers(lower.yaxis)
    days_axis(lower, minutes.start_minute, minutes.start_minute + hours * MINUTES_PER_HOUR)
    allowed = count(float(objective.budget_share) * int(minutes.valid.sum()))
    caption = (
        f"{several(total_bad, 'bad request')}, {percent(three / total_bad, 0)} of them in the three worst hours; "
        f"{objective.target_text} would have allowed {allowed}."
        if total_bad
        else f"No bad request among {count(int(minutes.valid.sum()))}."
    )
    gaps = minutes.gaps()
    if gaps:
        caption += f" Grey: no data (longest {gap_text(gaps[0])})."
    values: dict[str, Any] = {
        "bad": total_bad,
        "worst_hour_bad": int(bad[worst]),
        "three_worst_hours": three,
        "valid": int(minutes.valid.sum()),
    }
    return plate(name, fig, caption=caption, alt="Bad requests by hour above, traffic by hour below", values=values)
