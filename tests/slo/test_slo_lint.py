"""The lint of alerts and objectives: each finding where its rule says so, and nowhere else."""

import math
from fractions import Fraction

import numpy as np
import pytest

from relkit.exceptions import ParameterError
from relkit.slo import Minutes, Objective
from relkit.slo.alert_sets import ALERT_SETS, alert_set, budget_share, burn_rules
from relkit.slo.alerts import AlertRule, AlertSet, AlertTier
from relkit.slo.firing import fire
from relkit.slo.lint import errors_to_fire, lint_alerts, lint_log, lint_objectives
from relkit.verdict import Finding

GOAL = Objective("availability", "0.999")
MILLION = 1_000_000


def codes(findings):
    return sorted({finding.code for finding in findings})


def flat(minutes, valid, bad=0):
    none = np.zeros(minutes, dtype=np.int64)
    return Minutes(0, none + valid - bad, none + bad, none, none, np.ones(minutes, dtype=bool))


@pytest.mark.parametrize(("factor", "most"), [("14.4", "0.9305"), ("10", "0.9"), ("6", "0.8333"), ("3", "0.6666")])
def test_a_factor_at_or_over_one_over_the_budget_can_never_fire(factor, most):
    """14.4 needs more than 93.06 %, 10 more than 90 %, 6 more than 83.33 %, 3 more than 66.67 %."""
    rule = burn_rules("one", [("page", 60, 5, factor), ("ticket", 360, 30, "1")])
    assert "UNREACHABLE" in codes(lint_alerts(rule, Objective("a", most), MILLION))
    just = Fraction(most) + Fraction(2, 10_000)
    assert "UNREACHABLE" not in codes(lint_alerts(rule, Objective("a", just), MILLION))


def test_what_the_lint_calls_unreachable_stays_silent_in_a_total_outage_and_nothing_else_does():
    for target in ("0.5", "0.7", "0.85", "0.9", "0.93", "0.94", "0.99"):
        goal = Objective("a", target)
        for factor in ("1", "3", "6", "10", "14.4"):
            rule = burn_rules("one", [("page", 60, 5, factor)])
            said = "UNREACHABLE" in codes(lint_alerts(rule, goal, 10**9))
            assert said == (not fire(rule, flat(200, 100, bad=100), goal).pages), (target, factor)


def test_the_plans_median_objective_can_burn_at_two_at_most():
    found = lint_alerts(alert_set("plan-10x"), Objective("p50", "0.5", threshold_us=500_000), MILLION)
    assert (found[0].code, found[0].severity, found[0].value, found[0].threshold) == ("UNREACHABLE", "error", 10.0, 2.0)


TIERS = (
    AlertTier("burn", "14.4", 60, 5),
    AlertTier("burn", 1, 4320, 360),
    AlertTier("budget_share", "0.02", 60, 5),
    AlertTier("burn", 6, 360, 30, 5),
    AlertTier("burn_lower", 6, 60, 5),
    AlertTier("hours_left", 24, 60, 5),
)


@pytest.mark.parametrize("tier", TIERS)
@pytest.mark.parametrize("month", [43_200, 432_000, 4_320_000])
def test_as_many_errors_as_it_says_fire_it_and_one_less_does_not(tier, month):
    """All in the last minutes of a full long window at mean traffic, so that the short window is over as well."""
    needed = errors_to_fire(tier, GOAL, month)
    alerts = AlertSet("one", (AlertRule("Page", "page", (tier,)),))
    each = month // 43_200
    for errors, fires in ((needed, True), (needed - 1, False)):
        log = flat(tier.long_minutes, each)
        bad = log.bad.copy()
        place = tier.long_minutes - 1
        left = errors
        while left:
            bad[place] = min(left, each)
            left -= int(bad[place])
            place -= 1
        hit = Minutes(0, log.valid - bad, bad, log.excluded, log.unknown, log.covered)
        last = [span for span in fire(alerts, hit, GOAL, period_valid=month).pages if span[1] == tier.long_minutes]
        assert bool(last) == fires, errors


def test_too_few_errors_are_named_with_their_number():
    found = [one for one in lint_alerts(alert_set("workbook"), GOAL, 10_000) if one.code == "FEW_ERRORS"]
    assert [one.value for one in found] == [1, 1, 2]  # 14.4x 1h, 6x 6h, 1x 3d
    assert "FEW_ERRORS" not in codes(lint_alerts(alert_set("workbook"), GOAL, MILLION))
    assert "FEW_ERRORS" not in codes(lint_alerts(budget_share(minimum_bad=3), GOAL, 10_000))


