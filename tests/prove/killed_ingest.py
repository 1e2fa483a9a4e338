"""`relkit ingest` ended at random moments: the database is as before or as after, and the same ingest completes it."""

import os
import random
import shutil
import signal
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from .killing import FULL, INTERRUPTED, Ended, command, ended, enlarge, has_open, small_disk, stored

WAYS: Final = ("SIGKILL", "SIGTERM", "SIGINT", "full disk", "file limit")
NAME: Final = "relkit.duckdb"
_MAPPING: Final = """
kind = "attempts"
source = "app"
[time]
column = "timestamp"
[columns]
request_id = "id"
latency_us = { column = "latency_ms", unit = "ms" }
status = "status"
message = "message"
"""
_WORDS: Final = ("ingest", "app.csv", "--as", "attempts", "--map", "app.toml", "--database")


@dataclass(frozen=True, slots=True)
class Bench:
    """A log that has grown, a database that knows its beginning, and what it must hold when it knows all."""

    folder: Path
    before: tuple[object, ...]
    after: tuple[object, ...]
    work_s: float
    bytes_needed: int

    @property
    def bytes_before(self) -> int:
        """Size of the database that knows the beginning."""
        return (self.folder / NAME).stat().st_size


def bench(folder: Path, rows: int, draw: random.Random) -> Bench:
    """Make a bench: half of the rows are known, the other half is to be ingested."""
    folder.mkdir()
    lines = ["timestamp,id,latency_ms,status,message\n"]
    for number in range(rows):
        status = draw.choice([200] * 20 + [404, 429, 500, 503])
        message = f"failed after {draw.randrange(900)} ms for user {number}" if status >= 429 else ""
        at = f"2026-11-{16 + 7 * number // rows:02d}T{draw.randrange(24):02d}:{draw.randrange(60):02d}:00Z"
        lines.append(f"{at},r{draw.getrandbits(64):016x},{draw.randrange(20, 2_000)},{status},{message}\n")
    (folder / "app.toml").write_text(_MAPPING, encoding="utf-8")
    (folder / "app.csv").write_text("".join(lines[: rows // 2]), encoding="utf-8")
    _must(ended(command([*_WORDS, NAME]), folder))
    (folder / "app.csv").write_text("".join(lines), encoding="utf-8")
    done = folder / "done.duckdb"
    shutil.copy(folder / NAME, done)
    whole = ended(command([*_WORDS, done.name]), folder, ready=lambda run: has_open(run.pid, done), after_s=120)
    _must(whole)
    room = done.stat().st_size - (folder / NAME).stat().st_size
    return Bench(folder, stored(folder / NAME), stored(done), whole.moment_s, room)


def _must(done: Ended) -> None:
    if done.code:
        raise RuntimeError(done.err)


@dataclass(frozen=True, slots=True)
class Kill:
    """What came of one: way, exit code, `before` or `after`, and whatever was not as it must be."""

    way: str
    code: int
    state: str
    wrong: tuple[str, ...]


def kill(made: Bench, way: str, folder: Path, draw: random.Random, room: int | None = None) -> Kill | None:
    """End one ingest; None where the way is not permitted here. A full disk has so much room, or some at random."""
    folder.mkdir()
    if way != "full disk":
        # less than the file has: rows go to its log first, which is a file of its own
        return _killed(made, way, folder, folder, draw, draw.randrange(made.bytes_needed // 20, made.bytes_needed))
    size = made.bytes_before + (draw.randrange(made.bytes_needed) if room is None else room)
    with small_disk(folder / "disk", size) as mounted:
        return _killed(made, way, folder, folder / "disk", draw, size) if mounted else None


def _killed(made: Bench, way: str, folder: Path, disk: Path, draw: random.Random, size: int) -> Kill:
    from relkit.store.ingest.run import ingest_files  # noqa: PLC0415  pytest collects this module and must not pay for it

    for name in ("app.csv", "app.toml"):
        os.link(made.folder / name, folder / name)
    database = disk / NAME
    shutil.copy(made.folder / NAME, database)
    words = command([*_WORDS, str(database)])
    if way == "full disk":
        done = ended(words, folder)
    elif way == "file limit":
        done = ended(words, folder, file_limit=size)
    else:
        # most of the time from when the work begins: Python loads for longer than the log is read
        number, works = getattr(signal, way), draw.random() < 0.85
        done = ended(
            words,
            folder,
            end=lambda run: run.send_signal(number),
            ready=(lambda run: has_open(run.pid, database)) if works else (lambda run: True),
            after_s=draw.uniform(0, made.work_s * (1.0 if works else 2.0)),
        )
    found = stored(database)
    state = {made.before: "before", made.after: "after"}.get(found, "NEITHER")
    wrong = [
        *_spoken(way, done, state),
        *([] if state != "NEITHER" else ["the database is neither as before nor as after"]),
    ]
    if way == "full disk":
        enlarge(disk, 64 << 20)
    ingest_files([str(folder / "app.csv")], "attempts", database, folder / "app.toml", confirm=lambda text: False)
    if stored(database) != made.after:
        wrong.append("the same ingest completes to other data")
    wrong += [f"left behind: {name}" for name in _left(folder, disk)]
    return Kill(way, done.code, state, tuple(wrong))


def _spoken(way: str, done: Ended, state: str) -> Iterator[str]:
    """What it said must fit what it did."""
    if done.code == 0:
        if state != "after":
            yield "exit 0, but the rows are not there"
        return
    if way in {"full disk", "file limit"}:
        clear = done.code == 1 and done.err.count("\n") == 1 and any(text in done.err for text in FULL)
        if not (clear and NAME in done.err and "the database is as it was before; free some space" in done.err):
            yield f"exit {done.code}: {done.err.strip()[-300:]}"
        if state != "before":
            yield "said that nothing was stored, but it was"
    elif way == "SIGKILL":
        if done.code != -signal.SIGKILL:
            yield f"exit {done.code}"
    elif not (done.code == 1 and done.err == INTERRUPTED) and not (
        done.by_python and state == ("after" if done.out else "before")
    ):
        yield f"exit {done.code}: {done.err.strip()[-300:]}"


def _left(folder: Path, disk: Path) -> list[str]:
    """Name what should not be there when the retry has ended, nor when the next process has cleared up."""
    from relkit.scratch import leased_folder  # noqa: PLC0415

    for scratch in (folder / "temporary").glob("relkit-*"):
        with leased_folder(scratch, "process-"):
            pass
    expected = {"app.csv", "app.toml", NAME, "temporary", "disk"}
    found = [path.name for place in {folder, disk} for path in place.iterdir() if path.name not in expected]
    return found + [path.name for path in (folder / "temporary").glob("relkit-*/*")]
