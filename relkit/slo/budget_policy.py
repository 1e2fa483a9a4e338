"""The error budget policy of the Site Reliability Workbook, asked of a log: which of its three clauses apply now.

Google's example policy (Thurgood, in Beyer et al., The Site Reliability Workbook, 2018, appendix B): a spent budget of four weeks
freezes changes; one incident of more than a fifth of it needs a postmortem; one class of outage of more than a fifth of a
quarter's budget goes on the next quarter's plan.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from relkit.slo.groups import Group
from relkit.slo.minutes import Minutes, utc_text
from relkit.slo.objective import Objective
from relkit.slo.outages import hours_of
from relkit.slo.slices import parts_of
from relkit.units import MINUTES_PER_DAY, percent

MONTH_DAYS: Final = 28
QUARTER_DAYS: Final = 91
LARGE: Final = 0.2


@dataclass(frozen=True, slots=True)
class Clause:
    """One clause of the policy and whether it applies.

    Parameters
    ----------
    name : str
        freeze, postmortem or plan.
    asks : str
        What the clause asks of the log, and what follows.
    spent_share : float or None
        Share of the clause's budget that was spent so; None when nothing was counted.
    fired : bool or None
        Whether the clause applies; None when it cannot be told.
    finding : str
        The number in a sentence.

    >>> Clause("freeze", "budget spent?", 0.4, False, "40 % of it is spent.").fired
    False
    """

    name: str
    asks: str
    spent_share: float | None
    fired: bool | None
    finding: str


def policy_clauses(minutes: Minutes, objective: Objective, kinds: Sequence[Group] = ()) -> tuple[Clause, ...]:
    """Ask the three clauses of the last four weeks and the last quarter of a log.

    Parameters
    ----------
    minutes : Minutes
        The log up to now, as `in_slices` gives it; only its end is read.
    objective : Objective
        Gives the budget share.
    kinds : sequence of Group
        Bad requests of the last quarter by kind of error.

    Returns
    -------
    tuple of Clause
        freeze, postmortem, plan. Where the log is shorter than a clause's stretch, its budget is that of the same traffic
        over the whole stretch, and the finding says of how many days the log tells: then "not fired" is so far.

    Examples
    --------
    >>> grid = Minutes(0, [98] * 60, [2] * 60, [0] * 60, [0] * 60, [True] * 60)
    >>> [clause.fired for clause in policy_clauses(grid, Objective("a", "0.99"))]
    [False, False, None]
    """
    month, month_days, bad = _allowed(minutes, objective, MONTH_DAYS)
    quarter, quarter_days, _ = _allowed(minutes, objective, QUARTER_DAYS)
    freeze = None if month is None else bad / month
    last = minutes.slice(
        max(minutes.start_minute, minutes.end_minute - MONTH_DAYS * MINUTES_PER_DAY), minutes.end_minute
    )
    outages = hours_of(last, objective).outages
    worst = max(outages, key=lambda one: one.bad, default=None)
    single = None if month is None else worst.bad / month if worst else 0.0
    named = [group for group in kinds if group.name and group.totals.bad]
    common = max(named, key=lambda group: group.totals.bad, default=None)
    of_class = None if quarter is None or common is None else common.totals.bad / quarter
    return (
        Clause(
            "freeze",
            "Is the budget of four weeks spent? Then no change but urgent fixes.",
            freeze,
            None if freeze is None else freeze > 1,
            _finding(freeze, "of it is spent", month_days, MONTH_DAYS),
        ),
        Clause(
            "postmortem",
            "Did one incident take more than 20 % of it? Then a postmortem.",
            single,
            None if single is None else single > LARGE,
            _finding(single, f"went in the worst incident, {utc_text(worst.start_minute)}", month_days, MONTH_DAYS)
            if worst
            else _finding(single, "went in incidents", month_days, MONTH_DAYS),
        ),
        Clause(
            "plan",
            "Did one class of failure take more than 20 % of a quarter's? Then it goes on the next quarter's plan.",
            of_class,
            None if of_class is None else of_class > LARGE,
            _finding(of_class, f"went by {common.name}" if common else "", quarter_days, QUARTER_DAYS),
        ),
    )


def _allowed(minutes: Minutes, objective: Objective, days: int) -> tuple[float | None, float, float]:
    """Return what may be bad over so many days at the log's traffic, the days it tells of, and what was bad in them."""
    first = max(minutes.start_minute, minutes.end_minute - days * MINUTES_PER_DAY)
    part = minutes.slice(first, minutes.end_minute)
    told = int(np.count_nonzero(part.covered))
    valid, bad = part.totals.valid / parts_of(objective), part.totals.bad / parts_of(objective)
    if not valid or not told:
        return None, told / MINUTES_PER_DAY, bad
    return float(objective.budget_share) * valid * days * MINUTES_PER_DAY / told, told / MINUTES_PER_DAY, bad


def _finding(share: float | None, what: str, told_days: float, days: int) -> str:
    if share is None:
        return "unknown: no bad request names its kind" if told_days else "unknown: no data"
    known = "" if told_days >= 0.95 * days else f"; the log tells of {told_days:.1f} of {days} days"
    return f"{percent(share, 0)} {what}{known}"
