"""A report that is ended from outside, at any moment: nothing is published, nothing keeps running."""

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from relkit.report.publish import Published

WEEK = "2026-W47"


def living(folder: Path) -> list[str]:
    """Processes whose command line names a folder: kernels are started with a file in it."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            words = (process / "cmdline").read_bytes().decode(errors="replace").replace("\0", " ")
        except OSError:
            continue
        if f"{folder}/" in words:
            found.append(f"{process.name}: {words}")
    return found


def wait_until(holds: Callable[[], bool], seconds: float) -> bool:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if holds():
            return True
        time.sleep(0.05)
    return holds()


@pytest.mark.skipif(not Path("/proc/self/cmdline").exists(), reason="looks for stray processes in /proc")
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL, signal.SIGINT], ids=lambda number: number.name)
def test_an_ended_run_publishes_nothing_and_leaves_no_kernel(
    number: signal.Signals, put: Callable[..., Published], demo_database: Path, tmp_path: Path
) -> None:
    """The moment is random within the first kernels' life; last week's page stands, the next run clears up."""
    reports = tmp_path / "reports"
    put(reports)
    before = {path.name: path.read_bytes() for path in (reports / WEEK).iterdir()}
    words = [
        sys.executable,
        "-m",
        "relkit",
        "report",
        "-d",
        str(demo_database),
        "--week",
        WEEK,
        "--reports",
        str(reports),
    ]
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as run:
        try:
            runs = reports / ".runs"
            assert wait_until(lambda: bool(living(runs)), 60), "no kernel was started"
            moment = random.uniform(0.0, 1.5)
            time.sleep(moment)
            run.send_signal(number)
            out, err = run.communicate(timeout=30)
        finally:
            run.kill()
    at = f"ended {moment:.2f} s after the first kernel began"
    assert out == "", at
    assert wait_until(lambda: not living(runs), 10), (at, living(runs))
    assert (reports / WEEK).is_symlink(), at
    assert {path.name: path.read_bytes() for path in (reports / WEEK).iterdir()} == before, at
    left = [path for path in runs.iterdir() if path.name != f"{WEEK}-0001"]
    if number == signal.SIGKILL:
        assert run.returncode == -signal.SIGKILL
        assert len(left) == 1, at
        assert left[0].name.startswith("making-")
        assert not list(left[0].rglob("*.html")), at
        for path in (left[0], *left[0].rglob("*")):
            os.utime(path, (0, 0))
    else:
        assert run.returncode == 1, at
        assert err == "relkit: interrupted; nothing half done was kept\n", at
        assert left == [], at
    put(reports)
    assert [path.name for path in runs.iterdir()] == [f"{WEEK}-0001"]
