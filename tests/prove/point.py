"""What a proof is, and the few things that proofs share: a scratch folder, the command line, the real traces."""

import atexit
import functools
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

ROOT: Final = Path(__file__).resolve().parents[2]
TRACES: Final = ROOT.parent / "shared/traces"
MAPPINGS: Final = ROOT / "data/mappings"


class Skipped(Exception):  # noqa: N818  it is no error
    """The point cannot be tried here, and why."""


@dataclass(frozen=True, slots=True)
class Found:
    """What a proof found: the goal in words, the figure in words, and whether the goal holds."""

    goal: str
    figure: str
    holds: bool


@dataclass(frozen=True, slots=True)
class Point:
    """A promised point: its name, how it is proved, and whether that takes so long that it must be asked for."""

    name: str
    prove: Callable[[Path], Found]
    slow: bool = False


POINTS: Final[dict[str, list[Point]]] = {}


def point(area: str, name: str, *, slow: bool = False) -> Callable[[Callable[[Path], Found]], Callable[[Path], Found]]:
    """Register a proof; it is given an empty folder of its own."""

    def register(prove: Callable[[Path], Found]) -> Callable[[Path], Found]:
        POINTS.setdefault(area, []).append(Point(name, prove, slow))
        return prove

    return register


@functools.cache
def scratch() -> Path:
    """Make the folder of this run; its name holds a space, because a user's may."""
    folder = Path(tempfile.mkdtemp(prefix="relkit proofs "))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


def run(words: Sequence[str], folder: Path, env: Mapping[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    """Run a command in a folder, output captured."""
    return subprocess.run(
        list(words), cwd=folder, env=None if env is None else dict(env), capture_output=True, text=True, check=False
    )


def relkit(folder: Path, *words: str, threads: int = 1) -> subprocess.CompletedProcess[str]:
    """Run relkit as its user does, in a folder of the user's."""
    return run([sys.executable, "-m", "relkit", *words], folder, {**os.environ, "RELKIT_THREADS": str(threads)})


def must(done: subprocess.CompletedProcess[str]) -> str:
    """Return the output of a command that must succeed."""
    if done.returncode:
        words = " ".join(Path(word).name for word in done.args)
        raise RuntimeError(f"{words}: exit {done.returncode}: {(done.stderr or done.stdout).strip()[-300:]}")
    return done.stdout


def ingest(folder: Path, log: Path, kind: str, mapping: Path) -> None:
    """Read a log into relkit.duckdb of the folder."""
    must(relkit(folder, "ingest", str(log), "--as", kind, "--map", str(mapping)))


def report(folder: Path, *words: str, threads: int = 1) -> Path:
    """Publish the report of relkit.duckdb in the folder; return the folder of its pages."""
    label = words[words.index("--week") + 1] if "--week" in words else "all"
    must(relkit(folder, "report", *words, "--reports", "pages", threads=threads))
    return (folder / "pages" / label).resolve()


def trace_report(folder: Path, *logs: tuple[str, str, str]) -> "Pages":
    """Ingest real traces, each (file, kind, mapping), and report everything; skip where the traces are absent."""
    for name, kind, mapping in logs:
        if not (TRACES / name).is_file():
            raise Skipped(f"the trace {name} does not lie beside the project")
        ingest(folder, TRACES / name, kind, MAPPINGS / f"{mapping}.toml")
    return Pages(report(folder, "--all"))


class Pages:
    """A published report, read back from its manifest."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.manifest: dict[str, Any] = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
        self.summary: dict[str, Any] = json.loads((folder / "summary.json").read_text(encoding="utf-8"))

    def shown(self, notebook: str, name: str) -> dict[str, Any]:
        """Return the record of a plate or table."""
        records = [*self.manifest["plates"][notebook], *self.manifest["tables"][notebook]]
        return next(record for record in records if record["name"] == name)

    def verdict(self, area: str) -> dict[str, Any]:
        """Return a verdict of the entry page."""
        record: dict[str, Any] = self.summary["verdicts"][area]
        return record


@functools.cache
def demo_database() -> Path:
    """Make the demo week once a run."""
    place = scratch() / "demo.duckdb"
    must(relkit(scratch(), "demo", "--database", str(place)))
    return place


@functools.cache
def demo_pages(threads: int = 1, attempt: int = 1) -> Pages:
    """Report the demo week in a new folder, once for each number of threads and attempt."""
    folder = scratch() / f"demo {threads} {attempt}"
    folder.mkdir()
    shutil.copy(demo_database(), folder / "relkit.duckdb")
    return Pages(report(folder, "--week", "2026-W47", threads=threads))
