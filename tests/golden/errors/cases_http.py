"""httpx, requests, urllib3, aiohttp and urllib."""

import asyncio
import json
import ssl
import urllib.request

import aiohttp
import httpx
import requests
import urllib3

from .case import Cases
from .loopback import answer, babble, cut_chunk, cut_short, half_then_hang, half_then_reset, hang, hang_up, reset

cases = Cases()


def with_httpx(address, method="POST", **timeouts):
    timeout = httpx.Timeout(5.0, **timeouts)
    with httpx.Client(timeout=timeout) as client:
        found = client.request(method, address, json={"a": 1})
        found.raise_for_status()
        return found.json()


async def _async_httpx(address, **timeouts):
    async with httpx.AsyncClient(timeout=httpx.Timeout(5.0, **timeouts)) as client:
        (await client.post(address)).raise_for_status()


def with_async_httpx(address, **timeouts):
    return asyncio.run(_async_httpx(address, **timeouts))


def with_requests(address, timeout=5.0, **words):
    found = requests.post(address, json={"a": 1}, timeout=timeout, **words)
    found.raise_for_status()
    return found.json()


async def _aiohttp(address, **timeouts):
    async with (
        aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(**timeouts)) as session,
        session.post(address, json={}) as found,
    ):
        found.raise_for_status()
        return await found.json()


def with_aiohttp(address, **timeouts):
    return asyncio.run(_aiohttp(address, **(timeouts or {"total": 5})))


def with_urllib3(address, timeout=5.0, **words):
    return urllib3.PoolManager().request("POST", address, timeout=timeout, **words)


def with_urllib(address, timeout=5.0):
    return urllib.request.urlopen(urllib.request.Request(address, data=b"{}"), timeout=timeout).read()


WAYS = {"httpx": with_httpx, "requests": with_requests, "aiohttp": with_aiohttp, "urllib": with_urllib}
STATUSES = [
    (400, {}, {"message": "timeout must be a number"}, "API_INVALID_REQUEST", False, False),
    (401, {}, b"no", "API_AUTH_ERROR", False, False),
    (403, {}, b"no", "API_AUTH_ERROR", False, False),
    (404, {}, b"nothing here", "API_NOT_FOUND", False, False),
    (409, {}, b"", "API_CONFLICT", True, False),
    (
        422,
        {},
        {"detail": [{"loc": ["body", "date"], "msg": "Field required", "type": "missing"}]},
        "VALIDATION_ERROR|API_INVALID_REQUEST",
        False,
        False,
    ),
    (429, {"Retry-After": "7"}, b"slow down", "API_RATE_LIMIT", True, False, 7.0),
    (500, {}, b"oops", "API_SERVER_ERROR", True, True),
    (502, {}, b"<html>", "API_SERVER_ERROR", True, True),
    (503, {"Retry-After": "120"}, b"busy", "MODEL_OVERLOADED|API_SERVER_ERROR", True, None, 120.0),
    (504, {}, b"", "API_SERVER_ERROR|NETWORK_TIMEOUT", True, True),
]
for library, way in WAYS.items():
    for status, headers, body, *expected in STATUSES:
        name = f"{library}: {status}"
        cases.add(
            name, lambda net, n=name, a=answer(status, headers, body), w=way: w(net.http.address(n, a)), *expected
        )

