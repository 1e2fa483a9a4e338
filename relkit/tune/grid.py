"""A grid of settings around a choice: threshold, open time and least calls, played alike; for maps and the explorer."""

from collections.abc import Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from typing import Final

import numpy as np

from relkit.exceptions import ParameterError
from relkit.policies.codes import CHOICES, COUNT
from relkit.policies.policy import Policy
from relkit.policies.presets import changed
from relkit.simulation.scenario import Scenario
from relkit.tune.results import Values
from relkit.tune.space import Candidate, Log, Space
from relkit.tune.sweep import sweep
from relkit.units import several

SHARES: Final = (0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)
MIN_CALLS: Final = (2, 3, 4, 6, 10)
OPEN_TIMES: Final = 8


@dataclass(frozen=True, slots=True, eq=False)
class Grid:
    """Success over failure share and open time.

    Parameters
    ----------
    failure_share, open_s : tuple of float
        The values of both.
    scenarios : tuple of str
        Where they were played.
    success : array of float [failure_share, open_s, scenario, seed]
        Shares of the requests that were answered.
    nearest : tuple of int
        Row and column nearest to the policy around which it was laid.
    fixed_text : str
        The settings that stay as they are, in a sentence.
    """

    failure_share: tuple[float, ...]
    open_s: tuple[float, ...]
    scenarios: tuple[str, ...]
    success: Values
    nearest: tuple[int, int]
    fixed_text: str


def centre_of(chosen: Policy, space: Space) -> Policy:
    """Return the policy around which a grid is laid: the choice, or the searched base where the choice has no count window."""
    assert chosen.breaker is not None
    return chosen if chosen.breaker.family == COUNT else space.base


def open_times(space: Space) -> tuple[float, ...]:
    """Return eight open times over the searched range."""
    its = space.ranges["open_s"]
    if not isinstance(its, Log):
        raise ParameterError.of("open_s", its, "a logarithmic range", "search the open time with Log")
    return tuple(float(f"{its.at(place / (OPEN_TIMES - 1)):.3g}") for place in range(OPEN_TIMES))


def heat_grid(
    centre: Policy, space: Space, scenarios: Sequence[Scenario], seeds: int = 2, *, executor: Executor | None = None,
    workers: int | None = None, progress: bool | None = None,
) -> Grid:  # fmt: skip
    """Play failure share x open time, eight by eight, in every scenario.

    Parameters
    ----------
    centre : Policy
        With a count window; its other settings stay.
    space : Space
        Whose range of open times is gone through.
    scenarios : sequence of Scenario
        The suite.
    seeds : int
        At least 2.
    executor, workers, progress
        As for `sweep`.
    """
    times = open_times(space)
    policies = [changed(centre, failure_share=share, open_s=open_s) for share in SHARES for open_s in times]
    candidates = [Candidate(f"g{number}", policy) for number, policy in enumerate(policies)]
    found = sweep(candidates, scenarios, seeds, executor=executor, workers=workers, progress=progress)
    if not found.complete:
        raise KeyboardInterrupt
    values = found.of("success").reshape(len(SHARES), len(times), len(scenarios), seeds)
    assert centre.breaker is not None
    near = (
        int(np.argmin(np.abs(np.array(SHARES) - centre.breaker.failure_share))),
        int(np.argmin(np.abs(np.log(np.array(times) / centre.breaker.open_s)))),
    )
    return Grid(SHARES, times, found.scenario_names, values, near, fixed_text(centre))


def fixed_text(centre: Policy) -> str:
    """Say which settings of a grid stay as they are."""
    cfg = centre.breaker
    assert cfg is not None
    return (
        f"The rest is fixed: {CHOICES['family'][cfg.family]} window of {cfg.window_calls} calls, at least {cfg.min_calls} of them, "
        f"{several(cfg.half_open_permits, 'call')} while half open."
    )
