"""The traffic that calibration reads: every attempt once, in order, and what was never sent told apart."""

from typing import Any

import pytest
from workshop import Workshop

from relkit.batch import Batch
from relkit.errors import Signals, fingerprint
from relkit.errors.kinds import ADVICE, ErrorKind
from relkit.exceptions import DataError
from relkit.period import period_of
from relkit.store import readings, sink_into

ALL, WEEK = period_of("all"), period_of("2026-W47")
assert WEEK.start_us is not None
START: int = WEEK.start_us
SECOND = 1_000_000
Row = dict[str, Any]
LIMIT = fingerprint(Signals(status=429))


def attempt(request: str | None, number: int, at_us: int | None, *, good: bool | None = True, **more: Any) -> Row:
    row = {
        "request_id": request, "attempt": number, "ts": None if at_us is None else START + at_us, "latency_us": SECOND, "ended": True,
        "ok": good, "role": "user", "service": "llm", "model": "m", "granularity": "attempt", "status": None, "breaker_state": None,
        "retry_after_us": None,
    }  # fmt: skip
    return row | more


def write(workshop: Workshop, rows: list[Row]) -> None:
    with sink_into(workshop.store, "log", "x") as sink:
        sink(Batch("attempts", {name: [row[name] for row in rows] for name in rows[0]}))


def test_every_attempt_of_the_commonest_model_is_there_once_and_in_order(workshop: Workshop) -> None:
    write(workshop, [
        attempt("b", 1, 5 * SECOND), attempt("a", 1, 0, good=False, status=429, retry_after_us=7 * SECOND),
        attempt("a", 2, 3 * SECOND), attempt("c", 1, 4 * SECOND, model="other"), attempt("d", 1, 6 * SECOND, role="probe"),
        attempt("e", 1, 7 * SECOND, good=None), attempt("f", 1, None), attempt("g", 1, 8 * SECOND, role="shadow"),
    ])  # fmt: skip
    found = readings.traffic(workshop.store, ALL)
    assert found.model == "m"
    assert ((found.start_us - START) // SECOND).tolist() == [0, 3, 5, 6, 7]
    assert found.outcome.tolist() == [0, 1, 1, 1, -1]
    assert found.kind.tolist()[0] == ADVICE[ErrorKind.API_RATE_LIMIT].int_code
    assert found.retry_after_us.tolist()[0] == 7 * SECOND
    assert found.number.tolist() == [1, 2, 1, 1, 1]
    assert found.request[0] == found.request[1] != found.request[2]
    assert found.is_user.tolist() == [True, True, True, False, True]
    assert found.others == 1
    assert readings.traffic(workshop.store, ALL, "other").attempts == 1


def test_a_call_that_the_logs_own_breaker_turned_away_was_never_sent(workshop: Workshop) -> None:
    write(workshop, [
        attempt("a", 1, 0, good=False, status=500), attempt("b", 1, SECOND, good=False, breaker_state="open"),
        attempt("c", 1, 2 * SECOND, breaker_state="half_open"), attempt("d", 1, 3 * SECOND, breaker_state="open"),
    ])  # fmt: skip
    found = readings.traffic(workshop.store, ALL)
    assert found.rejected.tolist() == [False, True, False, False]
    assert found.attempts == 3


def test_a_call_without_an_end_may_have_been_on_any_model(workshop: Workshop) -> None:
    write(workshop, [attempt("a", 1, 0), attempt("b", 1, SECOND, good=None, model=None, ended=False, latency_us=None)])
    found = readings.traffic(workshop.store, ALL, "m")
    assert found.ended.tolist() == [True, False]
    assert found.latency_us.tolist() == [SECOND, -1]


def test_rows_without_a_request_are_requests_of_their_own(workshop: Workshop) -> None:
    write(workshop, [attempt(None, 1, 0), attempt(None, 1, 0), attempt(None, 1, SECOND)])
    assert len(set(readings.traffic(workshop.store, ALL).request.tolist())) == 3


def test_what_is_not_there_is_said(workshop: Workshop) -> None:
    write(workshop, [attempt("a", 1, None)])
    with pytest.raises(DataError, match="no attempt of the log has a clock"):
        readings.traffic(workshop.store, ALL)
    write_more = [attempt("b", 1, 0)]
    with sink_into(workshop.store, "log2", "y") as sink:
        sink(Batch("attempts", {name: [row[name] for row in write_more] for name in write_more[0]}))
    with pytest.raises(DataError, match="is on 'nobody'; the log has m"):
        readings.traffic(workshop.store, ALL, "nobody")
