"""The work that the alert benchmark measures, each run in a process of its own."""

from fractions import Fraction
from pathlib import Path

import numpy as np
import pandas as pd

from relkit.slo import Minutes, Objective
from relkit.slo.alert_sets import burn_rules
from relkit.slo.alerts import AlertSet
from relkit.slo.firing import Engine, joined
from relkit.slo.incidents import bounds, lay_on, split_by_share
from relkit.slo.scoring import match

GOAL = Objective("availability", "0.999")
DAYS = 90


def grid() -> tuple[Minutes, np.ndarray]:
    """90 days at a million requests a month, with incidents; and where the significant ones are."""
    rng = np.random.default_rng(1)
    at = np.arange(DAYS * 1440)
    valid = rng.poisson(1_000_000 / 43_200 * (1 + 0.8 * np.sin(2 * np.pi * at / 1440)))
    bad = rng.binomial(valid, 0.0002)
    none = np.zeros(len(at), dtype=np.int64)
    hurt, laid = lay_on(Minutes(0, valid - bad, bad, none, none, np.ones(len(at), dtype=bool)), seed=1)
    return hurt, bounds(split_by_share(laid, hurt, GOAL, period_valid=1_000_000)[0])


def sets_of(many: int) -> list[AlertSet]:
    """Two tiers each, windows and factors at random."""
    rng = np.random.default_rng(2)
    made = []
    for place in range(many):
        tiers = []
        for low, high in ((20, 200), (20, 100)):
            long = int(rng.choice((30, 60, 90, 120, 180, 240, 360)))
            tiers.append(
                ("page", long, max(1, long // int(rng.integers(3, 24))), Fraction(int(rng.integers(low, high)), 10))
            )
        made.append(burn_rules(f"set {place}", tiers))
    return made


def scored(many: int) -> int:
    """Fire and score so many sets; return the minutes in which they fire, all added up."""
    minutes, incidents = grid()
    firing = 0
    for spans in Engine(minutes, GOAL).spans(sets_of(many)):
        pages = joined(spans)
        match(pages, incidents)
        firing += int(np.diff(pages).sum())
    return firing


def rolled(many: int) -> int:
    """Fire as many sets by what a notebook would write: rolling sums of pandas; none are scored."""
    minutes, _ = grid()
    frame = pd.DataFrame({"bad": minutes.bad, "valid": minutes.valid})
    budget, firing = float(GOAL.budget_share), 0
    for one in sets_of(many):
        fires = np.zeros(len(frame), dtype=bool)
        for tier in one.rules[0].tiers:
            holds = np.ones(len(frame), dtype=bool)
            for window in tier.windows:
                sums = frame.rolling(window, min_periods=1).sum()
                holds &= (sums["bad"] / sums["valid"] > float(tier.threshold) * budget).to_numpy()
            fires |= holds
        firing += int(fires.sum())
    return firing


def counted(place: Path) -> int:
    """Count the requests of the database by minute."""
    from relkit.period import period_of  # noqa: PLC0415
    from relkit.store import open_store, readings  # noqa: PLC0415

    with open_store(place) as store:
        return int(readings.minutes(store, period_of("all"), GOAL, frozenset()).valid.sum())
