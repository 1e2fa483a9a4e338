"""The retry side of `drive`: one caller's loop and its RetryBudget on the virtual clock."""

from collections.abc import Callable
from datetime import UTC, datetime

from relkit.errors.kinds import Advice
from relkit.errors.reading.retry_after import retry_after_header
from relkit.policies.failure import FALLBACKS, NO_LIMIT, Failure, plan_failure
from relkit.policies.loop import after_failure, settings_for
from relkit.policies.policy import Policy
from relkit.policies.retry import NEVER_AGAIN, NO_HINT, RETRY, RetryState, begin_attempt, begin_call
from relkit.policies.retry_budget import SLOTS, UNLIMITED, RetryBudgetState, deposit, earn, fill, release
from relkit.policies.retry_presets import plan_hint_s
from relkit.policies.retry_settings import HINT_EXACT, PLAN_ORDER


def failure_of(advice: Advice) -> Failure:
    """Read what an error kind advises, before a rule overrides a part of it.

    >>> from relkit.errors.kinds import ADVICE, ErrorKind
    >>> failure_of(ADVICE[ErrorKind.API_RATE_LIMIT]).retryable
    True
    """
    return Failure(
        advice.int_code,
        retryable=advice.retryable,
        max_retries=NO_LIMIT if advice.max_retries is None else advice.max_retries,
        maybe_executed=advice.maybe_executed_default,
        critical=advice.severity == "critical",
        fallback=FALLBACKS.index(advice.fallback),
    )


class RetryLoop:
    """The retries of one request after another.

    A request lasts from its first attempt until it succeeds or the loop gives up; failures that follow each other are
    attempts of one request.

    Parameters
    ----------
    policy : Policy
        Its retry and retry_budget are used; without a retry nothing is ever tried again.
    draws : callable
        Gives uniform draws in [0, 1).
    start_s : float
        When the store of retries is filled.
    has_key : bool
        Whether calls may be repeated safely.
    """

    __slots__ = ("budget", "draws", "has_key", "purse", "retry", "running", "state", "window")

    def __init__(self, policy: Policy, draws: Callable[[], float], start_s: float, has_key: bool) -> None:
        self.retry = policy.retry
        self.budget = policy.retry_budget or UNLIMITED
        self.draws = draws
        self.has_key = has_key
        self.state = RetryState()
        self.purse, self.window = RetryBudgetState(), [0] * SLOTS
        fill(self.purse, self.window, self.budget, start_s)
        self.running = False

    def attempt(self, now_s: float) -> None:
        """Note an attempt that is about to be sent, and the request when it is its first."""
        if not self.running:
            begin_call(self.state, now_s)
            deposit(self.purse, self.window, self.budget, now_s)
            self.running = True
        begin_attempt(self.state)

    def read_hint(self, told: float | str | None, now_s: float) -> float:
        """Read a stated wait as the caller does, in seconds.

        A text is the value of a Retry-After header; a date in it is read against the virtual clock as Unix time. The
        plan reads every wait by parseInt. Below zero means "never" to gRPC and nothing to everybody else.
        """
        if told is None:
            return NO_HINT
        if self.retry is not None and self.retry.order == PLAN_ORDER:
            return plan_hint_s(told if isinstance(told, str) else f"{told:.3f}")
        if isinstance(told, str):
            read_s = retry_after_header(told, now=lambda: datetime.fromtimestamp(now_s, UTC))
            return NO_HINT if read_s is None else read_s
        if told >= 0.0:
            return told
        exact = self.retry is not None and self.retry.transient.hint == HINT_EXACT
        return NEVER_AGAIN if exact else NO_HINT

    def after(self, failure: Failure | None, now_s: float, hint_s: float, *, succeeded: bool) -> float | None:
        """Say how long to wait before the next attempt, in seconds; None when there is none."""
        if self.state.attempts > 1:
            release(self.purse, self.budget)
        if self.retry is None or failure is None:
            self.end(succeeded=succeeded)
            return None
        seen = plan_failure(failure.kind) if self.retry.order == PLAN_ORDER else failure
        code, wait_s = after_failure(
            self.state,
            settings_for(self.retry, seen),
            self.purse,
            self.window,
            self.budget,
            seen,
            now_s,
            self.has_key,
            hint_s,
            -1.0,
            self.draws(),
        )
        if code != RETRY:
            self.end(succeeded=False)
            return None
        return wait_s

    def end(self, *, succeeded: bool) -> None:
        """Close the books of the request."""
        if self.running:
            earn(self.purse, self.budget, succeeded, self.state.paid)
            self.running = False
