"""The plan's test is reproduced with its faults, and in a form JSON can hold."""

import json
from dataclasses import asdict

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import ndtr

from relkit.shadow import PairCounts, mcnemar
from relkit.shadow.plan_z import plan_z

cells = st.integers(0, 10**6)


def test_reference_vector():
    legacy = plan_z(PairCounts(3520, 96, 64, 320))
    assert f"{legacy.z_score:.5f}" == "-1.19257"
    assert f"{legacy.p_value:.5f}" == "0.88348"
    assert f"{legacy.confidence:.3f}" == "0.117"
    assert (legacy.winner, legacy.statistically_significant, legacy.note) == ("primary", False, "")
    assert (legacy.primary_success_rate, legacy.shadow_success_rate) == (0.904, 0.896)
    assert legacy.improvement == pytest.approx(-0.88496, abs=1e-5)


def test_it_cannot_see_a_shadow_that_is_worse():
    """4,600 against 4,500 of 5,000: z = -3.49, and the plan prints "primary, confidence .0002"."""
    counts = PairCounts(both=4450, only_primary=150, only_shadow=50, neither=350)
    legacy = plan_z(counts)
    assert f"{legacy.z_score:.2f}" == "-3.49"
    assert f"{legacy.confidence:.4f}" == "0.0002"
    assert not legacy.statistically_significant
    assert mcnemar(counts).p_mid < 1e-10


@pytest.mark.parametrize("counts", [PairCounts(50, 0, 0, 0), PairCounts(0, 0, 0, 50)])
def test_zero_by_zero_reads_primary_wins(counts):
    legacy = plan_z(counts)
    assert (legacy.z_score, legacy.p_value, legacy.confidence) == (None, None, None)
    assert (legacy.winner, legacy.statistically_significant) == ("primary", False)
    assert "NaN" in legacy.note


def test_no_pairs():
    legacy = plan_z(PairCounts(0, 0, 0, 0))
    assert (legacy.primary_success_rate, legacy.improvement, legacy.z_score) == (None, None, None)
    assert legacy.winner == "primary"
    assert legacy.note.startswith("no pairs")


def test_improvement_on_nothing_is_infinite():
    legacy = plan_z(PairCounts(0, 0, 5, 5))
    assert legacy.improvement is None
    assert "Infinity" in legacy.note
    assert legacy.statistically_significant


@given(cells, cells, cells, cells)
def test_every_table_gives_plain_json_and_a_p_value_near_the_normal_tail(a, b, c, d):
    legacy = plan_z(PairCounts(a, b, c, d))
    json.dumps(asdict(legacy), allow_nan=False)
    if legacy.z_score is not None:
        assert legacy.p_value == pytest.approx(float(ndtr(-legacy.z_score)), abs=3e-7)
    assert (legacy.winner == "shadow") == (c > b)
