"""The table of services, or of models: who spent the budget."""

from collections.abc import Sequence
from typing import Final, Literal

from relkit.plates.table import Table
from relkit.slo import Group, Objective, Totals, added, share_digits
from relkit.units import count, percent, printable, several

MOST_GROUPS: Final = 12
MOST_LISTED: Final = 1_000
_LONGEST_NAME: Final = 60


def groups_table(
    groups: Sequence[Group], objective: Objective, by: Literal["service", "model"], name: str | None = None
) -> Table:
    """Lay the services (or models) with most bad requests side by side, and all others in one row.

    The CSV file of the table has a row for each, up to a thousand.

    Parameters
    ----------
    groups : sequence of Group
        Most bad requests first.
    objective : Objective
        What they were counted for.
    by : "service" | "model"
        What a group is.
    name : str, optional
        Default `services` or `models`.

    Examples
    --------
    >>> one = Group("chat", Totals(good=98, bad=2, excluded=0, unknown=0))
    >>> groups_table([one], Objective("availability", "0.999"), "service").rows[0]
    ('chat', '100', '2', '98.00 %', '100 %')
    """
    table = name or f"{by}s"
    columns = (by, "requests", "bad requests", "good", "of all bad")
    if not any(group.totals.valid for group in groups) or not any(group.name for group in groups):
        return Table(table, f"No request with a known outcome names a {by}.", (by,), (("none",),), {"groups": 0})
    bad = sum(group.totals.bad for group in groups)
    shown, others = list(groups[:MOST_GROUPS]), list(groups[MOST_GROUPS:])
    rows = [_row(_shown_name(group.name, by), group.totals, objective, bad) for group in shown]
    unlisted = [_row(_shown_name(group.name, by), group.totals, objective, bad) for group in others]
    if others:
        rows.append(_row(several(len(others), f"other {by}"), added(others), objective, bad))
    values = {"groups": len(groups), "bad": bad, "most_bad": shown[0].totals.bad}
    return Table(table, _caption(groups, by, bad), columns, rows, values, unlisted[: MOST_LISTED - len(shown)])


def _caption(groups: Sequence[Group], by: str, bad: int) -> str:
    number = several(len(groups), by)
    if not bad:
        return f"{number}, none with a bad request."
    first = groups[0]
    rest = (
        f"; the {len(groups) - MOST_GROUPS} with fewest bad requests are one row here"
        if len(groups) > MOST_GROUPS + 1
        else ""
    )
    whose = f"{_shown_name(first.name, by)} has {percent(first.totals.bad / bad, 0)} of all bad requests"
    return f"{number}: {whose}{rest}."


def _row(name: str, totals: Totals, objective: Objective, bad: int) -> tuple[str, ...]:
    good = "unknown"
    if totals.valid:
        share = totals.good / totals.valid
        good = percent(share, share_digits(share, objective.target))
    return name, count(totals.valid), count(totals.bad), good, percent(totals.bad / bad, 0) if bad else "0 %"


def _shown_name(name: str, by: str) -> str:
    shown = printable(name) if name else f"(no {by})"
    return shown if len(shown) <= _LONGEST_NAME else shown[: _LONGEST_NAME - 1] + "…"
