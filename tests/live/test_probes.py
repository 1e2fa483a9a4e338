"""Health checks: in time or failed, never two at once, ended when asked, and never the judge of a recovery."""

import asyncio
import threading

import pytest

from relkit.exceptions import ParameterError
from relkit.live.events import ProbeEvent
from relkit.live.probes import Prober
from relkit.live.registry import Registry
from relkit.policies.guard import Breaker
from relkit.policies.policy import Policy
from relkit.policies.presets import presets
from relkit.policies.records import BreakerSettings


def registry(**changes: object) -> Registry:
    settings = BreakerSettings(failure_threshold=2, open_s=600.0).changed(**{"probe_success": "half_opens", **changes})
    return Registry({"default": Policy("test", "2026-11", "test", settings)})


def breaker_of(found: Registry) -> Breaker:
    breaker = found.breaker()
    assert breaker is not None
    return breaker


def test_a_check_that_passes_half_opens_and_never_closes() -> None:
    known = registry()
    breaker = breaker_of(known)
    breaker.trip()
    prober = Prober(lambda: True, known)
    assert prober.check_now()
    assert breaker.word == "half_open"
    assert prober.check_now()
    assert breaker.word == "half_open"
    breaker.ask().settle(0)
    assert breaker.word == "closed"


def test_a_time_the_server_stated_is_kept_whatever_a_check_says() -> None:
    known = registry()
    breaker_of(known).throttle(60.0)
    Prober(lambda: True, known).check_now()
    assert breaker_of(known).word == "open"


def test_settings_that_close_blindly_are_refused() -> None:
    with pytest.raises(ParameterError, match="half_opens"):
        Prober(lambda: True, registry(probe_success="closes"))
    with pytest.raises(ParameterError, match="half_opens"):
        Prober(lambda: True, Registry({"default": presets["plan"]}))


@pytest.mark.parametrize(
    ("told", "up", "status"),
    [
        (True, True, None),
        (False, False, None),
        (200, True, 200),
        (302, True, 302),
        (503, False, 503),
        (None, False, None),
    ],
)
def test_what_a_check_returns_is_read_and_told(told: object, up: bool, status: int | None) -> None:
    events: list[object] = []
    assert Prober(lambda: told, registry(), service="chat", record=events.append).check_now() is up
    [event] = events
    assert isinstance(event, ProbeEvent)
    assert (event.service, event.up, event.status) == ("chat", up, status)


def test_a_check_that_raises_means_down() -> None:
    def broken() -> bool:
        raise OSError

    known = registry(probe_failure="opens")
    assert not Prober(broken, known).check_now()
    assert breaker_of(known).word == "open"


def test_a_check_that_hangs_has_failed_and_no_other_begins_beside_it() -> None:
    begun, release = [], threading.Event()

    def hangs() -> bool:
        begun.append(threading.current_thread())
        release.wait(10.0)
        return True

    prober = Prober(hangs, registry(), timeout_s=0.02)
    assert [prober.check_now() for _ in range(3)] == [False] * 3
    assert len(begun) == 1
    release.set()
    begun[0].join()
    assert prober.check_now()
    assert len(begun) == 2


def test_closing_ends_the_checks_at_once_though_the_interval_is_long() -> None:
    checked = threading.Event()

    def check() -> bool:
        checked.set()
        return True

    with Prober(check, registry(), interval_s=3600.0, timeout_s=1.0) as prober:
        assert prober.start() is prober  # a second start changes nothing
        assert checked.wait(5.0)
        thread = prober._thread
        assert thread is not None
    assert not thread.is_alive()


def test_an_async_check_is_cut_at_its_limit_and_cancelled_with_its_task() -> None:
    events: list[ProbeEvent] = []
    cut = []

    async def slow() -> bool:
        try:
            await asyncio.sleep(30.0)
        except asyncio.CancelledError:
            cut.append(True)
            raise
        return True

    async def run() -> None:
        prober = Prober(slow, registry(), interval_s=0.01, timeout_s=0.01, record=events.append)  # type: ignore[arg-type]
        task = asyncio.create_task(prober.run())
        while len(events) < 2:
            await asyncio.sleep(0.005)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(run())
    assert [event.up for event in events[:2]] == [False, False]
    assert len(cut) >= 2


def test_without_a_check_there_is_no_prober() -> None:
    with pytest.raises(ParameterError, match="a function"):
        Prober(None, registry())  # type: ignore[arg-type]


@pytest.mark.parametrize("times", [{"interval_s": 0.0}, {"timeout_s": -1.0}])
def test_times_must_be_above_zero(times: dict[str, float]) -> None:
    with pytest.raises(ParameterError, match="above 0"):
        Prober(lambda: True, registry(), **times)
