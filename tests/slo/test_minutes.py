import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from relkit.exceptions import DataError, ParameterError
from relkit.slo import Minutes, MinuteShares, Totals, covered_minutes, gap_text, is_dead, silence_limit

ZERO = [0, 0, 0]


def test_missing_is_not_zero(grid):
    quiet = grid([5, 0, 5], ZERO)
    missing = grid([5, 0, 5], ZERO, [True, False, True])
    assert quiet.totals == missing.totals == Totals(10, 0, 0, 0)
    assert (quiet.coverage, missing.coverage) == (1.0, 2 / 3)
    assert (quiet.gaps(), missing.gaps()) == ([], [(1, 2)])


def test_gaps_come_longest_first_and_earlier_first_among_equals(grid):
    covered = [False, True, False, False, True, False]
    assert grid([0] * 6, [0] * 6, covered, 100).gaps() == [(102, 104), (100, 101), (105, 106)]


def test_slice_keeps_the_clock(grid):
    part = grid([1, 2, 3, 4], [0, 1, 0, 1], start_minute=100).slice(101, 103)
    assert (part.start_minute, part.end_minute, part.good.tolist(), part.bad.tolist()) == (101, 103, [2, 3], [1, 0])
    assert len(part.slice(102, 102)) == 0


@pytest.mark.parametrize(("start", "end"), [(99, 101), (101, 105), (103, 102)])
def test_slice_outside_is_refused_and_not_shortened(grid, start, end):
    with pytest.raises(ParameterError, match="start, end"):
        grid([1, 2, 3, 4], [0] * 4, start_minute=100).slice(start, end)


def test_an_empty_grid_has_no_coverage(grid):
    assert grid([], []).coverage == 0.0


@pytest.mark.parametrize(
    ("changed", "text"),
    [
        ({"good": [1, 2]}, "good has the shape"),
        ({"bad": [0, -1, 0]}, "bad holds a negative count at place 1"),
        ({"good": [0.5, 1, 2]}, "whole numbers"),
        ({"covered": [1, 1, 1]}, "array of bool"),
        ({"covered": [True, True, False]}, "missing but hold requests, the first at 1970-01-01 00:02 UTC"),
    ],
)
def test_a_broken_grid_is_refused(changed, text):
    columns = {"good": [1, 1, 1], "bad": ZERO, "excluded": ZERO, "unknown": ZERO, "covered": [True] * 3}
    with pytest.raises(DataError, match=text):
        Minutes(0, **(columns | changed))


def test_start_must_be_a_whole_minute():
    with pytest.raises(ParameterError, match="start_minute"):
        Minutes(0.5, [1], [0], [0], [0], [True])


def test_a_grid_does_not_change_through_its_arrays():
    good = np.array([1, 2])
    frozen = Minutes(0, good, [0, 0], [0, 0], [0, 0], [True, True])
    good[0] = 99
    assert frozen.good.tolist() == [1, 2]
    with pytest.raises(ValueError, match="read-only"):
        frozen.good[0] = 5


@pytest.mark.parametrize("share", [[1.5], [-0.1], [[0.5]]])
def test_shares_lie_between_zero_and_one(share):
    with pytest.raises(DataError, match="share"):
        MinuteShares(0, share, "demo")


def test_a_dead_series_is_all_zero_while_requests_flow():
    zero = MinuteShares(0, [0.0, np.nan, 0.0], "demo")
    assert is_dead(zero, flowing=True)
    assert not is_dead(zero, flowing=False)  # nobody asks: nothing to measure
    assert not is_dead(MinuteShares(0, [0.0, 0.01], "demo"), flowing=True)  # one success: an outage
    assert not is_dead(MinuteShares(0, [np.nan, np.nan], "demo"), flowing=True)  # missing, not dead


def test_the_limit_is_five_minutes_or_three_long_gaps():
    assert silence_limit([]) == 5
    assert silence_limit([1, 1, 1]) == 5
    assert silence_limit([10] * 1001) == 30
    # 1,001 distances: place floor(0.999 x 1000) = 999 of 0..1000, so the longest is not its own measure
    assert silence_limit([2] * 1000 + [500]) == 6
    assert silence_limit([2] * 999 + [500] * 2) == 1500


