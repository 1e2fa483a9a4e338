"""How many retries may a client send? Budgets that are withdrawn from at the moment of retry, in one step.

Every balance is kept in whole thousandths of a token, so that ten deposits of 0.1 are exactly one token.
"""

import math
from dataclasses import dataclass, fields, replace
from typing import Final

from relkit.exceptions import ParameterError
from relkit.policies._checks import checked_code, checked_number, checked_whole, checked_word
from relkit.policies.failure import KIND_RATE_LIMIT, KIND_TIMEOUT
from relkit.policies.retry_settings import Retry

NO_BUDGET: Final = 0
PER_SUCCESS: Final = 1
PER_REQUEST: Final = 2
FINAGLE: Final = 3
GRPC: Final = 4
AWS: Final = 5
ENVOY: Final = 6
BUDGETS: Final = (
    "no_budget",
    "per_success",
    "per_request",
    "finagle",
    "grpc",
    "aws",
    "envoy",
)

REFUSED: Final = -1.0
SLOTS: Final = 10
"""Slots of Finagle's window; the window is a list (live) or an array row (compiled) of so many whole numbers."""

_MOST_TOKENS: Final = 1e9


@dataclass(frozen=True, slots=True)
class RetryBudgetSettings:
    """Which store of retries a client has, and how it fills.

    Parameters
    ----------
    budget_family : int
        One of `BUDGETS`. per_success: each success earns `earn`. per_request: each request deposits `earn`, whatever
        becomes of it. aws: like per_success, but a success after retries gives back what its last retry cost. grpc:
        each counted failure costs `cost`, each success earns `earn`, and retries are allowed above half of
        `capacity`. finagle: each request deposits a token that lives for `deposit_s`; a retry costs 1/`retry_share`,
        and `reserve_per_s` retries a second are in reserve. envoy: at most `retry_share` of the active requests may be retries.
    capacity : float
        Most tokens, and how many there are at the start; resolution 0.001.
    earn : float
        Tokens earned or deposited at a time; resolution 0.001.
    cost, timeout_cost, rate_limit_cost : float
        Price of a retry in tokens, of one after a timeout and of one after a rate limit.
    deposit_s : float
        How long a deposit lives, 1 to 60 s (finagle).
    retry_share : float
        Retries as a share of requests, in (0, 1000] for finagle and (0, 1] for envoy.
    reserve_per_s : int
        Reserve of retries a second (finagle).
    least_retries : int
        Retries at once that are always allowed (envoy).

    Raises
    ------
    ParameterError
        When a value is out of range, or no retry could ever be paid for.

    Examples
    --------
    >>> RetryBudgetSettings(AWS, capacity=500.0, earn=1.0, cost=5.0, timeout_cost=10.0, rate_limit_cost=5.0).retry_share
    0.2
    """

    budget_family: int = PER_SUCCESS
    capacity: float = 10.0
    earn: float = 0.1
    cost: float = 1.0
    timeout_cost: float = 1.0
    rate_limit_cost: float = 1.0
    deposit_s: float = 10.0
    retry_share: float = 0.2
    reserve_per_s: int = 10
    least_retries: int = 3

    def changed(self, **overrides: object) -> "RetryBudgetSettings":
        """Return a copy with other values; `budget_family` takes its word or its number.

        Parameters
        ----------
        **overrides
            Field names and their values.

        Raises
        ------
        ParameterError
            For a name that is no field, or a value that does not fit.

        Examples
        --------
        >>> RetryBudgetSettings().changed(budget_family="grpc").budget_family == GRPC
        True
        """
        known = [field.name for field in fields(self)]
        for name in overrides:
            if name not in known:
                raise ParameterError.of("setting", name, ", ".join(known), "use the name of a budget setting")
        words = {"budget_family": BUDGETS}
        given = {name: checked_word(name, value, words.get(name, ())) for name, value in overrides.items()}
        return replace(self, **given)  # type: ignore[arg-type]  # the record checks them

    def __post_init__(self) -> None:
        checked_code("budget_family", self.budget_family, BUDGETS)
        for name in ("capacity", "earn", "cost", "timeout_cost", "rate_limit_cost"):
            tokens = checked_number(name, getattr(self, name), 0.0, _MOST_TOKENS, "give tokens")
            if abs(tokens * 1000 - round(tokens * 1000)) > 1e-6:
                raise ParameterError.of(name, tokens, "at most three decimals", "balances are kept in thousandths")
        checked_number("deposit_s", self.deposit_s, 1.0, 60.0, "give seconds; the default is 10")
        most = 1.0 if self.budget_family == ENVOY else 1000.0
        checked_number("retry_share", self.retry_share, 0.0, most, "give a share such as 0.2", open_low=True)
        checked_whole("reserve_per_s", self.reserve_per_s, 0, 1_000_000, "give retries a second")
        checked_whole("least_retries", self.least_retries, 0, 1_000_000, "give retries in flight")
        dearest = max(self.cost, self.timeout_cost, self.rate_limit_cost)
        if self.budget_family in (PER_SUCCESS, PER_REQUEST, AWS) and dearest > self.capacity:
            remedy = "raise capacity or lower the cost: as it is, some retry can never be paid for"
            raise ParameterError.of("capacity", self.capacity, f"at least the dearest retry, {dearest:g}", remedy)
        if self.budget_family in (PER_SUCCESS, PER_REQUEST, AWS, GRPC) and self.cost == 0:
            raise ParameterError.of("cost", self.cost, "a number above 0", "a retry that costs nothing is no budget")


