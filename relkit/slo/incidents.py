"""Incidents: the stretches an alert ought to tell of, and how much of the budget each of them cost.

Three sources: labels somebody wrote down, stretches found in the counts themselves, and invented ones laid on real
traffic. What counts as significant is a choice that decides every score, so it is an argument and never a default
hidden in a rule.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Final

import numpy as np

from relkit.exceptions import DataError, ParameterError
from relkit.slo.firing import expected_valid, joined
from relkit.slo.increases import Increases
from relkit.slo.minutes import Ints, Minutes, runs, utc_text
from relkit.slo.objective import Objective
from relkit.units import MINUTES_PER_DAY

PAGE_SHARE: Final = Fraction(2, 100)
"""Share of the budget from which an incident is worth a page: what the Workbook's fast page allows to be spent."""

_QUIET: Final = 30  # minutes between two outbreaks of one incident, as between two alerts of one episode


@dataclass(frozen=True, slots=True, order=True)
class Incident:
    """A stretch of trouble.

    Parameters
    ----------
    start_minute, end_minute : int
        Unix minutes, end exclusive.
    label : str
        What is known of it.

    >>> Incident(10, 30, "key revoked").minutes
    20
    """

    start_minute: int
    end_minute: int
    label: str = ""

    def __post_init__(self) -> None:
        if self.end_minute <= self.start_minute:
            got = (utc_text(self.start_minute), utc_text(self.end_minute))
            raise ParameterError.of("incident", got, "an end after its start", "give unix minutes, end exclusive")

    @property
    def minutes(self) -> int:
        """Return how long it lasts, in minutes."""
        return self.end_minute - self.start_minute


def bounds(incidents: Sequence[Incident], start_minute: int = 0) -> Ints:
    """Return incidents as two columns of positions, in order of time.

    >>> bounds([Incident(110, 120), Incident(101, 103)], 100).tolist()
    [[1, 3], [10, 20]]
    """
    rows = [
        (incident.start_minute - start_minute, incident.end_minute - start_minute) for incident in sorted(incidents)
    ]
    return np.array(rows, dtype=np.int64).reshape(-1, 2)


def budget_shares(
    incidents: Sequence[Incident], minutes: Minutes, objective: Objective, period_valid: int | None = None
) -> list[float]:
    """Return which share of one window's error budget each incident spent: its bad requests / (B x N).

    Parameters
    ----------
    incidents : sequence of Incident
        Stretches; what lies outside the grid counts nothing.
    minutes, objective : Minutes, Objective
        The counts, and the objective whose budget it is.
    period_valid : int or None
        Requests expected in one window of the objective; None takes the log's own rate.

    >>> grid = Minutes(0, [90, 100], [10, 0], [0, 0], [0, 0], [True, True])
    >>> budget_shares([Incident(0, 1)], grid, Objective("a", "0.9", 1))
    [0.0006944444444444445]
    """
    expected = expected_valid(minutes, objective) if period_valid is None else period_valid
    sums = np.concatenate((np.zeros(1, dtype=np.int64), np.cumsum(minutes.bad)))
    allowed = objective.budget_share * expected
    size = len(minutes)
    ends = [
        (min(max(one.start_minute - minutes.start_minute, 0), size), min(max(one.end_minute - minutes.start_minute, 0), size))
        for one in incidents
    ]  # fmt: skip
    return [float(int(sums[end] - sums[start]) / allowed) for start, end in ends]


def split_by_share(
    incidents: Sequence[Incident],
    minutes: Minutes,
    objective: Objective,
    share: Fraction = PAGE_SHARE,
    period_valid: int | None = None,
) -> tuple[list[Incident], list[Incident]]:
    """Split incidents into those that spent at least this share of the budget, and the minor rest.

    >>> grid = Minutes(0, [0, 99], [100, 1], [0, 0], [0, 0], [True, True])
    >>> big, small = split_by_share([Incident(0, 1), Incident(1, 2)], grid, Objective("a", "0.9", 1))
    >>> len(big), len(small)
    (0, 2)
    """
    spent = budget_shares(incidents, minutes, objective, period_valid)
    limit = float(share)
    big = [incident for incident, lost in zip(incidents, spent, strict=True) if lost >= limit]
    return big, [incident for incident, lost in zip(incidents, spent, strict=True) if lost < limit]


