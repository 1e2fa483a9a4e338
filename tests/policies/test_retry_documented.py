"""What the libraries without a Python package document about their retries and budgets, through their presets.

Each test names the file it was read from. tenacity, stamina and botocore are compared by recordings instead.
"""

import random

import pytest

from relkit.policies.backoff import (
    DECORRELATED_RISING,
    EXPONENTIAL,
    FIXED,
    FULL,
    LINEAR,
    POLLY,
    PROPORTIONAL,
    backoff_s,
)
from relkit.policies.failure import Failure
from relkit.policies.loop import waits
from relkit.policies.retry import NEVER_AGAIN, RETRY, STOP_ATTEMPTS, STOP_SERVER
from relkit.policies.retry_budget import (
    REFUSED,
    SLOTS,
    RetryBudgetState,
    balance,
    charge,
    deposit,
    earn,
    fill,
    release,
    withdraw,
)
from relkit.policies.retry_presets import RETRY_PRESETS

SERVER = Failure(11)
DRAWS = (0.0, 0.25, 0.5, 0.75, 0.999)


def of(name, **overrides):
    return RETRY_PRESETS[name].retry.changed(**overrides)


def store(name, now_s=0.0):
    budget, state, window = RETRY_PRESETS[name].retry_budget, RetryBudgetState(), [0] * SLOTS
    fill(state, window, budget, now_s)
    return state, window, budget


def granted(state, window, budget, now_s=0.0, most=10_000, failure=SERVER):
    for number in range(most):
        if withdraw(state, window, budget, now_s, failure.kind) == REFUSED:
            return number
    return most


def test_resilience4j_tries_three_times_half_a_second_apart():
    """resilience4j, RetryConfig: DEFAULT_MAX_ATTEMPTS 3, DEFAULT_WAIT_DURATION 500 ms."""
    assert waits(of("resilience4j-retry"), SERVER) == (STOP_ATTEMPTS, (0.5, 0.5))


def test_polly_retries_three_times_two_seconds_apart_without_jitter():
    """Polly 8, RetryConstants: 3 attempts after the first, 2 s, constant, UseJitter false."""
    assert waits(of("polly"), SERVER) == (STOP_ATTEMPTS, (2.0, 2.0, 2.0))


def test_polly_linear_grows_by_its_base():
    """Polly 8, RetryHelper.cs: (attempt + 1) * delay."""
    assert waits(of("polly", backoff="linear", step_s=2.0), SERVER)[1] == (2.0, 4.0, 6.0)


def test_polly_exponential_without_jitter_doubles():
    """Polly 8, RetryHelper.cs: 2^attempt * delay."""
    assert waits(of("polly", backoff="exponential"), SERVER)[1] == (2.0, 4.0, 8.0)


@pytest.mark.parametrize(("backoff", "base"), [(FIXED, (2.0, 2.0, 2.0)), (LINEAR, (2.0, 4.0, 6.0))])
@pytest.mark.parametrize("draw", DRAWS)
def test_polly_jitter_of_constant_and_linear_is_a_quarter_either_way(backoff, base, draw):
    """Polly 8, RetryHelper.cs, ApplyJitter: delay + delay * 0.5 * (u - 0.5)."""
    retry = of("polly", backoff=backoff, step_s=2.0, jitter="proportional", jitter_share=0.25)
    assert waits(retry, SERVER, draw=draw)[1] == pytest.approx([each * (0.75 + 0.5 * draw) for each in base])


def test_polly_clips_after_the_jitter():
    """Polly 8, RetryResilienceStrategy: MaxDelay is compared with the delay that carries its jitter."""
    settings = {"jitter": PROPORTIONAL, "jitter_share": 0.25, "cap_s": 2.1, "cap_after_jitter": True}
    assert waits(of("polly", **settings), SERVER, draw=0.999)[1] == (2.1, 2.1, 2.1)
    assert waits(of("polly", **settings), SERVER, draw=0.0)[1] == (1.5, 1.5, 1.5)


def test_polly_exponential_with_jitter_of_no_delay_is_no_delay():
    """Polly 8, RetryHelper.cs: a base of zero stays zero whatever the type."""
    assert waits(of("polly", backoff=POLLY, first_delay_s=0.0), SERVER)[1] == (0.0, 0.0, 0.0)


