"""One table held against one log: the verdict says what to write next and which flag the log contradicts."""

import pytest

from relkit.errors import (
    ErrorKind,
    FingerprintCount,
    FingerprintCounts,
    NextTries,
    NextTry,
    Signals,
    evaluate,
    fingerprint,
    load_rules,
    rival,
)
from relkit.errors.evaluation.evaluate import Rivalry

DOWN, BAD, ODD = Signals(status=500), Signals(status=400), Signals(exception_type="WorkerExit")
OTHER = load_rules("""
name = "other"
[[rule]]
id = "all"
kind = "NETWORK_ERROR"
when = { status = { between = [400, 599] } }
examples = [{ status = 400 }]
counterexamples = [{ status = 200 }]
""")


def counts(*rows):
    return FingerprintCounts(tuple(FingerprintCount(fingerprint(s), s, n, n) for s, n in rows))


COUNTS = counts((DOWN, 80), (BAD, 15), (ODD, 5))


def followed(signals, retries, successes, same_hour=None):
    return NextTries((NextTry(fingerprint(signals), 1, retries, successes, retries, same_hour or retries),), 2)


def test_the_verdict_names_the_biggest_cause_and_the_rule_to_write():
    found = evaluate(COUNTS).verdict
    assert (found.code, found.value, found.n) == ("FINE", 0.05, 100)
    assert found.sentence.startswith("API_SERVER_ERROR leads with 80 %")
    assert found.would_change == 'A rule on exception_type = "WorkerExit" would name 5 of 5 unknown attempts.'


def test_the_verdict_names_the_flag_that_the_log_contradicts():
    found = evaluate(COUNTS, followed(DOWN, 70, 0)).verdict
    assert "API_SERVER_ERROR is declared retryable, yet 0 of 70 next tries helped" in found.sentence
    assert "is declared" not in evaluate(COUNTS, followed(DOWN, 70, 60)).verdict.sentence


def test_above_the_stated_share_it_warns():
    assert evaluate(COUNTS, max_unknown_share=0.04).verdict.code == "WARN"


def test_a_new_rule_moves_errors_out_of_the_unknown():
    mine = load_rules("""
        [[rule]]
        id = "worker"
        kind = "LOCAL_RESOURCE"
        when = { exception_type = "WorkerExit" }
        examples = [{ exception_type = "WorkerExit" }]
        counterexamples = [{ exception_type = "Worker" }]
        [[rule]]
        id = "rest"
        kind = "API_SERVER_ERROR"
        when = { status = { between = [400, 599] } }
        examples = [{ status = 400 }]
        counterexamples = [{ status = 200 }]
    """)
    before, after = evaluate(COUNTS), evaluate(COUNTS, rules=mine)
    assert [rule.attempts for rule in before.unknown] == [5]
    assert after.unknown == ()
    assert after.verdict.would_change == ""
    assert sum(kind.attempts for kind in after.kinds) == sum(kind.attempts for kind in before.kinds) == 100


def test_every_part_speaks_of_the_same_attempts():
    found = evaluate(COUNTS)
    assert sum(row.attempts for row in found.coverage) == sum(kind.attempts for kind in found.kinds) == 100
    assert set(found.answers) == {row.fp for row in COUNTS.rows}


def rivals(labels=None) -> Rivalry:
    return rival(evaluate(COUNTS), OTHER, followed(DOWN, 70, 60), labels=labels)


def test_a_rival_is_priced_with_our_answers_as_the_truth():
    found = rivals()
    assert found.diff.changed_attempts == 95
    assert found.diff.flipped(to_retry=False) == 15
    assert [cost.attempts for cost in found.costs if cost.mistake == "permanent, called transient"] == [15]
    assert list(found.decisions) == ["relkit", "other"]


def test_labels_go_before_our_rules():
    """Labelled as a network error, the 400 was rightly retried by the rival, and wrongly not by us."""
    found = rivals({fingerprint(BAD): ErrorKind.NETWORK_ERROR})
    assert [cost.attempts for cost in found.costs if cost.mistake == "permanent, called transient"] == []
    assert found.decisions["relkit"].accuracy.hits == 0
    assert found.decisions["other"].accuracy.hits == 1
    assert found.decisions["relkit"].decisions[True, False] == (1, 15)


def test_an_empty_log_is_an_answer():
    found = evaluate(FingerprintCounts(told=10))
    assert (found.verdict.code, found.kinds, found.coverage, found.unknown, found.retries) == ("FINE", (), (), (), ())


def test_a_log_that_tells_no_outcome_is_invalid():
    assert evaluate(FingerprintCounts(told=0)).verdict.code == "INVALID"


@pytest.mark.parametrize("share", [-0.1, 1.1])
def test_a_share_out_of_range_is_refused(share):
    with pytest.raises(Exception, match="max_unknown_share"):
        evaluate(COUNTS, max_unknown_share=share)
