"""The pretended service: each fault is the real one, seen by real clients, and every call is counted."""

import http.client
import json
import socket
import threading
import time
from collections.abc import Callable
from urllib.request import Request, urlopen

import httpx
import pytest

from relkit.errors import Classification, classify
from relkit.exceptions import ParameterError
from relkit.live.faults import Asked, Reply, answer, cut, failed, in_turn, limited, reset, slow
from relkit.live.upstream import HOST, Upstream


def post(url: str, model: str = "small", timeout_s: float = 5.0) -> bytes:
    with urlopen(Request(url, json.dumps({"model": model}).encode(), method="POST"), timeout=timeout_s) as found:
        return bytes(found.read())


def post_with_httpx(url: str, timeout_s: float = 5.0) -> bytes:
    with httpx.Client(trust_env=False, verify=False) as client:
        return client.post(url, json={"model": "small"}, timeout=timeout_s).raise_for_status().content


CLIENTS: tuple[Callable[..., bytes], ...] = (post, post_with_httpx)
FAULTS = (
    (failed(500), "API_SERVER_ERROR"),
    (failed(503), "MODEL_OVERLOADED"),
    (failed(529), "MODEL_OVERLOADED"),
    (limited(), "API_RATE_LIMIT"),
    (reset(), "NETWORK_ERROR"),
    (cut(0.5), "NETWORK_ERROR"),
    (slow(30.0), "NETWORK_TIMEOUT"),
    (answer(delay_s=30.0), "NETWORK_TIMEOUT"),
)


def failure(call: Callable[..., bytes], *words: object, **named: float) -> Classification:
    with pytest.raises(Exception) as caught:  # noqa: PT011  of any library: which kind it is comes next
        call(*words, **named)
    return classify(caught.value)


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("no_proxy", HOST)  # urllib would take the loopback's calls to a proxy that the machine names


@pytest.mark.parametrize("client", CLIENTS, ids=["urllib", "httpx"])
@pytest.mark.parametrize(("reply", "kind"), FAULTS, ids=[f"{reply.name}-{reply.delay_s:g}" for reply, _ in FAULTS])
def test_each_fault_is_seen_as_what_it_is(client: Callable[..., bytes], reply: Reply, kind: str) -> None:
    waits_for_ever = reply.delay_s + reply.spread_s > 1.0
    with Upstream(lambda _: reply) as upstream:
        found = failure(client, upstream.url, timeout_s=0.2 if waits_for_ever else 5.0)
        assert found.kind == kind
        assert found.maybe_executed is (kind not in {"API_RATE_LIMIT", "MODEL_OVERLOADED"})
        assert [(one.name, one.model) for one in upstream.served] == [(reply.name, "small")]


@pytest.mark.parametrize("client", CLIENTS, ids=["urllib", "httpx"])
def test_a_retry_after_is_told_in_both_forms(client: Callable[..., bytes]) -> None:
    with Upstream(in_turn([limited(7)], then=limited(7, as_date=True))) as upstream:
        assert failure(client, upstream.url).retry_after_s == 7.0
        told_s = failure(client, upstream.url).retry_after_s
        assert told_s is not None
        assert 4.0 < told_s <= 8.0, "a date has whole seconds, and it takes a moment to read it"


@pytest.mark.parametrize("client", CLIENTS, ids=["urllib", "httpx"])
def test_a_refused_port_is_refused_and_comes_back_the_same(client: Callable[..., bytes]) -> None:
    with Upstream() as upstream:
        url = upstream.url
        client(url)
        upstream.refuse()
        for _ in range(20):
            found = failure(client, url)
            assert (found.kind, found.maybe_executed) == ("NETWORK_REFUSED", False)
        assert upstream.calls == 1
        upstream.accept()
        upstream.accept()
        client(url)
        assert upstream.calls == 2