@pytest.mark.parametrize("draw", DRAWS)
def test_envoy_waits_uniformly_up_to_one_three_seven_times_its_base_and_at_most_ten(draw):
    """Envoy, backoff_strategy.cc: random % ((2^n - 1) * 25 ms), at most 250 ms; the span stops growing above the cap."""
    cfg = of("envoy-retry", max_attempts=9).transient
    spans = (0.025, 0.075, 0.175, 0.375, 0.375, 0.375)
    found = [backoff_s(cfg, number, 0.0, 1.0, draw)[0] for number in range(6)]
    assert found == pytest.approx([min(span * draw, 0.25) for span in spans])


def test_envoy_retries_once_unless_told_otherwise():
    """Envoy, route_components.proto: num_retries defaults to 1."""
    assert len(waits(of("envoy-retry"), SERVER)[1]) == 1


@pytest.mark.parametrize(("active", "most"), [(0, 3), (14, 3), (19, 3), (20, 4), (24, 4), (25, 5), (1000, 200)])
def test_envoy_budget_is_a_fifth_of_the_active_requests_rounded_down_and_at_least_three(active, most):
    """Envoy, resource_manager_impl.h: max<uint64>(20 % * (requests + pending), 3), retries below it."""
    state, window, budget = store("envoy-retry")
    for _ in range(active):
        deposit(state, window, budget, 0.0)
    assert granted(state, window, budget) == most
    release(state, budget)
    assert granted(state, window, budget) == 1


def test_grpc_doubles_from_a_tenth_to_a_second_within_a_fifth():
    """gRPC A6: min(initial * mult^(n-1), max) * U(0.8, 1.2)."""
    for draw in DRAWS:
        found = waits(of("grpc-a6", max_attempts=6), SERVER, draw=draw)[1]
        base = (0.1, 0.2, 0.4, 0.8, 1.0)
        assert found == pytest.approx([each * (0.8 + 0.4 * draw) for each in base])


def test_grpc_obeys_a_pushback_to_the_millisecond_and_starts_its_back_off_anew():
    """gRPC A6, pushback: retry in exactly that time; the next back-off is computed as after the first attempt."""
    assert waits(of("grpc-a6"), SERVER, hint_s=1.234)[1] == (1.234, 1.234, 1.234)


def test_grpc_takes_a_negative_pushback_for_never():
    """gRPC A6: a negative or unparsable pushback means do not retry."""
    assert waits(of("grpc-a6"), SERVER, hint_s=NEVER_AGAIN) == (STOP_SERVER, ())


def test_grpc_stops_at_the_fifth_failure_in_a_row():
    """gRPC A6, throttling: maxTokens 10, retry only above half."""
    state, window, budget = store("grpc-a6")
    answers = []
    for _ in range(6):
        charge(state, budget)
        answers.append(withdraw(state, window, budget, 0.0, SERVER.kind) != REFUSED)
    assert answers == [True, True, True, True, False, False]


def test_grpc_needs_fifty_one_successes_from_empty():
    """gRPC A6: token_ratio 0.1, above 5 of 10 tokens."""
    state, window, budget = store("grpc-a6")
    for _ in range(30):
        charge(state, budget)
    assert balance(state, window, budget) == 0.0
    successes = 0
    while withdraw(state, window, budget, 0.0, SERVER.kind) == REFUSED:
        earn(state, budget, True, 0.0)
        successes += 1
    assert successes == 51


def test_finagle_starts_with_a_reserve_of_ten_a_second():
    """Finagle, RetryBudget.scala: minRetriesPerSec 10 over a ttl of 10 s."""
    assert granted(*store("finagle")) == 100


def test_finagle_pays_one_retry_for_five_requests():
    """Finagle, RetryBudget.scala: a deposit of 1000 a request, a retry costs 1000 / 0.2."""
    state, window, budget = store("finagle")
    granted(state, window, budget)
    for number in range(1, 11):
        deposit(state, window, budget, 1.0)
        assert granted(state, window, budget, 1.0) == (number % 5 == 0)


def test_finagle_requeues_at_once_and_one_request_takes_a_fifth_of_the_reserve():
    """Finagle, Retries.scala: emptyBackoffSchedule, MaxRequeuesPerReq 0.2 of a balance of 100."""
    assert waits(of("finagle"), SERVER, most=30) == (STOP_ATTEMPTS, (0.0,) * 20)


def test_finagle_decorrelated_backs_off_from_its_first_wait_up():
    """Finagle, Backoff.scala, decorrelatedJittered: start, then U(last, 3 last), at most the maximum."""
    retry = of("finagle", max_attempts=4, backoff=DECORRELATED_RISING, first_delay_s=0.1, cap_s=10.0)
    assert waits(retry, SERVER, draw=0.5)[1] == pytest.approx((0.1, 0.2, 0.4))


