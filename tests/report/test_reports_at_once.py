"""A report and others at the same database: its pages are of one state of the log, whoever comes meanwhile."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from relkit.period import period_of
from relkit.report.contract import DEMO_WEEK
from relkit.report.publish import NOTEBOOKS
from relkit.report.weekly import publish_week
from relkit.units import US_PER_HOUR

WRITE = """
import sys
from relkit.exceptions import StoreError
from relkit.store import open_store
try:
    with open_store(sys.argv[1], write=True, wait_s=0.3):
        print("written")
except StoreError as error:
    print(error)
"""


def test_nobody_writes_while_pages_are_made(runs: dict[str, Any], log: Callable[..., Path], tmp_path: Path) -> None:
    """From the first look at the log to the link: who comes meanwhile waits, and is told which report is in the way."""
    start = period_of(DEMO_WEEK).start_us
    assert start is not None
    database = log([start + US_PER_HOUR])
    told: list[str] = []

    def write() -> str:
        done = subprocess.run([sys.executable, "-c", WRITE, str(database)], capture_output=True, text=True, check=True)
        return done.stdout.strip()

    publish_week(
        database=database, week=DEMO_WEEK, reports=tmp_path / "reports", on_step=lambda name: told.append(write())
    )
    assert len(told) == len(NOTEBOOKS)
    assert all(f"locked by process {os.getpid()} (" in text for text in told), told
    assert write() == "written"
