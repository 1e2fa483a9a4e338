"""Later layers stand where they ask to, leave the earlier ones as they were, and say what they took away."""

from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from relkit.errors import Signals, classify, load_rules
from relkit.exceptions import ParameterError

BASE = load_rules()


def rule(name, status=418, **more):
    """A rule for a status no other rule of these tests is for."""
    return {
        "id": name,
        "kind": "CACHE_MISS",
        "when": {"status": status},
        "examples": [{"status": status}],
        "counterexamples": [{"status": 299}],
        **more,
    }


def order_of(rules, *names):
    ids = [found.id for found in rules.rules]
    return [ids.index(name) for name in names]


def refused(*tables, base=BASE):
    with pytest.raises(ParameterError) as caught:
        base.with_rules(*tables)
    return str(caught.value)


def test_a_new_set_has_a_hash_of_its_own_and_the_old_one_stays():
    hash_before = BASE.hash
    mine = BASE.with_rules(rule("mine"))
    assert mine.hash != hash_before == BASE.hash
    assert (len(mine.rules), len(BASE.rules)) == (len(BASE.rules) + 1, len(load_rules().rules))
    assert classify({"status": 418}, mine).rule == "mine"
    assert classify({"status": 418}, BASE).rule == "status.invalid"
    assert BASE.with_rules(rule("mine")).hash == mine.hash
    assert BASE.with_rules().hash == BASE.hash


def test_without_a_relation_the_later_layer_has_the_first_word_but_after_declared_kinds():
    mine = BASE.with_rules(rule("b"), rule("a", status=419))
    first = sum(found.id.startswith("declared.") for found in BASE.rules)
    assert [found.id for found in mine.rules[first : first + 2]] == ["b", "a"]
    assert classify({"status": 418, "code": "BOOKING_CONFLICT"}, mine).rule == "declared.booking_conflict"


def test_a_relation_places_a_rule_directly_beside_the_one_it_names():
    mine = BASE.with_rules(
        rule("x", before="status.invalid"),
        rule("y", 419, before="status.invalid"),
        rule("p", 418, after="errno.local", when={"errno": 3}, examples=[{"errno": 3}]),
        rule("q", 418, after="errno.local", when={"errno": 4}, examples=[{"errno": 4}]),
    )
    x, y, invalid, local, p, q = order_of(mine, "x", "y", "status.invalid", "errno.local", "p", "q")
    assert (y, invalid) == (x + 1, x + 2)
    assert (p, q) == (local + 1, local + 2)


def test_rules_of_one_layer_may_name_each_other_in_any_order():
    mine = BASE.with_rules(rule("late", 419, after="early"), rule("early", 418, after=["code.tls", "code.broken"]))
    tls, early, late = order_of(mine, "code.tls", "early", "late")
    assert (early, late) == (tls + 1, tls + 2)


def test_cycles_are_named():
    assert "ordering cycle among a, b" in refused(rule("a", before="b"), rule("b", 419, before="a"))
    assert "ordering cycle: before code.tls and after status.server" in refused(
        rule("a", before="code.tls", after="status.server")
    )
    assert "ordering cycle among a" in refused(rule("a", before="a"))


def test_an_unknown_relation_is_no_cycle():
    told = refused(rule("a", before="status.invald"))
    assert "did you mean status.invalid?" in told
    assert "cycle" not in told


def test_an_id_is_used_once_over_all_layers():
    told = refused(rule("status.server", 599))
    assert "duplicate id" in told
    assert 'before = "status.server"' in told
    assert "duplicate id" in refused(rule("a"), rule("a"))


def test_a_rule_behind_one_that_takes_its_examples_is_shadowed():
    assert "shadowed: its examples are all taken by status.invalid" in refused(rule("a", after="status.invalid"))
    told = refused(
        rule("a", when={"status": [418, 420]}, examples=[{"status": 418}, {"status": 420}], after="status.invalid")
    )
    assert "example 1 is taken by status.invalid" in told


def test_what_a_later_layer_takes_from_an_earlier_one_is_a_warning():
    mine = BASE.with_rules(rule("mine", 402, when={"status|code": 402}))
    (told,) = mine.warnings(date(2026, 1, 1))
    assert (told.layer, told.rule) == ("rules.toml", "status.quota")
    assert told.line == next(found.line for found in BASE.rules if found.id == "status.quota")
    assert told.text == "overridden: all its examples are taken by mine (notebook)"
    assert BASE.warnings(date(2026, 1, 1)) == ()


def test_an_expired_rule_warns_from_its_day_on_and_goes_on_deciding():
    mine = BASE.with_rules(rule("mine", expires=date(2026, 6, 30)))
    assert mine.warnings(date(2026, 6, 29)) == ()
    (told,) = mine.warnings(date(2026, 6, 30))
    assert (told.rule, "expired on 2026-06-30" in told.text) == ("mine", True)
    assert classify({"status": 418}, mine).rule == "mine"


def test_layers_stack_and_each_finding_names_its_own():
    text = '[[rule]]\nid = "shop"\n'
    project = BASE.with_rules(rule("shop", before="status.invalid"), layer="relkit.toml", text=text)
    both = project.with_rules(rule("mine", 419, before="shop"))
    assert both.layers == ("built in", "rules.toml", "relkit.toml", "notebook")
    assert [(found.layer, found.line) for found in both.rules if found.id in ("shop", "mine")] == [
        ("notebook", None),
        ("relkit.toml", 2),
    ]
    with pytest.raises(ParameterError, match=r"relkit\.toml, line 2, rule shop: unknown key wen"):
        BASE.with_rules(rule("shop", wen=1), layer="relkit.toml", text=text)


def test_a_later_layer_may_use_the_phrases_of_the_table():
    mine = BASE.with_rules(
        rule("mine", when={"message": {"phrase": "slot_taken"}}, examples=[{"message": "double booked"}])
    )
    assert mine.first(Signals(message="slot already taken"))[0].id == "mine"


def test_what_is_no_table_is_refused():
    assert "number 1" in refused("status = 418")


@settings(max_examples=50, deadline=None)  # each example checks a whole table
@given(st.permutations(["a", "b", "c", "d", "e"]), st.data())
def test_any_relations_that_some_order_keeps_are_kept(names, data):
    """Relations drawn from one order of the rules: placing must find an order that keeps all of them."""
    tables = []
    for place, name in enumerate(names):
        behind = data.draw(st.lists(st.sampled_from(names[:place]), unique=True)) if place else []
        tables.append(rule(name, 210 + place, after=behind or ["status.invalid"]))
    mine = BASE.with_rules(*data.draw(st.permutations(tables)))
    for table in tables:
        for other in table["after"]:
            first, second = order_of(mine, other, table["id"])
            assert first < second
