"""Points of the spine about ends that nobody chose: 100 ingests and 50 reports ended at random moments."""

import random
import shutil
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final

from . import killed_ingest, killed_report
from .killing import command, drawn, ended, files_of
from .point import Found, Skipped, ingest, point, report

SEED: Final = 47
INGESTS: Final = 100
REPORTS: Final = 50
AT_ONCE: Final = 2
_ROWS: Final = 12_000
_LOG: Final = """
kind = "attempts"
source = "app"
[time]
column = "timestamp"
[columns]
latency_us = { column = "latency_ms", unit = "ms" }
status = "status"
"""


def told(kills: Sequence["killed_ingest.Kill | killed_report.Kill"], skipped: int) -> str:
    """Write what was done and what came of it, one count for each way and outcome."""
    counts = Counter((kill.way, kill.state) for kill in kills)
    ways = dict.fromkeys(way for way, _ in sorted(counts))
    shown = [f"{way} {counts[way, 'before']} before + {counts[way, 'after']} after" for way in ways]
    wrong = [f"{kill.way}: {fault}" for kill in kills for fault in kill.wrong]
    more = f"; {skipped} for want of a small disk not tried" if skipped else ""
    return f"{'; '.join(shown)}{more}; wrong: {'; '.join(wrong[:3]) or 'nothing'}"


@point("spine", f"{INGESTS} ingests ended at random moments", slow=True)
def ingests(folder: Path) -> Found:
    if not Path("/proc/self/fd").exists():
        raise Skipped("sees from /proc when the work begins")
    draw = random.Random(SEED)
    made = killed_ingest.bench(folder / "bench", _ROWS, draw)
    tried = [
        killed_ingest.kill(made, way, folder / str(number), draw)
        for number, way in enumerate(drawn(killed_ingest.WAYS, INGESTS, draw))
    ]
    kills = [kill for kill in tried if kill]
    return Found(
        "the database is as before or as after, the same ingest completes it, nothing is left behind, every message is clear",
        f"seed {SEED}: {told(kills, len(tried) - len(kills))}",
        not any(kill.wrong for kill in kills) and len(kills) >= INGESTS * 3 // 4,
    )


@point("spine", f"{REPORTS} reports ended at random moments", slow=True)
def reports(folder: Path) -> Found:
    if not Path("/proc/self/cmdline").exists():
        raise Skipped("looks for kernels in /proc")
    draw = random.Random(SEED)
    made = report_bench(folder / "bench", draw)
    ways = drawn(killed_report.WAYS, REPORTS, draw)
    seeds = [draw.getrandbits(32) for _ in ways]

    def one(number: int) -> "killed_report.Kill | None":
        return killed_report.kill(made, ways[number], folder / str(number), random.Random(seeds[number]))

    with ThreadPoolExecutor(AT_ONCE) as pool:
        tried = list(pool.map(one, range(REPORTS)))
    kills = [kill for kill in tried if kill]
    completed = [done for number in _some_killed(tried) if (done := _retried(made, folder / str(number))) is not None]
    return Found(
        "the page of last week and its link byte for byte as before; this week's too, or the new one whole; no process and "
        "no folder left behind; every message is clear; the next report publishes what an undisturbed one does",
        f"seed {SEED}: {told(kills, len(tried) - len(kills))}; {sum(completed)} of {len(completed)} next reports complete",
        not any(kill.wrong for kill in kills) and len(kills) >= REPORTS * 3 // 4 and all(completed) and bool(completed),
    )


def report_bench(folder: Path, draw: random.Random) -> killed_report.Bench:
    """Publish two weeks, let the log grow in the second, and report that once undisturbed."""
    folder.mkdir()
    (folder / "app.toml").write_text(_LOG, encoding="utf-8")
    lines = ["timestamp,latency_ms,status\n"]
    lines += [
        f"2026-11-{9 + number // 40:02d}T{draw.randrange(24):02d}:00:00Z,{draw.randrange(900)},200\n"
        for number in range(560)
    ]
    pages, database = folder / killed_report.PAGES, folder / killed_report.DATABASE
    for status, weeks in ((200, ("2026-W46", killed_report.WEEK)), (503, (killed_report.WEEK,))):
        lines += [f"2026-11-20T{hour:02d}:30:00Z,77,{status}\n" for hour in range(20)]
        (folder / "app.csv").write_text("".join(lines), encoding="utf-8")
        ingest(folder, folder / "app.csv", "attempts", folder / "app.toml")
        if status == 503:
            shutil.copytree(pages, folder / "stood", symlinks=True)
        for week in weeks:
            report(folder, "--week", week)
    undisturbed = files_of(pages / killed_report.WEEK)
    busy = shutil.copytree(folder / "stood", folder / "busy" / "disk" / killed_report.PAGES, symlinks=True).parents[1]
    shutil.copy(database, busy)
    done = ended(command(killed_report.words(busy)), busy, after_s=600)
    if done.code:
        raise RuntimeError(done.err)
    size = sum(map(len, undisturbed.values()))
    return killed_report.Bench(database, folder / "stood", done.moment_s, size, undisturbed)


def _some_killed(tried: Sequence["killed_report.Kill | None"]) -> list[int]:
    """Pick one report of each way that published nothing."""
    ways = {
        kill.way: number
        for number, kill in enumerate(tried)
        if kill and kill.state == "before" and kill.way != "full disk"
    }
    return sorted(ways.values())


def _retried(made: killed_report.Bench, folder: Path) -> bool:
    done = ended(command(killed_report.words(folder)), folder, after_s=600)
    pages = folder / "disk" / killed_report.PAGES
    runs = {path.name for path in (pages / ".runs").iterdir()}
    return (
        done.code == 0
        and files_of(pages / killed_report.WEEK) == made.files
        and runs == {"2026-W46-0001", f"{killed_report.WEEK}-0001", f"{killed_report.WEEK}-0002"}
    )
