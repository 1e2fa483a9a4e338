"""Incidents: derived, invented or labelled; what each cost; and real traffic without any."""

from fractions import Fraction
from itertools import pairwise

import numpy as np
import pytest
from invented_months import DAY, GOAL, history

from relkit.exceptions import DataError, ParameterError
from relkit.slo import Minutes
from relkit.slo.incidents import (
    Incident,
    budget_shares,
    derive_incidents,
    labelled,
    lay_on,
    quiet_days,
    split_by_duration,
    split_by_share,
)


def steady(days=2, requests=100, bad=()):
    counts = np.zeros(days * DAY, dtype=np.int64)
    for start, end, failing in bad:
        counts[start:end] = failing
    none = np.zeros(len(counts), dtype=np.int64)
    return Minutes(0, requests - counts, counts, none, none, np.ones(len(counts), dtype=bool))


def test_outbreaks_close_together_are_one_incident_and_far_ones_two():
    near = derive_incidents(steady(bad=[(100, 110, 90), (135, 140, 90)]), GOAL, period_valid=100_000)
    far = derive_incidents(steady(bad=[(100, 110, 90), (180, 190, 90)]), GOAL, period_valid=100_000)
    assert [(one.start_minute, one.end_minute) for one in near] == [(100, 140)]
    assert [(one.start_minute, one.end_minute) for one in far] == [(100, 110), (180, 190)]


def test_an_incident_counts_from_the_share_of_the_budget_on():
    grid = steady(bad=[(100, 110, 2)])  # 20 of a budget of 1,000
    assert len(derive_incidents(grid, GOAL, period_valid=1_000_000, share=Fraction(2, 100))) == 1
    assert derive_incidents(grid, GOAL, period_valid=1_000_001, share=Fraction(2, 100)) == []
    assert derive_incidents(steady(), GOAL) == []


def test_derived_incidents_are_the_invented_ones():
    """At a million requests a month every invented incident that costs 10 % of the budget is found, to within 10 minutes."""
    found_all = 0
    for seed in range(3):
        grid, laid = history(seed, 1_000_000, 60)
        big, _ = split_by_share(laid, grid, GOAL, Fraction(1, 10), 1_000_000)
        derived = derive_incidents(grid, GOAL, period_valid=1_000_000)
        for incident in big:
            found_all += 1
            assert any(one.start_minute - 10 <= incident.start_minute <= one.end_minute for one in derived)
    assert found_all > 5


def test_what_is_laid_on_turns_good_into_bad_and_nothing_else():
    quiet = steady(60)
    hurt, laid = lay_on(quiet, seed=3)
    assert (hurt.valid == quiet.valid).all()
    outside = np.ones(len(hurt), dtype=bool)
    for one in laid:
        outside[one.start_minute : one.end_minute] = False
    assert not hurt.bad[outside].any()
    assert all(a.end_minute <= b.start_minute for a, b in pairwise(laid))
    again, _ = lay_on(quiet, seed=3)
    assert (again.bad == hurt.bad).all()
    for wrong in ({"lowest": 0.0}, {"highest": 2.0}, {"every_days": 0.0}):
        with pytest.raises(ParameterError):
            lay_on(quiet, seed=1, **wrong)


def test_incidents_arrive_as_often_as_asked():
    """Mean count over 20 seeds within 4 standard errors of days / every (a false alarm in 16,000)."""
    many = [len(lay_on(steady(100, 1), seed=seed)[1]) for seed in range(20)]
    assert abs(np.mean(many) - 20) < 4 * np.sqrt(20 / 20)


def test_quiet_days_hold_no_incident_and_there_may_be_none():
    grid = steady(4, bad=[(DAY + 5, DAY + 9, 50)])
    drawn = quiet_days(grid, [Incident(DAY + 5, DAY + 9)], 30, seed=0)
    assert drawn is not None
    assert (len(drawn), int(drawn.bad.sum())) == (30 * DAY, 0)
    assert quiet_days(grid, [Incident(0, 4 * DAY)], 30, seed=0) is None


def test_labels_keep_what_touches_the_grid_and_refuse_another_zone():
    grid = steady(1)
    kept = labelled([(-5, 3, "early"), (10, None, "open"), (2000, 2010, "late")], grid, 8)
    assert [(one.label, one.minutes) for one in kept] == [("early", 8), ("open", 8)]
    with pytest.raises(DataError, match="time zone"):
        labelled([(5000, 5010, "elsewhere")], grid)
    with pytest.raises(ParameterError):
        Incident(5, 5)


def test_cost_and_duration_split():
    grid = steady(bad=[(0, 10, 10), (100, 101, 10)])
    both = [Incident(0, 10), Incident(100, 101), Incident(-9, 10**6)]
    assert budget_shares(both, grid, GOAL, 100_000) == [1.0, 0.1, 1.1]
    assert [len(part) for part in split_by_duration(both, 10)] == [2, 1]
