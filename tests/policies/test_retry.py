"""One decision a failure: which rule stops it, and how long it waits otherwise."""

import random

import pytest

from relkit.policies.backoff import EQUAL, FULL, NO_JITTER
from relkit.policies.failure import KIND_RATE_LIMIT, KIND_TIMEOUT, Failure
from relkit.policies.retry import (
    CRITICAL,
    NEVER_AGAIN,
    NO_HINT,
    NO_RETRY,
    RATE_LIMITED,
    RETRY,
    RETRY_CODES,
    STOP_ATTEMPTS,
    STOP_DEADLINE,
    STOP_KIND_LIMIT,
    STOP_MAYBE_EXECUTED,
    STOP_NOT_RETRYABLE,
    STOP_RESULT,
    STOP_SERVER,
    STOP_TOTAL_ATTEMPTS,
    TRANSIENT,
    RetryState,
    begin_attempt,
    begin_call,
    begin_model,
    choose_strategy,
    decide,
    wait_factor,
)
from relkit.policies.retry_settings import (
    HINT_AT_LEAST,
    HINT_CLAMPED,
    HINT_EXACT,
    HINT_IGNORED,
    HINT_WITHIN,
    PLAN_ORDER,
    RETRYABLE_FIRST,
    RetrySettings,
)

SERVER = Failure(11)
SEEDS = range(10)


def ask(cfg, failure=SERVER, *, state=None, now_s=0.0, has_key=True, hint_s=NO_HINT, load=-1.0, draw=0.5):
    """The decision about the first attempt of a call, or about the next of a given state."""
    if state is None:
        state = RetryState()
        begin_call(state, 0.0)
    begin_attempt(state)
    return decide(state, cfg, failure, now_s, has_key, hint_s, load, draw)


def plain(**settings):
    return RetrySettings(**{"jitter": NO_JITTER, "first_delay_s": 1.0, "max_attempts": 10, **settings})


@pytest.mark.parametrize(
    ("failure", "strategy"),
    [
        (Failure(11), TRANSIENT),
        (Failure(KIND_RATE_LIMIT), RATE_LIMITED),
        (Failure(18, critical=True), CRITICAL),
        (Failure(KIND_RATE_LIMIT, retryable=False), NO_RETRY),
        (Failure(7, retryable=False, critical=True), NO_RETRY),
    ],
)
def test_whether_it_may_be_retried_is_asked_before_everything_else(failure, strategy):
    assert choose_strategy(RETRYABLE_FIRST, failure) == strategy


def test_the_plan_asks_critical_first_and_never_finds_a_rate_limit():
    assert choose_strategy(PLAN_ORDER, Failure(7, retryable=False, critical=True)) == CRITICAL
    assert choose_strategy(PLAN_ORDER, Failure(KIND_RATE_LIMIT)) == TRANSIENT
    assert choose_strategy(PLAN_ORDER, Failure(8, retryable=False)) == NO_RETRY


@pytest.mark.parametrize(
    ("failure", "settings", "asked", "code"),
    [
        (Failure(8, retryable=False), {}, {}, STOP_NOT_RETRYABLE),
        (Failure(15, from_result=True), {"retry_results": False}, {}, STOP_RESULT),
        (Failure(15, from_result=True), {}, {}, RETRY),
        (Failure(15, max_retries=0), {}, {}, STOP_KIND_LIMIT),
        (SERVER, {"max_attempts": 1}, {}, STOP_ATTEMPTS),
        (Failure(1, maybe_executed=True), {}, {"has_key": False}, STOP_MAYBE_EXECUTED),
        (Failure(1, maybe_executed=True), {}, {"has_key": True}, RETRY),
        (Failure(1), {}, {"has_key": False}, RETRY),
        (Failure(1, maybe_executed=True), {"guard_repeats": False}, {"has_key": False}, RETRY),
        (SERVER, {}, {"hint_s": NEVER_AGAIN}, STOP_SERVER),
        (SERVER, {"hint": HINT_IGNORED}, {"hint_s": NEVER_AGAIN}, RETRY),
        (SERVER, {"deadline_s": 1.5}, {"now_s": 0.5}, STOP_DEADLINE),
        (SERVER, {"deadline_s": 1.51}, {"now_s": 0.5}, RETRY),
        (SERVER, {"deadline_s": 1.5, "deadline_counts_wait": False}, {"now_s": 1.49}, RETRY),
        (SERVER, {"deadline_s": 1.5, "deadline_counts_wait": False}, {"now_s": 1.5}, STOP_DEADLINE),
    ],
)
def test_a_rule_stops_a_retry_by_its_own_code(failure, settings, asked, code):
    told, _ = ask(plain(**settings), failure, **asked)
    assert RETRY_CODES[told] == RETRY_CODES[code]


