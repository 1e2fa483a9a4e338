"""Answers that never came: what the difference could be if we knew them."""

from dataclasses import dataclass, fields

from relkit.exceptions import DataError
from relkit.shadow._checks import whole
from relkit.shadow.paired import PairCounts


@dataclass(frozen=True, slots=True)
class MissingAnswers:
    """Pairs of a table that lack an answer; the table counts each missing answer as a failure of its arm.

    Parameters
    ----------
    shadow_while_primary_ok, shadow_while_primary_failed : int
        Pairs without an answer of the shadow, by whether the primary was right.
    primary_while_shadow_ok, primary_while_shadow_failed : int
        Pairs without an answer of the primary, by whether the shadow was right.
    both : int
        Pairs without either answer.

    Examples
    --------
    >>> MissingAnswers(30, 2, 0, 0, 1).shadow
    33
    """

    shadow_while_primary_ok: int = 0
    shadow_while_primary_failed: int = 0
    primary_while_shadow_ok: int = 0
    primary_while_shadow_failed: int = 0
    both: int = 0

    def __post_init__(self) -> None:
        for field in fields(self):
            object.__setattr__(self, field.name, whole(field.name, getattr(self, field.name)))

    @property
    def shadow(self) -> int:
        """Missing answers of the shadow."""
        return self.shadow_while_primary_ok + self.shadow_while_primary_failed + self.both

    @property
    def primary(self) -> int:
        """Missing answers of the primary."""
        return self.primary_while_shadow_ok + self.primary_while_shadow_failed + self.both


@dataclass(frozen=True, slots=True)
class MissingBounds:
    """The difference shadow - primary under each way to read a missing answer.

    Parameters
    ----------
    as_failures, as_successes : float or None
        Every missing answer of either arm counted as wrong (our reading), or as right.
    low, high : float or None
        The extremes: all missing answers against the shadow, or all for it. The truth lies between.
    dropped : float or None
        Pairs with a missing answer left out: flatters an arm that times out. None when nothing is left.

    All are shares in [-1, 1], and None without pairs.
    """

    as_failures: float | None
    as_successes: float | None
    low: float | None
    high: float | None
    dropped: float | None


def missing_bounds(counts: PairCounts, missing: MissingAnswers) -> MissingBounds:
    """Bound the difference by what missing answers could have been.

    A shadow that is right in 90 % of its answers and times out in 5 % of requests scores +4.7 points when its timeouts
    are dropped; counted as failures they are what users would have met.

    Parameters
    ----------
    counts : PairCounts
        All pairs, missing answers counted as failures.
    missing : MissingAnswers
        How many of these failures are missing answers.

    Returns
    -------
    MissingBounds
        Five readings of one table.

    Raises
    ------
    DataError
        When more answers are missing than the table has failures.

    Notes
    -----
    Worst-case bounds: Manski, American Economic Review 80 (1990), 319-323.

    Examples
    --------
    >>> bounds = missing_bounds(PairCounts(820, 60, 30, 90), MissingAnswers(shadow_while_primary_ok=40))
    >>> bounds.as_failures, bounds.as_successes, round(bounds.dropped, 4)
    (-0.03, 0.01, 0.0104)
    """
    room = {
        "only_primary": (missing.shadow_while_primary_ok, counts.only_primary),
        "only_shadow": (missing.primary_while_shadow_ok, counts.only_shadow),
        "neither": (
            missing.shadow_while_primary_failed + missing.primary_while_shadow_failed + missing.both,
            counts.neither,
        ),
    }
    for cell, (lost, held) in room.items():
        if lost > held:
            raise DataError(
                f"{lost} missing answers in cell {cell}, which holds {held} pairs: count them as failures first"
            )
    if counts.n == 0:
        return MissingBounds(None, None, None, None, None)
    low, high = extreme_deltas(counts, missing.shadow, missing.primary)
    complete = PairCounts(counts.both, *(held - lost for lost, held in room.values()))
    difference = counts.only_shadow - counts.only_primary
    return MissingBounds(
        as_failures=counts.delta,
        as_successes=(difference + missing.shadow - missing.primary) / counts.n,
        low=low,
        high=high,
        dropped=complete.delta,
    )


def extreme_deltas(
    counts: PairCounts, missing_shadow: int, missing_primary: int, absent: int = 0
) -> tuple[float, float]:
    """Give the smallest and largest difference the missing answers allow; `absent` pairs are not in the table at all.

    A missing answer is a failure in the table; turned into a success it moves delta by 1/n, whatever the other arm did.

    >>> extreme_deltas(PairCounts(820, 60, 30, 90), missing_shadow=40, missing_primary=10)
    (-0.04, 0.01)
    """
    n = counts.n + absent
    difference = counts.only_shadow - counts.only_primary
    return (difference - missing_primary - absent) / n, (difference + missing_shadow + absent) / n
