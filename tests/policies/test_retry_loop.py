"""One loop over all layers: retries, fallback models and the budget count together."""

import pytest

from relkit.policies.backoff import NO_JITTER
from relkit.policies.failure import FALLBACK_LARGER_WINDOW, FALLBACK_NEXT_MODEL, FALLBACK_NONE, Failure
from relkit.policies.fallback import GIVE_UP, NO_MODEL, last_resort, next_model
from relkit.policies.loop import after_failure, may_move_on, settings_for, waits
from relkit.policies.retry import (
    NEVER_AGAIN,
    NO_HINT,
    RETRY,
    STOP_ATTEMPTS,
    STOP_BUDGET,
    STOP_DEADLINE,
    STOP_MAYBE_EXECUTED,
    STOP_NOT_RETRYABLE,
    STOP_TOTAL_ATTEMPTS,
    RetryState,
    begin_attempt,
    begin_call,
    begin_model,
)
from relkit.policies.retry_budget import (
    GRPC,
    SLOTS,
    UNLIMITED,
    RetryBudgetSettings,
    RetryBudgetState,
    deposit,
    earn,
    fill,
)
from relkit.policies.retry_presets import RETRY_PRESETS
from relkit.policies.retry_settings import Retry, RetrySettings

DOWN = Failure(11, maybe_executed=True, fallback=FALLBACK_NEXT_MODEL)
WINDOWS = (8192, 32768, 131072)


class Client:
    """A client whose calls share one budget and run over three models that fail as told."""

    def __init__(self, cfg, budget=UNLIMITED):
        self.cfg, self.budget = cfg, budget
        self.purse, self.window = RetryBudgetState(), [0] * SLOTS
        fill(self.purse, self.window, budget, 0.0)

    def call(self, failure, *, usable=(True, True, True), latency_s=0.1, has_key=True, prompt_tokens=0):
        """Play one call to its end; return the models asked, one entry an attempt, and the code that ended it."""
        state, now_s = RetryState(), 0.0
        begin_call(state, now_s)
        deposit(self.purse, self.window, self.budget, now_s)
        place = next_model(WINDOWS, usable, -1, FALLBACK_NEXT_MODEL, prompt_tokens)
        asked = []
        while True:
            begin_attempt(state)
            now_s += latency_s
            asked.append(place)
            shared = (state, self.cfg, self.purse, self.window, self.budget, failure, now_s, has_key)
            code, wait_s = after_failure(*shared, NO_HINT, -1.0, 0.5)
            now_s += wait_s if code == RETRY else 0.0
            if code == RETRY:
                continue
            after = next_model(WINDOWS, usable, place, failure.fallback, prompt_tokens)
            if after == NO_MODEL:
                break
            code = may_move_on(*shared, True)
            if code != RETRY:
                break
            place = after
            begin_model(state)
        earn(self.purse, self.budget, False, state.paid)
        return asked, code


def plain(**settings):
    return RetrySettings(**{"jitter": NO_JITTER, "first_delay_s": 0.1, "max_attempts": 6, **settings})


def test_without_a_common_limit_three_models_of_six_tries_are_eighteen_calls():
    """What the plan's nested loops do (plan, 2.3), and why the total is counted."""
    assert len(Client(plain()).call(DOWN)[0]) == 18


def test_one_limit_spans_all_models():
    tried, code = Client(plain(max_attempts=3, max_total_attempts=5)).call(DOWN)
    assert tried == [0, 0, 0, 1, 1]
    assert code == STOP_TOTAL_ATTEMPTS


def test_the_last_model_ends_with_the_rule_that_stopped_it():
    tried, code = Client(plain(max_attempts=2)).call(DOWN)
    assert tried == [0, 0, 1, 1, 2, 2]
    assert code == STOP_ATTEMPTS


def test_one_budget_pays_for_retries_and_for_other_models():
    client = Client(plain(max_attempts=2), RetryBudgetSettings(capacity=4.0))
    assert client.call(DOWN) == ([0, 0, 1, 1, 2], STOP_BUDGET)
    assert client.call(DOWN) == ([0], STOP_BUDGET)


