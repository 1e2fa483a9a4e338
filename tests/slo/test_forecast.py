"""The budget to come: the band holds what it says, certainties are certain, and a rolling window recovers."""

import math

import numpy as np
import pytest
from simulated_months import DAY, GOAL, misses, month

from relkit.exceptions import ParameterError
from relkit.slo import Objective, exhaustion_minutes
from relkit.slo.forecast import forecast
from relkit.slo.outages import hours_of

WEEK = Objective("availability", "0.999", window_days=7)


def flat(grid, days, a_minute=100, bad=()):
    """Even traffic; `bad` holds (first minute, last, bad a minute)."""
    wrong = np.zeros(days * DAY, dtype=np.int64)
    for first, beyond, number in bad:
        wrong[first:beyond] = number
    return grid(a_minute - wrong, wrong)


def test_a_band_made_at_half_time_holds_independent_errors():
    """40 months. At 95 % two misses are due; more than 8 come once in 2,000 runs."""
    assert sum(map(abs, misses(40, 1_000_000, clustered=False, seed=1, draws=200))) <= 8


def test_a_band_made_at_half_time_holds_outages_too():
    """40 months. At 90 % four misses are due; more than 11 come once in 2,000 runs."""
    assert sum(map(abs, misses(40, 1_000_000, clustered=True, seed=2, draws=200))) <= 11


def test_a_band_narrows_with_the_time_that_is_left_and_with_history():
    rng = np.random.default_rng(3)
    long = month(1_000_000, False, rng, days=90)
    end = 90 * DAY

    def width(now_day, first_day):
        told = forecast(long.slice(first_day * DAY, now_day * DAY), GOAL, end, draws=400)
        return told.high - told.low

    assert width(88, 60) < width(75, 60)
    assert width(75, 0) < width(75, 60)


def test_the_same_seed_tells_the_same(grid):
    log = flat(grid, 3, bad=[(100, 130, 5)])
    assert forecast(log, WEEK, 7 * DAY, seed=4) == forecast(log, WEEK, 7 * DAY, seed=4)


def test_a_budget_that_cannot_be_mended_is_missed_and_one_that_is_hardly_touched_is_met(grid):
    lost = forecast(flat(grid, 6, bad=[(0, DAY, 50)]), WEEK, 7 * DAY, draws=300)
    assert (lost.verdict.code, lost.met_share, lost.runs_out_share, lost.runs_out_minute) == (
        "MISSED",
        0.0,
        1.0,
        6 * DAY + 60,
    )
    kept = forecast(flat(grid, 6), WEEK, 7 * DAY, draws=300)
    assert (kept.verdict.code, kept.left_now, kept.runs_out_minute) == ("MET", 1.0, None)


def test_a_rolling_window_recovers_when_the_bad_day_falls_out(grid):
    log = flat(grid, 14, bad=[(7 * DAY, 7 * DAY + 60, 50)])
    before = forecast(log, WEEK, 14 * DAY + 30, draws=300)
    after = forecast(log, WEEK, 14 * DAY + 3 * 60, draws=300)
    assert before.left_now == pytest.approx(1 - 3000 / (0.001 * 7 * DAY * 100))
    assert after.left > before.left_now


def test_a_calendar_window_stands_still(grid):
    """What was bad before it does not count, and nothing falls out."""
    log = flat(grid, 3, bad=[(0, 60, 50), (2 * DAY, 2 * DAY + 60, 1)])
    told = forecast(log, WEEK, 5 * DAY, start_minute=DAY, draws=300)
    assert told.left_now == pytest.approx(1 - 60 / (0.001 * 2 * DAY * 100))


def test_under_a_day_of_log_nothing_is_told(grid):
    told = forecast(grid([1] * 600, [0] * 600), WEEK, 7 * DAY)
    assert (told.left, told.met_share, told.verdict.code) == (None, None, "UNDECIDED")


def test_a_window_longer_than_the_log_is_flagged(grid):
    told = forecast(flat(grid, 2), Objective("a", "0.999"), 9 * DAY)
    assert told.known_share == pytest.approx(2 / 30)
    assert "7 % of the window" in told.verdict.why_not


@pytest.mark.parametrize("end", [0, 2 * DAY, 2 * DAY + 500 * DAY])
def test_an_end_that_is_past_or_too_far_is_refused(grid, end):
    with pytest.raises(ParameterError, match="end_minute"):
        forecast(flat(grid, 2), WEEK, end)


@pytest.mark.parametrize("burn_rate", [1.5, 2, 10, 35, 1000])
def test_from_a_full_budget_exhaustion_is_window_over_burn(grid, burn_rate):
    assert exhaustion_minutes(flat(grid, 30), GOAL, burn_rate) == math.ceil(30 * DAY / burn_rate)


def test_at_burn_one_or_less_a_kept_budget_never_runs_out(grid):
    log = flat(grid, 30, bad=[(20 * DAY, 20 * DAY + 60, 30)])
    assert exhaustion_minutes(log, GOAL, 0.5) is None
    assert exhaustion_minutes(flat(grid, 30), GOAL, 0.999) is None


def test_what_is_spent_comes_off_and_what_falls_out_comes_back(grid):
    """Half the budget went at the window's end: half the time is left. At its start: it is back before it is missed."""
    half = round(0.0005 * 30 * DAY * 100 / 60)
    late, early = (flat(grid, 30, bad=[(day * DAY, day * DAY + 60, half)]) for day in (29, 0))
    assert exhaustion_minutes(late, GOAL, 10) == pytest.approx(15 * DAY / 10, rel=0.01)
    assert exhaustion_minutes(early, GOAL, 10) == 30 * DAY / 10


def test_quiet_hours_and_outages_are_told_apart(grid):
    rng = np.random.default_rng(5)
    bad = rng.binomial(100, 0.0005, 10 * DAY)
    bad[3000:3060] += 20
    hours = hours_of(grid(100 - bad, bad), GOAL)
    (outage,) = hours.outages
    assert (outage.start_minute, outage.hours) == (3000, 1)
    assert outage.bad == pytest.approx(1200, rel=0.01)
    assert hours.rate == pytest.approx(0.0005, rel=0.2)
    assert hours.dispersion < 1.5


def test_independent_logs_rarely_show_an_outage():
    """100 logs with an expected 0.05 false hours each: more than 14 come once in 1,000 runs."""
    rng = np.random.default_rng(6)
    assert sum(len(hours_of(month(100_000, False, rng, days=5), GOAL).outages) for _ in range(100)) <= 14


def test_slices_are_forecast_in_their_own_unit(grid):
    from relkit.slo import in_slices  # noqa: PLC0415

    goal = Objective("slices", "0.99", 7, method="ratio_time_slices")
    told = forecast(in_slices(flat(grid, 3, bad=[(0, 60, 10)]), goal), goal, 7 * DAY, draws=200)
    assert told.left_now == pytest.approx(1 - 6 / (0.01 * 3 * DAY))
