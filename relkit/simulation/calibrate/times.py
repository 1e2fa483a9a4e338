"""Latency as a mixture of lognormals, where what took longer than the client waited is known only to have taken longer."""

import math
from typing import Final

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize_scalar
from scipy.special import log_ndtr, ndtr

from relkit.exceptions import DataError

Floats = npt.NDArray[np.float64]
Part = tuple[float, float, float]  # share, median in seconds, sigma
_PER_DOUBLING: Final = 48
_LEAST_SIGMA: Final = 0.02
_ROUNDS: Final = 300


def fit_times(seen_s: Floats, censored_s: Floats, most_parts: int = 3) -> tuple[Part, ...]:
    """Fit a mixture of lognormals to times of which some are only known to be longer.

    Parameters
    ----------
    seen_s : array of float
        Times that ended, seconds, above 0.
    censored_s : array of float
        For each that was given up, how long it had taken by then.
    most_parts : int
        Parts tried; the number with the smallest BIC is taken.

    Returns
    -------
    tuple of (share, median_s, sigma)
        As `relkit.simulation.latency.mixture` takes them, slowest last.

    Raises
    ------
    DataError
        Fewer than 10 times ended.

    Notes
    -----
    Expectation and maximisation. A censored time belongs to part k in proportion to w_k S_k(c), and stands for its
    mean and mean square beyond c, of the normal distribution of its logarithm (Tobin 1958; McLachlan & Krishnan 2008).

    Examples
    --------
    >>> rng = np.random.default_rng(1)
    >>> took = 0.5 * np.exp(0.8 * rng.standard_normal(20_000))
    >>> ((share, median_s, sigma),) = fit_times(took[took < 1.0], np.full((took >= 1.0).sum(), 1.0))
    >>> round(median_s, 2), round(sigma, 1)
    (0.5, 0.8)
    """
    seen = np.asarray(seen_s, float)
    seen = seen[seen > 0.0]
    if seen.size < 10:
        raise DataError(f"only {seen.size} calls have a latency; at least 10 are needed to say how long a call takes")
    # Times within 1.5 % of one another are one place with a weight: the fit costs the same for any number of them.
    x, weight = _binned(np.log(seen))
    c, heavy = _binned(np.log(np.asarray(censored_s, float))) if len(censored_s) else (np.empty(0), np.empty(0))
    number = float(weight.sum() + heavy.sum())
    best, best_bic = None, math.inf
    for parts in range(1, most_parts + 1):
        found, log_likelihood = _mixture(x, weight, c, heavy, parts)
        bic = (3 * parts - 1) * math.log(number) - 2.0 * log_likelihood
        if bic < best_bic - 1e-9:
            best, best_bic = found, bic
    assert best is not None
    shares, means, sigmas = best
    shares = shares / shares.sum()
    order = np.argsort(means, kind="stable")
    return tuple((float(shares[k]), float(math.exp(means[k])), float(sigmas[k])) for k in order)


def draw_times(parts: tuple[Part, ...], rng: np.random.Generator, size: int) -> Floats:
    """Draw times from a mixture, in seconds.

    >>> draw_times(((1.0, 2.0, 0.0),), np.random.default_rng(1), 2).tolist()
    [2.0, 2.0]
    """
    shares = np.array([share for share, _, _ in parts])
    which = np.searchsorted(np.cumsum(shares)[:-1], rng.random(size)) if len(parts) > 1 else np.zeros(size, np.int64)
    medians, sigmas = np.array([part[1] for part in parts]), np.array([part[2] for part in parts])
    drawn: Floats = medians[which] * np.exp(sigmas[which] * rng.standard_normal(size))
    return drawn


def _binned(logs: Floats) -> tuple[Floats, Floats]:
    scale = math.log(2.0) / _PER_DOUBLING
    places, counts = np.unique(np.rint(logs / scale), return_counts=True)
    sums = np.bincount(np.searchsorted(places, np.rint(logs / scale)), weights=logs)
    return sums / counts, counts.astype(float)


