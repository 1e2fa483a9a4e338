"""Exclusions: stretches of time that an objective does not count, with who decided it and why.

What is left out is always shown beside what it would be with it: an exclusion nobody sees is how objectives are kept
on paper.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from relkit.exceptions import ParameterError
from relkit.slo.minutes import Minutes
from relkit.units import US_PER_MINUTE


@dataclass(frozen=True, slots=True)
class Exclusion:
    """A stretch of time that does not count.

    Parameters
    ----------
    start_us, end_us : int
        Microseconds since 1970 UTC, end exclusive.
    reason : str
        Why, in words for who audits it.
    decided_by : str
        Who decided.
    service : str or None
        The one service it speaks of; None means every service.

    Examples
    --------
    >>> Exclusion(0, 3_600_000_000, "planned move of the database", "ops").minutes
    60
    """

    start_us: int
    end_us: int
    reason: str
    decided_by: str
    service: str | None = None

    def __post_init__(self) -> None:
        if self.start_us >= self.end_us:
            raise ParameterError.of(
                "end_us", self.end_us, f"after start_us = {self.start_us}", "give the stretch forwards"
            )
        for name, text in (("reason", self.reason), ("decided_by", self.decided_by)):
            if not text.strip():
                raise ParameterError.of(name, text, "a text that is not empty", "an exclusion says why and who decided")

    @property
    def minutes(self) -> int:
        """Return how many clock minutes it touches."""
        return -(-self.end_us // US_PER_MINUTE) - self.start_us // US_PER_MINUTE

    def concerns(self, service: str | None) -> bool:
        """Say whether it holds for an objective on a service (None: on all of them).

        An exclusion of one service does not silence an objective on all.
        """
        return self.service is None or self.service == service


def leave_out(minutes: Minutes, exclusions: Sequence[Exclusion]) -> Minutes:
    """Return the grid without the requests that end in excluded minutes.

    Parameters
    ----------
    minutes : Minutes
        Requests by minute.
    exclusions : sequence of Exclusion
        Each takes out the clock minutes that it touches; they may overlap.

    Returns
    -------
    Minutes
        With zero requests of every class there. Such a minute is covered: it is left out on purpose, not missing.

    Examples
    --------
    >>> grid = Minutes(0, [9, 0, 9], [1, 9, 1], [0] * 3, [0] * 3, [True] * 3)
    >>> leave_out(grid, [Exclusion(60_000_000, 120_000_000, "drill", "ops")]).totals
    Totals(good=18, bad=2, excluded=0, unknown=0)
    """
    out = np.zeros(len(minutes), dtype=np.bool_)
    for one in exclusions:
        first = one.start_us // US_PER_MINUTE - minutes.start_minute
        beyond = -(-one.end_us // US_PER_MINUTE) - minutes.start_minute
        out[max(first, 0) : max(beyond, 0)] = True
    if not out.any():
        return minutes
    good, bad, excluded, unknown = (
        np.where(out, 0, row) for row in (minutes.good, minutes.bad, minutes.excluded, minutes.unknown)
    )
    return Minutes(minutes.start_minute, good, bad, excluded, unknown, minutes.covered | out)
