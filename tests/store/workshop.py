"""A workshop for the tests of the store: small logs, mappings, one database, and what stands in it."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from relkit.store import Ingested, Store, ingest_file
from relkit.store.ingest.mapping import Mapping, parse_mapping

TRACES = Path(__file__).parents[3] / "shared" / "traces"
PLAIN = """
kind = "attempts"
source = "web"
[time]
column = "ts"
[columns]
status = "status"
latency_us = { column = "ms", unit = "ms" }
"""
TABLES = ("attempts", "pairs", "samples", "probes", "faults")


@dataclass
class Workshop:
    """One database and the folder its logs lie in."""

    folder: Path
    store: Store
    mapping: Mapping = field(default_factory=lambda: parse_mapping(PLAIN))

    def write(self, content: str | bytes, name: str = "log.csv") -> Path:
        path = self.folder / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    def ingest(self, content: str | bytes | None = None, toml: str | None = None, name: str = "log.csv") -> Ingested:
        if content is not None:
            self.write(content, name)
        outcome = ingest_file(self.store, self.folder / name, parse_mapping(toml) if toml else self.mapping)
        assert outcome.read == outcome.kept + outcome.rejected + outcome.already_there
        assert min(outcome.read, outcome.kept, outcome.rejected, outcome.already_there, outcome.left_out) >= 0
        return outcome

    def rows(self, sql: str, *values: Any) -> list[tuple[Any, ...]]:
        return self.store.connection.execute(sql, list(values)).fetchall()

    def column(self, sql: str, *values: Any) -> list[Any]:
        return [row[0] for row in self.rows(sql, *values)]

    def rejects(self) -> list[tuple[int, str, str]]:
        return self.rows("SELECT line, reason, raw FROM rejects ORDER BY line, reason")

    def content(self) -> dict[str, list[tuple[Any, ...]]]:
        """Everything stored but the ledger, sorted: what two ways of reading a log must agree on."""
        found = {table: self.rows(f"SELECT * EXCLUDE (ingest_id) FROM {table} ORDER BY ALL") for table in TABLES}
        found["fingerprints"] = self.rows("SELECT * FROM fingerprints ORDER BY ALL")
        found["rejects"] = self.rows("SELECT reason, raw FROM rejects ORDER BY ALL")
        return found

    def is_empty(self) -> bool:
        return not any(
            self.rows(f"SELECT 1 FROM {table} LIMIT 1") for table in (*TABLES, "fingerprints", "rejects", "ingests")
        )
