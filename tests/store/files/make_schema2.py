"""Make schema2.duckdb.gz: the database of make_schema1 as relkit wrote it at schema version 2, with a choice, kept for ever.

Ran once, with the relkit of that day. From the root of the project: `python tests/store/files/make_schema2.py`.
"""

import gzip
import tempfile
from pathlib import Path

from make_schema1 import fill

from relkit.batch import Batch
from relkit.store import tuning_sink
from relkit.store.migrate import SCHEMA_VERSION

SETTINGS = '[service."pybreaker"]\nbreaker = { preset = "pybreaker" }\n'


def main() -> None:
    if SCHEMA_VERSION != 2:
        raise SystemExit(f"this relkit writes schema {SCHEMA_VERSION}; the file of schema 2 stays as it is")
    with tempfile.TemporaryDirectory() as folder:
        database = Path(folder) / "log.duckdb"
        fill(database, "schema2")
        with tuning_sink(database) as sink:
            sink(Batch("choices", {
                "sweep_id": ["tune@0123456789abcdef"], "policy_hash": ["p"], "code": ["RECOMMENDED"], "sentence": ["Set this."],
                "ts": [1_794_816_000_000_000], "settings": [SETTINGS],
            }))  # fmt: skip
        content = database.read_bytes()
    Path(__file__).with_name("schema2.duckdb.gz").write_bytes(gzip.compress(content, 9, mtime=0))


if __name__ == "__main__":
    main()