def test_at_the_deadline_the_wait_there_was_no_time_for_is_told():
    assert ask(plain(deadline_s=50.0), hint_s=3600.0, draw=0.0) == (STOP_DEADLINE, 60.0)


def test_a_stop_leaves_the_state_as_it_was():
    state = RetryState()
    begin_call(state, 0.0)
    assert ask(plain(deadline_s=0.6, first_delay_s=0.5), state=state, now_s=0.2)[0] == STOP_DEADLINE
    assert (state.granted, state.limited, state.carried) == (0, 0, 0.0)


def test_attempts_are_counted_for_each_model_and_in_all():
    """One loop over all models: the second model does not start the count of the whole call anew."""
    cfg, state = plain(max_attempts=3, max_total_attempts=5), RetryState()
    begin_call(state, 0.0)
    codes = [ask(cfg, state=state)[0] for _ in range(3)]
    begin_model(state)
    codes += [ask(cfg, state=state)[0] for _ in range(2)]
    assert codes == [RETRY, RETRY, STOP_ATTEMPTS, RETRY, STOP_TOTAL_ATTEMPTS]


def test_the_back_off_starts_anew_on_another_model():
    cfg, state = plain(), RetryState()
    begin_call(state, 0.0)
    waits = [ask(cfg, state=state)[1] for _ in range(3)]
    begin_model(state)
    assert [*waits, ask(cfg, state=state)[1]] == [1.0, 2.0, 4.0, 1.0]


def test_a_kind_that_is_retried_once_is_retried_once_however_others_failed_before():
    once, state, cfg = Failure(15, max_retries=1), RetryState(), plain()
    begin_call(state, 0.0)
    failures = (SERVER, once, SERVER, once)
    assert [ask(cfg, failure, state=state)[0] for failure in failures] == [RETRY, RETRY, RETRY, STOP_KIND_LIMIT]


@pytest.mark.parametrize(
    ("kind", "load", "ours", "plan"),
    [
        (11, -1.0, 1, 1),
        (11, 0.8, 1, 1),
        (11, 0.9, 2, 2),
        (KIND_RATE_LIMIT, -1.0, 3, 3),
        (KIND_RATE_LIMIT, 0.9, 6, 3),
        (KIND_TIMEOUT, -1.0, 1, 0.5),
        (KIND_TIMEOUT, 0.9, 2, 0.5),
    ],
)
def test_factors_multiply_and_in_the_plan_the_first_that_fits_is_the_only_one(kind, load, ours, plan):
    factors = {"rate_limit_factor": 3.0, "load_factor": 2.0}
    assert wait_factor(plain(**factors), kind, load) == ours
    assert wait_factor(plain(**factors, timeout_factor=0.5, plan_factors=True), kind, load) == plan


def test_the_cap_comes_last_and_in_the_plan_the_factor_does():
    """Rate-limited waits of 5, 15 and 45 s times 3: the plan passes its own cap of 60 s (plan, 2.1)."""
    settings = {"first_delay_s": 5.0, "growth": 3.0, "cap_s": 60.0, "rate_limit_factor": 3.0}
    found = {}
    for plan_factors in (False, True):
        state, cfg = RetryState(), plain(**settings, plan_factors=plan_factors)
        begin_call(state, 0.0)
        found[plan_factors] = [ask(cfg, Failure(KIND_RATE_LIMIT), state=state)[1] for _ in range(3)]
    assert found == {False: [15.0, 45.0, 60.0], True: [15.0, 45.0, 135.0]}


