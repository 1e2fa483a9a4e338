"""Points of the spine that need no browser and no trace: rows, roles, signals, the plan's vector, errors, ratios."""

import csv
import gzip
import hashlib
import random
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path

from .point import Found, Pages, demo_database, demo_pages, ingest, must, point, relkit, report

MONDAY = datetime(2026, 11, 16, tzinfo=UTC)
_ATTEMPTS = """
kind = "attempts"
source = "{source}"
[time]
column = "timestamp"
[columns]
latency_us = {{ column = "latency_ms", unit = "ms" }}
"""
_SHARES = """
kind = "minutes"
source = "{source}"
[time]
column = "timestamp"
[columns]
service = "service"
[samples]
success_share = {{ column = "success", unit = "percent" }}
"""
_PROBES = """
kind = "probes"
source = "{source}"
[time]
column = "timestamp"
[columns]
service = "service"
up = "up"
"""


def stamp(seconds: float) -> str:
    return (MONDAY + timedelta(seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%SZ")


def write(path: Path, head: str, rows: list[tuple[object, ...]]) -> Path:
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows([head.split(), *rows])
    return path


def mapping(folder: Path, source: str, more: str = "", text: str = _ATTEMPTS) -> Path:
    path = folder / f"{source}.toml"
    path.write_text(text.format(source=source) + more, encoding="utf-8")
    return path


@point("spine", "plan's z-test vector")
def plan_vector(folder: Path) -> Found:
    from relkit.shadow import PairCounts  # noqa: PLC0415  see the next line
    from relkit.shadow.plan_z import plan_z  # noqa: PLC0415  pytest collects this module and must not pay for it

    told = plan_z(PairCounts(3520, 96, 64, 320))
    assert told.z_score is not None
    assert told.p_value is not None
    assert told.confidence is not None
    got = (round(told.z_score, 5), round(told.p_value, 5), told.winner, round(told.confidence, 3))
    wanted = (-1.19257, 0.88348, "primary", 0.117)
    return Found(f"(3520, 96, 64, 320) gives {wanted}", str(got), got == wanted)


@point("spine", "dead metric reads no signal")
def dead_metric(folder: Path) -> Found:
    minutes = write(
        folder / "minutes.csv", "timestamp service success", [(stamp(60 * i), "api", 0) for i in range(600)]
    )
    flowing = write(
        folder / "requests.csv", "timestamp latency_ms", [(stamp(10 * i), 80 + i % 40) for i in range(3600)]
    )
    series = mapping(folder, "dead", text=_SHARES)
    ingest(folder, minutes, "minutes", series)
    ingest(folder, flowing, "attempts", mapping(folder, "flowing"))
    pages = Pages(report(folder, "--all"))
    slo, caption = pages.verdict("slo"), pages.shown("4_slo", "series")["caption"]
    holds = slo["code"] == "UNDECIDED" and "no signal" in slo["sentence"].lower() and "no signal" in caption.lower()
    return Found(
        "UNDECIDED, 'no signal' in verdict and plate", f"{slo['code']}: {slo['sentence']} Plate: {caption}", holds
    )


@point("spine", "10,000 failing shadow and probe rows change no SLO number")
def roles(folder: Path) -> Found:
    shutil.copy(demo_database(), folder / "relkit.duckdb")
    week = 7 * 86_400
    rows = [(stamp(i * week / 20_000), 9_000 + i % 7, ("shadow", "probe")[i % 2], 500) for i in range(20_000)]
    log = write(folder / "others.csv", "timestamp latency_ms role status", rows)
    ingest(folder, log, "attempts", mapping(folder, "others", 'role = "role"\nstatus = "status"\n'))
    down = write(
        folder / "probes.csv", "timestamp service up", [(stamp(i * week / 10_000), "chat", 0) for i in range(10_000)]
    )
    ingest(folder, down, "probes", mapping(folder, "prober", text=_PROBES))
    added = _count(folder, "SELECT count(*) FROM attempts WHERE source = 'others' AND NOT ok")
    added += _count(folder, "SELECT count(*) FROM probes WHERE source = 'prober' AND NOT up")
    after, before = Pages(report(folder, "--week", "2026-W47")), demo_pages()
    shown = [("4_slo", name) for name in ("objectives", "budget", "burn", "latency", "plan_slo")]
    shown += [
        ("6_weekly", "answers"),
        ("6_weekly", "availability_week"),
        ("1_errors", "kinds"),
        ("1_errors", "kind_table"),
    ]
    differing = [name for book, name in shown if before.shown(book, name) != after.shown(book, name)]
    differing += [area for area in ("slo", "errors", "shadow") if before.verdict(area) != after.verdict(area)]
    return Found(
        f"10,000 shadow and 10,000 probe attempts and 10,000 probes down: {len(shown)} plates and tables and 3 verdicts as before",
        f"{added:,} failing rows stored; changed: {', '.join(differing) or 'none'}; {after.verdict('slo')['sentence']}",
        not differing and added == 30_000,
    )


@point("spine", "appended 24 times and rotated 3 times equals one ingest")
def growth(folder: Path) -> Found:
    draw = random.Random(47)
    lines = []
    for i in range(6_000):
        status = draw.choice([200] * 30 + [404, 429, 500, 503])
        message = f"failed after {draw.randrange(900)} ms" if status >= 429 else ""
        lines.append(f"{stamp(i * 7)},{draw.randrange(20, 2_000)},{status},{message}\n")
        if i % 1_500 == 1_499:  # a burst of equal lines that rotation cuts in two
            lines += [f"{stamp(i * 7)},55,200,\n"] * 6
    lines[777] = "no time,12,200,\n"
    lines[4_777] = f"{stamp(9)},fast,200,\n"
    head = "timestamp,latency_ms,status,message\n"
    how = mapping(folder, "app", 'status = "status"\nmessage = "message"\n')
    at_once, grown = folder / "at once", folder / "grown"
    for place in (at_once, grown):
        place.mkdir()
    (at_once / "app.csv").write_text(head + "".join(lines), encoding="utf-8")
    ingest(at_once, at_once / "app.csv", "attempts", how)
    cuts = [round(len(lines) * k / 4) - 3 * (k < 4) for k in range(1, 5)]
    appended = 0
    for part, (first, last) in enumerate(zip([0, *cuts[:-1]], cuts, strict=True)):
        if part:
            _rotate(grown)
        text = (head + "".join(lines[first:last])).encode()
        for step in range(1, 7):  # cut anywhere, also within a line
            (grown / "app.csv").write_bytes(text[: len(text) * step // 6])
            must(relkit(grown, "ingest", "app.csv*", "--as", "attempts", "--map", str(how)))
            appended += 1
    whole, parts = _content(at_once), _content(grown)

    def shown(counts: tuple[int, int, int, str]) -> str:
        return f"{counts[0]:,} rows, {counts[1]} fingerprints, {counts[2]} rejects"

    return Found(
        f"{appended} appends cut within lines, 3 rotations (older ones packed): the same rows, fingerprints and rejects",
        f"{shown(parts)} against {shown(whole)}; content {'equal' if parts == whole else 'differs'}",
        parts == whole and whole[0] == len(lines) - 2,
    )


def _rotate(folder: Path) -> None:
    for number in (2, 1):
        old = folder / f"app.csv.{number}.gz"
        if old.exists():
            old.rename(folder / f"app.csv.{number + 1}.gz")
    (folder / "app.csv.1.gz").write_bytes(gzip.compress((folder / "app.csv").read_bytes()))
    (folder / "app.csv").unlink()


def _count(folder: Path, sql: str) -> int:
    from relkit.store import open_store  # noqa: PLC0415

    with open_store(folder / "relkit.duckdb") as store:
        row = store.connection.execute(sql).fetchone()
    return int(row[0]) if row else 0


def _content(folder: Path) -> tuple[int, int, int, str]:
    from relkit.store import open_store  # noqa: PLC0415

    with open_store(folder / "relkit.duckdb") as store:
        ask = store.connection.execute
        rows = ask("SELECT * EXCLUDE (ingest_id) FROM attempts ORDER BY ALL").fetchall()
        signals = ask("SELECT * FROM fingerprints ORDER BY ALL").fetchall()
        rejects = ask("SELECT reason, raw FROM rejects ORDER BY ALL").fetchall()
    digest = hashlib.sha256(repr((rows, signals, rejects)).encode()).hexdigest()
    return len(rows), len(signals), len(rejects), digest


@point("spine", "a week that cannot be reported exits 1 and writes nothing")
def week_errors(folder: Path) -> Found:
    shutil.copy(demo_database(), folder / "relkit.duckdb")
    told = {}
    for label, week in (("empty", "2026-W30"), ("future", "2090-W10"), ("unknown", "2026-W54"), ("no week", "last")):
        done = relkit(folder, "report", "--week", week, "--reports", "pages")
        told[label] = (done.returncode, "Traceback" not in done.stderr and bool(done.stderr.strip()))
    written = [path.name for path in folder.iterdir() if path.name != "relkit.duckdb"]
    holds = all(answer == (1, True) for answer in told.values()) and not written
    shown = ", ".join(f"{label} {code}" for label, (code, _) in told.items())
    return Found(
        "exit 1, one clear line, no file", f"exit codes: {shown}; written: {', '.join(written) or 'nothing'}", holds
    )


@point("spine", "ingest beside plain DuckDB")
def ingest_ratio(folder: Path) -> Found:
    from benchmarks.ingest import GOALS, compare  # noqa: PLC0415

    ours = {case: next(compare(1_000_000, case, folder, 2)) for case in GOALS}
    figures = "; ".join(f"{case} {row.ratio:.1f}x ({row.rows / row.cpu:,.0f} rows/s)" for case, row in ours.items())
    goals = ", ".join(f"{case} at most {goal:g}x" for case, goal in GOALS.items())
    return Found(
        f"CPU at 10^6 rows: {goals}", figures, all((row.ratio or 99) <= GOALS[case] for case, row in ours.items())
    )
