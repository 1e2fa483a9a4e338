"""Following a journal: its lines become rows once, whatever the files do meanwhile and whoever else holds the database."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from relkit.cli import main
from relkit.errors import fingerprint, read_signals
from relkit.errors.signals import Signals
from relkit.exceptions import DataError
from relkit.live.events import AttemptEvent, Event, PairEvent, ProbeEvent, RolloutEvent, TransitionEvent
from relkit.live.files import DONE, GROWING, RotatingFile
from relkit.live.journal import Journal
from relkit.store import follow
from relkit.store.follow import Follower, Landed, total_of
from relkit.store.forget import forget_source
from relkit.store.open import open_store
from relkit.store.rollouts import rollout_rows

AT_US = 1_795_000_000_000_000
TABLES = ("attempts", "transitions", "probes", "pairs", "pair_bodies", "rollouts", "rejects", "fingerprints")


def attempt(number: int, **fields: Any) -> AttemptEvent:
    usual = {
        "request_id": f"r{number}",
        "attempt": 1,
        "at_us": AT_US + number,
        "latency_us": number,
        "ok": True,
        "service": "chat",
    }
    return AttemptEvent(**usual | fields)


def keep(folder: Path, *events: Event, max_bytes: int = 1 << 20) -> None:
    with Journal([RotatingFile(folder, max_bytes=max_bytes)], service="booking", pseudonym_key=b"k" * 32) as journal:
        for event in events:
            journal(event)


def take(folder: Path, database: Path) -> Landed:
    return total_of(list(Follower(folder, database).landings(once=True)))


def counts(database: Path) -> dict[str, int]:
    with open_store(database) as store:
        return {name: store.connection.execute(f"SELECT count(*) FROM {name}").fetchall()[0][0] for name in TABLES}


def rows(database: Path, sql: str) -> list[tuple[Any, ...]]:
    with open_store(database) as store:
        return store.connection.execute(sql).fetchall()


@pytest.fixture
def journal(tmp_path: Path) -> Path:
    return tmp_path / "journal"


@pytest.fixture
def database(tmp_path: Path) -> Path:
    return tmp_path / "relkit.duckdb"


def test_each_event_becomes_the_row_of_its_table(journal: Path, database: Path):
    """Plan defect L07: a transition is a row with time, from, to and reason."""
    signals = Signals(exception_type="APIStatusError", status=503, message="over # loaded")
    keep(
        journal,
        attempt(1, session_id="jane", model="llama", operation="chat", breaker_state="closed", budget_left=9, tokens_in=10, cost_microusd=130),
        attempt(2, ok=False, kind="MODEL_OVERLOADED", signals=signals, status=503, maybe_executed=True, retry_after_us=5_000_000, strategy="transient"),
        attempt(3, attempt=2, ok=None, ended=False),
        attempt(4, ok=False, kind="CIRCUIT_OPEN", role="shadow"),
        TransitionEvent("chat", "llama", "closed", "open", 5, 5.0, "5 failures in a row.", AT_US + 5),
        ProbeEvent("chat", up=False, status=503, latency_us=7, at_us=AT_US + 6),
        PairEvent("p1", AT_US + 7, "llama-4", "compared", "r1", "jane", 3, primary_ok=True, shadow_ok=False, differs=True, differs_baseline=False,
                  primary_first=True, step=1, primary_body="mail bob@example.org", shadow_body="y" * 3_000),
        PairEvent("p2", AT_US + 8, "llama-4", "eligible", primary_ok=True, step=1),
        RolloutEvent("llama-4", "running", 0, 0.1, "its time has come", AT_US + 9),
    )  # fmt: skip
    landed = take(journal, database)
    assert landed.kept == {"attempts": 4, "transitions": 1, "probes": 1, "pairs": 2, "rollouts": 1}
    assert (landed.read, landed.rejected, landed.already_there, landed.left_out) == (9, 0, 0, 0)
    assert rows(database, "SELECT * FROM transitions") == [
        (AT_US + 5, "chat", "llama", "closed", "open", "5 failures in a row.")
    ]
    assert rows(database, "SELECT ts, service, up, status, latency_us, source FROM probes") == [
        (AT_US + 6, "chat", False, 503, 7, "booking")
    ]
    fp = fingerprint(read_signals({"exception_type": "APIStatusError", "status": 503, "message": "over # loaded"}))
    circuit = fingerprint(read_signals({"code": "CIRCUIT_OPEN"}))
    assert rows(
        database, "SELECT request_id, attempt, ts, ok, ended, role, fp, granularity FROM attempts ORDER BY ts"
    ) == [
        ("r1", 1, AT_US + 1, True, True, "user", None, "attempt"),
        ("r2", 1, AT_US + 2, False, True, "user", fp, "attempt"),
        ("r3", 2, AT_US + 3, None, False, "user", None, "attempt"),
        ("r4", 1, AT_US + 4, False, True, "shadow", circuit, "attempt"),
    ]
    assert rows(
        database, "SELECT status, maybe_executed, retry_after_us, strategy FROM attempts WHERE request_id = 'r2'"
    ) == [(503, True, 5_000_000, "transient")]
    ((first, second),) = rows(database, "SELECT primary_body, shadow_body FROM pair_bodies")
    assert (first, len(second)) == ("mail [email]", 2_000)
    sessions = {
        session
        for (session,) in rows(database, "SELECT session_id FROM attempts UNION ALL SELECT session_id FROM pairs")
        if session
    }
    assert len(sessions) == 1
    assert "jane" not in sessions.pop()
    with open_store(database) as store:
        (row,) = rollout_rows(store, "llama-4")
    assert (row.state, row.step, row.share, row.reason) == ("running", 0, 0.1, "its time has come")


def test_the_ledger_has_one_entry_a_file_and_counts_every_line(journal: Path, database: Path):
    keep(journal, *(attempt(number) for number in range(700)), max_bytes=100_000)
    names = sorted(path.name for path in journal.iterdir())
    assert len(names) > 2
    assert take(journal, database).kept == {"attempts": 700}
    entries = rows(database, "SELECT name, kind, source, bytes, lines, read_rows, kept_rows FROM ingests ORDER BY name")
    assert [entry[:3] for entry in entries] == [(name, "journal", "booking") for name in names]
    assert [entry[3] for entry in entries] == [(journal / name).stat().st_size for name in names]
    assert (
        sum(entry[4] for entry in entries)
        == sum(entry[5] for entry in entries)
        == sum(entry[6] for entry in entries)
        == 700
    )


def test_the_same_rows_and_ledger_come_of_any_batches_and_stops(
    journal: Path, database: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    keep(
        journal,
        *(attempt(number, ok=number % 7 > 0, kind="" if number % 7 else "UNKNOWN") for number in range(120)),
        max_bytes=12_000,
    )
    take(journal, database)
    monkeypatch.setattr(follow, "_FIRST", 17)
    monkeypatch.setattr(follow, "_MOST", 23)
    monkeypatch.setattr(follow, "_FEWEST", 11)
    other = tmp_path / "other.duckdb"
    for _ in range(10):  # each stops after one transaction, as a killed follower does
        next(Follower(journal, other).landings(once=True), None)
    ledger = "SELECT name, sha256, bytes, lines, read_rows, kept_rows FROM ingests ORDER BY name"
    content = "SELECT * EXCLUDE (ingest_id) FROM attempts ORDER BY ts"
    assert rows(other, ledger) == rows(database, ledger)
    assert rows(other, content) == rows(database, content)


def grown(journal: Path) -> None:
    path = journal / f"journal-a-0001{GROWING}"
    journal.mkdir(exist_ok=True)
    with path.open("ab") as file:
        for number in range(10):
            file.write(line(path.stat().st_size + number))


def line(number: int, **more: Any) -> bytes:
    said = {"event": "attempt", "ts": "2026-11-18T11:06:40.000001Z", "service": "booking", "request": f"r{number}", "seq": number,
            "attempt": 1, "ok": True, "upstream": "chat", **more}  # fmt: skip
    return json.dumps(said).encode() + b"\n"


def test_a_file_that_grows_turns_is_renamed_or_copied_adds_its_new_rows_alone(journal: Path, database: Path):
    grown(journal)
    assert take(journal, database).kept == {"attempts": 10}
    grown(journal)
    assert take(journal, database).kept == {"attempts": 10}
    growing = journal / f"journal-a-0001{GROWING}"
    done = growing.with_name(f"journal-a-0001{DONE}")
    growing.rename(done)
    assert take(journal, database).read == 0
    shutil.copy(done, journal / f"journal-b-0001{DONE}")
    copied = take(journal, database)
    assert (copied.read, copied.already_there, copied.kept) == (20, 20, {"attempts": 0})
    assert take(journal, database).read == 0
    done.rename(journal / f"journal-c-0001{DONE}")
    assert take(journal, database).read == 0
    assert counts(database)["attempts"] == 20


def test_one_follower_sees_files_grow_turn_and_go(journal: Path, database: Path):
    follower = Follower(journal, database)
    taken: Counter[str] = Counter()

    def all_of() -> None:
        for landed in follower.landings(once=True):
            taken.update(landed.kept)

    file = RotatingFile(journal, max_bytes=1_000, keep=2)
    for number in range(100):
        file.write([line(number)])
        if number % 9 == 0:
            all_of()
    file.close()
    all_of()
    assert taken["attempts"] == counts(database)["attempts"] == 100
    assert len(follower._files) <= 3, "files that are gone are forgotten: it runs for hours"


def test_half_a_last_line_waits_while_its_file_grows_and_is_a_reject_when_it_never_came(journal: Path, database: Path):
    journal.mkdir()
    path = journal / f"journal-a-0001{GROWING}"
    half = line(3)
    path.write_bytes(line(1) + line(2) + half[:30])
    assert take(journal, database).kept == {"attempts": 2}
    with path.open("ab") as file:
        file.write(half[30:] + line(4)[:20])
    assert take(journal, database).kept == {"attempts": 1}
    path.rename(path.with_name(f"journal-a-0001{DONE}"))
    last = take(journal, database)
    assert (last.kept, last.rejected) == ({}, 1)
    assert rows(database, "SELECT line, reason FROM rejects") == [
        (4, "is no JSON: cut off, or not a line of the journal")
    ]
    assert take(journal, database).read == 0


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        (b"not json\n", "is no JSON"),
        (b"[1]\n", "is no JSON object"),
        (line(1, ts="yesterday"), "ts: is no ISO 8601 time"),
        (line(1, ts="2026-11-18T11:06:40"), "ts: is no ISO 8601 time with its zone"),
        (line(1, attempt=0), "attempt: is no whole number of at least 1"),
        (line(1, attempt=True), "attempt: is no whole number"),
        (line(1, latency_us=-5), "latency_us: is no whole number"),
        (line(1, latency_us=2**70), "latency_us: is no whole number"),
        (line(1, ok="yes"), "ok: is neither true nor false"),
        (line(1, status=99), "status: is no HTTP status"),
        (line(1, role="admin"), "role: is none of user"),
        (line(1, upstream=["chat"]), "service: is no text"),
        (line(1, request="bob@example.org"), "request_id: holds what must be hidden"),
        (line(1, request=None), "has no request"),
        (line(1, event="pair", pair_id="p", experiment="e", state="lost"), "state: is none of eligible"),
        (line(1, event="rollout", experiment="e", state="flying"), "state: is none of scheduled"),
        (line(1, event="rollout", experiment="e", state="running", share=1.5), "share: is no share"),
        (b"\xff\xfe{}\n", "is no JSON"),
    ],
)
def test_a_line_that_is_no_row_is_told_and_stops_nothing(journal: Path, database: Path, bad: bytes, reason: str):
    journal.mkdir()
    (journal / f"journal-a-0001{DONE}").write_bytes(line(7) + bad + b"\n" + line(8))
    landed = take(journal, database)
    assert (landed.kept, landed.rejected) == ({"attempts": 2}, 1)
    ((place, told),) = rows(database, "SELECT line, reason FROM rejects")
    assert place == 2
    assert told.startswith(reason)


def test_lines_of_the_application_and_of_no_table_are_left_out(journal: Path, database: Path):
    with Journal([RotatingFile(journal)], service="booking") as kept:
        kept.logger().info("booked", room="A1")
        kept(attempt(1))
    landed = take(journal, database)
    assert (landed.kept, landed.read, landed.left_out) == ({"attempts": 1}, 1, 1)


def test_many_writers_in_one_folder_while_it_is_followed(journal: Path, database: Path):
    """Ids need not be unique between processes: rows are known by their line."""
    code = (
        "import sys; from relkit.live.journal import Journal; from relkit.live.files import RotatingFile\n"
        "from relkit.live.events import AttemptEvent\n"
        "with Journal([RotatingFile(sys.argv[1], max_bytes=20_000)], service='booking') as journal:\n"
        "    for number in range(400): journal(AttemptEvent(f'r{number}', 1, 1_795_000_000_000_000 + number, number, True, 'chat', model=sys.argv[2]))\n"
    )
    writers = [subprocess.Popen([sys.executable, "-c", code, str(journal), name]) for name in "abc"]
    follower, taken = Follower(journal, database, wait=lambda s: time.sleep(0.05)), 0
    journal.mkdir(exist_ok=True)
    for writer in writers:
        while writer.poll() is None:
            taken += sum(landed.kept["attempts"] for landed in follower.landings(once=True))
            time.sleep(0.05)
        assert writer.returncode == 0
    taken += sum(landed.kept["attempts"] for landed in follower.landings(once=True))
    assert taken == 1_200
    assert rows(database, "SELECT model, count(*), count(DISTINCT request_id) FROM attempts GROUP BY 1 ORDER BY 1") == [
        (name, 400, 400) for name in "abc"
    ]


def test_two_followers_and_a_forgotten_log_make_no_row_twice(journal: Path, database: Path):
    grown(journal)
    first, second = Follower(journal, database), Follower(journal, database)
    for _ in range(3):
        for follower in (first, second):
            list(follower.landings(once=True))
            grown(journal)
    list(first.landings(once=True))
    there = len([line for path in journal.iterdir() for line in path.read_bytes().splitlines()])
    assert counts(database)["attempts"] == there
    with open_store(database, write=True) as store:
        assert forget_source(store, "booking") == there
    grown(journal)
    list(first.landings(once=True))
    assert counts(database)["attempts"] == there + 10, "what was forgotten is read anew with the next line"


def test_a_locked_database_is_waited_for_and_said_so_once(journal: Path, database: Path):
    grown(journal)
    take(journal, database)
    grown(journal)
    held = "import sys, duckdb; c = duckdb.connect(sys.argv[1], read_only=True); print('held', flush=True); sys.stdin.read()"
    reader = subprocess.Popen(
        [sys.executable, "-c", held, str(database)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert reader.stdout.readline() == b"held\n"
    told: list[str] = []
    waits: list[float] = []

    def wait(seconds: float) -> None:
        waits.append(seconds)
        if len(waits) == 3:
            reader.communicate()
        time.sleep(0.01)

    (landed,) = Follower(journal, database, notice=told.append, wait=wait).landings(once=True)
    assert landed.kept == {"attempts": 10}
    assert len(waits) >= 3
    assert [text.split(":")[0].split(" is ")[0] for text in told] == ["waiting", "the database"]
    assert str(reader.pid) in told[0]


def test_no_such_folder_is_one_clear_error(tmp_path: Path, database: Path):
    with pytest.raises(DataError, match="name the folder of a journal"):
        take(tmp_path / "nowhere", database)
    assert not database.exists()


def relkit(*words: str) -> int:
    with pytest.raises(SystemExit) as ended:
        main(list(words))
    return int(ended.value.code or 0)


def test_the_command_takes_what_is_there_and_says_what_it_took(
    journal: Path, database: Path, capsys: pytest.CaptureFixture[str]
):
    keep(journal, *map(attempt, range(5)))
    assert relkit("ingest", "--follow", str(journal), "--once", "--json", "-d", str(database)) == 0
    said = json.loads(capsys.readouterr().out)
    assert (said["kept"], said["rejected"]) == ({"attempts": 5}, 0)
    assert relkit("ingest", "--follow", str(journal), "--once", "-d", str(database)) == 0
    assert "in all nothing new" in capsys.readouterr().out


@pytest.mark.parametrize(
    "words",
    [["--once"], [], ["--follow", "x", "log.csv"], ["--follow", "x", "--as", "attempts"], ["--follow", "nowhere"]],
)
def test_words_that_do_not_go_together_are_refused(
    words: list[str], database: Path, capsys: pytest.CaptureFixture[str]
):
    assert relkit("ingest", *words, "-d", str(database)) == 1
    assert capsys.readouterr().err.count("\n") == 1


def test_ctrl_c_ends_it_cleanly(journal: Path, database: Path):
    keep(journal, *map(attempt, range(5)))
    run = subprocess.Popen(
        [sys.executable, "-m", "relkit", "ingest", "--follow", str(journal), "-d", str(database)],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env={**os.environ, "PYTHONUNBUFFERED": "1"},
    )  # fmt: skip
    assert "5 attempts" in run.stdout.readline()
    run.send_signal(signal.SIGINT)
    out, err = run.communicate(timeout=60)
    assert (run.returncode, err) == (0, "")
    assert out.startswith("in all 5 attempts")


def test_what_cannot_be_read_is_told_and_a_file_that_is_gone_is_passed_over(
    journal: Path, database: Path, monkeypatch: pytest.MonkeyPatch
):
    grown(journal)
    (journal / "folder.jsonl").mkdir()
    assert take(journal, database).kept == {"attempts": 10}
    grown(journal)
    real = Path.open
    for error, raises in ((FileNotFoundError(2, "gone"), False), (PermissionError(13, "Permission denied"), True)):

        def refused(self: Path, *words: Any, error: OSError = error, **options: Any) -> Any:
            if self.parent == journal:
                raise error
            return real(self, *words, **options)

        monkeypatch.setattr(Path, "open", refused)
        follower = Follower(journal, database)
        follower._files = {}
        if raises:
            with pytest.raises(DataError, match="let this user read the journal"):
                list(follower.landings(once=True))
        else:
            assert list(follower.landings(once=True)) == []
    monkeypatch.setattr(Path, "open", real)
    assert take(journal, database).kept == {"attempts": 10}
