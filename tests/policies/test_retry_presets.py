"""The retry presets: dated, sourced, as the plan wrote them, and as they should be."""

import re

import pytest

from relkit.errors import ADVICE, ErrorKind
from relkit.exceptions import ParameterError
from relkit.policies.failure import Failure, plan_failure
from relkit.policies.loop import settings_for, waits
from relkit.policies.presets import presets
from relkit.policies.retry import (
    CRITICAL,
    RETRY,
    STOP_ATTEMPTS,
    STOP_DEADLINE,
    STOP_MAYBE_EXECUTED,
    STOP_NOT_RETRYABLE,
    choose_strategy,
)
from relkit.policies.retry_budget import UNLIMITED
from relkit.policies.retry_presets import (
    RETRIES_ALONE,
    RETRY_PRESETS,
    WAIT_CASES,
    RetryPreset,
    case_waits,
    plan_hint_s,
)

PLAN, FIXED = RETRY_PRESETS["plan"].retry, RETRY_PRESETS["plan-fixed"].retry
PROMISED = [
    "plan",
    "plan-fixed",
    "plan-transient",
    "plan-rate-limited",
    "plan-critical",
    "plan-no-retry",
    "plan-aggressive",
    "plan-standard",
    "plan-conservative",
    "aws-standard-2020",
    "aws-standard-2026",
    "grpc-a6",
    "finagle",
    "envoy-retry",
    "stamina",
    "tenacity",
    "polly",
]
OURS = ("plan-fixed", "plan-aggressive", "plan-standard", "plan-conservative")


def code_of(kind):
    return ADVICE[kind].int_code


def test_every_promised_preset_is_there_and_joined_with_the_breakers():
    assert set(PROMISED) <= set(RETRY_PRESETS) <= set(presets)
    for name in RETRY_PRESETS:
        assert presets[name].retry == RETRY_PRESETS[name].retry
    assert presets["finagle"].breaker is not None, "finagle is one preset, breaker and budget"
    assert presets["finagle"].retry_budget == RETRY_PRESETS["finagle"].retry_budget
    assert all(presets[name].breaker is None for name in RETRIES_ALONE)


@pytest.mark.parametrize("name", RETRY_PRESETS)
def test_a_preset_says_when_and_where_its_numbers_come_from(name):
    preset = RETRY_PRESETS[name]
    assert re.fullmatch(r"20\d\d-\d\d(-\d\d)?", preset.dated)
    assert len(preset.source) > 20
    assert preset.source.endswith(".")


def test_the_names_the_plan_gives_no_values_say_so():
    for name in OURS[1:]:
        assert "gives no values; chosen by relkit" in RETRY_PRESETS[name].source


@pytest.mark.parametrize("name", OURS)
def test_relkits_own_loops_have_what_the_plan_lacks(name):
    """Jitter, a deadline, a budget, the guard for unsafe repeats, and no factor that hurries."""
    retry = RETRY_PRESETS[name].retry
    for cfg in (retry.transient, retry.rate_limited, retry.critical):
        assert cfg.jitter > 0
        assert cfg.deadline_s < float("inf")
        assert cfg.needs_budget
        assert cfg.guard_repeats
        assert cfg.timeout_factor >= 1.0
    with pytest.raises(ParameterError, match="retry_budget"):
        RetryPreset("2026-11", "no budget.", retry, UNLIMITED)


# The plan, literally


def test_a_wrong_key_selects_the_ten_retries_of_the_plan_and_is_saved_by_another_rule():
    wrong_key = plan_failure(code_of(ErrorKind.API_AUTH_ERROR))
    assert choose_strategy(PLAN.order, wrong_key) == CRITICAL
    assert settings_for(PLAN, wrong_key).max_attempts == 11
    assert waits(PLAN, wrong_key) == (STOP_NOT_RETRYABLE, ())


def test_a_typo_in_sql_is_tried_eleven_times_by_the_plan_over_65_and_a_half_seconds():
    code, found = waits(PLAN, Failure(code_of(ErrorKind.DATABASE_QUERY_ERROR), retryable=False))
    assert (code, len(found), sum(found)) == (STOP_ATTEMPTS, 10, 65.5)


def test_a_rate_limit_never_selects_the_plans_strategy_for_it():
    """Five tries within 4.0 s, where 5, 15 and 45 s were meant: the table's entries do not carry their name."""
    code, found = waits(PLAN, Failure(code_of(ErrorKind.API_RATE_LIMIT)))
    assert (code, len(found)) == (STOP_ATTEMPTS, 5)
    assert sum(found) == pytest.approx(3.956, abs=0.001)


