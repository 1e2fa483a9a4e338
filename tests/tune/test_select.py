"""Selection on common draws is right as often as it says."""

import numpy as np
import pytest
from golden.tune.selection_task import CANDIDATES, means_of, random_means, sample_of, score, shares_of_equal

from relkit.exceptions import ParameterError
from relkit.tune.select import halving, posterior_means, select


def test_the_task_is_as_hard_as_its_page_says() -> None:
    """Standard error of a share of 20,000: 0.0035."""
    for evaluations, alone, common in ((60, 0.53, 0.76), (100, 0.61, 0.84), (200, 0.73, 0.92), (400, 0.83, 0.98)):
        assert shares_of_equal(evaluations, 0.0) == pytest.approx(alone, abs=0.015)
        assert shares_of_equal(evaluations, 0.76) == pytest.approx(common, abs=0.015)


def test_halving_finds_the_best_of_twenty() -> None:
    """Right with probability 0.98 at 100 evaluations: fewer than 138 of 150 has probability 4e-5."""
    found = [select(sample_of(means_of(seed), seed), CANDIDATES, 100, score) for seed in range(150)]
    right = sum(each.best == int(np.argmax(means_of(seed))) for seed, each in enumerate(found))
    assert right >= 138
    assert all(each.evaluations <= 100 for each in found)


def test_what_it_says_is_how_often_it_is_right() -> None:
    """Over 200 random tasks the mean stated probability is the share of right choices, within 4 standard errors."""
    found = [select(sample_of(random_means(seed), seed), CANDIDATES, 100, score) for seed in range(200)]
    right = np.array([each.best == int(np.argmax(random_means(seed))) for seed, each in enumerate(found)])
    said = np.array([each.p_best for each in found])
    error = np.sqrt(np.sum(said * (1 - said))) / len(said)
    assert abs(right.mean() - said.mean()) < 4 * error
    assert right[said > 0.8].mean() > right[said < 0.6].mean()


def test_a_plan_spends_what_it_may_and_no_more() -> None:
    for count in (2, 3, 5, 16, 20, 33):
        for evaluations in (4 * count, 10 * count, 25 * count):
            plan = halving(count, evaluations)
            spent = sum(size * draws for size, draws in plan)
            assert plan[0][0] == count
            assert plan[0][1] >= 2
            assert evaluations - plan[-1][0] - 2 * len(plan) <= spent <= evaluations
    with pytest.raises(ParameterError, match="at least 60 for 20 candidates"):
        halving(20, 59)


def test_the_posterior_has_the_mean_and_spread_of_paired_t() -> None:
    """Two candidates of 10 draws: the difference is t with 9 degrees of freedom around its mean (drawn 40,000 times)."""
    rng = np.random.default_rng(3)
    shared = rng.normal(size=10)
    seen = [(shared + rng.normal(0.0, 0.3, 10))[:, None], (shared + rng.normal(0.2, 0.3, 10))[:, None]]
    draws = posterior_means(seen, 0, 40_000)
    difference = (draws[:, 1] - draws[:, 0])[:, 0]
    own = (seen[1] - seen[0])[:, 0]
    assert difference.mean() == pytest.approx(own.mean(), abs=0.01)
    assert difference.std() == pytest.approx(own.std(ddof=1) / np.sqrt(10) * np.sqrt(9 / 7), rel=0.05)
    assert draws[:, 0, 0].std() > 2 * difference.std()  # the luck they share is not in the difference
