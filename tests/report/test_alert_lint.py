"""The lint of a relkit.toml against its log: objectives, alerts and signal, each finding under its objective."""

import pytest

from relkit.exceptions import ParameterError
from relkit.report.lint import alert_findings

PLAN = """
[objective.availability]
target = "0.999"
[objective.success]
target = "0.98"
[objective.p50]
target = "0.5"
threshold_ms = 500
"""


@pytest.fixture
def plan(tmp_path):
    path = tmp_path / "relkit.toml"
    path.write_text(PLAN, encoding="utf-8")
    return path


def test_the_plans_objectives_contradict_and_its_alert_cannot_fire_on_a_median(demo_database, plan):
    found = alert_findings(demo_database, "2026-W47", plan, "plan-10x")
    assert [(one.code, one.value) for one in found if one.severity == "error"] == [
        ("CONTRADICTION", 20.0),
        ("UNREACHABLE", 10.0),
    ]
    assert next(one for one in found if one.code == "UNREACHABLE").where.startswith("p50: BudgetBurnPage")


def test_a_signal_that_is_not_in_the_log_is_named_and_not_taken_for_good(demo_database, plan):
    plan.write_text('[objective.other]\ntarget = "0.999"\nservice = "nobody"\n', encoding="utf-8")
    found = alert_findings(demo_database, "2026-W47", plan)
    assert (found[0].code, found[0].severity) == ("DEAD_SIGNAL", "error")


def test_retention_counts_and_an_unknown_alert_set_is_refused(demo_database, plan):
    found = alert_findings(demo_database, "2026-W47", plan, "slo-generator", retention_days=15)
    assert {one.code for one in found} >= {"BEYOND_RETENTION", "CONTRADICTION"}
    with pytest.raises(ParameterError, match="plan-10x"):
        alert_findings(demo_database, "2026-W47", plan, "mine")