def test_a_timeout_is_retried_by_the_plan_twice_as_fast():
    _, found = waits(PLAN, Failure(code_of(ErrorKind.NETWORK_TIMEOUT)))
    assert sum(found) == pytest.approx(0.66, abs=0.005)


def test_the_plans_own_rate_limit_strategy_passes_its_own_cap():
    _, found = waits(RETRY_PRESETS["plan-rate-limited"].retry, Failure(5))
    assert found == (15.0, 45.0, 135.0)


@pytest.mark.parametrize(
    ("header", "wait_s"),
    [
        ("120", 120.0),
        ("1.5", 1.0),
        ("2m59s", 2.0),
        ("-5", 0.001),
        ("0", 0.001),
        ("", 0.001),
        ("Wed, 21 Oct 2026 07:28:00 GMT", 0.001),
        ("2147483", 2147483.0),
        ("2147484", 0.001),
        ("99999999", 0.001),
        ("+7", 7.0),
        ("9" * 400, 0.001),
    ],
)
def test_the_plan_reads_a_header_by_parse_int_and_a_timer(header, wait_s):
    """Node.js fires a timer of NaN, of nothing or of more than 2^31 - 1 ms after 1 ms."""
    assert plan_hint_s(header) == wait_s


# The table of waits

TABLE = {
    "server error": ((STOP_ATTEMPTS, (0.1, 0.15, 0.225, 0.3375, 0.50625)), (STOP_ATTEMPTS, (0.05, 0.075))),
    "server error above load 0.8": ((STOP_ATTEMPTS, (0.2, 0.3, 0.45, 0.675, 1.0125)), (STOP_ATTEMPTS, (0.1, 0.15))),
    "connection refused": ((STOP_ATTEMPTS, (0.1, 0.15, 0.225, 0.3375, 0.50625)), (STOP_ATTEMPTS, (0.05, 0.075))),
    "timeout of a call that reads": (
        (STOP_ATTEMPTS, (0.05, 0.075, 0.1125, 0.16875, 0.253125)),
        (STOP_ATTEMPTS, (0.05, 0.075)),
    ),
    "timeout of a booking without key": (
        (STOP_ATTEMPTS, (0.05, 0.075, 0.1125, 0.16875, 0.253125)),
        (STOP_MAYBE_EXECUTED, ()),
    ),
    "rate limit without hint": (
        (STOP_ATTEMPTS, (0.3, 0.45, 0.675, 1.0125, 1.51875)),
        (STOP_DEADLINE, (7.5,)),
    ),
    "rate limit, Retry-After 10": ((STOP_ATTEMPTS, (10.0,) * 5), (STOP_DEADLINE, (10.5,))),
    "rate limit, Retry-After 3600": ((STOP_ATTEMPTS, (3600.0,) * 5), (STOP_DEADLINE, ())),
    "rate limit, Retry-After an HTTP date in 20 s": ((STOP_ATTEMPTS, (0.001,) * 5), (STOP_DEADLINE, (21.0,))),
    "wrong key (401)": ((STOP_NOT_RETRYABLE, ()), (STOP_NOT_RETRYABLE, ())),
    "typo in SQL": ((STOP_ATTEMPTS, (0.5, 1.0, 2.0, 4.0, 8.0, *(10.0,) * 5)), (STOP_NOT_RETRYABLE, ())),
    "database busy": ((STOP_ATTEMPTS, (0.1, 0.15, 0.225, 0.3375, 0.50625)), (STOP_ATTEMPTS, (0.05, 0.075))),
}


def test_the_table_of_waits_has_twelve_cases():
    assert [case.name for case in WAIT_CASES] == list(TABLE)


@pytest.mark.parametrize("case", WAIT_CASES, ids=lambda case: case.name)
def test_the_plan_and_its_corrected_form_wait_as_the_table_says(case):
    """At the median draw: what the plan's code does, and what plan-fixed does instead."""
    for retry, (code, found) in zip((PLAN, FIXED), TABLE[case.name], strict=True):
        told, waited = case_waits(retry, case)
        assert told == code
        assert waited == pytest.approx(found)


@pytest.mark.parametrize("case", WAIT_CASES, ids=lambda case: case.name)
@pytest.mark.parametrize("draw", [0.0, 0.5, 0.999])
@pytest.mark.parametrize("name", OURS)
def test_no_wait_of_relkits_own_passes_its_cap_and_no_call_its_deadline(name, case, draw):
    retry = RETRY_PRESETS[name].retry
    code, found = case_waits(retry, case, draw)
    cfg = settings_for(retry, case.failure)
    assert code != RETRY
    assert all(wait_s <= max(cfg.cap_s, cfg.hint_cap_s) for wait_s in found)
    assert sum(found) < cfg.deadline_s
