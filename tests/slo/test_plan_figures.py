"""The plan's figures on objectives and cost: each equals what the reference works out."""

import tomllib
from pathlib import Path

import pytest

from relkit.slo import plan_costs
from relkit.slo.plan_figures import alert_at, plan_figures, retry_calls

FIGURES = {figure.id: figure.values for figure in plan_figures()}
DEFECTS = Path(__file__).parents[2] / "docs" / "plan_defects.toml"


@pytest.mark.parametrize(
    ("defect", "key", "value"),
    [
        ("O01", "minutes_30", 43.2),
        ("O01", "minutes_28", 40.32),
        ("O01", "minutes_31", 44.64),
        ("O02", "errors", 1000),
        ("O02", "hours", 720),
        ("O03", "burn", 20),
        ("O03", "days", 1.5),
        ("O04", "left_out", 885 / 900),
        ("O04", "counted_good", 0.985),
        ("O05", "burn_attempts", 100),
        ("O05", "burn_requests", 0.1),
        ("O06", "fires_s", 36),
        ("O06", "spent_share", 1 / 72),
        ("O06", "stays_minutes", 59.4),
        ("O07", "hours", 80),
        ("O08", "most_burn_p50", 2),
        ("O08", "errors_98", 0.2),
        ("O09", "requests_a_day", 333),
        ("O10", "waits_s", 65),
        ("O11", "missing", 5),
        ("S04", "burn", 50),
        ("S04", "requests_first_step", 100 / 36),
    ],
)
def test_the_figure_is_the_one_worked_out(defect, key, value):
    assert FIGURES[defect][key] == pytest.approx(value, rel=1e-12)


def test_there_are_twelve_and_each_is_a_listed_defect():
    ids = {row["id"] for row in tomllib.loads(DEFECTS.read_text(encoding="utf-8"))["defect"]}
    assert len(FIGURES) == 12
    assert {*FIGURES, *(line.id for line in plan_costs())} <= ids


def test_the_three_lines_fit_a_million_requests_and_not_ten_thousand():
    at = {line.name: [round(float(usd), 3) for usd in line.usd] for line in plan_costs()}
    assert at["retries"] == [0.039, 3.9]
    assert at["shadow, one week"] == [0.303, 30.333]
    assert at["first month"] == [0.342, 34.233]


def test_retries_that_may_fail_again_cost_a_little_more():
    assert float(retry_calls(10_000, again=True)) * 0.000130 == pytest.approx(0.0402, abs=5e-5)


def test_an_alert_that_is_not_exceeded_never_fires():
    from relkit.slo import Objective  # noqa: PLC0415

    assert alert_at(10, 60, Objective("a", "0.999"), 10) is None
