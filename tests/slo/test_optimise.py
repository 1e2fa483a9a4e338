"""The optimiser refuses where luck would choose, and gains on time it has not seen."""

import numpy as np
import pytest
from invented_months import DAY, GOAL, history

from relkit.slo import Objective
from relkit.slo.alert_sets import alert_set, burn_rules
from relkit.slo.firing import Engine, joined
from relkit.slo.incidents import bounds, split_by_share
from relkit.slo.optimise import LEAST_INCIDENTS, alert_space, better_alerts
from relkit.slo.scoring import match


def known(seed, volume, days=365):
    grid, laid = history(seed, volume, days)
    return grid, split_by_share(laid, grid, GOAL, period_valid=volume)[0]


def test_below_twenty_incidents_it_refuses_and_says_what_would_help():
    grid, incidents = known(1, 250_000, 60)
    found = better_alerts(grid, GOAL, incidents[: LEAST_INCIDENTS - 1])
    assert (found.verdict.code, found.alert_set, found.gain) == ("REFUSED", alert_set("workbook"), None)
    assert "lay_on" in found.verdict.would_change
    assert "too few" in found.verdict.sentence


@pytest.mark.parametrize("seed", [11, 12, 13])
def test_at_100_000_a_month_it_recommends_what_does_better_on_unseen_time(seed):
    """Over 8 seeds the gain was .16 to .41; .05 is far below the least."""
    grid, incidents = known(seed, 100_000, 545)
    cut = 365 * DAY
    found = better_alerts(grid.slice(0, cut), GOAL, [one for one in incidents if one.end_minute <= cut])
    assert found.verdict.code == "RECOMMENDED"
    later = grid.slice(cut, 545 * DAY)
    seen = bounds([one for one in incidents if one.start_minute >= cut], cut)
    engine = Engine(later, GOAL, period_valid=found.period_valid)
    f1 = []
    for one, spans in zip(
        (found.baseline, found.alert_set), engine.spans([found.baseline, found.alert_set]), strict=True
    ):
        f1.append(
            match(joined([fired for rule, fired in zip(one, spans, strict=True) if rule.severity == "page"]), seen).f1
        )
    assert f1[1] > f1[0] + 0.05


def test_without_anything_better_it_keeps_what_is():
    grid, incidents = known(2, 250_000)
    same = burn_rules("same pages, more words", [("page", 60, 5, "14.4"), ("page", 360, 30, 6)], minimum_bad=1)
    found = better_alerts(grid, GOAL, incidents, candidates=[same])
    assert (found.alert_set, found.gain, found.verdict.code) == (alert_set("workbook"), 0.0, "REFUSED")


def test_of_equal_sets_the_simplest_wins():
    grid, incidents = known(3, 250_000)
    one = burn_rules("one window", [("page", 60, None, 10)])
    two = burn_rules("two windows, one of them idle", [("page", 60, 60, 10)])
    found = better_alerts(grid, GOAL, incidents, baseline=two, candidates=[one], slower_minutes=1000.0)
    assert found.alert_set == one


def test_equal_seeds_equal_choices():
    grid, incidents = known(4, 100_000)
    first, second = (better_alerts(grid, GOAL, incidents, seed=3) for _ in range(2))
    assert first == second
    assert first.gain_low <= first.gain <= first.gain_high


def test_the_space_holds_only_what_can_fire_under_names_that_differ():
    for target in ("0.999", "0.95", "0.5"):
        goal = Objective("a", target)
        space = alert_space(goal)
        assert len({one.name for one in space}) == len(space)
        assert all(tier.is_reachable(goal) for one in space for rule in one for tier in rule.tiers)
    assert np.all([one.of("page") for one in alert_space(GOAL)])