def _mixture(
    x: Floats, weight: Floats, c: Floats, heavy: Floats, parts: int
) -> tuple[tuple[Floats, Floats, Floats], float]:
    order = np.concatenate([x, c])
    weights = np.concatenate([weight, heavy])
    middle = float(np.average(order, weights=weights))
    spread = max(math.sqrt(float(np.average((order - middle) ** 2, weights=weights))), 0.05)
    shares = np.full(parts, 1.0 / parts)
    means = middle + spread * np.linspace(-1.0, 1.5, parts) if parts > 1 else np.array([middle])
    sigmas = np.full(parts, spread if parts == 1 else 0.6 * spread)
    before = -math.inf
    told = before
    for _ in range(_ROUNDS):
        z = (x[:, None] - means) / sigmas
        seen = np.log(shares) - np.log(sigmas) - 0.5 * z * z - 0.5 * math.log(2.0 * math.pi)
        most = seen.max(axis=1, keepdims=True)
        total = most[:, 0] + np.log(np.exp(seen - most).sum(axis=1))
        belongs = np.exp(seen - total[:, None]) * weight[:, None]
        told = float(weight @ total)
        mass, first, second = belongs.sum(axis=0), belongs.T @ x, belongs.T @ (x * x)
        if c.size:
            u = (c[:, None] - means) / sigmas
            beyond = np.log(shares) + log_ndtr(-u)
            most = beyond.max(axis=1, keepdims=True)
            total = most[:, 0] + np.log(np.exp(beyond - most).sum(axis=1))
            rest = np.exp(beyond - total[:, None]) * heavy[:, None]
            told += float(heavy @ total)
            hazard = np.exp(-0.5 * u * u - 0.5 * math.log(2.0 * math.pi) - log_ndtr(-u))
            mean = means + sigmas * hazard
            square = means**2 + sigmas**2 + sigmas * hazard * (c[:, None] + means)
            mass, first, second = (
                mass + rest.sum(axis=0),
                first + (rest * mean).sum(axis=0),
                second + (rest * square).sum(axis=0),
            )
        if told - before < 1e-7 * abs(told):
            break
        before = told
        mass = np.maximum(mass, 1e-9)
        shares, means = mass / mass.sum(), first / mass
        sigmas = np.sqrt(np.maximum(second / mass - means * means, _LEAST_SIGMA**2))
    return (shares, means, sigmas), told


def fit_factor(parts: tuple[Part, ...], seen_s: Floats, given_up: int, limit_s: float) -> float:
    """Fit the factor by which times are longer than a mixture says, where some were given up at a limit.

    Parameters
    ----------
    parts : tuple of (share, median_s, sigma)
        Times as they usually are.
    seen_s : array of float
        Times that ended, seconds.
    given_up : int
        How many were given up at `limit_s`.
    limit_s : float
        When the client gives up, seconds; infinite for never.

    Returns
    -------
    float
        Of greatest likelihood, between 1/20 and 100.

    Examples
    --------
    >>> rng = np.random.default_rng(1)
    >>> took = 1.5 * np.exp(0.5 * rng.standard_normal(4000))
    >>> round(fit_factor(((1.0, 0.5, 0.5),), took[took < 2.0], int((took >= 2.0).sum()), 2.0), 1)
    3.0
    """
    x, weight = _binned(np.log(np.asarray(seen_s, float)))

    def loss(log_factor: float) -> float:
        told = float(weight @ log_density(parts, x - log_factor))
        if given_up:
            told += given_up * math.log(max(share_beyond(parts, limit_s / math.exp(log_factor)), 1e-300))
        return -told

    return math.exp(float(minimize_scalar(loss, bounds=(math.log(0.05), math.log(100.0)), method="bounded").x))


def log_density(parts: tuple[Part, ...], logs: Floats) -> Floats:
    """Return the log of the density of the logarithm of times from a mixture.

    >>> log_density(((1.0, 1.0, 1.0),), np.array([0.0])).round(3).tolist()
    [-0.919]
    """
    density = np.zeros(logs.size)
    for share, median_s, sigma in parts:
        z = (logs - math.log(median_s)) / sigma
        density += share / (sigma * math.sqrt(2.0 * math.pi)) * np.exp(-0.5 * z * z)
    found: Floats = np.log(np.maximum(density, 1e-300))
    return found


def share_beyond(parts: tuple[Part, ...], limit_s: float) -> float:
    """Return the share of times beyond a limit in seconds.

    >>> share_beyond(((1.0, 2.0, 0.5),), 2.0)
    0.5
    """
    if not math.isfinite(limit_s):
        return 0.0
    return float(
        sum(share * ndtr(-(math.log(limit_s / median_s)) / max(sigma, 1e-9)) for share, median_s, sigma in parts)
    )
