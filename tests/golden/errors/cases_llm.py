"""openai, groq and anthropic: every status with the bodies these providers send, transport faults, streams."""

import anthropic
import groq
import openai

from .case import Cases
from .loopback import answer, babble, cut_short, events, half_then_reset, hang, hang_up, reset

cases = Cases()
MESSAGES = [{"role": "user", "content": "hello"}]
SDKS = {"openai": openai.OpenAI, "groq": groq.Groq, "anthropic": anthropic.Anthropic}


def ask(sdk, address, *, stream=False, timeout=5.0):
    client = SDKS[sdk](api_key="k", base_url=address, max_retries=0, timeout=timeout)
    if sdk == "anthropic":
        found = client.messages.create(model="m", max_tokens=8, messages=MESSAGES, stream=stream)
    else:
        found = client.chat.completions.create(model="m", messages=MESSAGES, stream=stream)
    return list(found) if stream else found


def status_case(name, sdk, status, headers, body, kinds, retry, executed, wait=None):
    cases.add(
        name, lambda net: ask(sdk, net.http.address(name, answer(status, headers, body))), kinds, retry, executed, wait
    )


def openai_body(message, kind, code=None, param=None):
    return {"error": {"message": message, "type": kind, "param": param, "code": code}}


def anthropic_body(kind, message, **details):
    return {"type": "error", "error": {"type": kind, "message": message, **details}, "request_id": "req_1"}


