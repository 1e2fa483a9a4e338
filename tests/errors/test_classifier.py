"""One failure, one answer: structure before words, no surprises, no exceptions."""

import json
import math
import subprocess
import sys
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relkit.errors import SIGNAL_FIELDS, Classification, ErrorKind, Signals, classify, load_rules, read_signals
from relkit.errors.classifier import fallback_strategy, should_alert, should_retry, user_message


def kind(**row):
    return classify(row).kind.value


def test_the_answer_has_the_designed_fields_in_order():
    assert tuple(Classification.__slots__) == (
        "kind", "retryable", "max_retries", "retry_after_s", "maybe_executed", "severity", "alert", "user_message",
        "fallback", "rule", "evidence",
    )  # fmt: skip


def test_who_raises_a_kind_by_name_is_believed():
    assert kind(code="BOOKING_CONFLICT", status=500) == "BOOKING_CONFLICT"


def test_a_body_code_beats_the_status():
    assert kind(status=429, code="insufficient_quota") == "API_QUOTA_EXHAUSTED"
    assert kind(status=400, code="ThrottlingException") == "API_RATE_LIMIT"
    assert kind(status=200, body_type="overloaded_error") == "MODEL_OVERLOADED"


def test_a_status_beats_words():
    assert kind(status=400, message="parameter 'timeout' must be a number") == "API_INVALID_REQUEST"
    assert kind(status=429, message="timed out waiting; maximum context length") == "API_RATE_LIMIT"
    assert kind(status=401, message="rate limit of 429 reached") == "API_AUTH_ERROR"


def test_transport_classes_beat_a_status_that_a_library_made_up():
    assert kind(exception_type="litellm.Timeout", status=408) == "NETWORK_TIMEOUT"
    assert kind(exception_type="aiohttp.ClientPayloadError", status=400) == "NETWORK_ERROR"


def test_timeouts_are_known_in_any_letter_case_and_without_words():
    assert kind(message="Request timed out.") == "NETWORK_TIMEOUT"
    assert kind(message="TIMEOUT") == "NETWORK_TIMEOUT"
    assert kind(exception_type="asyncio.TimeoutError", message="") == "NETWORK_TIMEOUT"


def test_pool_text_is_the_databases_though_it_says_timeout():
    assert kind(message="QueuePool limit of size 5 overflow 10 reached, connection timed out") == "DATABASE_ERROR"


def test_max_tokens_is_not_about_context():
    assert kind(status=400, message="max_tokens is too large: 32768") == "API_INVALID_REQUEST"


def test_a_sql_typo_is_permanent_and_a_locked_file_is_not():
    assert not classify({"exception_type": "sqlite3.OperationalError", "db_code": "SQLITE_ERROR"}).retryable
    assert classify({"exception_type": "sqlite3.OperationalError", "db_code": "SQLITE_BUSY"}).retryable


def test_nothing_to_go_on_is_unknown_and_not_retried():
    for row in ({}, {"message": "<generator object Response.iter_lines at 0xADDR>"}, {"status": 302}):
        answer = classify(row)
        assert (answer.kind, answer.retryable, answer.max_retries, answer.rule) == (ErrorKind.UNKNOWN, False, 0, "none")


@pytest.mark.parametrize(
    ("row", "executed"),
    [
        ({"code": "ECONNREFUSED"}, False),
        ({"exception_type": "ConnectionRefusedError"}, False),
        ({"exception_type": "ConnectTimeout"}, False),
        ({"exception_type": "PoolTimeout"}, False),
        ({"exception_type": "gaierror"}, False),
        ({"message": "[Errno -2] Name or service not known"}, False),
        ({"exception_type": "SSLCertVerificationError"}, False),
        ({"exception_type": "ReadTimeout"}, True),
        ({"exception_type": "litellm.Timeout", "status": 408}, True),
        ({"exception_type": "ConnectionResetError"}, True),
        ({"code": "ECONNRESET"}, True),
        ({"status": 500}, True),
        ({"status": 502}, True),
        ({"status": 504}, True),
        ({"status": 503}, False),
        ({"sqlstate": "57P01"}, True),
        ({"sqlstate": "40P01"}, False),
    ],
)
def test_whether_the_work_may_have_been_done(row, executed):
    assert classify(row).maybe_executed is executed


@pytest.mark.parametrize("status", [*range(400, 499), 429])
def test_a_4xx_did_nothing(status):
    assert not classify({"status": status}).maybe_executed or status == 460


def test_a_call_that_only_reads_changed_nothing():
    assert not classify({"status": 500, "method": "get"}).maybe_executed
    assert classify({"status": 500, "method": "POST"}).maybe_executed


