"""Ending commands from outside at random moments, and what must hold after; proofs and tests share it."""

import contextlib
import hashlib
import json
import os
import random
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

INTERRUPTED: Final = "relkit: interrupted; nothing half done was kept\n"
FULL: Final = ("no space left on device", "file too large")


@dataclass(frozen=True, slots=True)
class Ended:
    """A command that came to its end: exit code (negative: the signal), streams, when it was ended."""

    code: int
    out: str
    err: str
    moment_s: float

    @property
    def by_python(self) -> bool:
        """Whether Python itself was ended: while it still loaded the command line, or when all was done and said."""
        return self.code in {-signal.SIGTERM, -signal.SIGINT}


def files_of(folder: Path) -> dict[str, bytes]:
    """Read every file of a folder, which may be a link, and of those in it."""
    place = folder.resolve()
    return {path.relative_to(place).as_posix(): path.read_bytes() for path in place.rglob("*") if path.is_file()}


def is_whole(folder: Path) -> bool:
    """Say whether a published folder holds just what its manifest says."""
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    found = {name: hashlib.sha256(text).hexdigest() for name, text in files_of(folder).items()}
    del found["manifest.json"]
    return bool(found == manifest["files"])


def stored(database: Path) -> tuple[object, ...]:
    """Count and hash the rows of every table, and the ledger, so that two states of a database can be compared."""
    from relkit.store import open_store, readings  # noqa: PLC0415  pytest collects this module and must not pay for it

    with open_store(database, wait_s=0) as store:
        ask = store.connection.execute
        tables = [
            name for (name,) in ask("SELECT table_name FROM duckdb_tables() WHERE NOT internal ORDER BY 1").fetchall()
        ]
        return readings.data_hash(store), *(
            (table, *ask(f"SELECT count(*), sum(hash(row_)::HUGEINT) FROM {table} AS row_").fetchall()[0])
            for table in tables
            if table != "classifications"  # follows from the rest, and is read as if it were there
        )


def processes(named: str) -> dict[int, str]:
    """List living processes whose command line holds a text."""
    found = {}
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            words = (process / "cmdline").read_bytes().decode(errors="replace").replace("\0", " ")
            if named in words and int(process.name) != os.getpid():
                found[int(process.name)] = words
    return found


def wait_until(holds: Callable[[], bool], seconds: float, step_s: float = 0.02) -> bool:
    """Wait until something holds; say whether it does."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if holds():
            return True
        time.sleep(step_s)
    return holds()


def has_open(process: int, path: Path) -> bool:
    """Say whether a process has a file open."""
    with contextlib.suppress(OSError):
        return any(os.path.realpath(link) == str(path) for link in Path(f"/proc/{process}/fd").iterdir())
    return False


def command(words: Sequence[str], settings: str = "") -> list[str]:
    """Write the command line of relkit; with settings, Python that is run before."""
    if not settings:
        return [sys.executable, "-m", "relkit", *words]
    return [sys.executable, "-c", f"{settings}\nfrom relkit.cli import main\nmain({list(words)!r})"]


def ended(
    words: Sequence[str],
    folder: Path,
    *,
    end: Callable[[subprocess.Popen[str]], object] = lambda run: None,
    ready: Callable[[subprocess.Popen[str]], bool] = lambda run: True,
    after_s: float = 0.0,
    file_limit: int = 0,
) -> Ended:
    """Run a command; when it is ready and some time more has passed, end it, and wait for what it says.

    Parameters
    ----------
    words : sequence of str
        The command line.
    folder : Path
        Where it runs; its temporary files go to `temporary` in it.
    end : callable
        Ends it, if it still runs.
    ready : callable
        From when the time counts.
    after_s : float
        Seconds.
    file_limit : int
        Bytes that a file may have; 0 = no limit.
    """
    temporary = folder / "temporary"
    temporary.mkdir(exist_ok=True)
    limit = (lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (file_limit, file_limit))) if file_limit else None
    with subprocess.Popen(
        words,
        cwd=folder,
        env={**os.environ, "TMPDIR": str(temporary), "RELKIT_THREADS": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=limit,  # noqa: PLW1509  one thread at a time starts a process here
    ) as run:
        try:
            wait_until(lambda: ready(run) or run.poll() is not None, 120, 0.002)
            began = time.monotonic()
            with contextlib.suppress(subprocess.TimeoutExpired):
                run.wait(after_s)
            moment_s = time.monotonic() - began
            if run.poll() is None:
                end(run)
            out, err = run.communicate(timeout=180)
        finally:
            run.kill()
    return Ended(run.returncode, out, err, moment_s)


@contextlib.contextmanager
def small_disk(place: Path, size: int) -> Iterator[bool]:
    """Mount a disk of some bytes at a folder for the length of a `with`; False where that is not permitted."""
    place.mkdir(parents=True, exist_ok=True)
    mounted = not _quiet("mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(place))
    try:
        yield mounted
    finally:
        if mounted:
            _quiet("umount", "--lazy", str(place))


def enlarge(place: Path, size: int) -> None:
    """Give a small disk more room."""
    assert not _quiet("mount", "-o", f"remount,size={size}", str(place))


def _quiet(*words: str) -> int:
    try:
        return subprocess.run(words, capture_output=True, check=False).returncode
    except OSError:
        return 1


def drawn(ways: Sequence[str], number: int, draw: random.Random) -> list[str]:
    """Draw ways to end, each about equally often, in random order."""
    chosen = [ways[place % len(ways)] for place in range(number)]
    draw.shuffle(chosen)
    return chosen