def test_litellm_obeys_a_short_retry_after_and_ignores_a_long_one():
    """litellm 1.109.1, calculate_retry_after: only 0 < retry_after <= 60, and the jitter is added to it too."""
    assert waits(of("litellm"), SERVER, hint_s=60.0, draw=0.0)[1] == (60.0, 60.0)
    assert waits(of("litellm"), SERVER, hint_s=60.0, draw=0.5)[1] == (60.375, 60.375)
    assert waits(of("litellm"), SERVER, hint_s=61.0, draw=0.0)[1] == (0.5, 1.0)
    assert waits(of("litellm"), SERVER, hint_s=0.0, draw=0.0)[1] == (0.5, 1.0)


@pytest.mark.parametrize("draw", DRAWS)
def test_litellm_adds_up_to_three_quarters_of_a_second(draw):
    """litellm 1.109.1: min(0.5 * 2^n, 8) + 0.75 u."""
    found = waits(of("litellm", max_attempts=7), SERVER, draw=draw)[1]
    assert found == pytest.approx([each + 0.75 * draw for each in (0.5, 1.0, 2.0, 4.0, 8.0, 8.0)])


def test_stamina_waits_at_least_its_back_off_and_at_most_five_seconds():
    """stamina 26.1.0, retry(): min(wait_max, wait_initial * 2^(n-1) + U(0, 1))."""
    found = {draw: waits(of("stamina"), SERVER, draw=draw)[1] for draw in DRAWS}
    assert found[0.0] == pytest.approx((0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 5.0, 5.0, 5.0))
    assert all(max(each) <= 5.0 for each in found.values())


def test_stamina_stops_after_forty_five_seconds_but_may_wait_beyond_them():
    """stamina 26.1.0: stop_after_delay looks at the time gone alone."""
    _, found = waits(of("stamina"), SERVER, latency_s=10.0, draw=0.0)
    assert found == pytest.approx((0.1, 0.2, 0.4, 0.8))
    _, found = waits(of("stamina", deadline_s=40.6), SERVER, latency_s=10.0, draw=0.999)
    assert len(found) == 3


def test_tenacity_without_arguments_retries_for_ever_at_once():
    """tenacity 9.2.1, README: the default is to retry forever without waiting."""
    assert waits(of("tenacity"), SERVER, most=500) == (RETRY, (0.0,) * 500)


@pytest.mark.parametrize(("preset", "most"), [("aws-standard-2020", 100), ("aws-standard-2026", 35)])
def test_aws_pays_for_so_many_failing_retries_from_full(preset, most):
    """botocore, quota.py: 500 tokens, a retry costs 5 (2020) or 14 (2026)."""
    assert granted(*store(preset)) == most


def test_aws_2020_pays_for_fifty_timeouts_and_2026_for_a_hundred_throttled_calls():
    """botocore 1.43.0: _TIMEOUT_RETRY_REQUEST 10; 1.44.5: _THROTTLING_RETRY_COST 5, timeouts as anything else."""
    assert granted(*store("aws-standard-2020"), failure=Failure(1)) == 50
    assert granted(*store("aws-standard-2026"), failure=Failure(5)) == 100
    assert granted(*store("aws-standard-2026"), failure=Failure(1)) == 35


def test_aws_first_waits_changed_twentyfold_in_2026():
    """botocore: U(0, 1) * 2^(i-1) s before, U(0, 1) * 0.05 * 2^(i-1) s after 10 November 2026; throttled as before."""
    assert waits(of("aws-standard-2020"), SERVER)[1] == (0.5, 1.0)
    assert waits(of("aws-standard-2026"), SERVER)[1] == (0.025, 0.05)
    assert waits(of("aws-standard-2026"), Failure(5))[1] == (0.5, 1.0)


@pytest.mark.parametrize("seed", range(10))
def test_full_jitter_of_aws_is_uniform_from_zero(seed):
    """botocore: rand(0, 1) * min(...); 500 draws miss a tenth at either end with probability 1e-23."""
    rng = random.Random(seed)
    cfg = of("aws-standard-2020").transient
    assert (cfg.backoff, cfg.jitter) == (EXPONENTIAL, FULL)
    found = [backoff_s(cfg, 1, 0.0, 1.0, rng.random())[0] for _ in range(500)]
    assert 0.0 <= min(found) < 0.2
    assert 1.8 < max(found) < 2.0
