"""Whatever is asked, while a writer is at work: no error of ours, and nothing told that is nobody's business."""

import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
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
    time.sleep(0.05)
"""
ADDRESSES = ("/", f"{API}/metrics", f"{API}/health", f"{API}/live")
MOMENTS = ("2026-11-22T12:00:00Z", "2026-11-20T00:00:00+05:30", "1970-01-01T00:00:00Z", "9998-12-31T23:59:59Z")

words = st.text(st.characters(codec="latin-1", exclude_characters="\r\n\0"), max_size=60)
paths = st.one_of(
    st.sampled_from(ADDRESSES),
    st.builds(lambda address, more: address + more, st.sampled_from(ADDRESSES), st.sampled_from(("/", "/..", "%2f", "//", "?", "\x00", "/" * 500, "é"))),
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
        "Accept": st.one_of(words, st.sampled_from(("text/plain", "application/openmetrics-text", "text/*;q=nan", "*/*;q=-1", ",;,;q=;"))),
        "Authorization": st.one_of(words, st.sampled_from((f"Bearer {TOKEN}", f"Bearer {TOKEN[:-1]}", "Basic Og==", "Basic ====", "bearer"))),
        "X-Forwarded-For": words,
        "If-None-Match": words,
        "Range": words,
        "Content-Length": st.just("10"),
    },
)
hosts = st.one_of(st.just("127.0.0.1:8571"), st.just("localhost"), words, st.none())


@pytest.fixture(scope="module")
def busy(known: Log, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A log that another process writes to all the time, and that holds what it should not have been given."""
    place = tmp_path_factory.mktemp("secret folder") / "log.duckdb"
    shutil.copy(known.path, place)
    made = Log(place)
    made.calls([("x", 1, 1_795_391_000_000_000, 1_000, False, f"svc {CANARY} <script>alert(1)</script>", CANARY, 3)])
    made.transition(1_795_391_000_000_000, "<b>chat</b>", "line\nbreak", "closed", "open")
    with subprocess.Popen([sys.executable, "-c", WRITER, str(place)]) as writer:
        yield place
        writer.kill()


@pytest.fixture(scope="module")
def apps(busy: Path) -> tuple[Any, Any]:
    log = Log(busy)
    return log.app(), log.app(token=TOKEN)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(path=paths, query=queries, headers=headers, host=hosts, which=st.booleans(), client=st.sampled_from(("127.0.0.1", "10.1.2.3", "")))
def test_no_question_breaks_it_or_learns_more_than_it_may(apps, busy, path, query, headers, host, which, client) -> None:
    app = apps[which]
    got = ask(app, path, query, headers, host=host, client=client)
    assert got.status in (200, 400, 401, 403, 404, 414, 429)
    if path == f"{API}/live" and len(query) <= 1_024:
        assert (got.status, got.json()) == (200, {"status": "pass"})
    text = got.text + str(got.headers)
    for secret in (str(busy.parent), "secret folder", TOKEN, CANARY, "Traceback", "site-packages", "<script", "<b>chat"):
        assert secret not in text, secret
    may = headers.get("Authorization") in (f"Bearer {TOKEN}",) if which else True
    if not may and got.status == 200:
        assert list(got.json()) == ["status"]


def test_every_address_answers_with_the_writer_at_work(apps) -> None:
    for address in ADDRESSES:
        assert ask(apps[0], address).status == 200
    assert ask(apps[0], f"{API}/metrics").json()["state"] in ("fresh", "stale")