def test_the_deadline_spans_waits_attempts_and_models():
    tried, code = Client(plain(max_attempts=2, deadline_s=2.5)).call(DOWN, latency_s=1.0)
    assert tried == [0, 0, 1]
    assert code == STOP_DEADLINE


def test_a_call_that_may_have_been_carried_out_is_repeated_on_no_model_either():
    client = Client(plain())
    assert client.call(DOWN, has_key=False) == ([0], STOP_MAYBE_EXECUTED)
    assert len(client.call(DOWN, has_key=True)[0]) == 18


def test_what_is_wrong_with_the_request_is_asked_of_one_model_once():
    client = Client(plain())
    assert client.call(Failure(8, retryable=False, fallback=FALLBACK_NONE)) == ([0], STOP_NOT_RETRYABLE)


def test_an_over_long_prompt_goes_to_larger_windows_alone():
    tried, _ = Client(plain()).call(Failure(13, retryable=False, fallback=FALLBACK_LARGER_WINDOW))
    assert tried == [0, 1, 2]
    assert last_resort(FALLBACK_LARGER_WINDOW, False, False, False) == GIVE_UP


def test_an_open_breaker_decides_where_a_call_starts():
    assert Client(plain(max_attempts=1)).call(DOWN, usable=(False, True, True))[0] == [1, 2]


def test_grpc_pays_for_the_failure_before_it_asks_for_the_retry():
    """A6: from 10 tokens the fifth failure in a row leaves 5, which is not above half."""
    client = Client(plain(max_attempts=2), RetryBudgetSettings(GRPC, capacity=10.0, earn=0.1, cost=1.0))
    assert [len(client.call(DOWN, usable=(True, False, False))[0]) for _ in range(4)] == [2, 2, 1, 1]


@pytest.mark.parametrize(
    ("failure", "hint_s", "left"),
    [
        (Failure(8, retryable=False), NO_HINT, 10.0),
        (Failure(8, retryable=False), NEVER_AGAIN, 9.0),
        (Failure(11), NO_HINT, 9.0),
    ],
)
def test_grpc_counts_retryable_failures_and_those_the_server_forbids_to_retry(failure, hint_s, left):
    budget = RetryBudgetSettings(GRPC, capacity=10.0, earn=0.1, cost=1.0)
    client = Client(plain(), budget)
    state = RetryState()
    begin_attempt(state)
    after_failure(
        state, client.cfg, client.purse, client.window, budget, failure, 0.0, True, hint_s, -1.0, 0.5
    )  # fmt: skip
    assert client.purse.thousandths == left * 1000


def test_a_retry_that_another_rule_forbids_is_not_paid_for():
    client = Client(plain(max_attempts=1), RetryBudgetSettings(capacity=4.0))
    client.call(DOWN, usable=(True, False, False))
    assert client.purse.thousandths == 4000


def test_each_class_of_failure_has_its_settings():
    retry = Retry(plain(max_attempts=2), plain(max_attempts=3), plain(max_attempts=4))
    failures = (Failure(11), Failure(5), Failure(18, critical=True))
    assert [settings_for(retry, failure).max_attempts for failure in failures] == [2, 3, 4]


def test_waits_of_a_call_end_with_the_rule_that_stops_it():
    assert waits(Retry.of(plain(max_attempts=4)), Failure(11)) == (STOP_ATTEMPTS, (0.1, 0.2, 0.4))
    assert waits(Retry.of(plain(max_attempts=0)), Failure(11), most=3) == (RETRY, (0.1, 0.2, 0.4))
    assert waits(Retry.of(plain(deadline_s=1.0)), Failure(11), latency_s=0.3) == (STOP_DEADLINE, (0.1, 0.2))


def test_the_plan_retries_eleven_times_what_can_never_succeed():
    code, found = waits(RETRY_PRESETS["plan"].retry, Failure(19, retryable=False))
    assert (code, len(found)) == (STOP_ATTEMPTS, 10)
