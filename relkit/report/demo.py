"""The demo week's database: made when absent, made anew when its generator changed."""

import hashlib
import json
import os
from pathlib import Path
from typing import Any, Final

from relkit.batch import Batch
from relkit.errors import SIGNAL_FIELDS, ErrorKind, Label, fingerprint, read_signals
from relkit.exceptions import ReportError
from relkit.report.places import PACKAGE, demo_database, project_folder
from relkit.scratch import leased_folder
from relkit.simulation import Demo, demo_week
from relkit.simulation.flips import flip_batch, flip_truth
from relkit.store import add_labels, open_store, sink_into
from relkit.store.classify import classify_new

SOURCE: Final = "demo"
NAME: Final = "demo.duckdb"
TRUTH: Final = "demo-truth.json"


def ensure_demo() -> Path:
    """Return the demo database, making it when it is absent or was made by another generator.

    The known truth stands beside it as demo-truth.json.
    """
    maker = _maker()
    beside = project_folder() / "data" / NAME  # may be good though nothing can be written there
    for path in dict.fromkeys((beside, demo_database())):
        if _maker_of(path) == maker:
            return path
    _write(path)
    return path


def make_demo(path: Path) -> dict[str, Any]:
    """Make the demo week's database and its truth, in one step each; return the truth.

    Raises
    ------
    ReportError
        The folder cannot be written, or the file holds something else than a demo.
    """
    if path.exists() and path != demo_database() and _maker_of(path) is None:
        raise ReportError(f"{path}: exists and is no demo database; name another file, this one was left alone")
    return _write(path)


def _write(path: Path) -> dict[str, Any]:
    demo = demo_week()
    flips = flip_batch(demo.truth["start_us"])
    try:
        with leased_folder(path.parent, ".demo-") as folder:
            fresh = folder / NAME
            with open_store(fresh, write=True) as store:
                with sink_into(store, SOURCE, _content((*demo.batches, flips))) as sink:
                    for batch in (*demo.batches, flips):
                        sink(batch)
                classify_new(store.connection)
                add_labels(store, _true_labels(demo))
            truth = folder / TRUTH
            record = {**demo.truth, "flips": flip_truth(), "database": path.name, "maker": _maker()}
            truth.write_text(json.dumps(record, indent=1, sort_keys=True) + "\n", encoding="utf-8")
            os.replace(fresh, path)  # noqa: PTH105  atomic, and says so
            os.replace(truth, path.with_name(TRUTH))  # noqa: PTH105  last: it says that the database is good
    except OSError as error:
        raise ReportError(
            f"{path}: the demo week cannot be written ({error.strerror or error}); name another file with --database"
        ) from None
    return dict(demo.truth)


def _true_labels(demo: Demo) -> list[Label]:
    """Label each distinct error with the kind it was made as, when the week ends."""
    attempts = demo.batches[0].columns
    names = [name for name in SIGNAL_FIELDS if name in attempts]
    rows = zip(*(attempts[name] for name in names), demo.true_kinds, strict=True)
    kinds = {
        fingerprint(read_signals(dict(zip(names, row, strict=False)))): row[-1] for row in rows if row[-1] is not None
    }
    return [Label(fp, ErrorKind(kind), "the demo's maker", demo.truth["end_us"]) for fp, kind in sorted(kinds.items())]


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
        ("simulation", "flips.py"),
        ("simulation", "pairs.py"),
        ("store", "schema.sql"),
        ("store", "landing.py"),
        ("store", "redaction_sql.py"),
        ("errors/redact", "*.py"),
        ("errors", "signals.py"),
        ("report", "demo.py"),
    ):
        for path in sorted((PACKAGE / folder).glob(pattern)):
            if path.is_file():
                digest.update(path.read_bytes())
    return digest.hexdigest()


def _maker_of(path: Path) -> str | None:
    """Read who made a demo database; None when there is none, or the truth beside it is about another file."""
    try:
        truth = json.loads(path.with_name(TRUTH).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    is_its = isinstance(truth, dict) and truth.get("database") == path.name and path.is_file()
    return str(truth.get("maker")) if is_its else None
