"""Rules against labels: the cells add up, equal errors count once, and permanent errors that would be retried are named."""

import random

import pytest

from relkit.errors import ADVICE, ErrorKind, FingerprintCount, FingerprintCounts, Signals, classify
from relkit.errors.evaluation.confusion import LABEL_RULE, confusion_of, labelled
from relkit.intervals import wilson

K = ErrorKind
KINDS = list(ErrorKind)


def log(*rows):
    """Rows of (status, attempts, label); the fingerprint is the place."""
    counts = FingerprintCounts(
        tuple(FingerprintCount(i, Signals(status=status), n, n) for i, (status, n, _) in enumerate(rows))
    )
    answers = {i: classify(Signals(status=status)) for i, (status, _, _) in enumerate(rows)}
    return counts, answers, {i: label for i, (_, _, label) in enumerate(rows) if label}


ROWS = log(
    (500, 10, K.API_SERVER_ERROR), (502, 30, K.API_AUTH_ERROR), (401, 5, K.API_AUTH_ERROR), (404, 2, K.NETWORK_ERROR), (503, 9, None)
)  # fmt: skip


def test_kinds_are_counted_by_error_and_by_attempt():
    found = confusion_of(*ROWS)
    assert found.cells == {
        (K.API_AUTH_ERROR, K.API_SERVER_ERROR): (1, 30),
        (K.API_SERVER_ERROR, K.API_SERVER_ERROR): (1, 10),
        (K.API_AUTH_ERROR, K.API_AUTH_ERROR): (1, 5),
        (K.NETWORK_ERROR, K.API_NOT_FOUND): (1, 2),
    }
    assert (found.accuracy.hits, found.accuracy.n, found.unlabelled) == (2, 4, 1)
    assert found.accuracy.attempts_share == pytest.approx(15 / 47)
    assert (found.accuracy.low, found.accuracy.high) == wilson(2, 4)


def test_retry_decisions_are_a_matrix_of_two_by_two_and_the_dear_cell_has_a_name():
    found = confusion_of(*ROWS)
    assert found.decisions == {
        (True, True): (1, 10), (True, False): (1, 2), (False, True): (1, 30), (False, False): (1, 5),
    }  # fmt: skip
    assert found.retried_in_vain == (1, 30)


def test_recall_is_of_the_labelled_and_precision_of_the_answered():
    scores = {score.kind: score for score in confusion_of(*ROWS).kinds}
    assert list(scores) == [K.API_AUTH_ERROR, K.API_SERVER_ERROR, K.NETWORK_ERROR]
    auth = scores[K.API_AUTH_ERROR]
    assert (auth.recall.hits, auth.recall.n, auth.precision.hits, auth.precision.n) == (1, 2, 1, 1)
    server = scores[K.API_SERVER_ERROR]
    assert (server.recall.n, server.precision.hits, server.precision.n) == (1, 1, 2)
    assert server.precision.attempts_share == 0.25


@pytest.mark.parametrize("seed", range(10))
def test_all_cells_add_up_whatever_the_labels(seed):
    draw = random.Random(seed)
    rows = [
        (draw.choice([400, 401, 404, 429, 500, 503]), draw.randrange(50), draw.choice([None, *KINDS]))
        for _ in range(40)
    ]
    counts, answers, labels = log(*rows)
    found = confusion_of(counts, answers, labels)
    total = sum(n for _, n, label in rows if label)
    for cells in (found.cells, found.decisions):
        assert sum(fps for fps, _ in cells.values()) == len(labels)
        assert sum(n for _, n in cells.values()) == total
    assert found.unlabelled == 40 - len(labels)
    assert sum(score.recall.hits for score in found.kinds) == found.accuracy.hits
    assert sum(score.attempts for score in found.kinds) == total


def test_without_labels_nothing_is_known_and_nothing_is_right():
    found = confusion_of(ROWS[0], ROWS[1], {})
    assert (found.accuracy.n, found.accuracy.low, found.accuracy.high, found.accuracy.attempts_share) == (0, 0, 1, None)
    assert found.retried_in_vain == (0, 0)


def test_a_label_brings_the_advice_of_its_kind_and_leaves_right_answers_alone():
    _, answers, labels = ROWS
    found = labelled(answers, labels)
    assert found[0] is answers[0]
    assert found[4] is answers[4]
    assert (found[1].kind, found[1].rule, found[1].retryable) == (K.API_AUTH_ERROR, LABEL_RULE, False)
    for fp, label in labels.items():
        assert found[fp].kind is label
        assert found[fp].alert == ADVICE[label].alert
