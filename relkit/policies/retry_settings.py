"""The settings of the retry loop: numbers alone, checked when they are made."""

import math
from dataclasses import dataclass, fields, replace
from typing import Final

from relkit.exceptions import ParameterError
from relkit.policies._checks import checked_code, checked_flag, checked_number, checked_whole, checked_word
from relkit.policies.backoff import BACKOFFS, DECORRELATED, EXPONENTIAL, FULL, JITTERS, NO_JITTER, backoff_s

HINT_IGNORED: Final = 0
HINT_EXACT: Final = 1
HINT_WITHIN: Final = 2
HINT_CLAMPED: Final = 3
HINT_AT_LEAST: Final = 4
HINTS: Final = (
    "ignored",
    "exact",
    "within",
    "clamped",
    "at_least",
)

RETRYABLE_FIRST: Final = 0
PLAN_ORDER: Final = 1
ORDERS: Final = (
    "retryable_first",
    "plan_order",
)

RETRY_CHOICES: Final[dict[str, tuple[str, ...]]] = {"backoff": BACKOFFS, "jitter": JITTERS, "hint": HINTS}
"""Settings that are one of several words: the words in the order of their numbers."""

_MOST_ATTEMPTS: Final = 1_000_000


@dataclass(frozen=True, slots=True)
class RetrySettings:
    """How often to try, how long to wait and when to give up.

    Parameters
    ----------
    max_attempts : int
        Tries on one model, the first included; 0 = no limit.
    max_total_attempts : int
        Tries over all models of a chain together; 0 = no limit.
    backoff : int
        Family of the wait, one of `BACKOFFS`.
    first_delay_s, step_s : float
        Wait before the first retry, and what a linear family adds each time, seconds.
    growth : float
        Multiplier of an exponential family, at least 1.
    floor_s, cap_s : float
        Shortest and longest wait, seconds; `cap_s` may be infinite.
    cap_after_jitter : bool
        Whether the cap comes after the jitter (Polly, Envoy, stamina) instead of before it (AWS, gRPC).
    jitter : int
        How the wait is spread, one of `JITTERS`.
    jitter_share : float
        Half width of proportional jitter, a share in [0, 1].
    jitter_s : float
        Width of additive jitter, seconds.
    rate_limit_factor, timeout_factor, load_factor : float
        Multipliers of the wait after a rate limit, after a timeout, and above `load_threshold`.
    load_threshold : float
        Load of the server, as it told us, a share in [0, 1]; above it `load_factor` applies.
    plan_factors : bool
        As in the plan: the first factor that fits, and after the cap. Otherwise all that fit, before the cap.
    hint : int
        What becomes of a wait the server states, one of `HINTS`. ignored; exact: it replaces the back-off; within: the
        same with additive jitter on top, but only if 0 < hint <= `hint_cap_s` (LiteLLM); clamped: at least the back-off
        and at most `hint_cap_s` above it (AWS 2026); at_least: the hint between
        `hint_floor_s` and `hint_cap_s`, plus jitter, where that is longer than the back-off.
    hint_restarts : bool
        Whether the back-off starts anew after a stated wait (gRPC A6).
    hint_floor_s, hint_cap_s : float
        Bounds of a stated wait, seconds.
    hint_jitter_share : float
        at_least adds U(0, share) of the stated wait on top, never below it, so that clients do not return together;
        at the cap the spread lies below the cap.
    hint_rate_limit_only : bool
        Whether only a rate limit's hint is read.
    deadline_s : float
        Total time of a call from its first attempt, waits included, seconds; may be infinite.
    deadline_counts_wait : bool
        Whether a wait that would reach the deadline is not begun; otherwise only the time already gone counts.
    guard_repeats : bool
        Whether a call that may have been carried out is repeated only with an idempotency key.
    retry_results : bool
        Whether an answer that came, but will not do, is retried too.
    needs_budget : bool
        Whether these settings are meant to run with a RetryBudget alone.

    Raises
    ------
    ParameterError
        When a value is out of range or the settings cannot work together.

    Examples
    --------
    >>> RetrySettings(max_attempts=3, first_delay_s=0.2).cap_s
    20.0
    >>> RetrySettings(first_delay_s=5.0, jitter=NO_JITTER, deadline_s=5.0)  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    relkit.exceptions.ParameterError: first_delay_s = 5.0 is not acceptable: allowed is a first wait below ...
    """

    max_attempts: int = 3
    max_total_attempts: int = 0
    backoff: int = EXPONENTIAL
    first_delay_s: float = 0.5
    step_s: float = 0.0
    growth: float = 2.0
    floor_s: float = 0.0
    cap_s: float = 20.0
    cap_after_jitter: bool = False
    jitter: int = FULL
    jitter_share: float = 0.0
    jitter_s: float = 0.0
    rate_limit_factor: float = 1.0
    timeout_factor: float = 1.0
    load_factor: float = 1.0
    load_threshold: float = 0.8
    plan_factors: bool = False
    hint: int = HINT_AT_LEAST
    hint_restarts: bool = False
    hint_floor_s: float = 0.0
    hint_cap_s: float = 60.0
    hint_jitter_share: float = 0.1
    hint_rate_limit_only: bool = False
    deadline_s: float = math.inf
    deadline_counts_wait: bool = True
    guard_repeats: bool = True
    retry_results: bool = True
    needs_budget: bool = False

    def __post_init__(self) -> None:
        for name in ("max_attempts", "max_total_attempts"):
            checked_whole(name, getattr(self, name), 0, _MOST_ATTEMPTS, "count the first try too; 0 = no limit")
        checked_code("backoff", self.backoff, BACKOFFS)
        checked_code("jitter", self.jitter, JITTERS)
        checked_code("hint", self.hint, HINTS)
        for name in ("first_delay_s", "step_s", "floor_s", "cap_s", "jitter_s", "hint_floor_s", "hint_cap_s"):
            checked_number(name, getattr(self, name), 0.0, math.inf, "give seconds")
        checked_number("growth", self.growth, 1.0, 1000.0, "a wait that shrinks hammers a service in trouble")
        checked_number("deadline_s", self.deadline_s, 0.0, math.inf, "give seconds, or inf for none", open_low=True)
        for name in ("jitter_share", "load_threshold", "hint_jitter_share"):
            checked_number(name, getattr(self, name), 0.0, 1.0, "give a share, e.g. 0.25")
        for name in ("rate_limit_factor", "timeout_factor", "load_factor"):
            checked_number(name, getattr(self, name), 0.0, 1000.0, "give a multiplier such as 2.0", open_low=True)
        for field in fields(self):
            if field.type is bool:
                checked_flag(field.name, getattr(self, field.name))
        self._check_together()

    def _check_together(self) -> None:
        for low, high in (("floor_s", "cap_s"), ("hint_floor_s", "hint_cap_s")):
            if getattr(self, low) > getattr(self, high):
                text = f"at most {high} = {getattr(self, high):g}"
                raise ParameterError.of(low, getattr(self, low), text, f"lower {low} or raise {high}")
        if self.backoff >= DECORRELATED and self.jitter != NO_JITTER:
            remedy = "a decorrelated family brings its own jitter: leave jitter at 0"
            raise ParameterError.of("jitter", self.jitter, "0 (no_jitter) with this backoff", remedy)
        if 0 < self.max_total_attempts < self.max_attempts:
            text = f"0 or at least max_attempts = {self.max_attempts}"
            remedy = "one model alone may use max_attempts; lower that, or raise this"
            raise ParameterError.of("max_total_attempts", self.max_total_attempts, text, remedy)
        if not self.plan_factors:
            for name in ("rate_limit_factor", "timeout_factor", "load_factor"):
                if getattr(self, name) < 1.0:
                    remedy = "no error may shorten a wait below its base: a timeout is the main sign of overload"
                    raise ParameterError.of(name, getattr(self, name), "a number from 1", remedy)
        shortest_s, _ = backoff_s(self, 0, 0.0, 1.0, 0.0)
        if self.max_attempts != 1 and self.deadline_counts_wait and shortest_s >= self.deadline_s:
            name = "floor_s" if self.floor_s >= self.deadline_s else "first_delay_s"
            text = f"a first wait below deadline_s = {self.deadline_s:g}"
            remedy = "shorten the wait, lengthen deadline_s or set max_attempts = 1"
            raise ParameterError.of(name, getattr(self, name), text, remedy)


