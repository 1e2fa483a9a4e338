"""Reports that are ended from outside, at any moment: nothing half is published, nothing keeps running."""

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from prove import killed_report
from prove.killing import INTERRUPTED, command, processes, wait_until

from relkit.report import kernel
from relkit.report.publish import Published

LASTS_S = 8.0
ADOPTED = """
import ctypes, os, subprocess, sys, time
assert not ctypes.CDLL(None).prctl(36, 1, 0, 0, 0)  # adopt orphans, as systemd does in a session
parent = subprocess.Popen([sys.executable, "-c", '''
import os, subprocess, sys
child = subprocess.Popen([sys.executable, "-m", "relkit.report.kernel", "-f", sys.argv[1]], env={**os.environ, "JPY_PARENT_PID": str(os.getpid())})
print(child.pid, flush=True)
os.kill(os.getpid(), 9)
''', sys.argv[1]], stdout=subprocess.PIPE, text=True)
child = int(parent.stdout.readline())
parent.wait()
end = time.monotonic() + 30
while time.monotonic() < end:
    gone, how = os.waitpid(child, os.WNOHANG)
    if gone:
        sys.exit(f"ended by itself: {os.waitstatus_to_exitcode(how)}")
    time.sleep(0.05)
os.kill(child, 9)
sys.exit("would stay")
"""

pytestmark = pytest.mark.skipif(not Path("/proc/self/cmdline").exists(), reason="looks for stray processes in /proc")


@pytest.mark.parametrize("way", [way for way in killed_report.WAYS if way != "full disk"])
def test_a_report_that_is_ended_publishes_all_or_nothing(
    way: str, put: Callable[..., Published], demo_database: Path, tmp_path: Path
) -> None:
    """Five of the fifty of `make prove AREA=spine --slow`, other moments each time; the seed is told when one goes wrong."""
    pages = tmp_path / "stood"
    put(pages)
    seed = random.randrange(1 << 32)
    made = killed_report.Bench(demo_database, pages, LASTS_S, 1 << 20)
    kill = killed_report.kill(made, way, tmp_path / "run", random.Random(seed))
    assert kill is not None
    assert (seed, kill.wrong) == (seed, ())


def test_a_second_interrupt_does_not_stop_the_clearing_up(demo_database: Path, tmp_path: Path) -> None:
    """Ctrl-C, and again, and the terminal closed on top of it."""
    pages = tmp_path / "pages"
    words = ["report", "-d", str(demo_database), "--week", killed_report.WEEK, "--reports", str(pages)]
    with subprocess.Popen(command(words), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as run:
        try:
            assert wait_until(lambda: len(processes(f"{pages}/.runs/")) > 0, 60), "no kernel was started"
            for number in (signal.SIGINT, signal.SIGINT, signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
                run.send_signal(number)
                time.sleep(random.uniform(0.0, 0.05))
            out, err = run.communicate(timeout=30)
        finally:
            run.kill()
    assert (run.returncode, out, err) == (1, "", INTERRUPTED)
    assert processes(f"{pages}/") == {}
    assert list((pages / ".runs").iterdir()) == []


def test_a_kernel_whose_parent_was_killed_while_it_loaded_ends(tmp_path: Path) -> None:
    """Also where another process than number 1 adopts it, which ipykernel takes for its parent."""
    if not sys.platform.startswith("linux"):
        pytest.skip("only Linux lets a process adopt orphans")
    done = subprocess.run(
        [sys.executable, "-c", ADOPTED, str(tmp_path / "kernel.json")], capture_output=True, text=True, check=False
    )
    assert done.stderr.strip().splitlines()[-1] == "ended by itself: 1"


def test_a_kernel_lives_while_its_parent_does(monkeypatch: pytest.MonkeyPatch) -> None:
    looks: list[float] = []

    def sleep(seconds: float) -> None:
        looks.append(seconds)
        if len(looks) == 3:
            raise StopIteration

    monkeypatch.setattr(time, "sleep", sleep)
    with pytest.raises(StopIteration):
        kernel.end_with(os.getppid())
    assert looks == [kernel.LOOKS_EVERY_S] * 3
