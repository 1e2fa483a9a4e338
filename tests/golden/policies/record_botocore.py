"""Record what botocore's standard mode decides: `cd tests && python -m golden.policies.record_botocore` beside botocore.

Run it with botocore 1.43 (recording botocore-2020) and with 1.44 (recording botocore-2026). Eight calls are in flight
at a time and share one retry quota. Each decision is told with the delay and with what is left of the quota.
"""

from collections.abc import Iterator
from importlib.metadata import version
from types import SimpleNamespace
from typing import Any

from golden.policies.policy_golden import EVENTS, Try, tries, write
from golden.policies.record_tenacity import Draws

LANES = 8
OUTCOMES = (
    ("500", 4.0),
    ("503", 2.0),
    ("read timeout", 2.0),
    ("connect timeout", 1.0),
    ("reset", 1.0),
    ("throttled", 3.0),
    ("bare 429", 1.0),
    ("400", 0.6),
)


def name_for(library_version: str) -> str:
    """Return which of the two recordings a version belongs to: the defaults changed with 1.44."""
    major, minor = (int(part) for part in library_version.split(".")[:2])
    return "botocore-2026" if (major, minor) >= (1, 44) else "botocore-2020"


def answer(each: Try) -> dict[str, Any]:
    """Return the event that botocore's endpoint would send after this attempt."""
    from botocore import exceptions  # noqa: PLC0415  the tests read this module without it

    raised = {
        "read timeout": exceptions.ReadTimeoutError(endpoint_url="x"),
        "connect timeout": exceptions.ConnectTimeoutError(endpoint_url="x"),
        "reset": exceptions.ConnectionClosedError(endpoint_url="x"),
    }.get(each.outcome)
    if raised is not None:
        return {"response": None, "caught_exception": raised}
    status = {"ok": 200, "500": 500, "503": 503, "throttled": 400, "bare 429": 429, "400": 400}[each.outcome]
    parsed: dict[str, Any] = {}
    if each.outcome == "throttled":
        parsed = {"Error": {"Code": "ThrottlingException"}}
    elif each.outcome != "ok":
        parsed = {"Error": {"Code": "Something"}}
    headers = {"x-amz-retry-after": each.hint_ms} if each.hint_ms else {}
    return {"response": (SimpleNamespace(status_code=status, headers=headers), parsed), "caught_exception": None}


def lines(count: int = EVENTS) -> Iterator[str]:
    """Yield one decision for each attempt."""
    from botocore.retries import standard  # noqa: PLC0415

    handlers: dict[str, Any] = {}
    client = SimpleNamespace(
        meta=SimpleNamespace(
            service_model=SimpleNamespace(service_id=SimpleNamespace(hyphenize=lambda: "s3")),
            events=SimpleNamespace(register=lambda event, handler, unique_id=None: handlers.update({event: handler})),
        )
    )
    handler = standard.register_retry_handler(client)
    operation = SimpleNamespace(
        name="GetObject",
        service_model=SimpleNamespace(service_name="s3"),
        error_shapes=[],
        has_event_stream_output=False,
    )
    draws = Draws()
    handler._retry_policy._retry_backoff._random = draws.random
    quota = handler._retry_quota._quota
    needs_retry, after_call = handlers["needs-retry.s3"], handlers["after-call.s3"]
    attempts = [0] * LANES
    contexts: list[dict[str, Any]] = [{} for _ in range(LANES)]
    for each in tries(OUTCOMES, lanes=LANES, count=count):
        lane = each.lane
        attempts[lane] += 1
        draws.draw = each.draw
        event = answer(each)
        delay = needs_retry(
            attempts=attempts[lane], operation=operation, request_dict={"context": contexts[lane]}, **event
        )  # fmt: skip
        if delay is None:
            response = event["response"]
            if response is not None:
                after_call(context=contexts[lane], http_response=response[0])
            attempts[lane], contexts[lane] = 0, {}
            yield f"end {quota.available_capacity}"
        else:
            yield f"retry {float(delay)!r} {quota.available_capacity}"


if __name__ == "__main__":
    write(name_for(version("botocore")), "botocore", version("botocore"), lines())
