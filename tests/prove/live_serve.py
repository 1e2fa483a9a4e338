"""Points of serve: a snapshot of a long log in time, any question at all, and what promtool says."""

import shutil
import subprocess
import sys
import time
from pathlib import Path
from types import ModuleType
from typing import Any

from .point import ROOT, Found, Skipped, point

ROWS = 10_000_000
DAYS = 30
END_US = 1_795_392_000_000_000
GOAL_S = 0.5
QUESTIONS = 500
COLUMNS = ("request_id", "attempt", "service", "model", "strategy", "budget_left", "granularity", "session_id")


def beside(name: str) -> ModuleType:
    """Load a module of the tests of serve, which are no package."""
    folder = str(ROOT / "tests/serve")
    if folder not in sys.path:
        sys.path.insert(0, folder)
    __import__(name)
    return sys.modules[name]


def long_log(place: Path, rows: int = ROWS) -> int:
    """Write so many tries over 30 days, 4 % of the first ones failed and retried; return how many there are."""
    from relkit.store import open_store  # noqa: PLC0415
    from relkit.store.attempts import make_room  # noqa: PLC0415

    requests = rows * 100 // 104
    start_us, step_us = END_US - DAYS * 86_400_000_000, DAYS * 86_400_000_000 // requests
    with open_store(place, write=True) as store:
        ask = store.connection.execute
        make_room(store.connection, COLUMNS)
        ask(
            "INSERT INTO ingests VALUES (1, 'web', 1, FALSE, 'web.csv', 'attempts', 'x', 0, 0, ?, NULL, 'x', ?, ?, 0, 0, 0)",
            [rows] * 3,
        )
        ask(
            "INSERT INTO fingerprints (fp, status, message) VALUES (1, 503, 'overloaded'), (2, 400, 'bad request'), (3, 429, 'slow down')"
        )
        ask(
            f"INSERT INTO attempt_rows (ts, latency_us, ok, status, fp, ingest_id, line_hash, {', '.join(COLUMNS)}) "
            f"SELECT {start_us} + i * {step_us} + (t - 1) * 900000, 50000 + h % 1900000, NOT failed, CASE WHEN failed THEN 503 ELSE 200 END, "
            "CASE WHEN failed THEN 1 + h % 3 END, 1, hash(i * 8 + t), 'req-' || i, t, 'service-' || (i % 5), 'model-' || (i % 3), "
            "CASE i % 3 WHEN 0 THEN 'standard' WHEN 1 THEN 'aggressive' ELSE 'conservative' END, 10 + h % 90, 'attempt', 's' || (i // 8) "
            "FROM (SELECT i, t, hash(i * 8 + t) AS h, hash(i * 8 + t) % 100 < CASE t WHEN 1 THEN 4 ELSE 30 END AS failed "
            f"FROM range({requests}) r(i), range(1, 3) a(t) WHERE t = 1 OR hash(i * 8 + 1) % 100 < 4)"
        )
        found = ask("SELECT count(*) FROM attempt_rows").fetchone()
        assert found is not None
        return int(found[0])


def add_calls(place: Path, first: int, at_us: int) -> None:
    """Write a hundred more tries, as a log that is followed does."""
    from relkit.batch import Batch  # noqa: PLC0415
    from relkit.store import open_store, sink_into  # noqa: PLC0415

    columns: dict[str, list[Any]] = {
        "request_id": [f"new-{first}-{n}" for n in range(100)], "attempt": [1] * 100, "ts": [at_us - 2_000_000 - n for n in range(100)],
        "latency_us": [300_000] * 100, "ok": [n % 10 > 0 for n in range(100)], "service": ["service-1"] * 100,
        "granularity": ["attempt"] * 100, "budget_left": [7] * 100,
    }  # fmt: skip
    with open_store(place, write=True) as store, sink_into(store, "more", str(first)) as sink:
        sink(Batch("attempts", columns))


