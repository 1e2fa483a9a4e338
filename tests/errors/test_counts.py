"""Counts per kind add up, and the verdict says what the rules do not know."""

import pytest

from relkit.errors import (
    ErrorKind,
    FingerprintCount,
    FingerprintCounts,
    Signals,
    biggest_cause,
    classify,
    fingerprint,
    kind_counts,
    kind_hours,
    verdict,
)
from relkit.exceptions import DataError, ParameterError
from relkit.prices import Use


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


def test_hours_of_a_kind_are_those_of_its_errors_and_nothing_is_lost():
    rows = (
        FingerprintCount(1, Signals(status=500), 5, 0, hours=((10, 2), (12, 3))),
        FingerprintCount(2, Signals(status=502), 4, 0, hours=((12, 4),)),
        FingerprintCount(3, Signals(status=404), 1, 0, hours=((11, 1),)),
        FingerprintCount(4, Signals(status=429), 9, 0),
    )
    answers = {row.fp: classify(row.signals) for row in rows}
    wanted = {"API_NOT_FOUND": [0, 1, 0], "API_SERVER_ERROR": [2, 0, 7]}
    assert kind_hours(FingerprintCounts(rows), answers) == (10, wanted)


def test_hours_fill_the_span_that_is_asked_for():
    rows = (FingerprintCount(1, Signals(status=500), 1, 0, hours=((10, 1),)),)
    hour_us = 3_600_000_000
    first, found = kind_hours(
        FingerprintCounts(rows), {1: classify(Signals(status=500))}, 9 * hour_us, 12 * hour_us + 1
    )
    assert (first, found) == (9, {"API_SERVER_ERROR": [0, 1, 0, 0]})


def test_without_a_clock_there_are_no_hours():
    assert kind_hours(COUNTS, {}) == (0, {})


def test_services_of_a_kind_are_counted_the_commonest_first():
    rows = (
        FingerprintCount(1, Signals(status=500), 5, 0, uses=(Use("a", "m", 2), Use("a", "n", 1), Use(None, None, 2))),
        FingerprintCount(2, Signals(status=502), 4, 0, uses=(Use("b", None, 4),)),
    )
    (kind,) = kind_counts(FingerprintCounts(rows))
    assert kind.services == (("b", 4), ("a", 3), (None, 2))


def test_answers_made_already_are_not_made_again():
    """Other answers give other kinds: the rules are not asked."""
    given = {row.fp: classify(Signals(status=404)) for row in COUNTS.rows}
    assert [row.kind.value for row in kind_counts(COUNTS, answers=given)] == ["API_NOT_FOUND"]
    assert verdict(COUNTS, answers=given).sentence.startswith("API_NOT_FOUND leads with 100 %")
