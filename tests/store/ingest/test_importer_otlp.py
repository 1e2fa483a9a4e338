"""OpenTelemetry spans: which ones are tries, which tries are one request, and what they say of the outcome."""

import json
from typing import Any

from importing import read, told
from workshop import Workshop

T = 1_795_000_000_000_000_000
US = 1_000


def kv(**attributes: Any) -> list[dict[str, Any]]:
    """Attributes; a double underscore stands for a dot."""
    kinds = {str: "stringValue", int: "intValue", bool: "boolValue", float: "doubleValue"}
    return [
        {"key": name.replace("__", "."), "value": {kinds[type(value)]: value}} for name, value in attributes.items()
    ]


def span(number: int, start_ms: float, took_ms: float, parent: str = "p", **more: Any) -> dict[str, Any]:
    fields = {
        "traceId": "t",
        "kind": 3,
        "status": {},
        **{name: more.pop(name) for name in ("traceId", "kind", "status", "events") if name in more},
    }
    start = T + int(start_ms * 1e6)
    times = {"startTimeUnixNano": start, "endTimeUnixNano": start + int(took_ms * 1e6)}
    return {"spanId": f"s{number}", "parentSpanId": parent, **times, "attributes": kv(**more), **fields}


def http(number: int, start_ms: float, took_ms: float, status: int = 200, **more: Any) -> dict[str, Any]:
    named = {"http__request__method": "GET", "http__response__status_code": status, "server__address": "api"}
    return span(number, start_ms, took_ms, **{**named, **more})


def export(*spans: dict[str, Any]) -> str:
    return (
        json.dumps(
            {
                "resourceSpans": [
                    {"resource": {"attributes": kv(service__name="shop")}, "scopeSpans": [{"spans": list(spans)}]}
                ]
            }
        )
        + "\n"
    )


def requests(workshop: Workshop) -> list[tuple[Any, ...]]:
    return told(workshop, "request_id", "attempt")


def test_what_is_a_retry_of_what(workshop: Workshop) -> None:
    """Each case is a trace: a failed call, and what came after it under the same parent, or not."""
    seconds: dict[str, tuple[dict[str, Any], bool]] = {
        "after it failed": ({}, True),
        "beside it": ({"start_ms": 5}, False),
        "other address": ({"url__full": "https://api/other"}, False),
        "other query": ({"url__full": "https://api/first?nonce=2"}, True),
        "other parent": ({"parent": "q"}, False),
        "other method": ({"http__request__method": "POST"}, False),
        "resend": ({"http__request__resend_count": 1, "start_ms": 5}, True),
    }
    spans = []
    for number, (name, (change, _)) in enumerate(seconds.items()):
        address = {"url__full": "https://api/first?nonce=1"}
        spans.append(http(2 * number, 0, 10, 503, traceId=name, **address))
        start_ms = change.get("start_ms", 20)
        more = {**address, **{key: value for key, value in change.items() if key != "start_ms"}}
        spans.append(http(2 * number + 1, start_ms, 10, traceId=name, **more))
    read(workshop, export(*spans), "a.jsonl")
    found = dict(
        workshop.rows("SELECT regexp_extract(request_id, '(.*)-', 1), max(attempt) FROM attempts GROUP BY ALL")
    )
    assert found == {name: 2 if joined else 1 for name, (_, joined) in seconds.items()}


def test_a_call_that_follows_a_good_one_is_a_call_of_its_own(workshop: Workshop) -> None:
    """An agent asks ten times below one span; these are ten requests."""
    read(workshop, export(*(http(n, n * 20, 10) for n in range(10))), "a.jsonl")
    assert [attempt for _, attempt in requests(workshop)] == [1] * 10
    assert len({request for request, _ in requests(workshop)}) == 10


def test_counted_resends_decide_where_there_are_any(workshop: Workshop) -> None:
    first = [http(1, 0, 10, 503), http(2, 20, 10, 503, http__request__resend_count=1)]
    read(workshop, export(*first, http(3, 40, 10), http(4, 60, 10, 503)), "a.jsonl")
    assert [attempt for _, attempt in sorted(requests(workshop))] == [1, 2, 1, 1], (
        "the third follows a failure, and is no resend"
    )


def test_a_resend_is_one_even_when_the_first_try_was_no_failure(workshop: Workshop) -> None:
    read(workshop, export(http(1, 0, 10, 302), http(2, 10, 10, http__request__resend_count=1)), "a.jsonl")
    assert [attempt for _, attempt in requests(workshop)] == [1, 2]


def test_server_and_inner_spans_are_left_out(workshop: Workshop) -> None:
    others = [
        http(3, 0, 50, kind=2),
        span(4, 0, 50, kind=1),
        span(5, 0, 5, db__system="postgresql"),
        http(6, 0, 9, kind="SPAN_KIND_SERVER"),
    ]
    outcome = read(workshop, export(http(1, 0, 10), *others), "a.jsonl")
    assert (outcome.read, outcome.kept, outcome.left_out) == (1, 1, 4)