@pytest.mark.parametrize(
    ("value", "wait_s"),
    [
        (20, 20.0),
        ("0.5", 0.5),
        (0, 0.0),
        *((junk, None) for junk in (-1, math.nan, math.inf, "1e400", "soon", None, True)),
    ],
)
def test_a_wait_is_finite_and_not_negative_or_nothing(value, wait_s):
    assert classify({"status": 429, "retry_after_s": value}).retry_after_s == wait_s


def test_an_unparsable_answer_is_worth_one_more_try():
    answer = classify({"status": 400, "code": "tool_use_failed"})
    assert (answer.retryable, answer.max_retries) == (True, 1)


def test_signals_and_rows_give_the_same_answer_but_for_the_wait_whose_digits_are_masked():
    row = {"exception_type": "openai.RateLimitError", "status": "429", "message": "Rate limit reached, retry in 20s"}
    assert classify(row).retry_after_s == 20.0
    assert classify(read_signals(row)) == replace(classify(row), retry_after_s=None)


def test_headers_and_body_of_a_row_are_read():
    headers = {"Retry-After": "7", "X-RateLimit-Remaining": "0"}
    answer = classify({"status": 403, "headers": headers})
    assert (answer.kind.value, answer.retryable, answer.retry_after_s) == ("API_RATE_LIMIT", True, 7.0)
    assert classify({"status": "403", "headers_json": json.dumps(headers)}) == answer
    assert kind(status=403, code="AccessDenied", headers=headers) == "API_AUTH_ERROR"
    assert kind(status=429, body='{"error": {"code": "insufficient_quota"}}') == "API_QUOTA_EXHAUSTED"
    assert kind(status=429, code="rate_limit_exceeded", body={"code": "insufficient_quota"}) == "API_RATE_LIMIT"


def test_the_server_may_forbid_every_retry_and_allow_one_where_waiting_can_help():
    def allowed(word, **row):
        answer = classify({**row, "headers": {"x-should-retry": word}})
        assert answer.max_retries == 0 or answer.retryable
        return answer.retryable

    assert not allowed("false", status=429)
    assert not allowed("false", status=500)
    assert allowed("true", status=501)
    assert allowed("true", status=302)
    assert not allowed("true", status=401)
    assert not allowed("true", status=429, code="insufficient_quota")
    assert allowed("perhaps", status=429)


def test_a_push_back_that_is_negative_forbids_a_retry():
    row = {"grpc_code": "UNAVAILABLE", "headers": {"grpc-retry-pushback-ms": "-1"}}
    assert not classify(row).retryable
    answer = classify({**row, "headers": {"grpc-retry-pushback-ms": "250"}})
    assert (answer.retryable, answer.retry_after_s) == (True, 0.25)


def test_an_error_inside_a_200_came_after_the_work_had_begun():
    assert classify({"status": 200, "body_type": "overloaded_error"}).maybe_executed
    assert not classify({"status": 529, "body_type": "overloaded_error"}).maybe_executed


def test_the_four_readers_are_those_of_the_answer():
    row = {"status": 400, "code": "context_length_exceeded"}
    answer = classify(row)
    assert should_retry(row) is answer.retryable
    assert user_message(row) == answer.user_message
    assert should_alert(row) is answer.alert
    assert fallback_strategy(row) == answer.fallback == "larger_window"


def test_the_answer_names_its_rule_and_what_it_saw():
    answer = classify({"status": 429})
    assert (answer.rule, answer.evidence) == ("status.rate", "status = 429")


def test_own_rules_replace_the_table():
    own = load_rules(
        '[[rule]]\nid = "teapot"\nkind = "CACHE_MISS"\nwhen = { status = 418 }\n'
        "examples = [{ status = 418 }]\ncounterexamples = [{ status = 404 }]"
    )
    assert classify({"status": 418}, own).rule == "teapot"
    assert classify({"status": 404}, own).kind is ErrorKind.UNKNOWN


_VALUE = st.none() | st.text() | st.integers() | st.floats() | st.binary() | st.lists(st.none())


@given(st.dictionaries(st.sampled_from([*SIGNAL_FIELDS, "retry_after_s", "method", "headers", "body"]), _VALUE))
def test_no_row_makes_it_raise(row):
    assert isinstance(classify(row), Classification)


def test_no_signals_make_it_raise():
    assert classify(Signals()).kind is ErrorKind.UNKNOWN


def test_classifying_loads_none_of_the_heavy_libraries_nor_those_that_raise():
    code = (
        "import sys; from relkit.errors import classify; classify({'status': 500}); "
        "print(sorted({'numpy', 'pandas', 'duckdb', 'scipy', 'matplotlib', 'httpx', 'requests'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_the_table_is_not_read_on_import():
    code = "import relkit.errors.rules.ruleset as rules; print(rules._own_rules.cache_info().currsize)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "0"
