"""Points of the spine about growth: what the weekly page costs, and how long it gets, from 10^4 to 10^7 attempts."""

import os
import resource
import shutil
import subprocess
import sys
import threading
import time
from dataclasses import dataclass
from pathlib import Path

from .point import Found, Pages, must, point, relkit

SIZES = (10_000, 100_000, 1_000_000, 10_000_000)
SERVICES, MODELS, SESSIONS = 500, 60, 100_000
LONGEST_PAGE, MOST_MB, MOST_CPU_S = 1.10, 2048, 120
WEEK = "2026-W47"
_MONDAY_US = 1_794_787_200_000_000

# Each sixth request fails its first try and is tried again; services, models and kinds are uneven, as real ones are.
# A hash of the row spreads them, so the same rows come on every machine.
_ATTEMPTS = """
    COPY (
        SELECT make_timestamp({monday} + i * (604_000_000_000 // {rows})) AS timestamp,
               concat('r', i - (i % 6 = 1)::INT) AS request_id, 1 + (i % 6 = 1)::INT AS attempt,
               concat('service-', lpad(CAST(floor({services} * pow(u, 2)) AS INT)::VARCHAR, 3, '0')) AS service,
               concat('model-', CAST(floor({models} * pow(v, 2)) AS INT)) AS model,
               concat('session-', hash(i // 6) % {sessions}) AS session_id,
               CASE WHEN i % 6 = 0 OR w < 0.01 THEN {kinds}[1 + CAST(floor({n_kinds} * pow(v, 2)) AS INT)] END AS code,
               20 + 900 * w * w AS latency_ms
        FROM (SELECT i, (hash(i // 6) % 1_000_003) / 1_000_003.0 AS u, (hash(i + 11) % 1_000_003) / 1_000_003.0 AS v,
                     (hash(i + 23) % 1_000_003) / 1_000_003.0 AS w FROM range({rows}) AS t(i))
    ) TO '{path}' (FORMAT parquet)
"""
_PAIRS = """
    COPY (
        SELECT make_timestamp({monday} + i * (604_000_000_000 // {rows})) AS timestamp, concat('p', i) AS pair_id,
               concat('session-', i % {sessions}) AS session_id, hash(i) % 100 < 92 AS primary_ok,
               (hash(i) % 100 < 92) <> (hash(i + 5) % 100 < 3) AS shadow_ok
        FROM range({rows}) AS t(i)
    ) TO '{path}' (FORMAT parquet)
"""
_ATTEMPTS_MAP = """
kind = "attempts"
source = "fleet"
[time]
column = "timestamp"
zone = "UTC"
[columns]
request_id = "request_id"
attempt = "attempt"
service = "service"
model = "model"
session_id = "session_id"
code = "code"
ok = { expr = "code is None" }
latency_us = { column = "latency_ms", unit = "ms" }
[constants]
granularity = "attempt"
"""
_PAIRS_MAP = """
kind = "pairs"
source = "fleet-pairs"
[time]
column = "timestamp"
zone = "UTC"
[columns]
pair_id = "pair_id"
session_id = "session_id"
primary_ok = "primary_ok"
shadow_ok = "shadow_ok"
[constants]
experiment = "larger"
"""


@dataclass(frozen=True, slots=True)
class Spent:
    """What a command cost: processor seconds, wall seconds, and the largest memory of it and its children at once, MB."""

    cpu_s: float
    wall_s: float
    peak_mb: float


