"""A breaker around real calls: the pure decisions with a state, a lock and a clock.

Nobody else's function runs while the lock is held: clock and draw are read before it is taken, and who listens for
changes is told after it is given back.
"""

from collections.abc import Callable
from dataclasses import dataclass
from random import random
from threading import RLock
from time import monotonic
from typing import Final, Self, TypeVar

from relkit.exceptions import ParameterError
from relkit.policies.breaker import allow, settle, tick
from relkit.policies.codes import (
    ABANDONED,
    ADAPTIVE,
    ADMIT,
    CLOSED,
    CONSECUTIVE,
    DISABLED,
    EVENTS,
    FORCED_OPEN,
    METRICS_ONLY,
    NONE,
    STATES,
)
from relkit.policies.explain import counted, explain
from relkit.policies.records import ALONE, BreakerSettings, BreakerState, Peers
from relkit.policies.switches import force, probe, throttle, trip_now
from relkit.policies.transitions import new_breaker

T = TypeVar("T")

_BY_HAND: Final = (CLOSED, FORCED_OPEN, DISABLED, METRICS_ONLY)


@dataclass(frozen=True, slots=True)
class Change:
    """A breaker's step from one state to another.

    Parameters
    ----------
    at_s : float
        When, on the breaker's clock.
    from_state, to_state : str
        Words of `relkit.policies.codes.STATES`.
    failures : int
        Failures it counts after the step.
    threshold : float
        What they are held against: failures in a row, or a share in [0, 1].
    reason : str
        One sentence with the numbers.
    """

    at_s: float
    from_state: str
    to_state: str
    failures: int
    threshold: float
    reason: str


class Permit:
    """A breaker's answer to one request for a permit; an admitted one is settled exactly once.

    Use it in a `with` block: leaving the block unsettled means that nobody will ever know how the call ended.

    Parameters
    ----------
    breaker : Breaker
        Who gave it.
    code : int
        ADMIT or one of the REJECT codes of `relkit.policies.codes`.
    generation : int
        Generation it was given in.
    retry_after_s : float
        After a rejection, seconds until another may be given; 0 when unknown.
    asked_s : float
        When, on the breaker's clock.
    """

    __slots__ = ("asked_s", "breaker", "code", "generation", "retry_after_s", "settled")

    def __init__(self, breaker: "Breaker", code: int, generation: int, retry_after_s: float, asked_s: float) -> None:
        self.breaker = breaker
        self.code = code
        self.generation = generation
        self.retry_after_s = retry_after_s
        self.asked_s = asked_s
        self.settled = code != ADMIT

    @property
    def admitted(self) -> bool:
        """Whether the call may be made."""
        return self.code == ADMIT

    def settle(self, outcome: int) -> int:
        """Report how the call ended; its latency is the time since the permit was asked for.

        Parameters
        ----------
        outcome : int
            One of the outcomes of `relkit.policies.codes`. Only the first report counts.

        Returns
        -------
        int
            What it changed: NONE, OPENED, HALF_OPENED or CLOSED_AGAIN.
        """
        breaker = self.breaker
        now_s = breaker.clock()
        with breaker.lock:
            if self.settled:
                return NONE
            self.settled = True
            before = breaker.mark()
            event = settle(
                breaker.state,
                breaker.window,
                breaker.settings,
                breaker.peers,
                now_s,
                self.generation,
                outcome,
                now_s - self.asked_s,
            )
            change = breaker.change_since(before, now_s)
        breaker.tell(change)
        return event

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        # A permit nobody settled would block half open; leaving the block gives it back.
        self.settle(ABANDONED)


