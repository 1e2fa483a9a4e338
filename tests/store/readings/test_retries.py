"""What followed an error, on logs small enough to count by hand and on random ones against a plain count in Python."""

import random
from collections import Counter
from typing import Any

import pytest
from workshop import Workshop

from relkit.batch import Batch
from relkit.errors import WAIT_EDGES_US, NextTries, Signals, fingerprint
from relkit.errors.tries import Tries, TryHour, TryNumber
from relkit.period import period_of
from relkit.prices import Use
from relkit.store import readings, sink_into

ALL, WEEK = period_of("all"), period_of("2026-W47")
assert WEEK.start_us is not None
START: int = WEEK.start_us
SECOND, HOUR = 1_000_000, 3_600_000_000
Row = dict[str, Any]
DOWN, LIMIT = fingerprint(Signals(status=500)), fingerprint(Signals(status=429))


def attempt(request: str | None, number: int, at_us: int | None, status: int | None = None, **more: Any) -> Row:
    row = {
        "request_id": request, "attempt": number, "ts": None if at_us is None else START + at_us, "latency_us": SECOND, "ended": True,
        "ok": status is None, "role": "user", "service": "llm", "model": "m", "granularity": "attempt", "status": status,
        "retry_after_us": None, "cost_microusd": None, "tokens_in": None, "tokens_out": None,
    }  # fmt: skip
    return row | more


def read(workshop: Workshop, rows: list[Row], period: Any = ALL) -> NextTries:
    with sink_into(workshop.store, "log", "x") as sink:
        sink(Batch("attempts", {name: [row[name] for row in rows] for name in rows[0]}))
    return readings.next_tries(workshop.store, period, WAIT_EDGES_US)


def test_a_next_try_is_the_next_attempt_of_the_same_request(workshop: Workshop) -> None:
    found = read(
        workshop,
        [
            attempt("a", 1, 0, 500), attempt("a", 2, 3 * SECOND, 500), attempt("a", 3, 5 * SECOND),
            attempt("b", 1, 0, 500),
            attempt("c", 1, 0), attempt("c", 2, 9 * SECOND),
        ],
    )  # fmt: skip
    (row,) = found.rows
    assert (row.fp, row.wait, row.retries, row.successes, row.same_request, row.same_hour) == (DOWN, 2, 2, 1, 4, 4)
    assert (row.waits, row.wait_sum_us) == (2, 3 * SECOND)
    assert (found.most_tries, found.untold) == (3, 0)


def test_the_wait_runs_from_the_end_of_the_failed_try_to_the_start_of_the_next(workshop: Workshop) -> None:
    rows: list[Row] = []
    waits = [50_000, 100_000, 999_999, 5 * SECOND, 120 * SECOND, -SECOND]
    for i, wait in enumerate(waits):
        rows += [attempt(f"r{i}", 1, 0, 500), attempt(f"r{i}", 2, SECOND + wait)]
    rows += [attempt("x", 1, None, 500), attempt("x", 2, None)]
    found = {row.wait: row.retries for row in read(workshop, rows).rows}
    assert found == {0: 2, 1: 2, 3: 1, 5: 1, None: 1}


def test_whole_requests_other_roles_and_rows_without_an_id_have_no_next_try(workshop: Workshop) -> None:
    rows = [
        attempt("a", 1, 0, 500, granularity="request"), attempt("b", 1, 0, 500, role="probe"), attempt("b", 2, 9, role="probe"),
        attempt(None, 1, 0, 500), attempt(None, 2, 9),
    ]  # fmt: skip
    assert read(workshop, rows) == NextTries((), 0, 0)


def test_what_is_not_told_is_counted_apart(workshop: Workshop) -> None:
    found = read(workshop, [attempt("a", 1, 0, 500), attempt("a", 2, 2 * SECOND, ok=None, ended=False)])
    assert (found.rows, found.untold) == ((), 1)


def test_a_retry_elsewhere_and_one_before_its_time_are_told(workshop: Workshop) -> None:
    rows = [
        attempt("a", 1, 0, 429, retry_after_us=2 * SECOND), attempt("a", 2, 2 * SECOND, 429, retry_after_us=SECOND),
        attempt("a", 3, 9 * SECOND, model="n"),
    ]  # fmt: skip
    found = read(workshop, rows).rows
    assert [(row.wait, row.moved, row.asked, row.too_early) for row in found] == [(2, 0, 1, 1), (3, 1, 1, 0)]


def test_a_failed_attempt_belongs_to_the_week_in_which_it_ends(workshop: Workshop) -> None:
    before, within = -10 * SECOND, -SECOND // 2
    rows = [attempt("a", 1, before, 500), attempt("a", 2, 0), attempt("b", 1, within, 500), attempt("b", 2, SECOND)]
    assert read(workshop, rows, WEEK).retries == 1


