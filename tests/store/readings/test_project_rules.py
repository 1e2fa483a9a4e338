"""A rule of the project decides what counts as bad, not the errors page alone."""

from pathlib import Path

from workshop import PLAIN

from relkit.errors import load_rules
from relkit.period import period_of
from relkit.slo import Objective
from relkit.store import ingest_file, open_store, readings
from relkit.store.ingest.mapping import parse_mapping

LOG = "ts,status,ms\n2026-11-16T08:00:00Z,200,1\n2026-11-16T08:00:01Z,418,1\n2026-11-16T08:00:02Z,503,1\n"
RULE = {
    "id": "mine.gave_up",
    "kind": "CANCELLED",
    "when": {"status": 418},
    "examples": [{"status": 418}],
    "counterexamples": [{"status": 503}],
}


def test_minutes_follow_the_rules_the_store_was_opened_with(tmp_path: Path) -> None:
    """With the rule 418 means that the caller gave up: it leaves the denominator."""
    (tmp_path / "log.csv").write_text(LOG, encoding="utf-8")
    database, goal, week = (
        tmp_path / "r.duckdb",
        Objective("availability", "0.99", excluded=frozenset({"CANCELLED"})),
        period_of("2026-W47"),
    )
    with open_store(database, write=True) as store:
        ingest_file(store, tmp_path / "log.csv", parse_mapping(PLAIN))
    found = []
    for rules in (None, load_rules().with_rules(RULE)):
        with open_store(database, rules=rules) as store:
            counted = readings.minutes(store, week, goal)
            found.append((int(counted.good.sum()), int(counted.bad.sum()), int(counted.excluded.sum())))
    assert found == [(1, 2, 0), (1, 1, 1)]
