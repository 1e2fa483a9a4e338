"""LiteLLM: two tables and a payload, times in UTC without saying so, texts for yes and no, and tries that share a session."""

import csv
import io
import json
from typing import Any

import pytest
from importing import read, told
from workshop import Workshop

START_US = 1_795_000_000_000_000  # 2026-11-18T11:06:40Z


def row(number: int, at_s: float = 0, took_s: float = 1, **more: Any) -> dict[str, Any]:
    def stamp(s: float) -> str:
        return f"2026-11-18 11:{6 + int(40 + s) // 60:02d}:{(40 + s) % 60:06.3f}"

    known = {
        "request_id": f"r{number}",
        "call_type": "acompletion",
        "startTime": stamp(at_s),
        "endTime": stamp(at_s + took_s),
        "model": "gpt-4o",
    }
    return {
        **known,
        "custom_llm_provider": "openai",
        "session_id": "s",
        "status": "success",
        "spend": 0.00125,
        "cache_hit": "False",
        **more,
    }


def failed(number: int, at_s: float = 0, took_s: float = 1, **more: Any) -> dict[str, Any]:
    error = {
        "error_code": "429",
        "error_class": "RateLimitError",
        "error_message": "Rate limit reached for gpt-4o",
        "llm_provider": "openai",
    }
    metadata = json.dumps({"status": "failure", "error_information": error})
    return row(
        number, at_s, took_s, **{"status": "failure", "spend": 0, "prompt_tokens": 0, "metadata": metadata, **more}
    )


def array(*rows: dict[str, Any]) -> str:
    return json.dumps(list(rows))


def test_tries_of_a_session_after_a_failure_are_one_call(workshop: Workshop) -> None:
    read(workshop, array(failed(1, 0), failed(2, 1.5), row(3, 3, model="claude-3"), row(4, 5), failed(5, 7)), "a.json")
    assert told(workshop, "request_id", "attempt", "model", "kind") == [
        ("r1", 1, "gpt-4o", "API_RATE_LIMIT"),
        ("r1", 2, "gpt-4o", "API_RATE_LIMIT"),
        ("r1", 3, "claude-3", None),
        ("r4", 1, "gpt-4o", None),
        ("r5", 1, "gpt-4o", "API_RATE_LIMIT"),
    ]


def test_what_is_a_retry(workshop: Workshop) -> None:
    seconds: dict[str, tuple[dict[str, Any], int]] = {
        "soon after": (row(1, 30), 2),
        "long after": (row(2, 70), 1),
        "before it ended": (row(3, 0.5), 1),
        "of no session": (row(4, 3, session_id=""), 1),
    }
    firsts = [failed(n, request_id=f"{name} 1", session_id=name) for n, name in enumerate(seconds)]
    others = [
        {**second, "request_id": f"{name} 2", "session_id": second["session_id"] and name}
        for name, (second, _) in seconds.items()
    ]
    read(workshop, array(*firsts, *others), "a.json")
    assert workshop.rows("SELECT count(*), max(attempt) FROM attempts WHERE request_id = 'soon after 1'") == [(2, 2)]
    assert workshop.column("SELECT max(attempt) FROM attempts WHERE request_id <> 'soon after 1'") == [1]


def test_money_tokens_and_cache_as_they_are_written(workshop: Workshop) -> None:
    good = row(1, prompt_tokens=50, completion_tokens=20, cache_hit="True")
    unknown = row(2, 5, cache_hit="None", status=None)
    read(workshop, array(good, unknown, failed(3, 100)), "a.json")
    assert told(workshop, "ok", "cache_hit", "cost_microusd", "tokens_in", "tokens_out", "status") == [
        (True, True, 1250, 50, 20, None),
        (None, None, 1250, None, None, None),  # an older row that says nothing of its end is no success
        (False, False, 0, None, None, 429),  # nought tokens of a failure are a default, not a count
    ]


