"""The generator alerts are chosen and compared on: traffic with day and night, a few errors, incidents every five days."""

import numpy as np

from relkit.slo import Minutes, Objective
from relkit.slo.incidents import Incident, lay_on

DAY = 1440
GOAL = Objective("availability", "0.999")


def history(seed: int, per_month: int, days: int, background: float = 0.0002) -> tuple[Minutes, list[Incident]]:
    """Poisson traffic of so many requests in 30 days, +- 80 % over the day, and what `lay_on` lays on it."""
    rng = np.random.default_rng(seed)
    at = np.arange(days * DAY)
    valid = rng.poisson(per_month / (30 * DAY) * (1 + 0.8 * np.sin(2 * np.pi * at / DAY)))
    bad = rng.binomial(valid, background)
    none = np.zeros(len(at), dtype=np.int64)
    return lay_on(Minutes(0, valid - bad, bad, none, none, np.ones(len(at), dtype=bool)), seed=seed)
