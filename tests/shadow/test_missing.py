"""What missing answers can do to the difference."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from relkit.exceptions import DataError, ParameterError
from relkit.shadow import MissingAnswers, PairCounts, missing_bounds

answers = st.lists(st.tuples(st.sampled_from([True, False, None]), st.sampled_from([True, False, None])), min_size=1)


def table(rows, primary_missing: bool, shadow_missing: bool) -> PairCounts:
    """Read each missing answer as told, and count."""
    cells = dict.fromkeys([(True, True), (True, False), (False, True), (False, False)], 0)
    for primary, shadow in rows:
        cells[primary_missing if primary is None else primary, shadow_missing if shadow is None else shadow] += 1
    return PairCounts(*cells.values())


@given(answers)
def test_bounds_are_what_rereading_every_pair_gives(rows):
    missing = MissingAnswers(
        shadow_while_primary_ok=rows.count((True, None)),
        shadow_while_primary_failed=rows.count((False, None)),
        primary_while_shadow_ok=rows.count((None, True)),
        primary_while_shadow_failed=rows.count((None, False)),
        both=rows.count((None, None)),
    )
    bounds = missing_bounds(table(rows, False, False), missing)
    assert bounds.as_failures == table(rows, False, False).delta
    assert bounds.as_successes == table(rows, True, True).delta
    # A pair without either answer can be read one way for each arm, so the extremes set the arms apart.
    assert bounds.low == table(rows, True, False).delta
    assert bounds.high == table(rows, False, True).delta
    assert bounds.low <= min(bounds.as_failures, bounds.as_successes)
    assert bounds.high >= max(bounds.as_failures, bounds.as_successes)
    complete = [row for row in rows if None not in row]
    assert bounds.dropped == (table(complete, False, False).delta if complete else None)


@pytest.mark.parametrize(("timeouts", "gain"), [(0.03, 0.028), (0.05, 0.047)])
def test_dropping_timeouts_flatters_the_shadow(timeouts, gain):
    """A11, in expectation: both arms right in 90 % of requests, timeouts among the shadow's failures."""
    n, lost = 100_000, round(100_000 * timeouts)
    counts = PairCounts(both=85_000, only_primary=5_000, only_shadow=5_000, neither=5_000)
    shadow_share_of_complete = (counts.both + counts.only_shadow) / (n - lost)
    assert shadow_share_of_complete - 0.90 == pytest.approx(gain, abs=0.0006)
    bounds = missing_bounds(counts, MissingAnswers(shadow_while_primary_ok=lost))
    assert bounds.as_failures == 0
    assert bounds.dropped == pytest.approx(lost / (n - lost), rel=1e-12)


def test_missing_answers_must_be_among_the_failures():
    with pytest.raises(DataError, match="only_primary"):
        missing_bounds(PairCounts(90, 3, 3, 4), MissingAnswers(shadow_while_primary_ok=4))
    with pytest.raises(DataError, match="neither"):
        missing_bounds(PairCounts(90, 3, 3, 4), MissingAnswers(both=3, shadow_while_primary_failed=2))
    with pytest.raises(ParameterError, match="both"):
        MissingAnswers(both=-1)


def test_no_pairs_no_bounds():
    bounds = missing_bounds(PairCounts(0, 0, 0, 0), MissingAnswers())
    assert bounds.low is None
    assert bounds.dropped is None


def test_numpy_counts_are_taken():
    assert MissingAnswers(both=np.int64(2)).shadow == 2
