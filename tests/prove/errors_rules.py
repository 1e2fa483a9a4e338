"""Points of the rules as data: the lint, two engines with one answer, the speed of the second, the plan's own rules, the SDKs."""

import csv
import re
import statistics
from pathlib import Path

from .point import ROOT, TRACES, Found, Skipped, point

_CORPUS = TRACES / "error-corpus-dev.csv"
_GOAL_ROWS_PER_S = 50e6


def corpus() -> list[dict[str, str]]:
    """Read the labelled errors, or skip."""
    if not _CORPUS.is_file():
        raise Skipped(f"{_CORPUS.name} does not lie beside the project")
    with _CORPUS.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@point("errors", "a table of rules with ten kinds of fault is refused with the line of each")
def lint(folder: Path) -> Found:
    from relkit.errors import load_rules  # noqa: PLC0415  pytest collects this module and must not pay for it
    from relkit.exceptions import ParameterError  # noqa: PLC0415

    rule = (
        '[[rule]]\nid = "{}"\nkind = "UNKNOWN"\nwhen = {{ {} }}\nexamples = [{{ status = 4{} }}]\n'
        "counterexamples = [{{ status = 299 }}]\n{}\n"
    )
    faults = {
        "unknown key": rule.format("a", "status = 401", "01", "retry = 1"),
        "unknown kind": rule.format("b", "status = 402", "02", "").replace("UNKNOWN", "UNKNOWM"),
        "do without (?=": rule.format("c", "message = { re = '(?=x)' }", "03", ""),
        "duplicate id": rule.format("d", "status = 404", "04", "") * 2,
        "ordering cycle": rule.format("e", "status = 405", "05", 'before = "f"')
        + rule.format("f", "status = 406", "06", 'before = "e"'),
        "shadowed": rule.format("g", "status = 407", "07", "") + rule.format("h", "status = 407", "07", ""),
        "no examples": rule.format("i", "status = 408", "08", "").replace("examples = [{ status = 408 }]", "", 1),
        "no counterexamples": rule.format("j", "status = 409", "09", "").replace("counterexamples", "source"),
        "does not match": rule.format("k", "status = 410", "11", ""),
        "no rule is called": rule.format("l", "status = 412", "12", 'after = "nobody"'),
    }
    text = "declared = false\n" + "".join(faults.values())
    try:
        load_rules(text, layer="faulty.toml")
        told = ""
    except ParameterError as error:
        told = str(error)
    missed = [
        name for name in faults if not re.search(rf"^faulty.toml, line [0-9]+, .*{re.escape(name)}", told, re.MULTILINE)
    ]
    own = load_rules()
    return Found(
        "every fault told at once with file and line; relkit's own table has none",
        f"{len(faults) - len(missed)} of {len(faults)} told{', missed: ' + ', '.join(missed) if missed else ''}; "
        f"{len(own.rules)} rules of relkit pass",
        not missed,
    )


@point("errors", "SQL and Python classify alike")
def engines(folder: Path) -> Found:
    import random  # noqa: PLC0415
    from dataclasses import astuple  # noqa: PLC0415

    from relkit.errors import Signals, load_rules, read_signals  # noqa: PLC0415
    from relkit.errors.rules.plan import plan_rules  # noqa: PLC0415
    from relkit.store import open_store  # noqa: PLC0415
    from relkit.store.rules_sql import classified_sql  # noqa: PLC0415

    rows = [read_signals(row) for row in corpus()]
    real = len(rows)
    rows += [read_signals(row) for rule in load_rules().rules for row in (*rule.examples, *rule.counterexamples)]
    draw = random.Random(4)
    pool = [astuple(row) for row in rows]
    rows += [Signals(*(draw.choice(pool)[n] for n in range(len(pool[0])))) for _ in range(20_000)]
    differing = 0
    with open_store(folder / "log.duckdb", write=True, threads=2) as store:
        columns = [list(range(len(rows))), *(list(column) for column in zip(*map(astuple, rows), strict=True))]
        unnested = ", ".join(["unnest(?)"] * len(columns))
        store.connection.execute(f"INSERT INTO fingerprints SELECT {unnested}", columns)
        for rules in (load_rules(), plan_rules()):
            found = store.connection.execute(f"SELECT rule, kind FROM ({classified_sql(rules)}) ORDER BY fp").fetchall()
            for row, answer in zip(rows, found, strict=True):
                winner = rules.first(row)
                wanted = ("none", "UNKNOWN") if winner is None else (winner[0].id, winner[0].kind.value)
                differing += answer != wanted
    return Found(
        "kind and rule equal on every corpus row, every example of a rule and 20,000 rows mixed from them, two rule sets",
        f"{differing} of {2 * len(rows):,} answers differ ({real} rows of the corpus)",
        differing == 0,
    )


