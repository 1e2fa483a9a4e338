"""A dependency with two hidden states, good and bad, in continuous time (Gilbert and Elliott), fitted by likelihood.

Between two observations the state moves by the matrix exponential of its two rates, so a gap in the log, such as the
time in which the client's own breaker was open, is simply a longer step: it is missing, and says nothing.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize
from scipy.special import expit

from relkit.simulation.compiled import compiled

Floats = npt.NDArray[np.float64]
_LEAST_RATE: Final = 1e-7
_MOST_RATE: Final = 50.0
_TINY: Final = 1e-300


def _forward(gaps: Any, evidence: Any, leave_good: float, leave_bad: float) -> float:
    total = leave_good + leave_bad
    share_bad = leave_good / total
    good, bad = 1.0 - share_bad, share_bad
    found = 0.0
    for place in range(gaps.shape[0]):
        fade = math.exp(-total * gaps[place])
        bad = share_bad + (bad - share_bad) * fade
        good = 1.0 - bad
        good *= evidence[place, 0]
        bad *= evidence[place, 1]
        both = good + bad
        if both < 1e-300:
            return -1e300
        found += math.log(both)
        bad /= both
    return found


def _forward_flags(gaps: Any, failed: Any, p_good: float, p_bad: float, leave_good: float, leave_bad: float) -> float:
    """Do what `_forward` does for failures and successes alone; the logarithm is taken of many at once."""
    total = leave_good + leave_bad
    share_bad = leave_good / total
    bad = share_bad
    found, product = 0.0, 1.0
    for place in range(gaps.shape[0]):
        bad = share_bad + (bad - share_bad) * math.exp(-total * gaps[place])
        if failed[place]:
            one, two = (1.0 - bad) * p_good, bad * p_bad
        else:
            one, two = (1.0 - bad) * (1.0 - p_good), bad * (1.0 - p_bad)
        both = one + two
        if both < 1e-200:
            return -1e300
        bad = two / both
        product *= both
        if product < 1e-100:
            found += math.log(product)
            product = 1.0
    return found + math.log(product)


def _smooth(gaps: Any, evidence: Any, leave_good: float, leave_bad: float, chance: Any) -> None:
    """Fill `chance` with the probability of the bad state at each observation, given all of them."""
    total = leave_good + leave_bad
    share_bad = leave_good / total
    bad = share_bad
    size = gaps.shape[0]
    for place in range(size):
        bad = share_bad + (bad - share_bad) * math.exp(-total * gaps[place])
        one, two = (1.0 - bad) * evidence[place, 0], bad * evidence[place, 1]
        bad = two / max(one + two, 1e-300)
        chance[place] = bad
    back_good, back_bad = 1.0, 1.0
    for place in range(size - 2, -1, -1):
        one, two = back_good * evidence[place + 1, 0], back_bad * evidence[place + 1, 1]
        fade = math.exp(-total * gaps[place + 1])
        mean = (1.0 - share_bad) * one + share_bad * two
        back_good, back_bad = mean + (one - mean) * fade, mean + (two - mean) * fade
        most = max(back_good, back_bad, 1e-300)
        back_good /= most
        back_bad /= most
        one, two = (1.0 - chance[place]) * back_good, chance[place] * back_bad
        chance[place] = two / max(one + two, 1e-300)


_forward_fast = compiled(_forward)
_forward_flags_fast = compiled(_forward_flags)
_smooth_fast = compiled(_smooth)


@dataclass(frozen=True, slots=True)
class States:
    """Two states that follow each other at random, and what each of them emits.

    Parameters
    ----------
    good_s, bad_s : float
        Mean time in each state, seconds.
    good_level, bad_level : float
        What it emits: the share of attempts that fail, or requests a second.
    log_likelihood : float
        Of the log under it.

    Examples
    --------
    >>> States(90.0, 10.0, 0.01, 0.5, 0.0).bad_share
    0.1
    """

    good_s: float
    bad_s: float
    good_level: float
    bad_level: float
    log_likelihood: float

    @property
    def bad_share(self) -> float:
        """Share of time in the bad state, in the long run."""
        return self.bad_s / (self.good_s + self.bad_s)

    @property
    def mean_level(self) -> float:
        """Level over both states, in the long run."""
        return self.good_level + self.bad_share * (self.bad_level - self.good_level)


def fit_failing(times_s: Floats, failed: npt.NDArray[np.bool_]) -> States:
    """Fit a good and a bad state to outcomes seen at known times.

    Parameters
    ----------
    times_s : array of float, shape (n,)
        Ascending, in seconds.
    failed : array of bool, shape (n,)
        Whether each failed.

    Returns
    -------
    States
        Levels are shares of attempts that fail. Maximum likelihood: the forward algorithm over the continuous-time chain,
        from several starts.

    Examples
    --------
    >>> rng = np.random.default_rng(1)
    >>> ends = np.cumsum(np.column_stack([rng.exponential(180, 99), rng.exponential(20, 99)]).ravel())
    >>> times = np.sort(rng.uniform(0, ends[-1], 40_000))
    >>> bad = np.searchsorted(ends, times) % 2 == 1
    >>> found = fit_failing(times, rng.random(40_000) < np.where(bad, 0.5, 0.01))
    >>> bool(abs(found.bad_s / 20 - 1) < 0.3), bool(abs(found.bad_level / 0.5 - 1) < 0.1)
    (True, True)
    """
    gaps = np.diff(times_s, prepend=times_s[0])
    share = float(np.mean(failed))

    def told(levels: Floats, leave_good: float, leave_bad: float) -> float:
        return float(_forward_flags_fast(gaps, failed, levels[0], levels[1], leave_good, leave_bad))

    best: States | None = None
    for scale, level, (bad_s, good_s) in zip((0.3, 0.1), (0.5, 0.9), _bad_stretches(times_s, failed), strict=True):
        quiet = min(max(share * scale, 1e-6), 0.4)
        start = [_logit(quiet), _logit(max(level, min(2 * share, 0.95))), -math.log(good_s), -math.log(bad_s)]
        found = _fitted(told, gaps.size, start, expit, _LOGITS)
        if best is None or found.log_likelihood > best.log_likelihood:
            best = found
    assert best is not None
    return best if best.bad_level >= best.good_level else _swapped(best)


def fit_rates(width_s: float, counts: npt.NDArray[np.int64]) -> States:
    """Fit a quiet and a busy state to numbers of arrivals in equal bins.

    Parameters
    ----------
    width_s : float
        Width of a bin, seconds: short beside the states.
    counts : array of int, shape (bins,)
        Arrivals in each.

    Returns
    -------
    States
        Levels are requests a second; "bad" is the busy state.

    Examples
    --------
    >>> rng = np.random.default_rng(1)
    >>> busy = np.repeat(np.arange(100) % 2, 50)
    >>> found = fit_rates(1.0, rng.poisson(np.where(busy, 20.0, 2.0)))
    >>> round(found.good_level), round(found.bad_level)
    (2, 20)
    """
    gaps = np.full(counts.size, width_s)
    gaps[0] = 0.0
    mean = max(float(np.mean(counts)), 1e-9)
    scale = np.cumsum(np.log(np.maximum(np.arange(int(counts.max()) + 1), 1)))[counts]

    def told(levels: Floats, leave_good: float, leave_bad: float) -> float:
        expected = np.maximum(levels * width_s, _TINY)
        logs = counts[:, None] * np.log(expected)[None, :] - expected[None, :] - scale[:, None]
        return told_by(gaps, np.exp(np.clip(logs, -690, 0)), leave_good, leave_bad)

    best: States | None = None
    for low, high in ((0.5, 3.0), (0.1, 10.0)):
        for busy_s in (3 * width_s, 30 * width_s):
            start = [
                math.log(low * mean / width_s),
                math.log(high * mean / width_s),
                math.log(1 / (5 * busy_s)),
                math.log(1 / busy_s),
            ]
            found = _fitted(told, gaps.size, start, np.exp, _LOG_RATES)
            if best is None or found.log_likelihood > best.log_likelihood:
                best = found
    assert best is not None
    return best if best.bad_level >= best.good_level else _swapped(best)


def chance_of_bad(times_s: Floats, failed: npt.NDArray[np.bool_], states: States) -> Floats:
    """Return the probability that each observation was made in the bad state, given all of them.

    >>> quiet = States(100.0, 10.0, 0.0, 1.0, 0.0)
    >>> chance_of_bad(np.array([0.0, 1.0, 2.0]), np.array([False, True, False]), quiet).tolist()
    [0.0, 1.0, 0.0]
    """
    levels = np.array([states.good_level, states.bad_level])
    told = np.where(failed[:, None], levels[None, :], 1.0 - levels[None, :])
    return smoothed(np.diff(times_s, prepend=times_s[0]), told, 1.0 / states.good_s, 1.0 / states.bad_s)


def told_by(gaps_s: Floats, evidence: Floats, leave_good: float, leave_bad: float) -> float:
    """Return the log likelihood of observations under two states that follow each other at random.

    Parameters
    ----------
    gaps_s : array of float, shape (n,)
        Time since the observation before, seconds; 0 for the first.
    evidence : array of float, shape (n, 2)
        How likely each is in the good and in the bad state.
    leave_good, leave_bad : float
        Rates at which the states end, a second.

    >>> round(told_by(np.zeros(1), np.array([[0.5, 0.5]]), 1.0, 1.0), 3)
    -0.693
    """
    return float(_forward_fast(gaps_s, evidence, leave_good, leave_bad))


def smoothed(gaps_s: Floats, evidence: Floats, leave_good: float, leave_bad: float) -> Floats:
    """Return the probability of the bad state at each observation, given all of them; see `told_by`.

    >>> smoothed(np.zeros(1), np.array([[0.1, 0.3]]), 1.0, 1.0).round(3).tolist()
    [0.75]
    """
    chance = np.empty(gaps_s.size)
    _smooth_fast(gaps_s, evidence, leave_good, leave_bad, chance)
    return chance


_LOGITS: Final = ((-14.0, 3.0), (-9.0, 9.0))
_LOG_RATES: Final = ((-12.0, 12.0), (-12.0, 12.0))


def _fitted(
    told: Callable[[Floats, float, float], float], size: int, start: list[float], link: Callable[[Floats], Floats],
    levels: tuple[tuple[float, float], ...],
) -> States:  # fmt: skip
    rates = (math.log(_LEAST_RATE), math.log(_MOST_RATE))

    def loss(point: Floats) -> float:
        return -told(link(np.asarray(point[:2])), math.exp(point[2]), math.exp(point[3])) / size

    bounds = [*levels, rates, rates]
    start = [min(max(value, low), high) for value, (low, high) in zip(start, bounds, strict=True)]
    found = minimize(loss, start, method="L-BFGS-B", bounds=bounds, options={"maxiter": 80, "ftol": 1e-11, "eps": 1e-5})
    good, bad = link(np.asarray(found.x[:2]))
    return States(math.exp(-found.x[2]), math.exp(-found.x[3]), float(good), float(bad), -float(found.fun) * size)


def _swapped(states: States) -> States:
    return States(states.bad_s, states.good_s, states.bad_level, states.good_level, states.log_likelihood)


def _bad_stretches(times_s: Floats, failed: npt.NDArray[np.bool_]) -> list[tuple[float, float]]:
    """Guess mean lengths of the bad and the good state from runs of failures that lie close together."""
    when = times_s[failed]
    span = max(float(times_s[-1] - times_s[0]), 1e-6)
    guesses = []
    for factor in (3.0, 20.0):
        near = factor * span / max(times_s.size, 1)
        cuts = np.flatnonzero(np.diff(when) > near) if when.size > 1 else np.empty(0, np.int64)
        number = cuts.size + 1
        firsts = when[np.concatenate([[0], cuts + 1])] if when.size else np.zeros(1)
        lasts = when[np.concatenate([cuts, [when.size - 1]])] if when.size else np.zeros(1)
        long = lasts > firsts
        bad_s = max(float(np.mean((lasts - firsts)[long])) if long.any() else near, near)
        guesses.append(
            (bad_s, max(span / max(int(np.count_nonzero(long)), 1) - bad_s, bad_s)) if number else (near, span)
        )
    return guesses


def _logit(share: float) -> float:
    return math.log(share / (1.0 - share))
