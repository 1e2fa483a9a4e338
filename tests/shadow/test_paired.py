"""Published figures, exact symmetries and the simulated level of the paired tests."""

from itertools import product
from math import isfinite, sqrt

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import ndtri
from scipy.stats import binom, binomtest
from statsmodels.stats.contingency_tables import mcnemar as statsmodels_mcnemar

from relkit.exceptions import ParameterError
from relkit.shadow import Interval, PairCounts, mcnemar, non_inferiority_p, sample_growth, tango, tango_z
from relkit.shadow.plan_z import plan_z

Z95 = float(-ndtri(0.025))
SMALL_TABLES = [
    PairCounts(a, b, c, n - a - b - c)
    for n in range(13)
    for a, b, c in product(range(n + 1), repeat=3)
    if a + b + c <= n
]
cells = st.integers(0, 10**8)
tables = st.builds(PairCounts, cells, cells, cells, cells)
few = st.integers(0, 40)
small_tables = st.builds(PairCounts, few, few, few, few)
levels = st.sampled_from([0.5, 0.8, 0.9, 0.95, 0.99, 0.9999])


def numbers(test) -> list[float]:
    return [getattr(test, name) for name in type(test).__slots__]


# Published figures


def test_cavo_2012_to_the_printed_digits():
    """contingencytables, test-ch8.R: 59, 6, 16, 80; printed there for first minus second arm."""
    counts = PairCounts(both=59, only_primary=6, only_shadow=16, neither=80)
    test, interval = mcnemar(counts), tango(counts)
    assert f"{test.z:.3f}" == "2.132"
    assert f"{test.p_asymptotic:.6f}" == "0.033006"
    assert f"{test.p_exact:.6f}" == "0.052479"
    assert f"{test.p_mid:.6f}" == "0.034690"
    assert (f"{-interval.high:.4f}", f"{-interval.low:.4f}") == ("-0.1240", "-0.0054")


@pytest.mark.parametrize(
    ("b", "c", "exact", "chi2"),
    [
        (121, 59, "0.000004", 21.35556),
        (70, 59, "0.378688", 0.9379845),
        (80, 59, "0.089452", 3.17266187),
        (30, 60, "0.002060", None),
    ],
)
def test_statsmodels_table(b, c, exact, chi2):
    test = mcnemar(PairCounts(0, b, c, 0))
    assert f"{test.p_exact:.6f}" == exact
    assert chi2 is None or test.z**2 == pytest.approx(chi2, rel=1e-6)


def test_tango_of_a_degenerate_table_is_finite():
    interval = tango(PairCounts(0, 0, 3, 0))
    assert f"{interval.low:.4f}" == "-0.1230"
    assert interval.high == 1.0
    assert tango(PairCounts(0, 3, 0, 0)) == Interval(-1.0, -interval.low, 0.95)


def test_newcombe_worked_table():
    counts = PairCounts(both=36, only_primary=2, only_shadow=12, neither=0)
    interval = tango(counts)
    assert counts.delta == 0.2
    assert (f"{interval.low:.4f}", f"{interval.high:.4f}") == ("0.0611", "0.3447")


def test_the_table_behind_the_side_by_side():
    counts = PairCounts(3520, 96, 64, 320)
    interval = tango(counts)
    assert counts.delta == -0.008
    assert (f"{counts.primary_share:.3f}", f"{counts.shadow_share:.3f}") == ("0.904", "0.896")
    assert f"{mcnemar(counts).p_mid:.6f}" == "0.011437"
    assert (f"{100 * interval.low:.3f}", f"{100 * interval.high:.3f}") == ("-1.434", "-0.182")
    assert f"{non_inferiority_p(counts, 0.01):.4f}" == "0.2645"
    assert f"{non_inferiority_p(counts, 0.02):.6f}" == "0.000166"


def test_without_discordant_pairs_the_interval_has_a_width():
    """A4: 1,000 pairs that agree allow ±.00383, which is z²/(n + z²)."""
    interval = tango(PairCounts(900, 0, 0, 100))
    assert f"{interval.high:.5f}" == "0.00383"
    assert interval.high == pytest.approx(Z95**2 / (1000 + Z95**2), rel=1e-12)
    assert interval.low == -interval.high
    assert mcnemar(PairCounts(900, 0, 0, 100)).p_mid == 1


def test_without_pairs_nothing_is_known():
    counts = PairCounts(0, 0, 0, 0)
    assert tango(counts) == Interval(-1.0, 1.0, 0.95)
    assert (counts.delta, counts.primary_share, counts.shadow_share) == (None, None, None)
    assert (tango_z(counts, 0.1), non_inferiority_p(counts, 0.01), mcnemar(counts).p_mid) == (0.0, 1.0, 1.0)


