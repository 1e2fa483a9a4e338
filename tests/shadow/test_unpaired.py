"""Arms that share no request are compared as such, and the record says so."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from statsmodels.stats.proportion import proportions_ztest

from relkit.exceptions import ParameterError
from relkit.shadow import Interval, two_arms


@given(st.integers(1, 400), st.integers(1, 400), st.data())
def test_the_z_is_that_of_statsmodels_and_swapping_mirrors(n1, n2, data):
    x1, x2 = data.draw(st.integers(0, n1)), data.draw(st.integers(0, n2))
    found, mirrored = two_arms(x1, n1, x2, n2), two_arms(x2, n2, x1, n1)
    assert -1 <= found.interval.low <= found.interval.high <= 1
    assert (mirrored.interval.low, mirrored.interval.high) == pytest.approx((-found.interval.high, -found.interval.low))
    assert "different requests" in found.note
    if 0 < x1 + x2 < n1 + n2:
        z, p = proportions_ztest([x2, x1], [n2, n1])
        assert (found.z, found.p) == (pytest.approx(z, abs=1e-9), pytest.approx(p, abs=1e-9))
    else:
        assert (found.z, found.p, bool(found.why_not)) == (None, None, True)


def test_newcombes_own_examples_of_independent_arms():
    """Statistics in Medicine 17 (1998), 873-890, table II, method 10: 56/70 and 48/80; 9/10 and 3/10."""
    for right, n, low, high in (((48, 56), (80, 70), "0.0524", "0.3339"), ((3, 9), (10, 10), "0.1705", "0.8090")):
        interval = two_arms(right[0], n[0], right[1], n[1]).interval
        assert (f"{interval.low:.4f}", f"{interval.high:.4f}") == (low, high)


def test_an_arm_without_requests_is_no_test():
    found = two_arms(0, 0, 3, 5)
    assert (found.delta, found.p, found.interval) == (None, None, Interval(-1.0, 1.0, 0.95))
    with pytest.raises(ParameterError, match="shadow_right"):
        two_arms(1, 2, 3, 2)
