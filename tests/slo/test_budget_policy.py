"""The Workbook's three clauses, each just below and just above its limit."""

import pytest

from relkit.slo import Group, Objective, Totals, policy_clauses

GOAL = Objective("availability", "0.99")
DAY = 1440


def clauses(grid, bad_at, kinds=(), days=28):
    bad = [0] * (days * DAY)
    for minute, number in bad_at:
        bad[minute] = number
    good = [100 - min(number, 100) for number in bad]
    return {clause.name: clause for clause in policy_clauses(grid(good, bad), GOAL, kinds)}


@pytest.mark.parametrize(("more", "fired"), [(0, False), (1, True)])
def test_a_spent_budget_freezes(grid, more, fired):
    """One bad request of a hundred in every minute spends it exactly, which is kept; one more is not."""
    found = clauses(grid, [(minute, 1) for minute in range(28 * DAY)] + [(5, 1 + more)])
    assert found["freeze"].fired is fired


@pytest.mark.parametrize(("bad", "fired"), [(7_900, False), (8_400, True)])
def test_one_incident_over_a_fifth_asks_for_a_postmortem(grid, bad, fired):
    found = clauses(grid, [(DAY + minute, bad // 60) for minute in range(60, 120)])
    assert found["postmortem"].fired is fired
    assert found["postmortem"].spent_share == pytest.approx(bad / 40_320, rel=0.02)


def test_one_class_over_a_fifth_of_a_quarter_is_planned_for(grid):
    kinds = [
        Group("", Totals(0, 10**6, 0, 0)),
        Group("NETWORK_TIMEOUT", Totals(0, 27_000, 0, 0)),
        Group("UNKNOWN", Totals(0, 5, 0, 0)),
    ]
    found = clauses(grid, [], kinds, days=91)["plan"]
    assert (found.fired, found.spent_share) == (True, pytest.approx(27_000 / (0.01 * 91 * DAY * 100)))
    assert "NETWORK_TIMEOUT" in found.finding


def test_a_short_log_is_judged_by_its_traffic_and_says_so(grid):
    found = clauses(grid, [(100, 100)], days=7)["freeze"]
    assert found.spent_share == pytest.approx(100 / 40_320)
    assert "7.0 of 28 days" in found.finding


def test_without_requests_nothing_is_told(grid):
    assert [clause.fired for clause in policy_clauses(grid([0] * 60, [0] * 60), GOAL)] == [None, None, None]
