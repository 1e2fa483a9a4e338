"""What goes into a call and what comes out: the request, its attempts, the answer, and the error that carries them."""

from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final, Generic, Protocol, TypeVar

from relkit.errors.classifier import Classification
from relkit.errors.kinds import ADVICE, ErrorKind
from relkit.exceptions import ParameterError, RelkitError

T = TypeVar("T")

ROLES: Final = ("user", "shadow", "probe", "canary")
_TEXTS: Final = ("idempotency_key", "request_id", "operation", "session_id")


@dataclass(frozen=True, slots=True)
class Request:
    """What the pipeline must know of a call, beside the function and its arguments.

    Parameters
    ----------
    only_reads : bool
        Whether the call changes nothing. Only then may an answer be cached, and a call that may have been carried out
        be repeated without a key. What is not declared is taken to change something, as a booking does.
    idempotency_key : str or None
        The key under which the other side carries the call out once, however often it comes. The function sends it.
    cache_key : hashable or None
        Under which the answer is kept; None for no caching. It must name everything the answer depends on.
    request_id : str
        Name of the call in the journal; one is made where it is empty.
    operation, session_id : str or None
        What is asked for, and in which session; for the journal.
    prompt_tokens : int
        Length of the prompt, 0 when it is not known; models whose window is shorter are passed over.
    role : str
        user, shadow, probe or canary.

    Examples
    --------
    >>> Request(only_reads=True).repeatable, Request().repeatable, Request(idempotency_key="b-17").repeatable
    (True, False, True)

    Raises
    ------
    ParameterError
        For a cache key of a call that is not declared to only read: a booking is never answered from a cache. For an
        empty idempotency key, under which nothing is carried out once; and for what is no text, role or length.
    """

    only_reads: bool = False
    idempotency_key: str | None = None
    cache_key: Hashable | None = None
    request_id: str = ""
    operation: str | None = None
    session_id: str | None = None
    prompt_tokens: int = 0
    role: str = "user"

    def __post_init__(self) -> None:
        for name in _TEXTS:
            text = getattr(self, name)
            if text is not None and type(text) is not str and not isinstance(text, str):
                raise ParameterError.of(name, text, "a text", "turn it into one, e.g. with str(...)")
        if self.idempotency_key == "":
            remedy = "give a key of this very call, or None where there is none"
            raise ParameterError.of("idempotency_key", "", "a text that is not empty", remedy)
        if self.role not in ROLES:
            raise ParameterError.of("role", self.role, ", ".join(ROLES), "use one of these words")
        tokens = self.prompt_tokens
        if isinstance(tokens, bool) or not isinstance(tokens, int) or tokens < 0:
            raise ParameterError.of("prompt_tokens", tokens, "a whole number from 0", "0 means unknown")
        if self.cache_key is None:
            return
        if not self.only_reads:
            remedy = "a call that changes something is never answered from a cache; declare only_reads=True if it reads"
            raise ParameterError.of("cache_key", self.cache_key, "None for a call that may change something", remedy)
        try:
            hash(self.cache_key)
        except TypeError as error:
            raise ParameterError.of(
                "cache_key", self.cache_key, "a hashable value", "give a text or a tuple"
            ) from error

    @property
    def repeatable(self) -> bool:
        """Whether the call may be sent again although it may have been carried out."""
        return self.only_reads or self.idempotency_key is not None