@pytest.mark.parametrize(
    ("settings", "hint_s", "wait_s"),
    [
        ({"hint": HINT_IGNORED}, 30.0, 1.0),
        ({"hint": HINT_EXACT}, 30.0, 30.0),
        ({"hint": HINT_EXACT}, 0.0, 0.0),
        ({"hint": HINT_EXACT}, NO_HINT, 1.0),
        ({"hint": HINT_WITHIN}, 60.0, 60.0),
        ({"hint": HINT_WITHIN}, 60.1, 1.0),
        ({"hint": HINT_WITHIN}, 0.0, 1.0),
        ({"hint": HINT_CLAMPED, "hint_cap_s": 5.0}, 0.2, 1.0),
        ({"hint": HINT_CLAMPED, "hint_cap_s": 5.0}, 3.0, 3.0),
        ({"hint": HINT_CLAMPED, "hint_cap_s": 5.0}, 30.0, 6.0),
        ({"hint": HINT_AT_LEAST, "hint_jitter_share": 0.0}, 0.2, 1.0),
        ({"hint": HINT_AT_LEAST, "hint_jitter_share": 0.0}, 30.0, 30.0),
        ({"hint": HINT_AT_LEAST, "hint_jitter_share": 0.0}, 3600.0, 60.0),
        ({"hint": HINT_AT_LEAST, "hint_jitter_share": 0.0, "hint_floor_s": 2.0}, 0.0, 2.0),
    ],
)
def test_a_stated_wait_is_used_as_the_settings_say(settings, hint_s, wait_s):
    assert ask(plain(**settings), hint_s=hint_s) == (RETRY, wait_s)


@pytest.mark.parametrize("seed", SEEDS)
def test_jitter_lies_above_a_stated_wait_and_never_beyond_the_cap(seed):
    """500 uniforms miss a tenth of their span at one end with probability 1e-23."""
    rng = random.Random(seed)
    cfg = plain(hint_jitter_share=0.1)
    for hint_s, low, high in ((30.0, 30.0, 33.0), (59.0, 59.0, 60.0), (3600.0, 54.0, 60.0)):
        waits = [ask(cfg, hint_s=hint_s, draw=rng.random())[1] for _ in range(500)]
        assert low <= min(waits) < low + 0.1 * (high - low)
        assert high - 0.1 * (high - low) < max(waits) <= high


def test_a_hint_may_start_the_back_off_anew():
    state, cfg = RetryState(), plain(hint=HINT_EXACT, hint_restarts=True)
    begin_call(state, 0.0)
    hints = (NO_HINT, NO_HINT, 7.0, NO_HINT)
    assert [ask(cfg, state=state, hint_s=hint_s)[1] for hint_s in hints] == [1.0, 2.0, 7.0, 1.0]


@pytest.mark.parametrize("jitter", [FULL, EQUAL])
@pytest.mark.parametrize("seed", SEEDS)
def test_no_wait_passes_the_cap_and_no_call_its_deadline(jitter, seed):
    """Whatever fails and whatever the server states: at a grant, time gone and wait stay below the deadline."""
    rng = random.Random(seed)
    cfg = RetrySettings(
        max_attempts=0, jitter=jitter, cap_s=8.0, hint_cap_s=20.0, rate_limit_factor=3.0, load_factor=2.0, deadline_s=90.0
    )  # fmt: skip
    for _ in range(50):
        state, now_s, code = RetryState(), 0.0, RETRY
        begin_call(state, 0.0)
        while code == RETRY:
            now_s += rng.random()
            hint_s = rng.choice([NO_HINT, rng.random() * 100])
            failure = Failure(rng.choice([1, 5, 11]))
            code, wait_s = ask(
                cfg, failure, state=state, now_s=now_s, hint_s=hint_s, load=rng.random(), draw=rng.random()
            )
            assert 0.0 <= wait_s <= (8.0 if hint_s < 0 else 20.0)
            if code == RETRY:
                assert now_s + wait_s < 90.0
                now_s += wait_s
        assert code == STOP_DEADLINE