# name, status, headers, body, kinds, retryable, maybe executed, wait
OPENAI = [
    (
        "400 plain",
        400,
        {},
        openai_body("Invalid value for 'temperature'.", "invalid_request_error", None, "temperature"),
        "API_INVALID_REQUEST",
        False,
        False,
    ),
    (
        "400 parameter called timeout",
        400,
        {},
        openai_body("Unrecognized request argument supplied: timeout", "invalid_request_error"),
        "API_INVALID_REQUEST",
        False,
        False,
    ),
    (
        "400 context",
        400,
        {},
        openai_body(
            "This model's maximum context length is 8192 tokens. However, your messages resulted in 9001 tokens.",
            "invalid_request_error",
            "context_length_exceeded",
            "messages",
        ),
        "MODEL_CONTEXT_LENGTH",
        False,
        False,
    ),
    (
        "400 content",
        400,
        {},
        openai_body(
            "Your request was rejected as a result of our safety system.",
            "image_generation_user_error",
            "moderation_blocked",
        ),
        "MODEL_CONTENT_POLICY",
        False,
        False,
    ),
    (
        "400 echoed words",
        400,
        {},
        openai_body(
            "Invalid 'messages[0].content': got 'rate limit 429 timed out overloaded'.",
            "invalid_request_error",
            "invalid_type",
        ),
        "API_INVALID_REQUEST",
        False,
        False,
    ),
    (
        "401",
        401,
        {},
        openai_body("Incorrect API key provided: sk-abc.", "invalid_request_error", "invalid_api_key"),
        "API_AUTH_ERROR",
        False,
        False,
    ),
    (
        "403 region",
        403,
        {},
        openai_body(
            "Country, region, or territory not supported", "request_forbidden", "unsupported_country_region_territory"
        ),
        "API_AUTH_ERROR",
        False,
        False,
    ),
    (
        "404 model",
        404,
        {},
        openai_body(
            "The model `gpt-9` does not exist or you do not have access to it.",
            "invalid_request_error",
            "model_not_found",
        ),
        "API_NOT_FOUND",
        False,
        False,
    ),
    ("408", 408, {}, openai_body("Request timeout", "invalid_request_error"), "NETWORK_TIMEOUT", True, None),
    (
        "409",
        409,
        {},
        openai_body("Another request is changing this thread.", "invalid_request_error"),
        "API_CONFLICT",
        True,
        False,
    ),
    (
        "413",
        413,
        {},
        openai_body("Request too large.", "invalid_request_error"),
        "API_INVALID_REQUEST|MODEL_CONTEXT_LENGTH",
        False,
        False,
    ),
    (
        "422",
        422,
        {},
        openai_body("Unprocessable", "invalid_request_error"),
        "API_INVALID_REQUEST|VALIDATION_ERROR",
        False,
        False,
    ),
    (
        "429 requests",
        429,
        {"Retry-After": "20"},
        openai_body(
            "Rate limit reached for gpt-4o on requests per min (RPM): Limit 3, Used 3, Requested 1. Please try again in 20s.",
            "requests",
            "rate_limit_exceeded",
        ),
        "API_RATE_LIMIT",
        True,
        False,
        20.0,
    ),
    (
        "429 ms",
        429,
        {"retry-after-ms": "1250", "retry-after": "2"},
        openai_body("Rate limit reached", "tokens", "rate_limit_exceeded"),
        "API_RATE_LIMIT",
        True,
        False,
        1.25,
    ),
    (
        "429 sentence",
        429,
        {},
        openai_body(
            "Rate limit reached for gpt-4o on tokens per min. Please try again in 644ms. Visit the docs.",
            "tokens",
            "rate_limit_exceeded",
        ),
        "API_RATE_LIMIT",
        True,
        False,
        0.644,
    ),
    (
        "429 quota",
        429,
        {},
        openai_body(
            "You exceeded your current quota, please check your plan and billing details.",
            "insufficient_quota",
            "insufficient_quota",
        ),
        "API_QUOTA_EXHAUSTED",
        False,
        False,
    ),
    (
        "429 should not",
        429,
        {"x-should-retry": "false", "retry-after": "60"},
        openai_body("Rate limit reached", "requests", "rate_limit_exceeded"),
        "API_RATE_LIMIT",
        False,
        False,
        60.0,
    ),
    (
        "500",
        500,
        {},
        openai_body("The server had an error while processing your request. Sorry about that!", "server_error"),
        "API_SERVER_ERROR",
        True,
        True,
    ),
    (
        "500 should not",
        500,
        {"x-should-retry": "false"},
        openai_body("The server had an error", "server_error"),
        "API_SERVER_ERROR",
        False,
        True,
    ),
    ("502 html", 502, {}, b"<html><title>502 Bad Gateway</title></html>", "API_SERVER_ERROR", True, True),
    (
        "503 overloaded",
        503,
        {"Retry-After": "5"},
        openai_body("The engine is currently overloaded, please try again later.", "server_error", None),
        "MODEL_OVERLOADED|API_SERVER_ERROR",
        True,
        None,
        5.0,
    ),
    (
        "503 slow down",
        503,
        {},
        openai_body("Slow down", "server_error", "slow_down"),
        "MODEL_OVERLOADED|API_RATE_LIMIT|API_SERVER_ERROR",
        True,
        None,
    ),
    ("504 html", 504, {}, b"<html>504 Gateway Time-out</html>", "API_SERVER_ERROR|NETWORK_TIMEOUT", True, True),
    (
        "520 cloudflare",
        520,
        {},
        b"<html>Web server is returning an unknown error</html>",
        "API_SERVER_ERROR",
        True,
        True,
    ),
    (
        "501",
        501,
        {},
        openai_body("Not implemented", "server_error"),
        "API_SERVER_ERROR|API_INVALID_REQUEST",
        False,
        False,
    ),
]
GROQ = [
    (
        "400 plain",
        400,
        {},
        openai_body("'messages' : minimum number of items is 1", "invalid_request_error"),
        "API_INVALID_REQUEST",
        False,
        False,
    ),
    (
        "400 retired",
        400,
        {},
        openai_body(
            "The model `llama-3.1-70b-versatile` has been decommissioned and is no longer supported.",
            "invalid_request_error",
            "model_decommissioned",
        ),
        "API_NOT_FOUND",
        False,
        False,
    ),
    (
        "400 context",
        400,
        {},
        openai_body(
            "Please reduce the length of the messages or completion.",
            "invalid_request_error",
            "context_length_exceeded",
            "messages",
        ),
        "MODEL_CONTEXT_LENGTH",
        False,
        False,
    ),
    (
        "400 tool",
        400,
        {},
        {
            "error": {
                "message": "Failed to call a function. Please adjust your prompt.",
                "type": "invalid_request_error",
                "code": "tool_use_failed",
                "failed_generation": "<x>",
            }
        },
        "MODEL_OUTPUT_INVALID",
        True,
        None,
    ),
    (
        "400 json",
        400,
        {},
        {
            "error": {
                "message": "Failed to generate JSON.",
                "type": "invalid_request_error",
                "code": "json_validate_failed",
            }
        },
        "MODEL_OUTPUT_INVALID",
        True,
        None,
    ),
    (
        "400 organization",
        400,
        {},
        openai_body(
            "Organization has been restricted. Please reach out to support.",
            "invalid_request_error",
            "organization_restricted",
        ),
        "API_AUTH_ERROR",
        False,
        False,
    ),
    (
        "401",
        401,
        {},
        openai_body("Invalid API Key", "invalid_request_error", "invalid_api_key"),
        "API_AUTH_ERROR",
        False,
        False,
    ),
    (
        "403 model blocked",
        403,
        {},
        openai_body(
            "The model is blocked at the organization level.", "permissions_error", "model_permission_blocked_org"
        ),
        "API_AUTH_ERROR",
        False,
        False,
    ),
    (
        "404",
        404,
        {},
        openai_body("Unknown request URL", "invalid_request_error", "unknown_url"),
        "API_NOT_FOUND",
        False,
        False,
    ),
    (
        "413 tpm",
        413,
        {"retry-after": "2"},
        openai_body(
            "Request too large for model `m` in organization `o` on tokens per minute (TPM): Limit 6000, Requested 14368",
            "tokens",
            "rate_limit_exceeded",
        ),
        "MODEL_CONTEXT_LENGTH|API_INVALID_REQUEST",
        False,
        False,
        2.0,
    ),
    (
        "422",
        422,
        {},
        openai_body("Semantic errors in the request", "invalid_request_error"),
        "API_INVALID_REQUEST|VALIDATION_ERROR",
        False,
        False,
    ),
    (
        "429 minutes",
        429,
        {"retry-after": "578"},
        openai_body(
            "Rate limit reached for model `m` on tokens per day (TPD): Limit 100000, Used 99336. Please try again in 9m38.016s.",
            "tokens",
            "rate_limit_exceeded",
        ),
        "API_RATE_LIMIT",
        True,
        False,
        578.0,
    ),
    (
        "429 minutes in words",
        429,
        {},
        openai_body(
            "Rate limit reached for model `m` on tokens per day (TPD). Please try again in 9m38.016s.",
            "tokens",
            "rate_limit_exceeded",
        ),
        "API_RATE_LIMIT",
        True,
        False,
        578.016,
    ),
    (
        "429 reset",
        429,
        {
            "x-ratelimit-remaining-requests": "0",
            "x-ratelimit-reset-requests": "2m59.56s",
            "x-ratelimit-remaining-tokens": "17997",
            "x-ratelimit-reset-tokens": "7.66s",
        },
        openai_body("Rate limit reached", "requests", "rate_limit_exceeded"),
        "API_RATE_LIMIT",
        True,
        False,
        179.56,
    ),
    (
        "498 capacity",
        498,
        {},
        openai_body("Flex tier capacity exceeded", "capacity_exceeded", "capacity_exceeded"),
        "MODEL_OVERLOADED",
        True,
        None,
    ),
    ("500", 500, {}, openai_body("Internal Server Error", "internal_server_error"), "API_SERVER_ERROR", True, True),
    ("502", 502, {}, b"", "API_SERVER_ERROR", True, True),
    (
        "503",
        503,
        {"Retry-After": "Fri, 31 Dec 1999 23:59:59 GMT", "Date": "Fri, 31 Dec 1999 23:59:29 GMT"},
        openai_body("Service Unavailable", "service_unavailable"),
        "MODEL_OVERLOADED|API_SERVER_ERROR",
        True,
        None,
        30.0,
    ),
]
ANTHROPIC = [
    (
        "400 plain",
        400,
        {},
        anthropic_body("invalid_request_error", "max_tokens: Field required"),
        "API_INVALID_REQUEST",
        False,
        False,
    ),
    (
        "400 context",
        400,
        {},
        anthropic_body("invalid_request_error", "prompt is too long: 210000 tokens > 200000 maximum"),
        "MODEL_CONTEXT_LENGTH",
        False,
        False,
    ),
    (
        "400 credit",
        400,
        {},
        anthropic_body(
            "invalid_request_error",
            "Your credit balance is too low to access the Anthropic API. Please go to Plans & Billing.",
        ),
        "API_QUOTA_EXHAUSTED",
        False,
        False,
    ),
    (
        "400 usage limit",
        400,
        {},
        anthropic_body(
            "invalid_request_error",
            "You have reached your specified API usage limits. You will regain access on 2026-01-01.",
        ),
        "API_QUOTA_EXHAUSTED",
        False,
        False,
    ),
    (
        "400 output blocked",
        400,
        {},
        anthropic_body("invalid_request_error", "Output blocked by content filtering policy"),
        "MODEL_CONTENT_POLICY",
        False,
        False,
    ),
    ("401", 401, {}, anthropic_body("authentication_error", "invalid x-api-key"), "API_AUTH_ERROR", False, False),
    ("402", 402, {}, anthropic_body("billing_error", "Payment required"), "API_QUOTA_EXHAUSTED", False, False),
    (
        "403",
        403,
        {},
        anthropic_body("permission_error", "Your API key does not have permission to use the specified resource."),
        "API_AUTH_ERROR",
        False,
        False,
    ),
    ("404", 404, {}, anthropic_body("not_found_error", "model: claude-9"), "API_NOT_FOUND", False, False),
    ("409", 409, {}, anthropic_body("conflict_error", "conflict"), "API_CONFLICT", True, False),
    (
        "413",
        413,
        {},
        anthropic_body("request_too_large", "Request exceeds the maximum size"),
        "MODEL_CONTEXT_LENGTH|API_INVALID_REQUEST",
        False,
        False,
    ),
    (
        "422",
        422,
        {},
        anthropic_body("invalid_request_error", "unprocessable"),
        "API_INVALID_REQUEST|VALIDATION_ERROR",
        False,
        False,
    ),
    (
        "429",
        429,
        {"retry-after": "13"},
        anthropic_body(
            "rate_limit_error",
            "This request would exceed your organization's rate limit of 40,000 input tokens per minute. Please reduce the prompt length.",
        ),
        "API_RATE_LIMIT",
        True,
        False,
        13.0,
    ),
    (
        "429 reset",
        429,
        {
            "Date": "Wed, 25 Nov 2026 10:00:00 GMT",
            "anthropic-ratelimit-requests-remaining": "0",
            "anthropic-ratelimit-requests-reset": "2026-11-25T10:00:42Z",
        },
        anthropic_body("rate_limit_error", "rate limited"),
        "API_RATE_LIMIT",
        True,
        False,
        42.0,
    ),
    (
        "429 long context",
        429,
        {},
        anthropic_body("rate_limit_error", "Extra usage is required for long context requests."),
        "API_QUOTA_EXHAUSTED",
        False,
        False,
    ),
    ("500", 500, {}, anthropic_body("api_error", "Internal server error"), "API_SERVER_ERROR", True, True),
    (
        "504",
        504,
        {},
        anthropic_body("timeout_error", "Request timed out"),
        "API_SERVER_ERROR|NETWORK_TIMEOUT",
        True,
        True,
    ),
    (
        "529",
        529,
        {"x-should-retry": "true"},
        anthropic_body("overloaded_error", "Overloaded"),
        "MODEL_OVERLOADED",
        True,
        None,
    ),
]
for sdk, rows in (("openai", OPENAI), ("groq", GROQ), ("anthropic", ANTHROPIC)):
    for name, *row in rows:
        status_case(f"{sdk}: {name}", sdk, *row)

