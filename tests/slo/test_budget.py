import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from statsmodels.stats.proportion import proportion_confint

from relkit.exceptions import ParameterError
from relkit.intervals import wilson
from relkit.slo import ErrorBudget, Minutes, Objective, error_budget, requests_to_decide, share_digits, verdict
from relkit.units import percent

GOAL = Objective("availability", "0.999")


@given(
    st.integers(1, 10**7).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))),
    st.sampled_from([0.8, 0.95, 0.999]),
)
def test_wilson_equals_statsmodels(pair, level):
    hits, n = pair
    expected = np.clip(proportion_confint(hits, n, alpha=1 - level, method="wilson"), 0, 1)
    assert wilson(hits, n, level) == pytest.approx(expected, rel=1e-9, abs=1e-12)


def test_wilson_gives_the_published_figures():
    low, high = wilson(9_990, 10_000)
    assert (round(100 * low, 3), round(100 * high, 3)) == (99.816, 99.946)
    low, high = wilson(999_000, 1_000_000)
    assert (round(100 * low, 3), round(100 * high, 3)) == (99.894, 99.906)


def test_wilson_ends_exactly_at_zero_and_one_and_knows_nothing_of_nothing():
    assert wilson(0, 50)[0] == 0.0
    assert wilson(50, 50)[1] == 1.0
    assert wilson(0, 0) == (0.0, 1.0)


@pytest.mark.parametrize(("hits", "n", "level"), [(3, 2, 0.95), (-1, 2, 0.95), (1, 2, 1.0), (1, 2, 0.0)])
def test_wilson_refuses_what_cannot_be(hits, n, level):
    with pytest.raises(ParameterError):
        wilson(hits, n, level)


def test_exactly_on_target_is_met_and_one_more_is_not():
    assert ErrorBudget(GOAL, valid=1_000_000, bad=1_000).is_met
    assert not ErrorBudget(GOAL, valid=1_000_000, bad=1_001).is_met
    assert ErrorBudget(GOAL, valid=1_000_000, bad=1_000).left_share == 0.0
    # valid x budget = 2.999: two fit, three do not
    assert ErrorBudget(GOAL, valid=2_999, bad=2).is_met
    assert not ErrorBudget(GOAL, valid=2_999, bad=3).is_met


@given(st.integers(1, 10**9), st.integers(1, 999))
def test_is_met_agrees_with_exact_arithmetic(valid, thousandths):
    goal = Objective("a", Fraction(thousandths, 1000))
    for bad in {0, valid, *(min(valid, max(0, int(goal.budget_share * valid) + step)) for step in (-1, 0, 1))}:
        assert ErrorBudget(goal, valid, bad).is_met == (Fraction(valid - bad, valid) >= goal.target)


def test_the_budget_of_a_million_requests_is_a_thousand_and_not_720():
    spent = ErrorBudget(GOAL, valid=1_000_000, bad=720)
    assert spent.allowed == 1_000
    assert (spent.spent_share, spent.left_share) == (0.72, 0.28)
    assert Objective("a", "0.98").budget_share * 1_000_000 == 20_000


@pytest.mark.parametrize(
    ("what", "bad_minutes", "share", "spent_percent"),
    [
        ("10 min at 0.1 %", 10, Fraction(1, 1000), 0.02315),
        ("1 h at 100 %", 60, Fraction(1), 138.889),
        ("a 5-min spike at 100 %", 5, Fraction(1), 11.574),
        ("10 % for one hour", 60, Fraction(1, 10), 13.889),
    ],
)
def test_workbook_figures_of_budget_spent_in_30_days(what, bad_minutes, share, spent_percent):
    """Flat traffic of 1,000 requests a minute; the Workbook's own text rounds (0.02, 140, almost 12, 13.9)."""
    valid = 30 * 1440 * 1000
    spent = ErrorBudget(GOAL, valid, int(bad_minutes * 1000 * share)).spent_share
    assert 100 * spent == pytest.approx(spent_percent, rel=2e-4), what