def test_times_are_utc_whatever_their_form(workshop: Workshop) -> None:
    iso = ["2026-11-18 11:06:40", "2026-11-18T11:06:40.000Z", "2026-11-18T12:06:40+01:00", "2026-11-18T11:06:40"]
    rows = [
        row(n, startTime=stamp, endTime=1795000001.5, session_id=str(n)) for n, stamp in enumerate([*iso, 1795000000.0])
    ]
    read(workshop, array(*rows), "a.json")
    assert told(workshop, "ts", "latency_us") == [(START_US, 1_500_000)] * 5


def test_a_try_without_an_end_has_the_duration_that_is_told(workshop: Workshop) -> None:
    read(workshop, array(row(1, endTime=None, request_duration_ms=250), row(2, endTime=None)), "a.json")
    assert told(workshop, "latency_us") == [(250_000,), (None,)]


def test_the_error_table_is_read_into_the_same_source(workshop: Workshop) -> None:
    """Successes and errors live in two tables; the error log says its model in another word."""
    error = {
        "request_id": "e1",
        "startTime": "2026-11-18 11:06:40",
        "endTime": "2026-11-18 11:06:50",
        "api_base": "https://api",
        "model_group": "gpt-4o",
    }
    error |= {
        "litellm_model_name": "azure/gpt-4o",
        "exception_type": "Timeout",
        "exception_string": "Request timed out",
        "status_code": "408",
    }
    read(workshop, array(row(1)), "spend.json")
    read(workshop, array(error), "errors.json")
    assert told(workshop, "source", "request_id", "model", "ok", "kind") == [
        ("litellm", "e1", "azure/gpt-4o", False, "NETWORK_TIMEOUT"),
        ("litellm", "r1", "gpt-4o", True, None),
    ]


def test_a_logging_payload(workshop: Workshop) -> None:
    payload = {
        "id": "p1",
        "trace_id": "t",
        "call_type": "completion",
        "startTime": 1795000000.25,
        "endTime": 1795000001.0,
        "model": "gpt-4o",
        "status": "failure",
    }
    payload |= {
        "response_cost": 0.5,
        "error_str": "gone",
        "error_information": {
            "error_code": "503",
            "error_class": "ServiceUnavailableError",
            "error_message": "overloaded",
        },
    }
    read(
        workshop,
        json.dumps(payload)
        + "\n"
        + json.dumps({**payload, "id": "p2", "startTime": 1795000002.0, "endTime": 1795000003.0, "status": "success"})
        + "\n",
        "a.jsonl",
    )
    assert told(workshop, "request_id", "attempt", "ts", "status", "kind", "cost_microusd") == [
        ("p1", 1, START_US + 250_000, 503, "MODEL_OVERLOADED", 500_000),
        ("p1", 2, START_US + 2_000_000, None, None, 500_000),
    ]


@pytest.mark.parametrize(
    "wrap",
    [
        json.dumps,
        lambda rows: json.dumps({"data": rows, "total": 2}),
        lambda rows: json.dumps(rows, indent=4),
    ],
)
def test_answers_of_the_interface(workshop: Workshop, wrap: Any) -> None:
    assert read(workshop, wrap([row(1), row(2, 9)]), "a.json").kept == 2


def test_a_csv_export_with_metadata_in_a_cell(workshop: Workshop) -> None:
    text = io.StringIO()
    writer = csv.DictWriter(text, list(failed(1)), lineterminator="\r\n")
    writer.writeheader()
    writer.writerows([failed(1, cache_hit=""), {**failed(2, 5), "endTime": "2026-11-18 11:06:40"}])
    outcome = read(workshop, text.getvalue(), "a.csv")
    assert (outcome.kept, outcome.rejected) == (1, 1)
    assert "no duration" in workshop.rejects()[0][1]
    assert told(workshop, "kind", "cache_hit") == [("API_RATE_LIMIT", None)]


def test_a_row_without_an_id_is_a_reject_and_one_told_twice_is_one(workshop: Workshop) -> None:
    outcome = read(workshop, array(row(1), row(1), {**row(2), "request_id": None}), "a.json")
    assert (outcome.kept, outcome.already_there, outcome.rejected) == (1, 1, 1)
    assert workshop.rejects()[0][:2] == (3, "has no request_id")
