"""P(success at the next try): requests are clusters, intervals hold their level, one incident contradicts nothing."""

import random

import pytest

from relkit.errors import Signals, classify
from relkit.errors.evaluation.retryability import (
    FEWEST_HOURS,
    WAIT_EDGES_US,
    Agreement,
    NextTry,
    contradicted,
    contradiction_text,
    retryability_of,
    wait_label,
)
from relkit.exceptions import DataError, ParameterError
from relkit.intervals import wilson

MAY, MUST_NOT = 1, 2
ANSWERS = {
    MAY: classify(Signals(status=500)),
    MUST_NOT: classify(Signals(status=401)),
    3: classify(Signals(status=502)),
}


def row(retries, successes, fp=MAY, wait=1, same_request=None, same_hour=None, **more):
    return NextTry(fp, wait, retries, successes, same_request or retries, same_hour or retries, **more)


def one(*rows, **settings):
    (found,) = retryability_of(rows, ANSWERS, **settings)
    return found


def test_independent_retries_have_wilsons_interval():
    found = one(row(40, 30))
    assert (found.low, found.high) == pytest.approx(wilson(30, 40))
    assert (found.share, found.worth) == (0.75, 40)


def test_tries_of_one_request_are_worth_one():
    """20 requests with two retries each are worth 20."""
    found = one(row(40, 30, same_request=80))
    assert found.worth == pytest.approx(20)
    assert (found.low, found.high) == pytest.approx(wilson(15, 20))


def test_errors_of_one_kind_add_up():
    found = one(row(30, 10, fp=MAY), row(10, 5, fp=3, wait=2))
    assert (found.retries, found.successes, found.wait) == (40, 15, None)


def test_by_wait_each_stretch_stands_alone_and_nothing_is_lost():
    rows = [row(30, 10), row(10, 5, wait=2), row(4, 0, wait=None)]
    found = retryability_of(rows, ANSWERS, by_wait=True)
    assert [(each.wait, each.retries) for each in found] == [(1, 30), (2, 10), (None, 4)]
    assert sum(each.successes for each in found) == one(*rows).successes


@pytest.mark.parametrize(
    ("rows", "agreement"),
    [
        (row(90, 80), Agreement.CONFIRMED),
        (row(90, 0), Agreement.CONTRADICTED),
        (row(90, 0, same_hour=90 * 90), Agreement.ONE_INCIDENT),
        (row(90, 9), Agreement.UNDECIDED),
        (row(3, 0), Agreement.UNDECIDED),
        (row(90, 0, fp=MUST_NOT), Agreement.CONFIRMED),
        (row(90, 60, fp=MUST_NOT), Agreement.CONTRADICTED),
        (row(90, 60, fp=MUST_NOT, same_hour=90 * 80), Agreement.ONE_INCIDENT),
    ],
)
def test_a_flag_is_contradicted_when_the_whole_interval_lies_on_the_other_side_and_not_by_one_incident(rows, agreement):
    assert one(rows).agreement is agreement


def test_the_incident_limit_is_a_number_of_hours():
    exactly = 90 * 90 / FEWEST_HOURS
    assert one(row(90, 0, same_hour=int(exactly))).agreement is Agreement.CONTRADICTED
    assert one(row(90, 0, same_hour=int(exactly) + 40)).agreement is Agreement.ONE_INCIDENT


def test_worth_and_hours_never_fall_below_one_group():
    found = one(row(10, 0, same_request=900, same_hour=5000))
    assert (found.worth, found.hours) == (1, 1)


def test_the_worst_contradiction_is_told_first_and_says_its_numbers():
    rows = retryability_of([row(90, 0, same_hour=8100), row(80, 60, fp=MUST_NOT)], ANSWERS)
    found = contradicted(rows)
    assert [each.agreement for each in found] == [Agreement.CONTRADICTED, Agreement.ONE_INCIDENT]
    assert "API_AUTH_ERROR is declared permanent, yet 60 of 80" in contradiction_text(found[0])
    assert "not the flag" in contradiction_text(found[1])


@pytest.mark.parametrize("seed", range(12))
def test_the_interval_holds_its_level_where_tries_of_a_request_share_their_luck(seed):
    """Requests draw their own p from a beta, are tried again until a success or twice; 200 logs of 50 requests.

    The truth is E(successes)/E(retries). Coverage of 95 % over 200 logs falls below 90 % by chance once in 1000 seeds.
    """
    draw = random.Random(seed)
    a, b = draw.choice([(1.0, 1.0), (0.5, 0.5), (4.0, 2.0), (0.4, 1.6)])
    mean_fail = b / (a + b)
    both_fail = b * (b + 1) / ((a + b) * (a + b + 1))
    truth = (1 - both_fail) / (1 + mean_fail)
    held = 0
    for _ in range(200):
        retries = successes = squares = 0
        for _ in range(50):
            p = draw.betavariate(a, b)
            first, second = draw.random() < p, draw.random() < p
            m = 1 if first else 2
            retries, squares = retries + m, squares + m * m
            successes += first or second
        found = one(row(retries, successes, same_request=squares))
        held += found.low <= truth <= found.high
    assert held >= 180


def test_waits_are_named_without_a_gap():
    labels = [wait_label(place) for place in range(len(WAIT_EDGES_US) + 1)]
    assert labels == ["< 100 ms", "100 ms to 1 s", "1 s to 5 s", "5 s to 30 s", "30 s to 120 s", "≥ 120 s"]


def test_what_cannot_be_is_refused():
    with pytest.raises(DataError, match="count again"):
        row(3, 4)
    with pytest.raises(DataError, match="has no classification"):
        retryability_of([row(1, 1, fp=99)], ANSWERS)
    with pytest.raises(ParameterError, match="worth_retrying"):
        retryability_of([row(1, 1)], ANSWERS, worth_retrying=1.0)
    with pytest.raises(ParameterError, match="level"):
        retryability_of([row(1, 1)], ANSWERS, level=1.0)


def test_no_retry_no_row():
    assert retryability_of([], ANSWERS) == ()
