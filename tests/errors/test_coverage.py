"""Which signal decided, which rules fire and never do, and which rule would explain most of what is unknown."""

import re

import pytest

from relkit.errors import FingerprintCount, FingerprintCounts, Signals, fingerprint, load_rules
from relkit.errors.evaluation.coverage import (
    SIGNALS,
    coverage_of,
    deciding_signal,
    draft_condition,
    next_rules,
    rule_uses,
)
from relkit.prices import Price, Use

RULES = load_rules("""
[[rule]]
id = "both"
kind = "MODEL_CONTEXT_LENGTH"
when = { status = 400, message = { re = "too long" } }
examples = [{ status = 400, message = "too long" }]
counterexamples = [{ status = 400 }]

[[rule]]
id = "either"
kind = "API_QUOTA_EXHAUSTED"
when = { "code|message" = { re = "quota" } }
examples = [{ code = "quota" }]
counterexamples = [{ code = "rate" }]

[[rule]]
id = "idle"
kind = "API_NOT_FOUND"
when = { status = 404 }
examples = [{ status = 404 }]
counterexamples = [{ status = 405 }]
""")
BOTH = Signals(status=400, message="much too long")
BY_CODE, BY_WORDS = Signals(code="quota", message="quota"), Signals(exception_type="Error", message="your quota")
STRANGE, VAGUE, DECLARED = (
    Signals(exception_type="WorkerExit"),
    Signals(exception_type="Error"),
    Signals(code="CANCELLED"),
)


def seen(*rows):
    return FingerprintCounts(
        tuple(
            FingerprintCount(fingerprint(s), s, attempts, attempts, i, i, uses)
            for i, (s, attempts, uses) in enumerate(rows)
        )
    )


COUNTS = seen((BOTH, 5, ()), (BY_CODE, 4, ()), (BY_WORDS, 3, ()), (STRANGE, 2, ()), (VAGUE, 1, ()), (DECLARED, 5, ()))


def test_every_attempt_is_covered_by_exactly_one_signal():
    rows = coverage_of(COUNTS, RULES)
    assert [(row.signal, row.attempts, row.fingerprints) for row in rows] == [
        ("declared", 5, 1), ("code", 4, 1), ("status", 5, 1), ("words", 3, 1), ("none", 3, 2),
    ]  # fmt: skip
    assert sum(row.attempts for row in rows) == COUNTS.failed_attempts
    assert sum(row.share for row in rows) == pytest.approx(1)


def test_a_rule_goes_by_its_strongest_signal_and_says_that_words_refined_it():
    (status,) = (row for row in coverage_of(COUNTS, RULES) if row.signal == "status")
    assert status.refined_by_words == 5


def test_the_field_that_passed_decides_and_not_the_fields_that_might_have():
    rule = next(rule for rule in RULES.rules if rule.id == "either")
    assert deciding_signal(rule, BY_CODE) == "code"
    assert deciding_signal(rule, BY_WORDS) == "words"


def test_the_packaged_rules_use_no_signal_that_coverage_does_not_know():
    fields = {field for rule in load_rules().rules for test in rule.when for field in test.fields}
    assert fields <= {field for fields in SIGNALS.values() for field in fields}


def test_rules_that_never_fired_are_there_with_zero_and_those_that_did_come_first():
    uses = rule_uses(COUNTS, RULES)
    assert [(use.rule, use.attempts, use.last_ts_us) for use in uses] == [
        ("either", 7, 2), ("declared.cancelled", 5, 5), ("both", 5, 0), ("idle", 0, None),
    ]  # fmt: skip


def test_the_next_rule_is_the_one_that_names_most():
    found = next_rules(COUNTS, RULES)
    assert [(rule.when, rule.attempts) for rule in found] == [('exception_type = "WorkerExit"', 2), ("", 1)]


def test_money_goes_before_rows():
    dear = (Use("s", "m", 1, token_calls=1, tokens_in=10),)
    counts = seen((STRANGE, 9, (Use("s", "m", 9),)), (Signals(code="E_ODD"), 1, dear))
    assert [rule.when for rule in next_rules(counts, RULES, {"m": Price(1, 1)})] == [
        'code = "E_ODD"',
        'exception_type = "WorkerExit"',
    ]
    assert next_rules(counts, RULES)[0].when == 'exception_type = "WorkerExit"'


def test_errors_that_one_condition_would_catch_are_one_rule():
    more = Signals(exception_type="WorkerExit", message="left with code #")
    (rule,) = next_rules(seen((STRANGE, 2, ()), (more, 3, ())), RULES)
    assert (rule.fingerprints, rule.attempts, rule.signals) == (2, 5, more)


@pytest.mark.parametrize(
    "signals",
    [
        STRANGE, BY_CODE, Signals(status=418), Signals(errno=-2), Signals(exception_type="Error", message="E#: what (now)? [email] a+b | c\\d"),
        Signals(code='quo"te\\d'), Signals(grpc_code="ODD"), Signals(exception_type="RuntimeError", message="it's \"odd\""),
    ],
)  # fmt: skip
def test_a_draft_is_a_condition_that_the_table_takes_and_that_catches_its_error(signals):
    when = draft_condition(signals)
    field = re.match(r"\w+", when)[0]
    example = {field: getattr(signals, field)}
    head = f"[[rule]]\nid = 'draft'\nkind = 'LOCAL_RESOURCE'\nwhen = {{ {when} }}\n"
    toml = head + "counterexamples = [{ message = 'quite another' }]\nexamples = [" + inline(example) + "]\n"
    table = load_rules(toml)
    assert table.first(signals)[0].id == "draft"


def inline(row):
    ((name, value),) = row.items()
    text = value if isinstance(value, int) else '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
    return f"{{ {name} = {text} }}"
