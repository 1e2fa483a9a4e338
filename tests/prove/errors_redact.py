"""Proofs of errors: redaction finds, spares, keeps its speed, and changes no answer."""

import csv
from pathlib import Path

from .point import ROOT, Found, Skipped, point


@point("errors", "redaction: 75,000 lines a second, recall and harmless lines altered")
def redaction(folder: Path) -> Found:
    from benchmarks.redact import GOAL_LINES_PER_S, by_hints  # noqa: PLC0415

    runs = [by_hints(100_000) for _ in range(3)]
    speed = 100_000 / min(cpu_s for cpu_s, _, _ in runs)
    _, recall, altered = runs[0]
    return Found(
        f"at least {GOAL_LINES_PER_S:,} lines/s of CPU, recall at least .999 on 15 kinds, at most 2.0 % of harmless lines altered",
        f"{speed:,.0f} lines/s, recall {recall:.4f}, {altered:.2%} altered (100,000 generated lines, best of 3)",
        speed >= GOAL_LINES_PER_S and recall >= 0.999 and altered <= 0.02,
    )


@point("errors", "redaction changes no classification of the corpus")
def no_answer_changes(folder: Path) -> Found:
    from relkit.errors import classify, redact_text  # noqa: PLC0415

    place = ROOT.parent / "shared/traces/error-corpus-dev.csv"
    if not place.exists():
        raise Skipped("the corpus is not here")
    with place.open(newline="", encoding="utf-8") as file:
        corpus = list(csv.DictReader(file))
    changed = []
    for row in corpus:
        told = {name: row[name] for name in ("exception_type", "status", "code", "message")}
        before, after = classify(told), classify({name: redact_text(text) for name, text in told.items()})
        if (before.kind, before.retryable, before.rule) != (after.kind, after.retryable, after.rule):
            changed.append(row["source"])
    return Found(
        "0 answers change", f"{len(changed)} of {len(corpus)} change {' '.join(changed[:3])}".strip(), not changed
    )