def write_fleet(folder: Path, rows: int) -> None:
    """Write a week of attempts of many services, and its shadow pairs."""
    import duckdb  # noqa: PLC0415  pytest collects this module and must not pay for it

    from relkit.errors import ErrorKind  # noqa: PLC0415

    kinds = [kind.value for kind in ErrorKind]
    sizes = {"monday": _MONDAY_US, "services": SERVICES, "models": MODELS, "sessions": SESSIONS}
    with duckdb.connect() as connection:
        for name, sql, number in (("attempts", _ATTEMPTS, rows), ("pairs", _PAIRS, max(2_000, rows // 20))):
            path = folder / f"{name}.parquet"
            connection.execute(sql.format(path=path, rows=number, kinds=kinds, n_kinds=len(kinds), **sizes))
    (folder / "attempts.toml").write_text(_ATTEMPTS_MAP, encoding="utf-8")
    (folder / "pairs.toml").write_text(_PAIRS_MAP, encoding="utf-8")


def metered(folder: Path, *words: str) -> Spent:
    """Run relkit as its user does and measure it; a command that fails is an error."""
    before, begun = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    command = [sys.executable, "-m", "relkit", *words]
    with subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as running:
        peaks = [0.0]
        done = threading.Event()
        watcher = threading.Thread(target=_watch, args=(running.pid, peaks, done), daemon=True)
        watcher.start()
        printed = running.communicate()[0]
        done.set()
        watcher.join()
    if running.returncode:
        raise RuntimeError(f"{' '.join(words[:1])}: exit {running.returncode}: {printed[-300:]}")
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu_s = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Spent(cpu_s, time.perf_counter() - begun, peaks[0])


def _watch(pid: int, peaks: list[float], done: threading.Event) -> None:
    page_mb = os.sysconf("SC_PAGE_SIZE") / 2**20
    while not done.wait(0.1):
        peaks[0] = max(peaks[0], sum(_resident_pages(member) for member in _family(pid)) * page_mb)


def _family(pid: int) -> list[int]:
    members = [pid]
    for member in members:
        for listed in Path(f"/proc/{member}/task").glob("*/children"):
            try:
                members += [int(word) for word in listed.read_text(encoding="ascii").split()]
            except OSError:
                continue
    return members


def _resident_pages(pid: int) -> int:
    """Pages that belong to the process alone or are its own copy of a file; shared libraries count in each."""
    try:
        return int(Path(f"/proc/{pid}/statm").read_text(encoding="ascii").split()[1])
    except OSError:
        return 0


@point("spine", "growth from 10^4 to 10^7 attempts", slow=True)
def growth_curve(folder: Path) -> Found:
    page_kb: dict[int, dict[str, float]] = {}
    report = Spent(0, 0, 0)
    for rows in SIZES:
        place = folder / f"rows {rows}"
        place.mkdir()
        write_fleet(place, rows)
        read = metered(place, "ingest", "attempts.parquet", "--as", "attempts", "--map", "attempts.toml")
        must(relkit(place, "ingest", "pairs.parquet", "--as", "pairs", "--map", "pairs.toml"))
        report = metered(place, "report", "--week", WEEK, "--reports", "pages")
        pages = Pages((place / "pages" / WEEK).resolve())
        page_kb[rows] = {path.name: path.stat().st_size / 1024 for path in sorted(pages.folder.glob("*.html"))}
        shown = ", ".join(f"{name} {kb:.0f}" for name, kb in page_kb[rows].items())
        print(
            f"      {rows:>10,} rows: ingest {read.cpu_s:.1f} s CPU {read.peak_mb:,.0f} MB; "
            f"report {report.cpu_s:.1f} s CPU {report.wall_s:.1f} s wall {report.peak_mb:,.0f} MB; KB: {shown}",
            flush=True,
        )
        shutil.rmtree(place)
    grown = {name: kb / page_kb[100_000][name] for name, kb in page_kb[SIZES[-1]].items()}
    return Found(
        f"10^7 attempts of {SERVICES} services: page within 10 % of its 10^5-row size, report <= {MOST_MB} MB and <= {MOST_CPU_S} s CPU",
        f"{report.cpu_s:.0f} s CPU, {report.peak_mb:,.0f} MB; largest growth {100 * max(grown.values()) - 100:+.1f} %",
        all(1 / LONGEST_PAGE <= ratio <= LONGEST_PAGE for ratio in grown.values())
        and report.peak_mb <= MOST_MB
        and report.cpu_s <= MOST_CPU_S,
    )
