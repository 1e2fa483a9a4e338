"""What sessions add up to: ten sums, and the small table of sessions alike, both exact integers."""

from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import ArrayLike, NDArray

from relkit.exceptions import DataError, ParameterError
from relkit.shadow._checks import whole


@dataclass(frozen=True, slots=True)
class SessionSums:
    """What the sessions add up to; D_k is the sum of shadow_ok - primary_ok in session k, m_k its number of pairs.

    Parameters
    ----------
    sessions, pairs : int
        K and N.
    s, v : int
        Sum of D_k, and of D_k squared.
    dm, mm : int
        Sum of D_k m_k, and of m_k squared.
    positive, negative, zero : int
        Sessions with D_k above, below and equal to 0.
    largest : int
        Pairs in the largest session.

    Raises
    ------
    DataError
        When no set of sessions can have these sums.

    Examples
    --------
    >>> SessionSums(sessions=2, pairs=5, s=-1, v=1, dm=-3, mm=13, positive=0, negative=1, zero=1, largest=3).pairs
    5
    """

    sessions: int
    pairs: int
    s: int
    v: int
    dm: int
    mm: int
    positive: int
    negative: int
    zero: int
    largest: int

    def __post_init__(self) -> None:
        for field in fields(self):
            object.__setattr__(
                self, field.name, whole(field.name, getattr(self, field.name), negative=field.name in {"s", "dm"})
            )
        rules = {
            "positive + negative + zero = sessions": self.positive + self.negative + self.zero == self.sessions,
            "sessions <= pairs": self.sessions <= self.pairs,
            "|s| <= pairs": abs(self.s) <= self.pairs,
            "|s| <= v <= mm": abs(self.s) <= self.v <= self.mm,
            "largest <= pairs": self.largest <= self.pairs,
            "pairs^2 <= sessions mm": self.pairs * self.pairs <= self.sessions * self.mm,
            "dm^2 <= v mm": self.dm * self.dm <= self.v * self.mm,
        }
        broken = [rule for rule, holds in rules.items() if not holds]
        if broken:
            raise DataError(
                f"no sessions have the sums {self}: {'; '.join(broken)} does not hold; sum over whole sessions"
            )

    def swapped(self) -> "SessionSums":
        """Return the same sessions with the two arms exchanged."""
        return SessionSums(
            self.sessions, self.pairs, -self.s, self.v, -self.dm, self.mm,
            self.negative, self.positive, self.zero, self.largest,
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class SessionTable:
    """How many sessions are alike: a row for each difference d and size m that came.

    Exact whatever the number of sessions, and small: a hundred million pairs in chats of up to 60 turns make some
    hundred rows. Two tables of different days add up when no session spans them.

    Parameters
    ----------
    d : tuple of int
        Sum of shadow_ok - primary_ok over the session, |d| <= m.
    m : tuple of int
        Pairs of the session, 1 or more.
    sessions : tuple of int
        Sessions that have both.

    Raises
    ------
    DataError
        When the columns differ in length, a row comes twice, or no session can be like it.

    Examples
    --------
    >>> table = SessionTable(d=(-1, 0), m=(2, 1), sessions=(1, 4))
    >>> table.sums().pairs, table.swapped().d
    (6, (1, 0))
    """

    d: tuple[int, ...]
    m: tuple[int, ...]
    sessions: tuple[int, ...]

    def __post_init__(self) -> None:
        for field in fields(self):
            column = getattr(self, field.name)
            plain = tuple(whole(field.name, value, negative=field.name == "d") for value in column)
            object.__setattr__(self, field.name, plain)
        if not len(self.d) == len(self.m) == len(self.sessions):
            raise DataError(
                f"columns of {len(self.d)}, {len(self.m)} and {len(self.sessions)} rows: give d, m and sessions alike"
            )
        for d, m, sessions in self.rows():
            if abs(d) > m or m < 1 or sessions < 1:
                raise DataError(f"{sessions} sessions of {m} pairs with difference {d} cannot be: group by d and m")
        if len(set(zip(self.d, self.m, strict=True))) < len(self.d):
            raise DataError("a pair of d and m comes twice: group by both")

    def rows(self) -> list[tuple[int, int, int]]:
        """Return (d, m, sessions) of each row."""
        return list(zip(self.d, self.m, self.sessions, strict=True))

    def sums(self) -> SessionSums:
        """Add up what the t-test needs."""
        rows = self.rows()
        return SessionSums(
            sessions=sum(k for _, _, k in rows),
            pairs=sum(m * k for _, m, k in rows),
            s=sum(d * k for d, _, k in rows),
            v=sum(d * d * k for d, _, k in rows),
            dm=sum(d * m * k for d, m, k in rows),
            mm=sum(m * m * k for _, m, k in rows),
            positive=sum(k for d, _, k in rows if d > 0),
            negative=sum(k for d, _, k in rows if d < 0),
            zero=sum(k for d, _, k in rows if d == 0),
            largest=max(self.m, default=0),
        )

    def swapped(self) -> "SessionTable":
        """Return the same sessions with the two arms exchanged."""
        return SessionTable(tuple(-d for d in self.d), self.m, self.sessions)


def session_table(session_ids: ArrayLike, primary_ok: ArrayLike, shadow_ok: ArrayLike) -> SessionTable:
    """Group pairs in memory by session, and sessions by what they add up to: the reference for the database.

    Parameters
    ----------
    session_ids : array of shape (N,)
        Which session each pair belongs to.
    primary_ok, shadow_ok : array of bool or 0/1, shape (N,)
        Whether that arm's answer was right; a missing answer of the shadow goes in as False.

    Returns
    -------
    SessionTable
        Rows in ascending order of d, then m.

    Examples
    --------
    >>> session_table(["a", "a", "b"], [True, True, True], [False, True, True]).rows()
    [(-1, 2, 1), (0, 1, 1)]
    """
    d, m = _by_session(session_ids, primary_ok, shadow_ok)
    alike, times = np.unique(np.stack([d, m], axis=1), axis=0, return_counts=True)
    return SessionTable(tuple(alike[:, 0]), tuple(alike[:, 1]), tuple(times))


def session_sums(session_ids: ArrayLike, primary_ok: ArrayLike, shadow_ok: ArrayLike) -> SessionSums:
    """Add up pairs in memory: the reference for what the database computes in one GROUP BY.

    Parameters
    ----------
    session_ids : array of shape (N,)
        Which session each pair belongs to.
    primary_ok, shadow_ok : array of bool or 0/1, shape (N,)
        Whether that arm's answer was right; a missing answer of the shadow goes in as False.

    Returns
    -------
    SessionSums
        Exact integers.

    Examples
    --------
    >>> sums = session_sums(["a", "a", "b"], [True, True, True], [False, True, True])
    >>> sums.sessions, sums.s, sums.v, sums.dm, sums.mm
    (2, -1, 1, -2, 5)
    """
    return session_table(session_ids, primary_ok, shadow_ok).sums()


def _by_session(
    session_ids: ArrayLike, primary_ok: ArrayLike, shadow_ok: ArrayLike
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Sum of differences and number of pairs of each session."""
    ids, arms = np.asarray(session_ids), {"primary_ok": np.asarray(primary_ok), "shadow_ok": np.asarray(shadow_ok)}
    for name, arm in arms.items():
        if arm.shape != ids.shape or ids.ndim != 1:
            raise ParameterError.of(
                name, arm.shape, f"one value per pair, {ids.shape}", "pass three flat arrays of one length"
            )
        if not np.isin(arm, (0, 1)).all():
            raise ParameterError.of(name, arm.dtype.name, "True or False", "count a missing answer as False")
    _, number = np.unique(ids, return_inverse=True)
    m = np.bincount(number)
    d = np.zeros(m.size, dtype=np.int64)
    np.add.at(d, number, arms["shadow_ok"].astype(np.int64) - arms["primary_ok"].astype(np.int64))
    return d, m
