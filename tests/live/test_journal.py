"""The journal: what stands on every line, who wins where names meet, and that no sink can slow or end a call."""

import asyncio
import json
import os
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from importlib import metadata
from pathlib import Path
from typing import Any

import pytest

from relkit.errors.signals import Signals
from relkit.exceptions import ParameterError
from relkit.live.events import AttemptEvent, PairEvent, ProbeEvent, RetryEvent, RolloutEvent, TransitionEvent
from relkit.live.files import RotatingFile
from relkit.live.journal import Journal
from relkit.live.lines import RESERVED
from relkit.live.sinks import standard_out

KEY = b"k" * 32
AT_US = 1_795_000_000_000_001
Seen = list[dict[str, Any]]


def probe(latency_us: int = 1_000) -> ProbeEvent:
    return ProbeEvent("chat", up=True, status=200, latency_us=latency_us, at_us=AT_US)


def attempt(**fields: Any) -> AttemptEvent:
    return AttemptEvent(
        **{"request_id": "r1", "attempt": 1, "at_us": AT_US, "latency_us": 5, "ok": True, "service": "chat"} | fields
    )


def written(*events: Any, **options: Any) -> Seen:
    seen: Seen = []
    with Journal([seen.append], **{"service": "booking", "pseudonym_key": KEY} | options) as journal:
        for event in events:
            journal(event)
    return seen


@pytest.mark.parametrize(
    ("event", "name", "level", "fields"),
    [
        (attempt(), "attempt", "info", {"attempt": 1, "ok": True, "upstream": "chat", "latency_us": 5}),
        (attempt(ok=False, kind="API_SERVER_ERROR", signals=Signals(status=503)), "attempt", "warning",
         {"kind": "API_SERVER_ERROR", "signals": {"status": 503}}),
        (RetryEvent("r1", 1, 5, 0.25, "API_RATE_LIMIT", AT_US, "chat"), "retry", "warning",
         {"attempt": 1, "most": 5, "next_wait_s": 0.25, "kind": "API_RATE_LIMIT"}),
        (TransitionEvent("chat", "m", "closed", "open", 5, 5.0, "5 in a row.", AT_US), "transition", "error",
         {"from_state": "closed", "to_state": "open", "failures": 5, "threshold": 5.0, "reason": "5 in a row.", "model": "m"}),
        (TransitionEvent("chat", None, "open", "half_open", 0, 5.0, "time.", AT_US), "transition", "info", {"to_state": "half_open"}),
        (probe(), "probe", "info", {"up": True, "status": 200}),
        (PairEvent("p1", AT_US, "llama", "compared", differs=True), "pair", "info", {"pair_id": "p1", "differs": True}),
        (RolloutEvent("llama", "held", 1, 0.25, "the gate.", AT_US), "rollout", "warning", {"share": 0.25, "step": 1}),
    ],
)  # fmt: skip
def test_every_event_has_its_name_level_and_fields(event: Any, name: str, level: str, fields: dict[str, Any]):
    (line,) = written(event, environment="production", version="1.4.2")
    assert (line["event"], line["level"], line["ts"]) == (name, level, "2026-11-18T11:06:40.000001Z")
    assert (line["service"], line["environment"], line["version"]) == ("booking", "production", "1.4.2")
    assert tuple(line)[: len(RESERVED)] == (*RESERVED,)
    assert line["message"]
    assert fields.items() <= line.items()


def test_a_callers_field_cannot_forge_the_record():
    """Plan defect L02: there, `level` and `message` of the caller's metadata overwrite the record's own."""
    seen: Seen = []
    forged = {"level": "x", "message": "x", "ts": "x", "service": "x", "environment": "x", "version": "x", "seq": "x"}
    with Journal([seen.append], service="booking", version="1", pseudonym_key=KEY) as journal:
        journal.logger().warning("true", **forged, field_level="mine")
    (line,) = seen
    assert (line["level"], line["message"], line["service"], line["seq"]) == ("warning", "true", "booking", 1)
    assert {name: line[f"field_{name}"] for name in forged if name != "level"} == dict.fromkeys(list(forged)[1:], "x")
    assert sorted(value for name, value in line.items() if name.endswith("field_level")) == ["mine", "x"]