UNLIMITED: Final = RetryBudgetSettings(NO_BUDGET)
"""No budget: every retry is granted."""


@dataclass(slots=True)
class RetryBudgetState:
    """What is left in a client's store of retries.

    Parameters
    ----------
    thousandths : int
        Balance, in thousandths of a token.
    slot : int
        The slot of the window that is written to (finagle).
    slot_from_s : float
        When that slot began, seconds (finagle).
    active, retrying : int
        Requests and retries in flight (envoy).
    """

    thousandths: int = 0
    slot: int = 0
    slot_from_s: float = 0.0
    active: int = 0
    retrying: int = 0


def thousandths(tokens: float) -> int:
    """Return tokens as whole thousandths.

    >>> thousandths(0.1)
    100
    """
    return int(tokens * 1000.0 + 0.5)


def fill(state: RetryBudgetState, window: list[int], cfg: RetryBudgetSettings, now_s: float) -> None:
    """Start with a full balance and an empty window at `now_s`."""
    state.thousandths = thousandths(cfg.capacity)
    state.slot = 0
    state.slot_from_s = now_s
    state.active = 0
    state.retrying = 0
    for slot in range(len(window)):
        window[slot] = 0


def balance(state: RetryBudgetState, window: list[int], cfg: RetryBudgetSettings) -> float:
    """Return what is left, in retries at the plain cost (grpc: in tokens; finagle: as of the last event)."""
    if cfg.budget_family == FINAGLE:
        return (_window_sum(window) + _reserve(cfg)) / _finagle_cost(cfg)
    if cfg.budget_family == ENVOY:
        return float(_envoy_limit(state, cfg) - state.retrying)
    if cfg.budget_family == GRPC:
        return state.thousandths / 1000.0
    return math.inf if cfg.budget_family == NO_BUDGET else state.thousandths / (1000.0 * cfg.cost)


def price(cfg: RetryBudgetSettings, kind: int) -> float:
    """Return what a retry costs after an error of this kind, in tokens."""
    if kind == KIND_TIMEOUT:
        return cfg.timeout_cost
    return cfg.rate_limit_cost if kind == KIND_RATE_LIMIT else cfg.cost


def deposit(state: RetryBudgetState, window: list[int], cfg: RetryBudgetSettings, now_s: float) -> None:
    """Note that a request begins, before its first attempt.

    Parameters
    ----------
    state : RetryBudgetState
        The store; it is changed.
    window : list of int
        `SLOTS` numbers, used by finagle alone.
    cfg : RetryBudgetSettings
        The settings.
    now_s : float
        When, seconds.
    """
    if cfg.budget_family == PER_REQUEST:
        state.thousandths = min(state.thousandths + thousandths(cfg.earn), thousandths(cfg.capacity))
    elif cfg.budget_family == FINAGLE:
        _turn(state, window, cfg, now_s)
        window[state.slot] += 1000
    elif cfg.budget_family == ENVOY:
        state.active = state.active + 1


def charge(state: RetryBudgetState, cfg: RetryBudgetSettings) -> None:
    """Note an attempt that failed in a way that counts; only grpc pays for failures, before it is asked for a retry."""
    if cfg.budget_family == GRPC:
        state.thousandths = max(state.thousandths - thousandths(cfg.cost), 0)


