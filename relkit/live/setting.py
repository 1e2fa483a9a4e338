"""What all calls of a pipeline share, and the two things that a call asks of whoever carries it out."""

import math
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Final, Literal, Protocol

from relkit.errors.classifier import Classification
from relkit.errors.kinds import ErrorKind
from relkit.exceptions import ParameterError
from relkit.live.answers import Shadow, advised
from relkit.live.cache import AnswerCache
from relkit.live.notes import Notes
from relkit.live.registry import Registry
from relkit.policies.policy import Policy
from relkit.policies.retry_budget import NO_BUDGET
from relkit.policies.retry_settings import NO_RETRIES, Retry

UNKNOWN_LOAD: Final = -1.0


class Draws(Protocol):
    """Where a call's random numbers come from."""

    def __call__(self, purpose: Literal["permit", "wait"], request_id: str, attempt: int, place: int, /) -> float:
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
    left_s : float
        How long the try may take by the settings, or what is left of the call's deadline where that is less, seconds.
    """

    model: str | None
    left_s: float


@dataclass(frozen=True, slots=True)
class Sleep:
    """Wait so many seconds before the next attempt."""

    wait_s: float


def guarded(policy: Policy) -> Retry:
    """Return a policy's retries as they run live: one try without any, and never an unsafe repeat.

    Libraries know nothing of idempotency, so their presets repeat whatever failed. Around a real booking that books twice.

    Raises
    ------
    ParameterError
        For retries that nothing ends: in an outage such a call would never come back.

    >>> from relkit.policies.presets import presets
    >>> presets["polly"].retry.transient.guard_repeats, guarded(presets["polly"]).transient.guard_repeats
    (False, True)
    """
    retry = policy.retry
    if retry is None:
        return Retry.of(NO_RETRIES)
    budget = policy.retry_budget
    for part in (retry.transient, retry.rate_limited, retry.critical):
        ends = part.max_attempts or part.max_total_attempts or part.deadline_s < math.inf
        if not ends and (budget is None or budget.budget_family == NO_BUDGET):
            remedy = "set max_attempts, max_total_attempts or deadline_s, or give the policy a retry_budget"
            raise ParameterError.of("max_attempts", part.max_attempts, "a loop that ends", remedy)
    return retry.changed(guard_repeats=True)


@dataclass(frozen=True, slots=True)
class Setting:
    """What all calls of a pipeline share.

    Parameters
    ----------
    policy : Policy
        The settings.
    loop : Retry
        Its retries, see `guarded`.
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
        How long a try may take, seconds; may be infinite.
    """

    policy: Policy
    loop: Retry
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

    @property
    def models(self) -> tuple[str | None, ...]:
        """The chain; without one a single nameless model."""
        chain = () if self.policy.fallback is None else self.policy.fallback.models
        return tuple(model.name for model in chain) or (None,)

    def classified(self, error: BaseException) -> Classification:
        """Say what failed; a classifier that itself fails leaves the error unknown."""
        found = None
        with suppress(Exception):  # the error path must not hide the error
            found = self.classify(error)
        if not isinstance(found, Classification):
            return advised(ErrorKind.UNKNOWN, "the classifier failed")
        if found.retry_after_s is not None and not 0.0 <= found.retry_after_s < math.inf:
            return replace(found, retry_after_s=None)
        return found

    def loaded(self) -> float:
        """Return the load of the server, below 0 where nobody says."""
        if self.load is not None:
            with suppress(Exception):  # the error path must not hide the error
                load = float(self.load())
                return load if math.isfinite(load) else UNKNOWN_LOAD
        return UNKNOWN_LOAD
