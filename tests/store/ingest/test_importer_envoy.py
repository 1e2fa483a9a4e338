"""Envoy and Istio: response flags, the number of tries, absent values, and one id that wanders from hop to hop."""

import json
from typing import Any

from importing import read, told
from workshop import Workshop

T_US = 1_795_000_000_123_000


def line(**more: Any) -> str:
    known = {
        "start_time": "2026-11-18T11:06:40.123Z",
        "method": "GET",
        "path": "/v1/x?key=y",
        "response_code": 200,
        "response_flags": "-",
        "duration": 12,
    }
    return (
        json.dumps({**known, "upstream_cluster": "shop", "authority": "shop.example.com", "request_id": None, **more})
        + "\n"
    )


FLAGS: list[tuple[str | None, int, dict[str, Any], str]] = [
    ("UO", 503, {}, "CIRCUIT_OPEN"),
    ("UT", 504, {}, "NETWORK_TIMEOUT"),
    ("UF", 503, {}, "NETWORK_ERROR"),
    ("UF,URX", 503, {"upstream_transport_failure_reason": "delayed connect error: 111"}, "NETWORK_REFUSED"),
    ("URX,UF", 503, {"upstream_transport_failure_reason": "TLS error: CERTIFICATE_VERIFY_FAILED"}, "NETWORK_TLS"),
    ("UF", 503, {"upstream_transport_failure_reason": "connection timeout"}, "NETWORK_TIMEOUT"),
    ("UC", 503, {}, "NETWORK_ERROR"),
    ("UR", 503, {}, "NETWORK_ERROR"),
    ("LR", 503, {}, "NETWORK_ERROR"),
    ("UPE", 502, {}, "NETWORK_ERROR"),
    ("UH", 503, {}, "MODEL_OVERLOADED"),
    ("NR", 404, {}, "API_NOT_FOUND"),
    ("RL", 429, {}, "API_RATE_LIMIT"),
    ("UAEX", 403, {}, "API_AUTH_ERROR"),
    ("DC", 0, {}, "CANCELLED"),
    ("SI", 408, {}, "NETWORK_TIMEOUT"),
    ("URX", 503, {}, "MODEL_OVERLOADED"),
    ("URX", 500, {}, "API_SERVER_ERROR"),
    ("FI", 500, {}, "API_SERVER_ERROR"),
    ("-", 429, {}, "API_RATE_LIMIT"),
    (None, 400, {}, "API_INVALID_REQUEST"),
]


def test_flags_say_the_kind(workshop: Workshop) -> None:
    lines = [
        line(response_flags=flags, response_code=code, request_id=f"{n:02d}", **more)
        for n, (flags, code, more, _) in enumerate(FLAGS)
    ]
    read(workshop, "".join(lines), "a.jsonl")
    assert told(workshop, "ok", "kind", "status") == [(False, kind, code or None) for _, code, _, kind in FLAGS]


def test_an_answer_that_was_cut_is_no_good_one(workshop: Workshop) -> None:
    good = {"-": True, "DI": True, "UC": False, "DC": False, "": True, "DI,UT": False}
    read(workshop, "".join(line(response_flags=flags, request_id=str(n)) for n, flags in enumerate(good)), "a.jsonl")
    assert [row[0] for row in told(workshop, "ok")] == list(good.values())


def test_earlier_tries_failed_in_a_way_nobody_tells(workshop: Workshop) -> None:
    read(workshop, line(upstream_request_attempt_count=3), "a.jsonl")
    assert told(workshop, "attempt", "ts", "latency_us", "ok", "status") == [
        (1, T_US, None, False, None),
        (2, T_US, None, False, None),
        (3, T_US, 12_000, True, 200),
    ]


def test_without_a_count_a_line_is_one_try(workshop: Workshop) -> None:
    counts = [None, "-", 0, 1, "1"]
    read(
        workshop,
        "".join(line(upstream_request_attempt_count=count, path=f"/{n}") for n, count in enumerate(counts)),
        "a.jsonl",
    )
    assert told(workshop, "attempt") == [(1,)] * 5


def test_one_request_id_from_hop_to_hop(workshop: Workshop) -> None:
    """The id is handed on: two calls below one request are two, and the sidecar that receives is not counted again."""
    lines = line(request_id="x", upstream_cluster="outbound|80||reviews.default.svc.cluster.local") + line(
        request_id="x",
        upstream_cluster="outbound|80|v2|ratings.default.svc.cluster.local",
        upstream_request_attempt_count=2,
    )
    outcome = read(workshop, lines + line(request_id="x", upstream_cluster="inbound|9080||"), "a.jsonl")
    assert (outcome.kept, outcome.rejected, outcome.left_out) == (3, 0, 1)
    assert sorted(told(workshop, "service", "attempt")) == [
        ("ratings.default.svc.cluster.local", 1),
        ("ratings.default.svc.cluster.local", 2),
        ("reviews.default.svc.cluster.local", 1),
    ]


def test_grpc_failures_come_with_status_200(workshop: Workshop) -> None:
    read(workshop, line(grpc_status="Unavailable") + line(grpc_status="OK", path="/b"), "a.jsonl")
    read(workshop, line(grpc_status="DeadlineExceeded", path="/c"), "b.jsonl")
    assert workshop.rows(
        "SELECT operation, ok, grpc_code FROM attempts LEFT JOIN fingerprints USING (fp) ORDER BY operation"
    ) == [
        ("GET /b", True, None),
        ("GET /c", False, "DEADLINE_EXCEEDED"),
        ("GET /v1/x", False, "UNAVAILABLE"),
    ]


def test_a_line_that_cannot_be_a_row_is_a_reject(workshop: Workshop) -> None:
    changes: dict[str, dict[str, Any]] = {
        "ts: no time": {"start_time": "yesterday"},
        "outside the years": {"start_time": "9999-12-31T23:59:59Z"},
        "no duration": {"duration": -1},
        "no HTTP status": {"response_code": 1000},
    }
    outcome = read(workshop, line() + "".join(line(**change) for change in changes.values()) + "{broken\n", "a.jsonl")
    assert (outcome.kept, outcome.rejected) == (1, 5)
    for (at, why, _), number, reason in zip(
        workshop.rejects(), range(2, 7), [*changes, "not a JSON object"], strict=True
    ):
        assert at == number
        assert reason in why
