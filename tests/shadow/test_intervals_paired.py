"""Rules that every interval of a paired table keeps: on all 1,820 tables of at most 12 pairs, and on large ones."""

from dataclasses import asdict
from itertools import pairwise, product
from math import isfinite

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import ndtri
from scipy.stats import binomtest
from statsmodels.stats.contingency_tables import SquareTable

from relkit.exceptions import DataError, ParameterError
from relkit.shadow import (
    PairCounts,
    agresti_min,
    bonett_price,
    bowker,
    discordant_odds_ratio,
    mcnemar,
    newcombe,
    paired_ratio,
    stuart_maxwell,
    tango,
    wald,
)

INTERVALS = [tango, newcombe, bonett_price, agresti_min, wald]
LEVELS = [0.5, 0.8, 0.9, 0.95, 0.99, 0.9999]
SMALL_TABLES = [
    PairCounts(a, b, c, n - a - b - c)
    for n in range(13)
    for a, b, c in product(range(n + 1), repeat=3)
    if a + b + c <= n
]
cells = st.integers(0, 10**8)
tables = st.builds(PairCounts, cells, cells, cells, cells)


@pytest.mark.parametrize("interval", INTERVALS)
def test_every_small_table_has_finite_mirrored_limits_that_widen_with_the_level(interval):
    for counts in SMALL_TABLES:
        swapped, limits = counts.swapped(), [interval(counts, level) for level in LEVELS]
        assert all(isfinite(one.low) and isfinite(one.high) and -1 <= one.low <= one.high <= 1 for one in limits), (
            counts
        )
        for narrow, wide in pairwise(limits):
            assert wide.low <= narrow.low + 1e-12, (counts, narrow, wide)
            assert wide.high >= narrow.high - 1e-12, (counts, narrow, wide)
        mirrored = interval(swapped, 0.95)
        assert (mirrored.low, mirrored.high) == (-limits[3].high, -limits[3].low), counts


@pytest.mark.parametrize("interval", INTERVALS)
@pytest.mark.parametrize("level", LEVELS)
def test_every_interval_of_a_small_table_holds_the_estimate(interval, level):
    """At usual levels all of them; those with pseudo-counts are drawn towards 0 and may miss an edge at low levels."""
    if level < 0.9 and interval in {bonett_price, agresti_min}:
        missed = sum(
            not interval(t, level).low - 1e-12 <= (t.delta or 0) <= interval(t, level).high + 1e-12
            for t in SMALL_TABLES
        )
        assert 0 <= missed < len(SMALL_TABLES) / 10
        return
    for counts in SMALL_TABLES:
        found = interval(counts, level)
        assert found.low - 1e-12 <= (counts.delta or 0.0) <= found.high + 1e-12, counts


@given(tables, st.sampled_from(LEVELS), st.sampled_from(INTERVALS))
def test_large_tables_keep_the_same_rules(counts, level, interval):
    found, mirrored = interval(counts, level), interval(counts.swapped(), level)
    assert -1 <= found.low <= found.high <= 1
    assert (mirrored.low, mirrored.high) == (-found.high, -found.low)


@given(st.integers(0, 30), st.integers(0, 30))
def test_wald_excludes_zero_when_its_own_z_does(b, c):
    """Its variance is not that under the hypothesis, so it is no dual of McNemar: the reason why Tango decides."""
    counts = PairCounts(50, b, c, 50)
    variance = b + c - (c - b) ** 2 / counts.n
    z = abs(c - b) / variance**0.5 if variance else 0.0
    if abs(z + float(ndtri(0.025))) > 1e-9:
        assert wald(counts).excludes(0.0) == (z > -float(ndtri(0.025)))


@pytest.mark.parametrize("level", [0.8, 0.95, 0.99])
def test_odds_ratio_excludes_one_exactly_when_its_p_value_is_small(level):
    for b, c in product(range(16), repeat=2):
        counts = PairCounts(3, b, c, 4)
        ratio, test = discordant_odds_ratio(counts, level), mcnemar(counts)
        for low, high, p in ((ratio.low, ratio.high, test.p_exact), (ratio.mid_low, ratio.mid_high, test.p_mid)):
            if abs(p - (1 - level)) > 1e-9:
                assert (low > 1 or (high is not None and high < 1)) == (p < 1 - level), (b, c)


