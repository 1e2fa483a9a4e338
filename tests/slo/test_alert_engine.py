"""The engine against a slow one written from Prometheus' own text: samples one by one, no cumulative sums."""

from fractions import Fraction
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from relkit.exceptions import DataError, ParameterError
from relkit.slo import Minutes, Objective
from relkit.slo.alert_sets import alert_set, burn_rules, exhaustion
from relkit.slo.alerts import AlertRule, AlertSet, AlertTier
from relkit.slo.firing import Engine, byar_lower, fire, joined
from relkit.slo.increases import Increases, counter_samples, minutes_of_counters

GOAL = Objective("availability", "0.99")


def slow_increase(samples, at, window):
    """promql/functions.go of Prometheus 2.42, extrapolatedRate with isCounter and without isRate, one sample a minute."""
    inside = [(k, value) for k, value in enumerate(samples) if value is not None and at - window <= k <= at]
    if len(inside) < 2:
        return None
    result = inside[-1][1] - inside[0][1]
    for (_, before), (_, value) in pairwise(inside):
        if value < before:
            result += before
    to_start, to_end = 60.0 * (inside[0][0] - (at - window)), 60.0 * (at - inside[-1][0])
    sampled = 60.0 * (inside[-1][0] - inside[0][0])
    apart = sampled / (len(inside) - 1)
    if result > 0 and inside[0][1] >= 0:
        to_zero = sampled * (inside[0][1] / result)
        to_start = min(to_start, to_zero)
    reach = sampled
    reach += to_start if to_start < apart * 1.1 else apart / 2
    reach += to_end if to_end < apart * 1.1 else apart / 2
    return result * (reach / sampled)


def slow_firing(active, for_evaluations, keep_evaluations):
    """rules/alerting.go of Prometheus 2.42, Eval: one alert, one evaluation a minute."""
    state, since, quiet_since, fires = "inactive", None, None, []
    for ts, is_active in enumerate(active):
        if not is_active:
            keep = False
            if state == "firing" and keep_evaluations:
                quiet_since = ts if quiet_since is None else quiet_since
                keep = ts - quiet_since < keep_evaluations
            if not keep:
                state, since, quiet_since = "inactive", None, None
        else:
            quiet_since = None
            if state == "inactive":
                state, since = "pending", ts
            if state == "pending" and ts - since >= for_evaluations:
                state = "firing"
        fires.append(state == "firing")
    return fires


logs = st.lists(
    st.tuples(st.integers(0, 9), st.integers(0, 4), st.sampled_from([True, True, True, False])), min_size=3, max_size=40
)


def grid_of(log):
    covered = np.array([there for _, _, there in log])
    good, bad = (np.array([row[place] if row[2] else 0 for row in log], dtype=np.int64) for place in (0, 1))
    none = np.zeros(len(log), dtype=np.int64)
    return Minutes(1000, good, bad, none, none, covered)


@given(logs, st.integers(1, 12), st.sets(st.integers(0, 38), max_size=3))
@settings(max_examples=150, deadline=None)
def test_increases_are_those_of_prometheus_with_gaps_and_restarts(log, window, restarts):
    grid = grid_of(log)
    began = [1000 + place for place in sorted(restarts) if place < len(grid)]
    found = Increases(grid, began).over(window)
    for samples, grown in zip(counter_samples(grid, began), found, strict=True):
        for place in range(len(grid)):
            expected = slow_increase(samples, place + 1, window)
            assert np.isnan(grown[place]) if expected is None else grown[place] == pytest.approx(expected, rel=1e-12)


@given(st.lists(st.booleans(), min_size=1, max_size=40), st.integers(0, 5), st.integers(0, 5))
@settings(max_examples=150, deadline=None)
def test_for_and_keep_firing_are_those_of_prometheus(active, for_minutes, keep_minutes):
    bad = np.array([10 if on else 0 for on in active], dtype=np.int64)
    none = np.zeros(len(bad), dtype=np.int64)
    grid = Minutes(0, 10 - bad, bad, none, none, np.ones(len(bad), dtype=bool))
    rule = AlertRule("a", "page", (AlertTier("burn", 10, 1),), for_minutes, keep_minutes)
    spans = fire(AlertSet("s", (rule,)), grid, GOAL).pages
    fires = [any(start <= place < end for start, end in spans) for place in range(len(active))]
    assert fires == slow_firing(active, for_minutes, keep_minutes)


@given(logs, st.integers(0, 3))
@settings(max_examples=60, deadline=None)
def test_a_rule_fires_where_its_comparison_holds_and_no_sample_is_not_over(log, least):
    grid = grid_of(log)
    tier = AlertTier("burn", 5, 7, 2, least)
    bad, valid = counter_samples(grid)
    expected = []
    for place in range(len(grid)):
        sums = [[slow_increase(one, place + 1, window) for one in (bad, valid)] for window in (7, 2)]
        over = all(b is not None and Fraction(b) * 20 > Fraction(v) for b, v in sums)
        expected.append(over and sums[0][0] >= least)
    spans = fire(AlertSet("s", (AlertRule("a", "page", (tier,)),)), grid, GOAL, period_valid=100).pages
    assert [any(start <= 1000 + place < end for start, end in spans) for place in range(len(grid))] == expected


