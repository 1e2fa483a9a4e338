"""The guard: who is answered, what the others learn, and that nothing but reading is possible."""

import asyncio
import base64

import pytest
from served import API, TOKEN, Log, ask

from relkit.exceptions import ParameterError
from relkit.serve import application
from relkit.serve.guard import checked_token

PATHS = ("/", f"{API}/metrics", f"{API}/health", f"{API}/live")


@pytest.fixture(scope="module")
def open_app(known: Log):
    return known.app()


@pytest.fixture(scope="module")
def app(known: Log):
    return known.app(token=TOKEN)


def basic(user: str, password: str) -> dict[str, str]:
    return {"Authorization": "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()}


@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        "evil.example:8571",
        "127.0.0.1.evil.example",
        "localhost.evil",
        "127.0.0.1:80@evil",
        "",
        "::1]",
        "[::1",
        "127.0.0.1:x",
        "0.0.0.0",
        "metadata.internal:8571",
        None,
    ],
)
def test_a_name_that_is_not_this_machines_own_is_told_nothing(open_app, host) -> None:
    for path in PATHS:
        got = ask(open_app, path, host=host)
        if path.endswith(("health", "live")):
            assert list(got.json()) == ["status"]
        else:
            assert got.status == 403
        assert "evil" not in str(got.headers) + got.text


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "127.0.0.1:8571", "localhost:8571", "LOCALHOST", "[::1]:8571", "[::1]", "127.8.9.10:1"]
)
def test_this_machine_may_ask_by_its_own_names(open_app, host: str) -> None:
    assert ask(open_app, f"{API}/metrics", host=host).status == 200


def test_without_a_token_nobody_else_may_ask_and_nobody_through_a_proxy(open_app) -> None:
    assert ask(open_app, f"{API}/metrics", client="10.0.0.7").status == 403
    for name in ("X-Forwarded-For", "Forwarded", "X-Real-IP", "Via", "x-forwarded-host"):
        assert ask(open_app, f"{API}/metrics", headers={name: "10.0.0.7"}).status == 403


@pytest.mark.parametrize(
    "headers",
    [
        {}, {"Authorization": f"Bearer {TOKEN}x"}, {"Authorization": f"Bearer {TOKEN[:-1]}"}, {"Authorization": "Bearer"},
        {"Authorization": f"Token {TOKEN}"}, {"Authorization": "Basic %%%"}, basic(TOKEN, ""), basic("", ""),
        {"Authorization": "Basic " + "A" * 5_000}, {"Authorization": "Bearer é"}, {"Cookie": f"token={TOKEN}"},
    ],
)  # fmt: skip
def test_without_the_token_the_status_is_all_there_is(app, headers: dict[str, str]) -> None:
    for path in ("/", f"{API}/metrics", "/nothing", f"{API}/health/", f"{API}/livex"):
        got = ask(app, path, headers=headers)
        assert (got.status, got.text) == (401, "Unauthorized\n")
    health = ask(app, f"{API}/health", headers=headers)
    assert (health.status, health.json()) == (200, {"status": "warn"})
    assert ask(app, f"{API}/live", headers=headers).json() == {"status": "pass"}


@pytest.mark.parametrize(
    "headers",
    [
        {"Authorization": f"Bearer {TOKEN}"},
        {"authorization": f"bearer  {TOKEN}"},
        basic("", TOKEN),
        basic("prometheus", TOKEN),
    ],
)
def test_with_the_token_anybody_may_ask_from_anywhere_by_any_name(app, headers: dict[str, str]) -> None:
    got = ask(
        app,
        f"{API}/metrics",
        headers={**headers, "X-Forwarded-For": "1.2.3.4"},
        host="metrics.example",
        client="10.0.0.7",
    )
    assert got.status == 200
    assert "breakers" in ask(app, f"{API}/health", headers=headers, client="10.0.0.7").json()


def test_both_ways_to_give_the_token_are_offered(app) -> None:
    sent = []

    async def receive():
        return {"type": "http.request"}

    async def send(message):
        sent.append(message)

    scope = {
        "type": "http",
        "method": "GET",
        "path": "/",
        "query_string": b"",
        "headers": [(b"host", b"x")],
        "client": ("9.9.9.9", 1),
    }
    asyncio.run(app(scope, receive, send))
    assert [value for name, value in sent[0]["headers"] if name == b"www-authenticate"] == [
        b'Bearer realm="relkit"', b'Basic realm="relkit", charset="UTF-8"',
    ]  # fmt: skip


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "CONNECT", "PROPFIND", "get"])
def test_nothing_but_reading(open_app, app, method: str) -> None:
    for path in (*PATHS, "/nothing"):
        for one in (open_app, app):
            got = ask(one, path, method=method)
            assert (got.status, got.headers["allow"]) == (405, "GET, HEAD")


@pytest.mark.parametrize(
    "path",
    [
        "//",
        "/..",
        "/api/reliability",
        "/api/reliability/",
        f"/{API}/metrics",
        f"{API}/metrics/",
        f"{API}//metrics",
        f"{API}/../reliability/metrics",
        f"{API}/metrics\x00",
        f"{API}/METRICS",
        f"{API}/metrics;x",
        "/etc/passwd",
        "/%2e%2e/%2e%2e/etc/passwd",
        "/docs",
        "/static/x",
        "\\",
    ],
)
def test_only_the_four_addresses_are_there(open_app, path: str) -> None:
    got = ask(open_app, path)
    assert got.status == 404
    assert "location" not in got.headers
    assert got.text == "Not Found"


def test_what_is_too_long_is_refused_before_it_is_read(open_app) -> None:
    assert ask(open_app, "/" + "a" * 10_000).status == 414
    assert ask(open_app, f"{API}/metrics", b"as_of=" + b"9" * 100_000).status == 414
    assert ask(open_app, f"{API}/metrics", headers={"Accept": "text/plain;q=" + "1," * 50_000}).status == 200


def test_every_answer_forbids_scripts_frames_and_keeping(open_app, app) -> None:
    for one in (open_app, app):
        for path in (*PATHS, "/nothing"):
            told = ask(one, path).headers
            assert "default-src 'none'" in told["content-security-policy"]
            assert "script-src" not in told["content-security-policy"]
            assert (told["cache-control"], told["x-content-type-options"], told["x-frame-options"]) == (
                "no-store",
                "nosniff",
                "DENY",
            )
            assert "access-control-allow-origin" not in told
            assert "server" not in told


def test_a_connection_that_is_no_question_is_closed(open_app) -> None:
    sent = []

    async def send(message):
        sent.append(message)

    asyncio.run(open_app({"type": "websocket", "path": "/", "headers": []}, None, send))
    assert sent == [{"type": "websocket.close", "code": 1008}]


@pytest.mark.parametrize(
    "token",
    ["", "short", "with blank in the middle", "with:colon:in:the:middle", "é" * 20, "line\nbreak-in-the-middle"],
)
def test_a_weak_token_is_refused_and_not_repeated(known: Log, token: str) -> None:
    with pytest.raises(ParameterError) as error:
        application(known.path, token=token)
    assert not token or token not in str(error.value)
    assert checked_token(TOKEN) == TOKEN
