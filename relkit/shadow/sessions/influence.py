"""What one session is worth: the difference without it."""

from dataclasses import dataclass

from relkit.shadow.sessions.sums import SessionTable
from relkit.units import several


@dataclass(frozen=True, slots=True)
class LeaveOneOut:
    """The range of the difference when any one session is left out.

    Parameters
    ----------
    delta : float or None
        Estimate from all sessions, in [-1, 1]; None without pairs.
    low, high : float or None
        Smallest and largest estimate without one session.
    low_without, high_without : tuple of int or None
        (d, m) of the session that is left out there.
    largest_share : float or None
        Share of all pairs in the largest session.
    why_not : str
        Why there is no range; empty when there is.
    """

    delta: float | None
    low: float | None
    high: float | None
    low_without: tuple[int, int] | None
    high_without: tuple[int, int] | None
    largest_share: float | None
    why_not: str = ""


def leave_one_session_out(table: SessionTable) -> LeaveOneOut:
    """Give the range of shadow - primary over all ways to leave out one session: (S - d)/(N - m).

    Sessions alike move the estimate alike, so each row of the table is tried once, whatever its number of sessions.

    Parameters
    ----------
    table : SessionTable
        Sessions by difference and size.

    Returns
    -------
    LeaveOneOut
        No range with fewer than two sessions.

    Notes
    -----
    Cook and Weisberg, Residuals and Influence in Regression (1982).

    Examples
    --------
    >>> left = leave_one_session_out(SessionTable(d=(-4, 0), m=(5, 1), sessions=(1, 95)))
    >>> left.delta, left.high, left.high_without
    (-0.04, 0.0, (-4, 5))
    """
    sums = table.sums()
    if sums.pairs == 0:
        return LeaveOneOut(None, None, None, None, None, None, "no pair")
    delta, share = sums.s / sums.pairs, sums.largest / sums.pairs
    if sums.sessions < 2:
        why_not = f"{several(sums.sessions, 'session')}: nothing is left without it"
        return LeaveOneOut(delta, None, None, None, None, share, why_not)
    without = sorted(((sums.s - d) / (sums.pairs - m), (d, m)) for d, m in zip(table.d, table.m, strict=True))
    (low, low_without), (high, high_without) = without[0], without[-1]
    return LeaveOneOut(delta, low, high, low_without, high_without, share)
