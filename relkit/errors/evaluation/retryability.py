"""Empirical retryability: how often the next try helped after each kind of error, beside what the kind declares.

A log that keeps every try answers by itself whether a kind may be retried: an error after which the next try of the
same request succeeded was transient that time. Three effects select what is seen, and no interval shows them: only
tries that the policy of the day repeated are there, at the waits it chose; the next try may have gone to another model;
and tries of one incident share its fate.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum, unique
from typing import Final

from relkit.errors.classifier import Classification
from relkit.errors.kinds import ErrorKind
from relkit.exceptions import DataError, ParameterError
from relkit.intervals import wilson_of_share
from relkit.units import US_PER_SECOND, count, duration, percent, several

# Upper ends of the waits that are told apart, in microseconds; the last stretch is open.
WAIT_EDGES_US: Final = (100_000, US_PER_SECOND, 5 * US_PER_SECOND, 30 * US_PER_SECOND, 120 * US_PER_SECOND)
WORTH_RETRYING: Final = 0.10
FEWEST_HOURS: Final = 3.0


@dataclass(frozen=True, slots=True)
class NextTry:
    """What followed one error after one stretch of waiting, added up.

    Parameters
    ----------
    fp : int
        Fingerprint of the error.
    wait : int or None
        Place of the wait among `WAIT_EDGES_US`, len(WAIT_EDGES_US) above the last; None where no clock tells it.
    retries, successes : int
        Next tries whose outcome is told, and those that succeeded.
    same_request, same_hour : int
        Sums, over the retries, of the retries of the same request and of the same service and hour, itself included.
    moved : int
        Retries that went to another service or model than the failed try.
    asked, too_early : int
        Retries of which the other side had said when to come back, and those that came before it.
    waits, wait_sum_us : int
        Retries whose wait is told, and the sum of these waits in microseconds.

    >>> NextTry(7, 1, retries=4, successes=3, same_request=4, same_hour=16).successes
    3
    """

    fp: int
    wait: int | None
    retries: int
    successes: int
    same_request: int
    same_hour: int
    moved: int = 0
    asked: int = 0
    too_early: int = 0
    waits: int = 0
    wait_sum_us: int = 0

    def __post_init__(self) -> None:
        if not 0 <= self.successes <= self.retries <= min(self.same_request, self.same_hour):
            raise DataError(
                f"next tries after error {self.fp}: {self.successes} of {self.retries} helped, in groups of "
                f"{self.same_request} and {self.same_hour}; count again"
            )


@dataclass(frozen=True, slots=True)
class NextTries:
    """What followed the errors of a span of time.

    Parameters
    ----------
    rows : tuple of NextTry
        One for each fingerprint and stretch of waiting, in their order.
    most_tries : int
        Most tries that any request of the span took; 0 without requests of several tries.
    untold : int
        Next tries whose outcome is not told; they are in no row.

    >>> NextTries().retries
    0
    """

    rows: tuple[NextTry, ...] = ()
    most_tries: int = 0
    untold: int = 0

    @property
    def retries(self) -> int:
        """All next tries with a told outcome."""
        return sum(row.retries for row in self.rows)


@unique
class Agreement(StrEnum):
    """What the log says of a declared flag."""

    CONFIRMED = "confirmed"
    CONTRADICTED = "contradicted"
    ONE_INCIDENT = "contradicted, but in too few separate hours"
    UNDECIDED = "undecided"
    NOT_TRIED = "never retried"


@dataclass(frozen=True, slots=True)
class Retryability:
    """How often the next try helped after one kind of error.

    Parameters
    ----------
    kind : ErrorKind
        The kind.
    wait : int or None
        Place of the wait as in `NextTry`; None for all waits together.
    declared : bool
        Whether the rules say that most of these errors may be retried.
    retries, successes : int
        Next tries with a told outcome, and those that helped.
    share, low, high : float
        P(success at the next try), in [0, 1], with its interval.
    worth : float
        Independent retries that these are worth, tries of one request taken as one.
    hours : float
        Separate hours these are worth: 1 where all came in one hour.
    moved : int
        Retries that went to another service or model.
    agreement : Agreement
        What this says of the declared flag.
    """

    kind: ErrorKind
    wait: int | None
    declared: bool
    retries: int
    successes: int
    share: float
    low: float
    high: float
    worth: float
    hours: float
    moved: int
    agreement: Agreement


def wait_label(wait: int | None) -> str:
    """Name a stretch of waiting.

    >>> wait_label(0), wait_label(2), wait_label(5), wait_label(None)
    ('< 100 ms', '1 s to 5 s', '≥ 120 s', 'wait unknown')
    """
    if wait is None:
        return "wait unknown"
    if wait == 0:
        return f"< {_seconds(0)}"
    if wait == len(WAIT_EDGES_US):
        return f"≥ {_seconds(wait - 1)}"
    return f"{_seconds(wait - 1)} to {_seconds(wait)}"


def _seconds(place: int) -> str:
    wait_us = WAIT_EDGES_US[place]
    return duration(wait_us / US_PER_SECOND) if wait_us < US_PER_SECOND else f"{wait_us // US_PER_SECOND} s"


def retryability_of(
    tries: Iterable[NextTry],
    answers: Mapping[int, Classification],
    level: float = 0.95,
    worth_retrying: float = WORTH_RETRYING,
    *,
    by_wait: bool = False,
) -> tuple[Retryability, ...]:
    """Estimate P(success at the next try) for each kind, and hold the declared flag against it.

    Parameters
    ----------
    tries : iterable of NextTry
        What the store counted.
    answers : mapping of int to Classification
        Answer for each fingerprint.
    level : float
        Confidence level of the intervals, in (0, 1).
    worth_retrying : float
        Share of retries, in (0, 1), that must help for a retry to be worth its load.
    by_wait : bool
        One row for each kind and wait, else one for each kind.

    Returns
    -------
    tuple of Retryability
        Most retries first, then by name and wait; kinds that were never retried have none.

    Raises
    ------
    ParameterError
        When the level or the share is out of range.
    DataError
        When a fingerprint has no answer.

    Notes
    -----
    Requests are clusters: share = Σy/Σm over requests with m retries, of which y helped. Tries of one request are taken
    as fully alike, so the design effect is Kish's upper bound Σm²/Σm, and the interval is Wilson's on n·Σm/Σm² events,
    n = Σm. Here m counts the retries of a request after any kind, which can only widen the interval. `hours` is the same
    with hours of a service in place of requests: the number of equally filled hours that would be as concentrated. A flag
    is contradicted when the whole interval lies on the other side of `worth_retrying` and the retries are worth at least
    three hours: one incident says what retrying into it is worth, not what the kind is.

    References
    ----------
    L. Kish, Survey Sampling (1965), 5.4; J. N. K. Rao and A. J. Scott, Biometrics 48 (1992), 577-585, for dividing n by
    the design effect.

    Examples
    --------
    >>> from relkit.errors import Signals, classify
    >>> (row,) = retryability_of([NextTry(7, 1, 40, 36, 40, 80)], {7: classify(Signals(status=500))})
    >>> row.kind.value, row.share, round(row.low, 2), round(row.high, 2), row.agreement.value
    ('API_SERVER_ERROR', 0.9, 0.77, 0.96, 'confirmed')
    """
    if not 0 < worth_retrying < 1:
        raise ParameterError.of("worth_retrying", worth_retrying, "0 to 1, both excluded", "pass a share such as 0.1")
    groups: dict[tuple[ErrorKind, int | None], list[NextTry]] = {}
    for row in tries:
        if row.fp not in answers:
            raise DataError(f"error {row.fp} has no classification; classify every fingerprint of the same period")
        groups.setdefault((answers[row.fp].kind, row.wait if by_wait else None), []).append(row)
    found = [
        _estimated(kind, wait, rows, answers, level, worth_retrying)
        for (kind, wait), rows in groups.items()
        if any(row.retries for row in rows)
    ]
    return tuple(sorted(found, key=lambda row: (-row.retries, row.kind.value, -1 if row.wait is None else row.wait)))


def _estimated(
    kind: ErrorKind,
    wait: int | None,
    rows: list[NextTry],
    answers: Mapping[int, Classification],
    level: float,
    worth_retrying: float,
) -> Retryability:
    retries = sum(row.retries for row in rows)
    successes = sum(row.successes for row in rows)
    # groups hold the retries after other kinds too, so that sums over errors add up: never below one group
    worth = max(1.0, retries * retries / sum(row.same_request for row in rows))
    hours = max(1.0, retries * retries / sum(row.same_hour for row in rows))
    declared = 2 * sum(row.retries for row in rows if answers[row.fp].retryable) >= retries
    low, high = wilson_of_share(successes / retries, worth, level)
    agreement = _agreement(declared, low, high, hours, worth_retrying)
    moved = sum(row.moved for row in rows)
    return Retryability(
        kind, wait, declared, retries, successes, successes / retries, low, high, worth, hours, moved, agreement
    )


def _agreement(declared: bool, low: float, high: float, hours: float, worth_retrying: float) -> Agreement:
    if low <= worth_retrying <= high:
        return Agreement.UNDECIDED
    if declared == (low > worth_retrying):
        return Agreement.CONFIRMED
    return Agreement.CONTRADICTED if hours >= FEWEST_HOURS else Agreement.ONE_INCIDENT


def contradicted(rows: Iterable[Retryability]) -> tuple[Retryability, ...]:
    """Return the rows whose flag the log contradicts, those in too few hours after the others.

    >>> contradicted(())
    ()
    """
    asked = (Agreement.CONTRADICTED, Agreement.ONE_INCIDENT)
    return tuple(sorted((row for row in rows if row.agreement in asked), key=lambda row: asked.index(row.agreement)))


def contradiction_text(row: Retryability, level: float = 0.95) -> str:
    """Say in one sentence how the log contradicts a declared flag.

    >>> rows = [NextTry(7, 1, 80, 0, 80, 80 * 80)]
    >>> from relkit.errors import Signals, classify
    >>> contradiction_text(contradicted(retryability_of(rows, {7: classify(Signals(status=500))}))[0])
    'API_SERVER_ERROR is declared retryable, yet 0 of 80 next tries helped (0 % to 5 % at 95 %); all came as in one hour, so ...'
    """
    flag = "retryable" if row.declared else "permanent"
    text = (
        f"{row.kind.value} is declared {flag}, yet {count(row.successes)} of {several(row.retries, 'next try', 'next tries')} helped "
        f"({percent(row.low, 0)} to {percent(row.high, 0)} at {percent(level, 0)})"
    )
    if row.agreement is Agreement.ONE_INCIDENT:
        when = "in one hour" if row.hours < 1.5 else f"in {row.hours:.0f} hours"
        text += f"; all came as {when}, so this judges the waits in that incident and not the flag"
    return text + "."
