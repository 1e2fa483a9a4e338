"""Points of the live classifier: recorded exceptions of real libraries, and error texts that nobody here wrote."""

import csv
import json
import re
from collections import Counter
from pathlib import Path

from .point import ROOT, TRACES, Found, Skipped, point

_AREAS = ("llm", "http", "cloud", "data", "local", "second", "third")
_FOLDS = 5
_FEW = 5


@point("errors", "real exceptions: kind, retry, waits, maybe executed")
def real_exceptions(folder: Path) -> Found:
    from relkit.errors.classifier import classify_links  # noqa: PLC0415
    from relkit.errors.reading.chain import Link  # noqa: PLC0415
    from relkit.errors.reading.evidence import Evidence  # noqa: PLC0415
    from tests.golden.errors.judge import Score, judged  # noqa: PLC0415

    score = Score()
    for area in _AREAS:
        for record in json.loads((ROOT / f"tests/golden/errors/{area}.json").read_text(encoding="utf-8")):
            chain = []
            for link in record["links"]:
                above = tuple(map(tuple, link["above"]))
                read = Evidence(
                    tuple(link["names"]), above, link["signals"], link["headers"], link["body"], link["text"]
                )
                chain.append(Link(read, link["branch"], link["explicit"]))
            score.count(judged(record["expected"], classify_links(chain)))
    holds = (
        score.kinds >= 0.92 * score.n
        and score.retries >= 0.95 * score.retries_asked
        and score.in_vain <= 3
        and score.waits == score.waits_told
        and score.waits_invented == 0
        and score.executed >= 0.95 * score.executed_asked
    )
    return Found(
        "kind >= 92 %, retry >= 95 %, at most 3 permanent errors retried, every wait read, maybe executed >= 95 %",
        f"{score}; in sample: before its mistakes were mended the second wave of 177 gave 93.8 %, 95.6 %, 5, 11/11, 95.9 %",
        holds,
    )


@point("errors", "the labelled corpus: accuracy with intervals, also without the rules a fold could have inspired")
def corpus(folder: Path) -> Found:
    from relkit.errors import ADVICE, ErrorKind, RuleSet, classify, load_rules, read_signals  # noqa: PLC0415
    from relkit.intervals import wilson  # noqa: PLC0415

    rows = _corpus()
    table = load_rules()
    usual = {kind for kind, n in Counter(row["expected_class"] for row in rows).items() if n >= _FEW}
    templates = {row["source"] + row["message"]: _template(read_signals(row).message or "") for row in rows}
    order = sorted(set(templates.values()))
    fold = {template: n % _FOLDS for n, template in enumerate(order)}
    fold_of = [fold[templates[row["source"] + row["message"]]] for row in rows]
    fires = [classify(row, table).rule for row in rows]

    def judged(row: dict[str, str], rules: RuleSet) -> tuple[bool, bool]:
        answer, wanted = classify(row, rules), ErrorKind(row["expected_class"])
        also = re.search(r"also ok: (.*)", row["note"])
        kinds = {wanted} | {kind for kind in ErrorKind if also and re.search(rf"\b{kind}\b", also[1])}
        return answer.kind is wanted, answer.retryable in {ADVICE[kind].retryable for kind in kinds}

    def without(number: int) -> RuleSet:
        """The table without the rules that fire in this fold and nowhere else: it may have been their reason."""
        elsewhere = {rule for rule, of in zip(fires, fold_of, strict=True) if of != number}
        here = {rule for rule, of in zip(fires, fold_of, strict=True) if of == number}
        kept = tuple(rule for rule in table.rules if rule.id not in here - elsewhere)
        return RuleSet(f"without fold {number}", f"fold{number}", kept)

    tables = [without(number) for number in range(_FOLDS)]
    inside = [judged(row, table) for row in rows]
    crossed = [judged(row, tables[number]) for row, number in zip(rows, fold_of, strict=True)]
    rare = [right for row, right in zip(rows, inside, strict=True) if row["expected_class"] not in usual]
    told = [
        row for row in rows if re.search(r"(try again in|retrydelay:?) ?[0-9.]+ ?m?s", row["message"], re.IGNORECASE)
    ]
    told += [row for row in rows if "retry-after" in row["headers_json"]]
    waits = sum(classify(row).retry_after_s is not None for row in told)

    def share(hits: list[bool]) -> str:
        low, high = wilson(sum(hits), len(hits), 0.95)
        return f"{sum(hits)}/{len(hits)} = {sum(hits) / len(hits):.1%} ({low:.1%} to {high:.1%})"

    strict, decided = [hit for hit, _ in inside], [hit for _, hit in inside]
    return Found(
        "strict and retry accuracy and waits, Wilson 95 %; at least 85 % and 90 % in sample",
        f"in sample: strict {share(strict)}, retry {share(decided)}, waits {waits}/{len(told)}; folds of {len(order)} templates, each without "
        f"the rules that fire in it alone: strict {share([hit for hit, _ in crossed])}, retry {share([hit for _, hit in crossed])}; "
        f"kinds with fewer than {_FEW} rows: strict {share([hit for hit, _ in rare])}",
        sum(strict) >= 0.85 * len(rows) and sum(decided) >= 0.90 * len(rows) and waits == len(told),
    )


def _corpus() -> list[dict[str, str]]:
    path = TRACES / "error-corpus-dev.csv"
    if not path.is_file():
        raise Skipped("the trace error-corpus-dev.csv does not lie beside the project")
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def _template(message: str) -> str:
    """What stays of a message without names: its first words."""
    return " ".join(re.findall(r"[a-z]{3,}", message.lower())[:6])
