"""A log made up for the tests of tuning, its calibration and its study; each is made once a process."""

from functools import cache

import numpy as np

from relkit.policies.presets import presets
from relkit.simulation.calibrate import Calibration, calibrate
from relkit.simulation.traffic import LoggedTraffic, traffic_of
from relkit.tune.study import Study, study


@cache
def quiet_log() -> LoggedTraffic:
    """An hour of Poisson traffic, 0.83 a second, two percent failing at random."""
    rng = np.random.default_rng(1)
    return traffic_of(
        rng.uniform(0, 3600, 3000), 0.4 * np.exp(0.5 * rng.standard_normal(3000)), rng.random(3000) > 0.02
    )


@cache
def quiet() -> Calibration:
    return calibrate(quiet_log())


@cache
def quiet_study() -> Study:
    """Tuned against the plan's own breaker: the calibration passes, so that it ends in a recommendation."""
    return study(quiet_log(), quiet(), presets["plan"], workers=1, progress=False)
