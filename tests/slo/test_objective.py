import dataclasses
import pickle
from fractions import Fraction

import pytest

from relkit.exceptions import ParameterError
from relkit.slo import DEFAULT_EXCLUDED, NEVER_EXCLUDED, Objective


def test_text_is_read_exactly():
    goal = Objective("availability", "0.999")
    assert goal.target == Fraction(999, 1000)
    assert goal.budget_share == Fraction(1, 1000)
    assert 1 - 0.999 != 0.001  # the reason


def test_a_float_is_refused_with_the_remedy():
    with pytest.raises(ParameterError, match=r'write it as text, e\.g\. "0\.999"'):
        Objective("availability", 0.999)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "target", ["0", "1", "1.0", "0.0", "-0.5", "99.9", "150", "nan", "", "1/0", "1e-999999999", "0.99 %"]
)
def test_targets_outside_or_unreadable_are_refused(target):
    with pytest.raises(ParameterError, match="target"):
        Objective("availability", target)


@pytest.mark.parametrize("target", [1, 0, True, None, Fraction(1), Fraction(0), Fraction(3, 2)])
def test_other_types_and_fractions_outside_are_refused(target):
    with pytest.raises(ParameterError, match="target"):
        Objective("availability", target)


def test_percent_is_answered_with_the_share_that_was_meant():
    with pytest.raises(ParameterError, match=r'"0\.999"'):
        Objective("availability", "99.9")


@pytest.mark.parametrize("kind", sorted(NEVER_EXCLUDED))
def test_a_kind_that_would_hide_an_outage_cannot_be_excluded(kind):
    with pytest.raises(ParameterError, match=r"revoked key.*rate limiting would read as 100 %"):
        Objective("availability", "0.999", excluded=frozenset({kind, "CANCELLED"}))


def test_the_default_excludes_caller_faults_only():
    assert len(DEFAULT_EXCLUDED) == 7
    assert not DEFAULT_EXCLUDED & NEVER_EXCLUDED
    assert Objective("availability", "0.999").excluded == DEFAULT_EXCLUDED


@pytest.mark.parametrize("excluded", ["CANCELLED", ["not_found"], [404], None])
def test_excluded_must_be_a_set_of_kind_names(excluded):
    with pytest.raises(ParameterError, match="excluded"):
        Objective("availability", "0.999", excluded=excluded)


def test_kind_follows_from_the_threshold():
    assert Objective("a", "0.9").kind == "availability"
    assert Objective("a", "0.9", threshold_us=2_000_000).kind == "latency"


@pytest.mark.parametrize("days", [0, -1, 1.5, True, 10**6])
def test_window_must_be_whole_days(days):
    with pytest.raises(ParameterError, match="window_days"):
        Objective("a", "0.9", window_days=days)


@pytest.mark.parametrize("threshold_us", [0, -5, 1.5, False])
def test_threshold_must_be_whole_microseconds(threshold_us):
    with pytest.raises(ParameterError, match="threshold_us"):
        Objective("a", "0.9", threshold_us=threshold_us)


@pytest.mark.parametrize("name", ["", "  ", 5])
def test_it_needs_a_name(name):
    with pytest.raises(ParameterError, match="name"):
        Objective(name, "0.9")


def test_it_is_a_frozen_value():
    goal = Objective("a", "0.999", service="m")
    assert goal == Objective("a", Fraction(999, 1000), service="m")
    assert hash(goal) == hash(pickle.loads(pickle.dumps(goal)))
    assert dataclasses.replace(goal, window_days=28).window_minutes == 40_320
    with pytest.raises(dataclasses.FrozenInstanceError):
        goal.name = "b"  # type: ignore[misc]


@pytest.mark.parametrize(
    ("target", "text"),
    [("0.5", "50 %"), ("0.999", "99.9 %"), ("0.99999", "99.999 %"), ("0.9050", "90.5 %"), ("1/3", "33.3333 %")],
)
def test_the_target_is_printed_with_the_digits_it_has(target, text):
    assert Objective("a", target).target_text == text
