"""Session-level inference against its in-memory reference, against statsmodels, and under simulation."""

from dataclasses import asdict
from math import isfinite, sqrt

import numpy as np
import pytest
import statsmodels.api as sm
from hypothesis import given
from hypothesis import strategies as st

from relkit.exceptions import DataError, ParameterError
from relkit.shadow import (
    PairCounts,
    SessionSums,
    mcnemar,
    session_non_inferiority_p,
    session_sample_growth,
    session_sums,
    session_t,
    tango,
)


def table(primary, shadow) -> PairCounts:
    primary, shadow = np.asarray(primary, dtype=bool), np.asarray(shadow, dtype=bool)
    return PairCounts(
        int((primary & shadow).sum()),
        int((primary & ~shadow).sum()),
        int((~primary & shadow).sum()),
        int((~primary & ~shadow).sum()),
    )


def chats(rng, sessions: int, spread: float):
    """Reference generator 3.4: geometric sizes (mean 6, cap 60), logit 2.6 + shared effect + an own effect an arm."""
    sizes = np.minimum(rng.geometric(1 / 6, sessions), 60)
    number = np.repeat(np.arange(sessions), sizes)
    shared = rng.normal(0, 1, sessions)
    arms = [2.6 + shared + rng.normal(0, spread, sessions) for _ in range(2)]
    return number, *(rng.random(number.size) < 1 / (1 + np.exp(-arm[number])) for arm in arms)


pairs = st.lists(st.tuples(st.integers(0, 8), st.booleans(), st.booleans()), min_size=1, max_size=60)


def columns(rows):
    return [list(column) for column in zip(*rows, strict=True)]


@given(pairs)
def test_sums_are_those_of_a_plain_loop(rows):
    sessions = {number: [b - a for n, a, b in rows if n == number] for number in {row[0] for row in rows}}
    d = {number: sum(differences) for number, differences in sessions.items()}
    m = {number: len(differences) for number, differences in sessions.items()}
    assert session_sums(*columns(rows)) == SessionSums(
        sessions=len(d),
        pairs=len(rows),
        s=sum(d.values()),
        v=sum(x * x for x in d.values()),
        dm=sum(d[k] * m[k] for k in d),
        mm=sum(x * x for x in m.values()),
        positive=sum(x > 0 for x in d.values()),
        negative=sum(x < 0 for x in d.values()),
        zero=sum(x == 0 for x in d.values()),
        largest=max(m.values()),
    )


@given(pairs)
def test_everything_is_finite_and_mirrored(rows):
    ids, primary, shadow = columns(rows)
    sums, counts = session_sums(ids, primary, shadow), table(primary, shadow)
    test, swapped = session_t(sums, counts), session_t(sums.swapped(), counts.swapped())
    plain = [x for x in asdict(test).values() if isinstance(x, float)]
    assert all(isfinite(x) for x in plain)
    assert -1 <= test.low <= test.delta <= test.high <= 1
    assert (swapped.low, swapped.high, swapped.p) == (-test.high, -test.low, test.p)
    assert (swapped.p_harm, swapped.p_benefit) == (test.p_benefit, test.p_harm)
    assert sums.swapped() == session_sums(ids, shadow, primary)


@given(pairs, st.floats(0, 0.5))
def test_interval_and_p_values_say_the_same(rows, margin):
    ids, primary, shadow = columns(rows)
    sums, counts = session_sums(ids, primary, shadow), table(primary, shadow)
    test, p = session_t(sums, counts), session_non_inferiority_p(sums, counts, margin)
    if abs(test.p - 0.05) > 1e-9:
        assert (test.p < 0.05) == (test.low > 0 or test.high < 0)
    if abs(p - 0.025) > 1e-9 and sums.sessions > 1:
        assert (p < 0.025) == (test.low > -margin)