def test_one_hour_of_outage_at_90_percent_costs_1_389_percent():
    spent = ErrorBudget(Objective("a", "0.9"), 30 * 1440 * 100, 60 * 100).spent_share
    assert round(100 * spent, 3) == 1.389


def test_excluded_requests_leave_the_denominator():
    """1,000 requests, 100 faults of the caller, 15 failures: 98.33 % and not 98.5 %."""
    minutes = Minutes(0, [885], [15], [100], [0], [True])
    assert round(error_budget(GOAL, minutes).sli, 4) == 0.9833


def test_the_budget_weighs_by_requests_and_not_by_minutes():
    minutes = Minutes(0, [990, 0], [10, 1], [0, 0], [0, 0], [True, True])
    assert error_budget(GOAL, minutes).sli == 990 / 1001  # the mean of the two shares would be 49.5 %


def test_without_requests_nothing_is_kept_or_missed():
    nothing = ErrorBudget(GOAL, valid=0, bad=0, excluded=50)
    assert (nothing.sli, nothing.spent_share, nothing.left_share, nothing.low, nothing.is_met) == (None,) * 5
    said = verdict(nothing)
    assert (said.code, said.value, said.n) == ("UNDECIDED", None, 0)
    assert "0 of 0 is not 100 %" in said.why_not


@pytest.mark.parametrize(
    "wrong", [{"bad": 11}, {"bad": -1}, {"unknown": -1}, {"excluded": -1}, {"coverage": 1.1}, {"level": 1.0}]
)
def test_impossible_budgets_are_refused(wrong):
    with pytest.raises(ParameterError):
        ErrorBudget(GOAL, **({"valid": 10, "bad": 0} | wrong))


def test_missed_sentence():
    said = verdict(ErrorBudget(GOAL, valid=58_210, bad=338))
    assert said.code == "MISSED"
    assert said.sentence.replace("\u202f", ",") == (
        "99.42 % of 58,210 requests were good (95 % interval 99.35 to 99.48 %); the objective is 99.9 %: missed."
    )
    assert (said.area, said.n, said.level, said.why_not) == ("slo", 58_210, 0.95, "")
    assert said.low < said.value < said.high < 0.999


def test_met_says_what_is_left():
    said = verdict(ErrorBudget(GOAL, valid=1_000_000, bad=500))
    assert said.code == "MET"
    assert said.would_change.endswith("more that went wrong, among as many, would leave it undecided.")


def test_latency_is_told_as_time():
    said = verdict(ErrorBudget(Objective("latency", "0.95", threshold_us=2_000_000), valid=10_000, bad=100))
    assert "99.00 % of 10\u202f000 requests took at most 2\u202f000 ms" in said.sentence


def test_an_interval_that_holds_the_target_decides_nothing_and_names_the_number():
    budget = ErrorBudget(GOAL, valid=3_000, bad=6)
    said = verdict(budget)
    assert said.code == "UNDECIDED"
    assert budget.requests_to_decide == 3838
    assert said.would_change == "At this share 3\u202f838 requests would decide, 838 more than now."


def test_exactly_on_target_no_number_of_requests_decides():
    said = verdict(ErrorBudget(GOAL, valid=10_000, bad=10))
    assert said.code == "UNDECIDED"
    assert "no finite number" in said.would_change
    assert said.sentence.startswith("99.90 % of")


def test_no_failure_decides_only_from_z_squared_times_999():
    """At 99.9 % without any failure Wilson needs 3,838 requests (Clopper-Pearson, one-sided: 2,995)."""
    assert requests_to_decide(0, 1, GOAL.target) == 3838
    assert verdict(ErrorBudget(GOAL, valid=3_837, bad=0)).code == "UNDECIDED"
    assert verdict(ErrorBudget(GOAL, valid=3_838, bad=0)).code == "MET"


