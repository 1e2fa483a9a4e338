"""The paired two-by-two table, and an interval of the difference of its two shares."""

from dataclasses import dataclass, fields

from relkit.shadow._checks import whole


@dataclass(frozen=True, slots=True)
class PairCounts:
    """The paired two-by-two table: how often both, one or neither of primary and shadow answered right.

    A missing answer of the shadow is counted as a failure before it arrives here: dropping such pairs would flatter a
    shadow that times out. `missing_bounds` says what that choice is worth.

    Parameters
    ----------
    both, only_primary, only_shadow, neither : int
        Number of pairs, 0 or more.

    Examples
    --------
    >>> counts = PairCounts(both=3520, only_primary=96, only_shadow=64, neither=320)
    >>> counts.n, counts.discordant, counts.delta
    (4000, 160, -0.008)
    """

    both: int
    only_primary: int
    only_shadow: int
    neither: int

    def __post_init__(self) -> None:
        for field in fields(self):
            object.__setattr__(self, field.name, whole(field.name, getattr(self, field.name)))

    @property
    def n(self) -> int:
        """Number of pairs."""
        return self.both + self.only_primary + self.only_shadow + self.neither

    @property
    def discordant(self) -> int:
        """Number of pairs in which exactly one arm answered right."""
        return self.only_primary + self.only_shadow

    @property
    def delta(self) -> float | None:
        """Shadow's share of right answers minus primary's, in [-1, 1]; None without pairs."""
        return (self.only_shadow - self.only_primary) / self.n if self.n else None

    @property
    def primary_share(self) -> float | None:
        """Primary's share of right answers; None without pairs."""
        return (self.both + self.only_primary) / self.n if self.n else None

    @property
    def shadow_share(self) -> float | None:
        """Shadow's share of right answers; None without pairs."""
        return (self.both + self.only_shadow) / self.n if self.n else None

    def swapped(self) -> "PairCounts":
        """Return the same pairs with the two arms exchanged."""
        return PairCounts(self.both, self.only_shadow, self.only_primary, self.neither)


@dataclass(frozen=True, slots=True)
class Interval:
    """A confidence interval of a difference of shares.

    Parameters
    ----------
    low, high : float
        Limits, in [-1, 1].
    level : float
        Two-sided confidence level, in (0, 1).

    Examples
    --------
    >>> Interval(-0.014, -0.002, 0.95).excludes(0.0)
    True
    """

    low: float
    high: float
    level: float

    def excludes(self, difference: float) -> bool:
        """Say whether a difference lies outside; the limits themselves are inside."""
        return difference < self.low or difference > self.high