def test_standard_error_is_the_cr1_sandwich_of_statsmodels():
    rng = np.random.default_rng(3)
    for spread in (0.0, 1.0, 2.0):
        number, primary, shadow = chats(rng, 120, spread)
        test = session_t(session_sums(number, primary, shadow), table(primary, shadow))
        d = shadow.astype(int) - primary.astype(int)
        fit = sm.OLS(d, np.ones(d.size)).fit(cov_type="cluster", cov_kwds={"groups": number}, use_t=True)
        # statsmodels multiplies by (N - 1)/(N - p) too, which is 1 for a mean.
        assert test.delta == pytest.approx(fit.params[0], rel=1e-12)
        assert test.se == pytest.approx(fit.bse[0], rel=1e-9)
        assert test.df == 119
        assert not test.sparse
        assert (test.low, test.high) == pytest.approx(tuple(fit.conf_int()[0]), rel=1e-9)
        assert test.p == pytest.approx(fit.pvalues[0], rel=1e-7)


def test_sessions_of_one_pair_are_pairs():
    rng = np.random.default_rng(4)
    primary, shadow = rng.random(2000) < 0.9, rng.random(2000) < 0.88
    counts = table(primary, shadow)
    test, interval = session_t(session_sums(np.arange(2000), primary, shadow), counts), tango(counts)
    assert test.design_effect == pytest.approx(2000 / 1999, rel=1e-12)
    assert test.deff_null == 1
    assert test.effective_n == pytest.approx(1999)
    assert (test.low, test.high) == pytest.approx((interval.low, interval.high), abs=2e-4)


def test_copies_of_every_pair_add_no_evidence():
    """Six identical turns a session: design effect 6, and the interval of one turn a session."""
    rng = np.random.default_rng(5)
    primary, shadow = rng.random(500) < 0.9, rng.random(500) < 0.8
    once = session_t(session_sums(np.arange(500), primary, shadow), table(primary, shadow))
    number, primary, shadow = (np.repeat(column, 6) for column in (np.arange(500), primary, shadow))
    test = session_t(session_sums(number, primary, shadow), table(primary, shadow))
    assert (test.low, test.high, test.p) == pytest.approx((once.low, once.high, once.p), rel=1e-9)
    assert test.design_effect == pytest.approx(6 * 500 / 499, rel=1e-12)
    assert test.deff_null == 6


def test_one_session_gives_no_interval_and_says_why():
    test = session_t(session_sums([1, 1, 1], [1, 1, 0], [0, 1, 0]), PairCounts(1, 1, 0, 1))
    assert (test.low, test.high, test.p, test.se) == (-1.0, 1.0, 1.0, None)
    assert test.why_not.startswith("1 session:")
    none = session_t(session_sums([], [], []), PairCounts(0, 0, 0, 0))
    assert (none.low, none.high, none.delta) == (-1.0, 1.0, None)
    assert session_non_inferiority_p(session_sums([], [], []), PairCounts(0, 0, 0, 0), 0.01) == 1


def test_no_session_that_differs_is_no_certainty():
    """The sandwich is 0 here; the interval is Tango's of the pairs that 100 sessions of 10 are worth: 100."""
    ids = np.repeat(np.arange(100), 10)
    test = session_t(session_sums(ids, np.ones(1000), np.ones(1000)), PairCounts(1000, 0, 0, 0))
    hundred = tango(PairCounts(100, 0, 0, 0))
    assert (test.se, test.t, test.p, test.sparse) == (0.0, None, 1.0, True)
    assert (test.low, test.high) == pytest.approx((hundred.low, hundred.high), rel=1e-9)
    assert test.effective_n is None


def test_few_differing_sessions_keep_their_coverage():
    """200 sessions of which 1 or 2 differ: nominal .95 stays above .95, where the t interval alone covers .55 to .69.

    Coverage is far above nominal here, so 12 seeds of 100 runs give fewer than 90 % with probability below 1e-10.
    """
    covered = covered_by_t = runs = 0
    for seed in range(12):
        rng = np.random.default_rng(seed)
        for _ in range(100):
            m = np.minimum(rng.geometric(1 / 6, 200), 60)
            lost = np.where(rng.random(200) < 0.008, rng.binomial(m, 0.5), 0)
            n, b = int(m.sum()), int(lost.sum())
            sums = SessionSums(
                200, n, -b, int((lost**2).sum()), int(-(lost * m).sum()), int((m * m).sum()),
                0, int((lost > 0).sum()), int((lost == 0).sum()), int(m.max()),
            )  # fmt: skip
            test = session_t(sums, PairCounts(n - b, b, 0, 0))
            covered += test.low <= -0.004 <= test.high
            covered_by_t += abs(test.delta + 0.004) <= 1.972 * test.se
            runs += 1
    assert covered / runs >= 0.95
    assert covered_by_t / runs < 0.75


