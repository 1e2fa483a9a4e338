"""The live RetryBudget decides as the pure functions do, and many threads together spend no token twice."""

import random
from concurrent.futures import ThreadPoolExecutor

import pytest

from relkit import RetryBudget, presets
from relkit.policies.retry_budget import (
    PER_SUCCESS,
    REFUSED,
    SLOTS,
    RetryBudgetSettings,
    RetryBudgetState,
    charge,
    deposit,
    earn,
    fill,
    release,
    withdraw,
)

BUDGETED = [name for name in presets if presets[name].retry_budget is not None]


@pytest.mark.parametrize("name", BUDGETED)
def test_it_decides_as_the_pure_functions_do(name):
    settings, rng, now_s = presets[name].retry_budget, random.Random(7), 0.0
    purse = RetryBudget(settings, clock=lambda: now_s)
    state, window = RetryBudgetState(), [0] * SLOTS
    fill(state, window, settings, 0.0)
    paid = 0.0
    for _ in range(3000):
        now_s += rng.random() * 0.05
        event, kind = int(rng.random() * 5), 1 + int(rng.random() * 20)
        if event == 0:
            purse.begin()
            deposit(state, window, settings, now_s)
        elif event == 1:
            purse.failed()
            charge(state, settings)
        elif event == 2:
            cost = withdraw(state, window, settings, now_s, kind)
            assert purse.withdraw(kind) == cost
            paid = max(cost, 0.0)
        elif event == 3:
            purse.answered()
            release(state, settings)
        else:
            purse.end(succeeded=kind < 10, paid=paid)
            earn(state, settings, kind < 10, paid)
            paid = 0.0
        assert (purse.state, purse.window) == (state, window)


def test_threads_together_get_no_more_than_there_is():
    purse = RetryBudget(RetryBudgetSettings(PER_SUCCESS, capacity=500.0))

    def spend(_):
        return sum(purse.withdraw(11) != REFUSED for _ in range(1000))

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(spend, range(8))) == 500
    assert purse.left == 0.0


def test_a_refused_retry_gives_nothing_back():
    purse = RetryBudget(presets["aws-standard-2026"].retry_budget, clock=lambda: 0.0)
    while (cost := purse.withdraw(11)) != REFUSED:
        pass
    left = purse.left
    purse.end(succeeded=True, paid=cost)
    assert purse.left == left + 1 / 14
