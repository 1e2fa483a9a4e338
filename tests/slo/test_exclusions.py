"""Stretches that are left out: they leave every count, and are not missing."""

import pytest

from relkit.exceptions import ParameterError
from relkit.slo import Exclusion, leave_out
from relkit.units import US_PER_MINUTE


def stretch(start, end, service=None):
    return Exclusion(round(start * US_PER_MINUTE), round(end * US_PER_MINUTE), "drill", "ops", service)


def test_a_minute_that_is_touched_is_out_with_all_its_requests(grid):
    log = grid([1, 2, 3, 4], [5, 6, 7, 8])
    left = leave_out(log, [stretch(1.5, 2.1)])
    assert (left.good.tolist(), left.bad.tolist()) == ([1, 0, 0, 4], [5, 0, 0, 8])


def test_what_is_left_out_is_not_missing(grid):
    log = grid([1, 0, 1], [0, 0, 0], [True, False, True])
    assert leave_out(log, [stretch(1, 2)]).coverage == 1.0


def test_stretches_may_overlap_and_reach_beyond_the_grid(grid):
    log = grid([1] * 4, [0] * 4, start_minute=10)
    assert leave_out(log, [stretch(0, 11), stretch(5, 12), stretch(13, 99)]).good.tolist() == [0, 0, 1, 0]
    assert leave_out(log, [stretch(0, 10), stretch(14, 20)]) is log


def test_an_exclusion_of_one_service_does_not_silence_all():
    assert [stretch(0, 1, "chat").concerns(asked) for asked in ("chat", "search", None)] == [True, False, False]
    assert stretch(0, 1).concerns("chat")


@pytest.mark.parametrize(
    ("start", "end", "reason", "by"), [(5, 5, "x", "y"), (6, 5, "x", "y"), (0, 1, " ", "y"), (0, 1, "x", "")]
)
def test_without_a_length_a_reason_or_a_name_there_is_none(start, end, reason, by):
    with pytest.raises(ParameterError):
        Exclusion(start, end, reason, by)