class Breaker:
    """A circuit breaker for calls of many threads.

    Parameters
    ----------
    settings : BreakerSettings
        What it does; `presets[name].breaker` is a start.
    clock : callable
        Gives seconds that never run backwards.
    draw : callable
        Gives uniform draws in [0, 1).
    peers : Peers
        What is known of its fleet; may be replaced at any time.
    on_change : callable or None
        Is told each `Change` of state; it should return soon, and what it raises reaches the caller.

    Examples
    --------
    >>> from relkit.policies.codes import FAILURE
    >>> breaker = Breaker(BreakerSettings(failure_threshold=2), clock=lambda: 0.0)
    >>> [breaker.ask().settle(FAILURE) for _ in range(2)], breaker.word
    ([0, 1], 'open')
    >>> breaker.ask().admitted
    False
    """

    __slots__ = ("clock", "draw", "lock", "on_change", "peers", "settings", "state", "window")

    def __init__(
        self,
        settings: BreakerSettings,
        *,
        clock: Callable[[], float] = monotonic,
        draw: Callable[[], float] = random,
        peers: Peers = ALONE,
        on_change: Callable[[Change], None] | None = None,
    ) -> None:
        self.settings = settings
        self.clock = clock
        self.draw = draw
        self.peers = peers
        self.on_change = on_change
        # Reentrant: the collector may end an abandoned call, which settles its permit, while this thread holds the lock.
        self.lock = RLock()
        self.state, self.window = new_breaker(settings, clock())

    def ask(self, draw: float | None = None) -> Permit:
        """Ask for a permit for one call.

        Parameters
        ----------
        draw : float or None
            Uniform in [0, 1); None takes one of the breaker's own.
        """
        now_s = self.clock()
        drawn = self.draw() if draw is None else draw
        with self.lock:
            before = self.mark()
            code, generation, left_s = allow(self.state, self.window, self.settings, self.peers, now_s, drawn)
            change = self.change_since(before, now_s)
        self.tell(change)
        return Permit(self, code, generation, left_s, now_s)

    @property
    def word(self) -> str:
        """Its present state, one of `relkit.policies.codes.STATES`."""
        return STATES[self.read(lambda state, _: state.state)]

    def explain(self) -> str:
        """Say in one sentence why it did or did not open."""
        return self.read(lambda state, now_s: explain(state, self.settings, self.peers, now_s))

    def force(self, word: str) -> str:
        """Put it into a state by hand.

        Parameters
        ----------
        word : str
            closed, forced_open, disabled or metrics_only.

        Returns
        -------
        str
            What changed, one of `relkit.policies.codes.EVENTS`.

        Raises
        ------
        ParameterError
            For any other word.
        """
        words = [STATES[code] for code in _BY_HAND]
        if word not in words:
            raise ParameterError.of("state", word, ", ".join(words), "use one of these words")
        code = STATES.index(word)
        return EVENTS[self._after(lambda now_s: force(self.state, self.window, self.settings, now_s, code))]

    def throttle(self, wait_s: float) -> str:
        """Open for a time the server stated, in seconds; return what changed."""
        return EVENTS[
            self._after(
                lambda now_s: throttle(self.state, self.window, self.settings, self.peers, now_s, wait_s)
            )
        ]  # fmt: skip

    def trip(self) -> str:
        """Open for the usual time, whatever was counted; return what changed."""
        return EVENTS[self._after(lambda now_s: trip_now(self.state, self.window, self.settings, self.peers, now_s))]

    def probe(self, *, passed: bool) -> str:
        """Take note of a health check; return what changed."""
        return EVENTS[
            self._after(lambda now_s: probe(self.state, self.window, self.settings, self.peers, now_s, passed))
        ]  # fmt: skip

    def read(self, step: Callable[[BreakerState, float], T]) -> T:
        """Return what a function reads of the state as of now; it runs under the lock and must change nothing.

        >>> Breaker(BreakerSettings(), clock=lambda: 7.0).read(lambda state, now_s: (state.calls, now_s))
        (0, 7.0)
        """
        return self._after(lambda now_s: step(self._ticked(now_s), now_s))

    def sweep(self, peers: Peers, now_s: float) -> Change | None:
        """Let time pass with what is known of the fleet; return what changed, which the caller tells."""
        with self.lock:
            self.peers = peers
            before = self.mark()
            self._ticked(now_s)
            return self.change_since(before, now_s)

    # What these share

    def mark(self) -> tuple[int, int]:
        """Return what tells one state from the next; the lock is held."""
        return self.state.generation, self.state.state

    def change_since(self, before: tuple[int, int], now_s: float) -> Change | None:
        """Return the step since a `mark`, for whoever listens; the lock is held."""
        if self.on_change is None or self.mark() == before:
            return None
        calls, failure_share, _ = counted(self.state, self.settings)
        in_a_row = self.settings.family in (CONSECUTIVE, ADAPTIVE)
        return Change(
            self.state.since_s,
            STATES[before[1]],
            STATES[self.state.state],
            round(calls * failure_share),
            float(self.state.threshold) if in_a_row else self.settings.failure_share,
            explain(self.state, self.settings, self.peers, now_s),
        )

    def tell(self, change: Change | None) -> None:
        """Tell whoever listens; the lock is not held."""
        if change is not None and self.on_change is not None:
            self.on_change(change)

    def _ticked(self, now_s: float) -> BreakerState:
        tick(self.state, self.window, self.settings, self.peers, now_s)
        return self.state

    def _after(self, step: Callable[[float], T]) -> T:
        """Carry out a step under the lock and tell what it changed."""
        now_s = self.clock()
        with self.lock:
            before = self.mark()
            found = step(now_s)
            change = self.change_since(before, now_s)
        self.tell(change)
        return found
