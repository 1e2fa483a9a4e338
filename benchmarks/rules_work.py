"""The work of benchmarks.reclassify: a week of errors in a store, and three ways to give every row its kind anew."""

import time
from collections import Counter
from dataclasses import astuple, replace
from pathlib import Path

from relkit.errors import RuleSet, Signals, fingerprint, kind_counts, load_rules, read_signals
from relkit.period import period_of
from relkit.store import open_store, readings
from relkit.store.classify import kinds_table
from relkit.store.rules_sql import classified_sql

THREADS = 2
_ROWS = """
    INSERT INTO attempt_rows (ts, latency_us, ok, status, fp, ingest_id)
    SELECT 1763337600000000 + i * (7 * 86400000000 // {rows}), 20000 + i % 900000, FALSE, status, fp, 1
    FROM (SELECT i, CAST(floor({distinct} * pow(hash(i) % 1000003 / 1000003.0, 3)) AS BIGINT) AS k FROM range({rows}) AS t(i))
    JOIN pool USING (k)
"""


def build(database: Path, rows: int, distinct: int) -> None:
    """Store a week of errors; few of the distinct ones make most of the rows, as in real logs."""
    database.unlink(missing_ok=True)
    errors = _distinct(distinct)
    with open_store(database, write=True, threads=THREADS) as store:
        con = store.connection
        columns = [list(errors), *(list(column) for column in zip(*map(astuple, errors.values()), strict=True))]
        con.execute(f"INSERT INTO fingerprints SELECT {', '.join(['unnest(?)'] * len(columns))}", columns)
        con.execute(
            "INSERT INTO ingests SELECT 1, 'bench', 1, FALSE, 'bench', 'attempts', 'none', 0, 0, 0, NULL, 'none', ?, ?, 0, 0, 0",
            [rows, rows],
        )
        con.execute(
            "CREATE TEMP TABLE pool AS SELECT row_number() OVER (ORDER BY fp) - 1 AS k, fp, status FROM fingerprints"
        )
        con.execute(_ROWS.format(rows=rows, distinct=distinct))


def joined(database: Path, turn: int) -> tuple[float, float, dict[str, int]]:
    """Classify the distinct errors by rules nobody has seen, join them to the rows; return CPU s, wall s and rows by kind."""
    with open_store(database, threads=THREADS) as store:
        store.connection.execute(
            "SELECT count(fp) FROM attempt_rows"
        ).fetchall()  # the file is open and warm, as in a notebook
        load_rules()
        cpu, wall = time.process_time(), time.perf_counter()
        kinds = kinds_table(store.connection, _edited(turn))
        found = store.connection.execute(
            "SELECT kind, sum(n) FROM (SELECT fp, count(*) AS n FROM attempt_rows GROUP BY fp) "
            f"JOIN {kinds} USING (fp) GROUP BY kind ORDER BY kind"
        ).fetchall()
        return time.process_time() - cpu, time.perf_counter() - wall, dict(found)


def row_by_row(database: Path, turn: int, rows: int) -> tuple[float, float, dict[str, int]]:
    """Run the CASE over rows that carry their signals themselves."""
    with open_store(database, threads=THREADS) as store:
        con = store.connection
        con.execute(
            f"CREATE TEMP TABLE wide AS SELECT f.* FROM (FROM attempt_rows LIMIT {rows}) JOIN fingerprints f USING (fp)"
        )
        cpu, wall = time.process_time(), time.perf_counter()
        sql = classified_sql(_edited(turn), "wide")
        found = con.execute(f"SELECT kind, count(*) FROM ({sql}) GROUP BY kind ORDER BY kind").fetchall()
        return time.process_time() - cpu, time.perf_counter() - wall, dict(found)


def python_loop(database: Path, turn: int, rows: int) -> tuple[float, float, dict[str, int]]:
    """Ask the rules for one row after another."""
    with open_store(database, threads=THREADS) as store:
        sql = f"SELECT f.* EXCLUDE (fp) FROM (FROM attempt_rows LIMIT {rows}) JOIN fingerprints f USING (fp)"
        signals = [Signals(*row) for row in store.connection.execute(sql).fetchall()]
    rules = _edited(turn)
    cpu, wall = time.process_time(), time.perf_counter()
    found: Counter[str] = Counter()
    for one in signals:
        winner = rules.first(one)
        found["UNKNOWN" if winner is None else winner[0].kind.value] += 1
    return time.process_time() - cpu, time.perf_counter() - wall, dict(found)


def redrawn(database: Path, turn: int) -> tuple[float, float, str]:
    """Do what a cell with a new rule does: the rules anew, every error by them, the picture; the log was counted before."""
    from relkit.plates.errors import kinds_plate  # noqa: PLC0415  the other work does without matplotlib

    with open_store(database, threads=THREADS) as store:
        counts = readings.fingerprint_counts(store, period_of("all", "UTC"))
    kinds_plate(
        kind_counts(counts), counts.told
    )  # the first picture of a kernel finds its fonts; the page has drawn it
    cpu, wall = time.process_time(), time.perf_counter()
    plate = kinds_plate(kind_counts(counts, _edited(turn)), counts.told)
    return time.process_time() - cpu, time.perf_counter() - wall, plate.caption


def _edited(turn: int) -> RuleSet:
    return load_rules().with_rules(
        {
            "id": f"mine.{turn}",
            "kind": "MODEL_OVERLOADED",
            "when": {"status": 409},
            "before": "status.conflict",
            "examples": [{"status": 409}],
            "counterexamples": [{"status": 410 + turn}],
        }
    )


def _distinct(number: int) -> dict[int, Signals]:
    """Take the examples of the rules, and again with other words behind the message, until there are enough."""
    examples = [read_signals(row) for rule in load_rules().rules for row in (*rule.examples, *rule.counterexamples)]
    found: dict[int, Signals] = {}
    turn = 0
    while len(found) < number:
        for signals in examples:
            more = "" if turn == 0 else f" at {''.join(chr(97 + int(digit)) for digit in str(turn))}"
            one = replace(signals, message=f"{signals.message or ''}{more}".strip() or None)
            if len(found) < number:
                found.setdefault(fingerprint(one), one)
        turn += 1
    return found
