"""Evidence and confidence sequences: integrals, duality, symmetry, running p-values, refusals."""

from itertools import pairwise
from math import exp, isfinite, log

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.integrate import quad
from scipy.stats import beta, binom

from relkit.exceptions import DataError, ParameterError
from relkit.shadow import (
    PairCounts,
    SessionSums,
    e_pairs,
    e_rate,
    e_sessions,
    mixture_bound,
    mixture_rho,
    session_sequence,
    share_sequence,
    watch_pairs,
    watch_sessions,
)

small = st.integers(0, 40)
large = st.integers(0, 10**8)


@given(small, small, st.sampled_from([0.5, 1.0, 10.0, 50.0]))
def test_evidence_is_the_integral_over_the_prior(b, c, prior):
    def likelihood(share: float) -> float:
        return (2 * share) ** c * (2 - 2 * share) ** b * beta.pdf(share, prior, prior)

    found = e_pairs(PairCounts(0, b, c, 0), prior)
    if prior > 0.5:  # the arcsine prior has poles at the ends, which quad does not like
        harm, benefit = quad(likelihood, 0, 0.5)[0], quad(likelihood, 0.5, 1)[0]
        assert exp(found.log_e) == pytest.approx(harm + benefit, rel=1e-6)
        assert exp(found.log_e_harm) == pytest.approx(2 * harm, rel=1e-6, abs=1e-12)
    assert exp(found.log_e_harm) + exp(found.log_e_benefit) == pytest.approx(2 * exp(found.log_e), rel=1e-9)


@given(st.integers(1, 60))
def test_evidence_has_mean_one_when_the_coin_is_fair(m):
    c = np.arange(m + 1)
    for name in ("log_e", "log_e_harm", "log_e_benefit"):
        values = [exp(getattr(e_pairs(PairCounts(0, m - k, k, 0)), name)) for k in c.tolist()]
        assert np.dot(binom.pmf(c, m, 0.5), values) == pytest.approx(1, rel=1e-9)


@given(st.integers(1, 60), st.sampled_from([0.01, 0.05, 0.5]))
def test_evidence_on_a_rate_has_mean_one_at_the_limit_and_less_below(n, limit):
    k = np.arange(n + 1)
    values = [exp(e_rate(failures, n, limit).log_e_harm) for failures in k.tolist()]
    assert np.dot(binom.pmf(k, n, limit), values) == pytest.approx(1, rel=1e-7)
    assert np.dot(binom.pmf(k, n, limit / 2), values) < 1
    assert all(later > earlier for earlier, later in pairwise(values))


@given(large, large, st.sampled_from([0.5, 10.0]))
def test_evidence_of_large_tables_is_finite_mirrored_and_never_against_the_data(b, c, prior):
    one, other = e_pairs(PairCounts(1, b, c, 1), prior), e_pairs(PairCounts(1, c, b, 1), prior)
    assert (one.log_e_harm, one.log_e_benefit) == (other.log_e_benefit, other.log_e_harm)
    assert one.log_e == pytest.approx(other.log_e)
    assert all(isfinite(value) for value in (one.log_e, one.log_e_harm, one.log_e_benefit))
    assert one.log_e_harm < 1e-6 or b > c
    assert one.log_e_benefit < 1e-6 or c > b


@given(st.integers(-300, 300), st.integers(0, 90_000), st.sampled_from([0.001, 0.05, 0.2]))
def test_the_mixture_reaches_its_height_exactly_at_its_bound(s, v, alpha):
    rho = mixture_rho(100, alpha)
    found, bound = e_sessions(s, v, rho), mixture_bound(v, rho, alpha)
    if abs(abs(s) - bound) > 1e-9:
        assert (found.log_e > log(1 / alpha)) == (abs(s) > bound)
    assert np.logaddexp(found.log_e_harm, found.log_e_benefit) == pytest.approx(found.log_e + log(2), abs=1e-9)
    assert e_sessions(-s, v, rho).log_e_harm == found.log_e_benefit


def test_the_mixture_is_tightest_where_it_was_tuned():
    """At v = 500 no other rho of a wide grid has a lower bound (rho is optimal to the order of 1/ln(1/alpha): 1 %)."""
    tuned = mixture_bound(500, mixture_rho(500))
    assert all(
        mixture_bound(500, mixture_rho(500) * factor) > 0.99 * tuned for factor in (0.1, 0.3, 0.7, 1.5, 3.0, 10.0)
    )


