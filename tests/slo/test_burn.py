import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from relkit.exceptions import ParameterError
from relkit.slo import (
    TIERS,
    Minutes,
    MinuteShares,
    Objective,
    burn_of_shares,
    episodes,
    is_dead,
    over,
    threshold_reachable,
    tiers_for,
)
from relkit.slo.burn import burn

GOAL = Objective("availability", "0.999")
MINUTE = st.tuples(st.integers(0, 50), st.integers(0, 5), st.booleans())


def slow_burn(minutes, goal, window):
    """Burn by definition: look at each window anew."""
    rates = []
    for i in range(len(minutes)):
        first = i - window + 1
        if first < 0:
            rates.append(math.nan)
            continue
        part = minutes.slice(minutes.start_minute + first, minutes.start_minute + i + 1)
        if part.totals.valid == 0 or 2 * np.count_nonzero(part.covered) < window:
            rates.append(math.nan)
        else:
            rates.append(float(part.totals.bad / part.totals.valid / goal.budget_share))
    return rates


@given(st.lists(MINUTE, max_size=40), st.integers(1, 12), st.sampled_from(["0.999", "0.9", "1/3"]))
def test_burn_equals_the_direct_computation(drawn, window, target):
    good, bad, covered = (np.array([row[i] for row in drawn]) for i in range(3))
    covered = covered.astype(bool)
    good, bad = (np.where(covered, counts, 0).astype(np.int64) for counts in (good, bad))
    none = np.zeros_like(good)
    minutes, goal = Minutes(1000, good, bad, none, none, covered), Objective("a", target)
    np.testing.assert_allclose(burn(minutes, goal, window), slow_burn(minutes, goal, window), rtol=1e-12)


def test_a_burn_of_exactly_the_factor_does_not_fire(grid):
    """14.4 x 0.001 is 0.014400000000000001 in binary; by whole numbers 144 of 10,000 burn at exactly 14.4."""
    assert 144 / 10_000 / (1 - 0.999) != 14.4
    rate = burn(grid([9_856], [144]), GOAL, 1)
    assert rate.tolist() == [14.4]
    assert not over(rate, 14.4).any()
    assert over(burn(grid([9_855], [145]), GOAL, 1), 14.4).all()


def test_no_traffic_is_no_burn_rate(grid):
    rates = burn(grid([0, 0, 10], [0, 0, 0]), GOAL, 2)
    assert np.isnan(rates[:2]).all()
    assert rates[2] == 0.0


def test_a_window_with_less_than_half_of_its_minutes_is_untold(grid):
    covered = [True, False, True, False, False, False]
    rates = burn(grid([9, 0, 9, 0, 0, 0], [1, 0, 1, 0, 0, 0], covered), GOAL, 4)
    assert rates[3] == 100.0  # two of four
    assert np.isnan(rates[4:]).all()  # one of four


def test_a_window_longer_than_the_grid_is_never_full(grid):
    assert np.isnan(burn(grid([1, 1], [0, 0]), GOAL, 3)).all()
    assert burn(grid([], []), GOAL, 3).size == 0


def test_counts_beyond_exact_floats_are_still_right(grid):
    rates = burn(grid([9 * 10**17], [10**17]), Objective("a", "0.999999999999"), 1)
    assert rates[0] == pytest.approx(1e11, rel=1e-12)


@pytest.mark.parametrize("window", [0, -1, 1.5, True])
def test_a_window_is_whole_minutes(grid, window):
    with pytest.raises(ParameterError, match="window_minutes"):
        burn(grid([1], [0]), GOAL, window)


