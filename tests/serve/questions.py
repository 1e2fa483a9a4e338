"""Questions of every kind, and what no answer may ever do; for the tests and for the proofs."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from hypothesis import strategies as st
from served import API, TOKEN, Log, ask

CANARY = "sk-proj-AAAAbbbbCCCCddddEEEEffff0123456789"
WRITER = """
import sys, time
from relkit.batch import Batch
from relkit.store import open_store, sink_into
for number in range(10_000):
    with open_store(sys.argv[1], write=True) as store, sink_into(store, "more", str(number)) as sink:
        sink(Batch("attempts", {"ts": [1_795_391_000_000_000 + number], "latency_us": [1_000], "ok": [True], "status": [200]}))
    time.sleep(0.2)
"""
ADDRESSES = ("/", f"{API}/metrics", f"{API}/health", f"{API}/live")
MOMENTS = ("2026-11-22T12:00:00Z", "2026-11-20T00:00:00+05:30", "1970-01-01T00:00:00Z", "9998-12-31T23:59:59Z")

words = st.text(st.characters(codec="latin-1", exclude_characters="\r\n\0"), max_size=60)
paths = st.one_of(
    st.sampled_from(ADDRESSES),
    st.builds(
        lambda address, more: address + more,
        st.sampled_from(ADDRESSES),
        st.sampled_from(("/", "/..", "%2f", "//", "?", "\x00", "/" * 500, "é")),
    ),
    st.text(max_size=300).map(lambda text: "/" + text),
)
queries = st.one_of(
    st.just(b""),
    st.sampled_from(MOMENTS).map(lambda text: f"as_of={text}".encode()),
    st.datetimes().map(lambda moment: f"as_of={moment.isoformat()}".encode()),
    st.binary(max_size=200),
    st.binary(max_size=60).map(lambda raw: b"as_of=" + raw),
    st.integers().map(lambda number: f"as_of={number}".encode()),
    st.just(b"as_of=" + b"9" * 100_000),
    st.just(b"&".join([b"as_of=2026-11-22T12:00:00Z"] * 20)),
)
headers = st.fixed_dictionaries(
    {},
    optional={
        "Accept": st.one_of(
            words,
            st.sampled_from(("text/plain", "application/openmetrics-text", "text/*;q=nan", "*/*;q=-1", ",;,;q=;")),
        ),
        "Authorization": st.one_of(
            words, st.sampled_from((f"Bearer {TOKEN}", f"Bearer {TOKEN[:-1]}", "Basic Og==", "Basic ====", "bearer"))
        ),
        "X-Forwarded-For": words,
        "If-None-Match": words,
        "Range": words,
        "Content-Length": st.just("10"),
    },
)
hosts = st.one_of(st.just("127.0.0.1:8571"), st.just("localhost"), words, st.none())
questions = st.fixed_dictionaries(
    {
        "path": paths, "query": queries, "headers": headers, "host": hosts, "with_token": st.booleans(),
        "client": st.sampled_from(("127.0.0.1", "10.1.2.3", "")),
    }
)  # fmt: skip


@contextmanager
def busy_log(place: Path) -> Iterator[Path]:
    """Let another process write all the time to a log that holds what it should not have been given."""
    made = Log(place)
    made.calls([("x", 1, 1_795_391_000_000_000, 1_000, False, f"svc {CANARY} <script>alert(1)</script>", CANARY, 3)])
    made.transition(1_795_391_000_000_000, "<b>chat</b>", "line\nbreak", "closed", "open")
    with subprocess.Popen([sys.executable, "-c", WRITER, str(place)]) as writer:
        yield place
        writer.kill()


def apps_of(place: Path) -> tuple[Any, Any]:
    """Return the application without and with a token."""
    return Log(place).app(), Log(place).app(token=TOKEN)


def check_answer(
    apps: tuple[Any, Any],
    folder: str,
    path: str,
    query: bytes,
    headers: dict[str, str],
    host: str | None,
    *,
    with_token: bool,
    client: str,
) -> int:
    """Ask, hold the answer to what no answer may ever do, and return its status."""
    got = ask(apps[with_token], path, query, headers, host=host, client=client)
    assert got.status in (200, 400, 401, 403, 404, 414, 429)
    if path == f"{API}/live" and len(query) <= 1_024:
        assert (got.status, got.json()) == (200, {"status": "pass"})
    text = got.text + str(got.headers)
    for secret in (folder, TOKEN, CANARY, "Traceback", "site-packages"):
        assert secret not in text, secret
    if got.headers["content-type"].startswith(
        "text/html"
    ):  # elsewhere a name of the log is data, and sniffing is forbidden
        assert "<script" not in text
        assert "<b>chat" not in text
    may = (
        headers.get("Authorization") == f"Bearer {TOKEN}"
        if with_token
        else client == "127.0.0.1" and host in ("127.0.0.1:8571", "localhost")
    )
    if not may and got.status == 200:
        assert list(got.json()) == ["status"]
    return got.status
