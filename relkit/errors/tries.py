"""What retries did in a log: tries by their number, and how far they multiplied hour by hour."""

from dataclasses import dataclass

from relkit.intervals import wilson


@dataclass(frozen=True, slots=True)
class TryNumber:
    """All first tries of requests, all second ones, and so on.

    Parameters
    ----------
    number : int
        1 for the first try of a request.
    tries, succeeded, untold : int
        How many, how many succeeded, and of how many the log does not tell.
    cost_microusd : int or None
        What those cost whose cost the log knows, millionths of a dollar; None where it knows none.
    priced : int
        Tries whose cost it knows.
    """

    number: int
    tries: int
    succeeded: int
    untold: int = 0
    cost_microusd: int | None = None
    priced: int = 0

    def interval(self, level: float = 0.95) -> tuple[float, float]:
        """Return Wilson's interval of the share that succeeded, as if tries were independent.

        Examples
        --------
        >>> low, high = TryNumber(2, 100, 60).interval()
        >>> round(low, 2), round(high, 2)
        (0.5, 0.69)
        """
        return wilson(self.succeeded, self.tries - self.untold, level)


@dataclass(frozen=True, slots=True)
class TryHour:
    """The tries that ended in one hour.

    Parameters
    ----------
    hour : int
        Hours since 1970 UTC.
    requests : int
        First tries among them.
    tries, failed : int
        All tries, and how many of them failed.
    """

    hour: int
    requests: int
    tries: int
    failed: int

    @property
    def amplification(self) -> float | None:
        """Tries a request; None in an hour without a first try."""
        return self.tries / self.requests if self.requests else None

    @property
    def failed_share(self) -> float:
        """Share of the tries that failed."""
        return self.failed / self.tries if self.tries else 0.0


@dataclass(frozen=True, slots=True)
class Tries:
    """What retries did in a period.

    Parameters
    ----------
    numbers : tuple of TryNumber
        Ascending.
    hours : tuple of TryHour
        Ascending; hours without a try are left out, and so are tries without a clock.

    Examples
    --------
    >>> found = Tries((TryNumber(1, 100, 90), TryNumber(2, 9, 5)), ())
    >>> found.most_tries, found.rescued, found.amplification
    (2, 5, 1.09)
    """

    numbers: tuple[TryNumber, ...]
    hours: tuple[TryHour, ...]

    @property
    def most_tries(self) -> int:
        """Most tries of a request; 0 for a log that tells no tries apart."""
        return self.numbers[-1].number if self.numbers else 0

    @property
    def retries(self) -> int:
        """Tries after the first."""
        return sum(row.tries for row in self.numbers if row.number > 1)

    @property
    def rescued(self) -> int:
        """Requests that a retry turned into a success."""
        return sum(row.succeeded for row in self.numbers if row.number > 1)

    @property
    def amplification(self) -> float | None:
        """Tries a request over the whole period; None without a first try."""
        first = sum(row.tries for row in self.numbers if row.number == 1)
        return sum(row.tries for row in self.numbers) / first if first else None
