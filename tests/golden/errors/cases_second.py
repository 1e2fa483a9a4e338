"""The second wave: written after rules and readers were frozen, so that its first score says what strangers may expect."""

import asyncio
import concurrent.futures
import csv
import decimal
import errno
import http.client
import multiprocessing
import os
import pickle
import queue
import shutil
import smtplib
import socket
import sqlite3
import ssl
import subprocess
import sys
import threading
import zipfile
from pathlib import Path

import aiohttp
import anthropic
import botocore.config
import botocore.session
import duckdb
import groq
import grpc
import httpx
import openai
import psycopg
import psycopg_pool
import pydantic
import pymongo
import redis
import redis.asyncio
import requests
import sqlalchemy
import tenacity
import urllib3
import websockets.sync.client
from google.auth import exceptions as google_auth

from .case import Cases
from .cases_cloud import aws, aws_case, azure, google, rpc
from .cases_data import cache, mysql, postgres
from .cases_http import with_aiohttp, with_httpx, with_requests, with_urllib3
from .cases_llm import MESSAGES, anthropic_body, ask, openai_body
from .loopback import (
    Server,
    answer,
    cut_short,
    events,
    half_then_hang,
    hang,
    mysql_says,
    postgres_says,
    redis_says,
    reset,
)

cases = Cases(wave=2)
case = cases.case


def status(name, way, number, headers, body, *expected):
    cases.add(name, lambda net: way(net.http.address(name, answer(number, headers, body))), *expected)


def by(sdk):
    return lambda address: ask(sdk, address)


# --- language models -------------------------------------------------------------------------------------------------
INVALID, AUTH, SERVER = "API_INVALID_REQUEST", "API_AUTH_ERROR", "API_SERVER_ERROR"
BUSY = "MODEL_OVERLOADED|API_SERVER_ERROR"
status(
    "openai: 400 image",
    by("openai"),
    400,
    {},
    openai_body("You uploaded an unsupported image.", "invalid_request_error", "invalid_image_format"),
    INVALID,
    False,
    False,
)
status(
    "openai: 400 too long string",
    by("openai"),
    400,
    {},
    openai_body(
        "Invalid 'input': string too long. Expected a string with maximum length 1048576.",
        "invalid_request_error",
        "string_above_max_length",
    ),
    "MODEL_CONTEXT_LENGTH|API_INVALID_REQUEST",
    False,
    False,
)
status(
    "openai: 401 deactivated",
    by("openai"),
    401,
    {},
    openai_body(
        "The account associated with this API key has been deactivated.", "invalid_request_error", "account_deactivated"
    ),
    AUTH,
    False,
    False,
)
status(
    "openai: 403 html",
    by("openai"),
    403,
    {},
    b"<html><title>Attention Required! | Cloudflare</title></html>",
    AUTH,
    False,
    False,
)
status(
    "openai: 429 hard limit",
    by("openai"),
    429,
    {},
    openai_body("Billing hard limit has been reached", "invalid_request_error", "billing_hard_limit_reached"),
    "API_QUOTA_EXHAUSTED",
    False,
    False,
)
status(
    "openai: 429 dated",
    by("openai"),
    429,
    {"retry-after": "Thu, 01 Jan 2026 00:01:00 GMT", "date": "Thu, 01 Jan 2026 00:00:00 GMT"},
    openai_body("Too many", "requests"),
    "API_RATE_LIMIT",
    True,
    False,
    60.0,
)
status("openai: 429 no body", by("openai"), 429, {"retry-after": "1"}, b"", "API_RATE_LIMIT", True, False, 1.0)
status("openai: 503 no body", by("openai"), 503, {}, b"", BUSY, True, None)
status(
    "openai: 524",
    by("openai"),
    524,
    {},
    b"<html>A timeout occurred</html>",
    "API_SERVER_ERROR|NETWORK_TIMEOUT",
    True,
    True,
)
status(
    "openai: 400 echoes a timeout",
    by("openai"),
    400,
    {},
    openai_body(
        "Invalid value: 'connection refused'. Supported values are: 'low', 'high'.",
        "invalid_request_error",
        "invalid_value",
        "reasoning.effort",
    ),
    INVALID,
    False,
    False,
)
status(
    "groq: 400 terms",
    by("groq"),
    400,
    {},
    openai_body("The model requires terms acceptance.", "invalid_request_error", "model_terms_required"),
    AUTH,
    False,
    False,
)
status(
    "groq: 424",
    by("groq"),
    424,
    {},
    openai_body("Failed dependency: the remote MCP server did not answer", "invalid_request_error"),
    "API_INVALID_REQUEST|API_SERVER_ERROR",
    None,
    None,
)
status(
    "groq: 429 hours",
    by("groq"),
    429,
    {},
    openai_body(
        "Rate limit reached for model `whisper` on seconds of audio per hour (ASPH). Please try again in 1h2m3s.",
        "seconds",
        "rate_limit_exceeded",
    ),
    "API_RATE_LIMIT",
    True,
    False,
    3723.0,
)
status("groq: 503 html", by("groq"), 503, {}, b"<html>503</html>", BUSY, True, None)
status(
    "groq: 400 long",
    by("groq"),
    400,
    {},
    openai_body(
        "max_tokens must be less than or equal to 8192, the maximum value for max_tokens is less than the context_window for this model",
        "invalid_request_error",
    ),
    INVALID,
    False,
    False,
)
status(
    "anthropic: 400 alternate",
    by("anthropic"),
    400,
    {},
    anthropic_body("invalid_request_error", 'messages: roles must alternate between "user" and "assistant"'),
    INVALID,
    False,
    False,
)
status(
    "anthropic: 400 sum too long",
    by("anthropic"),
    400,
    {},
    anthropic_body(
        "invalid_request_error", "input length and `max_tokens` exceed context limit: 190000 + 21333 > 200000"
    ),
    "MODEL_CONTEXT_LENGTH",
    False,
    False,
)
status("anthropic: 404 html", by("anthropic"), 404, {}, b"<html>nothing</html>", "API_NOT_FOUND", False, False)
status(
    "anthropic: 408",
    by("anthropic"),
    408,
    {},
    anthropic_body("timeout_error", "Request timed out"),
    "NETWORK_TIMEOUT",
    True,
    None,
)
status("anthropic: 502", by("anthropic"), 502, {"retry-after": "3"}, b"bad gateway", SERVER, True, True, 3.0)
status(
    "anthropic: 429 acceleration",
    by("anthropic"),
    429,
    {"retry-after-ms": "400.5"},
    anthropic_body("rate_limit_error", "Number of concurrent connections has exceeded your rate limit."),
    "API_RATE_LIMIT",
    True,
    False,
    0.4005,
)
cases.add(
    "anthropic: stream hangs",
    lambda net: ask("anthropic", net.http.address("sse_hang", half_then_hang), stream=True, timeout=0.4),
    "NETWORK_TIMEOUT",
    True,
    True,
)
cases.add(
    "openai: stream cut",
    lambda net: ask("openai", net.http.address("sse_cut", cut_short), stream=True),
    "NETWORK_ERROR",
    True,
    True,
)
cases.add(
    "openai: quota in the stream",
    lambda net: ask(
        "openai",
        net.http.address(
            "sse_quota",
            events(
                'data: {"error": {"message": "You exceeded your current quota", "type": "insufficient_quota", "code": "insufficient_quota"}}'
            ),
        ),
        stream=True,
    ),
    "API_QUOTA_EXHAUSTED",
    False,
    None,
)
cases.add(
    "anthropic: api error in the stream",
    lambda net: ask(
        "anthropic",
        net.http.address(
            "sse_api",
            events(
                'event: error\ndata: {"type": "error", "error": {"type": "api_error", "message": "Internal server error"}}'
            ),
        ),
        stream=True,
    ),
    SERVER,
    True,
    True,
)


