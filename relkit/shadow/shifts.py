"""How far apart the two arms' latencies lie, quantile by quantile, with intervals that keep sessions together."""

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from relkit.shadow._checks import checked_level
from relkit.shadow.study import Binned

DRAWS: Final = 399
_FEWEST_GROUPS: Final = 30
_FEWEST_BEYOND: Final = 10


@dataclass(frozen=True, slots=True)
class Shift:
    """One quantile of both arms.

    Parameters
    ----------
    quantile : float
        Its level, in (0, 1).
    primary_us, shadow_us, delta_us : float
        Microseconds, to the width of a bin.
    low_us, high_us : float or None
        Interval of the difference; None with fewer than 30 groups of sessions, or 10 pairs beyond the quantile.
    """

    quantile: float
    primary_us: float
    shadow_us: float
    delta_us: float
    low_us: float | None
    high_us: float | None


def quantile_shifts(
    primary: Binned,
    shadow: Binned,
    quantiles: tuple[float, ...],
    level: float = 0.95,
    *,
    seed: int = 20251008,
    draws: int = DRAWS,
) -> tuple[Shift, ...]:
    """Estimate the difference of quantiles, shadow minus primary, over pairs with both answers.

    The interval resamples buckets of whole sessions, both arms of a bucket together, so neither the pairing nor what a
    session has in common is lost; taken as independent samples the same arms have an interval a third too wide.

    Parameters
    ----------
    primary, shadow : Binned
        Latency of each arm by bucket, over the same pairs.
    quantiles : tuple of float
        Levels, in (0, 1).
    level : float
        Two-sided confidence level.
    seed : int
        Of the resampling.
    draws : int
        Resamples.

    Returns
    -------
    tuple of Shift
        One for each level; empty without pairs.

    Notes
    -----
    Percentile bootstrap over clusters: Davison and Hinkley, Bootstrap Methods (1997), section 3.8.

    Examples
    --------
    >>> times = np.zeros((1024, 3), dtype=np.int64)
    >>> times[:, 1] = 1
    >>> one = quantile_shifts(Binned(1, 10, times), Binned(1, 11, times), (0.5,), seed=1)[0]
    >>> one.primary_us, one.shadow_us, one.low_us, one.high_us
    (2896.3, 5792.6, 2896.3, 2896.3)
    """
    level = checked_level(level)
    if primary.n == 0:
        return ()
    rng = np.random.default_rng(seed)
    used = np.flatnonzero(primary.times.sum(axis=1))
    weights = np.ones((1, used.size))
    if used.size >= _FEWEST_GROUPS:
        drawn = rng.multinomial(used.size, np.full(used.size, 1 / used.size), size=draws)
        weights = np.vstack([weights, drawn])
    arms = [_quantiles(arm, weights @ arm.times[used], quantiles) for arm in (primary, shadow)]
    delta = arms[1] - arms[0]
    found = []
    for place, share in enumerate(quantiles):
        low = high = None
        if weights.shape[0] > 1 and primary.n * min(share, 1 - share) >= _FEWEST_BEYOND:
            tail = (1 - level) / 2
            low, high = (_tenth(end) for end in np.quantile(delta[1:, place], (tail, 1 - tail)))
        found.append(
            Shift(share, _tenth(arms[0][0, place]), _tenth(arms[1][0, place]), _tenth(delta[0, place]), low, high)
        )
    return tuple(found)


def _quantiles(arm: Binned, times: npt.NDArray[np.float64], quantiles: tuple[float, ...]) -> npt.NDArray[np.float64]:
    """Value at each level for every row of counts, linear within the bin so that a bin's width is no step."""
    upto = np.cumsum(times, axis=1)
    found = np.empty((times.shape[0], len(quantiles)))
    for place, share in enumerate(quantiles):
        wanted = share * upto[:, -1]
        at = (upto < wanted[:, None]).sum(axis=1)
        rows = np.arange(times.shape[0])
        inside = (wanted - (upto[rows, at] - times[rows, at])) / np.maximum(times[rows, at], 1e-12)
        found[:, place] = 2.0 ** ((arm.first + at + inside) / arm.per_doubling)
    return found


def _tenth(value: float) -> float:
    return round(float(value), 1)