def test_an_explicit_value_wins_over_the_bound_one_and_nothing_erases_it():
    """Plan defect L01: there, an automatic context that knows nothing erases what the caller passed."""
    seen: Seen = []
    with Journal([seen.append], service="booking", pseudonym_key=KEY) as journal:
        log = journal.logger(room="A1")
        log.info("outside", session="jane")
        with journal.bound(request="bound", session="joe", user="u"):
            log.info("inside", session="jane", room="B2")
            log.info("inside")
            journal(attempt(request_id="own", session_id="jane"))
            with journal.bound(session="nested"):
                journal(probe())
            journal(probe())
        journal(probe())
    outside, explicit, bound, event, nested, after, bare = seen
    assert outside["session"] == explicit["session"] == event["session"] is not None
    assert len({explicit["session"], bound["session"], nested["session"]}) == 3
    assert (explicit["request"], event["request"], explicit["room"], bound["room"]) == ("bound", "own", "B2", "A1")
    assert (after["session"], bare["session"], bare["request"], bare["user"]) == (bound["session"], None, None, None)


def test_sessions_and_users_are_pseudonyms_that_join_under_one_key_alone():
    first, second = (written(attempt(session_id="jane"), pseudonym_key=key)[0]["session"] for key in (KEY, KEY))
    other = written(attempt(session_id="jane"), pseudonym_key=b"l" * 32)[0]["session"]
    assert first == second != other
    assert "jane" not in first


def test_the_version_comes_from_what_is_installed_when_nobody_says_it():
    """Plan defect L06: there, the version is a variable that only one way of starting the service sets."""
    assert written(probe(), service="structlog")[0]["version"] == metadata.version("structlog")
    assert written(probe(), service="no such distribution")[0]["version"] is None
    assert written(probe(), service="structlog", version="2.0")[0]["version"] == "2.0"


def test_context_stays_in_its_thread_and_in_its_task():
    seen: Seen = []
    with Journal([seen.append], service="booking", pseudonym_key=KEY) as journal:

        async def task(number: int) -> None:
            with journal.bound(request=f"task {number}"):
                await asyncio.sleep(0)
                journal(probe(number))

        async def tasks() -> None:
            await asyncio.gather(*map(task, range(50)))

        def thread(number: int) -> None:
            with journal.bound(request=f"thread {number}"):
                time.sleep(0.0001)
                journal(probe(1_000 + number))

        asyncio.run(tasks())
        with ThreadPoolExecutor(8) as pool:
            list(pool.map(thread, range(200)))
    assert len(seen) == 250
    for line in seen:
        number = line["latency_us"]
        assert line["request"] == (f"task {number}" if number < 1_000 else f"thread {number - 1_000}")
    assert sorted(line["seq"] for line in seen) == list(range(1, 251))


def test_an_error_of_the_application_is_written_with_its_cause_and_never_raises():
    seen: Seen = []

    class Hostile:
        def __repr__(self) -> str:
            raise RuntimeError("no")

        __str__ = __repr__

    with Journal([seen.append], service="booking", pseudonym_key=KEY) as journal:
        log = journal.logger()
        try:
            try:
                raise ConnectionRefusedError(111, "refused")
            except OSError as first:
                raise TimeoutError("too late") from first
        except TimeoutError:
            log.exception(
                "booking failed", room=Hostile(), cyclic=(loop := {}), number=float("nan"), raw=b"\xff", deep={1: {2}}
            )
            loop["me"] = loop
        log.info(Hostile())
    failed, hostile = seen
    assert (failed["level"], failed["error"]["kind"]) == ("error", "NETWORK_REFUSED")
    assert failed["error"]["causes"][0][0].endswith("ConnectionRefusedError")
    assert (failed["room"], failed["number"], failed["deep"]) == ("[Hostile]", None, {"1": [2]})
    assert hostile["message"] == "[Hostile]"


def test_a_line_that_would_be_endless_is_cut_and_stays_a_line(tmp_path: Path):
    with Journal([RotatingFile(tmp_path)], service="booking") as journal:
        journal.logger().info(
            "x" * 5_000, **{f"n{number}": "y" * 900 for number in range(200)}, split="a\nb\u2028c\ud800"
        )
        journal(attempt(ok=False, kind="UNKNOWN", signals=Signals(message="m" * 499), operation="o" * 200_000))
    lines = [json.loads(line) for line in next(iter(tmp_path.iterdir())).read_bytes().splitlines()]
    assert [len(line["message"]) for line in lines] == [1_000, len(lines[1]["message"])]
    assert lines[0]["left_out"].endswith("characters")
    assert lines[1]["operation"] == "[text of 200000 characters]"


def test_a_sink_that_raises_is_counted_and_keeps_no_line_from_the_others():
    seen: Seen = []

    def broken(record: dict[str, Any]) -> None:
        record.clear()  # its own copy
        raise OSError("no such aggregator")

    with Journal([broken, seen.append], service="booking") as journal:
        for number in range(20):
            journal(probe(number))
    assert [line["latency_us"] for line in seen] == list(range(20))
    failing, fine = journal.status
    assert (failing.failed, failing.written, failing.last_error, fine.written) == (20, 0, "OSError", 20)
    assert journal.dropped == 20


