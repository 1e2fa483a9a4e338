"""How often stray failures open a breaker on a service that is well: closed forms with bounds, and no simulation.

A lint must answer at once and for any traffic. So each family has a formula with a factor by which it may be wrong; the
simulator is the judge of both, over thousands of settings.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np
from scipy.special import betainc, betaincinv, gammaln
from scipy.stats import binom

from relkit.exceptions import ParameterError
from relkit.policies.codes import ADAPTIVE, ANCHORED, CONSECUTIVE, COOLDOWN, COUNT, EMA, OUTLIER, THROTTLE, TIME
from relkit.policies.records import BreakerSettings
from relkit.policies.trips import above, least_calls
from relkit.tune.false_opens import MONTH_S, runs_a_month

_EXACT: Final = 1.1
_CLUMPED: Final = 2.0
_TIMED: Final = 3.0
_ANCHORED: Final = 5.0
_ELAPSED: Final = 8
_POINTS: Final = 400
_MOST_IN_WINDOW: Final = 400


@dataclass(frozen=True, slots=True)
class Stray:
    """Openings a month on healthy traffic, with what bounds them.

    Parameters
    ----------
    low, value, high : float
        Openings in 30 days. The bounds hold for independent failures; failures that come in bursts make more.

    >>> Stray(0.5, 1.0, 2.0).value
    1.0
    """

    low: float
    value: float
    high: float


def stray_opens(cfg: BreakerSettings, calls_per_s: float, failure_share: float) -> Stray | None:
    """Return how often stray failures open a breaker; None where no formula is known.

    Parameters
    ----------
    cfg : BreakerSettings
        The breaker.
    calls_per_s : float
        Permits it is asked for in a second, above 0, coming at random.
    failure_share : float
        Share of them that fail in ordinary times, in [0, 1), one independent of the other.

    Returns
    -------
    Stray or None
        None for the evidence family and for outliers of a fleet.

    Notes
    -----
    30 days over the mean time of a cycle: closed until it opens, then open. Calls until it opens: of failures in a row,
    `runs_a_month`. Of a count window, step by step while it fills, then the reciprocal of the hazard
    b(k − 1; W − 1, q) q (1 − q) / B(k − 1; W, q) for its limit k, times the chance 1 − u/d that a crossing does not belong
    to the clump of the one before, u = q (1 − k/W), d = (1 − q) k/W (Aldous 1989, Poisson clumping). Of a time window,
    the same hazard with Poisson counts, averaged over how much of its newest part has gone. A moving share at random times
    is Beta(a q, a (1 − q)), a = rate · time constant (Sethuraman 1994, stick breaking).

    Examples
    --------
    >>> from relkit.policies.presets import presets
    >>> round(stray_opens(presets["pybreaker"].breaker, 1.0, 0.1).value, 1)
    23.3
    >>> stray_opens(presets["opossum-10"].breaker, 0.004, 0.01).value > 90  # a window with one call in it
    True
    """
    if not 0.0 < calls_per_s < math.inf:
        raise ParameterError.of("calls_per_s", calls_per_s, "a number above 0", "give e.g. 0.004")
    if not 0.0 <= failure_share < 1.0:
        raise ParameterError.of("failure_share", failure_share, "a share from 0 to below 1", "give e.g. 0.01")
    if cfg.family in {THROTTLE, COOLDOWN} or failure_share == 0.0:
        return Stray(0.0, 0.0, 0.0)  # a sole deployment is spared by cooldowns, and of others nothing is known here
    found = _calls_to_open(cfg, calls_per_s, failure_share)
    if found is None:
        return None
    calls, factor = found
    if not calls < math.inf:
        return Stray(0.0, 0.0, 0.0)
    # Closed until it opens; then open, and longer where the trial calls fail.
    away_s = cfg.open_s / (1.0 - failure_share) + max(cfg.half_open_successes, 1) / calls_per_s
    value, low, high = (MONTH_S / (each / calls_per_s + away_s) for each in (calls, calls * factor, calls / factor))
    return Stray(low, value, high)


def _calls_to_open(cfg: BreakerSettings, rate: float, share: float) -> tuple[float, float] | None:
    """Mean number of calls a closed breaker sees until it opens, and by which factor that may be wrong."""
    run = _run(share, cfg.failure_threshold) if cfg.failure_threshold else math.inf
    if cfg.family == CONSECUTIVE or (cfg.family == OUTLIER and cfg.sd_factor == 0.0):
        return run, _EXACT
    if cfg.family == ADAPTIVE:
        slow, quick = _run(share, cfg.threshold_ceiling), _run(share, cfg.threshold_floor)
        return math.sqrt(slow * quick), math.sqrt(slow / quick)
    if cfg.family == COUNT:
        return _count(cfg, share), _CLUMPED
    if cfg.family in {TIME, ANCHORED}:
        return _time(cfg, rate, share), _TIMED if cfg.family == TIME else _ANCHORED
    if cfg.family == EMA and cfg.ema_calls == 0.0:
        shares = _moving_share(cfg, rate, share)
        return 1.0 / (1.0 / run + 1.0 / shares), _CLUMPED
    return None


def _run(share: float, threshold: int) -> float:
    return 1.0 / runs_a_month(share, threshold, 1.0)


def _count(cfg: BreakerSettings, share: float) -> float:
    window, least = cfg.window_calls, max(least_calls(cfg), 1)
    limit = _limit(cfg, window)
    if limit > window:
        return math.inf
    closed = _still_closed(cfg, window, least, share)
    in_window = limit / window
    up, down = share * (1.0 - in_window), (1.0 - share) * in_window
    alone = max(1.0 - up / down, 1.0 / limit, 0.1)
    below = float(binom.cdf(limit - 1, window, share))
    crossing = float(binom.pmf(limit - 1, window - 1, share)) * share * (1.0 - share) * alone
    hazard = crossing / below if below > 0.0 else 1.0
    # The window is filled anew after each opening; what survives that meets the steady hazard.
    return float(closed[:-1].sum()) + (float(closed[-1]) / hazard if hazard > 0.0 else math.inf)


def _limit(cfg: BreakerSettings, calls: int) -> int:
    """Fewest failures among so many calls that open it."""
    fewest = max(math.ceil(cfg.failure_share * calls - 1e-9), 1)
    while fewest <= calls and not above(fewest / calls, cfg.failure_share, cfg.share_is_strict):
        fewest += 1
    return fewest


def _still_closed(cfg: BreakerSettings, window: int, least: int, share: float) -> np.ndarray:
    """Chance that it is still closed after 0, 1, ... window calls: exact, one call at a time."""
    chance = np.zeros(window + 2)
    chance[0] = 1.0
    closed = np.ones(window + 1)
    for calls in range(1, window + 1):
        chance[1:] = chance[1:] * (1.0 - share) + chance[:-1] * share
        chance[0] *= 1.0 - share
        if calls >= least:
            chance[min(_limit(cfg, calls), window + 1) :] = 0.0
        closed[calls] = chance.sum()
    return closed


def _time(cfg: BreakerSettings, rate: float, share: float) -> float:
    """Average the hazard over how much of the window's newest part has gone."""
    shortest = cfg.window_s * (1.0 - 1.0 / cfg.buckets)
    spans = shortest + (cfg.window_s - shortest) * (np.arange(_ELAPSED) + 0.5) / _ELAPSED
    hazard = float(np.mean([_crossings(cfg, rate, share, float(span)) for span in spans]))
    # When its oldest part goes, what is left may be over the limit at a stroke.
    hazard += _over(cfg, rate, share, float(spans[0])) / (cfg.window_s * rate)
    return max(cfg.min_calls, 1) - 1 + 1.0 / hazard if hazard > 0.0 else math.inf


