"""The share of the traffic that a shadow gets now: a number, a rollout that runs here, or whoever is asked now and then."""

import threading
from collections.abc import Callable
from typing import NamedTuple

from relkit.exceptions import ParameterError
from relkit.live.clocks import now_us
from relkit.live.events import Record, RolloutEvent
from relkit.live.telling import tell
from relkit.policies.rollout import (
    BEFORE_FIRST,
    GATE_INCONCLUSIVE,
    GATES,
    ROLLOUT_STATES,
    RolloutSchedule,
    RolloutState,
    advance,
    share_of_traffic,
)
from relkit.units import US_PER_SECOND


class Standing(NamedTuple):
    """Where a rollout stands.

    Parameters
    ----------
    share : float
        Share of the sessions that are mirrored, in [0, 1].
    step : int or None
        Step of its schedule.
    """

    share: float
    step: int | None = None


class Rollout:
    """A rollout that runs in this process, by its schedule and the word of a gate; each step is told as an event.

    Parameters
    ----------
    experiment : str
        Which.
    schedule : RolloutSchedule
        Its steps, in seconds since 1970 UTC.
    gate : callable, optional
        Returns the gate's verdict now, one of `relkit.policies.rollout.GATES` as a number. Default: gather more.
    state : RolloutState
        Where it stands at the beginning.
    record : Record, optional
        Is told each transition.
    now_us : callable
        Microseconds since 1970 UTC.

    Examples
    --------
    >>> rollout = Rollout("llama-4", RolloutSchedule((10.0, 20.0), (0.1, 0.5)), now_us=lambda: 25_000_000)
    >>> rollout()
    Standing(share=0.5, step=1)
    """

    def __init__(
        self,
        experiment: str,
        schedule: RolloutSchedule,
        *,
        gate: Callable[[], int] = lambda: GATE_INCONCLUSIVE,
        state: RolloutState | None = None,
        record: Record | None = None,
        now_us: Callable[[], int] = now_us,
    ) -> None:
        self._experiment = experiment
        self._schedule = schedule
        self._gate = gate
        self._record = record
        self._now_us = now_us
        self._lock = threading.Lock()
        self.state = state or RolloutState()

    def __call__(self) -> Standing:
        """Look once: take at most one transition, and say where it stands."""
        verdict = self._gate()
        with self._lock:
            before, at_us = self.state, self._now_us()
            self.state = after = advance(before, self._schedule, at_us / US_PER_SECOND, verdict)
            standing = Standing(
                share_of_traffic(after, self._schedule), None if after.step == BEFORE_FIRST else after.step
            )
        if after is not before:
            reason = f"the gate says {GATES[verdict]}"
            if (after.state, after.step) != (before.state, before.step) and verdict == GATE_INCONCLUSIVE:
                reason = "its time has come"
            state = ROLLOUT_STATES[after.state]
            tell(self._record, RolloutEvent(self._experiment, state, standing.step, standing.share, reason, at_us))
        return standing


Share = float | Callable[[], float | tuple[float, int | None]]


class ShareWatch:
    """Knows the share without asking on the path of a call: a thread asks every so many seconds.

    Parameters
    ----------
    share : float or callable
        In [0, 1]; a callable returns it, or (share, step). It is asked once at the beginning, and what it raises then
        is raised; later its last word stands while it fails, and `failures` counts.
    every_s : float
        Seconds from one question to the next.
    """

    def __init__(self, share: Share, every_s: float) -> None:
        self._ask = share if callable(share) else None
        self._every_s = every_s
        self.failures = 0
        self.standing = _checked(share() if callable(share) else share)
        self.begin()

    def begin(self) -> None:
        """Start the thread, where there is something to ask."""
        self._ended = threading.Event()
        if self._ask is not None:
            threading.Thread(target=self._watch, name="relkit share", daemon=True).start()

    def close(self) -> None:
        """End the thread."""
        self._ended.set()

    def _watch(self) -> None:
        ended = self._ended
        while not ended.wait(self._every_s):
            try:
                self.standing = _checked(self._ask())  # type: ignore[misc]  # else there is no thread
            except Exception:  # noqa: BLE001 - a database that is locked, or anything else; the last word stands
                self.failures += 1


def _checked(found: float | tuple[float, int | None]) -> Standing:
    standing = Standing(*found) if isinstance(found, tuple) else Standing(found)
    if not isinstance(standing.share, (int, float)) or not 0 <= standing.share <= 1:
        raise ParameterError.of("share", standing.share, "0 <= share <= 1", "give a share such as 0.25")
    return standing
