"""The breaker around real calls: permits settle once, also across threads, and a lost one blocks nothing."""

import threading

import pytest

from relkit import Breaker
from relkit.exceptions import ParameterError
from relkit.policies.codes import ABANDONED, FAILURE, NONE, OPENED, SUCCESS
from relkit.policies.records import BreakerSettings


class Clock:
    def __init__(self) -> None:
        self.now_s = 100.0

    def __call__(self) -> float:
        return self.now_s


def opened(clock: Clock, **changes: object) -> Breaker:
    breaker = Breaker(BreakerSettings(failure_threshold=2, open_s=10.0).changed(**changes), clock=clock)
    assert [breaker.ask().settle(FAILURE) for _ in range(2)] == [NONE, OPENED]
    return breaker


def test_it_opens_rejects_and_comes_back() -> None:
    clock = Clock()
    breaker = opened(clock)
    rejected = breaker.ask()
    assert (rejected.admitted, rejected.code, rejected.retry_after_s) == (False, 1, 10.0)
    clock.now_s += 10
    assert breaker.word == "half_open"
    breaker.ask().settle(SUCCESS)
    assert breaker.word == "closed"


def test_only_the_first_report_counts() -> None:
    breaker = Breaker(BreakerSettings(failure_threshold=2))
    permit = breaker.ask()
    assert [permit.settle(FAILURE) for _ in range(5)] == [NONE] * 5
    assert breaker.state.run == 1


def test_a_permit_left_unsettled_is_given_back() -> None:
    clock = Clock()
    breaker = opened(clock)
    clock.now_s += 10
    with breaker.ask() as permit:
        assert permit.admitted
        assert not breaker.ask().admitted
    assert breaker.ask().admitted


def test_a_settled_permit_is_not_abandoned_on_leaving() -> None:
    clock = Clock()
    breaker = opened(clock)
    clock.now_s += 10
    with breaker.ask() as permit:
        permit.settle(SUCCESS)
    assert breaker.word == "closed"
    assert permit.settle(ABANDONED) == NONE


def test_latency_is_the_time_since_the_permit() -> None:
    clock = Clock()
    breaker = Breaker(BreakerSettings(failure_threshold=1, timeout_s=5.0), clock=clock)
    permit = breaker.ask()
    clock.now_s += 5
    assert permit.settle(SUCCESS) == OPENED


def test_half_open_admits_its_permits_and_no_more_across_threads() -> None:
    clock = Clock()
    breaker = opened(clock, half_open_permits=3, half_open_successes=3)
    clock.now_s += 10
    barrier = threading.Barrier(8)
    admitted: list[bool] = []

    def call() -> None:
        barrier.wait()
        admitted.extend(breaker.ask().admitted for _ in range(50))

    threads = [threading.Thread(target=call) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (len(admitted), sum(admitted)) == (400, 3)


def test_by_hand_by_probe_and_by_the_server() -> None:
    clock = Clock()
    breaker = opened(clock, probe_success="half_opens")
    assert breaker.probe(passed=True) == "half_opened"
    assert breaker.force("closed") == "closed"
    assert breaker.throttle(4.0) == "opened"
    assert breaker.ask().code == 4
    assert breaker.explain() == "Open because the server asked for 4 s; 4 s of 4 s are left."
    assert breaker.force("forced_open") == "opened"
    with pytest.raises(ParameterError, match="half_open"):
        breaker.force("half_open")


def test_each_change_is_told_once_with_its_numbers_and_without_the_lock() -> None:
    clock, told = Clock(), []
    breaker = Breaker(
        BreakerSettings(failure_threshold=2, open_s=10.0),
        clock=clock,
        on_change=lambda change: told.append((change, breaker.lock._is_owned())),
    )
    for _ in range(2):
        breaker.ask().settle(FAILURE)
    clock.now_s += 12
    assert breaker.word == "half_open"
    breaker.ask().settle(SUCCESS)
    breaker.ask().settle(SUCCESS)
    assert [(change.at_s, change.from_state, change.to_state) for change, _ in told] == [
        (100.0, "closed", "open"),
        (110.0, "open", "half_open"),  # when its time was over, not when somebody looked
        (112.0, "half_open", "closed"),
    ]
    opened_by = told[0][0]
    assert (opened_by.failures, opened_by.threshold) == (2, 2.0)
    assert "2 failures in a row" in opened_by.reason
    assert [held for _, held in told] == [False] * 3


def test_a_draw_of_ones_own_takes_the_place_of_the_breakers() -> None:
    breaker = Breaker(BreakerSettings(), clock=Clock(), draw=lambda: 0.25)
    breaker.ask()
    assert breaker.state.draw == 0.25
    breaker.ask(0.75)
    assert breaker.state.draw == 0.75
    assert breaker.trip() == "opened"
