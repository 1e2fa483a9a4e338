"""Possible futures of a log: hour by hour, the units to come and the bad ones among them.

Traffic comes in whole days drawn from the past (a block bootstrap that keeps the course of a day, and of a week where
two weeks are known). Bad units come one by one at the quiet rate, and in outages.
"""

from math import log, sqrt
from typing import Final

import numpy as np

from relkit.slo.minutes import Floats
from relkit.slo.outages import Hours
from relkit.units import HOURS_PER_DAY

# What is believed of outages before any is seen: one in ten stretches as long as the log; about an hour of about a tenth
# of the requests, worth two outages seen. Public records have medians of 20 min (users) and 3 h (operators).
PRIOR_OUTAGES: Final = 0.1
PRIOR_HOURS: Final = 1.0
PRIOR_SHARE: Final = 0.1
_PRIOR_WEIGHT: Final = 2.0
_PRIOR_FREEDOM: Final = 4.0
_SPREAD_OF_HOURS: Final = 0.5
_SPREAD_OF_SHARE: Final = 1.2
_LONGEST_HOURS: Final = 48.0


def futures(hours: Hours, ahead: int, draws: int, rng: np.random.Generator) -> tuple[Floats, Floats]:
    """Draw what may come.

    Parameters
    ----------
    hours : Hours
        The past, at least a day of it.
    ahead : int
        Hours to come.
    draws : int
        Futures to draw.
    rng : numpy.random.Generator
        Source of randomness.

    Returns
    -------
    two float arrays, draws x ahead
        Valid and bad units of each hour to come.

    Notes
    -----
    Both what the past leaves open and what chance does to the future vary from draw to draw. Quiet rate: Gamma with shape
    (x + 1/2) / d and scale d / n for x bad of n quiet units of dispersion d; then Poisson counts, spread by d. Number of
    outages: Gamma-Poisson with k + `PRIOR_OUTAGES` seen in the covered hours. Length and bad share of each: log-normal,
    mean and spread drawn from their normal-inverse-chi-square posterior. Gelman et al., Bayesian Data Analysis (2013), 3.3.

    Examples
    --------
    >>> from relkit.slo import Minutes, Objective
    >>> from relkit.slo.outages import hours_of
    >>> grid = Minutes(0, [10] * 1440, [0] * 1440, [0] * 1440, [0] * 1440, [True] * 1440)
    >>> valid, bad = futures(hours_of(grid, Objective("a", "0.99")), 48, 5, np.random.default_rng(1))
    >>> valid.shape, float(valid[0, 0])
    ((5, 48), 600.0)
    """
    valid = _traffic(hours, ahead, draws, rng)
    shape = (float(hours.bad[hours.quiet].sum()) + 0.5) / hours.dispersion
    rate = rng.gamma(shape, hours.dispersion / max(float(hours.valid[hours.quiet].sum()), 1.0), draws)
    due = rate[:, None] * valid
    if hours.dispersion > 1.001:
        due = rng.gamma(due / (hours.dispersion - 1), hours.dispersion - 1)
    bad = rng.poisson(due).astype(np.float64)
    _add_outages(bad, valid, hours, rng)
    return valid, np.minimum(bad, valid)


def _traffic(hours: Hours, ahead: int, draws: int, rng: np.random.Generator) -> Floats:
    days = len(hours.valid) // HOURS_PER_DAY
    shape = (days, HOURS_PER_DAY)
    past = hours.valid[len(hours.valid) - days * HOURS_PER_DAY :].reshape(shape)[::-1]  # row k ends k days before now
    known = hours.covered[len(hours.covered) - days * HOURS_PER_DAY :].reshape(shape)[::-1]
    usual = (past * known).sum(axis=0) / np.maximum(known.sum(axis=0), 1)
    past = np.where(known, past, usual)
    blocks = -(-ahead // HOURS_PER_DAY)
    drawn = np.empty((draws, blocks), dtype=np.int64)
    for block in range(blocks):
        same = np.arange((6 - block) % 7, days, 7) if days >= 14 else np.arange(days)
        drawn[:, block] = rng.choice(same, draws)
    traffic: Floats = past[drawn].reshape(draws, blocks * HOURS_PER_DAY)[:, :ahead]
    return traffic


def _add_outages(bad: Floats, valid: Floats, hours: Hours, rng: np.random.Generator) -> None:
    """Book each outage at the hour in which it begins."""
    draws, ahead = bad.shape
    seen_hours = max(int(np.count_nonzero(hours.covered)), 1)
    often = rng.gamma(len(hours.outages) + PRIOR_OUTAGES, 1 / seen_hours, draws)
    whose = np.repeat(np.arange(draws), rng.poisson(often * ahead))
    lasts = np.log([one.hours for one in hours.outages])
    shares = np.log([one.share for one in hours.outages])
    length = np.exp(_drawn(lasts, log(PRIOR_HOURS), _SPREAD_OF_HOURS, draws, whose, rng))
    share = np.exp(_drawn(shares, log(PRIOR_SHARE), _SPREAD_OF_SHARE, draws, whose, rng))
    when = rng.integers(0, ahead, len(whose))
    took = np.minimum(length, _LONGEST_HOURS) * np.minimum(share, 1.0) * valid[whose, when]
    # what one hour cannot hold runs over into the next ones
    for _ in range(int(_LONGEST_HOURS)):
        fits = np.minimum(took, valid[whose, when])
        np.add.at(bad, (whose, when), fits)
        left = took - fits > 0
        whose, when, took = whose[left], when[left] + 1, (took - fits)[left]
        inside = when < ahead
        whose, when, took = whose[inside], when[inside], took[inside]
        if not len(whose):
            break


def _drawn(
    seen: Floats, prior: float, spread: float, draws: int, whose: np.ndarray, rng: np.random.Generator
) -> Floats:
    """Draw log values: a mean and a spread for each future, then a value for each outage in it."""
    k, mean = len(seen), float(seen.mean()) if len(seen) else prior
    worth, freedom = _PRIOR_WEIGHT + k, _PRIOR_FREEDOM + k
    centre = (_PRIOR_WEIGHT * prior + k * mean) / worth
    squares = _PRIOR_FREEDOM * spread**2 + float(((seen - mean) ** 2).sum())
    squares += _PRIOR_WEIGHT * k / worth * (mean - prior) ** 2
    width = np.sqrt(squares / rng.chisquare(freedom, draws))
    centres = centre + width / sqrt(worth) * rng.standard_normal(draws)
    values: Floats = centres[whose] + width[whose] * rng.standard_normal(len(whose))
    return values