@point("errors", "10M rows re-classified by fingerprints")
def speed(folder: Path) -> Found:
    from benchmarks.measure import alone  # noqa: PLC0415
    from benchmarks.rules_work import THREADS  # noqa: PLC0415

    database, rows = folder / "errors.duckdb", 10_000_000
    alone("benchmarks.rules_work:build", database, rows, 222)
    ours = [alone("benchmarks.rules_work:joined", database, turn).returned for turn in range(5)]
    case = alone("benchmarks.rules_work:row_by_row", database, 5, 200_000).returned
    loop = alone("benchmarks.rules_work:python_loop", database, 6, 50_000).returned
    by_cpu = rows * THREADS / statistics.median(cpu_s for cpu_s, _, _ in ours)
    by_clock = rows / min(wall_s for _, wall_s, _ in ours)
    whole = all(sum(kinds.values()) == rows for _, _, kinds in ours)
    return Found(
        "at least 50M rows/s on 2 threads, from the new rule to the rows of each kind",
        f"{by_cpu / 1e6:.0f}M rows/s by CPU time, {by_clock / 1e6:.0f}M by the clock; CASE row by row "
        f"{200_000 * THREADS / case[0] / 1e6:.2f}M, Python loop {50_000 / loop[0] / 1e6:.2f}M",
        whole and max(by_cpu, by_clock) >= _GOAL_ROWS_PER_S,
    )


@point("errors", "rule set plan on the corpus, beside ours")
def plan(folder: Path) -> Found:
    from relkit.errors import ADVICE, ErrorKind, classify, load_rules  # noqa: PLC0415
    from relkit.errors.rules.plan import plan_rules  # noqa: PLC0415

    rows = corpus()
    figures = {}
    for rules in (plan_rules(), load_rules()):
        right = decided = in_vain = 0
        for row in rows:
            answer = classify(row, rules)
            also = re.search(r"also ok: (.*)", row["note"])
            kinds = {ErrorKind(row["expected_class"])}
            kinds |= {kind for kind in ErrorKind if also and re.search(rf"\b{kind}\b", also[1])}
            may = {ADVICE[kind].retryable for kind in kinds}
            right += answer.kind.value == row["expected_class"]
            decided += answer.retryable in may
            in_vain += answer.retryable and True not in may
        figures[rules.name] = (right, decided, in_vain)
    n = len(rows)
    told = "; ".join(
        f"{name}: kind {right}/{n} = {right / n:.1%}, retry decision {decided}/{n} = {decided / n:.1%}, retried in vain {vain}"
        for name, (right, decided, vain) in figures.items()
    )
    ours, theirs = figures["relkit"], figures["plan"]
    return Found(
        "ours better in all three; the plan has the favour of the status, which a log row gives it",
        told,
        ours[0] > theirs[0] and ours[1] > theirs[1] and ours[2] < theirs[2],
    )


@point("errors", "seven SDKs decide as their own code does")
def sdks(folder: Path) -> Found:
    from relkit.errors.evaluation.sdks import sdk_decisions  # noqa: PLC0415

    with (ROOT / "tests/golden/errors/sdks.csv").open(encoding="utf-8", newline="") as file:
        cases = list(csv.DictReader(file))
    wrong = cells = 0
    for case in cases:
        headers = {case["header"]: case["value"]} if case["header"] else {}
        for found in sdk_decisions(
            int(case["status"]), headers, method=case["method"], code=case["code"] or None,
            attempt=int(case["attempt"]), at_s=1_767_225_600.0,
        ):  # fmt: skip
            wanted = case[found.sdk]
            cells += 1
            if wanted in ("no", "breaks"):
                wrong += found.retries or ("raises" in found.why) != (wanted == "breaks")
            else:
                waits = (found.wait_low_s or 0.0, found.wait_high_s or 0.0)
                known = tuple(float(text) for text in wanted.split())
                wrong += not found.retries or any(
                    abs(a - b) > 1e-4 * max(b, 1) for a, b in zip(waits, known, strict=True)
                )
    return Found(
        "retry and wait of openai, groq, anthropic, urllib3, botocore, google, azure equal to what their code answered",
        f"{wrong} of {cells:,} decisions differ",
        wrong == 0 and cells > 1_700,
    )
