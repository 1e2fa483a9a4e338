"""All numbers of a shadow report from a week of pairs: relkit's reading beside pandas on the same rows in memory."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

from benchmarks.measure import Row, alone, in_turn, row_of

SECONDS: Final = 10.0
PEAK_MB: Final = 2_000.0
_LARGEST_PLAIN: Final = 2_000_000
_PAIRS: Final = """
INSERT INTO pairs SELECT 'x' || i, 1794787200000000 + (i::HUGEINT * 604800000000 // {n})::BIGINT, 'big', NULL, 's' || (i // 6), 1 + i % 6,
['en', 'de', 'es'][1 + (hash(i // 6) % 3)::INT], 'a', ['book', 'continue', 'clarify', 'escalate'][1 + (hash(i + 1) % 4)::INT],
hash(i * 3) % 100 < 92, 300000 + (hash(i + 5) % 700000)::BIGINT, 100 + (hash(i + 6) % 50)::BIGINT, NULL, 'b',
['book', 'continue', 'clarify', 'escalate'][1 + (hash(i + 1 + (i % 9 = 0)::INT) % 4)::INT],
CASE WHEN hash(i * 7) % 200 > 0 THEN (hash(i * 3) % 100 < 92) <> (hash(i + 9) % 100 < 3) END,
330000 + (hash(i + 5) % 700000)::BIGINT + (hash(i + 8) % 100000)::BIGINT, 120 + (hash(i + 7) % 50)::BIGINT, NULL,
CASE WHEN hash(i * 7) % 200 = 0 THEN 'mirrored' ELSE 'compared' END, i % 9 = 0, CASE WHEN hash(i + 4) % 5 = 0 THEN hash(i + 3) % 100 < 4 END,
hash(i + 11) % 2 = 0, 1, 'bench', 1, i FROM range({n}) t(i)
"""


def run(sizes: Sequence[int], folder: Path, repeats: int) -> Iterator[Row]:
    """Read each size once for every repeat; above two million pairs relkit alone, where a table in memory would not fit."""
    for size in sizes:
        database = folder / f"pairs-{size}.duckdb"
        alone("benchmarks.shadow:make", str(database), size)
        times = repeats if size <= 1_000_000 else 1
        works = [lambda: alone("benchmarks.shadow:ours", str(database))]  # noqa: B023  run before the next size
        if size <= _LARGEST_PLAIN:
            works.append(lambda: alone("benchmarks.shadow:plain", str(database)))  # noqa: B023
        mine, *others = in_turn(times, works)
        row = row_of("shadow", "all report numbers", size, "relkit", mine, note=_kept(mine))
        if others:
            base = row_of("shadow", "all report numbers", size, "pandas", others[0], note="2x2, sessions, ratios alone")
            yield row_of("shadow", "all report numbers", size, "relkit", mine, over=base, note=_kept(mine))
            yield base
        else:
            yield row
        database.unlink()


def _kept(costs: Sequence[Any]) -> str:
    wall, peak = min(cost.wall_s for cost in costs), max(cost.peak_mb for cost in costs)
    kept = wall <= SECONDS and peak <= PEAK_MB
    return f"goal {SECONDS:.0f} s and {PEAK_MB:.0f} MB {'kept' if kept else 'MISSED'}"


def make(database: str, number: int) -> None:
    """Write a week of pairs in chats of six turns."""
    from relkit.store import open_store  # noqa: PLC0415  each process pays for its own

    with open_store(database, write=True, threads=2) as store:
        store.connection.execute(_PAIRS.format(n=number))
        store.connection.execute("CHECKPOINT")


def ours(database: str) -> int:
    """Read everything the page shows."""
    from relkit.period import period_of  # noqa: PLC0415
    from relkit.store import open_store, readings  # noqa: PLC0415

    with open_store(database, threads=2) as store:
        found = readings.study(store, period_of("2026-W47"), "big", quiet_flags=("timeout",))
    return found.experiment.counts.n


def plain(database: str) -> int:
    """What a user would write: the rows in memory, grouped by session, and the quantiles of the ratios."""
    import duckdb  # noqa: PLC0415
    import numpy as np  # noqa: PLC0415

    with duckdb.connect(database, read_only=True, config={"threads": "2"}) as connection:
        rows = connection.execute("SELECT * FROM pairs WHERE experiment = 'big'").df()
    for arm, name in (("p", "primary_ok"), ("s", "shadow_ok")):
        rows[arm] = rows[name].astype(object).eq(True)
    rows["d"] = rows.s.astype(int) - rows.p.astype(int)
    table = rows.groupby("session_id").d.agg(["sum", "count"])
    (table["sum"] ** 2).sum()
    rows.groupby(["segment", "p", "s"]).size()
    rows.groupby(["primary_action", "shadow_action"]).size()
    rows.groupby(rows.ts // 3_600_000_000).d.agg(["sum", "count"])
    rows.duplicated("pair_id").sum()
    np.quantile(np.log(rows.shadow_latency_us / rows.primary_latency_us), [0.05, 0.5, 0.95])
    return len(rows)
