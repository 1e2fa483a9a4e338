"""Whether a tier can fire on a log at all, and how many failures that takes in one of its quiet hours."""

from dataclasses import dataclass
from typing import Final

import numpy as np

from relkit.slo.alerts import AlertTier
from relkit.slo.firing import Engine
from relkit.slo.lint import errors_to_fire

_QUIET: Final = 0.1


@dataclass(frozen=True, slots=True)
class Reach:
    """What it takes to make a tier fire.

    Parameters
    ----------
    tier : AlertTier
        The tier.
    is_reachable : bool
        Whether a total outage would make it fire.
    errors_needed : int
        Bad requests in its long window that make it fire in a quiet hour, minimum counts included.
    quiet_requests : int
        Valid requests of that window: the 10 % quantile over the log.
    """

    tier: AlertTier
    is_reachable: bool
    errors_needed: int
    quiet_requests: int


def reach(tier: AlertTier, engine: Engine) -> Reach:
    """Say what it takes to make a tier fire on this traffic.

    At 99.9 % and 10,000 requests a month that is one failure for 14.4x over an hour, so every failure pages. What counts
    against the budget takes as many failures by night as by day, and cannot fire on a log that never has so many requests.
    """
    valid = engine.increases.over(tier.long_minutes)[1]
    valid = valid[~np.isnan(valid)]
    quiet = int(np.quantile(valid, _QUIET)) if valid.size else 0
    objective = engine.objective
    is_rate = tier.measure in ("burn", "burn_lower")
    pace = quiet * objective.window_minutes // tier.long_minutes if is_rate else engine.period_valid
    needed = errors_to_fire(tier, objective, pace)
    is_reachable = tier.is_reachable(objective) and (is_rate or needed <= int(valid.max(initial=0)))
    return Reach(tier, is_reachable, needed, quiet)