def advised(kind: ErrorKind, evidence: str) -> Classification:
    """Return the classification of what the pipeline itself knows, by the kind's own advice.

    >>> advised(ErrorKind.CIRCUIT_OPEN, "our own circuit breaker").retryable
    False
    """
    advice = ADVICE[kind]
    return Classification(
        kind, advice.retryable, advice.max_retries, None, advice.maybe_executed_default, advice.severity, advice.alert,
        advice.user_message, advice.fallback, "pipeline", evidence,
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Attempt:
    """One try of a call.

    Parameters
    ----------
    number : int
        1, 2, ... over all models.
    model : str or None
        The model that was asked; None where the policy has no chain.
    waited_s, latency_s : float
        The wait before it, and how long it took, seconds.
    classification : Classification or None
        What failed; None when it brought an answer.
    cause : BaseException or None
        The error itself.
    """

    number: int
    model: str | None
    waited_s: float
    latency_s: float
    classification: Classification | None = None
    cause: BaseException | None = None

    @property
    def kind(self) -> ErrorKind | None:
        """Return what failed; None when nothing did."""
        return None if self.classification is None else self.classification.kind


@dataclass(frozen=True, slots=True)
class Answer(Generic[T]):
    """What a call brought.

    Parameters
    ----------
    value : object
        What the function returned, now or when the answer was cached.
    request_id : str
        Name of the call in the journal.
    attempts : tuple of Attempt
        All tries in order; empty for a fresh answer from the cache.
    waits_s : tuple of float
        The waits between them, seconds.
    model : str or None
        The model that answered; None from the cache, or without a chain.
    from_cache : bool
        Whether it comes from the cache.
    age_s : float
        Age of a cached answer, seconds; 0 for a new one.
    degraded : bool
        Whether it is less than what was asked for: a stale answer, or one of another model than the first.
    """

    value: T
    request_id: str
    attempts: tuple[Attempt, ...] = ()
    waits_s: tuple[float, ...] = ()
    model: str | None = None
    from_cache: bool = False
    age_s: float = 0.0
    degraded: bool = False


class CallFailedError(RelkitError):
    """A call for which neither a model nor the cache had an answer.

    `__cause__` is the first error that the function raised, from which the others followed. The last one decides the
    classification, so that an outer layer sees what failed and not a new, unknown error.

    Parameters
    ----------
    message : str
        What failed, and after how many attempts.
    request_id : str
        Name of the call in the journal.
    classification : Classification
        Of the last attempt.
    attempts : tuple of Attempt
        All tries in order.
    waits_s : tuple of float
        The waits between them, seconds.
    stopped_by : str
        The rule that allowed no further try, a word of `relkit.policies.retry.RETRY_CODES`.
    """

    def __init__(
        self,
        message: str,
        *,
        request_id: str,
        classification: Classification,
        attempts: tuple[Attempt, ...] = (),
        waits_s: tuple[float, ...] = (),
        stopped_by: str = "",
    ) -> None:
        super().__init__(message)
        self.request_id = request_id
        self.classification = classification
        self.attempts = attempts
        self.waits_s = waits_s
        self.stopped_by = stopped_by

    def __reduce__(self) -> tuple[Any, ...]:
        # Many clients' exceptions cannot be pickled; across a process the attempts go without them.
        kept = self.__dict__ | {"attempts": tuple(replace(each, cause=None) for each in self.attempts)}
        return _unpickled, (type(self), str(self), kept)

    @property
    def kind(self) -> ErrorKind:
        """Return what failed last."""
        return self.classification.kind

    @property
    def cause(self) -> BaseException | None:
        """Return the first error of the call."""
        return next((each.cause for each in self.attempts if each.cause is not None), None)

    @property
    def user_message(self) -> str | None:
        """Return what to tell the user; None means say nothing."""
        return self.classification.user_message


def _unpickled(kind: type[CallFailedError], message: str, kept: dict[str, Any]) -> CallFailedError:
    error = kind.__new__(kind, message)
    error.__dict__.update(kept)
    return error


class CircuitOpenError(CallFailedError):
    """A call that was never sent: the breaker of every model said no, and nothing was waited for.

    Parameters
    ----------
    message, request_id, classification
        As for `CallFailedError`.
    retry_after_s : float
        Seconds until one of them may admit a call; 0 when unknown.
    """

    def __init__(
        self, message: str, *, request_id: str, classification: Classification, retry_after_s: float = 0.0
    ) -> None:
        super().__init__(message, request_id=request_id, classification=classification, stopped_by="circuit_open")
        self.retry_after_s = retry_after_s


@dataclass(frozen=True, slots=True)
class Usage:
    """What one answer used, as its provider tells it.

    Parameters
    ----------
    tokens_in, tokens_out : int or None
        Tokens read and written.
    cost_microusd : int or None
        What it cost, millionths of a dollar; None takes the price of the model in the policy's chain.

    Raises
    ------
    ParameterError
        For what is no whole number from 0: the log has no place for it.
    """

    tokens_in: int | None = None
    tokens_out: int | None = None
    cost_microusd: int | None = None

    def __post_init__(self) -> None:
        for name in ("tokens_in", "tokens_out", "cost_microusd"):
            number = getattr(self, name)
            if number is not None and (isinstance(number, bool) or not isinstance(number, int) or number < 0):
                raise ParameterError.of(name, number, "a whole number from 0, or None", "round it; None is unknown")


@dataclass(frozen=True, slots=True)
class Offered:
    """A call that begins, as it is offered to a shadow.

    Parameters
    ----------
    request_id : str
        Name of the call in the journal.
    at_us : int
        When it began, microseconds since 1970 UTC.
    request : Request
        What it is.
    args, keywords : tuple and mapping
        What its function is called with.
    """

    request_id: str
    at_us: int
    request: Request
    args: tuple[Any, ...]
    keywords: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Primary:
    """How a call ended that was offered to a shadow.

    Parameters
    ----------
    ok : bool or None
        Whether it brought an answer; None when its caller gave up.
    value : object
        The answer; None without one.
    kind : str
        What failed, "" for nothing.
    model : str or None
        The model that answered.
    latency_us : int
        From its beginning, waits included, microseconds.
    cost_microusd : int or None
        What the answer cost, where it is known.
    degraded : bool
        As in the Answer.
    """

    ok: bool | None
    value: Any
    kind: str
    model: str | None
    latency_us: int
    cost_microusd: int | None = None
    degraded: bool = False


class Shadow(Protocol):
    """Who may send a call to another variant as well; see `relkit.live.shadowing`."""

    def offer(self, offered: Offered) -> Callable[[Primary], None] | None:
        """Take a call at its beginning; return who is told its end, or None. Neither waits for anything."""
