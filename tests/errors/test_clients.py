"""The recorded chains of 750 real exceptions of 32 libraries are answered as people expected before any answer was seen.

`tests/golden/errors` holds the cases, the loopback servers and the script that recorded them; `make test-clients` raises
them anew. Here no client library is needed: the chains are judged as they were read.
"""

import json
from pathlib import Path

import pytest

from relkit.errors import ErrorKind, classify
from relkit.errors.classifier import classify_links
from relkit.errors.reading.chain import MAX_LINKS, Link
from relkit.errors.reading.evidence import Evidence
from tests.golden.errors.judge import Score, judged

GOLDEN = Path(__file__).parents[1] / "golden/errors"
AREAS = ("llm", "http", "cloud", "data", "local", "second", "third")


def records(area):
    return json.loads((GOLDEN / f"{area}.json").read_text(encoding="utf-8"))


def chain(record):
    for link in record["links"]:
        above = tuple(tuple(places) for places in link["above"])
        evidence = Evidence(tuple(link["names"]), above, link["signals"], link["headers"], link["body"], link["text"])
        yield Link(evidence, link["branch"], link["explicit"])


ALL = [record for area in AREAS for record in records(area)]


@pytest.mark.parametrize("area", AREAS)
def test_real_exceptions_are_answered_as_people_expected(area):
    wrong = {}
    for record in records(area):
        verdict = judged(record["expected"], classify_links(chain(record)))
        if verdict.wrong:
            wrong[record["name"]] = verdict.wrong
    assert wrong == {}


def test_the_goals_of_the_classifier_hold_with_room():
    score = Score()
    for record in ALL:
        score.count(judged(record["expected"], classify_links(chain(record))))
    print(score)
    assert score.n >= 500
    assert score.kinds / score.n >= 0.92
    assert score.retries / score.retries_asked >= 0.95
    assert score.in_vain <= 3
    assert (score.waits, score.waits_invented) == (score.waits_told, 0)
    assert score.executed / score.executed_asked >= 0.95


def test_every_kind_an_exception_can_be_was_raised_by_a_library():
    expected = {kind for record in ALL for kind in record["expected"]["kinds"]}
    never_raised = {"CACHE_MISS", "CIRCUIT_OPEN"}  # words of our own code, not of a client library
    assert set(ErrorKind.__members__) - expected <= never_raised


def test_a_record_is_a_chain_of_at_most_twelve_links():
    assert all(1 <= len(record["links"]) <= MAX_LINKS for record in ALL)


def test_a_row_of_a_log_with_the_same_signals_gets_the_same_kind():
    """A log keeps one link; where an exception is one link, its row is answered as it was live."""
    alike = 0
    for record in ALL:
        if len(record["links"]) != 1:
            continue
        link = record["links"][0]
        if len(link["names"]) == 0:
            continue
        live = classify_links(chain(record))
        row = {**link["signals"], "headers": link["headers"], "body": link["body"], "exception_type": link["names"][0]}
        logged = classify(row)
        # The class of a log is the outermost alone: a name that only a base class has is lost.
        if logged.rule == live.rule:
            alike += 1
            assert (logged.kind, logged.retryable, logged.maybe_executed) == (
                live.kind,
                live.retryable,
                live.maybe_executed,
            )
        else:
            assert logged.kind.value in record["expected"]["kinds"] or logged.kind is ErrorKind.UNKNOWN, record["name"]
    assert alike > 250


def test_the_names_of_the_cases_are_unique():
    names = [record["name"] for record in ALL]
    assert len(names) == len(set(names))
