"""May this failure be retried, and after how long? Decisions of one loop that spans all models of a call.

The order of a decision: retryable, a result we keep, the kind's own limit, the tries on this model and in all, an
unsafe repeat, the server's "no", then the wait, and whether it fits the deadline. The RetryBudget is asked last, by
`relkit.policies.loop`, so that nothing is spent on a retry that another rule forbids.
"""

from dataclasses import dataclass
from typing import Final

from relkit.policies.backoff import ADDITIVE, backoff_s
from relkit.policies.failure import KIND_RATE_LIMIT, KIND_TIMEOUT, Failure
from relkit.policies.retry_settings import (
    HINT_AT_LEAST,
    HINT_CLAMPED,
    HINT_EXACT,
    HINT_IGNORED,
    HINT_WITHIN,
    PLAN_ORDER,
    RetrySettings,
)

RETRY: Final = 0
STOP_NOT_RETRYABLE: Final = 1
STOP_RESULT: Final = 2
STOP_KIND_LIMIT: Final = 3
STOP_ATTEMPTS: Final = 4
STOP_TOTAL_ATTEMPTS: Final = 5
STOP_MAYBE_EXECUTED: Final = 6
STOP_SERVER: Final = 7
STOP_DEADLINE: Final = 8
STOP_BUDGET: Final = 9
RETRY_CODES: Final = (
    "retry",
    "not_retryable",
    "result_kept",
    "kind_limit",
    "attempts",
    "total_attempts",
    "maybe_executed",
    "server_says_no",
    "deadline",
    "budget",
)

NO_RETRY: Final = 0
TRANSIENT: Final = 1
RATE_LIMITED: Final = 2
CRITICAL: Final = 3
STRATEGIES: Final = (
    "no_retry",
    "transient",
    "rate_limited",
    "critical",
)

NO_HINT: Final = -1.0
NEVER_AGAIN: Final = -2.0


@dataclass(slots=True)
class RetryState:
    """One call in the retry loop.

    Parameters
    ----------
    started_s : float
        When the first attempt began.
    attempts, total_attempts : int
        Tries sent so far, on this model and on all.
    granted : int
        Retries granted since the back-off last started.
    limited : int
        Retries granted to kinds with their own limit.
    carried : float
        Memory of the back-off family.
    paid : float
        What the last retry cost the RetryBudget, in tokens; 0 when there was none.
    """

    started_s: float = 0.0
    attempts: int = 0
    total_attempts: int = 0
    granted: int = 0
    limited: int = 0
    carried: float = 0.0
    paid: float = 0.0


def begin_call(state: RetryState, now_s: float) -> None:
    """Start a call: no attempt yet, the clock of its deadline runs from here."""
    state.started_s = now_s
    state.attempts = 0
    state.total_attempts = 0
    state.granted = 0
    state.limited = 0
    state.carried = 0.0
    state.paid = 0.0


def begin_attempt(state: RetryState) -> None:
    """Count an attempt that is about to be sent."""
    state.attempts = state.attempts + 1
    state.total_attempts = state.total_attempts + 1


def begin_model(state: RetryState) -> None:
    """Go on to another model: its back-off starts anew, the total and the deadline go on."""
    state.attempts = 0
    state.granted = 0
    state.carried = 0.0


def choose_strategy(order: int, failure: Failure) -> int:
    """Say which of the loop's settings apply to a failure.

    Parameters
    ----------
    order : int
        retryable_first (0) or plan_order (1), see `relkit.policies.retry_settings.ORDERS`.
    failure : Failure
        What failed; with plan_order, as the plan reads it.

    Returns
    -------
    int
        no_retry (0), transient (1), rate_limited (2) or critical (3). plan_order asks "critical?" before "retryable?"
        and never finds a rate limit, because the plan's table gives its entries no name (plan, 2.2).

    Examples
    --------
    >>> wrong_key = Failure(7, retryable=False, critical=True)
    >>> choose_strategy(0, wrong_key), choose_strategy(1, wrong_key)
    (0, 3)
    """
    if order == PLAN_ORDER:
        if failure.critical:
            return CRITICAL
        return TRANSIENT if failure.retryable else NO_RETRY
    if not failure.retryable:
        return NO_RETRY
    if failure.kind == KIND_RATE_LIMIT:
        return RATE_LIMITED
    return CRITICAL if failure.critical else TRANSIENT


def wait_factor(cfg: RetrySettings, kind: int, load: float) -> float:
    """Return the multiplier of the wait for a kind of error and the server's load.

    Parameters
    ----------
    cfg : RetrySettings
        The factors and the load threshold.
    kind : int
        Stable number of the kind.
    load : float
        Load in [0, 1] as the server told it (in `plan`: the caller's own); below 0 when it said nothing.

    Returns
    -------
    float
        The product of what fits; with `plan_factors` only the first that fits.
    """
    for_kind = 1.0
    if kind == KIND_RATE_LIMIT:
        for_kind = cfg.rate_limit_factor
    elif kind == KIND_TIMEOUT:
        for_kind = cfg.timeout_factor
    if load <= cfg.load_threshold:
        return for_kind
    if cfg.plan_factors and kind in (KIND_RATE_LIMIT, KIND_TIMEOUT):
        return for_kind
    return for_kind * cfg.load_factor


