"""Signals are read from any row, never raise, and give DuckDB's fingerprint."""

import math

import duckdb
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from relkit.errors import SIGNAL_FIELDS, Signals, clean_message, fingerprint, read_signals

ANYTHING = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(), st.binary(), st.lists(st.integers()),
    st.characters(categories=["Cs"]),
)  # fmt: skip


class _Hostile:
    def __str__(self):
        raise RuntimeError("no text")

    @property
    def item(self):
        raise RuntimeError("no item")


def test_the_fields_stand_in_the_designed_order():
    assert SIGNAL_FIELDS == (
        "exception_type", "status", "code", "body_type", "errno", "sqlstate", "db_code", "grpc_code", "message",
    )  # fmt: skip


@pytest.mark.parametrize(
    "value", [429, 429.0, "429", " 429 ", "429.0", b"429", np.int64(429), np.float64(429), np.str_("429")]
)
def test_a_status_is_what_converts_to_a_whole_number(value):
    assert read_signals({"status": value}).status == 429


@pytest.mark.parametrize(
    "value",
    [None, 0, 99, 600, "LOADING", math.nan, math.inf, "1e400", 429.5, "", True, pd.NA, pd.NaT, _Hostile(), "٤٢٩"],
)
def test_what_is_no_http_status_is_nothing(value):
    assert read_signals({"status": value}).status is None


def test_module_names_go_and_empty_texts_are_nothing():
    signals = read_signals(
        {"exception_type": "openai.error.APIError", "code": "  ", "body_type": "", "message": "\0 \n"}
    )
    assert signals == Signals(exception_type="APIError")


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("redis.exceptions.ConnectionError", "redis.ConnectionError"),
        ("redis.ConnectionError", "redis.ConnectionError"),
        ("_duckdb.IOException", "duckdb.IOException"),
        ("psycopg_pool.PoolTimeout", "psycopg_pool.PoolTimeout"),
        ("requests.exceptions.ConnectionError", "ConnectionError"),
        ("ourredis.ConnectionError", "ConnectionError"),
        ("redis", "redis"),
    ],
)
def test_the_library_stays_where_its_classes_have_the_names_of_others(text, kept):
    signals = read_signals({"exception_type": text})
    assert signals.exception_type == kept
    assert read_signals({"exception_type": kept}) == signals


def test_a_column_of_codes_with_gaps_arrives_as_floats_and_reads_as_whole_numbers():
    assert read_signals({"code": 402.0}).code == "402"


def test_messages_are_redacted_masked_and_capped_in_this_order():
    assert clean_message("user bob1@example.org at 10:30") == "user [email] at #:#"
    long = clean_message("x" * 5000)
    assert len(long) == 500
    assert long.endswith("x…")
    assert len(clean_message("x" * 500)) == 500
    # 4,000 characters are read, however much the masks shorten them.
    assert clean_message("7" * 4000 + "tail") == "#"


def test_a_masked_message_stays_as_it_is():
    once = clean_message("Limit 6000, password=hunter2 " + "y" * 600)
    assert clean_message(once) == once


@given(st.dictionaries(st.sampled_from([*SIGNAL_FIELDS, "other"]), ANYTHING))
def test_reading_a_row_and_its_fingerprint_never_raise(row):
    assert 0 <= fingerprint(read_signals(row)) < 2**64


def test_hostile_values_and_hostile_rows_are_read_as_nothing():
    assert read_signals(dict.fromkeys(SIGNAL_FIELDS, _Hostile())) == Signals()
    assert read_signals(None) == Signals()


_TEXT = st.none() | st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1)


@settings(max_examples=60, deadline=None)
@given(st.builds(Signals, exception_type=_TEXT, status=st.none() | st.integers(100, 599), code=_TEXT, message=_TEXT))
def test_the_fingerprint_is_duckdbs_md5_number_upper(signals):
    joined = (
        "concat_ws(chr(31), " + ", ".join(f"coalesce(cast(${name} as varchar), '')" for name in SIGNAL_FIELDS) + ")"
    )
    values = {name: getattr(signals, name) for name in SIGNAL_FIELDS}
    with duckdb.connect() as con:
        assert con.execute(f"select md5_number_upper({joined})", values).fetchone() == (fingerprint(signals),)
