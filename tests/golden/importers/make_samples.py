"""One afternoon of calls that we made up, written as five tools would have logged it: `python make_samples.py`.

The calls come first, with every try's time and end. Each writer then says of them what its tool says, in the tool's own
units and habits. truth.csv holds the tries themselves, so that what an importer makes of a sample can be compared.
"""

import csv
import gzip
import io
import json
import random
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

HERE = Path(__file__).parent
SEED = 20261116
CALLS = 400
START_US = 1_794_816_000_000_000  # 2026-11-16T08:00:00Z

# what happened: HTTP status, exception, message, may it be tried again
ENDS = {
    "ok": (200, "", "", False),
    "overloaded": (503, "httpx.HTTPStatusError", "Server error '503 Service Unavailable'", True),
    "server": (500, "httpx.HTTPStatusError", "Server error '500 Internal Server Error'", True),
    "limited": (429, "httpx.HTTPStatusError", "Client error '429 Too Many Requests'", True),
    "timeout": (None, "httpx.ReadTimeout", "The read operation timed out", True),
    "refused": (None, "httpx.ConnectError", "[Errno 111] Connection refused", True),
    "invalid": (400, "httpx.HTTPStatusError", "Client error '400 Bad Request'", False),
}
KINDS = {
    "ok": "",
    "overloaded": "MODEL_OVERLOADED",
    "server": "API_SERVER_ERROR",
    "limited": "API_RATE_LIMIT",
    "timeout": "NETWORK_TIMEOUT",
    "refused": "NETWORK_REFUSED",
    "invalid": "API_INVALID_REQUEST",
}


@dataclass(frozen=True)
class Try:
    call: int
    nth: int
    start_us: int
    latency_us: int
    end: str


def calls() -> list[list[Try]]:
    draw = random.Random(SEED)
    found = []
    for call in range(CALLS):
        at = START_US + call * 2_000_000 + draw.randrange(0, 500) * 1000
        tries: list[Try] = []
        while True:
            end = draw.choices(list(ENDS), [80, 6, 4, 3, 3, 2, 2])[0]
            took = (
                400_000
                if end == "timeout"
                else draw.randrange(1, 5) * 1000
                if end == "refused"
                else draw.randrange(20, 300) * 1000
            )
            tries.append(Try(call, len(tries) + 1, at, took, end))
            if not ENDS[end][3] or len(tries) == 3:
                break
            at += took + draw.randrange(50, 200) * 1000
        found.append(tries)
    return found


def kv(key: str, value: object) -> dict[str, object]:
    if isinstance(value, int):
        return {"key": key, "value": {"intValue": str(value)}}  # 64-bit numbers are texts in OTLP-JSON
    if isinstance(value, list):
        return {"key": key, "value": {"arrayValue": {"values": [{"stringValue": text} for text in value]}}}
    return {"key": key, "value": {"stringValue": value}}


def span(one: Try, *, old: bool) -> dict[str, object]:
    """A client span of one try, with the names of the older or the newer conventions."""
    status, exception, message, _ = ENDS[one.end]
    names = (
        ("http.method", "http.status_code", "net.peer.name", "http.url")
        if old
        else ("http.request.method", "http.response.status_code", "server.address", "url.full")
    )
    values = ("POST", status, "api.example.com", "https://api.example.com/v1/chat?key=sk-canary0123456789abcdefghij")
    attributes = [kv(name, value) for name, value in zip(names, values, strict=True) if value is not None]
    if one.nth > 1 and not old:
        attributes.append(kv("http.request.resend_count", one.nth - 1))
    if one.end != "ok" and not old:
        attributes.append(kv("error.type", str(status) if status else exception))
    if one.end == "limited":
        attributes.append(kv("http.response.header.retry-after", ["2"]))
    found: dict[str, object] = {
        "traceId": f"{0x5B8EFFF798038103D269B633813FC60C + one.call:032x}",
        "spanId": f"{one.call * 16 + one.nth + 0x1000:016x}",
        "parentSpanId": f"{one.call * 16 + 0x1000:016x}",
        "name": "POST",
        "kind": 3,
        "startTimeUnixNano": str(one.start_us * 1000) if one.call % 2 else one.start_us * 1000,
        "endTimeUnixNano": str((one.start_us + one.latency_us) * 1000),
        "attributes": attributes,
        "status": {"code": 2} if one.end != "ok" else {},
    }
    if not status:
        told = [kv("exception.type", exception), kv("exception.message", message)]
        found["events"] = [{"timeUnixNano": "0", "name": "exception", "attributes": told}]
    return found


