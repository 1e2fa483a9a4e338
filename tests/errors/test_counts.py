"""Counts per kind add up, and the verdict says what the rules do not know."""

import pytest

from relkit.errors import (
    ErrorKind,
    FingerprintCount,
    FingerprintCounts,
    Signals,
    biggest_cause,
    fingerprint,
    kind_counts,
    verdict,
)
from relkit.exceptions import DataError, ParameterError


def seen(*rows):
    return FingerprintCounts(
        tuple(FingerprintCount(fingerprint(s), s, attempts, requests, 0, 1) for s, attempts, requests in rows)
    )


COUNTS = seen(
    (Signals(status=500), 30, 10),
    (Signals(status=502), 20, 5),
    (Signals(status=401), 25, 25),
    (Signals(message="?"), 25, 20),
    (Signals(status=404), 0, 0),
)


def test_kinds_are_ordered_by_attempts_then_name_and_add_up():
    rows = kind_counts(COUNTS)
    assert [(row.kind.value, row.attempts, row.requests) for row in rows] == [
        ("API_SERVER_ERROR", 50, 15), ("API_AUTH_ERROR", 25, 25), ("UNKNOWN", 25, 20),
    ]  # fmt: skip
    assert sum(row.share for row in rows) == 1
    assert [(row.retryable, row.alert) for row in rows] == [(True, False), (False, True), (False, False)]


def test_the_biggest_cause_has_the_most_attempts():
    assert biggest_cause(COUNTS).kind is ErrorKind.API_SERVER_ERROR
    assert biggest_cause(FingerprintCounts()) is None


def test_a_kind_is_retryable_where_most_of_its_attempts_are():
    rows = kind_counts(seen((Signals(status=501), 9, 9), (Signals(status=500), 1, 1)))
    assert [(row.kind.value, row.retryable) for row in rows] == [("API_SERVER_ERROR", False)]


def test_above_the_stated_share_the_verdict_warns_with_the_number():
    found = verdict(COUNTS, max_unknown_share=0.1)
    assert (found.area, found.code, found.value, found.n) == ("errors", "WARN", 0.25, 100)
    assert "25.00 %" in found.sentence
    assert found.low < 0.25 < found.high
    assert found.would_change


def test_at_the_stated_share_it_is_fine():
    assert verdict(COUNTS, max_unknown_share=0.25).code == "FINE"


def test_no_failure_is_fine_and_has_no_share():
    found = verdict(FingerprintCounts())
    assert (found.code, found.value, found.n) == ("FINE", None, 0)


@pytest.mark.parametrize("share", [-0.1, 1.1, float("nan")])
def test_a_share_out_of_range_is_refused(share):
    with pytest.raises(ParameterError):
        verdict(COUNTS, max_unknown_share=share)


def test_a_level_out_of_range_is_refused():
    with pytest.raises(ParameterError):
        verdict(COUNTS, level=95)


def test_counts_below_zero_are_refused():
    with pytest.raises(DataError):
        FingerprintCount(1, Signals(), -1, 0)