for sdk in SDKS:
    cases.add(f"{sdk}: refused", lambda net, sdk=sdk: ask(sdk, net.refused), "NETWORK_REFUSED", True, False)
    cases.add(
        f"{sdk}: read timeout",
        lambda net, sdk=sdk: ask(sdk, net.http.address("hang", hang), timeout=0.3),
        "NETWORK_TIMEOUT",
        True,
        True,
    )
    cases.add(
        f"{sdk}: connect timeout", lambda net, sdk=sdk: ask(sdk, net.deaf, timeout=0.3), "NETWORK_TIMEOUT", True, False
    )
    cases.add(
        f"{sdk}: hung up",
        lambda net, sdk=sdk: ask(sdk, net.http.address("hang_up", hang_up)),
        "NETWORK_ERROR",
        True,
        True,
    )
    cases.add(
        f"{sdk}: certificate",
        lambda net, sdk=sdk: ask(sdk, net.https.address("fine", answer(200))),
        "NETWORK_TLS",
        False,
        False,
    )
cases.add("openai: reset", lambda net: ask("openai", net.http.address("reset", reset)), "NETWORK_ERROR", True, True)
cases.add("groq: name not found", lambda net: ask("groq", net.nowhere), "NETWORK_ERROR", True, False)
cases.add(
    "anthropic: cut short",
    lambda net: ask("anthropic", net.http.address("cut", cut_short)),
    "NETWORK_ERROR",
    True,
    True,
)
cases.add(
    "openai: reset in the body",
    lambda net: ask("openai", net.http.address("half", half_then_reset)),
    "NETWORK_ERROR",
    True,
    True,
)
cases.add("groq: babble", lambda net: ask("groq", net.http.address("babble", babble)), "NETWORK_ERROR", True, True)
cases.add("openai: plain answer to TLS", lambda net: ask("openai", net.plain_as_tls), "NETWORK_TLS", False, False)