def test_rows_in_the_same_minute_count_as_distances_of_zero():
    assert silence_limit([40, 40, 40, 40], same_minute=10) == 120
    assert silence_limit([40, 40, 40, 40], same_minute=10_000) == 5
    with pytest.raises(ParameterError, match="gaps_minutes"):
        silence_limit([0, 1])


def test_a_night_is_quiet_and_a_dead_logger_is_missing():
    day = np.arange(8 * 60, 22 * 60)  # rows from 8 to 22 o'clock, nothing at night, for three weeks
    rows = np.concatenate([day + 1440 * i for i in range(21)])
    assert covered_minutes(rows, 0, 21 * 1440).all()

    seldom = np.arange(0, 10_000, 20)  # a row every 20 minutes is quiet; a hole of 200 is not
    holed = seldom[(seldom <= 4000) | (seldom >= 4200)]
    covered = covered_minutes(holed, 0, 10_000)
    assert np.flatnonzero(~covered).tolist() == list(range(4001, 4200))


def test_the_edges_are_judged_like_the_middle():
    rows = np.arange(100, 200)
    assert np.flatnonzero(~covered_minutes(rows, 96, 204)).size == 0  # four silent minutes: a distance of 5
    covered = covered_minutes(rows, 95, 205)  # five: a distance of 6
    assert np.flatnonzero(~covered).tolist() == [0, 1, 2, 3, 4, 105, 106, 107, 108, 109]


def test_rows_outside_the_window_tell_that_the_log_ran_on():
    assert covered_minutes([90, 94, 98, 102, 106, 110], 95, 97).all()
    assert not covered_minutes([0, 1, 2, 3, 500, 501], 100, 200).any()
    assert covered_minutes([0, 1, 2, 3], 1, 3).all()


def test_without_rows_nothing_is_covered():
    assert covered_minutes([], 0, 4).tolist() == [False] * 4


@pytest.mark.parametrize("rows", [[3, 2], [2, 2]])
def test_row_minutes_must_ascend(rows):
    with pytest.raises(ParameterError, match="row_minutes"):
        covered_minutes(rows, 0, 10)


def test_the_window_must_run_forwards():
    with pytest.raises(ParameterError, match="end_minute"):
        covered_minutes([1], 5, 4)


@given(st.sets(st.integers(-50, 250), min_size=1, max_size=60), st.integers(0, 100), st.integers(0, 120))
def test_every_row_is_covered_and_the_rule_holds_minute_by_minute(rows, start, length):
    at = np.array(sorted(rows))
    covered = covered_minutes(at, start, start + length)
    limit = silence_limit(np.diff(at))
    for minute in range(start, start + length):
        before, after = at[at <= minute], at[at >= minute]
        low = before[-1] if before.size else min(start, at[0]) - 1
        high = after[0] if after.size else max(start + length, at[-1] + 1)
        assert covered[minute - start] == (minute in rows or high - low <= limit)


@pytest.mark.traces
def test_missing_source_minutes_of_a_short_log_are_found(trace):
    """63 minutes with rows are too few to show a 99.9 % quantile; the 19,107 rows in them are enough."""
    rows = trace("nezha-2022-08-22-requests.csv")
    ends = [int((float(row["start_ms"]) + float(row["duration_ms"])) // 60_000) for row in rows]
    minutes, held = np.unique(ends, return_counts=True)
    start, end = int(minutes[0]), int(minutes[-1]) + 1
    assert covered_minutes(minutes, start, end).all()
    covered = covered_minutes(minutes, start, end, held)
    steps = np.diff(minutes)
    assert (~covered).sum() == (steps[steps > 5] - 1).sum() > 100


def test_a_gap_is_written_with_its_two_ends():
    assert gap_text((27_685_671, 27_685_690)) == "2022-08-22 03:51 to 04:10 UTC"
    assert gap_text((27_685_671, 27_687_111)) == "2022-08-22 03:51 to 2022-08-23 03:51 UTC"
