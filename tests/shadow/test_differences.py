"""Differences are judged against the primary's own noise."""

import pytest

from relkit.shadow import PairCounts, excess_difference, tango


def test_without_a_baseline_there_is_no_judgement():
    assert excess_difference(None) is None
    assert excess_difference(PairCounts(0, 0, 0, 0)) is None


def test_noise_alone_is_no_excess():
    """36 % of sampled answers differ from themselves; so does the shadow, and a rule at 30 % would halt it."""
    excess = excess_difference(PairCounts(both=200, only_primary=160, only_shadow=160, neither=480))
    assert (excess.baseline_share, excess.shadow_share, excess.delta) == (0.36, 0.36, 0.0)
    assert not excess.interval.excludes(0.0)
    assert excess.p_more == pytest.approx(0.5)


def test_a_quiet_field_that_broke_is_seen():
    """29 % differ where the primary never does: below a rule at 30 %, and certain."""
    counts = PairCounts(both=0, only_primary=0, only_shadow=290, neither=710)
    excess = excess_difference(counts)
    assert excess.delta == 0.29
    assert excess.interval == tango(counts)
    assert excess.interval.low > 0.26
    assert excess.p_more < 1e-80
