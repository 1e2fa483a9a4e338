"""A breaker around real calls: the pure decisions with a state, a lock and a clock."""

from collections.abc import Callable
from random import random
from threading import Lock
from time import monotonic
from typing import Final, Self

from relkit.exceptions import ParameterError
from relkit.policies.breaker import allow, settle, tick
from relkit.policies.codes import ABANDONED, ADMIT, CLOSED, DISABLED, EVENTS, FORCED_OPEN, METRICS_ONLY, NONE, STATES
from relkit.policies.explain import explain
from relkit.policies.records import ALONE, BreakerSettings, Peers
from relkit.policies.switches import force, probe, throttle
from relkit.policies.transitions import new_breaker

_BY_HAND: Final = (CLOSED, FORCED_OPEN, DISABLED, METRICS_ONLY)


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

    __slots__ = ("_breaker", "asked_s", "code", "generation", "retry_after_s", "settled")

    def __init__(self, breaker: "Breaker", code: int, generation: int, retry_after_s: float, asked_s: float) -> None:
        self._breaker = breaker
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
        breaker = self._breaker
        now_s = breaker.clock()
        with breaker.lock:
            if self.settled:
                return NONE
            self.settled = True
            return settle(
                breaker.state,
                breaker.window,
                breaker.settings,
                breaker.peers,
                now_s,
                self.generation,
                outcome,
                now_s - self.asked_s,
            )

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

    Examples
    --------
    >>> from relkit.policies.codes import FAILURE
    >>> breaker = Breaker(BreakerSettings(failure_threshold=2), clock=lambda: 0.0)
    >>> [breaker.ask().settle(FAILURE) for _ in range(2)], breaker.word
    ([0, 1], 'open')
    >>> breaker.ask().admitted
    False
    """

    __slots__ = ("clock", "draw", "lock", "peers", "settings", "state", "window")

    def __init__(
        self,
        settings: BreakerSettings,
        *,
        clock: Callable[[], float] = monotonic,
        draw: Callable[[], float] = random,
        peers: Peers = ALONE,
    ) -> None:
        self.settings = settings
        self.clock = clock
        self.draw = draw
        self.peers = peers
        self.lock = Lock()
        self.state, self.window = new_breaker(settings, clock())

    def ask(self) -> Permit:
        """Ask for a permit for one call."""
        now_s = self.clock()
        with self.lock:
            code, generation, left_s = allow(self.state, self.window, self.settings, self.peers, now_s, self.draw())
        return Permit(self, code, generation, left_s, now_s)

    @property
    def word(self) -> str:
        """Its present state, one of `relkit.policies.codes.STATES`."""
        with self.lock:
            tick(self.state, self.window, self.settings, self.peers, self.clock())
            return STATES[self.state.state]

    def explain(self) -> str:
        """Say in one sentence why it did or did not open."""
        with self.lock:
            now_s = self.clock()
            tick(self.state, self.window, self.settings, self.peers, now_s)
            return explain(self.state, self.settings, self.peers, now_s)

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
        with self.lock:
            return EVENTS[force(self.state, self.window, self.settings, self.clock(), STATES.index(word))]

    def throttle(self, wait_s: float) -> str:
        """Open for a time the server stated, in seconds; return what changed."""
        with self.lock:
            return EVENTS[throttle(self.state, self.window, self.settings, self.peers, self.clock(), wait_s)]

    def probe(self, *, passed: bool) -> str:
        """Take note of a health check; return what changed."""
        with self.lock:
            return EVENTS[probe(self.state, self.window, self.settings, self.peers, self.clock(), passed)]
