"""numba and CPython agree on the policy functions, bit for bit, on random inputs: the one source has one meaning."""

from random import Random

import numpy as np
import pytest

from relkit.policies.breaker import allow, settle
from relkit.policies.failure import Failure
from relkit.policies.loop import after_failure
from relkit.policies.presets import presets
from relkit.policies.records import ALONE
from relkit.policies.retry import RetryState, begin_attempt, begin_call
from relkit.policies.retry_budget import SLOTS, UNLIMITED, RetryBudgetState, deposit, earn, fill, release
from relkit.policies.transitions import new_breaker
from relkit.simulation import kernel
from relkit.simulation.compiled import compiled
from relkit.simulation.room import BREAKER, BUDGET, FAILURE, PEERS, PURSE, RETRY, STATE, record_dtype, rows_of

assert kernel.run_events  # with it the policy functions become callable from compiled code

STEPS = 4_000
BREAKERS = {name: policy.breaker for name, policy in presets.items() if policy.breaker is not None}


@compiled
def played(state_, window, cfg_, peers_, steps, seen):  # type: ignore[no-untyped-def]
    """Ask and settle, step after step, as a breaker lives: steps are (gap_s, draw, outcome, latency_s)."""
    state, cfg, peers = state_[0], cfg_[0], peers_[0]
    now_s = 0.0
    for row in range(len(steps)):
        now_s += steps[row, 0]
        code, generation, wait_s = allow(state, window, cfg, peers, now_s, steps[row, 1])
        event = -1
        if code == 0:
            event = settle(
                state, window, cfg, peers, now_s + steps[row, 3], generation, int(steps[row, 2]), steps[row, 3]
            )
        seen[row, 0], seen[row, 1], seen[row, 2], seen[row, 3] = code, generation, wait_s, event
        seen[row, 4], seen[row, 5] = state.state, state.failures


@pytest.mark.parametrize("name", BREAKERS)
def test_a_breaker_decides_alike_compiled_and_plain(name: str) -> None:
    settings = BREAKERS[name]
    assert settings is not None
    chance = Random(name)
    # Good and bad times by turns, so that breakers open and close.
    outcomes = [chance.choice([0, 0, 0, 2, 4, 5] if row // 150 % 2 else [1, 1, 1, 3, 0, 4]) for row in range(STEPS)]
    gaps_s = [chance.choice([0.0, 0.02, 0.1] * 30 + [40.0]) * chance.random() for _ in range(STEPS)]
    steps = np.array(
        [(gap_s, chance.random(), one, chance.random()) for gap_s, one in zip(gaps_s, outcomes, strict=True)]
    )
    state, window = new_breaker(settings, 0.0)
    found = np.zeros((STEPS, 6))
    rows = rows_of(STATE, [state]), np.array(window or [0.0]), rows_of(BREAKER, [settings]), rows_of(PEERS, [ALONE])
    played(*rows, steps, found)
    plain = np.zeros((STEPS, 6))
    played.py_func([state], window, [settings], [ALONE], steps, plain)  # type: ignore[attr-defined]
    np.testing.assert_array_equal(found, plain)
    # One has no states, one judges the members of a fleet, one opens on other outcomes.
    alone = {"sre-k2", "envoy-success-rate", "litellm"}
    assert (len(set(found[:, 4].tolist())) > 1) != (name in alone)


RETRIES = {name: policy for name, policy in presets.items() if policy.retry is not None}
CALL = record_dtype(RetryState)


@compiled
def retried(call_, settings_, purse_, slots, budget_, failures, steps, seen):  # type: ignore[no-untyped-def]
    """Live through calls: steps are (gap_s, draw, kind, hint_s, whether it succeeds)."""
    call, settings, purse, budget = call_[0], settings_[0], purse_[0], budget_[0]
    now_s, running, paying = 0.0, False, False
    for row in range(len(steps)):
        now_s += steps[row, 0]
        if not running:
            begin_call(call, now_s)
            deposit(purse, slots, budget, now_s)
        begin_attempt(call)
        if paying:
            release(purse, budget)
        code, wait_s = -1, -1.0
        if steps[row, 4] > 0.0:
            code, wait_s = after_failure(
                call, settings, purse, slots, budget, failures[int(steps[row, 2])], now_s, True, steps[row, 3], -1.0,
                steps[row, 1],
            )  # fmt: skip
        running = paying = code == 0
        if not running:
            earn(purse, budget, code == -1, call.paid)
        seen[row, 0], seen[row, 1], seen[row, 2], seen[row, 3] = code, wait_s, call.attempts, purse.thousandths


@pytest.mark.parametrize("name", RETRIES)
def test_a_retry_loop_and_its_budget_decide_alike_compiled_and_plain(name: str) -> None:
    policy = RETRIES[name]
    assert policy.retry is not None
    settings, budget = policy.retry.transient, policy.retry_budget or UNLIMITED
    chance = Random(name)
    failures = [Failure(kind, retryable=kind % 5 != 0, maybe_executed=kind % 2 == 0) for kind in range(20)]
    steps = np.array(
        [
            (
                chance.choice([0.0, 0.1, 2.0]) * chance.random(),
                chance.random(),
                chance.randrange(20),
                chance.choice([-1.0, 0.0, 3.0 * chance.random(), 100.0]),
                float(chance.random() < 0.7),
            )
            for _ in range(STEPS)
        ]
    )
    purse, slots = RetryBudgetState(), [0] * SLOTS
    fill(purse, slots, budget, 0.0)
    found = np.zeros((STEPS, 4))
    retried(
        rows_of(CALL, [RetryState()]), rows_of(RETRY, [settings]), rows_of(PURSE, [purse]), np.array(slots),
        rows_of(BUDGET, [budget]), rows_of(FAILURE, failures), steps, found,
    )  # fmt: skip
    plain = np.zeros((STEPS, 4))
    retried.py_func(  # type: ignore[attr-defined]
        [RetryState()], [settings], [purse], slots, [budget], failures, steps, plain
    )  # fmt: skip
    np.testing.assert_array_equal(found, plain)
    assert len(set(found[:, 0].tolist())) >= 2
