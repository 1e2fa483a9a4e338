"""Two tables of rules side by side: what changes is counted once, by kind and decision, with its money."""

import pytest

from relkit.errors import ErrorKind, FingerprintCount, FingerprintCounts, Signals, classify
from relkit.errors.evaluation.diff import compare_rules
from relkit.prices import Price, Use

K = ErrorKind


def answers(*statuses):
    return {fp: classify(Signals(status=status)) for fp, status in enumerate(statuses)}


COUNTS = FingerprintCounts(
    tuple(
        FingerprintCount(
            fp, Signals(message=str(fp)), n, n // 2, uses=(Use("s", model, n, token_calls=n, tokens_in=n * 1000),)
        )
        for fp, (n, model) in enumerate([(10, "m"), (20, "m"), (30, "x"), (5, "m")])
    )
)
BEFORE, AFTER = answers(500, 500, 401, 404), answers(401, 401, 500, 404)


def test_equal_changes_are_one_row_with_the_commonest_first():
    found = compare_rules(COUNTS, BEFORE, AFTER, {"m": Price(2, 2)})
    # equal counts fall back on the name
    assert [
        (change.before, change.after, change.fingerprints, change.attempts, change.requests) for change in found.changes
    ] == [
        (K.API_AUTH_ERROR, K.API_SERVER_ERROR, 1, 30, 15),
        (K.API_SERVER_ERROR, K.API_AUTH_ERROR, 2, 30, 15),
    ]
    assert [change.money.text for change in found.changes] == ["no price for x", "$0.06"]
    assert found.changes[1].money.usd == pytest.approx(30_000 * 2 / 1e6)


def test_what_does_not_change_is_counted_in_the_whole_alone():
    found = compare_rules(COUNTS, BEFORE, AFTER)
    assert (found.attempts, found.changed_attempts) == (65, 60)
    assert found.unpriced == "no price for m, x"


def test_flips_are_told_by_their_direction():
    found = compare_rules(COUNTS, BEFORE, AFTER)
    assert (found.flipped(to_retry=True), found.flipped(to_retry=False)) == (30, 30)
    back = compare_rules(COUNTS, AFTER, BEFORE)
    assert back.changed_attempts == found.changed_attempts
    assert back.flipped(to_retry=True) == found.flipped(to_retry=False)


def test_an_answer_with_the_same_kind_and_another_decision_is_a_change():
    usual, never = classify(Signals(status=500)), classify(Signals(status=501))
    assert usual.kind is never.kind
    found = compare_rules(FingerprintCounts((FingerprintCount(0, Signals(), 3, 1),)), {0: usual}, {0: never})
    assert (found.changed_attempts, found.flipped(to_retry=False)) == (3, 3)


def test_the_same_table_changes_nothing():
    assert compare_rules(COUNTS, BEFORE, BEFORE).changes == ()
