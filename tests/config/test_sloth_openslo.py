"""What is written for Sloth and OpenSLO: the numbers of their own files, and a refusal of what they cannot say."""

from fractions import Fraction

import pytest
import yaml

from relkit.config.openslo import openslo_spec
from relkit.config.prometheus import Counters
from relkit.config.sloth import sloth_spec
from relkit.exceptions import ParameterError
from relkit.slo import Objective
from relkit.slo.alert_sets import ALERT_SETS, alert_set, budget_share, burn_rules

GOAL = Objective("Availability", "0.999")


def test_sloths_own_30_days_are_written_as_its_catalogue_has_them():
    """slok/sloth, internal/alert/windows/google-30d.yaml."""
    spec, windows = yaml.safe_load_all(sloth_spec(alert_set("sloth"), GOAL, Counters("myservice")))
    assert windows["spec"] == {
        "sloPeriod": "30d",
        "page": {"quick": {"errorBudgetPercent": 2, "shortWindow": "5m", "longWindow": "1h"},
                 "slow": {"errorBudgetPercent": 5, "shortWindow": "30m", "longWindow": "6h"}},
        "ticket": {"quick": {"errorBudgetPercent": 10, "shortWindow": "2h", "longWindow": "1d"},
                   "slow": {"errorBudgetPercent": 10, "shortWindow": "6h", "longWindow": "3d"}},
    }  # fmt: skip
    assert (spec["version"], spec["service"], spec["slos"][0]["objective"]) == ("prometheus/v1", "myservice", 99.9)
    events = spec["slos"][0]["sli"]["events"]
    assert events["error_query"] == "sum(rate(requests_bad_total[{{.window}}]))"


@pytest.mark.parametrize("days", [7, 28, 30, 90])
def test_the_factor_that_sloth_derives_is_the_alerts_own(days):
    """Its getBurnRateFactor: percent / 100 x period / long window."""
    goal, alerts = Objective("a", "0.9995", window_days=days), alert_set("sloth", days)
    windows = list(yaml.safe_load_all(sloth_spec(alerts, goal)))[1]["spec"]
    for rule in alerts:
        for speed, tier in zip(("quick", "slow"), rule.tiers, strict=True):
            percent = Fraction(str(windows[rule.severity][speed]["errorBudgetPercent"]))
            factor = percent / 100 * days * 1440 / tier.long_minutes
            assert float(factor) == pytest.approx(float(tier.threshold), rel=1e-12)


@pytest.mark.parametrize(
    ("alerts", "why"),
    [
        (alert_set("workbook"), "1 tiers of severity ticket"),
        (alert_set("pyrra", 28), "waits"),
        (alert_set("slo-generator"), "single window"),
        (budget_share(), "1 tiers"),
        (burn_rules("few", [("page", 60, 5, 14), ("page", 360, 30, 6), ("ticket", 1440, 120, 3), ("ticket", 4320, 360, 1)], minimum_bad=3), "the burn alone"),
    ],
)  # fmt: skip
def test_what_sloth_cannot_say_is_refused_with_the_reason(alerts, why):
    with pytest.raises(ParameterError, match=why):
        sloth_spec(alerts, GOAL)


def test_sloth_takes_neither_slices_nor_a_calendar():
    with pytest.raises(ParameterError, match="calendar"):
        sloth_spec(alert_set("sloth"), Objective("a", "0.999", calendar="month"))
    with pytest.raises(ParameterError, match="slices"):
        sloth_spec(alert_set("sloth"), Objective("a", "0.999", method="ratio_time_slices"))


def test_openslo_gets_one_policy_and_one_condition_a_tier_and_says_what_got_lost():
    text = openslo_spec(alert_set("workbook"), GOAL, Counters("shop"))
    slo, *rest = yaml.safe_load_all(text)
    policies, conditions = rest[::2], rest[1::2]
    assert [entry["alertPolicyRef"] for entry in slo["spec"]["alertPolicies"]] == [
        one["metadata"]["name"] for one in policies
    ]
    assert all(len(one["spec"]["conditions"]) == 1 for one in policies)
    assert [one["spec"]["condition"]["threshold"] for one in conditions] == [14.4, 6.0, 1.0]
    assert [one["spec"]["condition"]["lookbackWindow"] for one in conditions] == ["1h", "6h", "3d"]
    assert [one["spec"]["severity"] for one in conditions] == ["page", "page", "ticket"]
    assert text.count("# Lost: the window of") == 3
    assert (slo["spec"]["budgetingMethod"], slo["spec"]["objectives"][0]["target"]) == ("Occurrences", 0.999)
    assert slo["spec"]["indicator"]["spec"]["ratioMetric"].keys() == {"counter", "bad", "total"}


def test_openslo_says_slices_and_the_calendar():
    goal = Objective("minutes", "0.99", method="time_slices", slice_minutes=5, slice_target="0.95", calendar="month")
    slo = next(yaml.safe_load_all(openslo_spec(alert_set("workbook"), goal, zone="Europe/Paris")))["spec"]
    start = {"startTime": "2024-01-01 00:00:00", "timeZone": "Europe/Paris"}
    assert slo["timeWindow"] == [{"duration": "1M", "isRolling": False, "calendar": start}]
    assert slo["budgetingMethod"] == "Timeslices"
    assert slo["objectives"][0] == {
        "displayName": "minutes",
        "target": 0.99,
        "timeSliceTarget": 0.95,
        "timeSliceWindow": "5m",
    }


def test_openslo_refuses_what_is_no_burn_rate():
    with pytest.raises(ParameterError, match="no other kind"):
        openslo_spec(budget_share(), GOAL)


@pytest.mark.parametrize("name", ALERT_SETS)
def test_every_document_of_every_set_by_name_is_complete(name):
    for document in yaml.safe_load_all(openslo_spec(alert_set(name), GOAL)):
        assert document["apiVersion"] == "openslo/v1"
        assert document["metadata"]["name"]
        assert document["kind"] in {"SLO", "AlertPolicy", "AlertCondition"}
