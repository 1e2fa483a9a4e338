"""The table of rules is checked on loading, its examples hold, and SQL could run it."""

import duckdb
import pytest

from relkit.errors import ErrorKind, Signals, load_rules, read_signals
from relkit.errors.rules import _compiled
from relkit.exceptions import ParameterError

RULES = load_rules()
BY_ID = {rule.id: rule for rule in RULES.rules}
HEAD = '[[rule]]\nid = "mine"\nkind = "UNKNOWN"\n'


@pytest.mark.parametrize("rule", RULES.rules, ids=lambda rule: rule.id)
def test_every_example_is_won_by_its_own_rule(rule):
    assert rule.examples, "a rule without an example proves nothing"
    for row in rule.examples:
        signals = read_signals(row)
        assert rule.match(signals) is not None, row
        assert RULES.first(signals)[0].id == rule.id, row


@pytest.mark.parametrize("rule", [rule for rule in RULES.rules if rule.counterexamples], ids=lambda rule: rule.id)
def test_no_counterexample_matches_its_rule(rule):
    for row in rule.counterexamples:
        assert rule.match(read_signals(row)) is None, row


@pytest.mark.parametrize("rule", RULES.rules, ids=lambda rule: rule.id)
def test_every_rule_says_what_justifies_it(rule):
    assert rule.source


def test_every_kind_is_declared_but_unknown_which_says_nothing():
    declared = {rule.kind for rule in RULES.rules if rule.id.startswith("declared.")}
    assert declared == set(ErrorKind) - {ErrorKind.UNKNOWN}
    assert RULES.first(Signals(status=500, code="UNKNOWN"))[0].kind is ErrorKind.API_SERVER_ERROR


def test_every_status_from_400_to_599_has_a_rule():
    assert all(RULES.first(Signals(status=status)) for status in range(400, 600))


def test_a_rule_may_take_the_retry_of_its_kind_away():
    rule = BY_ID["limit.too_large_429"]
    assert rule.kind is ErrorKind.API_RATE_LIMIT
    assert (rule.advice.retryable, rule.advice.max_retries) == (False, 0)


def test_a_rule_may_give_retries_back_to_the_policy():
    text = HEAD + "when = { status = 418 }\noverride = { retryable = true }"
    assert load_rules(text).rules[-1].advice.max_retries is None


@pytest.mark.parametrize(
    ("text", "named"),
    [
        (HEAD + "when = { status = 1 }\nretry = true", "retry"),
        (HEAD.replace("UNKNOWN", "NETWORK_TIMEUOT") + "when = { status = 1 }", "NETWORK_TIMEUOT"),
        (HEAD + "when = { statuscode = 1 }", "statuscode"),
        (HEAD + "when = {}", "when"),
        (HEAD + "when = { status = [] }", "status"),
        (HEAD + "when = { status = true }", "status"),
        (HEAD + "when = { code = { between = [1, 2] } }", "code"),
        (HEAD + "when = { status = { between = [5, 2] } }", "status"),
        (HEAD + "when = { message = { re = '(a' } }", "regular expression"),
        (HEAD + "when = { message = { re = '(?=a)' } }", "(?="),
        (HEAD + "when = { message = { re = '(?<!a)b' } }", "(?<"),
        (HEAD + "when = { message = { re = '(a)\\1' } }", "\\1"),
        (HEAD + "when = { message = { re = '\\d+' } }", "[0-9]"),
        (HEAD + "when = { message = { re = 'a++' } }", "++"),
        (HEAD + "when = { message = { re = 'a{,3}' } }", "{,"),
        (HEAD + "when = { message = { phrase = 'none' } }", "none"),
        (HEAD + "when = { status = 1 }\noverride = { retryable = 1 }", "retryable"),
        (HEAD + "when = { status = 1 }\noverride = { sli = 'good' }", "sli"),
        (HEAD + "when = { status = 1 }\noverride = { severity = 'awful' }", "awful"),
        (HEAD + "when = { status = 1 }\nexamples = [{ statuscode = 1 }]", "statuscode"),
        (HEAD + "when = { status = 1 }\n" + HEAD + "when = { status = 2 }", "one rule per id"),
    ],
)
def test_what_is_not_acceptable_is_refused_with_the_id_of_the_rule(text, named):
    with pytest.raises(ParameterError) as caught:
        load_rules(text)
    assert named in str(caught.value)
    assert "mine" in str(caught.value)


def test_other_trouble_is_refused_too():
    for text in ("not toml", '[[rule]]\nkind = "UNKNOWN"', "rules = 1", "[phrases]\na = '('"):
        with pytest.raises(ParameterError):
            load_rules(text)


def test_the_hash_follows_what_decides_and_nothing_else():
    base = load_rules(HEAD + "when = { status = 1 }")
    assert len(base.hash) == 12
    assert load_rules("# a word\n" + HEAD + "when = { status = 1 }\nsource = 'x'").hash == base.hash
    assert load_rules(HEAD + "when = { status = 2 }").hash != base.hash
    assert load_rules(HEAD + "when = { status = 1 }\noverride = { alert = true }").hash != base.hash
    assert load_rules().hash == load_rules().hash


def test_duckdb_matches_every_regex_as_python_does():
    """Each regex of the table against every example and counterexample of the table."""
    regexes = sorted({c.regex for rule in RULES.rules for c in rule.when if c.op == "re"})
    texts = sorted(
        {
            str(value)
            for rule in RULES.rules
            for row in (*rule.examples, *rule.counterexamples)
            for value in (
                getattr(read_signals(row), name)
                for name in ("exception_type", "code", "message", "sqlstate", "db_code")
            )
            if value is not None
        }
        | {"", "a\nb per\nday current quota", "ÀÉ", "x" * 500}
    )
    with duckdb.connect() as con:
        for regex in regexes:
            quoted = regex.replace("'", "''")
            query = f"select regexp_matches(t, '{quoted}', 'is') from (select unnest($texts) as t)"
            found = [row[0] for row in con.execute(query, {"texts": texts}).fetchall()]
            assert found == [bool(_compiled(regex).search(text)) for text in texts], regex