def test_a_tie_follows_fagerland():
    assert mcnemar(PairCounts(0, 5, 5, 0)).p_mid == pytest.approx(1 - binom.pmf(5, 10, 0.5) / 2, rel=1e-12)
    assert mcnemar(PairCounts(0, 5, 5, 0)).p_exact == 1


# All 1,820 tables with at most 12 pairs


def test_there_are_1820_small_tables():
    assert len(SMALL_TABLES) == 1820


@pytest.mark.parametrize("level", [0.8, 0.95, 0.999])
def test_every_small_table_is_finite_dual_and_mirrored(level):
    z_level = float(-ndtri((1 - level) / 2))
    for counts in SMALL_TABLES:
        interval, test = tango(counts, level), mcnemar(counts)
        assert -1 <= interval.low <= (counts.delta or 0) <= interval.high <= 1, counts
        assert all(isfinite(number) for number in numbers(test)), counts
        assert interval.excludes(0.0) == (abs(test.z) > z_level), counts
        mirrored = tango(counts.swapped(), level)
        assert (mirrored.low, mirrored.high) == (-interval.high, -interval.low), counts
        assert mcnemar(counts.swapped()).z == -test.z, counts


def test_every_limit_of_a_small_table_solves_its_equation():
    for counts in SMALL_TABLES:
        interval = tango(counts)
        for limit, z in ((interval.low, Z95), (interval.high, -Z95)):
            if -1 < limit < 1 and counts.n:
                assert tango_z(counts, limit) == pytest.approx(z, abs=1e-6), counts


def test_the_statistic_falls_as_the_hypothesis_rises():
    """So the root that bisection finds is the only one."""
    grid = np.linspace(-0.999, 0.999, 112)
    for counts in {PairCounts(0, t.only_primary, t.only_shadow, t.n - t.discordant) for t in SMALL_TABLES if t.n}:
        z = [tango_z(counts, delta) for delta in grid]
        assert max(np.diff(z)) <= 1e-9, counts


# Properties


@given(tables, levels)
def test_large_tables_are_finite_dual_and_mirrored(counts, level):
    interval, test = tango(counts, level), mcnemar(counts)
    assert -1 <= interval.low <= (counts.delta or 0) <= interval.high <= 1
    assert all(isfinite(number) for number in numbers(test))
    assert all(0 <= number <= 1 for number in numbers(test)[1:])
    assert interval.excludes(0.0) == (abs(test.z) > float(-ndtri((1 - level) / 2)))
    mirrored = tango(counts.swapped(), level)
    assert (mirrored.low, mirrored.high) == (-interval.high, -interval.low)


@given(tables)
def test_one_sided_p_values_are_two_views_of_one_number(counts):
    test, swapped = mcnemar(counts), mcnemar(counts.swapped())
    assert (test.p_harm_mid, test.p_benefit_mid) == (swapped.p_benefit_mid, swapped.p_harm_mid)
    assert test.p_harm_mid + test.p_benefit_mid == pytest.approx(1, abs=1e-9)
    assert (test.z < 0) <= (test.p_harm_mid < 0.5 + 1e-9)


@given(small_tables)
def test_exact_and_mid_p_are_the_binomials(counts):
    b, c, m = counts.only_primary, counts.only_shadow, counts.discordant
    test = mcnemar(counts)
    assert test.p_exact == pytest.approx(binomtest(c, m).pvalue if m else 1, rel=1e-9)
    if b != c:
        assert test.p_mid == pytest.approx(test.p_exact - binom.pmf(min(b, c), m, 0.5), rel=1e-8, abs=1e-15)
    assert test.p_mid <= test.p_exact
    theirs = statsmodels_mcnemar([[0, b], [c, 0]], exact=True)
    assert test.p_exact == pytest.approx(min(1, theirs.pvalue), rel=1e-9)


@given(small_tables, st.floats(0, 0.5))
def test_non_inferior_by_p_is_non_inferior_by_interval(counts, margin):
    p, low = non_inferiority_p(counts, margin), tango(counts).low
    if abs(p - 0.025) > 1e-9:
        assert (p < 0.025) == (low > -margin)


@given(small_tables, st.sampled_from([2, 10, 1000]))
def test_more_of_the_same_narrows_the_interval(counts, times):
    more = PairCounts(
        counts.both * times, counts.only_primary * times, counts.only_shadow * times, counts.neither * times
    )
    wide, narrow = tango(counts), tango(more)
    assert narrow.high - narrow.low <= wide.high - wide.low


@given(tables, st.floats(-0.999999, 0.999999))
def test_the_statistic_is_finite_and_mirrored(counts, delta0):
    assert isfinite(tango_z(counts, delta0))
    assert tango_z(counts.swapped(), -delta0) == -tango_z(counts, delta0)


