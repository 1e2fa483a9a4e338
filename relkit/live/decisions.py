"""One call, decision by decision: what `relkit.live.pipeline` carries out, with threads or with asyncio.

`Call.steps` is a generator. It yields `Send` (call the function, send its value in or throw its error in) and `Sleep`
(wait), and returns the Answer or raises. Order, as in the simulation: cache, deadline and RetryBudget; for each model of the
chain a permit, the attempt, its settlement, the retry decision; the next model; a stale answer of the cache. However the
generator ends, by an answer, an error, a cancelled task or Ctrl-C, its permit is settled and its books are closed.
"""

import math
from collections.abc import Generator, Mapping
from typing import Any, Final, TypeAlias

from relkit.errors.classifier import Classification
from relkit.errors.kinds import ADVICE, ErrorKind
from relkit.live.answers import Answer, Attempt, CallFailedError, CircuitOpenError, Request, advised
from relkit.live.cache import Kept
from relkit.live.gate import Gate
from relkit.live.mirrored import Mirrored
from relkit.live.notes import Try
from relkit.live.setting import Send, Setting, Sleep
from relkit.policies.failure import FALLBACK_NEXT_MODEL, Failure, plan_failure
from relkit.policies.fallback import CACHED, NO_MODEL, last_resort, next_model
from relkit.policies.loop import after_failure, may_move_on, settings_for
from relkit.policies.retry import (
    NO_HINT,
    RETRY,
    RETRY_CODES,
    STRATEGIES,
    RetryState,
    begin_attempt,
    begin_call,
    begin_model,
    choose_strategy,
)
from relkit.policies.retry_presets import plan_hint_s
from relkit.policies.retry_settings import PLAN_ORDER

_NO_WINDOW: Final = 1 << 30
_CIRCUIT_OPEN: Final = advised(ErrorKind.CIRCUIT_OPEN, "our own circuit breaker")


