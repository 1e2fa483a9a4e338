"""What matters is found, and where it cannot be told nothing is ranked."""

import numpy as np
import pytest

from relkit.exceptions import ParameterError
from relkit.policies.presets import presets
from relkit.simulation.scenario import Scenario
from relkit.tune.sensitivity import morris, sobol
from relkit.tune.space import Linear, Log, Space, Whole


def test_the_setting_that_acts_comes_first(space: Space, suite: tuple[Scenario, ...]) -> None:
    """In an outage and a gray failure the open time and the number of tries act; nothing half-opens by its draw."""
    small = Space(space.base, {"open_jitter": Linear(0.0, 0.01), "max_attempts": Whole(1, 4), "open_s": Log(2.0, 29.0)})
    its = morris(small, suite, "success", trajectories=8, seeds=1, workers=1)
    assert its.runs <= 8 * 4 * 3
    by_name = {effect.setting: effect.share for effect in its.effects}
    assert min(by_name, key=by_name.__getitem__) == "open_jitter"
    assert sum(by_name.values()) == pytest.approx(1.0)
    assert its.is_ranked == all(effect.high - effect.low <= 0.3 for effect in its.effects)
    assert its.is_ranked or "is the most for a ranking" in its.why_not


def test_too_few_points_are_not_ranked(space: Space, suite: tuple[Scenario, ...]) -> None:
    its = sobol(space, suite[1:2], "p95_s", points=8, seeds=1, workers=1)
    assert not its.is_ranked
    assert "play more points" in its.why_not
    assert [effect.setting for effect in its.effects] == list(space.ranges)


def test_what_never_acts_is_flat(suite: tuple[Scenario, ...]) -> None:
    """pybreaker has no slow calls: neither setting is read."""
    space = Space(presets["pybreaker"], {"ema_s": Linear(10.0, 60.0), "evidence_gap": Linear(0.1, 0.3)})
    its = morris(space, suite[:1], "success", trajectories=4, seeds=1, workers=1)
    assert not its.is_ranked
    assert np.array([effect.share for effect in its.effects]).sum() == 0.0
    assert "No setting" in its.why_not


def test_what_cannot_be_is_refused(space: Space, suite: tuple[Scenario, ...]) -> None:
    with pytest.raises(ParameterError, match="at least two settings"):
        morris(Space(presets["pybreaker"], {"open_s": Log(1.0, 9.0)}), suite, "success")
    with pytest.raises(ParameterError, match="at least 4"):
        morris(space, suite, "success", trajectories=3)
    with pytest.raises(ParameterError, match="power of two"):
        sobol(space, suite, "success", points=100)
    with pytest.raises(ParameterError, match="measured in every run"):
        morris(space, suite[:1], "detection_s", trajectories=4, workers=1)