def test_a_hundred_million_pairs_agree_with_the_normal_limit():
    """At this size mid-p and asymptotic p differ by less than one in a million, unless a sum has lost its digits."""
    for b, c in ((10**8, 10**8 + 20_000), (50_000_000, 50_000_001), (10**8 - 40_000, 10**8)):
        test = mcnemar(PairCounts(10**8, b, c, 10**8))
        assert test.p_mid == pytest.approx(test.p_asymptotic, rel=1e-5)


# What is refused


@pytest.mark.parametrize("got", [-1, 1.5, True, "3", None])
def test_counts_are_whole_numbers(got):
    with pytest.raises(ParameterError, match="only_shadow"):
        PairCounts(1, 1, got, 1)


def test_counts_of_numpy_become_plain():
    counts = PairCounts(*np.array([1, 2, 3, 4]))
    assert counts == PairCounts(1, 2, 3, 4)
    assert type(counts.both) is int


@pytest.mark.parametrize(
    "call",
    [
        lambda counts: tango(counts, 1.0),
        lambda counts: tango(counts, 0.0),
        lambda counts: tango(counts, float("nan")),
        lambda counts: tango_z(counts, 1.0),
        lambda counts: tango_z(counts, -1.0),
        lambda counts: non_inferiority_p(counts, -0.01),
        lambda counts: non_inferiority_p(counts, 1.0),
    ],
)
def test_shares_outside_their_range_are_refused(call):
    with pytest.raises(ParameterError, match="is not acceptable"):
        call(PairCounts(1, 2, 3, 4))


# Level


def level_by_enumeration(p: float, rho: float, n: int, statistic: str) -> float:
    """The level of a McNemar test as a sum over all numbers of discordant pairs: no simulation in it."""
    discordant = 2 * p * (1 - p) * (1 - rho)
    total = 0.0
    for m in range(int(binom.ppf(1e-10, n, discordant)), int(binom.isf(1e-10, n, discordant)) + 1):
        c = np.arange(m + 1)
        rejected = [getattr(mcnemar(PairCounts(0, m - k, k, 0)), statistic) <= 0.05 for k in range(m // 2 + 1)]
        rejected += rejected[: m - m // 2][::-1]
        total += binom.pmf(m, n, discordant) * binom.pmf(c[np.array(rejected)], m, 0.5).sum()
    return total


def test_level_of_the_mid_p_test_at_p_90_rho_60():
    """Reference row (.90, .6): theory by enumeration against 12 seeds of 5,000 experiments of 1,000 pairs.

    Mid-p .0486, exact .0380; the plan's z .0047 (P(Z > 1.645/sqrt(.4))). Each of the three comparisons is at 4 standard
    errors, so this test raises a false alarm with probability 3 x 6.3e-5 = 2e-4 for a new set of seeds.
    """
    p, rho, n, replications = 0.90, 0.6, 1000, 5000
    both = p * p + rho * p * (1 - p)
    shares = [both, p - both, p - both, 1 - 2 * p + both]
    rejected = np.zeros(3)
    for seed in range(12):
        drawn, times = np.unique(
            np.random.default_rng(seed).multinomial(n, shares, size=replications)[:, :3], axis=0, return_counts=True
        )
        verdicts: dict[tuple[int, int], tuple[bool, bool]] = {}
        for (a, b, c), weight in zip(drawn.tolist(), times.tolist(), strict=True):
            if (b, c) not in verdicts:
                test = mcnemar(PairCounts(0, b, c, 0))
                verdicts[b, c] = test.p_mid <= 0.05, test.p_exact <= 0.05
            rejected[:2] += np.array(verdicts[b, c]) * weight
            rejected[2] += plan_z(PairCounts(a, b, c, n - a - b - c)).statistically_significant * weight
    runs = 12 * replications
    expected = [level_by_enumeration(p, rho, n, "p_mid"), level_by_enumeration(p, rho, n, "p_exact"), 0.0047]
    assert expected[0] == pytest.approx(0.0486, abs=0.0007)
    for seen, theory in zip(rejected / runs, expected, strict=True):
        assert abs(seen - theory) <= 4 * sqrt(theory * (1 - theory) / runs), (rejected / runs, expected)


@given(small_tables, st.sampled_from([0.0, 0.05, 0.2]))
def test_growth_is_the_sample_at_which_the_interval_reaches_the_margin(counts, margin):
    growth, interval = sample_growth(counts, margin), tango(counts)
    if growth is not None and abs(growth - 1) > 1e-9:
        assert (growth > 1) == (interval.low < -margin < interval.high)


def test_growth_is_exact_for_a_table_that_grows_as_told():
    counts = PairCounts(3520, 96, 64, 320)
    growth = sample_growth(counts, 0.01)
    for factor, decided in ((growth * 0.99, False), (growth * 1.01, True)):
        grown = PairCounts(*(round(cell * factor) for cell in (3520, 96, 64, 320)))
        assert tango(grown).excludes(-0.01) == decided
