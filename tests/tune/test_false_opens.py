"""False openings are counted in a long healthy run, and agree with the closed form where there is one."""

import pytest
from scipy.stats import chi2

from relkit.exceptions import ParameterError
from relkit.policies.presets import changed, presets
from relkit.simulation.suite import w0
from relkit.tune.false_opens import HEALTHY_REQUESTS, MONTH_S, FalseOpens, false_opens, runs_a_month


def test_the_run_agrees_with_the_closed_form() -> None:
    """One failure in ten, four in a row: about 75 openings; the limits at 1 - 1e-4 hold the closed form.

    Rejected calls are not asked, so the closed form is scaled by the calls that were admitted: 50 a second, 0.5 s open.
    """
    policy = changed(presets["pybreaker"], failure_threshold=4, open_s=0.5)
    its = false_opens(policy, w0(), level=1 - 1e-4)
    calls = its.requests * MONTH_S * 50.0 / HEALTHY_REQUESTS - its.a_month * 25
    assert its.low < runs_a_month(0.1, 4, calls) < its.high
    assert 40 < its.openings < 140


def test_no_opening_still_has_an_upper_limit() -> None:
    its = FalseOpens.of(0, 1_000_000, 1_000_000.0)
    assert (its.low, its.high) == (0.0, pytest.approx(chi2.ppf(0.975, 2) / 2))
    three = FalseOpens.of(3, 1_000_000, 2_000_000.0)
    assert (three.low, three.high) == pytest.approx((chi2.ppf(0.025, 6), chi2.ppf(0.975, 8)))


def test_what_cannot_be_is_refused() -> None:
    with pytest.raises(ParameterError, match="has one"):
        false_opens(presets["tenacity"], w0())
    with pytest.raises(ParameterError, match="share"):
        runs_a_month(10, 5, 100.0)
    assert runs_a_month(0.0, 5, 100.0) == 0.0
