"""User traffic: ids, order, retries, rhythm, latency and money."""

from collections import defaultdict
from itertools import pairwise

import numpy as np
import pytest

from relkit.simulation.demo_truth import read_truth
from relkit.units import US_PER_DAY, US_PER_HOUR, US_PER_SECOND


@pytest.fixture(scope="module")
def rows(demo, attempts):
    """User rows as dicts, with the true kind, in order."""
    names = list(attempts)
    return [
        dict(zip(names, values, strict=True), kind=kind)
        for *values, kind in zip(*attempts.values(), demo.true_kinds, strict=True)
        if values[names.index("role")] == "user"
    ]


@pytest.fixture(scope="module")
def requests(rows):
    """Rows by request, in order of attempt."""
    by_request = defaultdict(list)
    for row in rows:
        by_request[row["request_id"]].append(row)
    return by_request


def test_no_row_lies_outside_the_week(demo, attempts, pairs):
    start, end = demo.truth["start_us"], demo.truth["end_us"]
    for columns in (attempts, pairs):
        assert start <= min(columns["ts"])
        assert max(columns["ts"]) < end
    assert max(ts + (took or 0) for ts, took in zip(attempts["ts"], attempts["latency_us"], strict=True)) < end


def test_rows_are_in_order_of_time_and_keys_are_unique(attempts):
    assert attempts["ts"] == sorted(attempts["ts"])
    keys = list(zip(attempts["request_id"], attempts["attempt"], strict=True))
    assert len(set(keys)) == len(keys)


def test_attempts_count_from_one_and_start_after_the_earlier_one_ended(requests):
    for tries in requests.values():
        assert [row["attempt"] for row in tries] == list(range(1, len(tries) + 1))
        for earlier, later in pairwise(tries):
            assert later["ts"] > earlier["ts"] + earlier["latency_us"]
            assert earlier["ok"] is False
            assert (earlier["session_id"], earlier["service"]) == (later["session_id"], later["service"])
    assert {len(tries) for tries in requests.values()} == {1, 2, 3}


def test_only_retryable_kinds_are_tried_again_and_rate_limits_wait_as_asked(requests):
    retries = {shape.kind: shape.retries for shape in read_truth().errors}
    for tries in requests.values():
        for earlier, later in pairwise(tries):
            assert retries[earlier["kind"]] >= earlier["attempt"]
            limited = earlier["kind"] == "API_RATE_LIMIT"
            assert later["strategy"] == ("rate_limited" if limited else "transient")
            if limited:
                assert later["ts"] - earlier["ts"] - earlier["latency_us"] >= earlier["retry_after_us"] > 0
        if tries[-1]["ok"] is False and len(tries) < 3:
            assert retries[tries[-1]["kind"]] < len(tries)


def test_turns_of_a_session_do_not_overlap(requests):
    ended = {}
    for tries in sorted(requests.values(), key=lambda each: each[0]["ts"]):
        session = tries[0]["session_id"]
        assert tries[0]["ts"] >= ended.get(session, 0)
        ended[session] = tries[-1]["ts"] + (tries[-1]["latency_us"] or 0)


def test_the_third_try_goes_to_a_fallback_model_and_says_so(rows):
    names = [model.name for model in read_truth().models]
    for row in rows:
        if row["service"] == "booking-db":
            assert row["model"] is None
        else:
            assert (row["model"] == names[0]) == (row["attempt"] < 3)
        if row["ok"]:
            assert row["degraded"] == (row["model"] in names[1:])


def test_errors_have_signals_and_fine_rows_have_none(rows):
    for row in rows:
        signals = [row[name] for name in ("exception_type", "status", "code", "message", "retry_after_us")]
        if row["kind"] is None:
            assert signals == [None] * 5
            assert row["ok"] is not False
        else:
            assert row["exception_type"]
            assert row["ok"] is (row["kind"] == "CACHE_MISS")
        assert (row["retry_after_us"] is not None) == (row["kind"] == "API_RATE_LIMIT")


