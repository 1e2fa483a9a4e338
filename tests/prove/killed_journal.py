"""A process that keeps a journal, killed at random moments: nothing but the unflushed tail is lost, and the files always ingest."""

import json
import random
import select
import signal
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

WRITER: Final = """
import os, sys
from relkit.live.events import AttemptEvent
from relkit.live.files import RotatingFile
from relkit.live.journal import Journal
folder, writer = sys.argv[1:]
journal = Journal([RotatingFile(folder, max_bytes=150_000)], service="booking", version="1")
number = 0
while True:
    number += 1
    journal(AttemptEvent(f"{writer}-{number}", 1, 1_795_000_000_000_000 + number, number, True, "chat", session_id="s" * (number % 90)))
    if number % 100 == 0 and journal.flush(10):
        os.write(1, b"%d\\n" % number)  # so many are promised
"""


@dataclass(slots=True)
class Kills:
    """What came of some kills.

    Parameters
    ----------
    kills : int
        Processes that were ended with SIGKILL.
    written, promised : int
        Lines that were found whole, and lines that the writers had been told are written.
    torn : int
        Lines that were cut.
    wrong : list of str
        Whatever was not as it must be.
    """

    kills: int = 0
    written: int = 0
    promised: int = 0
    torn: int = 0
    wrong: list[str] = field(default_factory=list)


def kill_writers(folder: Path, kills: int, draw: random.Random) -> Kills:
    """Kill writers one after another in one folder; after each, take what is there and compare it with what was promised."""
    from relkit.store.follow import Follower  # noqa: PLC0415  pytest collects this module and must not pay for it

    found = Kills()
    journal, database = folder / "journal", folder / "relkit.duckdb"
    for number in range(kills):
        promised = _killed(journal, f"w{number}", draw)
        found.kills += 1
        found.promised += promised
        whole, torn = _lines_of(journal, f"w{number}", found.wrong)
        found.written += whole
        found.torn += torn
        if not promised <= whole <= promised + 10_000:
            found.wrong.append(f"writer {number}: promised {promised}, found {whole}")
        for _ in Follower(journal, database).landings(once=True):
            pass
        stored = _stored(database, "attempts WHERE request_id LIKE '" + f"w{number}-%'")
        if stored != whole:
            found.wrong.append(f"writer {number}: {whole} whole lines, {stored} rows")
    # the next writer finishes what killed ones left; then nothing is there twice, and cut lines are rejects
    _killed(journal, "last", draw)
    left, _ = _lines_of(journal, "last", found.wrong)
    for _ in Follower(journal, database).landings(once=True):
        pass
    for what, expected in (("attempts", found.written + left), ("rejects", found.torn)):
        if (stored := _stored(database, what)) != expected:
            found.wrong.append(f"{what}: {stored} rows, expected {expected}")
    return found


def _killed(journal: Path, name: str, draw: random.Random) -> int:
    """Run a writer and kill it; return how many lines it had been promised."""
    run = subprocess.Popen([sys.executable, "-c", WRITER, str(journal), name], stdout=subprocess.PIPE)
    assert run.stdout is not None
    try:
        select.select([run.stdout], [], [], 60)  # Python has loaded, and the first lines are written
        time.sleep(draw.expovariate(12.0))
    finally:
        run.send_signal(signal.SIGKILL)
    told = run.stdout.read().split(b"\n")
    run.wait()
    run.stdout.close()
    return max((int(line) for line in told[:-1]), default=0)


def _lines_of(journal: Path, name: str, wrong: list[str]) -> tuple[int, int]:
    """Read a writer's files as they lie there: its lines must be numbered without a gap, and the last one alone may be cut."""
    numbers, torn = [], 0
    for path in sorted(journal.iterdir()):
        content = path.read_bytes()
        lines = content.split(b"\n")
        if f'"request":"{name}-'.encode() not in content:
            continue
        numbers += [_number(line, name, wrong) for line in lines[:-1]]
        torn += bool(lines[-1])
        if lines[-1] and not path.name.endswith(".open"):
            wrong.append(f"{path.name}: a finished file ends in half a line")
    if numbers != list(range(1, len(numbers) + 1)):
        wrong.append(f"{name}: its lines have a gap, or stand twice")
    return len(numbers), torn


def _number(line: bytes, name: str, wrong: list[str]) -> int:
    try:
        said: dict[str, Any] = json.loads(line)
        return int(said["request"].removeprefix(f"{name}-"))
    except ValueError:
        wrong.append(f"{name}: {line[:80]!r} is no line")
        return -1


def _stored(database: Path, what: str) -> int:
    from relkit.store.open import open_store  # noqa: PLC0415  see above

    if not database.exists():
        return 0
    with open_store(database) as store:
        return int(store.connection.execute(f"SELECT count(*) FROM {what}").fetchall()[0][0])