@pytest.mark.parametrize(
    ("share", "lasts", "window", "factor", "fires_after_minutes"),
    [(15, 10, 60, 14.4, 6), (5, 60, 60, 14.4, 18), (1, 300, 360, 6, 217)],
)
def test_time_to_alert_is_window_times_factor_over_burn(grid, share, lasts, window, factor, fires_after_minutes):
    """T = w b / beta: 5.76, 17.28 and 216 min. The last is an equality, and strict: it fires a minute later."""
    healthy, per_minute = 400, 6_000
    bad = [0] * healthy + [per_minute * share // 100] * lasts
    rates = burn(grid([per_minute - each for each in bad], bad), GOAL, window)
    (first, _), *_ = episodes(over(rates, factor), 0)
    assert first - healthy + 1 == fires_after_minutes


def test_shares_weigh_every_minute_alike(grid):
    good, bad = [990, 0], [10, 1]
    assert burn(grid(good, bad), GOAL, 2)[1] == pytest.approx(1000 * 11 / 1001)
    by_share = burn_of_shares(MinuteShares(0, [0.99, 0.0], "demo"), GOAL, 2)[1]
    assert by_share == pytest.approx(505)


@given(st.lists(st.one_of(st.floats(0, 1), st.just(math.nan)), max_size=40), st.integers(1, 12), st.booleans())
def test_burn_of_shares_equals_the_direct_computation(shares, window, full_only):
    rates = burn_of_shares(MinuteShares(0, shares, "demo"), GOAL, window, full_only=full_only)
    for i, rate in enumerate(rates):
        part = np.array(shares[max(0, i - window + 1) : i + 1])
        there = part[~np.isnan(part)]
        if (full_only and len(part) < window) or there.size == 0 or 2 * there.size < len(part):
            assert math.isnan(rate)
        else:
            assert rate == pytest.approx(np.mean(1 - there) / 0.001, rel=1e-9, abs=1e-8)


def test_after_an_outage_a_clean_window_is_exactly_zero():
    shares = MinuteShares(0, [0.1, 0.7, 0.3] * 20 + [1.0] * 10, "demo")
    assert burn_of_shares(shares, GOAL, 5)[-1] == 0.0


def test_episodes_are_maximal_runs():
    assert episodes(np.array([True, True, False, True]), 7) == [(7, 9), (10, 11)]
    assert episodes(np.zeros(0, dtype=bool), 7) == []


def test_tiers_are_those_of_the_workbook():
    shares = [(tier.severity, tier.factor, tier.spent_share(30)) for tier in TIERS]
    assert shares == [("page", 14.4, 0.02), ("page", 6.0, 0.05), ("ticket", 3.0, 0.1), ("ticket", 1.0, 0.1)]
    assert [(tier.long_minutes, tier.short_minutes) for tier in TIERS] == [(60, 5), (360, 30), (1440, 120), (4320, 360)]


@pytest.mark.parametrize(
    ("factor", "target", "reachable"),
    [
        (14.4, "0.999", True),
        (14.4, "0.9305", False),  # 1 - 1/14.4 = 0.930556
        (14.4, "0.9306", True),
        (10, "0.9", False),  # exactly 1 / (1 - target): a total outage is not over it
        (10, "0.9001", True),
        (6, "0.8333", False),
        (3, "0.6667", True),
        (2, "0.5", False),  # the plan's P50
        (1.9, "0.5", True),
    ],
)
def test_a_factor_at_or_above_a_total_outage_never_fires(grid, factor, target, reachable):
    goal = Objective("a", target)
    assert threshold_reachable(factor, goal) is reachable
    assert over(burn(grid([0], [10]), goal, 1), factor).any() == reachable


def nezha(rows):
    minutes = np.array([int(row["unix_s"]) // 60 for row in rows])
    share = np.full(minutes[-1] - minutes[0] + 1, np.nan)
    share[minutes - minutes[0]] = [float(row["success_rate_pct"]) / 100 for row in rows]
    return MinuteShares(int(minutes[0]), share, "nezha-2022-08-22-frontend-minutes")


@pytest.mark.traces
def test_nezha_burns_at_5_9_over_the_whole_log(trace):
    shares = nezha(trace("nezha-2022-08-22-frontend-minutes.csv"))
    assert (len(shares), shares.coverage) == (1209, 1.0)
    assert round(100 * float(np.mean(shares.share)), 2) == 99.41
    assert int((shares.share < 0.99).sum()) == 22
    assert round(float(burn_of_shares(shares, GOAL, len(shares))[-1]), 1) == 5.9
    assert not is_dead(shares, flowing=True)


@pytest.mark.traces
def test_nezha_is_over_10_in_141_minutes_with_cut_windows_and_94_with_full_ones(trace):
    shares = nezha(trace("nezha-2022-08-22-frontend-minutes.csv"))
    cut = over(burn_of_shares(shares, GOAL, 60, full_only=False), 10)
    full = over(burn_of_shares(shares, GOAL, 60), 10)
    assert (int(cut.sum()), int(full.sum()), int(cut[:59].sum())) == (141, 94, 47)
    assert (cut[59:] == full[59:]).all()


@pytest.mark.parametrize("days", [7, 28, 30, 90])
def test_tiers_of_another_window_spend_the_same_shares(days):
    shares = [tier.spent_share(days) for tier in tiers_for(days)]
    assert shares == pytest.approx([0.02, 0.05, 0.1, 0.1])
