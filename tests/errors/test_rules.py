"""The packaged table holds what it promises, and a table is refused with everything that is wrong in it."""

import pytest

from relkit.errors import ErrorKind, Signals, load_rules, read_signals
from relkit.errors.rules.tables import Layer
from relkit.exceptions import ParameterError

RULES = load_rules()
BY_ID = {rule.id: rule for rule in RULES.rules}
HEAD = '[[rule]]\nid = "mine"\nkind = "UNKNOWN"\n'
ROWS = "\nexamples = [{ status = 418 }]\ncounterexamples = [{ status = 400 }]\n"
TEAPOT = HEAD + "when = { status = 418 }" + ROWS


@pytest.mark.parametrize("rule", RULES.rules, ids=lambda rule: rule.id)
def test_every_rule_wins_its_examples_and_leaves_its_counterexamples(rule):
    assert rule.examples
    assert rule.counterexamples
    for row in rule.examples:
        assert RULES.first(read_signals(row))[0].id == rule.id, row
    for row in rule.counterexamples:
        assert rule.match(read_signals(row)) is None, row


@pytest.mark.parametrize("rule", RULES.rules, ids=lambda rule: rule.id)
def test_every_rule_says_what_justifies_it(rule):
    assert rule.source


def test_every_kind_is_declared_but_unknown_which_says_nothing():
    declared = {rule.kind for rule in RULES.rules if rule.id.startswith("declared.")}
    assert declared == set(ErrorKind) - {ErrorKind.UNKNOWN}
    assert RULES.first(Signals(status=500, code="UNKNOWN"))[0].kind is ErrorKind.API_SERVER_ERROR


def test_a_table_may_do_without_the_declared_kinds():
    assert [rule.id for rule in load_rules("declared = false\n" + TEAPOT).rules] == ["mine"]


def test_every_status_from_400_to_599_has_a_rule():
    assert all(RULES.first(Signals(status=status)) for status in range(400, 600))


def test_a_rule_may_take_the_retry_of_its_kind_away():
    rule = BY_ID["limit.too_large_429"]
    assert rule.kind is ErrorKind.API_RATE_LIMIT
    assert (rule.advice.retryable, rule.advice.max_retries) == (False, 0)


def test_a_rule_may_give_retries_back_to_the_policy():
    rule = load_rules(TEAPOT + "override = { retryable = true }").rules[-1]
    assert (rule.advice.retryable, rule.advice.max_retries) == (True, None)


def test_a_rule_that_always_holds_says_so_and_shadows_what_stands_behind_it():
    text = HEAD + 'when = "always"\nexamples = [{}]\n'
    rule, evidence = load_rules(text).first(Signals())
    assert (rule.id, evidence) == ("mine", "always")
    with pytest.raises(ParameterError, match="counterexample 1 matches"):
        load_rules(text + "counterexamples = [{}]")
    with pytest.raises(ParameterError, match="rule late: shadowed: its examples are all taken by mine"):
        load_rules(text + TEAPOT.replace("mine", "late"))