def test_a_sink_that_blocks_drops_counts_and_is_told_so_while_the_others_go_on():
    go, seen, late = threading.Event(), [], []

    def blocked(record: dict[str, Any]) -> None:
        go.wait(20)
        late.append(record)

    with Journal([blocked, seen.append], service="booking", capacity=50) as journal:
        journal(probe())
        for number in range(400):
            journal(probe(number))
            if number % 40 == 39:
                assert journal._outlets[1].mark().wait(10)
        assert len(seen) == 401
        stuck = journal.status[0]
        assert stuck.dropped >= 400 - 2 * 50 - 1
        assert stuck.waiting <= 51
        go.set()
        journal(probe())
        assert journal.flush(10)
    told = [line for line in late if line["event"] == "dropped"]
    assert sum(line["lines"] for line in told) == journal.status[0].dropped
    assert len(late) - len(told) + journal.status[0].dropped == 402


def test_close_ends_in_time_although_a_sink_never_does():
    began_s = time.monotonic()
    journal = Journal([lambda record: time.sleep(60), (seen := []).append], service="booking")
    journal(probe())
    assert journal.close(0.3) is False
    assert time.monotonic() - began_s < 10
    assert len(seen) == 1
    journal(probe())
    assert journal.dropped == 1


def test_what_waits_at_the_exit_of_a_process_is_written(tmp_path: Path):
    code = (
        "import sys; from relkit.live.journal import Journal; from relkit.live.files import RotatingFile\n"
        "from relkit.live.sinks import standard_out; from relkit.live.events import ProbeEvent\n"
        "journal = Journal([RotatingFile(sys.argv[1]), standard_out()], service='booking')\n"
        "for number in range(100): journal(ProbeEvent('chat', True, 200, number, 0))\n"
    )
    done = subprocess.run([sys.executable, "-c", code, str(tmp_path)], capture_output=True, check=True, timeout=60)
    (path,) = tmp_path.iterdir()
    assert path.suffix == ".jsonl"
    assert path.read_bytes() == done.stdout
    assert [json.loads(line)["latency_us"] for line in done.stdout.splitlines()] == list(range(100))


def test_a_forked_process_writes_a_file_of_its_own_and_nothing_twice(tmp_path: Path):
    journal = Journal([RotatingFile(tmp_path)], service="booking")
    for number in range(50):
        journal(probe(number))
    child = os.fork()
    if not child:
        for number in range(100, 150):
            journal(probe(number))
        os._exit(0 if journal.close(10) else 1)
    for number in range(50, 100):
        journal(probe(number))
    assert os.waitpid(child, 0)[1] == 0
    assert journal.close(10)
    found = [
        [json.loads(line)["latency_us"] for line in path.read_bytes().splitlines()]
        for path in sorted(tmp_path.glob("*.jsonl"))
    ]
    assert sorted(found) == [list(range(100)), list(range(100, 150))]


def test_standard_out_writes_where_a_notebook_stands_in_for_it(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
):
    import io  # noqa: PLC0415

    standard_out().write([b'{"a":1}\n'])
    assert capsys.readouterr().out == '{"a":1}\n'
    monkeypatch.setattr(sys, "stdout", held := io.StringIO())
    standard_out().write([b'{"a":2}\n'])
    assert held.getvalue() == '{"a":2}\n'


def test_what_cannot_be_is_refused_in_one_sentence(tmp_path: Path):
    with pytest.raises(ParameterError, match="at least one"):
        Journal([], service="booking")
    with pytest.raises(ParameterError, match="32 bytes"):
        Journal([print], service="booking", pseudonym_key=b"short")
    with pytest.raises(ParameterError, match="capacity"):
        Journal([print], service="booking", capacity=0)
    (tmp_path / "file").write_text("")
    with pytest.raises(ParameterError, match="folder that can be made"):
        RotatingFile(tmp_path / "file" / "below")
    with pytest.raises(ParameterError, match="max_bytes"):
        RotatingFile(tmp_path, max_bytes=10)
    with pytest.raises(ParameterError, match="keep"):
        RotatingFile(tmp_path, keep=0)


def test_the_journal_loads_none_of_the_heavy_libraries():
    heavy = ("numpy", "pandas", "scipy", "numba", "matplotlib", "duckdb")
    code = f"import sys, relkit.live.journal, relkit.live.shadowing; print([m for m in {heavy} if m in sys.modules])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"