def test_odds_ratio_is_clopper_and_pearson_turned_into_odds():
    for b, c in product(range(8), repeat=2):
        ratio = discordant_odds_ratio(PairCounts(0, b, c, 0))
        if b + c == 0:
            assert (ratio.value, ratio.low, ratio.high, ratio.why_not) == (None, 0.0, None, "no discordant pair")
            continue
        share = binomtest(c, b + c).proportion_ci(method="exact")
        assert ratio.low == pytest.approx(share.low / (1 - share.low), rel=1e-9)
        assert ratio.high is None if b == 0 else ratio.high == pytest.approx(share.high / (1 - share.high), rel=1e-9)
        swapped = discordant_odds_ratio(PairCounts(0, c, b, 0))
        assert ratio.high is None or swapped.low == pytest.approx(1 / ratio.high, rel=1e-12)
        assert (ratio.value is None) == bool(ratio.why_not)


def test_ratio_of_shares_is_finite_mirrored_and_refused_where_an_arm_was_never_right():
    for counts in SMALL_TABLES:
        ratio, swapped = paired_ratio(counts), paired_ratio(counts.swapped())
        never = counts.both + counts.only_primary == 0 or counts.both + counts.only_shadow == 0
        assert (ratio.value is None) == never == bool(ratio.why_not), counts
        if ratio.low is not None and ratio.high is not None:
            assert 0 < ratio.low <= ratio.high < 1e6
            assert (swapped.low, swapped.high) == pytest.approx((1 / ratio.high, 1 / ratio.low), rel=1e-9)


def test_a_level_outside_0_and_1_is_refused():
    for call in (*INTERVALS, discordant_odds_ratio, paired_ratio):
        with pytest.raises(ParameterError, match="level"):
            call(PairCounts(1, 2, 3, 4), 1.0)


# Matrices


@given(st.lists(st.lists(st.integers(1, 60), min_size=4, max_size=4), min_size=4, max_size=4))
def test_square_tests_are_those_of_statsmodels(table):
    theirs = SquareTable(np.array(table), shift_zeros=False)
    for ours, reference in ((bowker(table), theirs.symmetry()), (stuart_maxwell(table), theirs.homogeneity())):
        assert ours.statistic == pytest.approx(reference.statistic, rel=1e-7, abs=1e-9)
        assert (ours.df, ours.p) == (reference.df, pytest.approx(reference.pvalue, rel=1e-7))


@given(tables)
def test_two_actions_are_mcnemar(counts):
    table = [[counts.both, counts.only_primary], [counts.only_shadow, counts.neither]]
    for test in (bowker(table), stuart_maxwell(table)):
        if counts.discordant == 0:
            assert (test.statistic, test.p, bool(test.why_not)) == (None, None, True)
        else:
            assert test.statistic == pytest.approx(mcnemar(counts).z ** 2, rel=1e-9)
            assert test.p == pytest.approx(mcnemar(counts).p_asymptotic, rel=1e-6, abs=1e-300)


def test_an_action_nobody_changes_carries_no_information():
    """A third action that both arms always take together changes neither statistic nor the degrees of Stuart and Maxwell."""
    two, three = [[50, 9], [21, 40]], [[50, 9, 0], [21, 40, 0], [0, 0, 70]]
    assert stuart_maxwell(three).df == stuart_maxwell(two).df == 1
    assert stuart_maxwell(three).statistic == pytest.approx(stuart_maxwell(two).statistic, rel=1e-9)
    assert (bowker(three).df, bowker(three).statistic) == (3, bowker(two).statistic)


def test_transposing_a_matrix_changes_nothing():
    table = [[1520, 266, 124], [234, 1512, 432], [117, 362, 1772]]
    turned = [list(column) for column in zip(*table, strict=True)]
    for test in (bowker, stuart_maxwell):
        assert asdict(test(turned)) == pytest.approx(asdict(test(table)))


@pytest.mark.parametrize("table", [[], [[1]], [[1, 2], [3]], [[1, 2, 3], [4, 5, 6]]])
def test_what_is_no_square_is_refused(table):
    with pytest.raises(DataError, match="a row and a column"):
        bowker(table)


def test_a_cell_that_is_no_count_is_refused_by_its_place():
    with pytest.raises(ParameterError, match=r"table\[1\]\[0\]"):
        stuart_maxwell([[1, 2], [-3, 4]])
