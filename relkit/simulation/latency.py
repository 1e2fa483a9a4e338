"""How long a service takes: one family a shape, all drawn by inverting the distribution at one uniform number."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from relkit.exceptions import ParameterError

CONSTANT: Final = 0
EXPONENTIAL: Final = 1
LOGNORMAL: Final = 2
EMPIRICAL: Final = 3
LATENCIES: Final = ("constant", "exponential", "lognormal", "empirical")

_SMALLEST: Final = 1e-300
_TAIL: Final = 0.02425


@dataclass(frozen=True, slots=True)
class Latency:
    """A distribution of service times; made by `constant`, `exponential`, `lognormal`, `mixture`, `empirical`, ...

    Parameters
    ----------
    family : int
        One of `LATENCIES`.
    values : tuple of float
        constant, exponential: the mean in seconds. lognormal: for each component its share, median in seconds and
        sigma. empirical: quantiles in seconds at even steps from the smallest to the largest.

    Examples
    --------
    >>> lognormal(0.45, 0.6).mean_s
    0.5387...
    """

    family: int
    values: tuple[float, ...]

    @property
    def mean_s(self) -> float:
        """Mean in seconds: of the lognormal, Σ share · median · exp(sigma²/2)."""
        if self.family == LOGNORMAL:
            parts = zip(self.values[::3], self.values[1::3], self.values[2::3], strict=True)
            return sum(share * median_s * math.exp(sigma * sigma / 2.0) for share, median_s, sigma in parts)
        if self.family == EMPIRICAL:
            return sum((low + high) / 2.0 for low, high in zip(self.values, self.values[1:], strict=False)) / (
                len(self.values) - 1
            )
        return self.values[0]


def _seconds(name: str, got: object) -> float:
    if isinstance(got, bool) or not isinstance(got, int | float) or not 0.0 <= got < math.inf:
        raise ParameterError.of(name, got, "seconds from 0 on", "give a finite time that is not negative")
    return float(got)


def constant(time_s: float) -> Latency:
    """Always the same time, in seconds.

    >>> constant(0.02).mean_s
    0.02
    """
    return Latency(CONSTANT, (_seconds("time_s", time_s),))


def exponential(mean_s: float) -> Latency:
    """Memoryless with this mean in seconds: -mean ln(1 - u)."""
    return Latency(EXPONENTIAL, (_seconds("mean_s", mean_s),))


def lognormal(median_s: float, sigma: float) -> Latency:
    """Lognormal with this median in seconds and this spread of the logarithm."""
    return mixture([(1.0, median_s, sigma)])


def mixture(parts: Sequence[tuple[float, float, float]]) -> Latency:
    """Return a mixture of lognormals.

    Parameters
    ----------
    parts : sequence of (share, median_s, sigma)
        The shares add up to one.

    Raises
    ------
    ParameterError
        For no part, shares that do not add up, or a negative number.

    Examples
    --------
    >>> mixture([(0.9, 0.4, 0.5), (0.1, 3.0, 0.3)]).family == LOGNORMAL
    True
    """
    total = sum(share for share, _, _ in parts)
    if not parts or not abs(total - 1.0) < 1e-9 or any(share <= 0.0 for share, _, _ in parts):
        raise ParameterError.of("shares", [part[0] for part in parts], "shares above 0 that add up to 1", "scale them")
    values: list[float] = []
    for share, median_s, sigma in parts:
        if not 0.0 <= sigma <= 10.0:
            raise ParameterError.of("sigma", sigma, "a number from 0 to 10", "give the spread of the logarithm")
        values += [float(share), _seconds("median_s", median_s), float(sigma)]
    return Latency(LOGNORMAL, tuple(values))


def empirical(observed_s: Sequence[float], points: int = 512) -> Latency:
    """Return the distribution of observed times, by interpolation between their quantiles.

    Parameters
    ----------
    observed_s : sequence of float
        Times in seconds, in any order; at least two.
    points : int
        Quantiles kept, at most as many as there are times.

    Raises
    ------
    ParameterError
        For fewer than two times, or one that is negative or not finite.

    Examples
    --------
    >>> empirical([0.1, 0.3, 0.2]).values
    (0.1, 0.2, 0.3)
    """
    ordered = sorted(_seconds("observed_s", time_s) for time_s in observed_s)
    if len(ordered) < 2:
        raise ParameterError.of("observed_s", len(ordered), "at least two times", "give more observations")
    count = min(points, len(ordered))
    places = [number * (len(ordered) - 1) / (count - 1) for number in range(count)]
    return Latency(EMPIRICAL, tuple(_between(ordered, place) for place in places))


def quantiles(values_s: Sequence[float]) -> Latency:
    """Return the distribution with these quantiles at even steps from the smallest to the largest, in seconds.

    Raises
    ------
    ParameterError
        For fewer than two, or quantiles that fall.

    Examples
    --------
    >>> quantiles([0.1, 0.2, 0.4]) == empirical([0.4, 0.1, 0.2])
    True
    """
    values = tuple(_seconds("values_s", value_s) for value_s in values_s)
    if len(values) < 2 or any(after < one for one, after in pairwise(values)):
        raise ParameterError.of("values_s", list(values)[:3], "at least two quantiles that do not fall", "sort them")
    return Latency(EMPIRICAL, values)


def _between(ordered: Sequence[float], place: float) -> float:
    low = min(int(place), len(ordered) - 2)
    return ordered[low] + (ordered[low + 1] - ordered[low]) * (place - low)


def normal_quantile(share: float) -> float:
    """Quantile of the standard normal, by Acklam's rational approximation (relative error below 1.15e-9).

    >>> normal_quantile(0.5), round(normal_quantile(0.975), 6)
    (0.0, 1.959964)
    """
    if share < _TAIL or share > 1.0 - _TAIL:
        tail = share if share < 0.5 else 1.0 - share
        q = math.sqrt(-2.0 * math.log(max(tail, _SMALLEST)))
        above = (
            ((((-7.784894002430293e-03 * q - 3.223964580411365e-01) * q - 2.400758277161838) * q - 2.549732539343734) * q
            + 4.374664141464968) * q + 2.938163982698783
        )  # fmt: skip
        below = (
            ((7.784695709041462e-03 * q + 3.224671290700398e-01) * q + 2.445134137142996) * q + 3.754408661907416
        ) * q + 1.0
        return above / below if share < 0.5 else -(above / below)
    q = share - 0.5
    r = q * q
    above = (
        ((((-3.969683028665376e01 * r + 2.209460984245205e02) * r - 2.759285104469687e02) * r + 1.383577518672690e02) * r
        - 3.066479806614716e01) * r + 2.506628277459239
    )  # fmt: skip
    below = (
        ((((-5.447609879822406e01 * r + 1.615858368580409e02) * r - 1.556989798598866e02) * r + 6.680131188771972e01) * r
        - 1.328068155288572e01) * r + 1.0
    )  # fmt: skip
    return above * q / below


def latency_s(family: int, values: Sequence[float], start: int, end: int, draw: float) -> float:
    """Return the time at a uniform draw.

    Parameters
    ----------
    family : int
        One of `LATENCIES`.
    values : sequence of float
        The values of all distributions, one after the other.
    start, end : int
        Where those of this one are.
    draw : float
        Uniform in [0, 1). A mixture picks its component by it, and the rest of it decides within the component.

    Returns
    -------
    float
        Seconds.

    Examples
    --------
    >>> latency_s(LOGNORMAL, (1.0, 0.45, 0.6), 0, 3, 0.5)
    0.45
    """
    if family == CONSTANT:
        return values[start] * 1.0
    if family == EXPONENTIAL:
        return -values[start] * math.log(1.0 - draw)
    if family == EMPIRICAL:
        place = draw * (end - start - 1)
        step = int(place)
        low = values[start + step] * 1.0
        return low + (values[start + step + 1] - low) * (place - step)
    at, left = start, draw
    while at + 3 < end and left >= values[at]:
        left -= values[at]
        at += 3
    share = values[at] * 1.0
    if share < 1.0:
        left = min(left / share, 0.9999999999999999)
    return values[at + 1] * math.exp(values[at + 2] * normal_quantile(left))
