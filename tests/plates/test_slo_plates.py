"""Plates and tables of the SLO page: captions carry the numbers, and what is not known is said."""

from dataclasses import replace

import numpy as np
import pytest

from relkit.plates.slo import (
    budget_plate,
    cost_table,
    exclusions_table,
    levels_table,
    objective_text,
    objectives_table,
    outlook_plate,
    plan_cost_table,
    policy_table,
)
from relkit.prices import Use
from relkit.slo import (
    CostCell,
    Exclusion,
    Goal,
    Levels,
    Minutes,
    Objective,
    Totals,
    cost_of,
    error_budget,
    in_slices,
    leave_out,
    plan_costs,
    policy_clauses,
    verdict,
)
from relkit.slo.forecast import forecast

DAY = 1440
GOAL = Objective("availability", "0.99", window_days=4)


def log(days: int, bad: int = 0, at: int = 0) -> Minutes:
    wrong = np.zeros(days * DAY, dtype=np.int64)
    wrong[at : at + 60] = bad
    none = np.zeros(days * DAY, dtype=np.int64)
    return Minutes(0, 100 - wrong, wrong, none, none, np.ones(days * DAY, dtype=bool))


@pytest.mark.parametrize(
    ("settings", "text"),
    [
        ({}, "99 % succeed"),
        ({"threshold_us": 2_000_000}, "99 % within 2 s"),
        ({"method": "time_slices", "slice_target": "0.95"}, "99 % of slices of 60 s have 95 % succeed"),
        (
            {"method": "time_slices", "slice_target": "1", "slice_minutes": 60},
            "99 % of slices of 60 min have 100 % succeed",
        ),
        ({"method": "ratio_time_slices"}, "99 % succeed, mean of slices of 60 s"),
    ],
)
def test_the_promise_of_every_kind_is_a_phrase(settings: dict[str, object], text: str) -> None:
    assert objective_text(Objective("a", "0.99", **settings)) == text  # type: ignore[arg-type]


def test_the_outlook_says_what_will_be_left_with_its_band_and_how_the_last_band_did() -> None:
    ahead = forecast(log(2, bad=5), GOAL, 4 * DAY, draws=200)
    drawn = outlook_plate(ahead, ahead, 0.97)
    assert drawn.svg
    assert f"{100 * ahead.left:.0f} % of the budget will be left (95 % band" in drawn.caption  # type: ignore[operator]
    assert "It became 97 %" in drawn.caption
    assert drawn.values["met_share"] == ahead.met_share


def test_a_log_that_is_too_short_has_no_outlook_and_says_so() -> None:
    short = forecast(log(2).slice(0, 600), GOAL, 4 * DAY)
    for ahead in (None, short):
        drawn = outlook_plate(ahead, None, None)
        assert (drawn.svg, "cannot be told" in drawn.caption) == ("", True)


def test_an_overdrawn_budget_is_told_as_spent() -> None:
    ahead = forecast(log(2, bad=100), GOAL, 4 * DAY, draws=200)
    caption = outlook_plate(ahead, None, None).caption
    assert "of the budget will be spent" in caption
    assert "Nothing is left now." in caption


def test_every_objective_stands_with_and_without_what_was_left_out() -> None:
    whole, drill = log(2, bad=100), Exclusion(0, 3_600_000_000, "drill", "ops")
    minutes = leave_out(whole, [drill])
    budget, with_all = error_budget(GOAL, minutes), error_budget(GOAL, whole)
    goal = Goal(GOAL, minutes, budget, budget, verdict(budget), (drill,), with_all)
    table = exclusions_table([goal], "UTC")
    assert table.rows[0][3] == "drill (ops)"
    assert table.rows[1][:3] == ("availability", "100 %", "none (208 % spent)")
    assert exclusions_table([replace(goal, exclusions=(), budget_with_all=None)], "UTC").values == {"exclusions": 0}


def test_budgets_on_slices_count_slices() -> None:
    goal = Objective("minutes", "0.9", 4, method="time_slices", slice_target="0.95")
    minutes = in_slices(log(2, bad=10), goal)
    assert budget_plate(minutes, goal).caption.startswith("60 bad slices of 60 s against 288 allowed: 21 %")
    budget = error_budget(goal, minutes)
    table = objectives_table([Goal(goal, minutes, budget, budget, verdict(budget))])
    assert table.rows[0][4:6] == ("60", "288")


def test_without_a_request_the_levels_are_unknown() -> None:
    table = levels_table(Levels(Totals(0, 0, 0, 0), 0, Totals(0, 0, 0, 0), 0), GOAL)
    assert "neither level can be told" in table.caption
    assert table.values["requests_burn"] is None


def test_the_policy_names_the_clauses_that_apply() -> None:
    clauses = policy_clauses(log(28, bad=90), Objective("a", "0.998"))
    assert [clause.fired for clause in clauses] == [False, True, None]
    assert "1 clause applies: postmortem" in policy_table(clauses).caption
    assert policy_table(()).rows == (("none can be asked", "unknown", "no data"),)


def test_the_bill_names_what_it_does_not_know() -> None:
    cells = [CostCell(day, "first tries", Use("groq", "m", 100, 90, 10_800)) for day in range(4)]
    bill = cost_of(cells, dict.fromkeys(range(4), 90), {})
    assert "1 000 successful answers cost $0.12 (95 % interval $0.12 to $0.12, by 4 days)." in cost_table(
        bill
    ).caption.replace("\u202f", " ")
    assert "40 calls tell no cost" in cost_table(bill).caption
    assert "unknown" in cost_table(cost_of([], {}, {})).caption
    rows = plan_cost_table(plan_costs(), bill).rows
    assert rows[0][2:4] == ("$0.039", "$3.90")
    assert rows[-1][2:4] == ("$1.20", "$120.00")