def flat(size=600, bad=(), requests=1000):
    counts = np.zeros(size, dtype=np.int64)
    for start, end, failing in bad:
        counts[start:end] = failing
    none = np.zeros(size, dtype=np.int64)
    return Minutes(0, requests - counts, counts, none, none, np.ones(size, dtype=bool))


def test_exactly_the_threshold_does_not_fire():
    goal = Objective("a", "0.999")
    one = burn_rules("s", [("page", 10, None, "14.4")])
    assert fire(one, flat(30, [(0, 30, 144)], 10_000), goal).pages == []
    assert fire(one, flat(30, [(0, 30, 145)], 10_000), goal).pages == [(0, 30)]


def test_the_reference_scenarios_fire_in_their_minute():
    """(error share, minutes) -> first page, off after the end; None = never. Confirmed by Prometheus itself."""
    known = {(100, 10): (1, 30), (15, 10): (6, 5), (100, 2): (1, 5), (5, 60): (18, 27), (1, 300): (217, 12)}
    goal = Objective("a", "0.999")
    for (percent, lasts), (first, off) in known.items():
        grid = flat(6500 + lasts, [(5800, 5800 + lasts, 60 * percent)], 6000)
        pages = fire(alert_set("workbook"), grid, goal).pages
        assert (pages[0][0] + 1 - 5800, pages[-1][1] + 1 - 5800 - lasts) == (first, off)


def test_many_sets_at_once_are_each_as_alone():
    """The minutes looked at depend on all sets; the answer must not."""
    rng = np.random.default_rng(5)
    grid = flat(3000, [(int(at), int(at) + 20, int(rng.integers(5, 400))) for at in rng.integers(0, 2900, 12)])
    sets = [*(alert_set(name) for name in ("workbook", "pyrra", "slo-generator", "plan-10x")), exhaustion(6)]
    engine = Engine(grid, Objective("a", "0.999"))
    for one, spans in zip(sets, engine.spans(sets), strict=True):
        assert [found.tolist() for found in engine.spans([one])[0]] == [found.tolist() for found in spans]


def test_a_coarser_evaluation_sees_only_its_instants():
    grid = flat(100, [(50, 53, 900)])
    one = burn_rules("s", [("page", 2, None, 10)])
    assert fire(one, grid, GOAL).pages == [(50, 54)]
    assert fire(one, grid, GOAL, step_minutes=5).pages == []
    assert fire(one, flat(100, [(53, 56, 900)]), GOAL, step_minutes=5).pages == [(54, 59)]


def test_the_budget_left_decides_the_exhaustion_alert():
    """Half of the budget is spent at first; the same trouble again has fewer hours left."""
    goal = Objective("a", "0.99", 1)
    allowed = 14_400  # of 1,440,000 requests
    grid = flat(900, [(100, 109, 800), (700, 712, 200)])
    left = allowed - 7200
    hours = Fraction(left - 200 * 12, 200 * 12)  # what the last hour's pace leaves at minute 711
    assert fire(exhaustion(hours * 2, 60, None), grid, goal, period_valid=1_440_000).of("page")[-1][1] > 711
    assert all(end < 700 for _, end in fire(exhaustion(hours / 2, 60, None), grid, goal, period_valid=1_440_000).pages)


def test_the_lower_bound_asks_for_more_failures_than_the_rate():
    few = flat(200, [(100, 101, 1)], 1)
    sure = burn_rules("s", [("page", 60, 5, 1)], level=0.95)
    assert fire(burn_rules("s", [("page", 60, 5, 1)]), few, GOAL).pages
    assert not fire(sure, few, GOAL).pages
    assert fire(sure, flat(200, [(100, 105, 1)], 1), GOAL).pages


def test_byars_bound_is_near_the_exact_poisson_bound():
    from scipy.stats import chi2  # noqa: PLC0415

    events = np.arange(3.0, 400.0)
    assert byar_lower(events, 0.95) == pytest.approx(chi2.ppf(0.05, 2 * events) / 2, rel=0.03)


def test_counters_become_minutes_again_and_nonsense_is_refused():
    grid = flat(20, [(3, 5, 7)], 10)
    again = minutes_of_counters(0, *counter_samples(grid, [8]))
    assert again.bad.tolist() == grid.bad.tolist()
    assert again.valid.tolist() == grid.valid.tolist()
    with pytest.raises(DataError, match="more bad than valid"):
        minutes_of_counters(0, [0, 5], [0, 3])
    with pytest.raises(DataError, match="same length"):
        minutes_of_counters(0, [0, 5], [0])
    with pytest.raises(DataError, match="negative"):
        minutes_of_counters(0, [0, -5], [0, 3])
    for wrong in ({"step_minutes": 0}, {"period_valid": 0}, {"restarts": [99]}):
        with pytest.raises(ParameterError):
            Engine(grid, GOAL, **wrong)
    with pytest.raises(ParameterError, match="no valid request"):
        Engine(flat(5, (), 0), GOAL)


def test_windows_longer_than_the_log_look_at_what_there_is():
    assert fire(burn_rules("s", [("page", 5000, 300, 5)]), flat(50, [(0, 50, 100)]), GOAL).pages == [(0, 50)]


def test_stretches_join():
    assert joined([], 3).tolist() == []
    assert joined([np.array([[0, 9], [2, 4], [12, 13]])], 2).tolist() == [[0, 9], [12, 13]]
