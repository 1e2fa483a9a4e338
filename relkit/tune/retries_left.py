"""What is left in the RetryBudget over a run, read off the plain engine, which plays the same run bit for bit."""

import math
from typing import Any

import numpy as np
import numpy.typing as npt

from relkit.policies.policy import Policy
from relkit.policies.retry_budget import NO_BUDGET, balance
from relkit.simulation.actors import Call
from relkit.simulation.oracle import Oracle
from relkit.simulation.scenario import Scenario
from relkit.simulation.workload import Workload, workload_of

Floats = npt.NDArray[np.float64]


class _Watched(Oracle):
    """Notes the first client's balance whenever something could have changed it."""

    def __init__(self, work: Workload) -> None:
        super().__init__(work)
        self.seen: list[tuple[float, float]] = []

    def _note(self) -> None:
        first = self.clients[0]
        self.seen.append((self.now_s, balance(first.purse, first.slots, self.work.budget)))

    def arrive(self, number: int) -> None:
        super().arrive(number)
        self._note()

    def hear(self, call: Call, kind: int) -> None:
        super().hear(call, kind)
        self._note()

    def end(self, call: Call, outcome: int) -> None:
        super().end(call, outcome)
        self._note()


def retries_left(scenario: Scenario, policy: Policy, seed: int, bins: int, span_s: float) -> Floats | None:
    """Return the least that is left in the first client's RetryBudget in each step of a run.

    Parameters
    ----------
    scenario : Scenario
        The traffic.
    policy : Policy
        The settings.
    seed : int
        The run.
    bins : int
        Steps, at least 1.
    span_s : float
        Length of all steps together, seconds; what comes after counts to the last one.

    Returns
    -------
    array of float, shape (bins,), or None
        In retries at the plain cost (gRPC: in tokens); a step in which nothing happens has what the one before left. None
        without a budget.

    Examples
    --------
    >>> from relkit.policies.presets import presets
    >>> from relkit.simulation.suite import w0
    >>> left = retries_left(w0(500), presets["plan-fixed"], 1, 2, 60.0)
    >>> bool(0.0 <= left.min() <= left.max() <= 10.0)
    True
    >>> retries_left(w0(500), presets["pybreaker"], 1, 2, 60.0) is None
    True
    """
    budget: Any = policy.retry_budget
    if policy.retry is None or budget is None or budget.budget_family == NO_BUDGET:
        return None
    watched = _Watched(workload_of(scenario, policy, seed))
    watched.run()
    times, left = (np.array(column) for column in zip(*watched.seen, strict=True))
    places = np.minimum(times / span_s * bins, bins - 1).astype(np.int64)
    found = np.full(bins, math.inf)
    np.minimum.at(found, places, left)
    last = np.full(bins, float(left[0]))
    ends = np.searchsorted(places, np.arange(bins), side="right") - 1
    last[ends >= 0] = left[ends[ends >= 0]]
    lasting: Floats = np.where(np.isinf(found), last, found)
    return lasting
