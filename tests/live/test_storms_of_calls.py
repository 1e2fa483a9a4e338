"""No permit is lost and no call forgotten, however many threads and tasks call at once and give up."""

import pytest
from storms_of_calls import TRIAL, tasks, threads

from relkit.policies.records import BreakerSettings

FLAPPING = BreakerSettings(failure_threshold=3, open_s=0.005, half_open_permits=2, half_open_successes=2, counts=0)


@pytest.mark.parametrize("counts", [0, 1])
def test_a_thousand_tasks_that_are_cancelled_lose_no_permit(counts: int) -> None:
    books = tasks(1000, 1, breaker=TRIAL.changed(counts=counts), half_open=True, failing=0.0, cancelled=0.5)
    assert books.is_half_open  # one cancellation that counted as a failure would have opened it
    assert books.ended["cancelled"] > 100
    assert books.adds_up, books


def test_a_thousand_tasks_with_failures_and_waits_add_up() -> None:
    books = tasks(1000, 2, breaker=FLAPPING, half_open=False, failing=0.3, cancelled=0.3)
    assert min(books.ended["open"], books.ended["cancelled"], books.ended["failed"]) > 0
    assert sum(books.ended.values()) <= 1000  # a task that is cancelled before it began has no end of its own
    assert books.adds_up, books


def test_sixteen_threads_that_give_up_lose_no_permit() -> None:
    books = threads(16, 60, 1, breaker=TRIAL, half_open=True, failing=0.0, given_up=0.3)
    assert books.is_half_open
    assert books.ended["given up"] > 100
    assert sum(books.ended.values()) == 960
    assert books.adds_up, books


def test_sixteen_threads_with_failures_and_waits_add_up() -> None:
    books = threads(16, 60, 2, breaker=FLAPPING, half_open=False, failing=0.3, given_up=0.1)
    assert sum(books.ended.values()) == 960
    assert books.adds_up, books