def split_by_duration(incidents: Sequence[Incident], least_minutes: int) -> tuple[list[Incident], list[Incident]]:
    """Split incidents into those that lasted at least so long, and the minor rest.

    >>> [len(part) for part in split_by_duration([Incident(0, 5), Incident(9, 40)], 10)]
    [1, 1]
    """
    big = [incident for incident in incidents if incident.minutes >= least_minutes]
    return big, [incident for incident in incidents if incident.minutes < least_minutes]


def derive_incidents(
    minutes: Minutes, objective: Objective, *, share: Fraction = PAGE_SHARE, period_valid: int | None = None
) -> list[Incident]:
    """Find the incidents in the counts: stretches that burnt faster than allowed and cost at least this much budget.

    A stretch is a maximal run of minutes whose last 5 minutes burn at more than 1, runs at most 30 minutes apart are
    one, and it is cut to its first and last bad request. Derived incidents favour rules that look at the budget:
    compare with labels, or with `split_by_duration`, before believing a difference between rules.

    >>> grid = Minutes(0, [100] * 60 + [0] * 9 + [100] * 60, [0] * 60 + [100] * 9 + [0] * 60, [0] * 129, [0] * 129, [True] * 129)
    >>> derive_incidents(grid, Objective("a", "0.99"), period_valid=1_000_000)
    [Incident(start_minute=60, end_minute=69, label='9.0 % of the budget')]
    """
    bad, valid = Increases(minutes).over(min(5, max(1, len(minutes))))
    budget = objective.budget_share
    hot = bad * budget.denominator > valid * budget.numerator
    spans = joined([np.array(runs(hot, 0), dtype=np.int64).reshape(-1, 2)], gap=_QUIET)
    found: list[Incident] = []
    where_bad = np.flatnonzero(minutes.bad)
    for start, end in spans.tolist():
        # The 5-minute window of a hot minute reaches back before it
        inside = where_bad[np.searchsorted(where_bad, start - 4) : np.searchsorted(where_bad, end)]
        if inside.size:
            found.append(Incident(minutes.start_minute + int(inside[0]), minutes.start_minute + int(inside[-1]) + 1))
    spent = budget_shares(found, minutes, objective, period_valid)
    limit = float(share)
    return [
        replace(incident, label=f"{100 * lost:.1f} % of the budget")
        for incident, lost in zip(found, spent, strict=True)
        if lost >= limit
    ]


def lay_on(
    minutes: Minutes,
    *,
    seed: int,
    every_days: float = 5.0,
    median_minutes: float = 20.0,
    sigma: float = 1.2,
    lowest: float = 0.002,
    highest: float = 1.0,
) -> tuple[Minutes, list[Incident]]:
    """Lay invented incidents on real traffic: good requests turn bad, the traffic stays as it was.

    Parameters
    ----------
    minutes : Minutes
        Real counts; missing minutes stay missing.
    seed : int
        Equal seeds give equal incidents.
    every_days : float
        Mean days from one start to the next (exponential).
    median_minutes, sigma : float
        Lognormal duration.
    lowest, highest : float
        Error ratio inside, log-uniform between these, in (0, 1].

    Returns
    -------
    tuple of Minutes and list of Incident
        The counts with the incidents in them, and where they are. No two overlap.

    >>> quiet = Minutes(0, [100] * 20_000, [0] * 20_000, [0] * 20_000, [0] * 20_000, [True] * 20_000)
    >>> hurt, laid = lay_on(quiet, seed=1)
    >>> bool(hurt.bad.sum() > 0), bool((hurt.valid == quiet.valid).all()), len(laid) > 0
    (True, True, True)
    """
    if not 0 < lowest <= highest <= 1:
        raise ParameterError.of("lowest, highest", (lowest, highest), "0 < lowest <= highest <= 1", "give error ratios")
    if every_days <= 0 or median_minutes <= 0 or sigma < 0:
        got = (every_days, median_minutes, sigma)
        raise ParameterError.of("every_days, median_minutes, sigma", got, "positive", "give days, minutes, a spread")
    draws = np.random.default_rng(seed)
    bad = minutes.bad.copy()
    laid: list[Incident] = []
    at = 0.0
    while True:
        at += draws.exponential(every_days * MINUTES_PER_DAY)
        if at >= len(minutes):
            break
        lasts = max(1, round(float(draws.lognormal(np.log(median_minutes), sigma))))
        ratio = float(np.exp(draws.uniform(np.log(lowest), np.log(highest))))
        start, end = int(at), min(len(minutes), int(at) + lasts)
        bad[start:end] += draws.binomial(minutes.good[start:end], ratio)
        laid.append(
            Incident(minutes.start_minute + start, minutes.start_minute + end, f"{100 * ratio:.3g} % for {lasts} min")
        )
        at = float(end)
    counts = Minutes(minutes.start_minute, minutes.valid - bad, bad, minutes.excluded, minutes.unknown, minutes.covered)
    return counts, laid


