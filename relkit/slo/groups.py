"""Requests by service, or by model: who spent the budget."""

from collections.abc import Sequence
from dataclasses import dataclass

from relkit.slo.minutes import Totals


@dataclass(frozen=True, slots=True)
class Group:
    """The requests of one service, or of one model.

    Parameters
    ----------
    name : str
        As the log writes it; empty where it names none.
    totals : Totals
        Requests good, bad, left out and unknown.
    """

    name: str
    totals: Totals


def added(groups: Sequence[Group]) -> Totals:
    """Add up several groups.

    >>> added([Group("a", Totals(9, 1, 0, 0)), Group("b", Totals(5, 0, 2, 1))])
    Totals(good=14, bad=1, excluded=2, unknown=1)
    """
    sums = [group.totals for group in groups]
    return Totals(
        sum(one.good for one in sums),
        sum(one.bad for one in sums),
        sum(one.excluded for one in sums),
        sum(one.unknown for one in sums),
    )
