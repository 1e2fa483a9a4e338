"""Checks: in the background by the clock, one at a time, bounded, and never believed for ever."""

import socket
import threading
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from relkit.exceptions import ParameterError
from relkit.serve.checks import Check, Seen, Watch, address_check, watches
from relkit.serve.health import http_status, status_of
from relkit.store.readings.standing import BreakerStanding


def until(holds: Callable[[], bool], seconds: float = 10.0) -> bool:
    give_up = time.monotonic() + seconds
    while not holds() and time.monotonic() < give_up:
        time.sleep(0.01)
    return holds()


def test_a_look_that_hangs_fails_and_no_second_one_is_begun() -> None:
    looks, go_on = [], threading.Event()

    def hang() -> None:
        looks.append(1)
        go_on.wait(10)

    watch = Watch(Check("upstream", hang, every_s=0.05, timeout_s=0.05))
    assert watch.seen().status == "fail"  # nobody knows yet: that is not good
    watch.start()
    watch.start()
    assert watch.first()
    assert (watch.seen().status, watch.seen().output) == ("fail", "no answer within 0.05 s")
    time.sleep(0.3)
    assert len(looks) == 1
    go_on.set()
    assert until(lambda: watch.seen().status == "pass")
    watch.stop()


def test_it_looks_again_and_tells_warnings_and_errors() -> None:
    answers = iter([None, "slow today", ValueError("broken\nhere")])

    def look() -> str | None:
        said = next(answers, None)
        if isinstance(said, Exception):
            raise said
        return said

    watch, seen = Watch(Check("cache", look, every_s=0.02)), []
    watch.start()
    assert until(lambda: seen.append(watch.seen()) or {one.output for one in seen} >= {"", "slow today", "broken here"})
    watch.stop()
    assert {(one.status, one.output) for one in seen} >= {("pass", ""), ("warn", "slow today"), ("fail", "broken here")}


def test_a_result_that_is_overdue_is_not_believed(monkeypatch: pytest.MonkeyPatch) -> None:
    watch = Watch(Check("cache", lambda: None, every_s=10.0, timeout_s=2.0))
    watch.start()
    assert watch.first()
    assert watch.seen().status == "pass"
    later = time.monotonic() + 37.0
    monkeypatch.setattr("relkit.serve.checks.time.monotonic", lambda: later)
    assert (watch.seen().status, watch.seen().output) == ("fail", "no result for 37 s")
    monkeypatch.undo()
    watch.stop()


def test_an_address_is_checked_without_naming_it() -> None:
    class Answer(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(int(self.path[1:4]))
            self.send_header("Location", "http://127.0.0.1:1/elsewhere")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Answer) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        port = server.server_port
        for path, said in (("200", None), ("302", None), ("404", "answers with status 404")):
            assert address_check("up", f"http://127.0.0.1:{port}/{path}", required=True).look() == said
        with pytest.raises(ConnectionError, match="answers with status 503"):
            address_check("up", f"http://127.0.0.1:{port}/503", required=True).look()
        assert address_check("up", f"tcp://127.0.0.1:{port}", required=True).look() is None
        server.shutdown()
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        port = closed.getsockname()[1]
        for scheme in ("http", "tcp"):
            with pytest.raises(ConnectionError) as error:
                address_check("up", f"{scheme}://127.0.0.1:{port}", required=True).look()
            assert "cannot be reached" in str(error.value)
            assert str(port) not in str(error.value)


@pytest.mark.parametrize(
    "address",
    [
        "",
        "cache",
        "ftp://x/y",
        "tcp://host",
        "tcp://host:port",
        "tcp://h:1/x",
        "http://",
        "http://user:SECRET@h/",
        "file:///etc/passwd",
        "http://h:99999",
    ],
)
def test_what_is_no_address_is_refused_and_a_password_not_repeated(address: str) -> None:
    with pytest.raises(ParameterError) as error:
        address_check("cache", address, required=True)
    assert "SECRET" not in str(error.value)


def test_names_are_words_and_stand_once() -> None:
    one = Check("cache", lambda: None)
    with pytest.raises(ParameterError, match="each name once"):
        watches([one, one])
    for wrong in ({"name": "a:b"}, {"name": ""}, {"every_s": 0.0}, {"timeout_s": float("nan")}):
        with pytest.raises(ParameterError):
            Check(**{"name": "x", "look": lambda: None, **wrong})


@pytest.mark.parametrize(
    ("required", "optional", "breaker", "status", "code"),
    [
        ("pass", "pass", "closed", "pass", 200),
        ("pass", "pass", None, "warn", 200),
        ("pass", "warn", "closed", "warn", 200),
        ("pass", "fail", "closed", "warn", 200),
        ("warn", "pass", "closed", "warn", 200),
        ("fail", "pass", "closed", "fail", 503),
        ("fail", "fail", "open", "fail", 503),
        *(
            ("pass", "pass", state, "warn", 200)
            for state in ("open", "half_open", "forced_open", "disabled", "metrics_only", "what?")
        ),
    ],
)
def test_the_worst_of_what_is_required_decides(
    required: str, optional: str, breaker: str | None, status: str, code: int
) -> None:
    looked = [
        (Check("a", lambda: None), Seen(required, 1, 1)),
        (Check("b", lambda: None, required=False), Seen(optional, 1, 1)),
    ]
    breakers = None if breaker is None else [BreakerStanding("s", "m", breaker, 1, 0)]
    assert status_of(looked, breakers) == status
    assert http_status(status) == code
