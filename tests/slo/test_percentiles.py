import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binom

from relkit.exceptions import DataError, ParameterError
from relkit.slo import Latency, latency_of, rank_interval


def test_published_ranks():
    assert rank_interval(10_000, 0.99) == (9880, 9920)
    assert (int(binom.ppf(0.025, 333, 0.99)), int(binom.ppf(0.975, 333, 0.99)) + 1) == (326, 334)


def test_daily_p99_at_10000_requests_a_month_is_not_identified():
    assert rank_interval(333, 0.99) is None  # it would reach rank 334 of 333


@given(st.integers(1, 20_000), st.sampled_from([0.05, 0.5, 0.95, 0.99]), st.sampled_from([0.8, 0.95]))
def test_ranks_are_binomial_quantiles(n, q, level):
    low, high = (int(binom.ppf(tail, n, q)) for tail in ((1 - level) / 2, 1 - (1 - level) / 2))
    expected = (low, high + 1) if low >= 1 and high + 1 <= n else None
    assert rank_interval(n, q, level) == expected


@given(st.integers(1, 3_000), st.sampled_from([0.5, 0.95, 0.99]))
def test_the_interval_holds_its_level(n, q):
    ranks = rank_interval(n, q)
    if ranks:
        assert binom.cdf(ranks[1] - 1, n, q) - binom.cdf(ranks[0] - 1, n, q) >= 0.95 - 1e-12


@pytest.mark.parametrize(("n", "q", "level"), [(-1, 0.5, 0.95), (10, 0.0, 0.95), (10, 1.0, 0.95), (10, 0.5, 1.0)])
def test_impossible_arguments_are_refused(n, q, level):
    with pytest.raises(ParameterError):
        rank_interval(n, q, level)


def test_latency_of_an_array():
    shown = latency_of(np.arange(10_000, 0, -1))
    assert (shown.n, shown.p50_us, shown.p99_interval_us) == (10_000, 5000.5, (9880.0, 9920.0))
    assert shown.ranks(0.99) == (9880, 9920)
    assert latency_of(np.array([], dtype=np.int64)) == Latency(0, None, None, None)
    assert latency_of(np.array([5])) == Latency(1, 5.0, 5.0, 5.0)
    with pytest.raises(DataError, match="flat"):
        latency_of(np.zeros((2, 2), dtype=np.int64))
