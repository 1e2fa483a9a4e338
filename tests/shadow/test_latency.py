"""Signed ranks and typical ratios: scipy's on the same data, exactness, histograms against raw values, sessions."""

from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import wilcoxon

from relkit.exceptions import DataError, ParameterError
from relkit.shadow import Differences, hodges_lehmann, signed_rank, typical_ratio
from relkit.shadow.study import BUCKETS, PER_DOUBLING, Binned

few = st.lists(st.integers(-6, 6), min_size=1, max_size=10)


def binned(log2: np.ndarray, sessions: np.ndarray | None = None, per_doubling: int = PER_DOUBLING) -> Binned:
    """The reading of the store, in memory."""
    place = np.rint(log2 * per_doubling).astype(np.int64)
    group = (np.arange(log2.size) if sessions is None else sessions) % BUCKETS
    times = np.zeros((BUCKETS, int(place.max() - place.min()) + 1), dtype=np.int64)
    np.add.at(times, (group, place - place.min()), 1)
    return Binned(per_doubling, int(place.min()), times)


def drawn(seed: int, n: int, slower: float = 1.0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return np.log2(slower) + 0.4 * rng.standard_normal(n) + 0.2 * rng.exponential(size=n) - 0.2


@pytest.mark.parametrize("zeros", ["pratt", "drop"])
@pytest.mark.parametrize("seed", range(6))
def test_large_samples_are_scipys_with_ties_and_zeros(seed, zeros):
    values = np.rint(4 * drawn(seed, 500, 1.05)) / 4
    ours = signed_rank(Differences.of(values), zeros)
    theirs = wilcoxon(values, zero_method={"pratt": "pratt", "drop": "wilcox"}[zeros], method="approx")
    assert ours.zeros == int((values == 0).sum()) > 50
    assert (abs(ours.z), ours.p) == (
        pytest.approx(abs(theirs.zstatistic), rel=1e-9),
        pytest.approx(theirs.pvalue, rel=1e-9),
    )


@given(few, st.sampled_from(["pratt", "drop"]))
def test_small_samples_are_the_count_of_sign_patterns(values, zeros):
    test = signed_rank(Differences.of(values), zeros)
    kept = [value for value in values if zeros == "pratt" or value]
    sizes = np.array([(sum(abs(o) < abs(v) for o in kept) + sum(abs(o) <= abs(v) for o in kept) + 1) / 2 for v in kept])
    if not any(values):
        assert (test.p, test.why_not) == (None, "no pair differs")
        return
    ranks = [rank for rank, value in zip(sizes, kept, strict=True) if value]
    w = sum(rank * np.sign(value) for rank, value in zip(sizes, kept, strict=True))
    sums = np.array([np.dot(signs, ranks) for signs in product((1, -1), repeat=len(ranks))])
    assert test.exact
    assert test.p == pytest.approx(np.mean(np.abs(sums) >= abs(w) - 1e-9), abs=1e-12)
    assert test.p_slower == pytest.approx(np.mean(sums >= w - 1e-9), abs=1e-12)
    assert test.p_faster == pytest.approx(np.mean(sums <= w + 1e-9), abs=1e-12)


@given(few)
def test_swapping_the_arms_mirrors_ranks_and_estimate(values):
    one, other = Differences.of(values), Differences.of([-value for value in values])
    there, back = signed_rank(one), signed_rank(other)
    assert (there.p, there.p_slower) == pytest.approx((back.p, back.p_faster), abs=1e-9)
    typical, mirrored = hodges_lehmann(one), hodges_lehmann(other)
    assert typical.value == pytest.approx(-mirrored.value)
    if typical.low is not None:
        assert (typical.low, typical.high) == pytest.approx((-mirrored.high, -mirrored.low))


@given(st.lists(st.floats(-3, 3, allow_subnormal=False), min_size=1, max_size=25))
def test_the_typical_difference_is_the_median_of_all_means(values):
    means = [(x + y) / 2 for i, x in enumerate(values) for y in values[i:]]
    typical = hodges_lehmann(Differences.of(values))
    assert typical.value == pytest.approx(np.median(means), abs=1e-12)
    assert (typical.low is None) == (len(values) < 6) == bool(typical.why_not)
    if typical.low is not None:
        assert min(abs(typical.low - mean) for mean in means) < 1e-12
        assert typical.low <= typical.value <= typical.high


def test_the_interval_holds_what_the_signed_rank_does_not_reject():
    values = drawn(5, 30)
    typical = hodges_lehmann(Differences.of(values))
    for shift, kept in (
        (typical.low + 1e-6, True),
        (typical.low - 1e-6, False),
        (typical.high - 1e-6, True),
        (typical.high + 1e-6, False),
    ):
        assert (signed_rank(Differences.of(values).moved(shift)).p > 0.05) == kept


def test_a_histogram_says_what_the_values_say():
    """Reference: ratios of 200,000 pairs, z 1.78068; bins of .002 give 1.78171 and of .01 1.79183. Here 300 bins a doubling (.0023)."""
    log2 = drawn(8, 50_000, 1.004)
    raw, histogram = Differences.of(log2), Differences.binned(binned(log2))
    z, coarse = signed_rank(raw).z, signed_rank(Differences(histogram.values, histogram.times)).z
    assert coarse == pytest.approx(z, abs=0.01)
    ours, exact = typical_ratio(binned(log2)), hodges_lehmann(raw)
    for place in ("value", "low", "high"):
        assert np.log2(getattr(ours, place)) == pytest.approx(getattr(exact, place), abs=1 / PER_DOUBLING)


def test_pairs_of_their_own_make_a_design_effect_of_one():
    grouped = signed_rank(Differences.binned(binned(drawn(4, 1_000))))
    assert grouped.design_effect == pytest.approx(1, abs=0.15)
    assert grouped.groups == 1_000


def test_sessions_that_go_together_widen_the_interval():
    """300 sessions of 8 alike pairs are worth 300: their interval is about root 8 times as wide."""
    rng = np.random.default_rng(11)
    one = rng.standard_normal(300)
    copies, sessions = np.repeat(one, 8), np.repeat(np.arange(300), 8)
    alone, together = Differences.of(copies), Differences.of(copies, sessions)
    width = [typical.high - typical.low for typical in (hodges_lehmann(alone), hodges_lehmann(together))]
    assert width[1] / width[0] == pytest.approx(8**0.5, rel=0.1)
    assert signed_rank(together).design_effect == pytest.approx(8, rel=0.05)
    assert signed_rank(together).z == pytest.approx(signed_rank(Differences.of(one)).z, abs=0.05)


def test_the_interval_of_sessions_covers():
    """12 seeds x 12 sets of 60 sessions with 6 pairs and a common session part: coverage .95 within 4 standard errors (.073)."""
    covered = 0
    for seed in range(12):
        rng = np.random.default_rng(seed)
        for _ in range(12):
            values = 0.05 + np.repeat(0.3 * rng.standard_normal(60), 6) + 0.3 * rng.standard_normal(360)
            typical = hodges_lehmann(Differences.of(values, np.repeat(np.arange(60), 6)))
            covered += typical.low <= 0.05 <= typical.high
    assert abs(covered / 144 - 0.95) <= 4 * (0.95 * 0.05 / 144) ** 0.5


def test_a_hundred_million_pairs_cost_what_their_bins_cost():
    times = np.zeros((BUCKETS, 601), dtype=np.int64)
    times[:] = np.random.default_rng(2).poisson(160, (BUCKETS, 601))
    typical = typical_ratio(Binned(PER_DOUBLING, -300, times))
    assert typical.pairs > 9e7
    assert typical.low <= typical.value <= typical.high
    assert typical.value == pytest.approx(1, abs=0.01)


def test_too_little_is_said_and_nothing_is_nan():
    empty = Binned(PER_DOUBLING, 0, np.zeros((BUCKETS, 1), dtype=np.int64))
    assert (typical_ratio(empty).value, typical_ratio(empty).why_not) == (None, "no pair")
    assert signed_rank(Differences.binned(empty)).why_not == "no pair"
    alone = Differences.of([0.1, 0.2, -0.3], [1, 1, 2])
    assert "2 groups" in signed_rank(alone).why_not
    assert (hodges_lehmann(alone).low, bool(hodges_lehmann(alone).why_not)) == (None, True)
    alike = Differences.of([0.5] * 20, list(range(20)))
    assert (signed_rank(alike).p, "alike" in signed_rank(alike).why_not) == (None, True)


def test_what_is_no_difference_is_refused():
    with pytest.raises(DataError, match="finite"):
        Differences.of([0.1, float("inf")])
    with pytest.raises(DataError, match="one for each"):
        Differences.of([0.1, 0.2], [1])
    with pytest.raises(ParameterError, match="pratt or drop"):
        signed_rank(Differences.of([0.1]), "zsplit")