def _over(cfg: BreakerSettings, rate: float, share: float, span_s: float) -> float:
    """Chance that a window of so many seconds is over the limit: at the mean number of calls, a binomial tail."""
    calls = round(rate * span_s)
    return 0.0 if calls < max(cfg.min_calls, 1) else float(binom.sf(_limit(cfg, calls) - 1, calls, share))


def _crossings(cfg: BreakerSettings, rate: float, share: float, span_s: float) -> float:
    """Chance that a call lifts the share over its limit, given that it was not over it."""
    mean_bad, mean_good = rate * share * span_s, rate * (1.0 - share) * span_s
    if mean_bad + mean_good > _MOST_IN_WINDOW:
        # Thousands of calls hold their number closely: the limit is one of counts.
        calls = round(rate * span_s)
        limit = _limit(cfg, calls)
        if limit > calls or calls < cfg.min_calls:
            return 0.0
        return (
            share * (1.0 - share) * float(binom.pmf(limit - 1, calls - 1, share) / binom.cdf(limit - 1, calls, share))
        )
    bad, good = _poisson(mean_bad), _poisson(mean_good)
    failures = np.arange(len(bad))[:, None]
    successes = np.arange(len(good))[None, :]
    chance = bad[:, None] * good[None, :]
    before = _is_over(cfg, failures, successes)
    found = share * float(chance[~before & _is_over(cfg, failures + 1, successes)].sum())
    if cfg.judges_success:
        found += (1.0 - share) * float(chance[~before & _is_over(cfg, failures, successes + 1)].sum())
    below = float(chance[~before].sum())
    return found / below if below > 0.0 else 1.0


def _moving_share(cfg: BreakerSettings, rate: float, share: float) -> float:
    """Calls until a moving share exceeds its limit; the share of failures is Beta(a q, a (1 − q)) with a = rate · ema_s."""
    weight, limit = rate * cfg.ema_s, cfg.failure_share
    if limit >= 1.0:
        return math.inf
    below = float(betainc(weight * share, weight * (1.0 - share), limit))
    if below <= 0.0:
        return cfg.min_calls + cfg.warm_up_s * rate + 1.0 / share
    places = (np.arange(_POINTS) + 0.5) / _POINTS * below
    at = np.minimum(betaincinv(weight * share, weight * (1.0 - share), places), limit)
    # x becomes w x + 1 − w after a failure, w = U^(1/a): above the limit where w < (1 − limit)/(1 − x)
    hazard = share * float(np.mean(((1.0 - limit) / (1.0 - at)) ** weight))
    return cfg.min_calls + cfg.warm_up_s * rate + (1.0 / hazard if hazard > 0.0 else math.inf)


def _is_over(cfg: BreakerSettings, failures: np.ndarray, successes: np.ndarray) -> np.ndarray:
    calls = failures + successes
    shares = failures / np.maximum(calls, 1)
    compare: Callable[[np.ndarray, float], np.ndarray] = np.greater if cfg.share_is_strict else np.greater_equal
    over: np.ndarray = compare(shares, cfg.failure_share) & (calls >= max(cfg.min_calls, 1))
    return over


def _poisson(mean: float) -> np.ndarray:
    """Chances of a Poisson count, from 0 to where nothing is left."""
    counts = np.arange(int(mean + 10.0 * math.sqrt(mean) + 25.0) + 1)
    return np.asarray(
        np.exp(counts * math.log(mean) - mean - gammaln(counts + 1.0)) if mean > 0 else counts == 0, dtype=float
    )