def whole(tries: list[Try]) -> dict[str, object]:
    """The server span above the tries: the same call, seen from the door of the service."""
    last = tries[-1]
    return {
        "traceId": f"{0x5B8EFFF798038103D269B633813FC60C + last.call:032x}",
        "spanId": f"{last.call * 16 + 0x1000:016x}",
        "name": "POST /book",
        "kind": 2,
        "startTimeUnixNano": str(tries[0].start_us * 1000),
        "endTimeUnixNano": str((last.start_us + last.latency_us) * 1000),
        "attributes": [
            kv("http.request.method", "POST"),
            kv("http.route", "/book"),
            kv("http.response.status_code", 200 if last.end == "ok" else 502),
        ],
        "status": {},
    }


def export(spans: list[dict[str, object]]) -> dict[str, object]:
    resource = {"attributes": [kv("service.name", "booking"), kv("host.name", "pod-1")]}
    return {"resourceSpans": [{"resource": resource, "scopeSpans": [{"scope": {"name": "made"}, "spans": spans}]}]}


def otlp(made: list[list[Try]]) -> dict[str, str]:
    """As the file exporter of the Collector writes it, a batch a line; and as one document, of the older names."""
    spans = [[*(span(one, old=False) for one in tries), whole(tries)] for tries in made]
    batches = [[one for call in spans[first : first + 20] for one in call] for first in range(0, len(spans), 20)]
    lines = "".join(json.dumps(export(batch)) + "\n" for batch in batches)
    old = [span(one, old=True) for tries in made for one in tries]
    return {"otlp.jsonl": lines, "otlp-old-names.json": json.dumps(export(old), indent=1) + "\n"}


def stamp(at_us: int, form: str = "%Y-%m-%d %H:%M:%S.%f") -> str:
    return datetime.fromtimestamp(at_us / 1e6, UTC).strftime(form)[:-3]


CLASSES = {
    "overloaded": "ServiceUnavailableError",
    "server": "InternalServerError",
    "limited": "RateLimitError",
    "timeout": "Timeout",
    "refused": "APIConnectionError",
    "invalid": "BadRequestError",
}


