"""Redaction: lines and records a second, with the share of secrets found and of harmless lines altered."""

import re
import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path

from benchmarks.measure import Cost, Row, alone, in_turn, row_of
from benchmarks.secret_lines import Line, lines

SEED = 47
GOAL_LINES_PER_S = 75_000


def run(sizes: Sequence[int], _folder: Path, repeats: int) -> Iterator[Row]:
    """Take each candidate through the same lines; the baseline applies every pattern to every line."""
    for rows in sizes:
        works = [
            partial(alone, f"benchmarks.redact:{name}", rows)
            for name in ("plain_chain", "by_hints", "in_duckdb", "records")
        ]
        plain, ours, duck, deep = in_turn(repeats if rows <= 1_000_000 else 1, works)
        baseline = row_of("redact", "lines", rows, "every pattern", _timed(plain), ratio=1.0, note=_found(plain))
        yield row_of("redact", "lines", rows, "relkit redact_text", _timed(ours), over=baseline, note=_found(ours))
        yield row_of("redact", "lines", rows, "relkit in DuckDB", _timed(duck), over=baseline, note=_found(duck))
        yield baseline
        yield row_of("redact", "records", rows // 20, "relkit redact", _timed(deep), note="20 leaves each")


def plain_chain(rows: int) -> tuple[float, float, float]:
    """Apply every pattern to every line, without a look beforehand."""
    from relkit.errors.redact import NUMBERS, PATTERNS  # noqa: PLC0415

    compiled = [(re.compile(pattern.regex, re.ASCII), pattern.replacement) for pattern in (*PATTERNS, *NUMBERS)]

    def chain(text: str) -> str:
        for regex, replacement in compiled:
            text = regex.sub(replacement, text)
        return text

    return _judged(rows, lambda texts: list(map(chain, texts)))


def by_hints(rows: int) -> tuple[float, float, float]:
    """Redact each line as a running program does."""
    from relkit.errors import redact_text  # noqa: PLC0415

    return _judged(rows, lambda texts: list(map(redact_text, texts)))


def in_duckdb(rows: int) -> tuple[float, float, float]:
    """Redact the lines as an ingest does, on one thread."""
    import duckdb  # noqa: PLC0415

    from relkit.store.redaction_sql import redaction_sql  # noqa: PLC0415

    with duckdb.connect(config={"threads": "1"}) as connection:
        sql = f"SELECT {redaction_sql('t')} FROM (SELECT unnest($texts) AS t)"
        return _judged(rows, lambda texts: [row[0] for row in connection.execute(sql, {"texts": texts}).fetchall()])


def records(rows: int) -> tuple[float, float, float]:
    """Redact records of twenty leaves."""
    from relkit import redact  # noqa: PLC0415

    texts = [line.text for line in lines(rows, SEED)]
    numbers = {f"count_{n}": n for n in range(8)}
    nested = [
        {"user_id": n, **numbers, "calls": texts[n : n + 9], "headers": {"retry-after": "3", "cookie": "a"}}
        for n in range(0, rows, 20)
    ]
    return _cpu_of(lambda: [redact(record) for record in nested]), 0.0, 0.0


def _judged(rows: int, work: Callable[[list[str]], list[str]]) -> tuple[float, float, float]:
    """Return processor seconds, share of secrets found, and share of harmless lines altered."""
    drawn = lines(rows, SEED)
    texts = [line.text for line in drawn]
    clean: list[str] = []
    cpu_s = _cpu_of(lambda: clean.extend(work(texts)))
    pairs = list(zip(drawn, clean, strict=True))
    with_secret = [not _is_seen(line, text) for line, text in pairs if line.kind]
    harmless = [line.text != text for line, text in pairs if not line.kind]
    return cpu_s, sum(with_secret) / len(with_secret), sum(harmless) / len(harmless)


def _is_seen(line: Line, text: str) -> bool:
    return line.secret.split()[-1] in text


def _cpu_of(work: Callable[[], object]) -> float:
    start = time.process_time()
    work()
    return time.process_time() - start


def _timed(costs: Sequence[Cost]) -> list[Cost]:
    """Count the redaction alone, without drawing the lines."""
    return [Cost(cost.returned[0], cost.returned[0], cost.peak_mb, None) for cost in costs]


def _found(costs: Sequence[Cost]) -> str:
    _, recall, altered = costs[0].returned
    return f"recall {recall:.4f}, harmless altered {altered:.2%}"
