"""The demo week's database: made when absent, made anew when its generator changed."""

import hashlib
import json
import os
import tempfile
from pathlib import Path
from typing import Any

from relkit.batch import Batch
from relkit.exceptions import StoreError
from relkit.report.places import PACKAGE, demo_database
from relkit.simulation import demo_week
from relkit.store import open_store, sink_into
from relkit.store.classify import classify_new

SOURCE = "demo"


def ensure_demo() -> Path:
    """Return the demo database, making it when it is absent or was made by another generator.

    The known truth stands beside it as demo-truth.json.
    """
    path = demo_database()
    if path.is_file() and _maker_of(path) == _maker():
        return path
    make_demo(path)
    return path


def make_demo(path: Path) -> dict[str, Any]:
    """Make the demo week's database and its truth, in one step each; return the truth."""
    demo = demo_week()
    with tempfile.TemporaryDirectory(dir=path.parent, prefix=".demo-") as folder:
        fresh = Path(folder) / "demo.duckdb"
        with open_store(fresh, write=True) as store:
            with sink_into(store, SOURCE, _content(demo.batches)) as sink:
                for batch in demo.batches:
                    sink(batch)
            classify_new(store.connection)
            store.connection.execute("INSERT INTO meta VALUES ('demo_maker', ?)", [_maker()])
        truth = Path(folder) / "truth.json"
        truth.write_text(json.dumps(dict(demo.truth), indent=1, sort_keys=True) + "\n", encoding="utf-8")
        os.replace(truth, path.with_name("demo-truth.json"))  # noqa: PTH105  atomic, and says so
        os.replace(fresh, path)  # noqa: PTH105
    return dict(demo.truth)


def _content(batches: tuple[Batch, ...]) -> str:
    """Hash of the rows themselves, so that the data hash of the demo changes only with its data."""
    digest = hashlib.sha256()
    for batch in batches:
        for name, values in batch.columns.items():
            digest.update(f"{batch.table}.{name}\n".encode())
            digest.update("\n".join(map(str, values)).encode())
    return digest.hexdigest()


def _maker() -> str:
    """Hash of what decides the stored rows: the generator and the way rows land."""
    digest = hashlib.sha256()
    for folder, pattern in (
        ("simulation", "demo*"),
        ("store", "schema.sql"),
        ("store", "landing.py"),
        ("errors", "re*.py"),
    ):
        for path in sorted((PACKAGE / folder).glob(pattern)):
            if path.is_file():
                digest.update(path.read_bytes())
    return digest.hexdigest()


def _maker_of(path: Path) -> str | None:
    try:
        with open_store(path) as store:
            row = store.connection.execute("SELECT value FROM meta WHERE key = 'demo_maker'").fetchone()
    except StoreError:
        return None
    return str(row[0]) if row else None
