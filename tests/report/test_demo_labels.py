"""The demo week carries its own truth as labels, so the page can say how right the rules are."""

import json
from collections import Counter
from pathlib import Path

from relkit.period import period_of
from relkit.store import open_store, readings


def test_every_planted_error_is_labelled_and_labels_count_what_was_planted(demo_database: Path) -> None:
    truth = json.loads(demo_database.with_name("demo-truth.json").read_text(encoding="utf-8"))
    with open_store(demo_database) as store:
        counts, labels = readings.fingerprint_counts(store, period_of("all")), readings.labels(store)
    counted: Counter[str] = Counter()
    for row in counts.rows:
        counted[labels[row.fp].value] += row.failed_attempts
    assert dict(counted) == {kind: number for kind, number in truth["kinds"].items() if kind != "CACHE_MISS"}
