"""One call, decision by decision: what `relkit.live.pipeline` carries out, with threads or with asyncio.

`Call.steps` is a generator. It yields `Send` (call the function, send its value in or throw its error in) and `Sleep`
(wait), and returns the Answer or raises. Order, as in the simulation: cache, deadline and RetryBudget; for each model of the
chain a permit, the attempt, its settlement, the retry decision; the next model; a stale answer of the cache. However the
generator ends, by an answer, an error, a cancelled task or Ctrl-C, its permit is settled and its books are closed.
"""

from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal, Protocol, TypeAlias

from relkit.errors.classifier import Classification
from relkit.errors.kinds import ADVICE, ErrorKind
from relkit.live.answers import Answer, Attempt, CallFailedError, CircuitOpenError, Offered, Primary, Request, Shadow
from relkit.live.cache import AnswerCache, Kept
from relkit.live.notes import Notes
from relkit.live.registry import Registry, Service
from relkit.policies.codes import ABANDONED, FAILURE, IGNORED, PER_ATTEMPT, SUCCESS
from relkit.policies.failure import FALLBACK_NEXT_MODEL, FALLBACKS, Failure, plan_failure
from relkit.policies.fallback import CACHED, NO_MODEL, last_resort, next_model
from relkit.policies.guard import Permit
from relkit.policies.loop import after_failure, may_move_on, settings_for
from relkit.policies.policy import Policy
from relkit.policies.records import BreakerSettings
from relkit.policies.retry import (
    NO_HINT,
    RETRY,
    RETRY_CODES,
    RetryState,
    begin_attempt,
    begin_call,
    begin_model,
)
from relkit.policies.retry_presets import plan_hint_s
from relkit.policies.retry_settings import NO_RETRIES, PLAN_ORDER, Retry, RetrySettings
from relkit.policies.votes import opens_at_once, outcome_of

_VOTES: Final = {"failure": FAILURE, "ignore": IGNORED, "success": SUCCESS}
_ONE_TRY: Final = Retry.of(NO_RETRIES)
_NO_WINDOW: Final = 1 << 30


class Draws(Protocol):
    """Where a call's random numbers come from."""

    def __call__(self, purpose: Literal["permit", "wait"], request_id: str, attempt: int, place: int) -> float:
        """Return a draw, uniform in [0, 1).

        Parameters
        ----------
        purpose : str
            permit: the breaker's draw; wait: the jitter of a retry's wait.
        request_id : str
            The call.
        attempt : int
            Attempts sent so far.
        place : int
            Place of the model in the chain, from 0.
        """


@dataclass(frozen=True, slots=True)
class Send:
    """Call the function now.

    Parameters
    ----------
    model : str or None
        The model to ask; None where the policy has no chain.
    limit_s : float
        How long this try may take, seconds; may be infinite.
    left_s : float
        The same, or what is left of the call's deadline where that is less.
    """

    model: str | None
    limit_s: float
    left_s: float


@dataclass(frozen=True, slots=True)
class Sleep:
    """Wait before the next attempt."""

    wait_s: float


Steps: TypeAlias = Generator[Send | Sleep, Any, Answer[Any]]


@dataclass(frozen=True, slots=True)
class Setting:
    """What all calls of a pipeline share.

    Parameters
    ----------
    policy : Policy
        The settings.
    service : str
        Name of the service.
    registry : Registry
        Its breakers and RetryBudget.
    cache : AnswerCache or None
        Its cache.
    shadow : Shadow or None
        Who may send calls to another variant.
    notes : Notes
        Who tells what happened.
    clock : callable
        Gives seconds that never run backwards.
    draw : Draws
        Gives random numbers.
    classify : callable
        Says of an exception what failed.
    load : callable or None
        Gives the load of the server as it last told, a share in [0, 1]; below 0 for unknown.
    timeout_s : float
        How long a try may take, seconds.
    """

    policy: Policy
    service: str
    registry: Registry
    cache: AnswerCache | None
    shadow: Shadow | None
    notes: Notes
    clock: Callable[[], float]
    draw: Draws
    classify: Callable[[BaseException], Classification]
    load: Callable[[], float] | None
    timeout_s: float