Steps: TypeAlias = Generator[Send | Sleep, Any, Answer[Any]]


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

    def __init__(self, its: Setting, request: Request, request_id: str) -> None:
        self._its, self._request, self._request_id = its, request, request_id
        self._service = its.registry.service(its.service)
        self._purse = self._service.purse
        self._gate = Gate(self._service, its.models)
        self._loop = its.loop
        self._state = RetryState()
        self._attempts: list[Attempt] = []
        self._waits_s: list[float] = []
        self._waited_s = 0.0
        self._try: Try | None = None
        self._failure = Failure(0, retryable=False)
        self._found: Classification = _CIRCUIT_OPEN
        self._stopped_by = ""
        self._paying = self._succeeded = False

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
        kept = self._cached(None)
        if kept is not None:
            return self._served(kept, degraded=not kept.exact)
        self._begin()
        mirrored = Mirrored(self._its.shadow, self._its.clock)
        try:
            mirrored.begin(self._request_id, self._its.notes.now_us(), self._request, args, keywords or {})
            while True:
                admitted = self._ask()
                while admitted:
                    try:
                        value = yield self._send()
                    except Exception as error:  # noqa: BLE001  whatever the function raises is classified
                        wait_s = self._failed(error)
                    else:
                        return self._answered(value, mirrored)
                    if wait_s is None:
                        break
                    yield Sleep(wait_s)
                    admitted = not self._gate.asks_each_attempt or self._ask()
                if not self._moved_on(rejected=not admitted):
                    mirrored.failed(str(self._found.kind))
                    return self._last_answer(rejected=not admitted)
        finally:
            self._close()
            mirrored.end()

    # The cache

    def _cached(self, turn: int | None) -> Kept | None:
        """Return the cache's answer, at the beginning (no turn) or when all models failed."""
        cache, key = self._its.cache, self._request.cache_key
        if cache is None or key is None:
            return None
        if turn is None:
            return cache.fresh(self._its.service, self._request.operation, key)
        return cache.after_failure(self._its.service, self._request.operation, key, turn)

    def _served(self, kept: Kept, *, degraded: bool) -> Answer[Any]:
        seen = self._tried(self._state.total_attempts + 1, degraded=degraded, model=None)
        self._its.notes.cached(seen, self._left)
        return Answer(
            kept.value, self._request_id, tuple(self._attempts), tuple(self._waits_s), None, True, kept.age_s, degraded
        )  # fmt: skip

    def _last_answer(self, *, rejected: bool) -> Answer[Any]:
        """Serve a stale answer, or raise what failed."""
        turn = FALLBACK_NEXT_MODEL if rejected else self._failure.fallback
        kept = self._cached(turn)
        if kept is not None and last_resort(turn, False, False, True) == CACHED:
            return self._served(kept, degraded=True)
        if not self._attempts:
            waits_s = [left_s for left_s in self._gate.left_s if left_s > 0.0]
            self._its.notes.rejected(
                self._tried(1, degraded=False, model=self._gate.model), self._gate.word, self._left
            )
            raise CircuitOpenError(
                f"{self._its.service}: the circuit breaker is {(self._gate.word or 'open').replace('_', ' ')}; nothing was sent",
                request_id=self._request_id, classification=_CIRCUIT_OPEN, retry_after_s=min(waits_s, default=0.0),
            )  # fmt: skip
        error = CallFailedError(
            f"{self._its.service}: {self._found.kind} after {len(self._attempts)} attempts; stopped by {self._stopped_by}",
            request_id=self._request_id, classification=self._found, attempts=tuple(self._attempts),
            waits_s=tuple(self._waits_s), stopped_by=self._stopped_by,
        )  # fmt: skip
        raise error from error.cause

    # The beginning and the end

    def _begin(self) -> None:
        now_s = self._its.clock()
        tokens = self._request.prompt_tokens
        if tokens:
            # A prompt that no window takes goes to the first model: its provider counts better than we do.
            self._gate.place = max(self._later(FALLBACK_NEXT_MODEL, -1), 0)
        begin_call(self._state, now_s)
        self._purse.begin()

    def _close(self) -> None:
        """Settle what is open: after a cancellation the permit goes back, and nobody is blamed."""
        self._gate.abandon()
        if self._try is not None:
            latency_s = self._its.clock() - self._try.at_s
            self._its.notes.abandoned(self._try, latency_s, self._gate.word, self._left)
        self._release()
        self._purse.end(succeeded=self._succeeded, paid=self._state.paid)

    def _release(self) -> None:
        if self._paying:
            self._paying = False
            self._purse.answered()

    @property
    def _left(self) -> int | None:
        left = self._purse.left
        return None if math.isinf(left) else math.floor(left)

    # The breaker and the attempt

    def _ask(self) -> bool:
        place, attempts = self._gate.place, self._state.total_attempts
        admitted = self._gate.ask(self._its.draw("permit", self._request_id, attempts, place))
        if not admitted:
            self._stopped_by = "circuit_open"
        return admitted

    def _tried(self, number: int, *, degraded: bool, model: str | None) -> Try:
        its = self._its
        return Try(
            self._request, self._request_id, number, model, its.clock(), its.notes.now_us(), self._waited_s, degraded
        )  # fmt: skip

    def _send(self) -> Send:
        begin_attempt(self._state)
        gate, now_s = self._gate, self._its.clock()
        self._try = self._tried(self._state.total_attempts, degraded=gate.place > 0, model=gate.model)
        loop = self._loop
        deadline_s = max(loop.transient.deadline_s, loop.rate_limited.deadline_s, loop.critical.deadline_s)
        left_s = self._state.started_s + deadline_s - now_s
        return Send(gate.model, max(min(self._its.timeout_s, left_s), 0.0))

    def _over(self, cause: BaseException | None = None, found: Classification | None = None) -> tuple[Try, float]:
        """Close the attempt that has just ended; return it and how long it took."""
        tried = self._try
        assert tried is not None
        latency_s = self._its.clock() - tried.at_s
        self._try, self._waited_s = None, 0.0
        self._attempts.append(Attempt(tried.number, tried.model, tried.waited_s, latency_s, found, cause))
        self._release()
        return tried, latency_s

    def _answered(self, value: object, mirrored: Mirrored) -> Answer[Any]:
        tried, latency_s = self._over()
        state = self._gate.word
        self._gate.settle(0, NO_HINT)
        self._succeeded = True
        cache, key = self._its.cache, self._request.cache_key
        if cache is not None and key is not None:
            cache.keep(self._its.service, self._request.operation, key, value)
        usage = self._its.notes.used(tried, value)
        self._its.notes.answered(tried, latency_s, state, self._left, usage)
        mirrored.answered(value, tried.model, usage.cost_microusd, degraded=tried.degraded)
        return Answer(
            value, self._request_id, tuple(self._attempts), tuple(self._waits_s), tried.model, degraded=tried.degraded
        )  # fmt: skip

    def _failed(self, error: Exception) -> float | None:
        """Take a failed attempt; return the wait before the retry, or None for no retry."""
        found = self._its.classified(error)
        tried, latency_s = self._over(error, found)
        kind = ADVICE[found.kind].int_code
        as_plan = self._loop.order == PLAN_ORDER
        failure = plan_failure(kind) if as_plan else Failure.of(kind, found)
        failure.maybe_executed = found.maybe_executed  # which the plan never asks
        hint_s = NO_HINT if found.retry_after_s is None else found.retry_after_s
        if as_plan and found.retry_after_s is not None:
            hint_s = plan_hint_s(f"{found.retry_after_s:.3f}")
        self._found, self._failure = found, failure
        state = self._gate.word
        wait_s = self._retry_wait(failure, hint_s)
        if wait_s is None or self._gate.asks_each_attempt:
            self._gate.settle(kind, hint_s)
        strategy = STRATEGIES[choose_strategy(self._loop.order, failure)]
        self._its.notes.failed(tried, latency_s, state, self._left, error, found, strategy)
        if wait_s is not None:
            most = settings_for(self._loop, failure).max_attempts
            self._its.notes.retry(tried, most, wait_s, str(found.kind), strategy)
        return wait_s

    # What comes next

    def _retry_wait(self, failure: Failure, hint_s: float) -> float | None:
        if self._its.policy.retry is None:
            self._stopped_by = "attempts"
            return None
        purse, now_s = self._purse, self._its.clock()
        load = self._its.loaded()
        draw = self._its.draw("wait", self._request_id, self._state.total_attempts, self._gate.place)
        with purse.lock:
            code, wait_s = after_failure(
                self._state, settings_for(self._loop, failure), purse.state, purse.window, purse.settings, failure,
                now_s, self._request.repeatable, hint_s, load, draw,
            )  # fmt: skip
        self._stopped_by = RETRY_CODES[code]
        if code != RETRY:
            return None
        self._paying, self._waited_s = True, wait_s
        self._waits_s.append(wait_s)
        return wait_s

    def _later(self, turn: int, place: int) -> int:
        chain = self._its.policy.fallback
        windows = (_NO_WINDOW,) if chain is None else chain.windows
        return next_model(windows, (True,) * len(windows), place, turn, self._request.prompt_tokens)

    def _moved_on(self, *, rejected: bool) -> bool:
        """Go on to another model where there is one and the rules of the loop allow it."""
        turn = FALLBACK_NEXT_MODEL if rejected else self._failure.fallback
        place = self._later(turn, self._gate.place)
        chain = self._its.policy.fallback
        if place == NO_MODEL or chain is None:
            return False
        failure, pays = self._failure, chain.uses_budget and not rejected
        if rejected:
            kind = ADVICE[ErrorKind.CIRCUIT_OPEN].int_code
            failure = plan_failure(kind) if self._loop.order == PLAN_ORDER else Failure.of(kind, _CIRCUIT_OPEN)
        purse, now_s = self._purse, self._its.clock()
        with purse.lock:
            code = may_move_on(
                self._state, settings_for(self._loop, failure), purse.state, purse.window, purse.settings, failure,
                now_s, self._request.repeatable, pays,
            )  # fmt: skip
        if code != RETRY:
            self._stopped_by = RETRY_CODES[code]
            return False
        self._paying = self._paying or pays
        begin_model(self._state)
        self._gate.place = place
        return True
