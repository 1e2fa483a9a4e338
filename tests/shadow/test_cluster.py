"""Tests of sessions from their table: exactness, symmetry, agreement with the tests of pairs, honest refusals."""

from itertools import product
from math import comb

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from relkit.exceptions import DataError, ParameterError
from relkit.shadow import (
    PairCounts,
    SessionTable,
    durkalski,
    leave_one_session_out,
    mcnemar,
    obuchowski,
    session_chi2,
    session_sign_test,
    session_sums,
    session_table,
    sign_flip,
)

differences = st.lists(st.integers(-4, 4), min_size=1, max_size=12)


def table_of(d: list[int], size: int = 5) -> SessionTable:
    found, times = np.unique(d, return_counts=True)
    return SessionTable(tuple(found), (size,) * found.size, tuple(times))


@given(differences)
def test_the_sign_flip_is_the_count_of_sign_patterns(d):
    sums = [sum(sign * one for sign, one in zip(signs, d, strict=True)) for signs in product((1, -1), repeat=len(d))]
    test, s = sign_flip(table_of(d)), sum(d)
    at = np.mean([one == s for one in sums])
    if any(d):
        assert test.exact
        assert test.p == pytest.approx(np.mean([abs(one) >= abs(s) for one in sums]), abs=1e-12)
        assert test.p_harm == pytest.approx(np.mean([one <= s for one in sums]), abs=1e-12)
        assert test.p_benefit == pytest.approx(np.mean([one >= s for one in sums]), abs=1e-12)
        assert test.p_mid == pytest.approx(test.p - at if s else 1 - at / 2, abs=1e-12)
    else:
        assert (test.p, bool(test.why_not)) == (1.0, True)


@given(st.integers(0, 60), st.integers(0, 60))
def test_sessions_of_one_pair_are_mcnemar(b, c):
    d, sessions = zip(*((d, n) for d, n in ((-1, b), (1, c), (0, 7)) if n), strict=True)
    table = SessionTable(d, (1,) * len(d), sessions)
    test, pairs = sign_flip(table), mcnemar(PairCounts(4, b, c, 3))
    assert test.p == pytest.approx(pairs.p_exact, rel=1e-9)
    assert test.p_mid == pytest.approx(pairs.p_mid, rel=1e-9)
    assert session_sign_test(table.sums()) == mcnemar(PairCounts(0, b, c, 7))
    if b + c:
        assert session_chi2(table.sums()).statistic == durkalski(table).statistic == pytest.approx(pairs.z**2)
        k = b + c + 7
        assert obuchowski(table.sums()).statistic == pytest.approx((k - 1) / k * pairs.z**2)


@given(differences)
def test_swapping_the_arms_mirrors_everything(d):
    table, swapped = table_of(d), table_of(d).swapped()
    one, other = sign_flip(table), sign_flip(swapped)
    assert (one.p, one.p_harm, one.s) == (other.p, other.p_benefit, -other.s)
    assert obuchowski(table.sums()) == obuchowski(swapped.sums())
    assert durkalski(table).statistic == pytest.approx(durkalski(swapped).statistic)
    left, right = leave_one_session_out(table), leave_one_session_out(swapped)
    assert left.low is None or (left.low, left.high) == pytest.approx((-right.high, -right.low))


def test_many_sessions_fall_back_to_the_normal_form_without_a_step():
    """20,000 is the seam: an exact p just below and a normal one just above differ by less than a percent."""
    below, above = (SessionTable((-1, 1), (1, 1), (half - 120, half + 120)) for half in (9_999, 10_001))
    exact, normal = sign_flip(below), sign_flip(above)
    assert (exact.exact, normal.exact) == (True, False)
    assert normal.p_mid == pytest.approx(exact.p_mid, rel=0.01)


def test_the_smallest_p_is_two_of_all_patterns():
    assert sign_flip(SessionTable((-1,), (1,), (6,))).p == pytest.approx(2 / 2**6, rel=1e-12)
    assert sign_flip(SessionTable((-3,), (5,), (20,))).p == pytest.approx(2 / 2**20, rel=1e-12)
    assert sign_flip(SessionTable((-1, 1), (1, 1), (49, 1))).p_harm == pytest.approx(
        (1 + comb(50, 1)) / 2**50, rel=1e-9
    )


def test_the_table_has_the_sums_of_its_sessions():
    rng = np.random.default_rng(3)
    ids, primary, shadow = rng.integers(0, 40, 300), rng.random(300) < 0.8, rng.random(300) < 0.75
    table = session_table(ids, primary, shadow)
    assert table.sums() == session_sums(ids, primary, shadow)
    order = rng.permutation(300)
    assert session_table(ids[order], primary[order], shadow[order]) == table


@given(differences.filter(lambda d: len(d) > 1))
def test_leaving_one_out_is_leaving_each_out(d):
    each = [(sum(d) - one) / (5 * (len(d) - 1)) for one in d]
    left = leave_one_session_out(table_of(d))
    assert (left.low, left.high) == pytest.approx((min(each), max(each)))
    assert left.low <= left.delta <= left.high


def test_too_little_is_said_and_nothing_is_nan():
    none, one = SessionTable((), (), ()), SessionTable((-2,), (3,), (1,))
    for table, words in ((none, "no pair"), (one, "1 session")):
        left = leave_one_session_out(table)
        assert (left.low, left.high) == (None, None)
        assert words in left.why_not
        for test in (obuchowski(table.sums()), session_chi2(table.sums()), durkalski(table)):
            assert (test.statistic, test.p) == (None, None)
            assert "at least 2" in test.why_not
    assert sign_flip(none).p == 1.0
    alike = SessionTable((0,), (4,), (50,))
    assert obuchowski(alike.sums()).why_not == sign_flip(alike).why_not == "no session differs on balance"


@pytest.mark.parametrize(
    ("d", "m", "sessions", "words"),
    [((2,), (1,), (1,), "cannot be"), ((0,), (0,), (1,), "cannot be"), ((0,), (1,), (0,), "cannot be"),
     ((0, 0), (1, 1), (2, 3), "comes twice"), ((0,), (1, 2), (1,), "columns of")],
)  # fmt: skip
def test_tables_that_no_sessions_have_are_refused(d, m, sessions, words):
    with pytest.raises(DataError, match=words):
        SessionTable(d, m, sessions)


def test_a_negative_size_is_refused_by_name():
    with pytest.raises(ParameterError, match="m = -1"):
        SessionTable((0,), (-1,), (1,))