@given(small, small, st.sampled_from([1.0, 10.0]), st.sampled_from([0.9, 0.95]))
def test_the_share_excludes_one_half_exactly_when_the_evidence_says_so(b, c, prior, level):
    counts = PairCounts(9, b, c, 9)
    share, evidence = share_sequence(counts, level, prior), e_pairs(counts, prior)
    assert 0 <= share.low <= share.high <= 1
    if b + c:
        assert share.low <= c / (b + c) <= share.high
    if abs(evidence.log_e - log(1 / (1 - level))) > 1e-9:
        assert share.excludes(0.5) == (evidence.log_e > log(1 / (1 - level)))
    mirrored = share_sequence(counts.swapped(), level, prior)
    assert (share.low, share.high) == pytest.approx((1 - mirrored.high, 1 - mirrored.low), abs=1e-12)


def session_looks(seed: int, shift: float = 0.0) -> list[SessionSums]:
    rng = np.random.default_rng(seed)
    m = np.minimum(rng.geometric(1 / 6, 600), 60)
    d = rng.binomial(m, 0.05) - rng.binomial(m, 0.05 + shift)
    return [
        SessionSums(
            k, m[:k].sum(), d[:k].sum(), (d[:k] ** 2).sum(), (d[:k] * m[:k]).sum(), (m[:k] ** 2).sum(),
            (d[:k] > 0).sum(), (d[:k] < 0).sum(), (d[:k] == 0).sum(), m[:k].max(),
        )
        for k in range(20, 601, 20)
    ]  # fmt: skip


@pytest.mark.parametrize("seed", range(10))
def test_running_p_values_never_rise_and_follow_the_evidence(seed):
    looks = watch_sessions(session_looks(seed, 0.03), v_opt=400)
    for name in ("", "_harm", "_benefit"):
        p = [getattr(look, f"p{name}") for look in looks]
        e = [getattr(look, f"log_e{name}") for look in looks]
        assert p == sorted(p, reverse=True)
        assert p[-1] == pytest.approx(min(1.0, exp(-max(0.0, *e))))
    assert all(-1 <= look.low <= look.delta <= look.high <= 1 for look in looks)


def test_pairs_are_sessions_of_their_own():
    tables = [PairCounts(90 * k, 3 * k, 2 * k, 5 * k) for k in range(1, 8)]
    alone = [
        SessionSums(t.n, t.n, -t.n // 100, t.n // 20, -t.n // 100, t.n, t.n // 50, 3 * t.n // 100, 95 * t.n // 100, 1)
        for t in tables
    ]
    for pair, session in zip(watch_pairs(tables, v_opt=40), watch_sessions(alone, v_opt=40), strict=True):
        assert (pair.low, pair.high, pair.delta, pair.pairs) == (
            session.low,
            session.high,
            session.delta,
            session.pairs,
        )


def test_the_interval_of_every_look_is_wider_than_that_of_one_and_shrinks():
    sums = session_looks(1)
    widths = [session_sequence(one, 400).high - session_sequence(one, 400).low for one in sums]
    assert widths[-1] < widths[4] < widths[0]
    swapped = session_sequence(sums[-1].swapped(), 400)
    assert (swapped.low, swapped.high) == (-session_sequence(sums[-1], 400).high, -session_sequence(sums[-1], 400).low)


def test_nothing_seen_is_no_evidence():
    nothing = SessionSums(0, 0, 0, 0, 0, 0, 0, 0, 0, 0)
    look = watch_sessions([nothing], v_opt=10)[0]
    assert (look.delta, look.low, look.high, look.log_e, look.p) == (None, -1.0, 1.0, 0.0, 1.0)
    assert watch_pairs([PairCounts(0, 0, 0, 0)], v_opt=10)[0].p == 1.0
    assert e_pairs(PairCounts(5, 0, 0, 5)).p == e_rate(0, 0, 0.05).p == 1.0
    assert (share_sequence(PairCounts(5, 0, 0, 5)).low, share_sequence(PairCounts(5, 0, 0, 5)).high) == (0.0, 1.0)


@pytest.mark.parametrize(
    "call",
    [
        lambda: e_pairs(PairCounts(1, 1, 1, 1), 0.0),
        lambda: share_sequence(PairCounts(1, 1, 1, 1), 0.95, float("inf")),
        lambda: mixture_rho(0.0),
        lambda: mixture_rho(float("nan")),
        lambda: mixture_rho(100, 1.0),
        lambda: e_sessions(1, 1, -1.0),
        lambda: e_rate(3, 2, 0.05),
        lambda: e_rate(1, 2, 1.0),
    ],
)
def test_what_is_out_of_range_is_refused(call):
    with pytest.raises(ParameterError, match="is not acceptable"):
        call()


def test_looks_that_lose_pairs_are_refused():
    with pytest.raises(DataError, match="look 2 holds 4"):
        watch_pairs([PairCounts(5, 0, 0, 0), PairCounts(4, 0, 0, 0)], v_opt=10)