GENAI = {"gen_ai__operation__name": "chat", "gen_ai__provider__name": "openai", "gen_ai__request__model": "gpt-4o"}
TOKENS = {"gen_ai__usage__input_tokens": 50, "gen_ai__usage__output_tokens": 20, "gen_ai__conversation__id": "c1"}


def test_a_genai_span_alone_is_a_try(workshop: Workshop) -> None:
    old = {
        "gen_ai__system": "openai",
        "gen_ai__request__model": "gpt-4",
        "gen_ai__usage__prompt_tokens": 5,
        "gen_ai__usage__completion_tokens": 7,
    }
    read(
        workshop,
        export(span(1, 0, 10, **GENAI, **TOKENS), span(2, 100, 10, "q", **old), span(3, 200, 10, "r", **GENAI)),
        "a.jsonl",
    )
    assert told(workshop, "ok", "service", "model", "operation", "session_id", "tokens_in", "tokens_out") == [
        (True, "openai", "gpt-4o", "chat", "c1", 50, 20),
        (True, "openai", "gpt-4", None, None, 5, 7),
        (None, "openai", "gpt-4o", "chat", None, None, None),  # unset status, and nothing tells of an answer
    ]


def test_a_genai_span_over_http_spans_lends_its_words_and_is_not_counted_again(workshop: Workshop) -> None:
    above = {**span(1, 0, 50, **GENAI, **TOKENS), "spanId": "g"}
    tries = [
        http(2, 1, 10, 503, parent="g", server__address="api.openai.com"),
        http(3, 20, 10, parent="g", server__address="api.openai.com"),
    ]
    outcome = read(workshop, export(*tries, above), "a.jsonl")
    assert (outcome.kept, outcome.left_out) == (2, 1)
    assert told(workshop, "attempt", "service", "model", "session_id", "tokens_in", "status") == [
        (1, "openai", "gpt-4o", "c1", None, 503),
        (2, "openai", "gpt-4o", "c1", 50, 200),  # tokens once, whatever the number of tries
    ]


def test_spans_that_hold_calls_are_no_calls(workshop: Workshop) -> None:
    agent = {**GENAI, "gen_ai__operation__name": "invoke_agent"}
    tool = {**GENAI, "gen_ai__operation__name": "execute_tool"}
    outcome = read(
        workshop,
        export(span(1, 0, 90, **agent), span(2, 5, 10, "s1", **GENAI), span(3, 30, 10, "s1", **tool)),
        "a.jsonl",
    )
    assert (outcome.kept, outcome.left_out) == (1, 2)


def test_a_model_that_follows_a_failed_one_is_its_fallback(workshop: Workshop) -> None:
    failed = span(1, 0, 10, **GENAI, error__type="429", status={"code": 2})
    read(
        workshop, export(failed, span(2, 20, 10, **{**GENAI, "gen_ai__request__model": "claude"}, **TOKENS)), "a.jsonl"
    )
    assert told(workshop, "attempt", "model", "ok", "kind") == [
        (1, "gpt-4o", False, "API_RATE_LIMIT"),
        (2, "claude", True, None),
    ]


def exception(kind: str, message: str) -> list[dict[str, Any]]:
    return [{"name": "exception", "attributes": kv(exception__type=kind, exception__message=message)}]


def test_kinds_come_from_error_type_events_and_status(workshop: Workshop) -> None:
    refused = exception("requests.exceptions.ConnectionError", "Connection refused")
    limited = exception("openai.RateLimitError", "Rate limit reached")
    cases: list[tuple[dict[str, Any], str]] = [
        ({"error__type": "java.net.SocketTimeoutException"}, "NETWORK_TIMEOUT"),
        ({"error__type": "_OTHER", "events": refused}, "NETWORK_REFUSED"),
        ({"error__type": "timeout"}, "NETWORK_TIMEOUT"),
        ({"events": limited, "status": {"code": "STATUS_CODE_ERROR"}}, "API_RATE_LIMIT"),
        ({"status": {"code": 2, "message": "upstream connect error: Connection reset by peer"}}, "NETWORK_ERROR"),
        ({"error__type": "503"}, "MODEL_OVERLOADED"),
    ]
    spans = [span(n, 0, 10, f"p{n}", http__request__method="GET", **more) for n, (more, _) in enumerate(cases)]
    read(workshop, export(*spans), "a.jsonl")
    assert told(workshop, "ok", "kind") == [(False, kind) for _, kind in cases]


def test_no_status_and_no_error_is_unknown(workshop: Workshop) -> None:
    unset, said = span(1, 0, 10, http__method="GET"), span(2, 0, 10, "q", http__method="GET", status={"code": 1})
    read(workshop, export(unset, said), "a.jsonl")
    assert told(workshop, "ok") == [(None,), (True,)]


