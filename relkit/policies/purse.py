"""A RetryBudget around real calls: the pure decisions with a state, a lock and a clock."""

from collections.abc import Callable
from threading import RLock
from time import monotonic

from relkit.policies.retry_budget import (
    REFUSED,
    SLOTS,
    RetryBudgetSettings,
    RetryBudgetState,
    balance,
    charge,
    deposit,
    earn,
    fill,
    release,
    withdraw,
)


class RetryBudget:
    """A store of retries that the calls of many threads share.

    Parameters
    ----------
    settings : RetryBudgetSettings
        How it fills and what a retry costs; `presets[name].retry_budget` is a start.
    clock : callable
        Gives seconds that never run backwards.

    Examples
    --------
    >>> purse = RetryBudget(RetryBudgetSettings(capacity=1.0, earn=0.5), clock=lambda: 0.0)
    >>> purse.withdraw(11), purse.withdraw(11), purse.left
    (1.0, -1.0, 0.0)
    >>> purse.end(succeeded=True)
    >>> purse.left
    0.5
    """

    __slots__ = ("clock", "lock", "settings", "state", "window")

    def __init__(self, settings: RetryBudgetSettings, *, clock: Callable[[], float] = monotonic) -> None:
        self.settings = settings
        self.clock = clock
        # Reentrant: see `relkit.policies.guard.Breaker`.
        self.lock = RLock()
        self.state, self.window = RetryBudgetState(), [0] * SLOTS
        fill(self.state, self.window, settings, clock())

    @property
    def left(self) -> float:
        """Retries that could be paid for now; infinite without a budget."""
        with self.lock:
            return balance(self.state, self.window, self.settings)

    def begin(self) -> None:
        """Note that a request begins."""
        with self.lock:
            deposit(self.state, self.window, self.settings, self.clock())

    def failed(self) -> None:
        """Note an attempt that failed in a way that counts, before a retry is asked for."""
        with self.lock:
            charge(self.state, self.settings)

    def withdraw(self, kind: int) -> float:
        """Ask and pay for one retry in one step.

        Parameters
        ----------
        kind : int
            Stable number of the error's kind, which may set the price.

        Returns
        -------
        float
            What it cost in tokens, to be handed to `end`; -1 when it is refused.
        """
        with self.lock:
            return withdraw(self.state, self.window, self.settings, self.clock(), kind)

    def answered(self) -> None:
        """Note that a granted retry has had its answer."""
        with self.lock:
            release(self.state, self.settings)

    def end(self, *, succeeded: bool, paid: float = 0.0) -> None:
        """Note that a request ended.

        Parameters
        ----------
        succeeded : bool
            Whether it ended well.
        paid : float
            What its last retry cost; 0 or -1 when it had none.
        """
        with self.lock:
            earn(self.state, self.settings, succeeded, 0.0 if paid == REFUSED else paid)