@given(
    st.integers(1, 400).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))),
    st.sampled_from(["0.5", "0.95", "0.999"]),
)
def test_requests_to_decide_is_where_the_interval_leaves_the_target(pair, target):
    bad, valid = pair
    goal = Objective("a", target)
    needed = requests_to_decide(bad, valid, goal.target)
    if needed is None:
        assert Fraction(valid - bad, valid) == goal.target
        return
    after = -(-needed // valid) + 1  # whole copies of what was seen, so that the share stays the same
    assert verdict(ErrorBudget(goal, valid * after, bad * after)).code != "UNDECIDED"
    before = (needed - 1) // valid
    if before:
        assert verdict(ErrorBudget(goal, valid * before, bad * before)).code == "UNDECIDED"


def test_low_coverage_decides_nothing_and_names_the_longest_gap():
    minutes = Minutes(27_685_671, [1000] * 10 + [0] * 6, [0] * 16, [0] * 16, [0] * 16, [True] * 10 + [False] * 6)
    said = verdict(error_budget(GOAL, minutes), gaps=minutes.gaps())
    assert said.code == "UNDECIDED"
    assert "Not enough data: 62.50 % of the minutes hold any, 95 % are needed" in said.why_not
    assert "6 missing minutes in 1 stretch, the longest 2022-08-22 04:01 to 04:07 UTC" in said.why_not
    assert said.value == 1.0
    assert verdict(error_budget(GOAL, minutes), minimum_coverage=0.6).code == "MET"


def test_unknown_outcomes_are_named_above_one_percent():
    goal = Objective("a", "0.5")
    assert verdict(ErrorBudget(goal, valid=9_900, bad=10, unknown=100)).why_not == ""
    said = verdict(ErrorBudget(goal, valid=9_899, bad=10, unknown=101))
    assert said.code == "MET"
    assert "The outcome of 101 requests (1.01 %) is not told." in said.why_not


@pytest.mark.parametrize(("bad", "unknown"), [(0, 150), (0, 60)])
def test_unknown_outcomes_undo_a_verdict_they_could_turn(bad, unknown):
    """0.6 % unknown is below 1 %, and six times the budget."""
    said = verdict(ErrorBudget(GOAL, valid=10_000, bad=bad, unknown=unknown))
    assert said.code == "UNDECIDED"
    assert "they would give different verdicts" in said.why_not
    assert said.would_change == "The outcome of the requests that do not tell it."


def test_unknown_outcomes_cannot_turn_a_verdict_that_is_clear():
    assert verdict(ErrorBudget(GOAL, valid=10_000, bad=5_000, unknown=200)).code == "MISSED"


@given(
    st.integers(1, 10**6).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))),
    st.sampled_from(["0.9", "0.95", "0.999", "0.99999"]),
)
def test_a_printed_share_stays_on_its_side_of_the_target(pair, target):
    share, goal = Fraction(pair[0], pair[1]), Objective("a", target)
    digits = share_digits(share, goal.target)
    printed = Fraction(percent(float(share), digits).removesuffix(" %")) / 100
    assert (printed < goal.target) == (share < goal.target)
    assert (printed > goal.target) == (share > goal.target)
    assert (printed == 1) == (share == 1)


def test_99_898_is_not_printed_as_99_90():
    assert percent(0.99898) == "99.90 %"
    said = verdict(ErrorBudget(GOAL, valid=100_000_000, bad=102_000))
    assert said.sentence.startswith("99.898 % of")
    assert "to 99.899 %" in said.sentence


def test_reported_missed_at_the_boundary_as_often_as_theory_says():
    """Truth exactly 99.9 %, 10,000 requests: the integers say missed in 41.7 % of months, the verdict in under 5 %.

    4,000 binomial draws; 4 standard errors are 3.1 points, so a false alarm of this test has chance 6e-5 (fixed seed).
    """
    bads = np.random.default_rng(20_240_101).binomial(10_000, 0.001, size=4_000)
    missed = np.mean([not ErrorBudget(GOAL, 10_000, int(bad)).is_met for bad in bads])
    assert abs(missed - 0.417) < 4 * math.sqrt(0.417 * 0.583 / 4_000)
    # Wilson's two-sided 95 % leaves the truth on either side in about 1 of 20
    codes = [verdict(ErrorBudget(GOAL, 10_000, int(bad))).code for bad in bads[:1_000]]
    assert codes.count("UNDECIDED") > 900