DATED = {"Retry-After": "Wed, 21 Oct 2026 07:28:30 GMT", "Date": "Wed, 21 Oct 2026 07:28:00 GMT"}
GITHUB = {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "1798000060", "Date": "Wed, 23 Dec 2026 04:26:40 GMT"}
MORE = [
    ("httpx: 429 dated", with_httpx, 429, DATED, b"", "API_RATE_LIMIT", True, False, 30.0),
    (
        "requests: 429 past date",
        with_requests,
        429,
        {"Retry-After": "Wed, 21 Oct 2015 07:28:00 GMT"},
        b"",
        "API_RATE_LIMIT",
        True,
        False,
        0.0,
    ),
    (
        "aiohttp: 503 fraction",
        with_aiohttp,
        503,
        {"retry-after": "0.5"},
        b"",
        "MODEL_OVERLOADED|API_SERVER_ERROR",
        True,
        None,
        0.5,
    ),
    (
        "requests: 429 nonsense wait",
        with_requests,
        429,
        {"Retry-After": "soon"},
        b"",
        "API_RATE_LIMIT",
        True,
        False,
        None,
    ),
    ("httpx: 429 endless wait", with_httpx, 429, {"Retry-After": "1e400"}, b"", "API_RATE_LIMIT", True, False, None),
    ("httpx: 429 negative wait", with_httpx, 429, {"Retry-After": "-5"}, b"", "API_RATE_LIMIT", True, False, None),
    (
        "requests: 403 used up",
        with_requests,
        403,
        GITHUB,
        {"message": "API rate limit exceeded for 127.0.0.1."},
        "API_RATE_LIMIT",
        True,
        False,
        60.0,
    ),
    (
        "httpx: 403 with a wait",
        with_httpx,
        403,
        {"Retry-After": "60"},
        {"message": "You have exceeded a secondary rate limit."},
        "API_RATE_LIMIT",
        True,
        False,
        60.0,
    ),
    (
        "requests: 429 quota in the body",
        with_requests,
        429,
        {},
        {"error": {"code": "insufficient_quota", "message": "You exceeded your current quota"}},
        "API_QUOTA_EXHAUSTED",
        False,
        False,
    ),
    (
        "httpx: 503 loading",
        with_httpx,
        503,
        {},
        {"error": "Model gpt2 is currently loading", "estimated_time": 20.0},
        "MODEL_OVERLOADED",
        True,
        None,
        20.0,
    ),
    (
        "httpx: 400 gemini key",
        with_httpx,
        400,
        {},
        {
            "error": {
                "code": 400,
                "message": "API key not valid. Please pass a valid API key.",
                "status": "INVALID_ARGUMENT",
                "details": [{"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": "API_KEY_INVALID"}],
            }
        },
        "API_AUTH_ERROR",
        False,
        False,
    ),
    (
        "requests: 429 gemini wait",
        with_requests,
        429,
        {},
        {
            "error": {
                "code": 429,
                "message": "Resource has been exhausted (e.g. check quota).",
                "status": "RESOURCE_EXHAUSTED",
                "details": [{"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "26s"}],
            }
        },
        "API_RATE_LIMIT",
        True,
        False,
        26.0,
    ),
    (
        "requests: problem booking",
        with_requests,
        409,
        {"Content-Type": "application/problem+json"},
        {"type": "https://example.org/problems/booking-conflict", "title": "Taken", "status": 409},
        "BOOKING_CONFLICT",
        False,
        False,
    ),
    (
        "httpx: declared kind",
        with_httpx,
        422,
        {},
        {"error": {"code": "VALIDATION_ERROR", "message": "end before start"}},
        "VALIDATION_ERROR",
        False,
        False,
    ),
    (
        "httpx: oauth",
        with_httpx,
        400,
        {},
        {"error": "invalid_grant", "error_description": "Token has been expired or revoked."},
        "API_AUTH_ERROR",
        False,
        False,
    ),
    ("requests: 410", with_requests, 410, {}, b"gone", "API_NOT_FOUND", False, False),
    ("httpx: 425", with_httpx, 425, {}, b"", "API_CONFLICT", True, False),
    ("aiohttp: 408", with_aiohttp, 408, {}, b"", "NETWORK_TIMEOUT", True, None),
    ("requests: 501", with_requests, 501, {}, b"", "API_SERVER_ERROR|API_INVALID_REQUEST", False, False),
    ("httpx: 529", with_httpx, 529, {}, b"", "MODEL_OVERLOADED", True, None),
    (
        "requests: 200 that is no JSON",
        with_requests,
        200,
        {},
        b"<html>login</html>",
        "MODEL_OUTPUT_INVALID|API_SERVER_ERROR",
        None,
        None,
    ),
]
for name, way, status, headers, body, *expected in MORE:
    cases.add(name, lambda net, n=name, a=answer(status, headers, body), w=way: w(net.http.address(n, a)), *expected)

for library, way in {**WAYS, "httpx async": with_async_httpx, "urllib3": with_urllib3}.items():
    cases.add(f"{library}: refused", lambda net, w=way: w(net.refused), "NETWORK_REFUSED", True, False)
    cases.add(f"{library}: name not found", lambda net, w=way: w(net.nowhere), "NETWORK_ERROR", True, False)
    cases.add(
        f"{library}: certificate",
        lambda net, w=way: w(net.https.address("fine", answer(200))),
        "NETWORK_TLS",
        False,
        False,
    )
    cases.add(
        f"{library}: hung up", lambda net, w=way: w(net.http.address("hang_up", hang_up)), "NETWORK_ERROR", True, True
    )

SLOW = "NETWORK_TIMEOUT"
cases.add("httpx: read timeout", lambda net: with_httpx(net.http.address("hang", hang), read=0.3), SLOW, True, True)
cases.add("httpx: connect timeout", lambda net: with_httpx(net.deaf, connect=0.3), SLOW, True, False)
cases.add("httpx async: connect timeout", lambda net: with_async_httpx(net.deaf, connect=0.3), SLOW, True, False)
cases.add(
    "httpx: read timeout in the body",
    lambda net: with_httpx(net.http.address("half", half_then_hang), read=0.3),
    SLOW,
    True,
    True,
)
cases.add(
    "requests: read timeout", lambda net: with_requests(net.http.address("hang", hang), timeout=0.3), SLOW, True, True
)
cases.add("requests: connect timeout", lambda net: with_requests(net.deaf, timeout=0.3), SLOW, True, False)
cases.add("urllib3: connect timeout", lambda net: with_urllib3(net.deaf, timeout=0.3, retries=False), SLOW, True, False)
cases.add(
    "urllib3: read timeout",
    lambda net: with_urllib3(net.http.address("hang", hang), timeout=0.3, retries=0),
    SLOW,
    True,
    True,
)
cases.add(
    "aiohttp: total timeout", lambda net: with_aiohttp(net.http.address("hang", hang), total=0.3), SLOW, True, True
)
cases.add(
    "aiohttp: read timeout", lambda net: with_aiohttp(net.http.address("hang", hang), sock_read=0.3), SLOW, True, True
)
cases.add("aiohttp: connect timeout", lambda net: with_aiohttp(net.deaf, sock_connect=0.3), SLOW, True, False)
cases.add(
    "urllib: read timeout", lambda net: with_urllib(net.http.address("hang", hang), timeout=0.3), SLOW, True, True
)
cases.add("urllib: connect timeout", lambda net: with_urllib(net.deaf, timeout=0.3), SLOW, True, False)
for library, way in WAYS.items():
    cases.add(f"{library}: reset", lambda net, w=way: w(net.http.address("reset", reset)), "NETWORK_ERROR", True, True)
    cases.add(
        f"{library}: cut short", lambda net, w=way: w(net.http.address("cut", cut_short)), "NETWORK_ERROR", True, True
    )
    cases.add(
        f"{library}: cut chunk", lambda net, w=way: w(net.http.address("chunk", cut_chunk)), "NETWORK_ERROR", True, True
    )
    cases.add(
        f"{library}: babble", lambda net, w=way: w(net.http.address("babble", babble)), "NETWORK_ERROR", True, True
    )
cases.add(
    "requests: reset in the body",
    lambda net: with_requests(net.http.address("halfr", half_then_reset)),
    "NETWORK_ERROR",
    True,
    True,
)
cases.add("requests: plain answer to TLS", lambda net: with_requests(net.plain_as_tls), "NETWORK_TLS", False, False)
cases.add("aiohttp: plain answer to TLS", lambda net: with_aiohttp(net.plain_as_tls), "NETWORK_TLS", False, False)
cases.add(
    "httpx: hung up in the handshake", lambda net: with_httpx(net.hang_up_tls), "NETWORK_ERROR|NETWORK_TLS", None, False
)


@cases.case("httpx: pool timeout", "NETWORK_TIMEOUT", True, False)
def _(net):
    address = net.http.address("pool", half_then_hang)
    with httpx.Client(limits=httpx.Limits(max_connections=1), timeout=httpx.Timeout(5.0, pool=0.2)) as client:
        with client.stream("GET", address):
            client.get(address)


@cases.case("requests: gives up on 503", "MODEL_OVERLOADED|API_SERVER_ERROR", True, None)
def _(net):
    session = requests.Session()
    retries = urllib3.Retry(total=1, status_forcelist=[503], backoff_factor=0, allowed_methods=None)
    session.mount("http://", requests.adapters.HTTPAdapter(max_retries=retries))
    session.post(net.http.address("always_503", answer(503)), timeout=2)


@cases.case("httpx: a URL that is none", "API_INVALID_REQUEST|PROGRAMMING_ERROR", False, False)
def _(net):
    httpx.get("htp://nowhere")


@cases.case("requests: a URL that is none", "API_INVALID_REQUEST|PROGRAMMING_ERROR", False, False)
def _(net):
    requests.get("nowhere", timeout=1)


@cases.case("requests: too many redirects", "API_INVALID_REQUEST|API_SERVER_ERROR|UNKNOWN", False, None)
def _(net):
    address = net.http.address("round", b"")
    net.http.address("round", answer(302, {"Location": address}))
    requests.get(address, timeout=2)


@cases.case("requests: the proxy refuses", "NETWORK_REFUSED|NETWORK_ERROR", True, False)
def _(net):
    requests.get("http://example.invalid/", proxies={"http": net.refused}, timeout=2)


@cases.case("aiohttp: closed session", "PROGRAMMING_ERROR", False, None)
def _(net):
    async def late():
        session = aiohttp.ClientSession()
        await session.close()
        await session.get(net.refused)

    asyncio.run(late())


@cases.case("json: an answer that is none", "MODEL_OUTPUT_INVALID", None, None)
def _(net):
    json.loads("Sure! Here is the JSON you asked for")


@cases.case("ssl: wrong host name", "NETWORK_TLS", False, False)
def _(net):
    import socket

    context = ssl.create_default_context(cafile=None)
    with socket.create_connection(("127.0.0.1", net.https.port), timeout=2) as plain:
        context.wrap_socket(plain, server_hostname="localhost")
