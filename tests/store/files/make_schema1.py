"""Make schema1.duckdb.gz: a small database as relkit wrote it at schema version 1, kept for ever.

Ran once, with the relkit of that day; a later one would write its own schema. From the root of the project:
`python tests/store/files/make_schema1.py`.
"""

import gzip
import tempfile
from pathlib import Path

from relkit.batch import Batch
from relkit.store import ingest_file, open_store, sink_into
from relkit.store.classify import classify_new
from relkit.store.ingest.mapping import parse_mapping
from relkit.store.migrate import SCHEMA_VERSION

MAPPING = """
kind = "attempts"
source = "web"
[time]
column = "ts"
[columns]
status = "status"
latency_us = { column = "ms", unit = "ms" }
message = "message"
service = "service"
"""
LOG = """ts,status,ms,message,service
2026-11-16T08:00:00Z,200,120,,chat
2026-11-16T08:00:20Z,503,80,upstream overloaded,chat
2026-11-16T08:01:10Z,200,95,,search
2026-11-16T08:02:00Z,0,5,,chat
2026-11-16T08:03:00Z,429,3,rate limit,chat
"""


def fill(database: Path, name: str) -> None:
    """Write the rows; the pairs are read from a source of this name."""
    log = database.with_name("log.csv")
    log.write_text(LOG, encoding="utf-8")
    with open_store(database, write=True) as store:
        ingest_file(store, log, parse_mapping(MAPPING))
        with sink_into(store, "pairs", name) as sink:
            sink(Batch("pairs", {
                "pair_id": ["a", "b", "c"], "experiment": ["x"] * 3, "ts": [1_794_816_000_000_000] * 3, "state": ["compared"] * 3,
                "primary_ok": [True, True, False], "shadow_ok": [True, False, None],
            }))  # fmt: skip
            sink(Batch("probes", {"ts": [1_794_816_000_000_000], "service": ["chat"], "up": [True]}))
        classify_new(store.connection)


def main() -> None:
    if SCHEMA_VERSION != 1:
        raise SystemExit(f"this relkit writes schema {SCHEMA_VERSION}; the file of schema 1 stays as it is")
    with tempfile.TemporaryDirectory() as folder:
        database = Path(folder) / "log.duckdb"
        fill(database, "schema1")
        content = database.read_bytes()
    place = Path(__file__).with_name("schema1.duckdb.gz")
    place.write_bytes(gzip.compress(content, 9, mtime=0))


if __name__ == "__main__":
    main()