def test_refusing_closes_what_is_idle_and_finishes_what_is_being_answered() -> None:
    with Upstream(in_turn([answer()], then=answer("late", delay_s=0.3))) as upstream:
        idle, busy = (http.client.HTTPConnection(HOST, upstream.port, timeout=5.0) for _ in range(2))
        idle.request("GET", "/")
        assert idle.getresponse().read()
        busy.request("GET", "/")
        while upstream.calls < 2:
            time.sleep(0.01)
        upstream.refuse()
        with pytest.raises(ConnectionError):  # noqa: PT012  the end is heard by either
            idle.request("GET", "/")
            idle.getresponse()
        heard = busy.getresponse()
        assert b"late" in heard.read()
        assert heard.getheader("Connection") == "close"
        idle.close()
        busy.close()


def test_the_clock_refuses_and_accepts() -> None:
    with Upstream(refused=[(0.0, 0.4)]) as upstream:
        until_s = time.monotonic() + 10.0
        kinds = []
        while not kinds or kinds[-1] != "answered":
            assert time.monotonic() < until_s, "it never came back"
            try:
                post(upstream.url)
                kinds.append("answered")
            except OSError as error:
                kinds.append(str(classify(error).kind))
                time.sleep(0.02)
        assert upstream.served[0].at_s >= 0.4


def test_connections_are_kept_and_answered_in_order() -> None:
    with Upstream(in_turn([answer("one", delay_s=0.05), answer("two")], then=answer("three"))) as upstream:
        wire = socket.create_connection((HOST, upstream.port), timeout=5.0)
        body = b'{"model": "m"}'
        asked = b"POST /chat HTTP/1.1\r\nHost: x\r\nContent-Length: 14\r\n\r\n" + body
        wire.sendall(asked[:20])
        time.sleep(0.02)
        wire.sendall(asked[20:] + asked + asked)
        heard = b""
        while b"three" not in heard:
            heard += wire.recv(65536)
        wire.close()
        assert heard.index(b"one") < heard.index(b"two") < heard.index(b"three")
        assert (upstream.calls, upstream.connections, upstream.calls_of("m")) == (3, 1, 3)


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (b"nonsense\r\n\r\n", b"400"),
        (b"GET / HTTP/1.1\r\nContent-Length: -1\r\n\r\n", b"400"),
        (b"GET / HTTP/1.1\r\nContent-Length: many\r\n\r\n", b"400"),
        (b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n", b"400"),
        (b"GET /" + b"x" * 70_000, b"400"),
        (b"POST / HTTP/1.1\r\nContent-Length: 99999999999\r\n\r\n", b"413"),
    ],
)
def test_what_is_no_request_is_turned_away_and_not_counted(sent: bytes, status: bytes) -> None:
    with Upstream() as upstream, socket.create_connection((HOST, upstream.port), timeout=5.0) as wire:
        wire.sendall(sent)
        assert wire.recv(65536).split()[1] == status
        assert upstream.calls == 0


def test_calls_of_many_threads_are_counted_once_each() -> None:
    def ask(url: str) -> None:
        with httpx.Client(trust_env=False, verify=False) as client:
            for _ in range(25):
                client.post(url, json={"model": "m"})

    with Upstream() as upstream:
        threads = [threading.Thread(target=ask, args=(upstream.url,)) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert [one.number for one in upstream.served] == list(range(1, 201))
        assert upstream.connections == 8


def test_leaving_the_block_frees_the_port() -> None:
    with Upstream() as upstream:
        url = upstream.url
        post(url)
    with pytest.raises(OSError, match="refused"):
        post(url)
    assert not any(thread.name == "upstream" for thread in threading.enumerate())


def test_times_out_of_order_are_refused() -> None:
    with pytest.raises(ParameterError, match="start_s < end_s"):
        Upstream(refused=[(3.0, 1.0)])


def test_what_a_script_raises_comes_out_of_the_block() -> None:
    def broken(asked: Asked) -> Reply:
        raise LookupError(asked.path)

    with pytest.raises(LookupError, match="/where"), Upstream(broken) as upstream, pytest.raises(OSError):  # noqa: PT011
        post(f"{upstream.url}where")


def test_a_stream_may_be_slow_and_cut_at_once() -> None:
    with Upstream(in_turn([cut(0.0, slow(0.1))], then=cut(0.5, slow(0.1)))) as upstream:
        assert failure(post, upstream.url).kind == "NETWORK_ERROR"
        assert failure(post, upstream.url).kind == "NETWORK_ERROR"
        assert [one.name for one in upstream.served] == ["cut", "cut"]
