"""Latency: percentiles for display, each with what the number of requests can tell about it.

A percentile has no budget and no burn rate and cannot be averaged (the mean of hourly p95 is not a p95). So a latency
objective is a share under a threshold, and the percentiles stand beside it.
"""

from bisect import bisect_left
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
from scipy.special import bdtr

from relkit.exceptions import DataError, ParameterError
from relkit.slo.minutes import Ints

Interval = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Latency:
    """Percentiles of the latency of n requests, in microseconds.

    Parameters
    ----------
    n : int
        Requests with a known latency.
    p50_us, p95_us, p99_us : float or None
        Percentiles by linear interpolation between order statistics (`quantile_cont`); None without requests.
    p50_interval_us, p95_interval_us, p99_interval_us : tuple of float or None
        Distribution-free interval, see `rank_interval`; None where n is too small to have one.

    >>> Latency(333, 4e5, 1.2e6, 3e6).ranks(0.99) is None
    True
    """

    n: int
    p50_us: float | None
    p95_us: float | None
    p99_us: float | None
    p50_interval_us: Interval | None = None
    p95_interval_us: Interval | None = None
    p99_interval_us: Interval | None = None

    def identified(self) -> "Latency":
        """Return it without the percentiles that so few requests do not identify: those that have no interval.

        >>> latency_of(np.arange(1, 101)).identified().p99_us is None
        True
        """
        return replace(
            self,
            p50_us=self.p50_us if self.p50_interval_us else None,
            p95_us=self.p95_us if self.p95_interval_us else None,
            p99_us=self.p99_us if self.p99_interval_us else None,
        )

    def ranks(self, q: float, level: float = 0.95) -> tuple[int, int] | None:
        """Return `rank_interval` of the q quantile for this many requests."""
        return rank_interval(self.n, q, level)


def rank_interval(n: int, q: float, level: float = 0.95) -> tuple[int, int] | None:
    """Return the ranks of the two order statistics that enclose a quantile.

    Parameters
    ----------
    n : int
        Number of independent observations.
    q : float
        The quantile, 0 < q < 1, e.g. 0.99.
    level : float
        Confidence level in (0, 1).

    Returns
    -------
    tuple of int or None
        (low, high), 1 = the smallest observation. None when a rank would lie outside the sample: with so few
        observations the quantile is not identified, and the maximum is no bound for it.

    Notes
    -----
    The number of observations below the quantile is binomial(n, q). low = the smallest k with P(B <= k) >= alpha/2,
    high = 1 + the smallest k with P(B <= k) >= 1 - alpha/2. David and Nagaraja (2003), Order Statistics, 7.1.

    Examples
    --------
    >>> rank_interval(10_000, 0.99), rank_interval(333, 0.99)
    ((9880, 9920), None)
    """
    if not 0 < q < 1:
        raise ParameterError.of("q", q, "0 < q < 1", "pass a share such as 0.99")
    if not 0 < level < 1:
        raise ParameterError.of("level", level, "0 < level < 1", "pass a share such as 0.95")
    if n < 0:
        raise ParameterError.of("n", n, "0 or more", "give the number of observations")
    if n == 0:
        return None
    tail = (1 - level) / 2

    def below(k: int) -> float:
        return float(bdtr(k, n, q))

    low = bisect_left(range(n), tail, key=below)
    high = bisect_left(range(n), 1 - tail, key=below) + 1
    return (low, high) if low >= 1 and high <= n else None


def latency_of(latencies_us: Ints, level: float = 0.95) -> Latency:
    """Return the percentiles of an array of latencies with their intervals.

    >>> latency_of(np.arange(1, 1001)).p50_interval_us
    (469.0, 532.0)
    """
    values = np.sort(np.asarray(latencies_us))
    if values.ndim != 1:
        raise DataError(f"latencies_us must be a flat array, got {values.ndim} dimensions")
    if values.size == 0:
        return Latency(0, None, None, None)
    wanted = (0.5, 0.95, 0.99)
    p50, p95, p99 = (float(mark) for mark in np.quantile(values, wanted))
    return Latency(int(values.size), p50, p95, p99, *(_between(values, q, level) for q in wanted))


def _between(values: npt.NDArray[np.int64], q: float, level: float) -> Interval | None:
    ranks = rank_interval(len(values), q, level)
    return None if ranks is None else (float(values[ranks[0] - 1]), float(values[ranks[1] - 1]))