async def _openai_async(address, timeout=5.0):
    await openai.AsyncOpenAI(api_key="k", base_url=address, max_retries=0, timeout=timeout).chat.completions.create(
        model="m", messages=MESSAGES
    )


cases.add("openai async: refused", lambda net: asyncio.run(_openai_async(net.refused)), "NETWORK_REFUSED", True, False)
cases.add(
    "openai async: timeout",
    lambda net: asyncio.run(_openai_async(net.http.address("hang", hang), 0.3)),
    "NETWORK_TIMEOUT",
    True,
    True,
)
cases.add(
    "openai async: cancelled by wait_for",
    lambda net: asyncio.run(asyncio.wait_for(_openai_async(net.http.address("hang", hang)), 0.2)),
    "NETWORK_TIMEOUT",
    True,
    True,
)
cases.add(
    "openai async: name not found", lambda net: asyncio.run(_openai_async(net.nowhere)), "NETWORK_ERROR", True, False
)


@case("openai: answer of the wrong shape", "MODEL_OUTPUT_INVALID|API_SERVER_ERROR", None, None)
def _(net):
    address = net.http.address("shape", answer(200, {}, {"id": 5, "choices": "none"}))
    openai.OpenAI(
        api_key="k", base_url=address, max_retries=0, _strict_response_validation=True
    ).chat.completions.create(model="m", messages=MESSAGES)


@case("openai: cut off by length", "MODEL_OUTPUT_INVALID|MODEL_CONTEXT_LENGTH", None, None)
def _(net):
    class Slot(pydantic.BaseModel):
        minutes: int

    body = {
        "id": "x",
        "object": "chat.completion",
        "created": 1,
        "model": "m",
        "choices": [{"index": 0, "finish_reason": "length", "message": {"role": "assistant", "content": "{"}}],
    }
    openai.OpenAI(
        api_key="k", base_url=net.http.address("length", answer(200, {}, body)), max_retries=0
    ).chat.completions.parse(model="m", messages=MESSAGES, response_format=Slot)


@case("groq: no key", "API_AUTH_ERROR|PROGRAMMING_ERROR", False, False)
def _(net):
    os.environ.pop("GROQ_API_KEY", None)
    groq.Groq()


