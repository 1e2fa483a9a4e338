"""Ratios of sums over sessions: the same interval as the session-level t, and bounds that other forms confirm."""

import numpy as np
import pytest

from relkit.exceptions import DataError
from relkit.shadow import PairCounts, session_sums, session_t
from relkit.shadow.ratio import RatioSums, anytime_p, anytime_z, ratio_interval, ratio_p_above
from relkit.shadow.sequential import mixture_bound, mixture_rho

SEEDS = range(10)


@pytest.mark.parametrize("seed", SEEDS)
def test_a_share_is_the_session_level_t(seed: int) -> None:
    rng = np.random.default_rng(seed)
    session, p, s = rng.integers(0, 300, 1_500), rng.random(1_500) < 0.9, rng.random(1_500) < 0.85
    sums = session_sums(session, p, s)
    counts = PairCounts(int((p & s).sum()), int((p & ~s).sum()), int((s & ~p).sum()), int((~p & ~s).sum()))
    t = session_t(sums, counts)
    found = ratio_interval(RatioSums(sums.sessions, sums.pairs, sums.s, sums.v, sums.dm, sums.mm))
    assert found is not None
    assert (found.value, found.low, found.high) == pytest.approx((t.delta, t.low, t.high), abs=1e-12)
    above = ratio_p_above(RatioSums(sums.sessions, sums.pairs, -sums.s, sums.v, -sums.dm, sums.mm), 0.0)
    assert above == pytest.approx(t.p_harm, rel=1e-9)


@pytest.mark.parametrize("sessions", [30, 100, 500, 10_000])
def test_the_bound_is_the_normal_mixtures(sessions: int) -> None:
    """With a variance of one a session, tuned for 500: the same number from the form in sums."""
    bound = mixture_bound(float(sessions), mixture_rho(500.0))
    assert anytime_z(sessions) * np.sqrt(sessions) == pytest.approx(bound, rel=1e-12)


@pytest.mark.parametrize("level", [0.8, 0.95, 0.99])
def test_p_and_interval_say_the_same(level: float) -> None:
    """At the bound the one-sided p is 1 - level: two halves of a two-sided mixture, each counted whole."""
    for sessions in (30, 400, 5_000):
        assert anytime_p(anytime_z(sessions, level), sessions, level) == pytest.approx(1 - level, rel=1e-9)


def test_the_bound_is_narrowest_where_it_was_tuned() -> None:
    widths = {tight: anytime_z(500, tight_at=tight) for tight in (50, 500, 5_000)}
    assert min(widths, key=widths.__getitem__) == 500


def test_one_session_says_nothing() -> None:
    one = RatioSums(1, 5, 2, 4, 10, 25)
    assert (ratio_interval(one), ratio_p_above(one, 0.0)) == (None, 1.0)
    assert ratio_interval(RatioSums(0, 0, 0, 0, 0, 0)) is None


def test_sums_that_no_sessions_have_are_refused() -> None:
    with pytest.raises(DataError, match="no sessions have the sums"):
        RatioSums(2, 5, 10, 1, 0, 13)
