"""Plates of alerts tell the numbers of the backtest, and say so where there is nothing to draw."""

import numpy as np

from relkit.plates.alerts import better_plate, incidents_table, pages_plate, rules_table, scores_plate, scores_table
from relkit.slo import Minutes, Objective
from relkit.slo.alert_sets import alert_set, budget_share
from relkit.slo.backtest import backtest
from relkit.slo.incidents import Incident
from relkit.slo.optimise import BetterAlerts, better_alerts
from relkit.verdict import Verdict

GOAL = Objective("availability", "0.999")
KNOWN = [Incident(2000, 2010, "down"), Incident(4000, 4400, "<slow>")]


def grid(requests: int = 1000) -> Minutes:
    bad = np.zeros(7200, dtype=np.int64)
    bad[2000:2010] = requests
    bad[4000:4400] = min(5, requests)
    bad[6000:6005] = requests // 2
    none = np.zeros(len(bad), dtype=np.int64)
    return Minutes(0, requests - bad, bad, none, none, np.ones(len(bad), dtype=bool))


def test_the_pages_drawn_are_those_scored():
    tested = backtest([alert_set("workbook"), budget_share()], grid(), GOAL, KNOWN)
    drawn = pages_plate(grid(), tested)
    assert (drawn.values["pages"], drawn.values["true_pages"], drawn.values["told"]) == (2, 1, 1)
    assert "paged 2 times in 5 days, 1 of them on an incident; 1 of 2 incidents were told of" in drawn.caption
    assert drawn.svg == pages_plate(grid(), tested).svg


def test_incident_by_incident_the_costliest_first_and_labels_are_escaped():
    table = incidents_table(backtest([alert_set("workbook")], grid(), GOAL, KNOWN))
    assert [row[3] for row in table.rows] == ["1 min", "never"]
    assert "the costliest it missed took 4.6 % of the budget" in table.caption
    assert "<slow>" not in table._repr_mimebundle_()["text/html"]


def test_many_incidents_are_listed_by_cost_and_the_rest_is_in_the_file():
    many = [Incident(at, at + 2) for at in range(100, 7000, 300)]
    table = incidents_table(backtest([alert_set("workbook")], grid(), GOAL, many))
    assert (len(table.rows), len(table.unlisted)) == (15, 8)


def test_scores_name_the_best_and_dead_sets():
    tested = backtest([alert_set("workbook"), budget_share()], grid(), GOAL, KNOWN)
    assert "2 incidents in 5 days" in scores_plate(tested).caption
    dead = backtest([alert_set("plan-10x")], grid(), Objective("p50", "0.5"), KNOWN)
    table = scores_table(dead)
    assert "can never fire" in table.caption
    assert table.rows[0][-1] == "never fires"


def test_without_incidents_or_hours_there_is_a_sentence_and_no_picture():
    tested = backtest([alert_set("workbook")], grid(), GOAL, [])
    assert scores_plate(tested).svg == ""
    assert "nothing to tell of" in incidents_table(tested).caption
    short = grid().slice(0, 30)
    empty = backtest([alert_set("workbook")], short, GOAL, [], period_valid=1)
    assert pages_plate(short, empty).svg == ""
    nothing = grid().slice(0, 0)
    assert pages_plate(nothing, backtest([alert_set("workbook")], nothing, GOAL, period_valid=1)).svg == ""


def test_a_refusal_is_told_and_a_gain_is_drawn_with_its_interval():
    refused = better_alerts(grid(), GOAL, KNOWN)
    assert better_plate(refused).svg == ""
    known, chosen = alert_set("workbook"), budget_share()
    verdict = Verdict("tuning", "RECOMMENDED", "Take it.", 0.2, 0.1, 0.3, "F1", 0.95, 40)
    gained = BetterAlerts(verdict, chosen, known, 0.2, 0.1, 0.3, (), 700, 40, 10**6)
    drawn = better_plate(refused, gained)
    assert (drawn.values["invented_incidents_gain"], drawn.values["invented_incidents_set"]) == (0.2, chosen.name)
    assert "too few to choose alerts by" in drawn.caption


def test_the_rules_to_deploy_with_the_failures_they_need():
    tested = backtest([alert_set("pyrra", 28)], grid(), Objective("a", "0.999", 28), KNOWN)
    table = rules_table(alert_set("pyrra", 28), tested.scores[0].reach)
    assert [row[3] for row in table.rows] == ["2 min", "15 min", "60 min", "180 min"]
    assert [row[4] != "" for row in table.rows] == [True, True, False, False]  # only pages were scored
