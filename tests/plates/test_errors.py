"""The errors page's pictures and tables: captions carry the numbers, hostile text stays text, nothing is said in vain."""

import re

import pytest

from relkit.errors import (
    WORTH_RETRYING,
    ErrorKind,
    FingerprintCount,
    FingerprintCounts,
    NextTries,
    NextTry,
    Signals,
    evaluate,
    fingerprint,
    plan_rules,
    rival,
    sdk_habits,
)
from relkit.plates.errors import fingerprint_table, kind_table
from relkit.plates.evaluation import (
    cost_table,
    coverage_plate,
    decision_table,
    diff_table,
    retryability_plate,
    sdk_table,
)
from relkit.prices import Price, Use

HOSTILE = "<script>alert(1)</script> \"'><svg onload=x> & `|*"
DOWN, BAD, ODD = Signals(status=500), Signals(status=400), Signals(exception_type="Odd", message=HOSTILE)


def log(*rows, model="m"):
    return FingerprintCounts(
        tuple(
            FingerprintCount(fingerprint(s), s, n, n, uses=(Use("groq", model, n, token_calls=n, tokens_in=1000 * n),))
            for s, n in rows
        )
    )


COUNTS = log((DOWN, 80), (BAD, 15), (ODD, 5))


def tries(retries=70, successes=0, fp=DOWN, **more):
    return NextTries((NextTry(fingerprint(fp), 1, retries, successes, retries, retries, **more),), 3)


FOUND = evaluate(COUNTS, tries())


def html(shown):
    return shown._repr_mimebundle_()["text/html"]


def test_coverage_says_what_no_rule_knows_and_what_words_alone_decided():
    shown = coverage_plate(FOUND.coverage)
    assert shown.caption == (
        "No rule knows 5.0 % of 100 failed attempts. Most, 95 %, were recognised by the HTTP status; "
        "0.0 % by words alone, which break when the wording changes."
    )
    assert shown.values == {"status": 95, "none": 5, "refined_by_words": 0, "rules_fired": 0}
    told = coverage_plate(FOUND.coverage, FOUND.uses)
    assert told.values["rules_fired"] == 2
    assert f"Of the {len(FOUND.uses)} rules 2 fired" in told.caption


def test_where_no_rule_knows_anything_no_signal_leads():
    assert coverage_plate(evaluate(log((ODD, 5))).coverage).caption == "No rule knows 100.0 % of 5 failed attempts."


def test_where_the_rules_know_everything_it_says_so():
    assert coverage_plate(evaluate(log((DOWN, 5))).coverage).caption.startswith(
        "The rules know all 5 failed attempts. Most, 100 %"
    )


def test_retries_are_told_with_the_flag_they_contradict():
    shown = retryability_plate(FOUND.retries, FOUND.retries_by_wait, WORTH_RETRYING, 0.95)
    assert "0 of 70 next tries succeeded (0 %)" in shown.caption
    assert "API_SERVER_ERROR is declared retryable, yet 0 of 70" in shown.caption
    assert shown.values["API_SERVER_ERROR_share"] == 0


def test_retries_that_agree_are_said_to():
    found = evaluate(COUNTS, tries(successes=60, moved=12))
    shown = retryability_plate(found.retries, found.retries_by_wait, WORTH_RETRYING, 0.95)
    assert "12 of the 70 went to another model or service" in shown.caption
    assert "contradicts no flag and confirms 1 of 1" in shown.caption


def test_a_diff_counts_both_directions_and_shows_money_only_where_it_is_known():
    theirs = rival(FOUND, plan_rules(), prices={"m": Price(1, 1)})
    shown = diff_table(theirs.diff, "plan", "relkit")
    assert shown.columns[-1] == "cost of these attempts"
    assert shown.values["attempts"] == 100
    unpriced = diff_table(rival(FOUND, plan_rules()).diff, "plan", "relkit")
    assert "cost" not in " ".join(unpriced.columns)
    assert "unknown: no price for m" in unpriced.caption


def test_the_same_rules_differ_in_nothing_and_cost_nothing():
    same = rival(FOUND, plan_rules())
    same = type(same)(type(same.diff)((), 100), (), same.decisions)
    assert "answers 0 of 100 failed attempts otherwise" in diff_table(same.diff, "a", "b").caption
    assert "makes 0 mistakes" in cost_table(same.costs, "a").caption


def test_decisions_need_labels():
    bare = decision_table(rival(FOUND, plan_rules()).decisions, 0.95)
    assert "0 labels" in bare.caption
    labels = {fingerprint(BAD): ErrorKind.API_INVALID_REQUEST, fingerprint(DOWN): ErrorKind.API_SERVER_ERROR}
    shown = decision_table(rival(FOUND, plan_rules(), labels=labels).decisions, 0.95)
    assert "relkit retries 0 permanent errors (0 attempts)" in shown.caption
    assert shown.values["labels"] == 2
    assert shown.rows[-1][1] == "2 of 2 (34 % to 100 %)"


def test_libraries_are_asked_only_about_answers_with_a_status():
    shown = sdk_table(sdk_habits(COUNTS, FOUND.answers))
    assert shown.values["answered"] == 95
    none = sdk_table(sdk_habits(log((ODD, 5)), evaluate(log((ODD, 5))).answers))
    assert none.caption.startswith("0 failed attempts of this log tell a status")


def test_unknown_errors_come_first_with_the_rule_to_write_and_the_digits_to_label_them():
    shown = fingerprint_table(COUNTS, FOUND.unknown)
    first = shown.rows[0]
    assert first[1] == f"{fingerprint(ODD):016x}"[:8]
    assert first[-1] == 'UNKNOWN, write: when = { exception_type = "Odd" }'
    assert [row[0] for row in shown.rows] == ["5", "80", "15"]
    assert "No rule knows 5 of 100 failed attempts" in shown.caption


def test_services_are_named_and_counted_where_there_are_several():
    rows = FingerprintCounts(
        (
            FingerprintCount(1, DOWN, 9, 9, uses=(Use("a", None, 2), Use("b", None, 4), Use(None, None, 3))),
            FingerprintCount(2, BAD, 1, 1),
        )
    )
    shown = kind_table(evaluate(rows).kinds, frozenset())
    place = list(shown.columns).index("service")
    assert [row[place] for row in shown.rows] == ["b 4, not told 3, a 2", ""]


@pytest.mark.parametrize(
    "shown",
    [
        coverage_plate(()),
        retryability_plate((), (), WORTH_RETRYING, 0.95),
        fingerprint_table(FingerprintCounts()),
        cost_table((), "plan"),
        sdk_table(()),
    ],
)
def test_where_there_is_nothing_to_show_a_sentence_says_so(shown):
    assert shown.caption
    assert "<img" not in html(shown)


def test_text_of_a_log_stays_text():
    hostile = log((Signals(exception_type=HOSTILE, message=HOSTILE), 5), model=HOSTILE)
    found = evaluate(hostile)
    theirs = rival(found, plan_rules())
    for shown in (
        fingerprint_table(hostile, found.unknown),
        diff_table(theirs.diff, "plan", "relkit"),
        cost_table(theirs.costs, "plan"),
    ):
        assert not re.search(r"<(script|svg)", html(shown))
