"""How requests of one user follow each other, read from a log that does not name its users: by how uneven counts are."""

import math
from typing import Final

import numpy as np
import numpy.typing as npt
from scipy.optimize import least_squares
from scipy.special import gammainc

from relkit.simulation.visits import Visits

Floats = npt.NDArray[np.float64]
HOUR_S: Final = 3600.0
_PARTS: Final = np.array((60, 30, 20, 12, 8, 6, 4, 3, 2))  # of an hour
_FEWEST_AN_HOUR: Final = 10.0
_MOST_AGAIN: Final = 0.98
_GAPS_S: Final = (5.0, 60.0, 600.0)
_LOG_BOUNDS: Final = ((-4.0, math.log(1e-2), math.log(0.3)), (3.9, math.log(HOUR_S), math.log(100.0)))


def fit_visits(times_s: Floats) -> Visits | None:
    """Fit how requests follow each other to the unevenness of their counts within the hours.

    Parameters
    ----------
    times_s : array of float
        Ascending, seconds from the start of the log.

    Returns
    -------
    Visits or None
        None where hours hold fewer than ten requests on average, or counts are no more uneven than those of requests that
        come on their own.

    Notes
    -----
    Least squares on the logarithm of the squares within hours, at nine widths from one minute to half an hour, each
    weighted by the windows in an hour (`expected_unevenness`). The unevenness of visits does not hang on the rate, so that
    busy and quiet hours tell it alike.

    Examples
    --------
    >>> from relkit.simulation.visits import visit_times
    >>> times = np.array(visit_times(Visits(0.75, 50.0, 0.3), (0.1,), (1.0,), 1, 40_000))
    >>> found = fit_visits(times)
    >>> round(found.again, 1), round(found.gap_median_s / 50.0)
    (0.8, 1)
    """
    hours = int(times_s[-1] // HOUR_S)
    inside = times_s[times_s < hours * HOUR_S]
    if hours < 1 or inside.size < _FEWEST_AN_HOUR * hours:
        return None
    seen = _within_hours(inside, hours)
    if float(np.max(seen * _PARTS / (_PARTS - 1.0))) <= 1.0:
        return None
    weights = np.sqrt(_PARTS)

    def off(point: Floats) -> Floats:
        told: Floats = weights * np.log(expected_unevenness(*_plain(point)) / np.maximum(seen, 1e-9))
        return told

    tried = [least_squares(off, (0.0, math.log(gap_s), math.log(2.0)), bounds=_LOG_BOUNDS) for gap_s in _GAPS_S]
    again, mean_s, shape = _plain(min(tried, key=lambda one: float(one.cost)).x)
    sigma = math.sqrt(math.log1p(1.0 / shape))
    return Visits(min(again, _MOST_AGAIN), mean_s * math.exp(-sigma * sigma / 2.0), sigma)


def expected_unevenness(again: float, mean_gap_s: float, shape: float) -> Floats:
    """Return the expected squares within hours over the number of requests, for each of the nine widths.

    Parameters
    ----------
    again : float
        Probability that another request follows.
    mean_gap_s, shape : float
        Of the gaps: a gamma distribution.

    Notes
    -----
    With F(w) the variance of the counts in windows of w over their mean, k windows an hour have F(w) - F(1 h) / k. Of
    visits F(w) = 1 + 2 Σ pʲ ∫ (1 - u/w) g_j(u) du over 0 <= u <= w, where g_j is the density of j gaps (Lewis 1964).

    Examples
    --------
    >>> expected_unevenness(0.0, 60.0, 2.0).round(3).tolist()[-2:]  # requests on their own: 1 - 1 / k
    [0.667, 0.5]
    """
    most = 1 if again <= 0.0 else min(int(math.log(1e-6) / math.log(again)) + 1, 400)
    steps = np.arange(1, most + 1)[:, None]
    scale = mean_gap_s / shape
    width = HOUR_S / np.concatenate([[1.0], _PARTS])[None, :]
    shapes = steps * shape
    near = gammainc(shapes, width / scale) - shapes * scale / width * gammainc(shapes + 1.0, width / scale)
    uneven = 1.0 + 2.0 * np.sum(again**steps * near, axis=0)
    told: Floats = uneven[1:] - uneven[0] / _PARTS
    return told


def _within_hours(times_s: Floats, hours: int) -> Floats:
    found = []
    for parts in _PARTS.tolist():
        places = (times_s * parts / HOUR_S).astype(np.int64)
        counts = np.bincount(places, minlength=hours * parts)[: hours * parts].reshape(hours, parts)
        found.append(float(np.sum((counts - counts.mean(axis=1, keepdims=True)) ** 2)) / times_s.size)
    return np.array(found)


def _plain(point: Floats) -> tuple[float, float, float]:
    return 1.0 / (1.0 + math.exp(-float(point[0]))), math.exp(float(point[1])), math.exp(float(point[2]))
