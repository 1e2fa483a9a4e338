"""Health checks that run beside the calls: each within a time limit, never two at once, and ended when asked to.

A check proves less than a real call. So one that passes lets an open breaker admit a trial call, and does not close it.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from inspect import isawaitable
from threading import Event as Signal
from threading import Thread
from typing import Final, Self

from relkit.exceptions import ParameterError
from relkit.live.callee import not_async, refuse_async
from relkit.live.clocks import now_s, now_us
from relkit.live.events import ProbeEvent, Record
from relkit.live.registry import DEFAULT, Registry
from relkit.live.telling import tell
from relkit.policies.codes import PROBE_CLOSES
from relkit.policies.guard import Breaker
from relkit.units import US_PER_SECOND

_OK: Final = range(200, 400)
# A month: who checks less often does not check, and the system can wait for it.
_MOST_S: Final = 30 * 86_400.0


@dataclass(frozen=True, slots=True)
class _Found:
    up: bool
    status: int | None


class Prober:
    """A health check of one service, again and again.

    Parameters
    ----------
    check : callable
        Checks the service itself, not a page that reports this breaker. It returns whether it is up, or an HTTP status
        (2xx and 3xx are up), and what it raises means down. For `run` it is async.
    registry : Registry
        Whose breaker is told.
    service : str
        Name of the service.
    model : str or None
        Which of its breakers.
    interval_s, timeout_s : float
        Time from one check to the next, and how long one may take, seconds. A check that takes longer has failed, and
        no other begins before it has ended.
    record : callable or None
        Is told every `relkit.live.events.ProbeEvent`.

    Raises
    ------
    ParameterError
        For no function, times that are not above 0 or longer than a month, or settings by which a check closes a breaker
        blindly. Later for an async check in a thread, or one that is not async in a task.

    Examples
    --------
    >>> from relkit.policies.presets import presets
    >>> registry = Registry({"default": presets["plan-fixed"]})
    >>> with Prober(lambda: 200, registry, interval_s=60.0, timeout_s=1.0) as prober:
    ...     prober.check_now()
    True
    """

    __slots__ = ("_check", "_record", "_registry", "_running", "_stop", "_thread", "interval_s", "model", "service", "timeout_s")  # fmt: skip

    def __init__(
        self,
        check: Callable[[], bool | int] | Callable[[], Awaitable[bool | int]],
        registry: Registry,
        *,
        service: str = DEFAULT,
        model: str | None = None,
        interval_s: float = 30.0,
        timeout_s: float = 5.0,
        record: Record | None = None,
    ) -> None:
        if not callable(check):
            raise ParameterError.of("check", check, "a function", "give one that asks the service itself")
        for name, seconds in (("interval_s", interval_s), ("timeout_s", timeout_s)):
            if not 0 < seconds <= _MOST_S:
                allowed = f"seconds above 0, at most {_MOST_S:.0f}"
                raise ParameterError.of(name, seconds, allowed, "say how often, and how long at most")
        cfg = registry.policy(service).breaker
        if cfg is not None and cfg.probe_success == PROBE_CLOSES:
            remedy = 'set probe_success = "half_opens": a passed check proves less than a real call'
            raise ParameterError.of("probe_success", "closes", "half_opens or nothing", remedy)
        self._check, self._registry, self._record = check, registry, record
        self.service, self.model = service, model
        self.interval_s, self.timeout_s = interval_s, timeout_s
        self._stop = Signal()
        self._thread: Thread | None = None
        self._running: Thread | None = None

    # With threads

    def start(self) -> Self:
        """Begin to check in a thread of its own, at once and then at every interval; a second call changes nothing."""
        refuse_async(self._check)
        if self._thread is None:
            self._stop.clear()
            self._thread = Thread(target=self._go_on, name=f"probe {self.service}", daemon=True)
            self._thread.start()
        return self

    def close(self) -> None:
        """End the checks, and wait for the one that runs, at most as long as one may take."""
        self._stop.set()
        for thread in (self._thread, self._running):
            if thread is not None:
                thread.join(self.timeout_s)
        self._thread = None

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.close()

    def _go_on(self) -> None:
        while not self._stop.is_set():
            self.check_now()
            self._stop.wait(self.interval_s)

    def check_now(self) -> bool:
        """Check once and tell the breaker; a check that an earlier one still blocks has failed."""
        at_us, began_s = now_us(), now_s()
        found: list[_Found] = []
        before = self._running
        if before is None or not before.is_alive():
            # A thread cannot be stopped from outside: one that hangs is left alone, and none is put beside it.
            self._running = running = Thread(
                target=lambda: found.append(self._asked()), name=f"check {self.service}", daemon=True
            )
            running.start()
            running.join(self.timeout_s)
        return self._take(found[0] if found else _Found(False, None), at_us, began_s)

    def _asked(self) -> _Found:
        try:
            return _read(self._check())
        except Exception:  # noqa: BLE001  whatever a check raises means down
            return _Found(False, None)

    # With asyncio

    async def run(self) -> None:
        """Check with an async check until the task is cancelled, at once and then at every interval."""
        while True:
            await self.acheck_now()
            await asyncio.sleep(self.interval_s)

    async def acheck_now(self) -> bool:
        """Check once with an async check, which is cancelled at the time limit, and tell the breaker."""
        at_us, began_s = now_us(), now_s()
        try:
            async with asyncio.timeout(self.timeout_s):
                coming = self._check()
                found = _read(await coming) if isawaitable(coming) else None
        except Exception:  # noqa: BLE001  whatever a check raises means down
            found = _Found(False, None)
        if found is None:
            raise not_async(self._check)
        return self._take(found, at_us, began_s)

    def _take(self, found: _Found, at_us: int, began_s: float) -> bool:
        breaker: Breaker | None = self._registry.breaker(self.service, self.model)
        if breaker is not None:
            breaker.probe(passed=found.up)
        latency_us = round((now_s() - began_s) * US_PER_SECOND)
        tell(self._record, ProbeEvent(self.service, found.up, found.status, latency_us, at_us))
        return found.up


def _read(told: object) -> _Found:
    """Read what a check returned: a status, or whether the service is up; nothing at all is no proof that it is."""
    if isinstance(told, int) and not isinstance(told, bool):
        return _Found(told in _OK, told if 100 <= told <= 599 else None)
    return _Found(told is True, None)