@case("anthropic: no key", "API_AUTH_ERROR|PROGRAMMING_ERROR", False, False)
def _(net):
    for name in ("ANTHROPIC_API_KEY", "ANTHROPIC_AUTH_TOKEN"):
        os.environ.pop(name, None)
    anthropic.Anthropic(base_url=net.refused, max_retries=0).messages.create(model="m", max_tokens=1, messages=MESSAGES)


# --- HTTP ------------------------------------------------------------------------------------------------------------
status("httpx: 423", with_httpx, 423, {}, b"", "API_CONFLICT", True, False)
status("httpx: 431", with_httpx, 431, {}, b"", INVALID, False, False)
status("requests: 451", with_requests, 451, {}, b"", AUTH, False, False)
status("requests: 405", with_requests, 405, {}, b"", INVALID, False, False)
status(
    "requests: 413 nginx",
    with_requests,
    413,
    {},
    b"<html><title>413 Request Entity Too Large</title></html>",
    "API_INVALID_REQUEST|MODEL_CONTEXT_LENGTH",
    False,
    False,
)
status("aiohttp: 401 that says timed out", with_aiohttp, 401, {}, b"timed out", AUTH, False, False)
status(
    "httpx: 401 that speaks of limits",
    with_httpx,
    401,
    {},
    {"message": "rate limit for anonymous users reached; timed out"},
    AUTH,
    False,
    False,
)
status("httpx: 507", with_httpx, 507, {}, b"", SERVER, None, None)
status("httpx: 521", with_httpx, 521, {}, b"", SERVER, True, None)
status("requests: 599", with_requests, 599, {}, b"", SERVER, True, None)
status(
    "httpx: 429 discord",
    with_httpx,
    429,
    {},
    {"message": "You are being rate limited.", "retry_after": 64.57, "global": False},
    "API_RATE_LIMIT",
    True,
    False,
    64.57,
)
status(
    "requests: 429 epoch reset",
    with_requests,
    429,
    {"Date": "Wed, 23 Dec 2026 04:26:40 GMT", "X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "1798000030"},
    b"",
    "API_RATE_LIMIT",
    True,
    False,
    30.0,
)
status(
    "httpx: 503 maintenance",
    with_httpx,
    503,
    {"Retry-After": "Wed, 23 Dec 2026 05:26:40 GMT", "Date": "Wed, 23 Dec 2026 04:26:40 GMT"},
    b"Down for maintenance",
    BUSY,
    True,
    None,
    3600.0,
)
status("aiohttp: 429 ms", with_aiohttp, 429, {"Retry-After-Ms": "90"}, b"", "API_RATE_LIMIT", True, False, 0.09)
status(
    "httpx: 400 problem",
    with_httpx,
    400,
    {"Content-Type": "application/problem+json"},
    {"type": "about:blank", "title": "Bad Request", "status": 400, "detail": "start is after end"},
    "API_INVALID_REQUEST|VALIDATION_ERROR",
    False,
    False,
)
status(
    "requests: 500 says rate limit",
    with_requests,
    500,
    {},
    {"error": {"message": "upstream said: rate limit", "type": "internal_error"}},
    "API_SERVER_ERROR|API_RATE_LIMIT",
    True,
    None,
)
status(
    "httpx: 200 not gzip",
    with_httpx,
    200,
    {"Content-Encoding": "gzip"},
    b"this is not gzip",
    "NETWORK_ERROR|API_SERVER_ERROR|MODEL_OUTPUT_INVALID",
    None,
    None,
)
status(
    "aiohttp: 200 html for JSON", with_aiohttp, 200, {}, b"<html>", "API_SERVER_ERROR|MODEL_OUTPUT_INVALID", None, None
)


@case("httpx: write timeout", "NETWORK_TIMEOUT", True, True)
def _(net):
    server = Server(lambda sock: threading.Event().wait(2))
    httpx.post(f"http://127.0.0.1:{server.port}", content=b"x" * 50_000_000, timeout=httpx.Timeout(5, write=0.3))


@case("httpx: too many redirects", "API_INVALID_REQUEST|API_SERVER_ERROR|UNKNOWN", False, None)
def _(net):
    address = net.http.address("circle", b"")
    net.http.address("circle", answer(302, {"Location": address}))
    httpx.get(address, follow_redirects=True)


@case("httpx: body not read", "PROGRAMMING_ERROR|UNKNOWN", False, None)
def _(net):
    with httpx.stream("GET", net.http.address("fine", answer(200, {}, b"abc"))) as found:
        found.text  # noqa: B018


@case("requests: header that is none", "API_INVALID_REQUEST|PROGRAMMING_ERROR", False, False)
def _(net):
    requests.get(net.refused, headers={"x": "a\nb"}, timeout=1)


@case("urllib3: gives up on 500", "API_SERVER_ERROR", True, True)
def _(net):
    retries = urllib3.Retry(total=1, status_forcelist=[500], backoff_factor=0, allowed_methods=None)
    with_urllib3(net.http.address("always_500", answer(500)), retries=retries)


@case("aiohttp: a URL that is none", "API_INVALID_REQUEST|PROGRAMMING_ERROR", False, False)
def _(net):
    with_aiohttp("not a url")


@case("aiohttp: websocket refused by 403", AUTH, False, False)
def _(net):
    async def connect():
        async with aiohttp.ClientSession() as session:
            await session.ws_connect(net.http.address("ws403", answer(403)))

    asyncio.run(connect())


@case("websockets: 429 at the handshake", "API_RATE_LIMIT", True, False)
def _(net):
    websockets.sync.client.connect(net.http.address("ws429", answer(429)).replace("http", "ws"), proxy=None)


@case("http.client: no answer", "NETWORK_ERROR", True, True)
def _(net):
    connection = http.client.HTTPConnection("127.0.0.1", Server(lambda sock: sock.recv(10)).port, timeout=2)
    connection.request("POST", "/", b"{}")
    connection.getresponse()


@case("http.client: incomplete", "NETWORK_ERROR", True, True)
def _(net):
    address = net.http.address("cut", cut_short).removeprefix("http://")
    connection = http.client.HTTPConnection(address.partition("/")[0], timeout=2)
    connection.request("GET", "/" + address.partition("/")[2])
    connection.getresponse().read()


@case("smtplib: refused", "NETWORK_REFUSED", True, False)
def _(net):
    smtplib.SMTP("127.0.0.1", int(net.refused.rpartition(":")[2]), timeout=1)


@case("socket: reset while reading", "NETWORK_ERROR", True, True)
def _(net):
    with socket.create_connection(
        ("127.0.0.1", Server(lambda sock: (sock.recv(1), reset(sock))).port), timeout=2
    ) as plain:
        plain.sendall(b"abc")
        plain.recv(10)


@case("ssl: no common protocol", "NETWORK_TLS", False, False)
def _(net):
    context = ssl.create_default_context()
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers("ECDHE-ECDSA-AES256-GCM-SHA384:@SECLEVEL=0")
    context.check_hostname = False
    with socket.create_connection(("127.0.0.1", net.https.port), timeout=2) as plain:
        context.wrap_socket(plain)


@case("python: no such unix socket", "LOCAL_RESOURCE|NETWORK_REFUSED|NETWORK_ERROR", None, False)
def _(net):
    socket.socket(socket.AF_UNIX).connect(str(net.folder / "none.sock"))


# --- clouds ----------------------------------------------------------------------------------------------------------
first, kept = len(__import__("tests.golden.errors.cases_cloud", fromlist=["cases"]).cases.found), None
for row in (
    ("s3 bad key", 403, "InvalidAccessKeyId", "The key does not exist in our records.", AUTH, False, False),
    ("s3 denied", 403, "AccessDenied", "Access Denied", AUTH, False, False),
    ("s3 internal", 500, "InternalError", "We encountered an internal error. Please try again.", SERVER, True, True),
    ("s3 no bucket", 404, "NoSuchBucket", "The specified bucket does not exist", "API_NOT_FOUND", False, False),
):
    aws_case(*row, service="s3")
aws_case(
    "limit exceeded",
    400,
    "RequestLimitExceeded",
    "Throughput exceeds the current throughput limit",
    "API_RATE_LIMIT",
    True,
    False,
)
aws_case("signature", 400, "InvalidSignatureException", "Signature expired", AUTH, False, False)
aws_case("in use", 400, "ResourceInUseException", "Table is being updated", "API_CONFLICT", None, False)
aws_case(
    "too large",
    400,
    "ItemCollectionSizeLimitExceededException",
    "Collection size exceeded.",
    "API_INVALID_REQUEST|LOCAL_RESOURCE|API_QUOTA_EXHAUSTED",
    False,
    False,
)
aws_case("unknown code", 400, "SomethingNewException", "Please wait", INVALID, False, False)
aws_case(
    "bedrock internal",
    500,
    "InternalServerException",
    "An internal error",
    SERVER,
    True,
    True,
    service="bedrock-runtime",
)
aws_case(
    "bedrock unavailable",
    503,
    "ServiceUnavailableException",
    "Bedrock is unable to process your request.",
    BUSY,
    True,
    None,
    service="bedrock-runtime",
)
_cloud = __import__("tests.golden.errors.cases_cloud", fromlist=["cases"]).cases.found
for moved in _cloud[first:]:
    cases.add(
        moved.name, moved.provoke, "|".join(moved.kinds), moved.retryable, moved.maybe_executed, moved.retry_after_s
    )
del _cloud[first:]


@case("botocore: no region", "PROGRAMMING_ERROR|API_INVALID_REQUEST|API_AUTH_ERROR|UNKNOWN", False, False)
def _(net):
    for name in ("AWS_REGION", "AWS_DEFAULT_REGION"):
        os.environ.pop(name, None)
    botocore.session.get_session().create_client("dynamodb", aws_access_key_id="a", aws_secret_access_key="b")


@case("botocore: plain answer to TLS", "NETWORK_TLS", False, False)
def _(net):
    aws(net.plain_as_tls)


GOOGLE = [
    (
        "412",
        412,
        {},
        {"error": {"code": 412, "message": "Precondition failed"}},
        "API_INVALID_REQUEST|API_CONFLICT",
        False,
        False,
    ),
    (
        "501",
        501,
        {},
        {"error": {"code": 501, "message": "Not implemented"}},
        "API_SERVER_ERROR|API_INVALID_REQUEST",
        False,
        False,
    ),
    ("502", 502, {}, {"error": {"code": 502, "message": "Bad gateway"}}, SERVER, True, True),
    (
        "403 billing",
        403,
        {},
        {
            "error": {
                "code": 403,
                "message": "Billing is disabled for the project.",
                "details": [{"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": "BILLING_DISABLED"}],
            }
        },
        "API_QUOTA_EXHAUSTED|API_AUTH_ERROR",
        False,
        False,
    ),
    (
        "429 reason",
        429,
        {},
        {
            "error": {
                "code": 429,
                "message": "Quota exceeded for quota metric 'Requests' and limit 'Requests per minute'.",
                "details": [{"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": "RATE_LIMIT_EXCEEDED"}],
            }
        },
        "API_RATE_LIMIT",
        True,
        False,
    ),
]
for name, *row in GOOGLE:
    status(f"google: {name}", google, *row)


@case("google: refresh", AUTH, False, False)
def _(net):
    raise google_auth.RefreshError("invalid_grant: Token has been expired or revoked.", {"error": "invalid_grant"})


@case("google: no credentials", AUTH, False, False)
def _(net):
    os.environ["GOOGLE_APPLICATION_CREDENTIALS"] = str(net.folder / "none.json")
    __import__("google.auth", fromlist=["default"]).default()


for code, kinds, retry, executed in (
    ("OUT_OF_RANGE", INVALID, False, False),
    ("UNKNOWN", "API_SERVER_ERROR|UNKNOWN", None, True),
    ("DEADLINE_EXCEEDED", "NETWORK_TIMEOUT", True, True),
):
    cases.add(
        f"grpc: {code.lower()} from the server", lambda net, code=code: rpc(net.grpc, code), kinds, retry, executed
    )
cases.add("grpc: too large", lambda net: rpc(net.grpc, "X", request=b"x" * 5_000_000), INVALID, False, False)


@case("grpc aio: unavailable", "MODEL_OVERLOADED|API_SERVER_ERROR", True, None)
def _(net):
    async def call():
        async with grpc.aio.insecure_channel(net.grpc) as channel:
            await channel.unary_unary("/x/UNAVAILABLE")(b"", timeout=3)

    asyncio.run(call())


@case("grpc aio: refused", "NETWORK_REFUSED", True, False)
def _(net):
    async def call():
        async with grpc.aio.insecure_channel(net.refused.removeprefix("http://")) as channel:
            await channel.unary_unary("/x/Y")(b"", timeout=3)

    asyncio.run(call())


@case("grpc: closed channel", "PROGRAMMING_ERROR", False, None)
def _(net):
    channel = grpc.insecure_channel(net.grpc)
    channel.close()
    channel.unary_unary("/x/Y")(b"")


@case("grpc: not ready in time", "NETWORK_TIMEOUT", True, None)
def _(net):
    grpc.channel_ready_future(grpc.insecure_channel(net.refused.removeprefix("http://"))).result(timeout=0.3)


status(
    "azure: 409 other",
    azure,
    409,
    {},
    {"error": {"code": "Conflict", "message": "Another operation is in progress."}},
    "API_CONFLICT",
    None,
    False,
)
status(
    "azure: 429 dated",
    azure,
    429,
    {"Retry-After": "Wed, 23 Dec 2026 04:26:50 GMT", "Date": "Wed, 23 Dec 2026 04:26:40 GMT"},
    {"error": {"code": "TooManyRequests", "message": "slow"}},
    "API_RATE_LIMIT",
    True,
    False,
    10.0,
)
status("azure: 502", azure, 502, {}, b"<html>", SERVER, True, True)
status(
    "azure: 400 context",
    azure,
    400,
    {},
    {"error": {"code": "context_length_exceeded", "message": "This model's maximum context length is 8192 tokens"}},
    "MODEL_CONTEXT_LENGTH",
    False,
    False,
)
status(
    "azure: 429 quota",
    azure,
    429,
    {},
    {"error": {"code": "insufficient_quota", "message": "You exceeded your current quota"}},
    "API_QUOTA_EXHAUSTED",
    False,
    False,
)
cases.add("azure: cut short", lambda net: azure(net.http.address("cut", cut_short)), "NETWORK_ERROR", True, True)
cases.add("azure: plain answer to TLS", lambda net: azure(net.plain_as_tls), "NETWORK_TLS", False, False)

# --- data ------------------------------------------------------------------------------------------------------------
QUERY = "DATABASE_QUERY_ERROR"


def on_sqlite(name, kinds, *statements, retry=False):
    def provoke(net):
        connection = sqlite3.connect(":memory:")
        connection.execute("PRAGMA foreign_keys = 1")
        for statement in statements:
            connection.execute(*statement) if isinstance(statement, tuple) else connection.execute(statement)

    cases.add(f"sqlite3: {name}", provoke, kinds, retry, False)


on_sqlite(
    "foreign key",
    QUERY,
    "CREATE TABLE a (i PRIMARY KEY)",
    "CREATE TABLE b (i REFERENCES a)",
    "INSERT INTO b VALUES (1)",
)
on_sqlite("no column", QUERY, "SELECT a FROM (SELECT 1 AS b)")
on_sqlite("number too large", "DATABASE_QUERY_ERROR|PROGRAMMING_ERROR|VALIDATION_ERROR", ("SELECT ?", (2**70,)))
on_sqlite("mismatch", QUERY, "CREATE TABLE t (a INTEGER PRIMARY KEY)", "INSERT INTO t VALUES ('x')")
on_sqlite("table exists", QUERY, "CREATE TABLE t (a)", "CREATE TABLE t (a)")


@case("sqlite3: other thread", "PROGRAMMING_ERROR|DATABASE_QUERY_ERROR", False, False)
def _(net):
    connection = sqlite3.connect(":memory:")
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        pool.submit(connection.execute, "SELECT 1").result()


def on_duckdb(name, *statements, kinds=QUERY):
    def provoke(net):
        with duckdb.connect() as connection:
            for statement in statements:
                connection.execute(statement).fetchall()

    cases.add(f"duckdb: {name}", provoke, kinds, False, False)


on_duckdb("not null", "CREATE TABLE t (a INTEGER NOT NULL)", "INSERT INTO t VALUES (NULL)")
on_duckdb("out of range", "SELECT 300::TINYINT")
on_duckdb("no function", "SELECT nothing_of_the_kind(1)")
on_duckdb(
    "aborted transaction",
    "CREATE TABLE t (a INTEGER PRIMARY KEY)",
    "BEGIN",
    "INSERT INTO t VALUES (1)",
    "INSERT INTO t VALUES (1)",
    kinds="DATABASE_QUERY_ERROR|BOOKING_CONFLICT",
)
on_duckdb("wrong setting", "SET no_such_setting = 1")


@case("duckdb: read only", QUERY, False, False)
def _(net):
    path = str(net.folder / "ro.duckdb")
    duckdb.connect(path).close()
    with duckdb.connect(path, read_only=True) as connection:
        connection.execute("CREATE TABLE t (a INTEGER)")


@case("duckdb: no database", "DATABASE_QUERY_ERROR|LOCAL_RESOURCE", False, False)
def _(net):
    path = net.folder / "no.duckdb"
    path.write_text("this is no database " * 1000)
    duckdb.connect(str(path))


def pg(state, text, kinds, retry, executed, **words):
    cases.add(
        f"psycopg: {state}",
        lambda net: postgres(Server(postgres_says(state, text, **words)).port),
        kinds,
        retry,
        executed,
    )


pg("08006", "connection failure", "DATABASE_ERROR", True, True)
pg(
    "25P02",
    "current transaction is aborted, commands ignored until end of transaction block",
    "DATABASE_QUERY_ERROR|DATABASE_ERROR",
    False,
    False,
)
pg("25P03", "terminating connection due to idle-in-transaction timeout", "DATABASE_ERROR", True, None, then_close=True)
pg("42703", 'column "a" does not exist', QUERY, False, False)
pg("22001", "value too long for type character varying(10)", "DATABASE_QUERY_ERROR|VALIDATION_ERROR", False, False)
pg("22012", "division by zero", QUERY, False, False)
pg("53200", "out of memory", "DATABASE_ERROR|LOCAL_RESOURCE", None, None)
pg(
    "57P02",
    "terminating connection because of crash of another server process",
    "DATABASE_ERROR",
    True,
    True,
    then_close=True,
)
pg("XX000", "cache lookup failed", "DATABASE_ERROR|DATABASE_QUERY_ERROR", None, None)
pg("3D000", 'database "d" does not exist', "DATABASE_QUERY_ERROR|API_NOT_FOUND", False, False, at_login=True)
pg("40003", "statement completion unknown", "DATABASE_ERROR", None, True)
pg("23514", 'new row violates check constraint "positive"', "DATABASE_QUERY_ERROR|VALIDATION_ERROR", False, False)


@case("psycopg: closed connection", "DATABASE_ERROR|PROGRAMMING_ERROR", None, False)
def _(net):
    connection = psycopg.connect(f"host=127.0.0.1 port={Server(postgres_says('42601', 'x')).port} user=u dbname=d")
    connection.close()
    connection.execute("SELECT 1")


@case("psycopg_pool: no connection free", "DATABASE_ERROR", True, False)
def _(net):
    port = Server(postgres_says("42601", "x")).port
    with (
        psycopg_pool.ConnectionPool(
            f"host=127.0.0.1 port={port} user=u dbname=d", min_size=1, max_size=1, open=True
        ) as pool,
        pool.connection(),
    ):
        pool.getconn(timeout=0.2)


def my(number, state, text, kinds, retry, executed):
    cases.add(
        f"pymysql: {number}", lambda net: mysql(Server(mysql_says(number, state, text)).port), kinds, retry, executed
    )


my(1054, "42S22", "Unknown column 'a' in 'field list'", QUERY, False, False)
my(
    1290,
    "HY000",
    "The MySQL server is running with the --read-only option so it cannot execute this statement",
    QUERY,
    False,
    False,
)
my(1451, "23000", "Cannot delete or update a parent row: a foreign key constraint fails", QUERY, False, False)
my(1406, "22001", "Data too long for column 'a' at row 1", "DATABASE_QUERY_ERROR|VALIDATION_ERROR", False, False)
my(
    3024,
    "HY000",
    "Query execution was interrupted, maximum statement execution time exceeded",
    "DATABASE_ERROR|NETWORK_TIMEOUT",
    None,
    False,
)
my(
    1203,
    "42000",
    "User u already has more than 'max_user_connections' active connections",
    "DATABASE_ERROR",
    True,
    False,
)


def rd(reply, kinds, retry):
    cases.add(
        f"redis: {reply.split()[0]}",
        lambda net: cache(Server(redis_says(reply.encode() + b"\r\n")).port),
        kinds,
        retry,
        None,
    )


rd("-CLUSTERDOWN The cluster is down", "CACHE_UNAVAILABLE", False)
rd("-NOSCRIPT No matching script. Please use EVAL.", "DATABASE_QUERY_ERROR|PROGRAMMING_ERROR", False)
rd("-BUSY Redis is busy running a script.", "CACHE_UNAVAILABLE", False)
rd("-MASTERDOWN Link with MASTER is down", "CACHE_UNAVAILABLE", False)


@case("redis: a value that is none", "DATABASE_QUERY_ERROR|PROGRAMMING_ERROR", False, False)
def _(net):
    redis.Redis(port=Server(redis_says(b"+OK\r\n")).port, protocol=2).set("a", object())


@case("redis async: refused", "CACHE_UNAVAILABLE", False, None)
def _(net):
    async def get():
        await redis.asyncio.Redis(port=int(net.refused.rpartition(":")[2])).get("a")

    asyncio.run(get())


ENGINE = sqlalchemy.create_engine("sqlite://")


@case("sqlalchemy: syntax", QUERY, False, False)
def _(net):
    with ENGINE.connect() as connection:
        connection.execute(sqlalchemy.text("SELEC 1"))


@case("sqlalchemy: no result", "DATABASE_QUERY_ERROR|API_NOT_FOUND|UNKNOWN|PROGRAMMING_ERROR", False, None)
def _(net):
    with ENGINE.connect() as connection:
        connection.execute(sqlalchemy.text("SELECT 1 WHERE 0")).one()


@case("sqlalchemy: closed", "PROGRAMMING_ERROR|DATABASE_ERROR|DATABASE_QUERY_ERROR", False, None)
def _(net):
    connection = ENGINE.connect()
    connection.close()
    connection.execute(sqlalchemy.text("SELECT 1"))


@case("pymongo: a bad address", "API_INVALID_REQUEST|PROGRAMMING_ERROR|DATABASE_QUERY_ERROR", False, False)
def _(net):
    pymongo.MongoClient("mongodb:/nowhere")


# --- local -----------------------------------------------------------------------------------------------------------
BUG = "PROGRAMMING_ERROR"
LOCAL = "LOCAL_RESOURCE"
ODD = {
    "queue empty": (lambda: queue.Queue().get_nowait(), "UNKNOWN|PROGRAMMING_ERROR|LOCAL_RESOURCE|CACHE_MISS"),
    "pickle": (lambda: pickle.dumps(lambda: 0), BUG),
    "csv": (lambda: list(csv.reader(["a\0b", "x" * 200_000])), "PROGRAMMING_ERROR|VALIDATION_ERROR|UNKNOWN"),
    "decimal": (lambda: decimal.Decimal("x"), "PROGRAMMING_ERROR|VALIDATION_ERROR"),
    "directory": (lambda: Path("/").read_text(), LOCAL),
    "exists": (lambda: Path("/").mkdir(), LOCAL),
    "name too long": (lambda: Path("/" + "x" * 5000).read_text(), "LOCAL_RESOURCE|PROGRAMMING_ERROR"),
    "key error named timeout": (lambda: {}["timeout"], BUG),
    "assertion": (lambda: (_ for _ in ()).throw(AssertionError("connection refused")), BUG),
    "not implemented": (lambda: (_ for _ in ()).throw(NotImplementedError), BUG),
    "interrupt": (lambda: (_ for _ in ()).throw(KeyboardInterrupt), "CANCELLED"),
    "system exit": (lambda: sys.exit(3), "CANCELLED|UNKNOWN|PROGRAMMING_ERROR"),
    "encode": (lambda: "é".encode("ascii"), BUG),
    "value of an enum": (lambda: __import__("http").HTTPStatus(999), "PROGRAMMING_ERROR|VALIDATION_ERROR"),
    "date": (lambda: __import__("datetime").date.fromisoformat("tomorrow"), "PROGRAMMING_ERROR|VALIDATION_ERROR"),
    "barrier": (lambda: threading.Barrier(2).wait(timeout=0.05), "UNKNOWN|NETWORK_TIMEOUT|PROGRAMMING_ERROR|CANCELLED"),
    "called process": (
        lambda: subprocess.run([sys.executable, "-c", "raise SystemExit(1)"], check=True),
        "UNKNOWN|PROGRAMMING_ERROR|LOCAL_RESOURCE",
    ),
    "zip": (lambda: zipfile.ZipFile(__file__), "PROGRAMMING_ERROR|VALIDATION_ERROR|UNKNOWN|LOCAL_RESOURCE"),
    "copy onto itself": (lambda: shutil.copy(__file__, __file__), "PROGRAMMING_ERROR|LOCAL_RESOURCE|UNKNOWN"),
}
for name, (odd, kinds) in ODD.items():
    retry = None if "NETWORK_TIMEOUT" in kinds else False
    cases.add(f"python: {name}", lambda net, odd=odd: odd(), kinds, retry, None)


@case("asyncio: stream ended", "NETWORK_ERROR", True, True)
def _(net):
    async def read():
        reader, _ = await asyncio.open_connection("127.0.0.1", Server(lambda sock: sock.sendall(b"ab")).port)
        await reader.readexactly(10)

    asyncio.run(read())


@case("futures: cancelled", "CANCELLED", False, None)
def _(net):
    future = concurrent.futures.Future()
    future.cancel()
    future.result()


@case("multiprocessing: not done in time", "NETWORK_TIMEOUT", True, None)
def _(net):
    with multiprocessing.get_context("fork").Pool(1) as pool:
        pool.apply_async(__import__("time").sleep, (1,)).get(timeout=0.1)


@case("group: timeout and 503", "NETWORK_TIMEOUT|MODEL_OVERLOADED|API_SERVER_ERROR", True, True)
def _(net):
    async def both():
        async with asyncio.TaskGroup() as group:
            group.create_task(asyncio.to_thread(lambda: with_httpx(net.http.address("hang", hang), read=0.2)))
            group.create_task(asyncio.wait_for(asyncio.sleep(9), 0.1))

    asyncio.run(both())


@case("group: refused, as a cause", "NETWORK_REFUSED", True, False)
def _(net):
    async def both():
        async with asyncio.TaskGroup() as group:
            for _ in range(2):
                group.create_task(asyncio.to_thread(lambda: with_httpx(net.refused)))

    try:
        asyncio.run(both())
    except ExceptionGroup as error:
        raise RuntimeError("the search failed") from error


@case("group: quota and rate limit", "API_QUOTA_EXHAUSTED|API_RATE_LIMIT", False, False)
def _(net):
    found = []
    for name, body in (("q", {"error": {"code": "insufficient_quota"}}), ("r", {})):
        try:
            with_httpx(net.http.address(f"g{name}", answer(429, {}, body)))
        except httpx.HTTPError as error:
            found.append(error)
    raise ExceptionGroup("two searches", found)


@case("tenacity: gave up on a bug", BUG, False, None)
def _(net):
    tenacity.Retrying(stop=tenacity.stop_after_attempt(2))(lambda: None.x)


@case("tenacity: gave up on quota", "API_QUOTA_EXHAUSTED", False, False)
def _(net):
    def call():
        return ask(
            "groq",
            net.http.address("tq", answer(429, {}, openai_body("Quota", "insufficient_quota", "insufficient_quota"))),
        )

    tenacity.Retrying(stop=tenacity.stop_after_attempt(1))(call)


@case("chain: wrapped twice", "API_RATE_LIMIT", True, False, 5.0)
def _(net):
    try:
        try:
            with_requests(net.http.address("twice", answer(429, {"Retry-After": "5"})))
        except requests.HTTPError as error:
            raise ConnectionError("upstream") from error
    except ConnectionError as error:
        raise RuntimeError("giving up") from error


@case("chain: in args alone", "NETWORK_REFUSED", True, False)
def _(net):
    try:
        requests.get(net.refused, timeout=1)
    except requests.ConnectionError as error:
        raise RuntimeError("no answer", error) from None


@case("chain: KeyError then a bug", BUG, False, None)
def _(net):
    try:
        {}["a"]
    except KeyError:
        raise ValueError("no such slot")  # noqa: B904


@case("custom: status as text", BUSY, True, None)
def _(net):
    class Upstream(Exception):
        status = "503"

    raise Upstream("no")


@case("custom: code of Node", "NETWORK_ERROR", True, True)
def _(net):
    class Bridge(Exception):
        code = "ECONNRESET"

    raise Bridge("socket hang up")


@case("python: host unreachable", "NETWORK_ERROR", True, False)
def _(net):
    raise OSError(errno.EHOSTUNREACH, os.strerror(errno.EHOSTUNREACH))


@case("pydantic: JSON", "VALIDATION_ERROR|MODEL_OUTPUT_INVALID", None, None)
def _(net):
    class Slot(pydantic.BaseModel):
        minutes: int

    Slot.model_validate_json("no json")