def test_level_where_turns_of_a_chat_resemble_each_other():
    """Reference row 3.4, own effects of sd 1 and 100 sessions: CR1 t .054, McNemar mid-p on turns .179, deff 2.16.

    12 seeds of 300 runs against the reference's 8,000, at 4 standard errors of the difference; a false alarm with
    probability 2 x 6.3e-5 for a new set of seeds. Target T4 beside it: CR1 within [.035, .070], mid-p at least .15.
    """
    by_session = by_pair = runs = 0
    ratio_above = ratio_below = 0
    for seed in range(12):
        rng = np.random.default_rng(seed)
        for _ in range(300):
            number, primary, shadow = chats(rng, 100, 1.0)
            counts = table(primary, shadow)
            sums = session_sums(number, primary, shadow)
            by_session += session_t(sums, counts).p <= 0.05
            by_pair += mcnemar(counts).p_mid <= 0.05
            ratio_above, ratio_below = ratio_above + sums.v, ratio_below + counts.discordant
            runs += 1
    for seen, reference in ((by_session / runs, 0.054), (by_pair / runs, 0.179)):
        assert abs(seen - reference) <= 4 * sqrt(reference * (1 - reference) * (1 / runs + 1 / 8000)), (seen, reference)
    assert 0.035 <= by_session / runs <= 0.070
    assert by_pair / runs >= 0.15
    assert ratio_above / ratio_below == pytest.approx(2.16, rel=0.05)


def test_sums_and_table_must_be_of_the_same_pairs():
    sums = session_sums([1, 1, 2], [1, 1, 1], [0, 1, 1])
    with pytest.raises(DataError, match="same pairs"):
        session_t(sums, PairCounts(3, 0, 0, 0))
    with pytest.raises(DataError, match="same pairs"):
        session_non_inferiority_p(sums, PairCounts(3, 1, 0, 0), 0.01)


@pytest.mark.parametrize(
    "change",
    [{"zero": 2}, {"sessions": 9}, {"v": 0}, {"mm": 1}, {"largest": 9}, {"dm": -100}, {"s": -9}],
)
def test_impossible_sums_are_refused(change):
    possible = {
        "sessions": 2, "pairs": 3, "s": -1, "v": 1, "dm": -2, "mm": 5,
        "positive": 0, "negative": 1, "zero": 1, "largest": 2,
    }  # fmt: skip
    assert SessionSums(**possible) == session_sums([1, 1, 2], [1, 1, 1], [0, 1, 1])
    with pytest.raises(DataError, match="does not hold"):
        SessionSums(**{**possible, **change})


def test_arrays_are_checked():
    with pytest.raises(ParameterError, match="shadow_ok"):
        session_sums([1, 2], [1, 1], [1])
    with pytest.raises(ParameterError, match="count a missing answer as False"):
        session_sums([1, 2], [1, 1], [1, float("nan")])
    with pytest.raises(ParameterError, match="positive"):
        SessionSums(1, 1, 0, 0, 0, 1, -1, 1, 1, 1)


@given(pairs, st.sampled_from([0.05, 0.2]))
def test_growth_is_at_least_1_exactly_while_the_margin_is_inside(rows, margin):
    ids, primary, shadow = columns(rows)
    sums, counts = session_sums(ids, primary, shadow), table(primary, shadow)
    test, growth = session_t(sums, counts), session_sample_growth(sums, counts, margin)
    if growth is not None and abs(growth - 1) > 1e-9:
        assert (growth > 1) == (test.low < -margin < test.high)
