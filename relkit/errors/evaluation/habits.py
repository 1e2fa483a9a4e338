"""What the client libraries would have done by default with the errors of a log, beside what the rules advise."""

from collections.abc import Mapping
from dataclasses import dataclass

from relkit.errors.classifier import Classification
from relkit.errors.counts import FingerprintCounts
from relkit.errors.evaluation.sdks import sdk_decisions


@dataclass(frozen=True, slots=True)
class SdkHabit:
    """What one client library would have tried again.

    Parameters
    ----------
    sdk : str
        Name of the library.
    answered : int
        Failed attempts with a status of 400 or more: the others the library sees as its own exceptions, not as answers.
    retried : int
        Those it would have sent again.
    retried_in_vain : int
        Those it would have sent again though the rules call them permanent.
    dropped : int
        Those it would have given up though the rules call them worth a retry.
    """

    sdk: str
    answered: int
    retried: int
    retried_in_vain: int
    dropped: int


def sdk_habits(counts: FingerprintCounts, answers: Mapping[int, Classification]) -> tuple[SdkHabit, ...]:
    """Ask each client library what it would have done with the answers of a log.

    Parameters
    ----------
    counts : FingerprintCounts
        What the store counted.
    answers : mapping of int to Classification
        Answers of the rules for each fingerprint.

    Returns
    -------
    tuple of SdkHabit
        One a library, always in the same order. Each is asked about a first try sent by POST whose answer has no headers: a
        log keeps neither, and a Retry-After moves the wait but hardly the decision.

    Examples
    --------
    >>> from relkit.errors import FingerprintCount, Signals, classify
    >>> seen = FingerprintCounts((FingerprintCount(1, Signals(status=501), 3, 1),))
    >>> sdk_habits(seen, {1: classify(Signals(status=501))})[0]
    SdkHabit(sdk='openai', answered=3, retried=3, retried_in_vain=3, dropped=0)
    """
    sums: dict[str, list[int]] = {decision.sdk: [0, 0, 0, 0] for decision in sdk_decisions(500)}
    for row in counts.rows:
        status, n = row.signals.status, row.failed_attempts
        if status is None or status < 400:
            continue
        advised = answers[row.fp].retryable
        for decision in sdk_decisions(status, code=row.signals.code):
            cell = sums[decision.sdk]
            cell[0] += n
            cell[1] += n * decision.retries
            cell[2] += n * (decision.retries and not advised)
            cell[3] += n * (advised and not decision.retries)
    return tuple(SdkHabit(sdk, *cell) for sdk, cell in sums.items())
