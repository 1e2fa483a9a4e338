"""What happens around real calls, as records: the one way in which everything in `relkit.live` tells what it did.

Whoever wants to know gives a `Record`, a function that takes one event. It is called on the path of the call, outside of
every lock: it should only take the event and return, as `relkit.live.journal.Journal` does. What it raises is dropped.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

from relkit.errors.classifier import Classification
from relkit.errors.signals import Signals


@dataclass(frozen=True, slots=True)
class AttemptEvent:
    """One try, or what stood in its place: a cached answer, or a breaker that said no; a row of the table `attempts`.

    Parameters
    ----------
    request_id : str
        The call it belongs to.
    attempt : int
        1, 2, ... over all models of the call; an answer from the cache and a rejection count as one more.
    at_us : int
        When it began, microseconds since 1970 UTC.
    latency_us : int
        How long it took by a clock that never runs backwards, microseconds.
    ok : bool or None
        Whether it brought an answer; None when the caller gave it up, so that nobody knows.
    service : str
        Name of the service.
    model : str or None
        The model that was asked; None where the policy has no chain.
    operation, session_id : str or None
        As the request says.
    kind : str
        Kind of the error, "" when nothing failed.
    signals : Signals or None
        What a classifier may look at later; None when nothing failed.
    status : int or None
        HTTP status of the error, where it has one.
    retry_after_us : int or None
        Wait that the other side stated, microseconds.
    maybe_executed : bool or None
        After an error, whether the work may have been done all the same.
    breaker_state : str or None
        State of the breaker when the try ended; None without a breaker.
    budget_left : int or None
        Whole retries left in the RetryBudget after it; None without a budget.
    cache_hit, degraded : bool
        Whether the cache answered; whether the answer is stale or of another model than the first.
    tokens_in, tokens_out, cost_microusd : int or None
        What it used and cost, millionths of a dollar; None when not known.
    policy_hash : str
        Hash of the settings.
    strategy : str or None
        After an error, which retry settings applied: no_retry, transient, rate_limited or critical.
    role : str
        user, shadow, probe or canary; figures of users count `user` alone.
    ended : bool
        False when the caller gave up before the end.
    """

    request_id: str
    attempt: int
    at_us: int
    latency_us: int
    ok: bool | None
    service: str
    model: str | None = None
    operation: str | None = None
    session_id: str | None = None
    kind: str = ""
    signals: Signals | None = None
    status: int | None = None
    retry_after_us: int | None = None
    maybe_executed: bool | None = None
    breaker_state: str | None = None
    budget_left: int | None = None
    cache_hit: bool = False
    degraded: bool = False
    tokens_in: int | None = None
    tokens_out: int | None = None
    cost_microusd: int | None = None
    policy_hash: str = ""
    strategy: str | None = None
    role: str = "user"
    ended: bool = True


@dataclass(frozen=True, slots=True)
class RetryEvent:
    """A retry that was granted, before its wait.

    Parameters
    ----------
    request_id : str
        The call.
    attempt : int
        The attempt that failed, over the whole call.
    most : int
        Attempts that its settings allow on one model; 0 for no limit.
    next_wait_s : float
        The wait before the next attempt, seconds.
    kind : str
        What failed.
    at_us : int
        When, microseconds since 1970 UTC.
    service, model, strategy : str or None
        Where, and which retry settings applied.
    """

    request_id: str
    attempt: int
    most: int
    next_wait_s: float
    kind: str
    at_us: int
    service: str
    model: str | None = None
    strategy: str | None = None


@dataclass(frozen=True, slots=True)
class ErrorEvent:
    """One failed try, for people.

    Parameters
    ----------
    request_id : str
        The call.
    attempt : int
        The attempt that failed, over the whole call.
    classification : Classification
        What it was and what the rules advise.
    cause : str
        Class and text of the exception as they came; whoever writes it down redacts it.
    at_us : int
        When, microseconds since 1970 UTC.
    service, model, operation, session_id : str or None
        Where.
    signals : Signals or None
        The redacted signals, as in the AttemptEvent.
    """

    request_id: str
    attempt: int
    classification: Classification
    cause: str
    at_us: int
    service: str
    model: str | None = None
    operation: str | None = None
    session_id: str | None = None
    signals: Signals | None = None


@dataclass(frozen=True, slots=True)
class TransitionEvent:
    """A breaker that changed its state.

    Parameters
    ----------
    service : str
        Whose breaker.
    model : str or None
        The model it guards; None where the policy has no chain.
    from_state, to_state : str
        Words of `relkit.policies.codes.STATES`.
    failures : int
        Failures it counted when it changed.
    threshold : float
        What they are held against: failures in a row, or a share in [0, 1].
    reason : str
        One sentence with the numbers.
    at_us : int
        When, microseconds since 1970 UTC.

    Examples
    --------
    >>> TransitionEvent("chat", None, "closed", "open", 5, 5.0, "5 failures in a row.", 0).level
    'ERROR'
    """

    service: str
    model: str | None
    from_state: str
    to_state: str
    failures: int
    threshold: float
    reason: str
    at_us: int

    @property
    def level(self) -> str:
        """Return ERROR for a breaker that opens, INFO for every other change."""
        return "ERROR" if self.to_state in {"open", "forced_open"} else "INFO"


@dataclass(frozen=True, slots=True)
class ProbeEvent:
    """One health check of a service.

    Parameters
    ----------
    service : str
        What was checked.
    up : bool
        Whether it passed; a check that takes too long has not.
    status : int or None
        HTTP status, where the check tells one.
    latency_us : int
        How long it took, microseconds.
    at_us : int
        When it began, microseconds since 1970 UTC.
    """

    service: str
    up: bool
    status: int | None
    latency_us: int
    at_us: int


@dataclass(frozen=True, slots=True)
class PairEvent:
    """A primary and its shadow on one request; a row of the table `pairs`.

    Parameters
    ----------
    pair_id : str
        Its name.
    at_us : int
        When the primary began, microseconds since 1970 UTC.
    experiment : str
        What is tried.
    state : str
        eligible, mirrored, answered or compared.
    request_id, session_id : str or None
        Of the primary.
    turn : int or None
        1, 2, ... within the session.
    segment : str or None
        Group of requests.
    primary_variant, primary_action, primary_flags, shadow_variant, shadow_action, shadow_flags : str or None
        Who answered, what it did, and the flags it set.
    primary_ok, shadow_ok : bool or None
        Whether each answered well; None = no answer to judge.
    primary_latency_us, shadow_latency_us, primary_cost_microusd, shadow_cost_microusd : int or None
        Time and cost of each.
    differs, differs_baseline : bool or None
        Whether the answers differ; whether two of the primary do (A/A); None = not compared.
    primary_first : bool or None
        Which of the two was sent first.
    step : int or None
        Step of the rollout.
    primary_body, shadow_body : str or None
        The answers as text, where they are kept; whoever writes them down redacts and caps them.
    """

    pair_id: str
    at_us: int
    experiment: str
    state: str
    request_id: str | None = None
    session_id: str | None = None
    turn: int | None = None
    segment: str | None = None
    primary_variant: str | None = None
    primary_action: str | None = None
    primary_ok: bool | None = None
    primary_latency_us: int | None = None
    primary_cost_microusd: int | None = None
    primary_flags: str | None = None
    shadow_variant: str | None = None
    shadow_action: str | None = None
    shadow_ok: bool | None = None
    shadow_latency_us: int | None = None
    shadow_cost_microusd: int | None = None
    shadow_flags: str | None = None
    differs: bool | None = None
    differs_baseline: bool | None = None
    primary_first: bool | None = None
    step: int | None = None
    primary_body: str | None = None
    shadow_body: str | None = None


@dataclass(frozen=True, slots=True)
class RolloutEvent:
    """What a rollout did, and why; a row of the table `rollouts`.

    Parameters
    ----------
    experiment : str
        Which rollout.
    state : str
        Its state.
    step : int or None
        Step of its schedule.
    share : float or None
        Share of the traffic, in [0, 1].
    reason : str
        One sentence.
    at_us : int
        When, microseconds since 1970 UTC.
    """

    experiment: str
    state: str
    step: int | None
    share: float | None
    reason: str
    at_us: int


Event: TypeAlias = AttemptEvent | RetryEvent | ErrorEvent | TransitionEvent | ProbeEvent | PairEvent | RolloutEvent
Record: TypeAlias = Callable[[Event], None]
