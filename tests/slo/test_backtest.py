"""The backtest says of each alert set what happened, incident by incident, and what cannot happen."""

import numpy as np
import pytest
from invented_months import DAY, GOAL, history

from relkit.exceptions import ParameterError
from relkit.slo import Minutes, Objective
from relkit.slo.alert_sets import alert_set, budget_share, burn_rules
from relkit.slo.backtest import backtest
from relkit.slo.incidents import Incident, split_by_share

SETS = [alert_set("workbook"), alert_set("plan-10x"), budget_share()]


def grid_with(*stretches, days=5, requests=1000):
    bad = np.zeros(days * DAY, dtype=np.int64)
    for start, end, failing in stretches:
        bad[start:end] = failing
    none = np.zeros(len(bad), dtype=np.int64)
    return Minutes(0, requests - bad, bad, none, none, np.ones(len(bad), dtype=bool))


def test_incident_by_incident():
    grid = grid_with((2000, 2010, 1000), (4000, 4400, 5))  # a total outage; a burn of 5 that no page tier is under
    done = backtest([alert_set("workbook")], grid, GOAL, [Incident(2000, 2010, "down"), Incident(4000, 4400, "slow")])
    down, slow = done.outcomes_of("workbook")
    assert (down.told_minute, down.delay_minutes, down.told_by) == (2000, 1.0, "burn > 14.4 over 1h and 5m")
    assert down.reset_minutes == 30.0
    assert down.budget_when_told == pytest.approx(1000 / (0.001 * 43_200_000))
    assert (slow.told_minute, slow.told_by, slow.budget_when_told, slow.reset_minutes) == (None, "", None, None)
    score = done.of("workbook")
    assert (score.alerts, score.true_alerts, score.precision, score.recall) == (1, 1, 1.0, 0.5)
    assert score.worst_untold == pytest.approx(2000 / 43_200)
    assert score.healthy_minutes == 29
    assert (score.delay_p50, score.delay_p90) == (1.0, None)
    assert score.per_week == pytest.approx(7 / 5)


def test_minor_trouble_makes_an_alert_false_but_not_the_minutes_healthy():
    grid = grid_with((2000, 2010, 1000))
    done = backtest(SETS, grid, GOAL, [], minor=[Incident(2000, 2010)])
    score = done.of("workbook")
    assert (score.alerts, score.true_alerts, score.precision, score.recall, score.f1) == (1, 0, 0.0, None, None)
    assert score.healthy_minutes == 29


def test_reach_tells_dead_tiers_and_the_failures_a_quiet_hour_needs():
    grid = grid_with(requests=10)
    dead = backtest([alert_set("plan-10x")], grid, Objective("p50", "0.5"), []).scores[0]
    assert (dead.reach[0].is_reachable, dead.errors_needed) == (False, None)
    alive = backtest([alert_set("workbook")], grid, GOAL, []).scores[0]
    assert [one.errors_needed for one in alive.reach] == [9, 22]  # of 600 and 3,600 requests
    assert (
        backtest([burn_rules("m", [("page", 60, 5, "14.4")], minimum_bad=20)], grid, GOAL, []).scores[0].errors_needed
        == 20
    )


def test_a_breaker_can_hide_the_page():
    """The same incident with and without a breaker, as two series: open, it answers from elsewhere and failures stay few."""
    raw = grid_with((2000, 2060, 300))
    behind = grid_with((2000, 2002, 300), (2002, 2060, 2))
    incident = [Incident(2000, 2060)]
    without, with_breaker = (backtest(SETS, grid, GOAL, incident, period_valid=43_200_000) for grid in (raw, behind))
    assert without.of("workbook").recall == 1.0
    assert with_breaker.of("workbook").recall == 0.0


def test_the_intervals_hold_the_estimate_and_runs_are_equal():
    grid, laid = history(1, 250_000, 90)
    big, small = split_by_share(laid, grid, GOAL, period_valid=250_000)
    done, again = (backtest(SETS, grid, GOAL, big, minor=small, period_valid=250_000, seed=7) for _ in range(2))
    assert done == again
    for score in done.scores:
        for middle, ends in (
            (score.precision, score.precision_interval),
            (score.recall, score.recall_interval),
            (score.f1, score.f1_interval),
        ):
            assert ends is not None
            assert ends[0] <= middle <= ends[1]


def test_at_low_volume_counts_against_the_budget_beat_rates():
    """100,000 requests a month, mean over 6 histories of 90 days: the Workbook pages at night for three failures."""
    f1 = []
    for seed in range(6):
        grid, laid = history(seed, 100_000, 90)
        big, _ = split_by_share(laid, grid, GOAL, period_valid=100_000)
        f1.append([score.f1 for score in backtest(SETS, grid, GOAL, big, period_valid=100_000).scores])
    workbook, _, share = np.mean(f1, axis=0)
    assert share > workbook + 0.1


def test_bad_input_is_refused():
    grid = grid_with()
    with pytest.raises(ParameterError, match="at least one"):
        backtest([], grid, GOAL)
    with pytest.raises(ParameterError, match="name one that was run"):
        backtest(SETS, grid, GOAL, []).of("nobody")
