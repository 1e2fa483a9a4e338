"""When two answers differ, and when a field is only noise."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relkit.exceptions import ParameterError
from relkit.shadow.compare import Comparison, at, compare_triple, field_counts, steps_of

JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**6), 10**6) | st.floats(-1e6, 1e6) | st.text(max_size=6),
    lambda below: st.lists(below, max_size=3) | st.dictionaries(st.text(min_size=1, max_size=4), below, max_size=3),
    max_leaves=8,
)


@given(JSON)
def test_an_answer_does_not_differ_from_itself(answer: Any) -> None:
    assert Comparison().differences(answer, answer) == ()


@given(JSON, JSON)
def test_differences_are_seen_from_both_sides(first: Any, second: Any) -> None:
    """And are there exactly when the two are not equal as JSON."""
    there, back = Comparison().differences(first, second), Comparison().differences(second, first)
    assert {each.path for each in there} == {each.path for each in back}
    mirror = {"missing": "added", "added": "missing"}
    assert {(each.path, each.kind) for each in there} == {
        (each.path, mirror.get(each.kind, each.kind)) for each in back
    }


@pytest.mark.parametrize(
    ("first", "second", "path", "kind"),
    [
        ({"a": 1}, {"a": 2}, "$.a", "value"),
        ({"a": 1}, {"a": "1"}, "$.a", "type"),
        ({"a": 1}, {"a": True}, "$.a", "type"),
        ({"a": 1}, {}, "$.a", "missing"),
        ({}, {"a": None}, "$.a", "added"),
        ({"a": [1]}, {"a": [1, 2]}, "$.a", "length"),
        ({"a": [{"b c": 1}]}, {"a": [{"b c": 2}]}, "$.a[0]['b c']", "value"),
        (1, None, "$", "type"),
    ],
)
def test_each_kind_of_difference_is_named_with_its_place(first: Any, second: Any, path: str, kind: str) -> None:
    (found,) = Comparison().differences(first, second)
    assert (found.path, found.kind) == (path, kind)


def test_what_is_ignored_cleaned_or_within_tolerance_does_not_count() -> None:
    rules = Comparison(
        ignore=("$.id", "$.items[*].seen"),
        clean={"$.text": str.casefold, "$.items[*].name": str.strip},
        tolerance={"$.items[*].price": 0.01},
        unordered=("$.tags",),
    )
    first = {"id": 1, "text": "Hi", "items": [{"seen": 1, "name": " a", "price": 100}], "tags": ["x", "y"]}
    second = {"id": 2, "text": "HI", "items": [{"seen": 2, "name": "a ", "price": 100.9}], "tags": ["y", "x"]}
    assert not rules.differs(first, second)
    second["items"] = [{"seen": 2, "name": "b", "price": 102}]
    assert [each.pattern for each in rules.differences(first, second)] == ["$.items[*].name", "$.items[*].price"]


def test_a_field_that_only_one_side_has_is_ignored_when_it_is_to_be() -> None:
    assert not Comparison(ignore=("$.id",)).differs({"id": 1}, {})


def test_cleaning_what_is_no_text_changes_nothing() -> None:
    assert not Comparison(clean={"$.a": str.casefold}).differs({"a": None}, {"a": None})


def test_answers_are_equal_when_their_actions_are() -> None:
    rules = Comparison(action="$.action")
    assert not rules.differs({"action": "book", "text": "x"}, {"action": "book", "text": "y"})
    assert rules.differs({"action": "book"}, {"action": "ask"})
    assert rules.differs({"action": "book"}, {})


def test_a_field_that_differs_from_itself_as_often_is_noise() -> None:
    """A/A/B: the clock differs everywhere, the price only in the shadow."""
    triples = [
        compare_triple(Comparison(), {"t": n, "price": 1}, {"t": n + 1, "price": 1}, {"t": n + 2, "price": 1 + n % 2})
        for n in range(10)
    ]
    price, clock = field_counts(triples)
    assert (price.path, price.only_shadow, price.only_baseline) == ("$.price", 5, 0)
    assert (clock.path, clock.only_shadow, clock.only_baseline, clock.both) == ("$.t", 0, 0, 10)
    assert all(triple.differs and triple.differs_baseline for triple in triples)


def test_paths_are_read_or_refused() -> None:
    assert steps_of("$") == ()
    assert list(at({"a": [{"b": 1}, {"c": 2}]}, "$.a[*].b")) == [1]
    assert list(at({"a": [1]}, "$.a[3]")) == []
    for wrong in ("a", "$.", "$..a", "$[x]", "$.a b"):
        with pytest.raises(ParameterError, match="path"):
            Comparison(ignore=(wrong,))
    with pytest.raises(ParameterError, match="tolerance"):
        Comparison(tolerance={"$.a": 5})
