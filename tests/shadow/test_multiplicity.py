"""Families of tests, and whether the split is the planned one."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binomtest, chisquare

from relkit.exceptions import ParameterError
from relkit.shadow import Tried, adjust, ledger
from relkit.shadow.sample_ratio import sample_ratio

p_values = st.lists(st.floats(0, 1), min_size=1, max_size=12)


@given(p_values)
@settings(deadline=None, max_examples=40)  # statsmodels is imported at the first call
def test_holm_is_its_step_down_and_bh_its_step_up(p):
    order, n = sorted(range(len(p)), key=p.__getitem__), len(p)
    holm, bh = [0.0] * n, [0.0] * n
    for place, one in enumerate(order):
        holm[one] = min(1.0, max(p[other] * (n - rank) for rank, other in enumerate(order[: place + 1])))
        bh[one] = min([1.0, *(p[other] * n / (rank + place + 1) for rank, other in enumerate(order[place:]))])
    assert adjust(p) == pytest.approx(holm)
    assert adjust(p, "bh") == pytest.approx(bh)


def test_a_test_that_could_not_be_run_keeps_its_place():
    assert adjust([0.01, None, 0.04]) == pytest.approx((0.03, None, 0.08))
    assert adjust([]) == ()
    rows = ledger(
        [Tried("guardrails", "errors", 0.01), Tried("segments", "en", 0.02, "bh"), Tried("guardrails", "cost", None)]
    )
    assert [(row.name, row.adjusted, row.size) for row in rows] == [
        ("errors", 0.02, 2),
        ("en", 0.02, 1),
        ("cost", None, 2),
    ]


def test_a_family_has_one_method():
    with pytest.raises(ParameterError, match="guardrails"):
        ledger([Tried("guardrails", "errors", 0.01), Tried("guardrails", "cost", 0.02, "bh")])
    with pytest.raises(ParameterError, match="0 <= p <= 1"):
        adjust([float("nan")])
    with pytest.raises(ParameterError, match="holm or bh"):
        adjust([0.1], "bonferroni")


@given(st.lists(st.integers(40, 4_000), min_size=2, max_size=5))
def test_the_split_is_judged_as_by_chi_square(observed):
    shares = [k + 1 for k in range(len(observed))]
    expected = [sum(observed) * share / sum(shares) for share in shares]
    found = sample_ratio(observed, shares)
    assert (found.statistic, found.p) == pytest.approx(
        (chisquare(observed, expected).statistic, chisquare(observed, expected).pvalue), rel=1e-7
    )
    assert found.invalid == (found.p < 0.001) == bool(found.why_not)


def test_few_requests_are_judged_exactly():
    assert sample_ratio([7, 0], [0.5, 0.5]).p == pytest.approx(binomtest(7, 7, 0.5).pvalue)
    assert sample_ratio([0, 30], [0.1, 0.9]).p == pytest.approx(2 * 0.9**30)


def test_an_arm_that_should_get_nothing_breaks_the_split():
    found = sample_ratio([100, 100, 1], [0.5, 0.5, 0])
    assert (found.unplanned, found.invalid, found.p) == (1, True, 1.0)
    assert "should get none" in found.why_not


def test_nothing_counted_is_no_test():
    found = sample_ratio([0, 0], [0.9, 0.1])
    assert (found.statistic, found.p, found.invalid, found.why_not) == (None, None, False, "nothing was counted")


@pytest.mark.parametrize(
    ("observed", "shares"),
    [([1, 2], [1.0]), ([1, 2], [1.0, 0.0]), ([1, 2], [0.5, -0.5]), ([1, 2], [0.5, float("nan")])],
)
def test_shares_that_plan_nothing_are_refused(observed, shares):
    with pytest.raises(ParameterError, match="shares"):
        sample_ratio(observed, shares)
