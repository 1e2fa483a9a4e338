"""Intervals that more than one room needs."""

from math import sqrt
from statistics import NormalDist

from relkit.exceptions import ParameterError


def wilson(hits: int, n: int, level: float = 0.95) -> tuple[float, float]:
    """Return the Wilson score interval of a share of independent events.

    Parameters
    ----------
    hits, n : int
        Events counted, out of how many; 0 <= hits <= n.
    level : float
        Confidence level in (0, 1).

    Returns
    -------
    tuple of float
        (low, high) in [0, 1]; (0, 1) for n = 0, which tells nothing.

    Notes
    -----
    centre = (p + z²/2n) / (1 + z²/n), half width = z √(p(1−p)/n + z²/4n²) / (1 + z²/n), z two-sided. Failures come in
    outages, so successive requests are not independent and the interval is a lower bound of the doubt.

    References
    ----------
    E. B. Wilson, Probable inference, the law of succession, and statistical inference, JASA 22 (1927), 209-212.

    Examples
    --------
    >>> [round(100 * (1 - share), 3) for share in reversed(wilson(10, 10_000))]
    [99.816, 99.946]
    """
    if not 0 <= hits <= n:
        raise ParameterError.of("hits, n", (hits, n), "0 <= hits <= n", "count the hits among the n")
    return wilson_of_share(hits / n, n, level) if n else wilson_of_share(0.0, 0, level)


def wilson_of_share(share: float, worth: float, level: float = 0.95) -> tuple[float, float]:
    """Return the Wilson score interval of a share that is worth so many independent events.

    Parameters
    ----------
    share : float
        The estimate, in [0, 1].
    worth : float
        Independent events it is worth, at least 0: events that resemble each other are worth fewer than they are.
    level : float
        Confidence level in (0, 1).

    Returns
    -------
    tuple of float
        (low, high) in [0, 1]; (0, 1) for worth = 0.

    Examples
    --------
    >>> wilson_of_share(0.25, 40) == wilson(10, 40)
    True
    """
    if not 0 < level < 1:
        raise ParameterError.of("level", level, "0 < level < 1", "pass a share such as 0.95")
    if not (0 <= share <= 1 and worth >= 0):
        raise ParameterError.of("share, worth", (share, worth), "a share and a number of events", "count again")
    if worth == 0:
        return 0.0, 1.0
    return wilson_at(share, worth, NormalDist().inv_cdf((1 + level) / 2))


def wilson_at(share: float, worth: float, z: float) -> tuple[float, float]:
    """Return Wilson's limits at a normal quantile rather than a level.

    Parameters
    ----------
    share : float
        The estimate, in [0, 1].
    worth : float
        Independent events it is worth, above 0.
    z : float
        Two-sided normal quantile, at least 0: 1.96 for 95 %.

    Examples
    --------
    >>> [round(limit, 4) for limit in wilson_at(0.25, 40, 1.959964)]
    [0.1419, 0.4019]
    """
    spread = z * z / worth
    centre = (share + spread / 2) / (1 + spread)
    half = z * sqrt(share * (1 - share) / worth + spread / (4 * worth)) / (1 + spread)
    # At the ends the formula gives exactly 0 and 1 on paper, and a rounding error in floats.
    return (0.0 if share == 0 else max(0.0, centre - half)), (1.0 if share == 1 else min(1.0, centre + half))
