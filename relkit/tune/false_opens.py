"""How often a breaker opens on a service that is well: from a long healthy run or a closed form, never a short run."""

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
from scipy.special import chdtri

from relkit.exceptions import ParameterError
from relkit.policies.codes import CLOSED, OPEN
from relkit.policies.policy import Policy
from relkit.simulation.run import Run, simulate
from relkit.simulation.scenario import Scenario

HEALTHY_REQUESTS: Final = 1_000_000
MONTH_S: Final = 30 * 86_400.0


@dataclass(frozen=True, slots=True)
class FalseOpens:
    """False openings a month, with their interval.

    Parameters
    ----------
    openings : int
        In the healthy run.
    requests : int
        Of that run.
    a_month, low, high : float
        At the scenario's mean rate over 30 days; exact Poisson limits.
    level : float
        Confidence level.

    Examples
    --------
    >>> found = FalseOpens.of(0, 1_000_000, 10_000.0)
    >>> found.a_month, round(found.high, 4)
    (0.0, 0.0369)
    """

    openings: int
    requests: int
    a_month: float
    low: float
    high: float
    level: float

    @classmethod
    def of(cls, openings: int, requests: int, requests_a_month: float, level: float = 0.95) -> "FalseOpens":
        """Scale what a run showed to a month: limits χ²(α/2; 2k)/2 and χ²(1−α/2; 2k+2)/2 for k openings."""
        scale = requests_a_month / requests
        tail = (1.0 - level) / 2.0
        low = float(chdtri(2 * openings, 1.0 - tail)) / 2.0 if openings else 0.0
        high = float(chdtri(2 * openings + 2, tail)) / 2.0
        return cls(openings, requests, openings * scale, low * scale, high * scale, level)


def openings_from_closed(run: Run) -> int:
    """Count openings of closed breakers; a half-open trial that fails is part of the opening before it."""
    changes = run.transitions
    if not len(changes):
        return 0
    order = np.lexsort((np.arange(len(changes)), changes["client"], changes["model"]))
    state, client, model = (changes[name][order] for name in ("state", "client", "model"))
    is_first = np.concatenate(([True], (client[1:] != client[:-1]) | (model[1:] != model[:-1])))
    before = np.where(is_first, CLOSED, np.concatenate(([CLOSED], state[:-1])))
    return int(np.count_nonzero((state == OPEN) & (before == CLOSED)))


def false_opens(policy: Policy, healthy: Scenario, seed: int = 1, level: float = 0.95) -> FalseOpens:
    """Count false openings in a healthy run of a million requests.

    Parameters
    ----------
    policy : Policy
        With a breaker.
    healthy : Scenario
        Traffic and services with their usual errors; its episodes are left out.
    seed : int
        Of the run.
    level : float
        Confidence level in (0, 1).

    Raises
    ------
    ParameterError
        For a policy without a breaker, or replayed arrivals of fewer than a million requests.

    Examples
    --------
    >>> from relkit.policies.presets import presets
    >>> from relkit.simulation.suite import w0
    >>> false_opens(presets["pybreaker"], w0()).openings > 0  # one attempt in ten fails there
    True
    """
    if policy.breaker is None:
        raise ParameterError.of("policy", policy.name, "one with a breaker", "take a preset that has one")
    long = healthy.changed(requests=HEALTHY_REQUESTS, episodes=())
    run = simulate(long, policy, seed)
    if not run.complete:
        raise KeyboardInterrupt
    return FalseOpens.of(openings_from_closed(run), HEALTHY_REQUESTS, long.arrivals.mean_rate * MONTH_S, level)


def runs_a_month(failure_share: float, threshold: int, calls_a_month: float) -> float:
    """Return how often so many calls in a row fail, where failures are independent: a closed form.

    Parameters
    ----------
    failure_share : float
        Share of the calls that fail, in [0, 1).
    threshold : int
        Failures in a row, at least 1.
    calls_a_month : float
        Calls.

    Notes
    -----
    calls / N with N = (p^−k − 1) / (1 − p), the mean number of calls until k failures in a row (Feller 1968, XIII.7).
    Failures that come in bursts make more of them: then the run is to be believed.

    Examples
    --------
    >>> round(runs_a_month(0.1, 5, 1_000_000), 1)
    9.0
    """
    if not 0.0 <= failure_share < 1.0:
        raise ParameterError.of("failure_share", failure_share, "a share from 0 to below 1", "give e.g. 0.01")
    if threshold < 1:
        raise ParameterError.of("threshold", threshold, "at least 1", "give failures in a row")
    if failure_share == 0.0:
        return 0.0
    return calls_a_month * (1.0 - failure_share) / math.expm1(-threshold * math.log(failure_share))
