"""A candidate is on the front only if resampling leaves it there."""

import numpy as np
import pytest

from relkit.exceptions import ParameterError
from relkit.policies.presets import presets
from relkit.simulation.suite import w0
from relkit.tune.front import NOT_RESOLVED, OFF, ON, front, non_dominated
from relkit.tune.measures import NAMES
from relkit.tune.results import Sweep
from relkit.tune.space import Candidate


def sweep_of(means: np.ndarray, sd: float, seed: int, seeds: int = 6) -> Sweep:
    """A made-up sweep of success and p95 with normal noise, part of it common to all candidates."""
    rng = np.random.default_rng(seed)
    values = np.full((len(means), 1, seeds, len(NAMES)), np.nan)
    for column, name in enumerate(("success", "p95_s")):
        noise = rng.normal(size=seeds) + 0.5 * rng.normal(size=(len(means), seeds))
        values[:, 0, :, NAMES.index(name)] = means[:, [column]] + sd * noise
    names = list(presets)
    candidates = tuple(Candidate(f"#{number}", presets[names[number]]) for number in range(len(means)))
    return Sweep("made", "code", candidates, (w0(),), tuple(range(seeds)), values)


MEANS = np.array([[0.99, 2.0], [0.95, 1.0], [0.97, 1.5], [0.94, 2.5], [0.96, 1.9]])


def test_clear_differences_are_told_apart() -> None:
    its = front(sweep_of(MEANS, 1e-4, 1), ("success", "p95_s"))
    assert its.states == (ON, ON, ON, OFF, OFF)
    assert its.of_state(OFF) == ("#3", "#4")


def test_noise_is_not_resolved() -> None:
    """Equal means: whoever looks best is so by chance, in some resamples and not in others."""
    its = front(sweep_of(np.repeat(MEANS[:1], 8, axis=0), 0.05, 2), ("success", "p95_s"))
    assert its.states.count(NOT_RESOLVED) >= 6


def test_a_wrong_on_or_off_is_rare() -> None:
    """Of candidates called on or off over 40 noisy sweeps at most 10 % are so wrongly (the level is 5 %)."""
    truth = non_dominated(MEANS * np.array([-1.0, 1.0]))
    told = wrong = 0
    for seed in range(40):
        its = front(sweep_of(MEANS, 0.02, 100 + seed), ("success", "p95_s"))
        for state, is_on in zip(its.states, truth, strict=True):
            told += state != NOT_RESOLVED
            wrong += state == (OFF if is_on else ON)
    assert told > 40
    assert wrong <= 0.1 * told


def test_dominance_is_that_of_a_slow_loop() -> None:
    rng = np.random.default_rng(4)
    values = rng.integers(0, 5, size=(150, 3)).astype(float)
    slow = [not any((other <= row).all() and (other < row).any() for other in values) for row in values]
    assert non_dominated(values).tolist() == slow


def test_what_cannot_be_is_refused(found: Sweep) -> None:
    with pytest.raises(ParameterError, match="at least two different"):
        front(found, ("success",))
    with pytest.raises(ParameterError, match="dead dependency"):
        front(found, ("success", "detection_s"), scenario="gray")
    assert len(front(found).names) == len(found.candidates)