def litellm(made: list[list[Try]]) -> dict[str, str]:
    """The spend log as JSON and as CSV: times in UTC without saying so, cache_hit a text, the error in a text of JSON."""
    rows = []
    for one in (one for tries in made for one in tries):
        status, _, message, _ = ENDS[one.end]
        good = one.end == "ok"
        error = (
            {}
            if good
            else {
                "error_code": str(status or ""),
                "error_class": CLASSES[one.end],
                "llm_provider": "openai",
                "error_message": message,
            }
        )
        rows.append(
            {
                "request_id": f"chatcmpl-{one.call}-{one.nth}" if good else f"fail-{one.call}-{one.nth}",
                "call_type": "acompletion",
                "api_key": "88dc28d0f030c55ed4ab77ed8faf098196cb1c05df778539800c9f1243fe6b4b",
                "spend": 0.00125 if good else 0.0,
                "total_tokens": 70 if good else 0,
                "prompt_tokens": 50 if good else 0,
                "completion_tokens": 20 if good else 0,
                "startTime": stamp(one.start_us),
                "endTime": stamp(one.start_us + one.latency_us),
                "model": "gpt-4o-2024-08-06",
                "model_group": "gpt-4o",
                "custom_llm_provider": "openai",
                "cache_hit": "False" if good else "None",
                "session_id": f"session-{one.call % 100}",
                "status": "success" if good else "failure",
                "metadata": json.dumps({"status": "success" if good else "failure", "error_information": error}),
            }
        )
    text = io.StringIO()
    writer = csv.DictWriter(text, list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return {"litellm-spend.json": json.dumps(rows) + "\n", "litellm-spend.csv": text.getvalue()}


def nginx(made: list[list[Try]]) -> dict[str, str]:
    """As ingress-nginx writes it, and as JSON: one line a request, the tries in lists, the time of its end."""
    seen = {
        "ok": "200",
        "overloaded": "503",
        "server": "500",
        "limited": "429",
        "timeout": "504",
        "refused": "502",
        "invalid": "400",
    }
    text, lines = [], []
    for tries in made:
        # nginx goes to the next server at once, so the waits between the tries are not in its log
        spans = [one.latency_us / 1e6 for one in tries]
        end_us = tries[0].start_us + sum(one.latency_us for one in tries)
        statuses = [seen[one.end] for one in tries]
        addresses = ", ".join(f"10.0.0.{one.nth}:8080" for one in tries)
        times = ", ".join(f"{span:.3f}" for span in spans)
        headers = ", ".join(
            "-" if one.end in {"timeout", "refused"} else f"{one.latency_us / 1e6:.3f}" for one in tries
        )
        lengths = ", ".join("0" for _ in tries)
        local = datetime.fromtimestamp(end_us / 1e6, UTC).strftime("%d/%b/%Y:%H:%M:%S +0000")
        text.append(
            f'192.0.2.{tries[0].call % 250} - - [{local}] "POST /book?token=sk-canary0123456789abcdefghij HTTP/1.1" {statuses[-1]} 512 "-" "curl/8.5" 310 '
            f"{sum(spans):.3f} [shop-booking-80] [] {addresses} {lengths} {times} {', '.join(statuses)} {tries[0].call:032x}"
        )
        lines.append(
            {
                "msec": f"{end_us / 1e6:.3f}",
                "request_id": f"{tries[0].call:032x}",
                "host": "booking.example.com",
                "request_method": "POST",
                "request_uri": "/book?token=sk-canary0123456789abcdefghij",
                "status": statuses[-1],
                "request_time": f"{sum(spans):.3f}",
                "upstream_addr": addresses,
                "upstream_status": ", ".join(statuses),
                "upstream_response_time": times,
                "upstream_header_time": headers,
            }
        )
    return {
        "nginx-ingress.log": "\n".join(text) + "\n",
        "nginx.jsonl": "".join(json.dumps(line) + "\n" for line in lines),
    }


def envoy(made: list[list[Try]]) -> dict[str, str]:
    """As Istio writes it, with the number of tries: one line a request, the flags of its last try."""
    flags = {"timeout": "UT", "refused": "UF,URX"}
    lines = []
    for tries in made:
        first, last = tries[0], tries[-1]
        status = ENDS[last.end][0] or {"timeout": 504, "refused": 503}[last.end]
        end_us = last.start_us + last.latency_us
        flag = flags.get(last.end, "URX" if len(tries) == 3 and last.end not in {"ok", "invalid"} else "-")
        lines.append(
            {
                "start_time": stamp(first.start_us, "%Y-%m-%dT%H:%M:%S.%f") + "Z",
                "method": "POST",
                "path": "/book?token=sk-canary0123456789abcdefghij",
                "protocol": "HTTP/1.1",
                "response_code": status,
                "response_flags": flag,
                "response_code_details": "via_upstream"
                if ENDS[last.end][0]
                else "upstream_reset_before_response_started",
                "upstream_transport_failure_reason": "delayed connect error: 111" if last.end == "refused" else None,
                "duration": (end_us - first.start_us) // 1000,
                "upstream_service_time": "-" if last.end in flags else str((end_us - first.start_us) // 1000),
                "request_id": f"{first.call:08x}-0000-4000-8000-000000000000",
                "authority": "booking.shop",
                "upstream_cluster": "outbound|8080||booking.shop.svc.cluster.local",
                "upstream_host": f"10.0.0.{last.nth}:8080",
                "upstream_request_attempt_count": len(tries),
            }
        )
    return {"envoy.jsonl": "".join(json.dumps(line) + "\n" for line in lines)}


def main() -> None:
    made = calls()
    for writer in (otlp, litellm, nginx, envoy):
        for name, text in writer(made).items():
            (HERE / f"{name}.gz").write_bytes(gzip.compress(text.encode(), mtime=0))
    with (HERE / "truth.csv").open("w", encoding="utf-8", newline="") as file:
        rows = csv.writer(file, lineterminator="\n")
        rows.writerow(["call", "attempt", "start_us", "latency_us", "end", "status", "kind"])
        rows.writerows(
            [one.call, one.nth, one.start_us, one.latency_us, one.end, ENDS[one.end][0] or "", KINDS[one.end]]
            for tries in made
            for one in tries
        )


if __name__ == "__main__":
    main()
