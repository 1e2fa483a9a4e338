"""Latencies of shadow pairs, counted by bucket of whole sessions and by bin of their logarithm."""

from collections.abc import Mapping
from typing import Any, Final

import numpy as np

from relkit.shadow.study import ARM_PER_DOUBLING, BUCKETS, PER_DOUBLING, Binned, Ints
from relkit.store.open import Store
from relkit.store.readings.columns import int_columns

# A pair without a session is a session of its own.
KEY: Final = "hash(coalesce(session_id, pair_id))"
BUCKET: Final = f"({KEY} % {BUCKETS})"
# Latencies are compared where both arms answered; a timeout is a failure and no latency.
TIMED: Final = "(answered AND primary_latency_us > 0 AND shadow_latency_us > 0)"
RATIO_BIN: Final = f"round(log2(shadow_latency_us / primary_latency_us) * {PER_DOUBLING})::INTEGER"
_ARM_BIN: Final = f"floor(log2({{arm}}_latency_us) * {ARM_PER_DOUBLING})::INTEGER"
_KINDS: Final = {
    "r": (PER_DOUBLING, RATIO_BIN),
    "p": (ARM_PER_DOUBLING, _ARM_BIN.format(arm="primary")),
    "s": (ARM_PER_DOUBLING, _ARM_BIN.format(arm="shadow")),
}
_COUNTER_BITS: Final = 24  # buckets take 10, bins of a latency 14 at most


def latency_bins(store: Store, pairs: str, bound: list[Any]) -> tuple[Binned, Binned, Binned]:
    """Count ratios, the primary's latencies and the shadow's: the bins laid down in one pass, then counted three times.

    Parameters
    ----------
    store : Store
        Open database.
    pairs : str
        Subquery of the pairs, with `answered`.
    bound : list
        Its values.
    """
    run = store.connection.execute
    bins = listed({name: sql for name, (_, sql) in _KINDS.items()})
    run(
        f"CREATE OR REPLACE TEMP TABLE timed AS SELECT {BUCKET}::INTEGER AS bucket, {bins} FROM {pairs} WHERE {TIMED}",
        bound,
    )
    # Ranges of stored columns are known, so an array of counters can stand for a hash table, in a third of the time.
    # For these three alone: with computed columns or grouping sets it takes all memory there is.
    run(f"SET perfect_ht_threshold = {_COUNTER_BITS}")
    try:
        ratios, primary, shadow = (
            _binned(
                per_doubling,
                int_columns(
                    store, f"SELECT bucket, {name} AS bin, count(*) AS times FROM timed GROUP BY bucket, bin", []
                ),
            )
            for name, (per_doubling, _) in _KINDS.items()
        )
    finally:
        run("RESET perfect_ht_threshold")
        run("DROP TABLE timed")
    return ratios, primary, shadow


def unmirrored_bins(store: Store, rows: str, bound: list[Any]) -> Binned:
    """Count the primary's latencies where nothing was mirrored."""
    found = int_columns(
        store,
        f"SELECT {BUCKET} AS bucket, {_ARM_BIN.format(arm='primary')} AS bin, count(*) AS times FROM {rows} "
        "WHERE state = 'eligible' AND primary_latency_us > 0 GROUP BY bucket, bin",
        bound,
    )
    return _binned(ARM_PER_DOUBLING, found)


def listed(columns: Mapping[str, str]) -> str:
    """Write columns for a SELECT, each with its name."""
    return ", ".join(f"{sql} AS {name}" for name, sql in columns.items())


def _binned(per_doubling: int, found: dict[str, Ints]) -> Binned:
    """Lay rows of (bucket, bin, times) out as one array."""
    if not found["bin"].size:
        return Binned(per_doubling, 0, np.zeros((BUCKETS, 0), dtype=np.int64))
    first, last = int(found["bin"].min()), int(found["bin"].max())
    times = np.zeros((BUCKETS, last - first + 1), dtype=np.int64)
    times[found["bucket"], found["bin"] - first] = found["times"]
    return Binned(per_doubling, first, times)