def reads_hint(cfg: RetrySettings, kind: int, hint_s: float) -> bool:
    """Say whether a stated wait is used at all: there is one, and the settings read it for this kind."""
    if hint_s < 0.0 or cfg.hint == HINT_IGNORED:
        return False
    if cfg.hint_rate_limit_only and kind != KIND_RATE_LIMIT:
        return False
    return not (cfg.hint == HINT_WITHIN and (hint_s <= 0.0 or hint_s > cfg.hint_cap_s))


def hinted_s(cfg: RetrySettings, wait_s: float, hint_s: float, draw: float) -> float:
    """Join a back-off and a wait the server stated, both in seconds.

    Parameters
    ----------
    cfg : RetrySettings
        Its hint settings, of which `reads_hint` said that they apply.
    wait_s, hint_s : float
        Back-off and stated wait, seconds.
    draw : float
        Uniform in [0, 1).

    Returns
    -------
    float
        With at_least: from the stated wait on, by `hint_jitter_share` of it at most and never beyond `hint_cap_s`. A
        stated wait beyond the cap is spread below the cap instead.

    Examples
    --------
    >>> cfg = RetrySettings(hint_cap_s=60.0, hint_jitter_share=0.1)
    >>> hinted_s(cfg, 0.2, 10.0, 0.5), round(hinted_s(cfg, 0.2, 3600.0, 0.0), 9)
    (10.5, 60.0)
    """
    if cfg.hint == HINT_CLAMPED:
        return max(wait_s, min(hint_s, wait_s + cfg.hint_cap_s))
    if cfg.hint == HINT_AT_LEAST:
        stated_s = max(hint_s, cfg.hint_floor_s)
        if stated_s >= cfg.hint_cap_s:
            # All who are told to stay away for longer than the cap must not return together either.
            return max(wait_s, cfg.hint_cap_s * (1.0 - cfg.hint_jitter_share * draw))
        spread_s = min(stated_s * cfg.hint_jitter_share, cfg.hint_cap_s - stated_s)
        return max(wait_s, stated_s + spread_s * draw)
    if cfg.hint == HINT_WITHIN and cfg.jitter == ADDITIVE:
        # LiteLLM adds its jitter to whatever wait it takes.
        return hint_s + cfg.jitter_s * draw
    return hint_s


def _why_stop(
    state: RetryState,
    cfg: RetrySettings,
    failure: Failure,
    has_key: bool,
    hint_s: float,
) -> int:
    """Return the first rule that forbids a retry whatever the wait, or RETRY."""
    code = RETRY
    if not failure.retryable:
        code = STOP_NOT_RETRYABLE
    elif failure.from_result and not cfg.retry_results:
        code = STOP_RESULT
    elif cfg.max_attempts > 0 and state.attempts >= cfg.max_attempts:
        code = STOP_ATTEMPTS
    elif cfg.max_total_attempts > 0 and state.total_attempts >= cfg.max_total_attempts:
        code = STOP_TOTAL_ATTEMPTS
    elif failure.max_retries >= 0 and state.limited >= failure.max_retries:
        code = STOP_KIND_LIMIT
    elif cfg.guard_repeats and failure.maybe_executed and not has_key:
        code = STOP_MAYBE_EXECUTED
    elif hint_s == NEVER_AGAIN and cfg.hint in (HINT_EXACT, HINT_AT_LEAST) and not cfg.hint_rate_limit_only:
        code = STOP_SERVER
    return code


def decide(
    state: RetryState,
    cfg: RetrySettings,
    failure: Failure,
    now_s: float,
    has_key: bool,
    hint_s: float,
    load: float,
    draw: float,
) -> tuple[int, float]:
    """Decide about one failed attempt; a granted retry is counted in the state.

    Parameters
    ----------
    state : RetryState
        The call; `begin_attempt` was called for the attempt that failed.
    cfg : RetrySettings
        The settings `choose_strategy` pointed at.
    failure : Failure
        What failed.
    now_s : float
        When it failed, seconds.
    has_key : bool
        Whether the call may be repeated safely: it only reads, or carries an idempotency key.
    hint_s : float
        Wait the server stated, seconds; `NO_HINT` (-1) for none, `NEVER_AGAIN` (-2) when it said not to come back.
    load : float
        Load the server stated, a share; below 0 for none.
    draw : float
        Uniform in [0, 1).

    Returns
    -------
    tuple of int and float
        A code of `RETRY_CODES` and the wait in seconds. At STOP_DEADLINE it is the wait there was no time for; at
        every other stop 0.

    Examples
    --------
    >>> state = RetryState()
    >>> begin_call(state, 0.0)
    >>> begin_attempt(state)
    >>> decide(state, RetrySettings(first_delay_s=0.2), Failure(11), 0.1, True, NO_HINT, -1.0, 0.5)
    (0, 0.1)
    """
    code = _why_stop(state, cfg, failure, has_key, hint_s)
    if code != RETRY:
        return code, 0.0
    factor = wait_factor(cfg, failure.kind, load)
    wait_s, carried = backoff_s(cfg, state.granted, state.carried, factor, draw)
    hinted = reads_hint(cfg, failure.kind, hint_s)
    if hinted:
        wait_s = hinted_s(cfg, wait_s, hint_s, draw)
    gone_s = now_s - state.started_s
    reached_s = gone_s + wait_s if cfg.deadline_counts_wait else gone_s
    if reached_s >= cfg.deadline_s:
        return STOP_DEADLINE, wait_s
    if failure.max_retries >= 0:
        state.limited = state.limited + 1
    if hinted and cfg.hint_restarts:
        state.granted = 0
        state.carried = 0.0
    else:
        state.granted = state.granted + 1
        state.carried = carried
    return RETRY, wait_s
