"""`relkit report` ended at random moments: the page that stood stands, or the new one does, whole; nothing keeps running."""

import os
import random
import shutil
import signal
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from .killing import INTERRUPTED, Ended, command, ended, files_of, is_whole, processes, small_disk, wait_until

WAYS: Final = ("SIGKILL", "SIGTERM", "SIGINT", "dead kernel", "hung kernel", "full disk")
WEEK: Final = "2026-W47"
DATABASE: Final = "relkit.duckdb"
PAGES: Final = "pages"
HANGS_S: Final = 20
_HURRY: Final = f"from relkit.report import launch\nlaunch.CELL_TIMEOUT_S = launch.START_TIMEOUT_S = {HANGS_S}"
_TOLD: Final = {
    "dead kernel": ("the kernel died",),
    "hung kernel": (f"a cell ran longer than {HANGS_S} s", f"the kernel was not ready after {HANGS_S} s"),
    "full disk": ("no space left on device",),
}


@dataclass(frozen=True, slots=True)
class Bench:
    """A database, published pages that must outlive whatever happens, and how long a report takes.

    Parameters
    ----------
    database, pages : Path
        The data; the folder of published pages, WEEK among them.
    lasts_s : float
        From the start of a report to its end.
    bytes_needed : int
        What a report writes, about.
    files : dict or None
        What the new page must consist of; None = whatever its manifest says.
    """

    database: Path
    pages: Path
    lasts_s: float
    bytes_needed: int
    files: dict[str, bytes] | None = None


def words(folder: Path) -> list[str]:
    """Write the command line of the report of a bench."""
    return ["report", "--database", str(folder / DATABASE), "--week", WEEK, "--reports", str(folder / "disk" / PAGES)]


@dataclass(frozen=True, slots=True)
class Kill:
    """What came of one: way, exit code, `before` or `after`, and whatever was not as it must be."""

    way: str
    code: int
    state: str
    wrong: tuple[str, ...]


def kill(made: Bench, way: str, folder: Path, draw: random.Random) -> Kill | None:
    """End one report in a folder that is made for it; None where the way is not permitted here."""
    disk = folder / "disk"
    disk.mkdir(parents=True)
    if way != "full disk":
        return _killed(made, way, folder, draw)
    room = sum(path.stat().st_size + 4096 for path in made.pages.rglob("*") if path.is_file())
    with small_disk(disk, room + (64 << 10) + draw.randrange(made.bytes_needed)) as mounted:
        return _killed(made, way, folder, draw) if mounted else None


def _killed(made: Bench, way: str, folder: Path, draw: random.Random) -> Kill:
    pages = folder / "disk" / PAGES
    shutil.copy(made.database, folder / DATABASE)
    shutil.copytree(made.pages, pages, symlinks=True)
    data, stood = (folder / DATABASE).read_bytes(), _published(pages)
    done = ended(
        command(words(folder), _HURRY if way == "hung kernel" else ""),
        folder,
        end=lambda run: _end(run, way, pages, draw),
        after_s=draw.uniform(0, made.lasts_s) if way != "full disk" else 600,
    )
    running = not wait_until(lambda: not processes(f"{pages}/"), 10)
    stands = _published(pages)
    fresh = stands.pop(WEEK)
    is_new = fresh != stood.pop(WEEK)
    wrong = [*_spoken(way, done, "after" if is_new else "before")]
    if running:
        wrong.append(f"still running: {processes(f'{pages}/')}")
    if stands != stood:
        wrong.append("the page of another week changed")
    if is_new and (not is_whole(pages / WEEK) or made.files not in (None, fresh[1])):
        wrong.append("the page is new, and not whole")
    if (folder / DATABASE).read_bytes() != data or (folder / f"{DATABASE}.wal").exists():
        wrong.append("the database changed")
    wrong += [f"left behind: {name}" for name in _left(pages, folder, way)]
    return Kill(way, done.code, "after" if is_new else "before", tuple(wrong))


def _end(run: "subprocess.Popen[str]", way: str, pages: Path, draw: random.Random) -> None:
    if way.startswith("SIG"):
        run.send_signal(getattr(signal, way))
    elif way.endswith("kernel"):
        number = signal.SIGKILL if way == "dead kernel" else signal.SIGSTOP
        wait_until(lambda: bool(processes(f"{pages}/.runs/")) or run.poll() is not None, 60)
        kernels = [process for process in processes(f"{pages}/.runs/") if process != run.pid]
        if kernels:
            os.kill(draw.choice(kernels), number)


def _published(pages: Path) -> dict[str, tuple[str, dict[str, bytes]]]:
    return {link.name: (str(link.readlink()), files_of(link)) for link in pages.iterdir() if link.is_symlink()}


def _spoken(way: str, done: Ended, state: str) -> Iterator[str]:
    """What it said must fit what it did."""
    if done.code == 0:
        if state != "after":
            yield "exit 0, but nothing was published"
    elif way == "SIGKILL":
        if done.code != -signal.SIGKILL:
            yield f"exit {done.code}"
    elif way in _TOLD:
        one_line = done.code == 1 and done.err.count("\n") == 1 and "nothing was published" in done.err
        if not (one_line and state == "before" and any(text in done.err.lower() for text in _TOLD[way])):
            yield f"exit {done.code}, {state}: {done.err.strip()[-300:]}"
    elif not (done.code == 1 and done.err == INTERRUPTED) and not (
        done.by_python and state == ("after" if done.out else "before")
    ):
        yield f"exit {done.code}: {done.err.strip()[-300:]}"


def _left(pages: Path, folder: Path, way: str) -> list[str]:
    """Name what should not be there: at once, or after a kill when the next one has cleared up."""
    from relkit.scratch import leased_folder  # noqa: PLC0415  pytest collects this module and must not pay for it

    runs = pages / ".runs"
    known = {link.readlink().name for link in pages.iterdir() if link.is_symlink()} | {f"{WEEK}-0001"}
    found = [path.name for path in runs.iterdir() if path.name not in known]
    if way.endswith(("kernel", "disk")):  # kept to look at, one a notebook
        found = [name for name in found if not name.endswith(".failed.ipynb")]
    scratches = list((folder / "temporary").glob("relkit-*"))
    if way == "SIGKILL":
        with leased_folder(runs, "making-"):
            pass
        for place in scratches:
            with leased_folder(place, "kernels-"), leased_folder(place, "process-"):
                pass
        found = [path.name for path in runs.iterdir() if path.name not in known]
    return found + [path.name for place in scratches for path in place.iterdir() if path.name != "matplotlib"]
