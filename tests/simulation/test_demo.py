"""The demo week as a whole: the same from the same seed, of the shape its tables need, and true to what it says."""

import json
import math
import re
from collections import Counter
from importlib import resources

import numpy as np
import pytest

from relkit.simulation.demo import SEED, demo_week, write_demo
from relkit.simulation.demo_truth import read_truth

PLAN_KINDS = {
    "NETWORK_TIMEOUT", "NETWORK_REFUSED", "API_RATE_LIMIT", "API_AUTH_ERROR", "API_INVALID_REQUEST", "MODEL_OVERLOADED",
    "MODEL_CONTEXT_LENGTH", "BOOKING_CONFLICT", "VALIDATION_ERROR", "DATABASE_ERROR", "CACHE_MISS",
}  # fmt: skip
MORE_KINDS = {
    "DATABASE_QUERY_ERROR", "API_SERVER_ERROR", "MODEL_OUTPUT_INVALID", "CANCELLED", "PROGRAMMING_ERROR",
    "API_NOT_FOUND", "UNKNOWN", "NETWORK_ERROR",
}  # fmt: skip
KEY = re.compile("gsk" + "_[A-Za-z0-9]{40}")


def table_columns(table):
    """Column names of a table in the store's schema, without those the store adds itself."""
    schema = resources.files("relkit.store").joinpath("schema.sql").read_text(encoding="utf-8")
    if table == "attempts":  # a view; the table behind it has the columns that some log has filled
        body = re.search(r"CREATE VIEW attempts AS SELECT\n(.*?)\nFROM", schema, re.DOTALL).group(1)
        named = re.findall(r"^    \S.*? AS (\w+)(?:,| |$)(?! AS)", re.sub(r"AS \w+\)", ")", body), re.MULTILINE)
    else:
        body = re.search(rf"CREATE TABLE {table} \((.*?)\n\);", schema, re.DOTALL).group(1)
        named = re.findall(r"^    (\w+) ", body, re.MULTILINE)
    return set(named) - {"source", "ingest_id", "line_hash"}


def test_equal_seeds_give_equal_weeks_and_other_seeds_others(demo):
    again = demo_week()
    assert again == demo
    other = demo_week(7)
    assert other.batches != demo.batches
    assert other.truth["seed"] == 7


def test_seed_and_week_are_fixed(demo):
    assert (SEED, demo.truth["seed"], demo.truth["week"]) == (20251008, 20251008, "2026-W47")
    assert demo.truth["end_us"] - demo.truth["start_us"] == 7 * 86400 * 10**6
    assert np.datetime64(demo.truth["start_us"], "us") == np.datetime64("2026-11-16T00:00:00")


def test_the_default_week_has_the_counts_that_others_rely_on(demo):
    """Counts, not bytes: the report's sample and the notebooks quote them."""
    truth = demo.truth
    assert (truth["requests"], truth["attempts"], truth["probes"], truth["requests_failed"]) == (60050, 60743, 339, 282)
    assert [(each["attempts"], each["failed"]) for each in truth["episodes"]] == [(192, 192), (847, 498), (1418, 74)]
    assert truth["pairs"]["cells"] == {"a": 7171, "b": 614, "c": 434, "d": 535}


def test_columns_are_those_of_the_store(demo):
    attempts, faults, pairs = (set(batch.columns) for batch in demo.batches)
    signals = {"exception_type", "code", "message"}
    assert attempts - signals <= table_columns("attempts")
    assert table_columns("attempts") - attempts == {"fp", "budget_left", "policy_hash"}
    assert signals <= table_columns("fingerprints")
    assert faults == table_columns("faults")
    assert pairs == table_columns("pairs")


@pytest.mark.parametrize("place", [0, 1, 2])
def test_columns_have_one_length_and_hold_plain_values(demo, place):
    columns = demo.batches[place].columns
    assert {len(values) for values in columns.values()} == {len(demo.batches[place])}
    for values in columns.values():
        assert isinstance(values, list)
        assert {type(value) for value in values} <= {int, str, bool, type(None)}
        assert len({type(value) for value in values} - {type(None)}) <= 1


def test_truth_survives_json(demo):
    assert json.loads(json.dumps(demo.truth)) == demo.truth


def test_writing_hands_over_the_batches_and_returns_the_truth(demo):
    seen = []
    assert write_demo(seen.append) == demo.truth
    assert tuple(seen) == demo.batches


def test_every_promised_kind_occurs_at_least_five_times(demo):
    kinds = demo.truth["kinds"]
    assert {kind for kind, count in kinds.items() if count >= 5} == PLAN_KINDS | MORE_KINDS
    assert kinds["UNKNOWN"] == 20


