"""The plan's objectives beside the corrected ones, as the files in the room state them."""

import tomllib
from fractions import Fraction
from importlib.resources import files

import pytest

from relkit.exceptions import ParameterError
from relkit.slo import DEFAULT_EXCLUDED, NEVER_EXCLUDED, Objective, threshold_reachable


def objective(name, table):
    threshold_ms = table.get("threshold_ms")
    return Objective(
        name,
        table["target"],
        table["window_days"],
        None if threshold_ms is None else 1000 * threshold_ms,
        frozenset(table.get("exclude", DEFAULT_EXCLUDED)),
    )


def tables(name):
    return tomllib.loads(files("relkit.slo").joinpath(name).read_text("utf-8"))["objective"]


def test_the_plan_states_five_objectives():
    stated = {name: (table["target"], table.get("threshold_ms")) for name, table in tables("plan.toml").items()}
    assert stated == {
        "availability": ("0.999", None),
        "p50": ("0.5", 500),
        "p95": ("0.95", 2000),
        "p99": ("0.99", 5000),
        "success": ("0.98", None),
    }


def test_the_plans_success_rate_is_refused_because_it_hides_a_revoked_key():
    with pytest.raises(ParameterError, match="revoked key"):
        objective("success", tables("plan.toml")["success"])


def test_the_plans_alert_at_10x_can_never_fire_on_p50():
    plan = tables("plan.toml")
    assert not threshold_reachable(10, objective("p50", plan["p50"]))
    assert threshold_reachable(10, objective("availability", plan["availability"]))


def test_the_plans_two_success_rates_contradict_each_other():
    plan = tables("plan.toml")
    at_98 = 1 - Fraction(plan["success"]["target"])
    burn = at_98 / objective("availability", plan["availability"]).budget_share
    assert (burn, 30 / burn) == (20, Fraction(3, 2))


def test_the_corrected_file_has_one_availability_and_two_latency_objectives():
    fixed = [objective(name, table) for name, table in tables("plan-fixed.toml").items()]
    assert [(goal.kind, str(goal.target), goal.threshold_us) for goal in fixed] == [
        ("availability", "999/1000", None),
        ("latency", "19/20", 2_000_000),
        ("latency", "99/100", 5_000_000),
    ]
    for goal in fixed:
        assert goal.excluded == DEFAULT_EXCLUDED
        assert not goal.excluded & NEVER_EXCLUDED
        assert threshold_reachable(14.4, goal) or goal.kind == "latency"
