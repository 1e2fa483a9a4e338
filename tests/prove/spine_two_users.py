"""Points of the spine about two at once: at the database, at the page of one week, at the kernels' sockets."""

import json
import re
import subprocess
import sys
from collections import Counter
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Final

from .killing import command, has_open, is_whole, processes, wait_until
from .point import Found, Skipped, must, point, relkit

WEEK: Final = "2026-W47"
KERNELS: Final = 8
ROUNDS: Final = 5
_DATABASE: Final = "relkit.duckdb"
_REPORT: Final = ("report", "--database", _DATABASE, "--week", WEEK, "--reports", "pages")
_MAPPING: Final = """
kind = "attempts"
source = "{source}"
[time]
column = "timestamp"
[columns]
latency_us = {{ column = "latency_ms", unit = "ms" }}
"""
# Two kernels of one report; what they must show is not the matter here.
_RUN: Final = """
import sys
from pathlib import Path
from relkit.report import launch
launch.check_outputs = lambda name, notebook: None
for number in range(int(sys.argv[2])):
    launch.run_notebooks([Path(sys.argv[1], "4_slo.ipynb"), Path(sys.argv[1], "1_errors.ipynb")], {})
"""


def log(folder: Path, source: str, rows: int) -> tuple[str, ...]:
    """Write a log and its mapping; return the words that ingest it."""
    step = 7 * 86_400 / rows
    lines = ["timestamp,latency_ms\n"]
    for number in range(rows):
        second = int(number * step)
        day, hour, minute = 16 + second // 86_400, second // 3600 % 24, second // 60 % 60
        lines.append(f"2026-11-{day:02d}T{hour:02d}:{minute:02d}:{second % 60:02d}Z,{number % 900}\n")
    (folder / f"{source}.csv").write_text("".join(lines), encoding="utf-8")
    (folder / f"{source}.toml").write_text(_MAPPING.format(source=source), encoding="utf-8")
    return "ingest", f"{source}.csv", "--as", "attempts", "--map", f"{source}.toml", "--database", _DATABASE