NO_RETRIES: Final = RetrySettings(max_attempts=1)
"""One try and no more."""


@dataclass(frozen=True, slots=True)
class Retry:
    """The retry loop of a service: settings for ordinary failures, for rate limits and for critical ones.

    Parameters
    ----------
    transient : RetrySettings
        For a failure that may pass.
    rate_limited : RetrySettings
        For a rate limit.
    critical : RetrySettings
        For a failure that a person must hear of.
    order : int
        retryable_first (0): what may not be retried never is. plan_order (1): the plan's, which asks "critical?"
        first and reads errors by the plan's own table.

    Examples
    --------
    >>> Retry.of(RetrySettings(max_attempts=4)).rate_limited.max_attempts
    4
    """

    transient: RetrySettings
    rate_limited: RetrySettings
    critical: RetrySettings
    order: int = RETRYABLE_FIRST

    def __post_init__(self) -> None:
        checked_code("order", self.order, ORDERS)

    @classmethod
    def of(cls, settings: RetrySettings) -> "Retry":
        """Use the same settings whatever failed."""
        return cls(settings, settings, settings)

    def changed(self, **overrides: object) -> "Retry":
        """Return a copy with fields of `RetrySettings` replaced in all three.

        Parameters
        ----------
        **overrides
            Field names of `RetrySettings` and their values; a field that is one of several words takes either.

        Raises
        ------
        ParameterError
            For a name that is no field, or a value that does not fit.

        Examples
        --------
        >>> Retry.of(RetrySettings()).changed(max_attempts=2, jitter="equal").critical.max_attempts
        2
        """
        known = [field.name for field in fields(RetrySettings)]
        for name in overrides:
            if name not in known:
                raise ParameterError.of("setting", name, ", ".join(known), "use the name of a retry setting")
        given = {name: checked_word(name, value, RETRY_CHOICES.get(name, ())) for name, value in overrides.items()}
        each = (self.transient, self.rate_limited, self.critical)
        first, second, third = (replace(one, **given) for one in each)  # type: ignore[arg-type]  # it checks them
        return Retry(first, second, third, self.order)
