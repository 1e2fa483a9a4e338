"""What a pipeline tells of its calls: the events of `relkit.live.events`, made only where somebody hears them."""

import traceback
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from relkit.errors.classifier import Classification, signals_of
from relkit.errors.kinds import ErrorKind
from relkit.errors.rules import RuleSet
from relkit.errors.signals import Signals
from relkit.live.answers import Request, Usage
from relkit.live.events import AttemptEvent, ErrorEvent, Record, RetryEvent
from relkit.live.telling import is_heard, tell
from relkit.policies.fallback import FallbackSettings
from relkit.units import US_PER_SECOND

_REJECTED = Signals(code="CIRCUIT_OPEN", exception_type="CircuitOpenError")


@dataclass(slots=True)
class Try:
    """One try while it runs, and what the journal says of it.

    Parameters
    ----------
    request : Request
        Of the call.
    request_id : str
        Its name.
    number : int
        1, 2, ... over the whole call.
    model : str or None
        The model that is asked.
    at_s, at_us : float, int
        When it began: on the clock, and microseconds since 1970 UTC.
    waited_s : float
        The wait before it, seconds.
    degraded : bool
        Whether it asks another model than the first.
    """

    request: Request
    request_id: str
    number: int
    model: str | None
    at_s: float
    at_us: int
    waited_s: float = 0.0
    degraded: bool = False


@dataclass(frozen=True, slots=True)
class Notes:
    """Who tells what the calls of a service do.

    Parameters
    ----------
    record : callable or None
        Is told every event.
    service, policy_hash : str
        Name of the service, and hash of its settings.
    now_us : callable
        Gives microseconds since 1970 UTC.
    rules : RuleSet or None
        Table by which the telling link of a chain of errors is found; None for relkit's own.
    usage : callable or None
        Reads the Usage out of an answer.
    chain : FallbackSettings or None
        Whose prices turn tokens into money.
    """

    record: Record | None
    service: str
    policy_hash: str
    now_us: Callable[[], int]
    rules: RuleSet | None = None
    usage: Callable[[Any], Usage | None] | None = None
    chain: FallbackSettings | None = None

    def used(self, its: Try, value: object) -> Usage:
        """Return what an answer used, its cost by the chain's prices where it names none; never raises."""
        usage = None
        if self.usage is not None:
            with suppress(Exception):  # an answer must not be lost because its bill cannot be read
                usage = self.usage(value)
        if not isinstance(usage, Usage):
            return Usage()
        if usage.cost_microusd is not None or self.chain is None or None in (usage.tokens_in, usage.tokens_out):
            return usage
        tokens_in, tokens_out = usage.tokens_in or 0, usage.tokens_out or 0
        asked = next((model for model in self.chain.models if model.name == its.model), None)
        cost = None if asked is None else asked.cost_microusd(tokens_in, tokens_out)
        return Usage(tokens_in, tokens_out, cost)

    def answered(self, its: Try, latency_s: float, state: str | None, left: int | None, usage: Usage) -> None:
        """Tell a try that brought an answer."""
        self._attempt(its, latency_s, state, left, ok=True, usage=usage)

    def abandoned(self, its: Try, latency_s: float, state: str | None, left: int | None) -> None:
        """Tell a try whose caller gave up: nobody knows how it would have ended."""
        self._attempt(its, latency_s, state, left, ok=None, kind=str(ErrorKind.CANCELLED), ended=False)

    def failed(
        self,
        its: Try,
        latency_s: float,
        state: str | None,
        left: int | None,
        error: BaseException,
        found: Classification,
        strategy: str,
    ) -> None:
        """Tell a try that failed, to the log's tables and to people."""
        if not is_heard(self.record):
            return
        signals, cause = _read(error, self.rules)
        self._attempt(
            its, latency_s, state, left, ok=False, kind=str(found.kind), signals=signals, found=found, strategy=strategy
        )  # fmt: skip
        request = its.request
        tell(
            self.record,
            ErrorEvent(
                its.request_id,
                its.number,
                found,
                cause,
                self.now_us(),
                self.service,
                its.model,
                request.operation,
                request.session_id,
                signals,
            ),
        )

    def retry(self, its: Try, most: int, wait_s: float, kind: str, strategy: str) -> None:
        """Tell a retry that was granted."""
        if is_heard(self.record):
            event = RetryEvent(
                its.request_id, its.number, most, wait_s, kind, self.now_us(), self.service, its.model, strategy
            )  # fmt: skip
            tell(self.record, event)

    def cached(self, its: Try, left: int | None) -> None:
        """Tell an answer of the cache; in the log it is one row more."""
        self._attempt(its, 0.0, None, left, ok=True, cache_hit=True)

    def rejected(self, its: Try, state: str | None, left: int | None) -> None:
        """Tell a call of which the breakers let nothing out; in the log it is one row."""
        self._attempt(its, 0.0, state, left, ok=False, kind=str(ErrorKind.CIRCUIT_OPEN), signals=_REJECTED)

    def _attempt(
        self,
        its: Try,
        latency_s: float,
        state: str | None,
        left: int | None,
        *,
        ok: bool | None,
        kind: str = "",
        signals: Signals | None = None,
        found: Classification | None = None,
        strategy: str | None = None,
        usage: Usage | None = None,
        cache_hit: bool = False,
        ended: bool = True,
    ) -> None:
        if not is_heard(self.record):
            return
        wait_s = None if found is None else found.retry_after_s
        request = its.request
        event = AttemptEvent(
            request_id=its.request_id,
            attempt=its.number,
            at_us=its.at_us,
            latency_us=round(latency_s * US_PER_SECOND),
            ok=ok,
            service=self.service,
            model=its.model,
            operation=request.operation,
            session_id=request.session_id,
            kind=kind,
            signals=signals,
            status=None if signals is None else signals.status,
            retry_after_us=None if wait_s is None else round(wait_s * US_PER_SECOND),
            maybe_executed=None if found is None else found.maybe_executed,
            breaker_state=state,
            budget_left=left,
            cache_hit=cache_hit,
            degraded=its.degraded and ok is True,
            tokens_in=None if usage is None else usage.tokens_in,
            tokens_out=None if usage is None else usage.tokens_out,
            cost_microusd=None if usage is None else usage.cost_microusd,
            policy_hash=self.policy_hash,
            strategy=strategy,
            role=request.role,
            ended=ended,
        )
        tell(self.record, event)


def _read(error: BaseException, rules: RuleSet | None) -> tuple[Signals, str]:
    """Read what the journal says of an error; of one that raises when it is looked at, its class."""
    try:
        return signals_of(error, rules), "".join(traceback.format_exception_only(error)).strip()
    except Exception:  # noqa: BLE001  the error path must not hide the error
        name = type(error).__qualname__
        return Signals(exception_type=name), name
