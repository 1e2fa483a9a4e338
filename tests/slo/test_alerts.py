"""Alert records refuse what can mean nothing, and the named sets say what their authors wrote."""

from fractions import Fraction

import pytest

from relkit.exceptions import ParameterError
from relkit.slo import Objective
from relkit.slo.alert_sets import ALERT_SETS, alert_set, budget_share, burn_rules, exhaustion
from relkit.slo.alerts import AlertRule, AlertSet, AlertTier, span_text


@pytest.mark.parametrize(
    "wrong",
    [
        {"measure": "speed"},
        {"threshold": 14.4},
        {"threshold": "0"},
        {"threshold": "-1"},
        {"threshold": "1/0"},
        {"threshold": True},
        {"long_minutes": 0},
        {"long_minutes": 60.0},
        {"short_minutes": 61},
        {"minimum_bad": -1},
        {"level": 1.0},
    ],
)
def test_a_tier_that_means_nothing_is_refused_with_the_remedy(wrong):
    given = {"measure": "burn", "threshold": "14.4", "long_minutes": 60, "short_minutes": 5} | wrong
    with pytest.raises(ParameterError, match="is not acceptable: allowed is"):
        AlertTier(**given)


def test_rules_and_sets_need_parts_with_names_that_differ():
    tier = AlertTier("burn", 10, 60)
    rule = AlertRule("a", "page", (tier,))
    for make in (
        lambda: AlertRule("a", "shout", (tier,)),
        lambda: AlertRule("a", "page", ()),
        lambda: AlertRule(" ", "page", (tier,)),
        lambda: AlertRule("a", "page", (tier,), for_minutes=-1),
        lambda: AlertSet("s", ()),
        lambda: AlertSet("s", (rule, rule)),
        lambda: alert_set("nobody's"),
    ):
        with pytest.raises(ParameterError):
            make()


def factors(name, days):
    return [float(tier.threshold) for rule in alert_set(name, days) for tier in rule.tiers]


def test_named_sets_are_the_published_tables():
    assert factors("workbook", 30) == [14.4, 6, 1]
    assert factors("workbook-code", 30) == [14.4, 6, 3, 1]
    assert factors("sloth", 28) == pytest.approx([13.44, 5.6, 2.8, 0.9333333], rel=1e-6)
    assert factors("pyrra", 28) == [14, 7, 2, 1]
    assert [rule.for_minutes for rule in alert_set("k8s-mixin", 28)] == [2, 15, 60, 180]
    assert [rule.windows for rule in alert_set("pyrra", 7)] == [(15, 1), (90, 8), (360, 30), (1440, 90)]
    assert factors("slo-generator", 28) == [9, 3, 1.5, 1]
    assert factors("slo-computer", 30) == [10, 2]
    assert factors("plan-10x", 30) == [10]


def test_the_workbook_tiers_spend_2_5_and_10_percent_whatever_the_window():
    for days in (7, 28, 30, 90):
        tiers = [tier for rule in alert_set("workbook", days) for tier in rule.tiers]
        assert [tier.spent_share(days) for tier in tiers] == [Fraction(2, 100), Fraction(5, 100), Fraction(10, 100)]


@pytest.mark.parametrize(("factor", "target"), [("14.4", "0.9306"), (10, "0.9"), (6, "0.8334"), (3, "0.6667")])
def test_a_burn_at_or_over_one_over_the_budget_can_never_fire(factor, target):
    """Beyond the least reachable target by a hair it can, at it or below it cannot."""
    tier = AlertTier("burn", factor, 60, 5)
    edge = 1 - 1 / tier.threshold
    assert not tier.is_reachable(Objective("edge", edge))
    assert tier.is_reachable(Objective("above", edge + Fraction(1, 10**9)))
    assert tier.is_reachable(Objective("round", target)) == (Fraction(target) > edge)


def test_simple_sets_count_fewer_conditions():
    assert budget_share().conditions < alert_set("workbook").conditions < alert_set("pyrra").conditions
    assert burn_rules("m", [("page", 60, 5, 10)], minimum_bad=3).conditions == 3
    assert exhaustion().windows == (60, 5)


def test_every_name_makes_a_set():
    assert {alert_set(name, 28).name for name in ALERT_SETS} == set(ALERT_SETS)
    assert [span_text(minutes) for minutes in (5, 60, 90, 4320)] == ["5m", "1h", "90m", "3d"]