def test_lost_rows_know_no_end(rows):
    lost = [row for row in rows if not row["ended"]]
    assert len(lost) == 15
    for row in rows:
        assert (row["ok"] is None) == (row["latency_us"] is None) == (not row["ended"])


def test_four_in_five_requests_go_to_the_model(requests):
    share = np.mean([tries[0]["service"] == "groq" for tries in requests.values()])
    assert abs(share - 0.8) < 4 * np.sqrt(0.8 * 0.2 / len(requests))


def test_sessions_have_about_six_turns(requests, demo):
    # Standard deviation of a geometric number with mean 6 is sqrt(30); sessions cut by the week's end are few.
    assert abs(len(requests) / demo.truth["sessions"] - 6) < 4 * np.sqrt(30 / demo.truth["sessions"])


def test_no_hour_is_silent_the_afternoon_is_busiest_and_weekends_are_calmer(demo, requests):
    ts = np.array([tries[0]["ts"] for tries in requests.values()]) - demo.truth["start_us"]
    assert np.bincount(ts // US_PER_HOUR, minlength=168).min() > 20
    by_hour = np.bincount(ts // US_PER_HOUR % 24)
    assert 13 <= by_hour.argmax() <= 17
    assert by_hour.max() > 3 * by_hour.min()
    by_day = np.bincount(ts // US_PER_DAY)
    assert by_day[5:].max() < 0.75 * by_day[:5].min()


def test_p95_of_quiet_hours_is_below_two_seconds(demo, requests):
    hours = defaultdict(list)
    troubled = {
        hour
        for each in demo.truth["episodes"]
        for hour in range(each["start_us"] // US_PER_HOUR, each["end_us"] // US_PER_HOUR + 1)
    }
    for tries in requests.values():
        end = tries[-1]
        if end["latency_us"] is not None and tries[0]["ts"] // US_PER_HOUR not in troubled:
            hours[tries[0]["ts"] // US_PER_HOUR].append(end["ts"] + end["latency_us"] - tries[0]["ts"])
    assert len(hours) > 150
    assert max(np.quantile(spans, 0.95) for spans in hours.values()) < 2 * US_PER_SECOND


def test_the_brownout_is_four_times_as_slow(demo, rows):
    brownout = demo.truth["episodes"][2]
    slow, usual = [], []
    for row in rows:
        if row["service"] == "groq" and row["attempt"] == 1 and row["ok"] and not row["cache_hit"]:
            inside = brownout["start_us"] <= row["ts"] < brownout["end_us"]
            (slow if inside else usual).append(row["latency_us"])
    # The log-mean of n lognormals has standard error .6 / sqrt(n); cutting off at ten seconds moves it by under .01.
    assert abs(np.log(usual).mean() - np.log(450_000)) < 4 * 0.6 / np.sqrt(len(usual))
    assert abs(np.log(slow).mean() - np.log(1_800_000)) < 4 * 0.6 / np.sqrt(len(slow)) + 0.01


def test_money_follows_tokens_to_the_millionth(rows):
    prices = {model.name: (model.cents_in, model.cents_out) for model in read_truth().models}
    paid = 0
    for row in rows:
        if row["tokens_in"] is None:
            assert row["cost_microusd"] is row["tokens_out"] is None
            continue
        paid += 1
        cents_in, cents_out = prices[row["model"]]
        exact = (row["tokens_in"] * cents_in + row["tokens_out"] * cents_out) / 100
        assert abs(row["cost_microusd"] - exact) <= 0.5
        assert row["ok"] is True
        assert row["cache_hit"] is False
    assert paid > 40_000


def test_background_faults_are_about_one_attempt_in_a_thousand(demo, rows):
    retries = {shape.kind: shape.retries for shape in read_truth().errors}
    outside = [
        row
        for row in rows
        if not any(each["start_us"] <= row["ts"] < each["end_us"] + 60 * 10**6 for each in demo.truth["episodes"])
    ]
    passing = sum(row["ok"] is False and retries[row["kind"]] > 0 for row in outside)
    assert 0.0005 < passing / len(outside) < 0.002