def start(folder: Path, words: tuple[str, ...], life: ExitStack) -> "subprocess.Popen[str]":
    """Start relkit in a folder; it does not outlive the proof."""
    run = subprocess.Popen(command(words), cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    life.callback(run.kill)
    return life.enter_context(run)


def names(err: str, process: int, word: str) -> bool:
    """Say whether a message is the one line that names a process and what it is, and what to do."""
    found = re.fullmatch(r"relkit: .*: locked by process (\d+) \((.*)\) for more than 10 s; .* and run again\n", err)
    return bool(found) and int(found[1]) == process and word in found[2]


def data_hash(folder: Path) -> str:
    from relkit.store import open_store, readings  # noqa: PLC0415  pytest collects this module and must not pay for it

    with open_store(folder / _DATABASE) as store:
        return readings.data_hash(store)


def page_hash(folder: Path) -> str:
    return str(json.loads((folder / "pages" / WEEK / "manifest.json").read_text(encoding="utf-8"))["data_hash"])


@point("spine", "a report while an ingest runs, an ingest while a report runs")
def report_and_ingest(folder: Path) -> Found:
    must(relkit(folder, *log(folder, "first", 500)))
    big, small = log(folder, "big", 400_000), log(folder, "small", 500)
    told, wrong = [], []
    with ExitStack() as life:
        writer = start(folder, big, life)
        if not wait_until(lambda: has_open(writer.pid, folder / _DATABASE) or writer.poll() is not None, 60, 0.005):
            raise Skipped("nobody tells here which files a process has open")
        reader = start(folder, _REPORT, life)
        err = reader.communicate()[1]
        writer.wait()
        whole = reader.returncode == 0 and is_whole(folder / "pages" / WEEK) and page_hash(folder) == data_hash(folder)
        told.append("the report waits and shows all rows" if whole else f"the report says: {err.strip()}")
        if writer.returncode or not (whole or names(err, writer.pid, "ingest")):
            wrong.append(f"report {reader.returncode}: {err}, ingest {writer.returncode}")
        before = data_hash(folder)
        reader = start(folder, _REPORT, life)
        wait_until(lambda: bool(processes(f"{folder}/pages/.runs/")) or reader.poll() is not None, 60)
        writer = start(folder, small, life)
        err = writer.communicate()[1]
        reader.wait()
        told.append("the ingest waits" if writer.returncode == 0 else f"the ingest says: {err.strip()}")
        if not (writer.returncode == 0 or names(err, reader.pid, "report")):
            wrong.append(f"ingest {writer.returncode}: {err}")
        if reader.returncode or page_hash(folder) != before or not is_whole(folder / "pages" / WEEK):
            wrong.append(f"report {reader.returncode}: not of the state it began with")
    must(relkit(folder, *small))
    must(relkit(folder, *_REPORT))
    if page_hash(folder) != data_hash(folder):
        wrong.append("the next report is not of the newest state")
    return Found(
        "one waits or names the other; a page is of one state of the log; tried again, all is there",
        f"{'; '.join(told)}; wrong: {'; '.join(wrong) or 'nothing'}",
        not wrong,
    )


@point("spine", "two reports of the same week at once")
def two_reports(folder: Path) -> Found:
    must(relkit(folder, *log(folder, "first", 500)))
    with ExitStack() as life:
        runs = [start(folder, (*_REPORT, "--json"), life) for _ in range(2)]
        answers = [run.communicate() for run in runs]
    codes = [run.returncode for run in runs]
    are_new = sorted(bool(json.loads(out)["is_new"]) for out, _ in answers) if not any(codes) else []
    kept = sorted(path.name for path in (folder / "pages/.runs").iterdir())
    return Found(
        "both exit 0; one publishes, the other finds nothing changed; one run is kept",
        f"exit {codes}, new: {are_new}, kept: {', '.join(kept)}",
        codes == [0, 0] and are_new == [False, True] and kept == [f"{WEEK}-0001"] and is_whole(folder / "pages" / WEEK),
    )


@point("spine", "a JupyterLab kernel left open at the database")
def kernel_left_open(folder: Path) -> Found:
    must(relkit(folder, *log(folder, "first", 500)))
    more = log(folder, "more", 500)
    before, told, wrong = data_hash(folder), [], []
    for mode, words, word in (("reading", more, "ingest"), ("writing", _REPORT, "report")):
        kernel, client = _kernel(
            f"import duckdb; held = duckdb.connect({str(folder / _DATABASE)!r}, read_only={mode == 'reading'})"
        )
        try:
            process = kernel.provisioner.process.pid
            if mode == "reading" and (beside := relkit(folder, *_REPORT)).returncode:
                wrong.append(f"no report beside a kernel that reads: {beside.stderr}")
            done = relkit(folder, *words)
            told.append(f"{mode}: {word} exit {done.returncode}")
            if done.returncode != 1 or not names(done.stderr, process, "ipykernel"):
                wrong.append(f"{mode}: {done.stderr.strip()}")
        finally:
            client.stop_channels()
            kernel.shutdown_kernel(now=True)
        if data_hash(folder) != before:
            wrong.append("the data changed")
    for words in (more, _REPORT):
        must(relkit(folder, *words))
    return Found(
        "reads: a report stands beside it, an ingest waits 10 s and names it; writes: a report names it; shut down, both work",
        f"{'; '.join(told)}; wrong: {'; '.join(wrong) or 'nothing'}",
        not wrong and page_hash(folder) == data_hash(folder) != before,
    )


def _kernel(cell: str) -> tuple[Any, Any]:
    from jupyter_client.manager import start_new_kernel  # noqa: PLC0415

    kernel, client = start_new_kernel(kernel_name="python3", extra_arguments=["--IPKernelApp.log_level=50"])
    if client.execute_interactive(cell, timeout=60)["content"]["status"] != "ok":
        raise RuntimeError("the kernel could not open the database")
    return kernel, client


@point("spine", f"{KERNELS} kernels start at once")
def kernels_at_once(folder: Path) -> Found:
    from nbformat import v4, write  # noqa: PLC0415

    for name in ("4_slo", "1_errors"):
        write(v4.new_notebook(cells=[v4.new_code_cell("6 * 7")]), folder / f"{name}.ipynb")
    words = [sys.executable, "-c", _RUN, str(folder), str(ROUNDS)]
    with ExitStack() as life:
        runs = [
            life.enter_context(subprocess.Popen(words, cwd=folder, stderr=subprocess.PIPE, text=True))
            for _ in range(KERNELS // 2)
        ]
        answers = [run.communicate()[1] for run in runs]
    codes = Counter(run.returncode for run in runs)
    said = " ".join(filter(None, answers)).strip()
    return Found(
        f"{KERNELS // 2} runs of two kernels side by side, {ROUNDS} times: all start, nothing is said",
        f"{codes[0]} of {len(runs)} runs whole, {KERNELS * ROUNDS} kernels; said: {said[-200:] or 'nothing'}",
        codes[0] == len(runs) and not said,
    )