def withdraw(
    state: RetryBudgetState, window: list[int], cfg: RetryBudgetSettings, now_s: float, kind: int
) -> float:  # fmt: skip
    """Ask for one retry, and pay for it in the same step.

    Parameters
    ----------
    state : RetryBudgetState
        The store; it is changed when the retry is granted.
    window : list of int
        `SLOTS` numbers, used by finagle alone.
    cfg : RetryBudgetSettings
        The settings.
    now_s : float
        When, seconds.
    kind : int
        Stable number of the error's kind, which may set the price.

    Returns
    -------
    float
        What it cost in tokens, at least 0, or `REFUSED` (-1).

    Examples
    --------
    >>> cfg = RetryBudgetSettings(PER_SUCCESS, capacity=2.0)
    >>> state, window = RetryBudgetState(), [0] * SLOTS
    >>> fill(state, window, cfg, 0.0)
    >>> [withdraw(state, window, cfg, 0.0, 11) for _ in range(3)]
    [1.0, 1.0, -1.0]
    """
    cost = 0.0
    if cfg.budget_family == GRPC:
        if 2 * state.thousandths <= thousandths(cfg.capacity):
            cost = REFUSED
    elif cfg.budget_family == ENVOY:
        if state.retrying >= _envoy_limit(state, cfg):
            cost = REFUSED
        else:
            state.retrying = state.retrying + 1
    elif cfg.budget_family == FINAGLE:
        _turn(state, window, cfg, now_s)
        need = _finagle_cost(cfg)
        if _window_sum(window) + _reserve(cfg) < need:
            cost = REFUSED
        else:
            window[state.slot] -= need
            cost = need / 1000.0
    elif cfg.budget_family != NO_BUDGET:
        cost = price(cfg, kind)
        if thousandths(cost) > state.thousandths:
            cost = REFUSED
        else:
            state.thousandths = state.thousandths - thousandths(cost)
    return cost


def release(state: RetryBudgetState, cfg: RetryBudgetSettings) -> None:
    """Note that a granted retry has had its answer; only envoy counts retries in flight."""
    if cfg.budget_family == ENVOY:
        state.retrying = max(state.retrying - 1, 0)


def earn(state: RetryBudgetState, cfg: RetryBudgetSettings, succeeded: bool, paid: float) -> None:
    """Note that a request ended.

    Parameters
    ----------
    state : RetryBudgetState
        The store; it is changed.
    cfg : RetryBudgetSettings
        The settings.
    succeeded : bool
        Whether it ended well; a failed request earns nothing.
    paid : float
        What the last retry of this request cost, in tokens; 0 when it had none.
    """
    if cfg.budget_family == ENVOY:
        state.active = max(state.active - 1, 0)
    elif succeeded and cfg.budget_family in (PER_SUCCESS, GRPC, AWS):
        gained = paid if cfg.budget_family == AWS and paid > 0.0 else cfg.earn
        state.thousandths = min(state.thousandths + thousandths(gained), thousandths(cfg.capacity))


def refuse_unbudgeted(retry: Retry, budget: RetryBudgetSettings) -> None:
    """Refuse a retry loop that needs a budget and has none.

    Parameters
    ----------
    retry : Retry
        The loop.
    budget : RetryBudgetSettings
        What it is to run with.

    Raises
    ------
    ParameterError
        When one of its settings has `needs_budget` and the family is no_budget.

    Examples
    --------
    >>> from relkit.policies.retry_settings import RetrySettings
    >>> refuse_unbudgeted(Retry.of(RetrySettings()), UNLIMITED)
    """
    needy = any(one.needs_budget for one in (retry.transient, retry.rate_limited, retry.critical))
    if needy and budget.budget_family == NO_BUDGET:
        remedy = "name a retry_budget, or set needs_budget = false and accept every retry in an outage"
        raise ParameterError.of("retry_budget", "no_budget", "any budget, which this retry needs", remedy)


def _finagle_cost(cfg: RetryBudgetSettings) -> int:
    return int(1000.0 / cfg.retry_share)


def _reserve(cfg: RetryBudgetSettings) -> int:
    return cfg.reserve_per_s * int(cfg.deposit_s) * _finagle_cost(cfg)


def _window_sum(window: list[int]) -> int:
    total = 0
    for slot in range(SLOTS):
        total += window[slot]
    return total


def _turn(state: RetryBudgetState, window: list[int], cfg: RetryBudgetSettings, now_s: float) -> None:
    """Move to the slot of `now_s` and clear what is passed; slots begin at an event, not on a grid (WindowedAdder)."""
    width_s = cfg.deposit_s / SLOTS
    gone = int((now_s - state.slot_from_s) / width_s + 1e-9)
    if gone < 1:
        return
    left = min(gone, SLOTS)
    while left > 0:
        state.slot = (state.slot + 1) % SLOTS
        window[state.slot] = 0
        left -= 1
    state.slot_from_s = now_s


def _envoy_limit(state: RetryBudgetState, cfg: RetryBudgetSettings) -> int:
    return max(int(cfg.retry_share * state.active), cfg.least_retries)