@point("live", "serve: a snapshot of ten million attempts", slow=True)
def snapshot_in_time(folder: Path) -> Found:
    """Metrics over HTTP's own path, with new rows before each question; CPU time tells of a machine that is busy otherwise."""
    served = beside("served")
    place = folder / "log.duckdb"
    rows = long_log(place)
    clock = [END_US]
    app = served.application(place, now_us=lambda: clock[0])
    cold = time.perf_counter()
    while (got := served.ask(app, f"{served.API}/metrics").json())["state"] != "fresh":
        time.sleep(0.5)
    cold = time.perf_counter() - cold
    walls, cpus, valid = [], [], got["error_rates"]["24h"]["valid"]
    for number in range(15):
        clock[0] += 15_000_000
        add_calls(place, number, clock[0])
        time.sleep(1.1)  # an answer of less than a second's age would be given again
        wall, cpu = time.perf_counter(), time.process_time()
        got = served.ask(app, f"{served.API}/metrics").json()
        walls.append(time.perf_counter() - wall)
        cpus.append(time.process_time() - cpu)
        assert got["state"] == "fresh"
    walls.sort()
    cpus.sort()
    middle, cpu_middle = walls[len(walls) // 2], cpus[len(cpus) // 2]
    newest = got["error_rates"]["5m"]["services"]
    assert any(one["service"] == "service-1" and one["bad"] >= 100 for one in newest), newest
    return Found(
        f"below {GOAL_S * 1000:.0f} ms at {ROWS:,} attempts",
        f"{rows:,} attempts over {DAYS} days, {valid:,} requests in the last 24 h, 100 new rows before each of {len(walls)} questions: median "
        f"{middle * 1000:.0f} ms, worst {walls[-1] * 1000:.0f} ms (CPU {cpu_middle * 1000:.0f}, worst {cpus[-1] * 1000:.0f}); "
        f"the first after a start, which counts {DAYS} days, {cold:.1f} s",
        rows > ROWS * 0.999 and middle < GOAL_S and cpus[-1] < GOAL_S,
    )


@point("live", "serve: any question, wrong tokens and path tricks, with a writer at work", slow=True)
def any_question(folder: Path) -> Found:
    """Hypothesis draws them; no answer but health's may be 5xx, and none may name a file, a token or a secret."""
    from collections import Counter  # noqa: PLC0415

    from hypothesis import HealthCheck, given, settings  # noqa: PLC0415

    asked = beside("questions")
    served = beside("served")
    secret = folder / "secret folder"
    secret.mkdir()
    log = served.Log(secret / "log.duckdb")
    from relkit.store import open_store  # noqa: PLC0415

    with open_store(log.path, write=True):
        pass
    log.fill()
    statuses: Counter[int] = Counter()
    with asked.busy_log(log.path) as place:
        apps = asked.apps_of(place)

        @settings(max_examples=QUESTIONS, deadline=None, suppress_health_check=list(HealthCheck), database=None)
        @given(question=asked.questions)
        def each(question: dict[str, Any]) -> None:
            statuses[asked.check_answer(apps, "secret folder", **question)] += 1

        each()
    total = sum(statuses.values())
    told = ", ".join(f"{count} x {status}" for status, count in sorted(statuses.items()))
    return Found("no 5xx, no leak", f"{total:,} questions: {told}; no leak", total >= QUESTIONS and max(statuses) < 500)


@point("live", "serve: promtool checks the metrics")
def promtool_agrees(folder: Path) -> Found:
    """Of a log with everything in it, of an empty one, and of none."""
    if not shutil.which("promtool"):
        raise Skipped("promtool is not on the PATH")
    served = beside("served")
    from relkit.store import open_store  # noqa: PLC0415

    full = served.Log(folder / "log.duckdb")
    with open_store(full.path, write=True):
        pass
    shutil.copy(full.path, folder / "empty.duckdb")
    full.fill()
    said, samples = [], 0
    for place in (full.path, folder / "empty.duckdb", folder / "none.duckdb"):
        text = served.ask(served.Log(place).app(), f"{served.API}/metrics", headers=served.TEXT).body
        samples += sum(not line.startswith(b"#") for line in text.splitlines())
        done = subprocess.run(["promtool", "check", "metrics"], input=text, capture_output=True, check=False)
        said.append(done.stdout + done.stderr)
        assert done.returncode == 0, done
    return Found(
        "`promtool check metrics` finds nothing",
        f"{samples} samples of 3 logs, {sum(map(bool, said))} complaints",
        not any(said),
    )
