"""Slices of time as events: what a slice is, where it stands, and that budgets on slices are exact."""

from fractions import Fraction

import numpy as np
import pytest

from relkit.exceptions import ParameterError
from relkit.slo import Objective, error_budget, in_slices, verdict
from relkit.slo.slices import PARTS

BY_MINUTE = Objective("minutes", "0.9", method="time_slices", slice_target="0.95")
RATIO = Objective("ratio", "0.9", method="ratio_time_slices")


def test_a_slice_is_good_at_exactly_its_share_and_bad_one_request_below(grid):
    events = in_slices(grid([95, 94], [5, 6]), BY_MINUTE)
    assert (events.good.tolist(), events.bad.tolist()) == ([1, 0], [0, 1])


def test_a_slice_without_requests_is_no_event_whether_quiet_or_missing(grid):
    events = in_slices(grid([95, 0, 0], [5, 0, 0], [True, True, False]), BY_MINUTE)
    assert events.totals.valid == 1


def test_slices_begin_at_multiples_since_1970_and_stand_in_their_last_minute(grid):
    goal = Objective("five", "0.9", method="time_slices", slice_minutes=5, slice_target="1")
    events = in_slices(grid([1] * 7, [0] * 6 + [1], start_minute=8), goal)
    assert np.flatnonzero(events.valid).tolist() == [1, 6]  # minutes 8 to 9 and 10 to 14
    assert events.bad.tolist() == [0] * 6 + [1]


def test_the_same_log_has_three_good_shares(grid):
    """A quiet bad minute beside a busy good one: by requests little, by slices half, by ratio in between."""
    log = grid([9_990, 5], [10, 5])
    by_requests = error_budget(Objective("requests", "0.9"), log).sli
    by_slices = error_budget(BY_MINUTE, in_slices(log, BY_MINUTE)).sli
    by_ratio = error_budget(RATIO, in_slices(log, RATIO)).sli
    assert (by_requests, by_slices, by_ratio) == (pytest.approx(9_995 / 10_010), 0.5, pytest.approx((0.999 + 0.5) / 2))


def test_the_mean_of_ratios_is_exact_to_a_millionth_of_a_slice(grid):
    budget = error_budget(RATIO, in_slices(grid([2, 1], [1, 0]), RATIO))
    assert (budget.valid, abs(budget.bad - Fraction(1, 3)) <= Fraction(1, PARTS)) == (2, True)


def test_the_verdict_speaks_of_slices(grid):
    said = verdict(error_budget(BY_MINUTE, in_slices(grid([1] * 200, [0] * 200), BY_MINUTE))).sentence
    assert said.startswith("100.00 % of 200 slices of 60 s were good")


def test_a_target_of_eighteen_decimals_does_not_overflow(grid):
    goal = Objective("fine", "0.9", method="time_slices", slice_target="0." + "9" * 18)
    assert in_slices(grid([10**12], [0]), goal).good.tolist() == [1]


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"method": "time_slices"}, "slice_target"),
        ({"method": "ratio_time_slices", "slice_target": "0.9"}, "slice_target"),
        ({"slice_minutes": 5}, "occurrences counts requests"),
        ({"method": "time_slices", "slice_target": "1.1"}, "slice_target"),
        ({"method": "time_slices", "slice_target": 0.95}, "binary float"),
        ({"method": "windows"}, "method = 'windows'"),
        ({"calendar": "year"}, "calendar = 'year'"),
        ({"degraded": "maybe"}, "degraded = 'maybe'"),
    ],
)
def test_settings_that_contradict_are_refused(settings, said):
    with pytest.raises(ParameterError, match=said):
        Objective("a", "0.9", **settings)
