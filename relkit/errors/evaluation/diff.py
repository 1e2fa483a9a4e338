"""What another table of rules would change: by kind, by retry decision, by rows and by money."""

from collections.abc import Mapping
from dataclasses import dataclass

from relkit.errors.classifier import Classification
from relkit.errors.counts import FingerprintCount, FingerprintCounts
from relkit.errors.kinds import ErrorKind
from relkit.prices import Money, Price, money_of


@dataclass(frozen=True, slots=True)
class Change:
    """Errors that two tables of rules answer differently.

    Parameters
    ----------
    before, after : ErrorKind
        Kind by the one and by the other.
    retry_before, retry_after : bool
        Whether they may be retried, by the one and by the other.
    fingerprints, attempts, requests : int
        Distinct errors, failed attempts and requests lost.
    money : Money
        What these attempts cost.
    """

    before: ErrorKind
    after: ErrorKind
    retry_before: bool
    retry_after: bool
    fingerprints: int
    attempts: int
    requests: int
    money: Money


@dataclass(frozen=True, slots=True)
class RulesDiff:
    """The difference of two tables of rules on one log.

    Parameters
    ----------
    changes : tuple of Change
        Most attempts first.
    attempts : int
        All failed attempts, changed or not.

    >>> RulesDiff((), 10).changed_attempts
    0
    """

    changes: tuple[Change, ...]
    attempts: int

    @property
    def changed_attempts(self) -> int:
        """Failed attempts whose kind or retry decision differs."""
        return sum(change.attempts for change in self.changes)

    @property
    def unpriced(self) -> str:
        """Why the changed attempts have no cost: which models lack a price, or which log no tokens."""
        no_price = {model for change in self.changes for model in change.money.no_price}
        no_tokens = {model for change in self.changes for model in change.money.no_tokens}
        return Money(None, 0, 0, tuple(sorted(no_price)), tuple(sorted(no_tokens))).text

    def flipped(self, *, to_retry: bool) -> int:
        """Failed attempts whose retry decision turns, towards retrying or towards not."""
        turned = (change for change in self.changes if change.retry_before is not change.retry_after)
        return sum(change.attempts for change in turned if change.retry_after is to_retry)


def compare_rules(
    counts: FingerprintCounts,
    before: Mapping[int, Classification],
    after: Mapping[int, Classification],
    prices: Mapping[str, Price] | None = None,
) -> RulesDiff:
    """Say which errors two tables of rules answer differently.

    Parameters
    ----------
    counts : FingerprintCounts
        What the store counted.
    before, after : mapping of int to Classification
        Answers of the two tables for each fingerprint.
    prices : mapping of str to Price, optional
        Model to price.

    Returns
    -------
    RulesDiff
        Errors count as changed when their kind differs or the retry decision does.

    Examples
    --------
    >>> from relkit.errors import Signals, classify
    >>> seen = FingerprintCounts((FingerprintCount(1, Signals(status=418), 3, 1),))
    >>> answers = [{1: classify(Signals(status=status))} for status in (418, 404)]
    >>> [(change.before.value, change.after.value, change.attempts) for change in compare_rules(seen, *answers).changes]
    [('API_INVALID_REQUEST', 'API_NOT_FOUND', 3)]
    """
    groups: dict[tuple[ErrorKind, ErrorKind, bool, bool], list[FingerprintCount]] = {}
    for row in counts.rows:
        old, new = before[row.fp], after[row.fp]
        if old.kind is not new.kind or old.retryable is not new.retryable:
            groups.setdefault((old.kind, new.kind, old.retryable, new.retryable), []).append(row)
    changes = [
        Change(
            *key,
            len(rows),
            sum(row.failed_attempts for row in rows),
            sum(row.failed_requests for row in rows),
            money_of((use for row in rows for use in row.uses), prices or {}),
        )
        for key, rows in groups.items()
    ]
    changes.sort(key=lambda change: (-change.attempts, change.before.value, change.after.value, change.retry_after))
    return RulesDiff(tuple(changes), counts.failed_attempts)
