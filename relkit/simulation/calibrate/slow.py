"""Stretches of a log in which calls take longer, or hang until their client gives up, while few of them fail."""

import math
from itertools import pairwise
from typing import Final

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize
from scipy.special import expit

from relkit.simulation.calibrate.hidden import smoothed, told_by
from relkit.simulation.calibrate.times import Part, log_density, share_beyond

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]
_PER_DOUBLING: Final = 24
_FEWEST_CALLS: Final = 30
_BRIDGED: Final = 10
_STAYS_S: Final = (300.0, 5_000.0)
_BOUNDS: Final = ((0.0, math.log(50.0)), (-9.0, 3.0), (-16.0, 2.0), (-16.0, 2.0))


def slow_stretches(
    times_s: Floats, took_s: Floats, given_up: Flags, parts: tuple[Part, ...], limit_s: float, cuts_s: Floats
) -> list[tuple[float, float]]:
    """Find the stretches in which calls were slower, or hung more often, than usual.

    Parameters
    ----------
    times_s : array of float, shape (n,)
        Starts of the calls that were answered or given up, ascending, in seconds.
    took_s : array of float
        Time that each took, seconds.
    given_up : array of bool
        Whether its client gave it up.
    parts : tuple of (share, median_s, sigma)
        How long calls usually take.
    limit_s : float
        When clients give up, seconds; infinite for never.
    cuts_s : array of float
        Times at which a stretch ends whatever it is like, ascending: where other bad times are.

    Returns
    -------
    list of (start_s, end_s)
        Those that hold at least 30 calls, and whose likelihood pays for their four numbers: start, end, and what they are
        like (BIC).

    Notes
    -----
    Two hidden states in continuous time, as of `relkit.simulation.calibrate.hidden`. In the slow one times are longer by a
    factor, and besides a share of the calls hangs: it never ends (the cured of Berkson and Gage 1952).

    Examples
    --------
    >>> rng = np.random.default_rng(1)
    >>> times, took = np.arange(4000.0), 0.5 * np.exp(0.5 * rng.standard_normal(4000))
    >>> took[1000:1400] *= 4.0
    >>> ((start_s, end_s),) = slow_stretches(times, took, np.zeros(4000, bool), ((1.0, 0.5, 0.5),), math.inf, np.empty(0))
    >>> abs(start_s - 1000.0) < 20.0, abs(end_s - 1400.0) < 20.0
    (True, True)
    """
    if times_s.size < 2 * _FEWEST_CALLS:
        return []
    scale = math.log(2.0) / _PER_DOUBLING
    bins, which = np.unique(np.rint(np.log(np.maximum(took_s, 1e-6)) / scale), return_inverse=True)
    usual = np.exp(log_density(parts, bins * scale))[which]
    usual[given_up] = share_beyond(parts, limit_s)
    gaps = np.diff(times_s, prepend=times_s[0])

    def evidence(point: Floats) -> Floats:
        factor, hangs = math.exp(float(point[0])), float(expit(point[1]))
        slow = ((1.0 - hangs) * np.exp(log_density(parts, bins * scale - point[0])))[which]
        slow[given_up] = hangs + (1.0 - hangs) * share_beyond(parts, limit_s / factor)
        return np.column_stack([usual, slow])

    def loss(point: Floats) -> float:
        return -told_by(gaps, evidence(point), math.exp(point[2]), math.exp(point[3])) / times_s.size

    starts = [(math.log(3.0), -4.0, -math.log(20.0 * stay_s), -math.log(stay_s)) for stay_s in _STAYS_S]
    found = min(
        (minimize(loss, start, method="L-BFGS-B", bounds=_BOUNDS, options={"maxiter": 60}) for start in starts),
        key=lambda one: float(one.fun),
    ).x
    told = evidence(found)
    is_slow = smoothed(gaps, told, math.exp(found[2]), math.exp(found[3])) > 0.5
    gain = np.concatenate([[0.0], np.cumsum(np.log(np.maximum(told[:, 1], 1e-300) / np.maximum(told[:, 0], 1e-300)))])
    return [
        (float(times_s[first]), float(times_s[end - 1]) + 1e-6)
        for first, end in _runs(is_slow, np.searchsorted(cuts_s, times_s, side="right"))
        if end - first >= _FEWEST_CALLS and gain[end] - gain[first] > 2.0 * math.log(times_s.size)
    ]


def _runs(is_slow: Flags, piece: npt.NDArray[np.int64]) -> list[tuple[int, int]]:
    """Places from which to before which calls are slow, within one piece; a few usual ones between two runs are bridged."""
    found: list[tuple[int, int]] = []
    edges = np.flatnonzero(np.diff(is_slow.astype(np.int8), prepend=0, append=0))
    cuts = np.flatnonzero(np.diff(piece)) + 1
    for low, high in zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True):
        inside = cuts[(cuts > low) & (cuts < high)].tolist()
        for first, end in pairwise([low, *inside, high]):
            if found and first - found[-1][1] < _BRIDGED and piece[first] == piece[found[-1][1] - 1]:
                found[-1] = (found[-1][0], end)
            else:
                found.append((first, end))
    return found
