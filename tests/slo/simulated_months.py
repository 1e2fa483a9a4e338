"""Simulated months of minutes: errors that are independent, and errors that come in outages as well."""

from collections.abc import Iterator

import numpy as np

from relkit.slo import Minutes, Objective
from relkit.slo.forecast import forecast

DAY = 1440
GOAL = Objective("availability", "0.999")


def month(requests: int, clustered: bool, rng: np.random.Generator, days: int = 30) -> Minutes:
    """Traffic with a day's course (+- 80 %), 0.03 % errors; clustered: an outage every 5 days, its length log-normal (median
    20 min, sigma 1.2), its error share log-uniform from 0.2 to 100 %.
    """
    at = np.arange(days * DAY)
    course = 1 + 0.8 * np.sin(2 * np.pi * (at / DAY - 1 / 3))
    valid = rng.poisson(requests / (30 * DAY) * course)
    share = np.full(len(at), 0.0003)
    if clustered:
        for _ in range(rng.poisson(days / 5)):
            start = int(rng.integers(0, len(at)))
            lasts = max(1, round(20 * np.exp(1.2 * rng.standard_normal())))
            share[start : start + lasts] = np.exp(rng.uniform(np.log(0.002), 0.0))
    bad = rng.binomial(valid, share)
    none = np.zeros(len(at), dtype=np.int64)
    return Minutes(0, valid - bad, bad, none, none, np.ones(len(at), dtype=bool))


def misses(months: int, requests: int, clustered: bool, seed: int, history_days: int = 0, draws: int = 500) -> Iterator[int]:
    """For each month: -1 when what was left at its end lies below the band made at half time, 1 above, 0 inside."""
    rng = np.random.default_rng(seed)
    for number in range(months):
        whole = month(requests, clustered, rng, 30 + history_days)
        now, end = (history_days + 15) * DAY, (history_days + 30) * DAY
        told = forecast(whole.slice(0, now), GOAL, end, draws=draws, seed=number)
        part = whole.slice(end - 30 * DAY, end).totals
        left = float(1 - part.bad / (GOAL.budget_share * part.valid))
        assert told.low is not None
        assert told.high is not None
        yield -1 if left < told.low else 1 if left > told.high else 0