STREAM_ERROR = 'data: {"error": {"message": "The server had an error while processing your request", "type": "server_error", "param": null, "code": null}}'
cases.add(
    "openai: error in the stream",
    lambda net: ask("openai", net.http.address("stream_oa", events(STREAM_ERROR)), stream=True),
    "API_SERVER_ERROR",
    True,
    True,
)
OVERLOADED = 'event: error\ndata: {"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}'
cases.add(
    "anthropic: overloaded in the stream",
    lambda net: ask("anthropic", net.http.address("stream_an", events(OVERLOADED)), stream=True),
    "MODEL_OVERLOADED",
    True,
    None,
)
GROQ_STREAM = (
    'event: error\ndata: {"error": {"message": "Rate limit reached", "type": "tokens", "code": "rate_limit_exceeded"}}'
)
cases.add(
    "groq: rate limit in the stream",
    lambda net: ask("groq", net.http.address("stream_gq", events(GROQ_STREAM)), stream=True),
    "API_RATE_LIMIT",
    True,
    None,
)


@cases.case("openai: no key", "API_AUTH_ERROR|PROGRAMMING_ERROR", False, False)
def _(net):
    openai.OpenAI(api_key=None, base_url="http://127.0.0.1:1")


@cases.case("openai: wrong argument", "PROGRAMMING_ERROR", False, None)
def _(net):
    openai.OpenAI(api_key="k").chat.completions.create(model="m", messages=MESSAGES, heat=1)
