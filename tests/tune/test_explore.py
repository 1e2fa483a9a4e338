"""Courses and the explorer's record: nothing is lost on the way, and the script can read it back."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from tuned import quiet

from relkit.config import exported, imported
from relkit.exceptions import ParameterError
from relkit.policies.codes import OPEN
from relkit.policies.presets import changed, presets
from relkit.simulation.run import simulate
from relkit.simulation.scenario import Scenario
from relkit.tune.course import course_of
from relkit.tune.explore import explored, packed, telling, template_of, unpacked
from relkit.tune.grid import MIN_CALLS, SHARES, centre_of, open_times
from relkit.tune.groundwork import base_of, space_of, suite_of
from relkit.tune.measures import interval_of

SPACE = space_of(presets["plan-fixed"])


def outage() -> Scenario:
    return next(each for each in suite_of(base_of(quiet()).changed(requests=1000), 100.0) if each.name == "outage")


@given(st.lists(st.integers(-5, 5), max_size=300))
def test_packed_numbers_come_back(values: list[int]) -> None:
    assert unpacked(packed(np.array(values, dtype=np.int64))) == values


def test_a_course_counts_every_request_once() -> None:
    run = simulate(outage(), SPACE.base, 1)
    course = course_of(run, 50)
    assert int(course.arrivals.sum()) == 1000
    assert int((course.answered + course.failed + course.rejected).sum()) == 1000
    assert int(course.attempts.sum()) == int(run.requests["attempts"].sum())


def test_open_tenths_are_the_time_that_the_breaker_was_open() -> None:
    course = course_of(simulate(outage(), SPACE.base, 1))
    told = course.open_tenths() % 20
    open_s = sum(end - start for state, start, end in course.stretches[0] if state == OPEN)
    assert open_s > 0.0
    assert float(told.sum()) / 10.0 * course.bin_s == pytest.approx(open_s, abs=0.05 * course.bin_s * len(told))
    assert told.max() <= 10


def test_a_course_needs_a_step() -> None:
    with pytest.raises(ParameterError, match="bins"):
        course_of(simulate(outage(), SPACE.base, 1), 0)


def test_the_record_gives_every_point_back() -> None:
    scenario, times = outage(), (5.0, 20.0)
    numbers = explored(SPACE.base, times, [scenario], "x", ghosts=[presets["pybreaker"]], seeds=(1, 2, 3)).record
    record = json.loads(json.dumps(numbers, allow_nan=False))
    its = record["scenarios"][0]
    assert len(its["points"]) == len(SHARES) * len(times) * len(MIN_CALLS)
    for share, open_s, least in ((0, 0, 0), (3, 1, 2), (7, 1, 4)):
        policy = changed(SPACE.base, failure_share=SHARES[share], open_s=times[open_s], min_calls=MIN_CALLS[least])
        course = course_of(simulate(scenario, policy, 1))
        point = its["points"][(share * len(times) + open_s) * len(MIN_CALLS) + least]
        for name in ("answered", "failed", "rejected"):
            read = np.array(unpacked(point[name[0]])) + np.array(unpacked(its["reference"][name]))
            assert read.tolist() == getattr(course, name).tolist()
        assert unpacked(point["o"]) == course.open_tenths().tolist()
        shares = [simulate(scenario, policy, seed).answered_share for seed in (1, 2, 3)]
        assert point["v"][0] == pytest.approx(shares, rel=1e-4)
        told = interval_of("success", shares, scenario.requests)
        assert point["s"][0] == pytest.approx([told.value, told.low, told.high], rel=1e-4)
    assert its["presets"][0]["name"] == "pybreaker"
    assert (record["runs"], record["level"]) == (3, 0.95)
    assert record["t"] == pytest.approx(stats.t.ppf(0.975, 2), abs=1e-4)


def test_a_figure_that_a_run_lacks_has_no_interval() -> None:
    """A healthy run has no death to detect."""
    calm = base_of(quiet()).changed(requests=500)
    point = explored(SPACE.base, (5.0,), [calm], "x", seeds=(1, 2)).record["scenarios"][0]["points"][0]
    assert point["s"][2] is None
    assert point["v"][2] is None
    assert point["s"][0] is not None


def test_the_template_is_a_file_that_reads_back() -> None:
    text = template_of(str(exported(telling(SPACE.base), "relkit")))
    filled = text.replace("{failure_share}", "0.3").replace("{open_s}", "12.5").replace("{min_calls}", "4")
    assert imported(filled, "relkit").hash == changed(SPACE.base, failure_share=0.3, open_s=12.5, min_calls=4).hash
    with pytest.raises(ValueError, match="is not in the settings"):
        template_of("nothing")


def test_a_choice_without_a_count_window_is_explored_around_the_searched_base() -> None:
    assert centre_of(presets["pybreaker"], SPACE) is SPACE.base
    assert len(open_times(SPACE)) == 8
    calm = base_of(quiet()).changed(requests=300)
    told = [
        explored(SPACE.base, (5.0,), [calm], "x", seeds=(1, 2), is_choice=one).record["fixed"] for one in (True, False)
    ]
    assert (
        told[1]
        == f"The choice has no count window, so it is none of these points; they lie around the window that was searched. {told[0]}"
    )
