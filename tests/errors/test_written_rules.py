"""A table of rules written out as TOML reads back as the same table."""

import pytest

from relkit.errors import Signals, classify, load_rules
from relkit.errors.rules.written import rules_text

ODD = {
    "id": "odd",
    "kind": "UNKNOWN",
    "when": {"code|body_type": ["a", 'b"\\', "\x7f\x01é😀"], "status": {"between": [400, 499]}},
    "override": {"retryable": False, "max_retries": 0},
    "source": "a 'source' with\nlines",
    "expires": "2026-06-30",
    "examples": [{"code": "a", "status": 400}],
    "counterexamples": [{"code": "a", "status": 500}],
}


def test_own_rules_and_a_layer_read_back() -> None:
    rules = load_rules().with_rules(ODD)
    again = load_rules(rules_text(rules))
    assert again.hash == rules.hash != load_rules().hash
    assert [(rule.id, rule.when, rule.override, rule.expires) for rule in again.rules] == [
        (rule.id, rule.when, rule.override, rule.expires) for rule in rules.rules
    ]
    signals = Signals(status=450, code='B"\\')
    assert classify(signals, again) == classify(signals, rules)


@pytest.mark.parametrize("declared", [True, False])
def test_the_declared_kinds_are_there_or_not(declared: bool) -> None:
    rule = (
        "[[rule]]\nid = 'pot'\nkind = 'UNKNOWN'\nwhen = 'always'\nexamples = [{ status = 418 }]\ncounterexamples = []\n"
    )
    text = f"declared = {str(declared).lower()}\n{rule}"
    rules = load_rules(text)
    assert load_rules(rules_text(rules)).hash == rules.hash