def test_for_that_outlasts_the_short_window_hides_a_short_outage():
    tier = AlertTier("burn", "14.4", 60, 5)
    patient = AlertSet("patient", (AlertRule("Page", "page", (tier,), for_minutes=15),))
    assert "FOR_OVER_SHORT" in codes(lint_alerts(patient, GOAL, MILLION))
    log = flat(400, 1000)
    bad = log.bad.copy()
    bad[200:205] = 1000  # five minutes of nothing
    hit = Minutes(0, log.valid - bad, bad, log.excluded, log.unknown, log.covered)
    assert fire(patient, hit, GOAL).pages == []
    assert "FOR_OVER_SHORT" not in codes(lint_alerts(alert_set("pyrra", 28), GOAL, MILLION))


def test_windows_beyond_retention_and_beyond_the_objective():
    fifteen = lint_alerts(alert_set("slo-generator"), GOAL, MILLION, retention_days=15)
    assert [one.value for one in fifteen if one.code == "BEYOND_RETENTION"] == [28.0]
    assert "BEYOND_RETENTION" not in codes(lint_alerts(alert_set("slo-generator"), GOAL, MILLION))
    week = Objective("a", "0.999", window_days=7)
    assert "BEYOND_WINDOW" in codes(lint_alerts(alert_set("slo-generator"), week, MILLION))


def test_the_plan_has_no_slow_tier_and_a_single_window():
    found = lint_alerts(alert_set("plan-10x"), GOAL, MILLION)
    assert codes(found) == ["NO_SLOW_TIER", "SLOW_RESET"]
    assert "72 h" in next(one.sentence for one in found if one.code == "NO_SLOW_TIER")


@pytest.mark.parametrize("name", ["workbook", "workbook-code", "sloth", "k8s-mixin"])
def test_the_fields_tables_are_clean_at_a_million_requests_and_999(name):
    assert lint_alerts(alert_set(name), GOAL, MILLION, retention_days=30) == []


def test_every_set_and_target_gives_finite_findings_that_can_be_written_down():
    for name in ALERT_SETS:
        for target in ("0.01", "0.5", "0.999", "0.999999"):
            for month in (1, 10_000, 10**9):
                for found in lint_alerts(alert_set(name), Objective("a", target), month, retention_days=0.5):
                    record = found.record()
                    assert all(math.isfinite(record[key]) for key in ("value", "threshold")), found
                    assert found.sentence
                    assert found.where


def test_objectives_that_contradict_and_those_that_do_not():
    plan = [GOAL, Objective("success", "0.98")]
    found = lint_objectives(plan)
    assert (codes(found), found[0].value, found[0].severity) == (["CONTRADICTION"], 20.0, "error")
    assert "1.5 days" in found[0].sentence
    percentiles = [
        Objective(f"p{share}", f"0.{share}", threshold_us=ms * 1000)
        for share, ms in (("50", 500), ("95", 2000), ("99", 5000))
    ]
    assert lint_objectives(percentiles) == []
    assert lint_objectives([GOAL, Objective("fast", "0.95", threshold_us=1)]) == []
    apart = [Objective("a", "0.999", service="api"), Objective("b", "0.98", service="web")]
    assert lint_objectives(apart) == []
    # The stricter one leaves out what the looser one may spend all of its failures on
    narrow = Objective("narrow", "0.999", excluded={"API_NOT_FOUND"})
    assert lint_objectives([narrow, Objective("wide", "0.98", excluded=frozenset())]) == []
    backwards = [Objective("slow", "0.99", threshold_us=500), Objective("fast", "0.9", threshold_us=900)]
    assert codes(lint_objectives(backwards)) == ["CONTRADICTION"]


def test_a_dead_signal_is_an_error_and_missing_minutes_are_said():
    alerts = alert_set("plan-10x")
    assert codes(lint_log(alerts, flat(100, 0), GOAL)) == ["DEAD_SIGNAL"]
    assert codes(lint_log(alerts, flat(100, 9, bad=9), GOAL)) == ["DEAD_SIGNAL"]
    assert codes(lint_log(alerts, flat(100, 9), GOAL)) == ["NEVER_BAD"]
    assert codes(lint_log(alerts, flat(59, 9, bad=1), GOAL)) == ["BEYOND_LOG"]
    there = np.ones(100, dtype=bool)
    there[20:26] = False
    none = np.zeros(100, dtype=np.int64)
    gappy = Minutes(0, np.where(there, 8, 0), np.where(there, 1, 0), none, none, there)
    assert codes(lint_log(alerts, gappy, GOAL)) == ["GAPS"]


def test_a_finding_refuses_a_severity_it_does_not_know():
    with pytest.raises(ParameterError, match="error, warning, note"):
        Finding("X", "bad", "sentence")