def test_counts_of_kinds_are_those_of_the_rows(demo, attempts):
    for role, name in (("user", "kinds"), ("probe", "probe_kinds")):
        rows = Counter(
            kind for kind, each in zip(demo.true_kinds, attempts["role"], strict=True) if each == role and kind
        )
        assert rows == demo.truth[name]


def test_planted_errors_come_in_the_numbers_of_the_file(demo):
    planted = Counter()
    for shape in read_truth().errors:
        planted[shape.kind] += shape.count
    for kind, count in planted.items():
        assert demo.truth["kinds"][kind] >= count
    for kind in ("API_AUTH_ERROR", "BOOKING_CONFLICT", "VALIDATION_ERROR", "CANCELLED", "UNKNOWN", "CACHE_MISS"):
        assert demo.truth["kinds"][kind] == planted[kind]  # never retried, in no episode


def test_the_availability_objective_is_clearly_missed(demo):
    truth = demo.truth
    share = truth["requests_ok"] / (truth["requests_ok"] + truth["requests_failed"])
    assert 0.993 < share < 0.997
    assert truth["requests"] == truth["requests_ok"] + truth["requests_failed"] + truth["requests_unknown"]
    assert sum(truth["failed_requests"].values()) == truth["requests_failed"]
    assert truth["requests_unknown"] == 15
    assert 58_000 < truth["requests"] < 62_000


def test_outcomes_recounted_from_the_rows_agree_with_the_truth(demo, attempts):
    last = {}
    for request, attempt, role, ok, kind in zip(
        *(attempts[name] for name in ("request_id", "attempt", "role", "ok")), demo.true_kinds, strict=True
    ):
        if role == "user" and attempt > last.get(request, (0,))[0]:
            last[request] = (attempt, ok, kind)
    outcomes = Counter(ok for _, ok, _ in last.values())
    assert outcomes == {
        True: demo.truth["requests_ok"],
        False: demo.truth["requests_failed"],
        None: demo.truth["requests_unknown"],
    }
    assert Counter(kind for _, ok, kind in last.values() if ok is False) == demo.truth["failed_requests"]


def test_episodes_fail_as_often_as_they_say_over_twelve_seeds(weeks):
    """Each share within 4 standard errors of its expectation, 36 comparisons: false alarm about 0.2 %.

    The brownout's expectation is that of the primary model; its fallback tries, a few in a thousand, move it by less
    than a tenth of a standard error.
    """
    for truth, _ in weeks:
        for episode in truth["episodes"]:
            n, share = episode["attempts"], episode["expected_share"]
            assert n > 100
            assert abs(episode["failed"] - n * share) <= 4 * math.sqrt(n * share * (1 - share)), (
                truth["seed"],
                episode,
            )


def test_most_of_the_rate_limited_recover_and_a_clear_share_does_not(demo, attempts):
    fault = demo.truth["episodes"][1]
    outcome = {}
    for request, attempt, ts, ok, status in zip(
        *(attempts[name] for name in ("request_id", "attempt", "ts", "ok", "status")), strict=True
    ):
        inside = fault["start_us"] <= ts < fault["end_us"]
        if request in outcome or (attempt == 1 and status == 429 and inside):
            outcome[request] = ok
    first, recovered = len(outcome), sum(map(bool, outcome.values()))
    failed = first - recovered
    assert first > 200
    assert recovered > failed > 0.2 * first


def test_messages_hold_what_redaction_must_find(demo, attempts):
    messages = [text for text in attempts["message"] if text]
    assert sum(bool(KEY.search(text)) for text in messages) >= 10
    assert sum("@example.com" in text for text in messages) >= 10
    assert len({text for text in messages if "try again in" in text}) > 400  # digits to mask, or each is its own error
    assert not any("$" in text for text in messages)


def test_errors_that_differ_in_digits_alone_are_few(attempts):
    """Masked digits leave about one text an error and model; request ids, keys and addresses make some dozens more."""
    masked = {re.sub(r"\d", "#", text) for text in attempts["message"] if text}
    assert len(masked) < 100 < len(set(filter(None, attempts["message"])))


def test_no_file_holds_a_key():
    for name in ("demo.toml", "demo_rows.py"):
        assert not KEY.search(resources.files("relkit.simulation").joinpath(name).read_text(encoding="utf-8"))


def test_probes_fail_in_the_outage_and_only_there(demo, attempts):
    outage = demo.truth["episodes"][0]
    probes = [row for row in zip(attempts["ts"], attempts["role"], attempts["ok"], strict=True) if row[1] == "probe"]
    assert 300 <= len(probes) == demo.truth["probes"] <= 360
    assert {ts for ts, _, ok in probes if not ok} == {
        ts for ts, _, _ in probes if outage["start_us"] <= ts < outage["end_us"]
    }
    assert sum(not ok for _, _, ok in probes) >= 3
