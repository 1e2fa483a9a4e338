"""Scores are counts by hand; censored delays are Kaplan and Meier's; the bootstrap covers what it must."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from relkit.slo.scoring import by_day, f1_of, interval, match, quantile_of_delays, rates_of, resamples


def spans(*pairs):
    return np.array(pairs, dtype=np.int64).reshape(-1, 2)


def test_grace_merge_and_the_clock():
    found = match(spans((14, 20), (45, 50), (200, 201)), spans((10, 13), (40, 44)))
    assert found.alerts.tolist() == [[14, 50], [200, 201]]  # 25 minutes apart are one alert
    assert found.is_true.tolist() == [True, False]
    assert found.delay.tolist() == [5.0, 6.0]  # within the grace of 5 minutes, told at the end of the minute
    assert found.reset.tolist() == [38.0, 7.0]
    assert match(spans((18, 20)), spans((10, 13))).recall == 0.0


def test_an_alert_that_is_on_when_trouble_begins_tells_at_once():
    assert match(spans((5, 50)), spans((20, 30))).delay.tolist() == [1.0]


def test_nothing_to_score_is_none_and_not_zero():
    nothing = match(spans(), spans())
    assert (nothing.precision, nothing.recall, nothing.f1) == (None, None, None)
    silent = match(spans(), spans((1, 2)))
    assert (silent.precision, silent.recall, silent.f1) == (None, 0.0, 0.0)
    assert match(spans((1, 2)), spans()).precision == 0.0


stretches = st.lists(st.tuples(st.integers(1, 80), st.integers(1, 40)), max_size=8)


def built(steps):
    made, at = [], 0
    for gap, length in steps:
        made.append((at + gap, at + gap + length))
        at += gap + length
    return spans(*made)


@given(stretches, stretches)
@settings(max_examples=150, deadline=None)
def test_matching_is_what_two_loops_find(firing, incidents):
    firing, incidents = built(firing), built(incidents)
    found = match(firing, incidents)
    for place, (start, end) in enumerate(incidents.tolist()):
        on = [minute for a, b in firing.tolist() for minute in range(a, b) if start <= minute < end + 5]
        assert np.isnan(found.delay[place]) if not on else found.delay[place] == min(on) - start + 1
    for place, (a, b) in enumerate(found.alerts.tolist()):
        assert found.is_true[place] == any(a < end + 5 and b > start for start, end in incidents.tolist())
    counts = by_day(found, 2000).sum(axis=0)
    assert counts.tolist() == [found.is_true.sum(), len(found.alerts), found.is_told.sum(), len(incidents)]


def test_censored_delays_are_those_of_statsmodels():
    from statsmodels.duration.survfunc import SurvfuncRight  # noqa: PLC0415

    rng = np.random.default_rng(4)
    for _ in range(20):
        waited, ends = rng.integers(1, 30, 40).astype(float), rng.integers(1, 60, 40).astype(float)
        delay = np.where(waited <= ends, waited, np.nan)
        theirs = SurvfuncRight(np.where(waited <= ends, waited, ends), (waited <= ends).astype(int))
        for level in (0.5, 0.9):
            expected = theirs.quantile(level)
            ours = quantile_of_delays(delay, ends, level)
            assert (ours is None and np.isnan(expected)) or ours == expected


def test_f1_and_intervals():
    assert f1_of([1, 0.5], [0.5, 0.5]).tolist() == pytest.approx([2 / 3, 0.5])
    assert interval(np.array([np.nan, np.nan, 1.0]), 0.9) is None
    precision, recall, f1 = rates_of(np.array([0, 0, 0, 4]))
    assert (np.isnan(precision), float(recall), float(f1)) == (True, 0.0, 0.0)


def test_the_interval_of_recall_covers_the_truth():
    """90 days, one incident a day with probability 1/2, each told with probability .7; 200 histories, 95 % wanted.

    Bootstrap intervals of some 45 incidents cover a little less than they say: 90 to 99 % passes (sd of the count 1.5 points).
    """
    rng = np.random.default_rng(8)
    draws = resamples(90, 400, 1)
    covered = 0
    for _ in range(200):
        incidents = rng.random(90) < 0.5
        told = incidents & (rng.random(90) < 0.7)
        counts = np.column_stack((told, told, told, incidents)).astype(np.int64)
        low, high = interval(rates_of(draws @ counts)[1], 0.95)
        covered += low <= 0.7 <= high
    assert 0.90 <= covered / 200 <= 0.99