class Call:
    """One call on its way.

    Parameters
    ----------
    its : Setting
        What it shares with the other calls.
    request : Request
        What is asked.
    request_id : str
        Its name.
    """

    __slots__ = (
        "_attempts", "_began_s", "_began_us", "_breaker_cfg", "_failure", "_finish", "_its", "_last", "_left_s", "_paying",
        "_permit", "_place", "_primary", "_retry", "_running", "_service", "_state", "_stopped", "_succeeded", "_tried_s",
        "_tried_us", "_waited_s", "_waits_s", "models", "request", "request_id",
    )  # fmt: skip

    def __init__(self, its: Setting, request: Request, request_id: str) -> None:
        self._its, self.request, self.request_id = its, request, request_id
        policy = its.policy
        chain = () if policy.fallback is None else policy.fallback.models
        self.models: tuple[str | None, ...] = tuple(model.name for model in chain) or (None,)
        self._retry = policy.retry or _ONE_TRY
        self._breaker_cfg = policy.breaker
        self._state = RetryState()
        self._attempts: list[Attempt] = []
        self._waits_s: list[float] = []
        self._waited_s = 0.0
        self._left_s: list[float] = []
        self._place = 0
        self._permit: Permit | None = None
        self._paying = self._running = self._succeeded = False
        self._failure = Failure(0, retryable=False)
        self._last: Classification | None = None
        self._stopped = ""
        self._finish: Callable[[Primary], None] | None = None
        self._primary: Primary | None = None

    def steps(self, args: tuple[Any, ...] = (), keywords: Mapping[str, Any] | None = None) -> Steps:
        """Yield what to do next until there is an answer.

        Parameters
        ----------
        args, keywords
            What the function is called with; a shadow may want them.

        Raises
        ------
        CallFailedError
            When neither a model nor the cache had an answer.
        CircuitOpenError
            When no attempt was sent, because every breaker said no.
        """
        fresh = self._from_cache()
        if fresh is not None:
            return fresh
        self._begin(args, keywords or {})
        try:
            while True:
                admitted = self.ask()
                while admitted:
                    try:
                        value = yield self.send()
                    except Exception as error:
                        wait_s = self.failed(error)
                    else:
                        return self.answered(value)
                    if wait_s is None:
                        break
                    yield Sleep(wait_s)
                    if self._asks_each_attempt:
                        admitted = self.ask()
                if not self._moved_on(rejected=not admitted):
                    return self._last_resort(rejected=not admitted)
        finally:
            self.close()

    # The cache

    def _from_cache(self) -> Answer[Any] | None:
        cache, key = self._its.cache, self.request.cache_key
        if cache is None or key is None:
            return None
        kept = cache.fresh(self._its.service, self.request.operation, key)
        if kept is None:
            return None
        self._its.notes.cached(self, 1, degraded=not kept.exact)
        return self._kept(kept, degraded=not kept.exact)

    def _kept(self, kept: Kept, *, degraded: bool) -> Answer[Any]:
        return Answer(
            kept.value, self.request_id, tuple(self._attempts), tuple(self._waits_s), None, True, kept.age_s, degraded
        )  # fmt: skip

    # The beginning and the end

    def _begin(self, args: tuple[Any, ...], keywords: Mapping[str, Any]) -> None:
        its = self._its
        self._service: Service = its.registry.service(its.service)
        self._began_s, self._began_us = its.clock(), its.notes.now_us()
        if its.shadow is not None:
            self._finish = its.shadow.offer(
                Offered(self.request_id, self._began_us, self.request, args, keywords)
            )
        if self.request.prompt_tokens:
            # A prompt that no window takes goes to the first model, whose provider knows better.
            first = next_model(self._windows, self._all, -1, FALLBACK_NEXT_MODEL, self.request.prompt_tokens)
            self._place = max(first, 0)
        begin_call(self._state, self._began_s)
        self._service.purse.begin()

    def close(self) -> None:
        """Settle what is open: after a cancellation the permit goes back, and nobody is blamed."""
        if self._running:
            self._running = False
            self._its.notes.abandoned(self, self._its.clock() - self._tried_s)
        if self._permit is not None:
            self._permit.settle(ABANDONED)
            self._permit = None
        self._release()
        self._service.purse.end(succeeded=self._succeeded, paid=self._state.paid)
        if self._finish is not None:
            gone_us = round((self._its.clock() - self._began_s) * 1e6)
            self._finish(self._primary or Primary(None, None, str(ErrorKind.CANCELLED), None, gone_us))

    def _release(self) -> None:
        if self._paying:
            self._service.purse.answered()
            self._paying = False

    # The breaker

    @property
    def model(self) -> str | None:
        """The model that is asked now."""
        return self.models[self._place]

    @property
    def _asks_each_attempt(self) -> bool:
        return self._breaker_cfg is not None and self._breaker_cfg.counts == PER_ATTEMPT

    def ask(self) -> bool:
        """Ask the breaker of the present model for a permit."""
        breaker = self._service.breaker(self.model)
        if breaker is None:
            return True
        self._look_around()
        draw = self._its.draw("permit", self.request_id, self._state.total_attempts, self._place)
        permit = breaker.ask(draw)
        if permit.admitted:
            self._permit = permit
            return True
        self._left_s.append(permit.retry_after_s)
        return False

    def _look_around(self) -> None:
        if self._service.fleet is not None:
            self._service.fleet.look_around(self._place)

    def _settle(self, outcome: int, kind: int) -> None:
        permit, cfg = self._permit, self._breaker_cfg
        if permit is None or cfg is None:
            return
        self._look_around()
        self._permit = None
        permit.settle(outcome)
        if opens_at_once(cfg.votes, kind, len(self.models)):
            breaker = self._service.breaker(self.model)
            hint_s = self._hint_s()
            if breaker is not None:
                _ = breaker.throttle(hint_s) if hint_s > 0.0 else breaker.trip()
