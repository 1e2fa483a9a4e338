"""One retry loop over all layers: the retry decision, the RetryBudget and the step to the next model together.

Around a call, live and simulated: `begin_call`, `deposit`; for each try `begin_attempt`; after a failure `after_failure`;
where that says stop, `may_move_on` and `next_model`; at the end `earn`. A provider's SDK must have its own retries off.
"""

from relkit.policies.failure import Failure, plan_failure
from relkit.policies.retry import (
    CRITICAL,
    NEVER_AGAIN,
    NO_HINT,
    RATE_LIMITED,
    RETRY,
    STOP_BUDGET,
    STOP_DEADLINE,
    STOP_MAYBE_EXECUTED,
    STOP_TOTAL_ATTEMPTS,
    RetryState,
    begin_attempt,
    begin_call,
    choose_strategy,
    decide,
)
from relkit.policies.retry_budget import (
    REFUSED,
    SLOTS,
    UNLIMITED,
    RetryBudgetSettings,
    RetryBudgetState,
    charge,
    fill,
    withdraw,
)
from relkit.policies.retry_settings import PLAN_ORDER, Retry, RetrySettings


def after_failure(
    state: RetryState,
    cfg: RetrySettings,
    purse: RetryBudgetState,
    window: list[int],
    budget: RetryBudgetSettings,
    failure: Failure,
    now_s: float,
    has_key: bool,
    hint_s: float,
    load: float,
    draw: float,
) -> tuple[int, float]:
    """Decide about a failed attempt, and pay for the retry when there is one.

    Parameters
    ----------
    state : RetryState
        The call.
    cfg : RetrySettings
        The settings `choose_strategy` pointed at.
    purse : RetryBudgetState
        The client's store of retries, shared by its calls.
    window : list of int
        The store's window, `SLOTS` numbers.
    budget : RetryBudgetSettings
        The budget's settings.
    failure, now_s, has_key, hint_s, load, draw
        As `relkit.policies.retry.decide` takes them.

    Returns
    -------
    tuple of int and float
        A code of `RETRY_CODES` and the wait in seconds. The budget is asked last and pays only for a retry that will
        be sent.

    Examples
    --------
    >>> state, purse, window = RetryState(), RetryBudgetState(), [0] * SLOTS
    >>> budget = RetryBudgetSettings(capacity=1.0)
    >>> fill(purse, window, budget, 0.0)
    >>> begin_attempt(state)
    >>> spend = lambda: after_failure(
    ...     state, RetrySettings(), purse, window, budget, Failure(11), 0.0, True, -1.0, -1.0, 0.5
    ... )
    >>> spend(), spend()
    ((0, 0.25), (9, 0.0))
    """
    if failure.retryable or hint_s == NEVER_AGAIN:
        charge(purse, budget)
    code, wait_s = decide(state, cfg, failure, now_s, has_key, hint_s, load, draw)
    if code != RETRY:
        return code, wait_s
    cost = withdraw(purse, window, budget, now_s, failure.kind)
    if cost == REFUSED:
        return STOP_BUDGET, 0.0
    state.paid = cost
    return RETRY, wait_s


def may_move_on(
    state: RetryState,
    cfg: RetrySettings,
    purse: RetryBudgetState,
    window: list[int],
    budget: RetryBudgetSettings,
    failure: Failure,
    now_s: float,
    has_key: bool,
    uses_budget: bool,
) -> int:
    """Say whether another model may be asked after a failure, and pay for it where that costs.

    Parameters
    ----------
    state, cfg, purse, window, budget, failure, now_s, has_key
        As `after_failure` takes them.
    uses_budget : bool
        Whether the step costs a retry of the RetryBudget.

    Returns
    -------
    int
        RETRY (0), or the rule of the loop that forbids it: tries in all, a call that may have been carried out, the
        deadline or the budget. Another model repeats the call just as a retry does.
    """
    if cfg.max_total_attempts > 0 and state.total_attempts >= cfg.max_total_attempts:
        return STOP_TOTAL_ATTEMPTS
    if cfg.guard_repeats and failure.maybe_executed and not has_key:
        return STOP_MAYBE_EXECUTED
    if now_s - state.started_s >= cfg.deadline_s:
        return STOP_DEADLINE
    if uses_budget:
        cost = withdraw(purse, window, budget, now_s, failure.kind)
        if cost == REFUSED:
            return STOP_BUDGET
        state.paid = cost
    return RETRY


def settings_for(retry: Retry, failure: Failure) -> RetrySettings:
    """Return the settings that apply to a failure; for what may not be retried any will do.

    >>> settings_for(Retry.of(RetrySettings(max_attempts=7)), Failure(5)).max_attempts
    7
    """
    strategy = choose_strategy(retry.order, failure)
    if strategy == CRITICAL:
        return retry.critical
    return retry.rate_limited if strategy == RATE_LIMITED else retry.transient


def waits(
    retry: Retry,
    failure: Failure,
    *,
    hint_s: float = NO_HINT,
    load: float = -1.0,
    latency_s: float = 0.0,
    draw: float = 0.5,
    has_key: bool = True,
    most: int = 20,
) -> tuple[int, tuple[float, ...]]:
    """Play one call on one model whose every attempt fails alike, without a budget.

    Parameters
    ----------
    retry : Retry
        The loop.
    failure : Failure
        What fails each time; a loop of order plan_order reads it by the plan's table.
    hint_s, load : float
        Wait and load that the server states each time, see `relkit.policies.retry.decide`.
    latency_s : float
        How long each attempt takes, seconds.
    draw : float
        The draw of each wait; 0.5 shows the median.
    has_key : bool
        Whether the call may be repeated safely.
    most : int
        Retries after which to stop looking.

    Returns
    -------
    tuple of int and tuple of float
        The code that ended it (0 when `most` was reached) and the waits before each retry, seconds.

    Examples
    --------
    >>> waits(Retry.of(RetrySettings(max_attempts=3, first_delay_s=1.0)), Failure(11))
    (4, (0.5, 1.0))
    """
    seen = plan_failure(failure.kind) if retry.order == PLAN_ORDER else failure
    cfg = settings_for(retry, seen)
    state, purse, window = RetryState(), RetryBudgetState(), [0] * SLOTS
    fill(purse, window, UNLIMITED, 0.0)
    begin_call(state, 0.0)
    now_s = 0.0
    found: list[float] = []
    while len(found) < most:
        begin_attempt(state)
        now_s += latency_s
        code, wait_s = after_failure(
            state, cfg, purse, window, UNLIMITED, seen, now_s, has_key, hint_s, load, draw
        )  # fmt: skip
        if code != RETRY:
            return code, tuple(found)
        found.append(wait_s)
        now_s += wait_s
    return RETRY, tuple(found)
