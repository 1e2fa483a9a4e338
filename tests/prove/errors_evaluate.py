"""Points of the evaluation of rules: re-classification while a rule is written, labels, retries, the check."""

import random
import time
from pathlib import Path

from .point import Found, demo_database, point, relkit

_ROWS = 10_000_000
_ERRORS = 222


@point("errors", "a rule added in a notebook re-classifies 10M rows and redraws")
def reclassify(folder: Path) -> Found:
    from relkit.errors import evaluate, kind_hours, load_rules  # noqa: PLC0415
    from relkit.period import period_of  # noqa: PLC0415
    from relkit.plates.errors import errors_by_hour_plate, fingerprint_table, kinds_plate  # noqa: PLC0415
    from relkit.plates.evaluation import coverage_plate  # noqa: PLC0415
    from relkit.store import open_store, readings  # noqa: PLC0415

    week = period_of("2026-W47")
    path = _failing_log(folder / "big.duckdb", week.start_us or 0)
    began = time.perf_counter()
    with open_store(path, threads=2) as store:
        counts = readings.fingerprint_counts(store, week)
    read_s = time.perf_counter() - began
    kinds_plate(evaluate(counts).kinds)  # what a kernel has done before the cell is edited
    began, worked = time.perf_counter(), time.process_time()
    mine = load_rules().with_rules(
        {
            "id": "mine", "kind": "LOCAL_RESOURCE", "when": {"exception_type": "Odd0"},
            "examples": [{"exception_type": "Odd0"}], "counterexamples": [{"exception_type": "Even"}],
        }
    )  # fmt: skip
    found = evaluate(counts, rules=mine)
    kinds_plate(found.kinds)
    coverage_plate(found.coverage)
    errors_by_hour_plate(*kind_hours(counts, found.answers, week.start_us, week.end_us))
    fingerprint_table(counts, found.unknown, mine)
    wall_s, work_s = time.perf_counter() - began, time.process_time() - worked
    moved = sum(row.attempts for row in found.kinds if row.kind == "LOCAL_RESOURCE")
    return Found(
        "10,000,000 failed attempts, three figures and the table again in at most 1 s of work",
        f"{work_s:.2f} s of work, {wall_s:.2f} s by the clock; {moved:,} attempts changed their kind; read once in {read_s:.1f} s",
        work_s <= 1.0 and moved > 0 and counts.failed_attempts == _ROWS,
    )


def _failing_log(path: Path, start_us: int) -> Path:
    """Write failed attempts of a week, each row a request of its own, of as many distinct errors as the reference counts."""
    from relkit.batch import Batch  # noqa: PLC0415
    from relkit.store import open_store, sink_into  # noqa: PLC0415

    statuses = [None, 400, 401, 404, 429, 500, 502, 503]
    with open_store(path, write=True, threads=2) as store:
        with sink_into(store, "log", "x") as sink:
            columns = {
                "ts": [start_us + i for i in range(_ERRORS)], "ok": [False] * _ERRORS, "service": ["llm"] * _ERRORS,
                "exception_type": [f"Odd{i % 9}" for i in range(_ERRORS)], "status": [statuses[i % 8] for i in range(_ERRORS)],
                "message": [f"{chr(97 + i % 26)}{chr(97 + i // 26)} happened" for i in range(_ERRORS)],
            }  # fmt: skip
            sink(Batch("attempts", columns))
        run = store.connection.execute
        names = "ok, service, fp, ingest_id"
        step_us = 7 * 86_400_000_000 // _ROWS
        run("CREATE TEMP TABLE each AS SELECT row_number() OVER (ORDER BY fp) - 1 AS place, * FROM attempt_rows")
        run(
            f"INSERT INTO attempt_rows (ts, status, {names}) SELECT {start_us} + i * {step_us}, status, {names} "
            f"FROM range({_ROWS - _ERRORS}) AS t(i) JOIN each ON place = hash(i) % {_ERRORS}"
        )
    return path


@point("errors", "rules against the labels of the demo week")
def labels(folder: Path) -> Found:
    from relkit.errors import WAIT_EDGES_US, evaluate, plan_rules, rival  # noqa: PLC0415
    from relkit.period import period_of  # noqa: PLC0415
    from relkit.store import open_store, readings  # noqa: PLC0415

    week = period_of("2026-W47")
    with open_store(demo_database()) as store:
        counts = readings.fingerprint_counts(store, week)
        tries, known = readings.next_tries(store, week, WAIT_EDGES_US), readings.labels(store)
    found = rival(evaluate(counts, tries), plan_rules(), tries, labels=known).decisions
    shown = "; ".join(
        f"{name}: kind right {result.accuracy.hits} of {result.accuracy.n} ({result.accuracy.low:.0%} to {result.accuracy.high:.0%}), "
        f"permanent errors retried {result.retried_in_vain[0]} ({result.retried_in_vain[1]} attempts)"
        for name, result in found.items()
    )
    ours = found["relkit"]
    holds = ours.accuracy.hits == ours.accuracy.n > 30 and ours.retried_in_vain == (0, 0)
    return Found("every planted error named, none retried in vain (the rules had seen these errors)", shown, holds)


@point("errors", "P(success at the next try): coverage of the interval")
def retry_interval(folder: Path) -> Found:
    from relkit.errors import NextTry, Signals, classify, retryability_of  # noqa: PLC0415

    answers = {1: classify(Signals(status=500))}
    shares = []
    for a, b in ((1.0, 1.0), (0.5, 0.5), (4.0, 2.0), (0.4, 1.6)):
        draw = random.Random(47)
        truth = (1 - b * (b + 1) / ((a + b) * (a + b + 1))) / (1 + b / (a + b))
        held = 0
        for _ in range(1_000):
            retries = successes = squares = 0
            for _ in range(50):
                p = draw.betavariate(a, b)
                first, second = draw.random() < p, draw.random() < p
                m = 1 if first else 2
                retries, squares, successes = retries + m, squares + m * m, successes + (first or second)
            (found,) = retryability_of([NextTry(1, 1, retries, successes, squares, retries)], answers)
            held += found.low <= truth <= found.high
        shares.append(held / 1_000)
    shown = ", ".join(f"{share:.1%}" for share in shares)
    return Found(
        "at least 93 % of 1,000 logs of 50 requests hold the truth at level 95 %, for four ways in which tries of a request are alike",
        shown,
        min(shares) >= 0.93,
    )


@point("errors", "relkit check: exit codes")
def check(folder: Path) -> Found:
    database = str(demo_database())
    tried = {
        "20 of 975 unknown, 5 % may be": (relkit(folder, "check", database), 0),
        "1 % may be": (relkit(folder, "check", database, "--max-unknown", "0.01"), 3),
        "no such file": (relkit(folder, "check", "nowhere.duckdb"), 1),
        "no share": (relkit(folder, "check", database, "--max-unknown", "5"), 1),
    }
    shown = ", ".join(f"{name}: {done.returncode}" for name, (done, _) in tried.items())
    holds = all(done.returncode == code and "Traceback" not in done.stderr for done, code in tried.values())
    return Found("0 within the share, 3 above it, 1 when it cannot run", shown, holds)
