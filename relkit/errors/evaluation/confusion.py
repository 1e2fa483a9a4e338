"""The rules against what people say the errors were: kinds confused, and retry decisions that went wrong.

Equal errors get equal answers, so the independent unit is the distinct error: intervals count these, and the share of
attempts stands beside them.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final, TypeAlias, TypeVar

from relkit.errors.classifier import Classification
from relkit.errors.counts import FingerprintCounts
from relkit.errors.kinds import ADVICE, ErrorKind
from relkit.intervals import wilson

LABEL_RULE: Final = "label"
Truth = TypeVar("Truth", ErrorKind, bool)
# (true, answered) to distinct errors and failed attempts.
Counts: TypeAlias = dict[tuple[Truth, Truth], tuple[int, int]]


@dataclass(frozen=True, slots=True)
class Label:
    """What a person says an error really was.

    Parameters
    ----------
    fp : int
        Fingerprint of the error.
    kind : ErrorKind
        Its true kind.
    by : str
        Who says so.
    at_us : int
        When, microseconds since 1970 UTC.

    >>> Label(7, ErrorKind.UNKNOWN, "ana", 0).by
    'ana'
    """

    fp: int
    kind: ErrorKind
    by: str
    at_us: int


@dataclass(frozen=True, slots=True)
class Share:
    """Hits among distinct errors with a Wilson interval, and the same share of attempts.

    >>> share_of(3, 4, 30, 100).attempts_share
    0.3
    """

    hits: int
    n: int
    low: float
    high: float
    attempts_share: float | None


@dataclass(frozen=True, slots=True)
class KindScore:
    """How well one kind is told: labelled attempts, found among those labelled so, right among those answered so."""

    kind: ErrorKind
    attempts: int
    recall: Share
    precision: Share


@dataclass(frozen=True, slots=True)
class Confusion:
    """Rules against labels.

    Parameters
    ----------
    cells : mapping of (ErrorKind, ErrorKind) to (int, int)
        (labelled, answered) to distinct errors and failed attempts; the commonest first.
    kinds : tuple of KindScore
        In order of labelled attempts, downwards.
    accuracy : Share
        Errors whose kind is right.
    decisions : mapping of (bool, bool) to (int, int)
        (may be retried, answered so) to distinct errors and failed attempts; all four are there.
    unlabelled : int
        Distinct errors without a label.
    """

    cells: Mapping[tuple[ErrorKind, ErrorKind], tuple[int, int]]
    kinds: tuple[KindScore, ...]
    accuracy: Share
    decisions: Mapping[tuple[bool, bool], tuple[int, int]]
    unlabelled: int

    @property
    def retried_in_vain(self) -> tuple[int, int]:
        """Permanent errors that the rules would retry: distinct errors and attempts."""
        return self.decisions[False, True]


def share_of(hits: int, n: int, attempts: int, all_attempts: int, level: float = 0.95) -> Share:
    """Make a share with its Wilson interval over distinct errors.

    >>> round(share_of(9, 10, 9, 10).low, 3)
    0.596
    """
    low, high = wilson(hits, n, level)
    return Share(hits, n, low, high, attempts / all_attempts if all_attempts else None)


def confusion_of(
    counts: FingerprintCounts,
    answers: Mapping[int, Classification],
    labels: Mapping[int, ErrorKind],
    level: float = 0.95,
) -> Confusion:
    """Hold the answers of the rules against labels.

    Parameters
    ----------
    counts : FingerprintCounts
        What the store counted.
    answers : mapping of int to Classification
        Answer for each fingerprint.
    labels : mapping of int to ErrorKind
        True kind of the fingerprints that have one.
    level : float
        Confidence level of the Wilson intervals, in (0, 1).

    Returns
    -------
    Confusion
        Retry decisions compare the answer's own flag with the advice of the labelled kind.

    Examples
    --------
    >>> from relkit.errors.counts import FingerprintCount
    >>> from relkit.errors import Signals, classify
    >>> seen = FingerprintCounts((FingerprintCount(1, Signals(status=500), 3, 1),))
    >>> found = confusion_of(seen, {1: classify(Signals(status=500))}, {1: ErrorKind.API_AUTH_ERROR})
    >>> found.accuracy.hits, found.retried_in_vain
    (0, (1, 3))
    """
    cells: Counts[ErrorKind] = {}
    decisions: Counts[bool] = {(truth, answer): (0, 0) for truth in (True, False) for answer in (True, False)}
    unlabelled = 0
    for row in counts.rows:
        label = labels.get(row.fp)
        if label is None:
            unlabelled += 1
            continue
        answer = answers[row.fp]
        _add(cells, (label, answer.kind), row.failed_attempts)
        _add(decisions, (ADVICE[label].retryable, answer.retryable), row.failed_attempts)
    everything = _sum(cells)
    right = _sum({key: cell for key, cell in cells.items() if key[0] is key[1]})
    scores = [_score(kind, cells, level) for kind in dict.fromkeys(truth for truth, _ in cells)]
    return Confusion(
        dict(sorted(cells.items(), key=lambda cell: (-cell[1][1], cell[0]))),
        tuple(sorted(scores, key=lambda score: (-score.attempts, score.kind.value))),
        share_of(right[0], everything[0], right[1], everything[1], level),
        decisions,
        unlabelled,
    )


def labelled(answers: Mapping[int, Classification], labels: Mapping[int, ErrorKind]) -> dict[int, Classification]:
    """Replace the answers that a label contradicts by the advice of the labelled kind.

    >>> from relkit.errors import Signals, classify
    >>> labelled({1: classify(Signals())}, {1: ErrorKind.NETWORK_ERROR})[1].retryable
    True
    """
    return {
        fp: _as_labelled(answer, labels[fp]) if fp in labels and labels[fp] is not answer.kind else answer
        for fp, answer in answers.items()
    }


def _as_labelled(answer: Classification, kind: ErrorKind) -> Classification:
    advice = ADVICE[kind]
    return replace(
        answer,
        kind=kind,
        retryable=advice.retryable,
        max_retries=advice.max_retries,
        maybe_executed=advice.maybe_executed_default,
        severity=advice.severity,
        alert=advice.alert,
        user_message=advice.user_message,
        fallback=advice.fallback,
        rule=LABEL_RULE,
        evidence="a person said so",
    )


def _score(kind: ErrorKind, cells: Counts[ErrorKind], level: float) -> KindScore:
    hits = cells.get((kind, kind), (0, 0))
    truly = _sum({key: cell for key, cell in cells.items() if key[0] is kind})
    answered = _sum({key: cell for key, cell in cells.items() if key[1] is kind})
    recall = share_of(hits[0], truly[0], hits[1], truly[1], level)
    return KindScore(kind, truly[1], recall, share_of(hits[0], answered[0], hits[1], answered[1], level))


def _add(cells: Counts[Truth], key: tuple[Truth, Truth], attempts: int) -> None:
    fps, before = cells.get(key, (0, 0))
    cells[key] = (fps + 1, before + attempts)


def _sum(cells: Counts[Truth]) -> tuple[int, int]:
    return sum(fps for fps, _ in cells.values()), sum(attempts for _, attempts in cells.values())