def test_times_are_texts_or_numbers_in_nanoseconds(workshop: Workshop) -> None:
    spans = []
    forms: list[Any] = [str, int, lambda ns: f"{ns}.0", float]
    for number, form in enumerate(forms):
        one = http(number, 0, 12.345, parent=f"p{number}")
        spans.append(one | {name: form(one[name]) for name in ("startTimeUnixNano", "endTimeUnixNano")})
    read(workshop, export(*spans), "a.jsonl")
    assert told(workshop, "ts", "latency_us") == [(T // US, 12_345)] * 4


def test_a_span_without_end_has_not_ended(workshop: Workshop) -> None:
    read(workshop, export({**http(1, 0, 0), "endTimeUnixNano": "0"}), "a.jsonl")
    assert told(workshop, "ended", "latency_us") == [(False, None)]


def test_a_span_that_cannot_be_a_row_is_a_reject_with_its_line(workshop: Workshop) -> None:
    far = 5_000_000_000_000_000_000
    changes: list[tuple[dict[str, Any], str]] = [
        ({"endTimeUnixNano": T - 1_000_000}, "latency_us: '-1000000' is no duration"),
        ({"startTimeUnixNano": 0}, "ts: no time"),
        ({"startTimeUnixNano": "soon"}, "ts: no time"),
        ({"startTimeUnixNano": 253_402_300_000_000_000_000}, "ts: no time"),
        ({"startTimeUnixNano": far, "endTimeUnixNano": far}, "outside the years 1990 to 2100"),
        ({"spanId": ""}, "has no traceId or no spanId"),
        ({"attributes": kv(http__method="GET", http__status_code=999)}, "is no HTTP status"),
    ]
    lines = [
        export(http(2 * n, 0, 10), {**http(2 * n + 1, 0, 10, parent=f"p{n}"), **change})
        for n, (change, _) in enumerate(changes)
    ]
    outcome = read(workshop, "".join(lines), "a.jsonl")
    assert (outcome.kept, outcome.rejected) == (len(changes), len(changes))
    for (line, why, raw), number, (_, reason) in zip(workshop.rejects(), range(1, 8), changes, strict=True):
        assert line == number
        assert reason in why
        assert raw.startswith('{"resourceSpans"')


def test_lines_of_other_signals_are_no_rejects_and_broken_lines_are(workshop: Workshop) -> None:
    lines = [
        export(http(1, 0, 10)),
        '{"resourceMetrics":[]}\n',
        '{"resourceLogs":[{}]}\n',
        '{"a":1}\n',
        "[1]\n",
        '{"resourceSpans":[{\n',
        '{"resourceSpans":[]}\n',
    ]
    outcome = read(workshop, "".join(lines), "a.jsonl")
    assert (outcome.kept, outcome.rejected) == (1, 3)
    assert [(line, why) for line, why, _ in workshop.rejects()] == [
        (4, "has no resourceSpans"),
        (5, "has no resourceSpans"),
        (6, "not a JSON object"),
    ]


def test_a_span_that_was_exported_twice_is_one(workshop: Workshop) -> None:
    lines = export(http(1, 0, 10, 503), http(2, 20, 10)) + export(http(1, 0, 10, 503))
    outcome = read(workshop, lines, "a.jsonl")
    assert (outcome.kept, outcome.already_there) == (2, 1)
    assert [attempt for _, attempt in requests(workshop)] == [1, 2]


def test_a_parent_that_comes_later_puts_its_tries_right(workshop: Workshop) -> None:
    """Spans are written when they end, so the call above the tries stands below them, often in a later batch."""
    tries = export(http(2, 1, 10, 503, parent="g"), http(3, 20, 10, parent="g"))
    above = export({**span(1, 0, 50, **GENAI, **TOKENS), "spanId": "g"})
    read(workshop, tries, "a.jsonl")
    assert told(workshop, "model") == [(None,), (None,)]
    outcome = read(workshop, tries + above, "a.jsonl")
    assert told(workshop, "attempt", "model") == [(1, "gpt-4o"), (2, "gpt-4o")]
    assert outcome.kept == 0


def test_retry_after_in_both_forms(workshop: Workshop) -> None:
    waits_us = {"2": 2_000_000, "Wed, 18 Nov 2026 11:06:50 GMT": 9_990_000, "-1": None, "soon": None}
    spans = []
    for number, value in enumerate(waits_us):
        one = http(number, 0, 10, 429, parent=f"p{number}")
        header = {
            "key": "http.response.header.retry-after",
            "value": {"arrayValue": {"values": [{"stringValue": value}]}},
        }
        one["attributes"].append(header)
        spans.append(one)
    read(workshop, export(*spans), "a.jsonl")
    assert [row[0] for row in told(workshop, "retry_after_us")] == list(waits_us.values())


def test_addresses_lose_their_parameters_and_passwords(workshop: Workshop) -> None:
    one = span(
        1,
        0,
        10,
        http__method="GET",
        http__status_code=200,
        http__url="https://me:secret@api.example.com:8443/v1/x?token=abc#f",
    )
    read(workshop, export(one), "a.jsonl")
    assert told(workshop, "service", "operation") == [("api.example.com", "GET /v1/x")]


def test_older_scopes_are_read_too(workshop: Workshop) -> None:
    line = export(http(1, 0, 10)).replace("scopeSpans", "instrumentationLibrarySpans")
    assert read(workshop, line, "a.jsonl").kept == 1