def quiet_days(minutes: Minutes, incidents: Sequence[Incident], days: int, *, seed: int) -> Minutes | None:
    """Draw whole days without an incident from a log until there are so many: real traffic to lay incidents on.

    Parameters
    ----------
    minutes : Minutes
        The log.
    incidents : sequence of Incident
        Days that touch one of these are not drawn.
    days : int
        How many days the result has; it begins where the log does.
    seed : int
        Equal seeds draw equal days.

    Returns
    -------
    Minutes or None
        None where no whole covered day is quiet.

    >>> log = Minutes(0, [9] * 4320, [0] * 4320, [0] * 4320, [0] * 4320, [True] * 4320)
    >>> len(quiet_days(log, [Incident(10, 20)], 90, seed=1))
    129600
    """
    first = -(-minutes.start_minute // MINUTES_PER_DAY)
    starts = [
        day * MINUTES_PER_DAY - minutes.start_minute for day in range(first, minutes.end_minute // MINUTES_PER_DAY)
    ]
    troubled = bounds(incidents, minutes.start_minute)
    free = [
        start
        for start in starts
        if minutes.covered[start : start + MINUTES_PER_DAY].all()
        and not ((troubled[:, 0] < start + MINUTES_PER_DAY) & (troubled[:, 1] > start)).any()
    ]
    if not free:
        return None
    drawn = np.random.default_rng(seed).choice(np.array(free), days)
    places = (drawn[:, None] + np.arange(MINUTES_PER_DAY)).ravel()
    good, bad, excluded, unknown = (
        one[places] for one in (minutes.good, minutes.bad, minutes.excluded, minutes.unknown)
    )
    return Minutes(minutes.start_minute, good, bad, excluded, unknown, minutes.covered[places])


def labelled(rows: Iterable[tuple[int, int | None, str]], minutes: Minutes, open_minutes: int = 1) -> list[Incident]:
    """Return the labelled stretches that touch the grid; one without an end lasts `open_minutes`.

    Parameters
    ----------
    rows : iterable of (start, end or None, label)
        Unix minutes.

    Raises
    ------
    DataError
        No label lies on the grid: usually another time zone or another log.

    >>> grid = Minutes(100, [9] * 50, [0] * 50, [0] * 50, [0] * 50, [True] * 50)
    >>> labelled([(90, 95, "before"), (120, None, "fault")], grid, open_minutes=8)
    [Incident(start_minute=120, end_minute=128, label='fault')]
    """
    given = [
        Incident(start, start + open_minutes if end is None else max(end, start + 1), text) for start, end, text in rows
    ]
    kept = [one for one in given if one.start_minute < minutes.end_minute and one.end_minute > minutes.start_minute]
    if given and not kept:
        raise DataError(
            f"none of {len(given)} labelled incidents lies between {utc_text(minutes.start_minute)} and "
            f"{utc_text(minutes.end_minute)}; check the time zone of the labels"
        )
    return sorted(kept)
