"""Draws from uniforms follow the distributions they name; every bound is 4 standard errors (false alarm 0.006 %)."""

import numpy as np
import pytest
from scipy import stats

from relkit.simulation.demo_draws import geometric, lognormal_us, pick, spawn_streams

SEEDS = range(10)


def uniforms(seed, size=20_000):
    return spawn_streams(seed, ["x"])["x"].random(size)


@pytest.mark.parametrize("seed", SEEDS)
def test_lognormal_has_its_median_and_spread(seed):
    logs = np.log(lognormal_us(uniforms(seed), 0.45, 0.6))
    assert abs(logs.mean() - np.log(450_000)) < 4 * 0.6 / np.sqrt(len(logs))
    assert abs(logs.std() - 0.6) < 4 * 0.6 / np.sqrt(2 * len(logs))


@pytest.mark.parametrize("seed", SEEDS)
def test_geometric_has_its_mean(seed):
    counts = geometric(uniforms(seed), 6, 1000)
    assert counts.min() == 1
    assert abs(counts.mean() - 6) < 4 * np.sqrt(30 / len(counts))


@pytest.mark.parametrize("seed", SEEDS)
def test_pick_has_its_shares(seed):
    shares = [0.6, 0.25, 0.15]
    counts = np.bincount(pick(uniforms(seed), shares), minlength=3)
    assert stats.chisquare(counts, np.array(shares) * counts.sum()).pvalue > 6e-5


def test_extreme_uniforms_stay_finite_and_in_range():
    ends = np.array([0.0, np.nextafter(1.0, 0.0)])
    assert lognormal_us(ends, 0.45, 0.6).min() >= 1
    assert geometric(ends, 6, 40).tolist() == [1, 40]
    assert pick(ends, [0.1] * 10).tolist() == [0, 9]


def test_a_stream_does_not_move_when_another_is_appended():
    alone = spawn_streams(5, ["a", "b"])
    more = spawn_streams(5, ["a", "b", "c"])
    assert (alone["b"].random(9) == more["b"].random(9)).all()
    assert spawn_streams(5, ["a"])["a"].random() != spawn_streams(6, ["a"])["a"].random()


def test_first_number_of_the_generator_is_the_one_we_rely_on():
    """PCG64's stream is promised by numpy; if this ever moves, the demo week moved too."""
    assert spawn_streams(20251008, ["a"])["a"].random() == 0.6028059231392171