@pytest.mark.parametrize(
    ("text", "line", "named"),
    [
        (TEAPOT + "retry = true", 7, "retry"),
        (TEAPOT.replace("UNKNOWN", "NETWORK_TIMEUOT"), 3, "NETWORK_TIMEOUT"),
        (TEAPOT.replace('"UNKNOWN"', "[1]"), 3, "[1]"),
        (TEAPOT.replace("{ status = 418 }", "{ statuss = 418 }", 1), 4, "did you mean status?"),
        (TEAPOT.replace("{ status = 418 }", "{}", 1), 4, "at least one condition"),
        (TEAPOT.replace("418", "[]", 1), 4, "status"),
        (TEAPOT.replace("418", "true", 1), 4, "status"),
        (HEAD + "when = { code = { between = [1, 2] } }" + ROWS, 4, "code"),
        (HEAD + "when = { status = { between = [5, 2] } }" + ROWS, 4, "status"),
        (HEAD + "when = { status = { like = 5 } }" + ROWS, 4, "between"),
        (HEAD + "when = { message = { re = '(?=a)' } }" + ROWS, 4, "(?="),
        (HEAD + "when = { message = { phrase = 'none' } }" + ROWS, 4, "none"),
        (TEAPOT + "override = { retryable = 1 }", 7, "retryable"),
        (TEAPOT + "override = { sli = 'good' }", 7, "sli"),
        (TEAPOT + "override = { severity = 'awful' }", 7, "awful"),
        (TEAPOT + "override = 3", 7, "advice"),
        (TEAPOT + "before = 3", 7, "before"),
        (TEAPOT + "after = 'nobody'", 2, "nobody"),
        (TEAPOT + "expires = 'soon'", 7, "2027-06-30"),
        (TEAPOT + "expires = 2027-06-30T10:00:00Z", 7, "2027-06-30"),
        (TEAPOT.replace("examples = [{ status = 418 }]", "examples = [{ statuss = 418 }]"), 5, "statuss"),
        (TEAPOT.replace("examples = [{ status = 418 }]", "examples = []"), 5, "no examples"),
        (TEAPOT.replace("[{ status = 400 }]", "7"), 6, "list of tables"),
        (HEAD + "when = { status = 418 }\nexamples = [{ status = 418 }]", 2, "no counterexamples"),
        (TEAPOT.replace("418 }]", "419 }]"), 2, "example 1 does not match"),
        (TEAPOT.replace("400", "418"), 2, "counterexample 1 matches"),
        (TEAPOT + TEAPOT, 8, "duplicate id"),
        ("\n" * 6 + TEAPOT + TEAPOT.replace("mine", "late"), 14, "shadowed: its examples are all taken by mine"),
        (TEAPOT.replace("\nid", "\nname"), 2, "unknown key name"),
        ("nam = 1\n" + TEAPOT, 1, "nam"),
        ("[phrases]\na = '('\n" + TEAPOT, 2, "phrase a"),
        ("phrases = 1\n" + TEAPOT, 1, "phrases"),
        ("rule = 1", 1, "[[rule]]"),
    ],
)
def test_every_finding_names_its_line_and_what_is_wrong(text, line, named):
    with pytest.raises(ParameterError) as caught:
        load_rules(text, layer="mine.toml")
    found = [told for told in str(caught.value).splitlines() if named in told]
    assert found, str(caught.value)
    assert found[0].startswith(f"mine.toml, line {line}"), found


def test_all_findings_are_told_at_once_in_the_order_of_the_file():
    text = TEAPOT + TEAPOT.replace("mine", "second").replace("UNKNOWN", "NO_KIND") + HEAD.replace("mine", "third")
    with pytest.raises(ParameterError) as caught:
        load_rules(text)
    told = str(caught.value).splitlines()
    assert told[0] == "4 findings in the rules:"
    assert [line.split(", ")[1] for line in told[1:]] == ["line 9", "line 14", "line 14", "line 14"]


def test_tables_of_tables_and_what_stands_behind_the_rules_have_lines_too():
    text = "[[rule]]\nid = 'mine'\n[rule.when]\nstatuss = 418\n\n[report]\nkind = 3\nwhen = 4\n"
    layer = Layer("relkit.toml", text)
    assert (layer.line(0, "when"), layer.line(0, "id"), layer.line(0, "kind"), layer.line(1)) == (3, 2, 2, None)


def test_a_line_is_found_though_rules_are_written_in_one_line():
    text = 'rule = [{ id = "mine", kind = "NO_KIND", when = { status = 418 } }]'
    with pytest.raises(ParameterError, match="rules, rule mine: unknown kind"):
        load_rules(text)


def test_broken_toml_is_refused_with_its_line():
    with pytest.raises(ParameterError, match=r"mine.toml: .*line 2"):
        load_rules("a = 1\nnot toml", layer="mine.toml")


def test_the_hash_follows_what_decides_and_nothing_else():
    base = load_rules(TEAPOT)
    assert len(base.hash) == 12
    assert load_rules("# a word\n" + TEAPOT + "source = 'x'\nexpires = 2020-01-01").hash == base.hash
    assert load_rules(TEAPOT.replace("418", "419")).hash != base.hash
    assert load_rules(TEAPOT + "override = { alert = true }").hash != base.hash
    assert load_rules().hash == load_rules().hash


# The plan's table in TOML: its order, with what real providers send as examples. The lint finds what it got wrong.
PLAN_ORDER = """
[[rule]]
id = "400"
kind = "API_INVALID_REQUEST"
when = { status = 400 }
examples = [{ status = 400 }]
counterexamples = [{ status = 401 }]

[[rule]]
id = "context length"
kind = "MODEL_CONTEXT_LENGTH"
when = { message = { re = 'context length' } }
examples = [{ status = 400, code = "context_length_exceeded", message = "maximum context length is 8192 tokens" }]
counterexamples = [{ status = 400 }]
"""


def test_the_lint_would_have_caught_the_plans_shadowed_rules():
    with pytest.raises(ParameterError, match="rule context length: shadowed: its examples are all taken by 400"):
        load_rules(PLAN_ORDER)
