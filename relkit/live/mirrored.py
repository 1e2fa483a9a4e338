"""A call as its shadow sees it: offered at the beginning, told once how it ended, and never slowed or failed by either."""

from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any

from relkit.errors.kinds import ErrorKind
from relkit.live.answers import Offered, Primary, Request, Shadow
from relkit.units import US_PER_SECOND


class Mirrored:
    """One call and its shadow, where it has one.

    Parameters
    ----------
    shadow : Shadow or None
        Who may send it to another variant.
    clock : callable
        Gives seconds that never run backwards.
    """

    __slots__ = ("_began_s", "_clock", "_finish", "_shadow", "_told")

    def __init__(self, shadow: Shadow | None, clock: Callable[[], float]) -> None:
        self._shadow, self._clock = shadow, clock
        self._finish: Callable[[Primary], None] | None = None
        self._told: tuple[bool | None, Any, str, str | None, int | None, bool]
        self._told = (None, None, str(ErrorKind.CANCELLED), None, None, False)
        self._began_s = 0.0

    def begin(
        self, request_id: str, at_us: int, request: Request, args: tuple[Any, ...], keywords: Mapping[str, Any]
    ) -> None:
        """Offer the call."""
        if self._shadow is None:
            return
        self._began_s = self._clock()
        with suppress(Exception):  # a shadow never fails a call
            self._finish = self._shadow.offer(Offered(request_id, at_us, request, args, keywords))

    def answered(self, value: object, model: str | None, cost_microusd: int | None, *, degraded: bool) -> None:
        """Note the answer of a model."""
        self._told = (True, value, "", model, cost_microusd, degraded)

    def failed(self, kind: str) -> None:
        """Note that no model answered."""
        self._told = (False, None, kind, None, None, False)

    def end(self) -> None:
        """Tell the shadow how the call ended; one that neither was answered nor failed was given up."""
        if self._finish is None:
            return
        latency_us = round((self._clock() - self._began_s) * US_PER_SECOND)
        ok, value, kind, model, cost_microusd, degraded = self._told
        with suppress(Exception):
            self._finish(Primary(ok, value, kind, model, latency_us, cost_microusd, degraded))