def random_tries(seed: int) -> list[Row]:
    draw = random.Random(seed)
    rows = []
    for i in range(120):
        at = draw.randrange(5 * HOUR)
        for number in range(1, draw.choice([1, 1, 2, 3, 4]) + 1):
            status = draw.choice([None, 429, 500])
            known = draw.random() > 0.1 or status is not None
            rows.append(
                attempt(
                    f"r{i}", number, at if draw.random() > 0.05 else None, status, ok=status is None if known else None,
                    service=draw.choice(["llm", "db"]), model=draw.choice(["m", "n", None]),
                    retry_after_us=draw.choice([None, SECOND]) if status == 429 else None,
                )
            )  # fmt: skip
            at += draw.randrange(SECOND // 2, 20 * SECOND)
    return rows


@pytest.mark.parametrize("seed", range(10))
def test_all_sums_equal_a_plain_count(workshop: Workshop, seed: int) -> None:
    rows = random_tries(seed)
    place = {(row["request_id"], row["attempt"]): row for row in rows}
    pairs, untold = [], 0
    for row in rows:
        after = place.get((row["request_id"], row["attempt"] + 1))
        if row["status"] is not None and after is not None:
            untold += after["ok"] is None
            pairs += [(row, after)] if after["ok"] is not None else []
    requests = Counter(row["request_id"] for row, _ in pairs)
    hours = Counter((row["service"], row["ts"] and row["ts"] // HOUR) for row, _ in pairs)
    wanted: dict[tuple[int, int | None], list[int]] = {}
    for row, after in pairs:
        wait = None if row["ts"] is None or after["ts"] is None else after["ts"] - row["ts"] - SECOND
        stretch = None if wait is None else sum(wait >= edge for edge in WAIT_EDGES_US)
        sums = wanted.setdefault((DOWN if row["status"] == 500 else LIMIT, stretch), [0] * 9)
        asked = row["retry_after_us"]
        for i, value in enumerate(
            [
                1, after["ok"], requests[row["request_id"]], hours[row["service"], row["ts"] and row["ts"] // HOUR],
                (row["service"], row["model"]) != (after["service"], after["model"]), asked is not None and wait is not None,
                asked is not None and wait is not None and wait < asked, wait is not None, wait or 0,
            ]
        ):  # fmt: skip
            sums[i] += value
    found = read(workshop, rows)
    assert {
        (row.fp, row.wait): [
            row.retries, row.successes, row.same_request, row.same_hour, row.moved, row.asked, row.too_early, row.waits, row.wait_sum_us,
        ]
        for row in found.rows
    } == wanted  # fmt: skip
    assert found.untold == untold


def test_what_calls_used_is_added_up_by_service_and_model(workshop: Workshop) -> None:
    read(
        workshop,
        [
            attempt("a", 1, 0, 500, cost_microusd=7), attempt("b", 1, 0, 500, tokens_in=100), attempt("c", 1, 0, 500, model="n"),
            attempt("d", 1, 0, tokens_in=1, tokens_out=2, cost_microusd=9), attempt("e", 1, 0, role="probe", cost_microusd=9),
            attempt("f", 1, 0, tokens_out=5, model=None, service=None),
        ],
    )  # fmt: skip
    assert set(readings.call_uses(workshop.store, ALL)) == {
        Use("llm", "m", 3, 2, 16, 1, 100, 0), Use("llm", "n", 1), Use(None, None, 1, 0, 0, 1, 0, 5),
    }  # fmt: skip
    (row,) = readings.fingerprint_counts(workshop.store, ALL).rows
    assert row.uses == (Use("llm", "m", 2, 1, 7, 1, 100, 0), Use("llm", "n", 1))
    assert sum(use.calls for use in row.uses) == row.failed_attempts == 3


def test_tries_are_counted_by_number_and_by_hour(workshop: Workshop) -> None:
    """By hand: three requests, one of which is rescued; a probe and a row without request_id count nowhere."""
    read(
        workshop,
        [
            attempt("a", 1, 0, 500, cost_microusd=7), attempt("a", 2, HOUR, 429), attempt("a", 3, HOUR + SECOND, cost_microusd=5),
            attempt("b", 1, 0, 500), attempt("c", 1, HOUR, ok=None),
            attempt("p", 1, 0, role="probe"), attempt(None, 1, 0, 500), attempt("w", 1, 0, granularity="request"),
        ],
    )  # fmt: skip
    found = readings.tries(workshop.store, ALL)
    assert found.numbers == (TryNumber(1, 3, 0, 1, 7, 1), TryNumber(2, 1, 0), TryNumber(3, 1, 1, 0, 5, 1))
    first = START // HOUR
    assert found.hours == (TryHour(first, 2, 2, 2), TryHour(first + 1, 1, 3, 1))
    assert (found.most_tries, found.retries, found.rescued) == (3, 2, 1)


def test_tries_belong_to_the_period_in_which_they_end_and_are_numbered_from_one(workshop: Workshop) -> None:
    assert WEEK.end_us is not None
    late = WEEK.end_us - START
    read(workshop, [attempt("a", 0, 0, 500), attempt("a", 1, late - SECOND), attempt("b", 0, late - SECOND - 1)])
    found = readings.tries(workshop.store, WEEK)
    assert [(row.number, row.tries, row.succeeded) for row in found.numbers] == [(1, 2, 1)]
    assert readings.tries(workshop.store, ALL).most_tries == 2


def test_a_log_without_tries_has_none(workshop: Workshop) -> None:
    read(workshop, [attempt("a", 1, 0, granularity="request"), attempt(None, 1, None)])
    assert readings.tries(workshop.store, ALL) == Tries((), ())


@pytest.mark.parametrize("seed", range(4))
def test_tries_equal_a_plain_count(workshop: Workshop, seed: int) -> None:
    rows = random_tries(seed)
    read(workshop, rows)
    found = readings.tries(workshop.store, ALL)
    assert {row.number: (row.tries, row.succeeded, row.untold) for row in found.numbers} == {
        number: (
            sum(row["attempt"] == number for row in rows),
            sum(row["attempt"] == number and row["ok"] is True for row in rows),
            sum(row["attempt"] == number and row["ok"] is None for row in rows),
        )
        for number in sorted({row["attempt"] for row in rows})
    }
    assert sum(hour.tries for hour in found.hours) == sum(row["ts"] is not None for row in rows)
