"""Whether a tier can fire at all, how many failures that takes in a quiet hour, and the closed forms of its timing.

Under flat traffic, an error ratio e on a background of none, a window w and a factor b: it is over after w b B / e and
until w (1 - b B / e) after the end.
"""

from dataclasses import dataclass
from fractions import Fraction
from math import ceil, floor
from typing import Final

import numpy as np

from relkit.slo.alerts import AlertTier
from relkit.slo.firing import Engine
from relkit.slo.objective import Objective

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

    floor(b B n) + 1 failures of n requests. At 99.9 % and 10,000 requests a month that is one failure for 14.4x over an
    hour, so every failure pages.
    """
    valid = engine.increases.over(tier.long_minutes)[1]
    valid = valid[~np.isnan(valid)]
    quiet = int(np.quantile(valid, _QUIET)) if valid.size else 0
    factor = tier.flat_factor(engine.objective.window_days)
    budget = engine.objective.budget_share
    if tier.measure == "budget_share":
        needed = floor(tier.threshold * budget * engine.period_valid) + 1
    elif factor is None:
        # From a full budget: more than left x window / hours
        needed = floor(budget * engine.period_valid * tier.long_minutes / (tier.threshold * 60)) + 1
    else:
        needed = errors_needed(factor, budget, quiet)
    reachable = tier.is_reachable(engine.objective) and (
        tier.measure != "budget_share" or needed <= int(valid.max(initial=0))
    )
    return Reach(tier, reachable, max(needed, tier.minimum_bad), quiet)


def errors_needed(factor: Fraction, budget_share: Fraction, requests: int) -> int:
    """Return how many of so many requests must fail for a burn over the factor: floor(b B n) + 1.

    >>> [errors_needed(Fraction("14.4"), Fraction(1, 1000), n) for n in (14, 139, 347, 1389, 13889)]
    [1, 3, 5, 21, 201]
    """
    return floor(factor * budget_share * requests) + 1


def first_firing_minutes(
    tier: AlertTier, objective: Objective, error_ratio: Fraction, lasts: int, for_minutes: int = 0, step: int = 1
) -> int | None:
    """Return the minutes from the start of an outage until a burn tier fires, by the closed form; None = never.

    Both windows must be over: max over windows of w b B / e, to the next evaluation that is strictly over, and `for`.

    Parameters
    ----------
    tier : AlertTier
        With measure burn.
    error_ratio : Fraction
        Share of the requests that fail inside, none outside, traffic flat.
    lasts : int
        Minutes of the outage.

    >>> first_firing_minutes(AlertTier("burn", "14.4", 60, 5), Objective("a", "0.999"), Fraction(15, 100), 10)
    6
    """
    limit = tier.threshold * objective.budget_share
    if error_ratio <= limit:
        return None
    over_after = max(window * limit / error_ratio for window in tier.windows)
    first = (floor(over_after / step) + 1) * step  # exactly at the limit is not over it
    fires = first + ceil(Fraction(for_minutes, step)) * step
    over_until = min(lasts + window * (1 - limit / error_ratio) for window in tier.windows)
    if over_after >= lasts or fires >= over_until:
        return None
    return fires


def reset_minutes(tier: AlertTier, objective: Objective, error_ratio: Fraction, step: int = 1) -> int:
    """Return the minutes from the end of an outage until a burn tier that fires is off: s (1 - b B / e), s its shortest window.

    >>> reset_minutes(AlertTier("burn", 6, 360, 30), Objective("a", "0.999"), Fraction(1))
    30
    """
    limit = tier.threshold * objective.budget_share
    clear = min(tier.windows) * (1 - limit / error_ratio)
    return ceil(clear / step) * step
