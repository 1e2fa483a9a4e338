"""What strangers give to a journal and a mirror, and threads that cannot be started: nothing ends, and nothing is lost silently."""

import threading
from pathlib import Path
from shutil import rmtree
from typing import Any

import pytest

from relkit.exceptions import ParameterError
from relkit.live.answers import Offered, Primary, Request
from relkit.live.events import ProbeEvent
from relkit.live.files import RotatingFile
from relkit.live.ink import UNWRITABLE
from relkit.live.journal import Journal
from relkit.live.shadowing import Mirror

PROBE = ProbeEvent("chat", up=True, status=200, latency_us=1_000, at_us=0)


def no_thread(_: threading.Thread) -> None:
    raise RuntimeError("can't start new thread")


def ask(mirror: Mirror, number: int) -> None:
    finish = mirror.offer(Offered(f"r{number}", 0, Request(session_id="s"), ("hi",), {}))
    if finish is not None:
        finish(Primary(True, "yes", "", None, 1))


def test_an_event_that_cannot_be_spelt_leaves_a_line_and_the_sink_at_work() -> None:
    seen: list[dict[str, Any]] = []
    with Journal([seen.append], service="booking") as journal:
        for event in (None, ProbeEvent(None, True, None, "x", 0), PROBE):  # type: ignore[arg-type]
            journal(event)  # type: ignore[arg-type]
    assert [line["message"] for line in seen[:2]] == [UNWRITABLE] * 2
    assert [(line["event"], line["seq"]) for line in seen[2:]] == [("probe", 3)]


def test_a_sink_that_ends_its_thread_gets_the_next_line_all_the_same() -> None:
    seen: list[dict[str, Any]] = []

    def sink(record: dict[str, Any]) -> None:
        if record["seq"] == 1:
            raise SystemExit
        seen.append(record)

    journal = Journal([sink], service="booking")
    journal(PROBE)
    assert journal.flush()
    journal(PROBE)
    assert journal.close()
    assert ([line["seq"] for line in seen], journal.status[0].last_error) == ([2], "SystemExit")


def test_an_async_sink_is_refused_because_nobody_would_await_it() -> None:
    async def sink(_: dict[str, Any]) -> None: ...

    with pytest.raises(ParameterError, match="sinks"):
        Journal([sink], service="booking")


def test_a_journal_without_a_thread_begins_to_write_when_it_gets_one(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[dict[str, Any]] = []
    journal = Journal([seen.append], service="booking")
    with monkeypatch.context() as patched:
        patched.setattr(threading.Thread, "start", no_thread)
        journal(PROBE)
    journal(PROBE)
    assert journal.close()
    assert [line["seq"] for line in seen] == [1, 2]


def test_numbers_may_name_people() -> None:
    seen: list[dict[str, Any]] = []
    with Journal([seen.append], service="booking", pseudonym_key=b"k" * 32) as journal:
        with journal.bound(request=7, session=0, user=17):
            journal(PROBE)
        with journal.bound(request="7", session="0", user="17"):
            journal(PROBE)
    first, second = ([line[name] for name in ("request", "session", "user")] for line in seen)
    assert first == second != [None, None, None]


def test_a_folder_that_was_removed_is_made_anew_at_the_next_line(tmp_path: Path) -> None:
    folder = tmp_path / "journal"
    file = RotatingFile(folder)
    file.write([b"lost\n"])
    rmtree(folder)
    file.write([b"kept\n"])
    file.close()
    assert [path.read_bytes() for path in folder.iterdir()] == [b"kept\n"]


@pytest.mark.parametrize("make", ["plain", "async"])
def test_a_mirror_without_a_thread_keeps_its_pairs_until_it_gets_one(
    make: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def later(_: str) -> str:
        return "yes"

    pairs: list[Any] = []
    mirror = Mirror(later if make == "async" else lambda _: "yes", experiment="e", share=1.0, record=pairs.append)
    with monkeypatch.context() as patched:
        patched.setattr(threading.Thread, "start", no_thread)
        ask(mirror, 1)
    ask(mirror, 2)
    assert mirror.close(10.0)
    assert (len(pairs), mirror.status.in_flight) == (2, 0)


def test_what_is_no_reading_and_what_cannot_be_compared_cost_no_worker() -> None:
    class Hostile:
        def __eq__(self, _: object) -> bool:
            raise SystemExit

        __hash__ = None  # type: ignore[assignment]

    pairs: list[Any] = []
    for options in ({"read": lambda _: None}, {}):
        mirror = Mirror(lambda _: Hostile(), experiment="e", share=1.0, record=pairs.append, workers=1, **options)  # type: ignore[arg-type]
        for number in range(3):
            ask(mirror, number)
        assert mirror.close(10.0)
    assert {pair.differs for pair in pairs[:3]} == {None}
    assert len(pairs) >= 3


def test_a_plain_shadow_whose_coroutine_nobody_awaits_has_not_answered() -> None:
    async def later(_: str) -> str:
        return "yes"

    pairs: list[Any] = []
    mirror = Mirror(lambda text: later(text), experiment="e", share=1.0, record=pairs.append)  # noqa: PLW0108  that is the case
    ask(mirror, 1)
    assert mirror.close(10.0)
    assert [(pair.state, pair.shadow_ok, pair.differs) for pair in pairs] == [("answered", False, None)]


@pytest.mark.parametrize("share", ["0.5", lambda: "x", float("nan")])
def test_a_share_that_is_no_number_is_said(share: Any) -> None:
    with pytest.raises(ParameterError, match="share"):
        Mirror(len, experiment="e", share=share)
