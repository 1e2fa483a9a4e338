"""Requests beside attempts, degraded answers, exclusions and the bill: a small log counted by hand."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from relkit.batch import Batch
from relkit.exceptions import DataError
from relkit.period import period_of
from relkit.slo import Exclusion, Objective
from relkit.store import open_store, readings, sink_into
from relkit.store.exclusions import add_exclusion, remove_exclusion
from relkit.store.open import Store

WEEK = period_of("2026-W47")
assert WEEK.start_us is not None
START: int = WEEK.start_us
DAY_US = 86_400_000_000
GOAL = Objective("availability", "0.99")


def tried(request: str, attempt: int, ok: bool, model: str = "small", **more: Any) -> dict[str, Any]:
    row = {
        "request_id": request, "attempt": attempt, "ts": START + attempt * 1_000_000, "latency_us": 1000, "ok": ok, "ended": True,
        "role": "user", "granularity": "attempt", "model": model, "service": "chat", "cost_microusd": 100, "degraded": None,
        "status": None if ok else 503, "message": None if ok else "overloaded", "tokens_in": None,
    }  # fmt: skip
    return row | more


LOG = [
    tried("a", 1, True),
    tried("b", 1, False),
    tried("b", 2, True),
    tried("c", 1, False),
    tried("c", 2, False),
    tried("c", 3, True, model="large", cost_microusd=900, degraded=True),
    tried("d", 1, False, ts=START + DAY_US + 1),
    tried("e", 1, True, role="shadow"),
    tried("f", 1, True, cost_microusd=None, tokens_in=7, ts=START + DAY_US + 1),
]


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with open_store(tmp_path / "log.duckdb", write=True) as opened:
        with sink_into(opened, "test", "rows") as sink:
            sink(Batch("attempts", {name: [row[name] for row in LOG] for name in LOG[0]}))
        yield opened


def test_a_retry_that_helped_is_a_bad_attempt_and_a_good_request(store: Store) -> None:
    found = readings.levels(store, WEEK, GOAL)
    assert (found.requests.good, found.requests.bad, found.degraded_requests) == (4, 1, 1)
    assert (found.attempts.good, found.attempts.bad, found.degraded_attempts) == (4, 4, 1)
    assert (found.mended, found.full_share) == (3, 0.6)


def test_a_degraded_answer_counts_as_the_objective_says(store: Store) -> None:
    strict = Objective("full", "0.99", degraded="bad")
    assert [readings.minutes(store, WEEK, goal).totals.bad for goal in (GOAL, strict)] == [1, 2]


def test_bad_requests_are_counted_by_kind(store: Store) -> None:
    (failed, *others) = readings.groups(store, WEEK, GOAL, "kind")
    assert (failed.name, failed.totals.bad) == ("MODEL_OVERLOADED", 1)
    assert sum(group.totals.bad for group in others) == 0


def test_calls_are_billed_by_why_they_were_made(store: Store) -> None:
    cells = readings.cost_cells(store, WEEK)
    found = {(cell.day - START // DAY_US, cell.line): (cell.use.calls, cell.use.cost_microusd) for cell in cells}
    assert found == {
        (0, "first tries"): (3, 300),
        (0, "retries"): (2, 200),
        (0, "fallbacks"): (1, 900),
        (0, "shadow"): (1, 100),
        (1, "first tries"): (2, 100),
    }
    assert sum(cell.use.tokens_in for cell in cells) == 7
    assert readings.answers_by_day(store, WEEK) == {START // DAY_US: 3, START // DAY_US + 1: 1}


def test_an_exclusion_is_added_once_read_where_it_touches_and_taken_back(store: Store) -> None:
    one = Exclusion(START - 5, START + 5, "drill", "ops", None)
    add_exclusion(store, one)
    add_exclusion(store, Exclusion(START - 9, START, "before", "ops", "chat"))
    assert readings.exclusions(store, WEEK) == (one,)
    with pytest.raises(DataError, match="already"):
        add_exclusion(store, one)
    remove_exclusion(store, one.start_us, one.end_us, None)
    assert readings.exclusions(store, WEEK) == ()
    with pytest.raises(DataError, match="no exclusion"):
        remove_exclusion(store, one.start_us, one.end_us, None)
