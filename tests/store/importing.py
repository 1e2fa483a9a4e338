"""What the tests of importers share: a log written, read as it is recognised, and its rows told."""

from typing import Any

from workshop import Workshop

from relkit.store import Ingested, ingest_file
from relkit.store.classify import classify_new
from relkit.store.ingest.importers.packaged import recognised
from relkit.store.ingest.mapping import Mapping, parse_mapping


def read(workshop: Workshop, content: str | bytes, name: str, mapping: Mapping | str | None = None) -> Ingested:
    """Write a log and read it: by what recognises it, or by a mapping."""
    path = workshop.write(content, name)
    chosen = parse_mapping(mapping) if isinstance(mapping, str) else mapping or recognised(path)
    assert chosen is not None, "the log is not recognised"
    outcome = ingest_file(workshop.store, path, chosen)
    assert outcome.read == outcome.kept + outcome.rejected + outcome.already_there
    classify_new(workshop.store.connection)
    return outcome


def told(workshop: Workshop, *columns: str) -> list[tuple[Any, ...]]:
    """Columns of the attempts, in the order of start and number; `kind` is the classifier's word."""
    kinds = "(SELECT a.*, kind FROM attempts AS a LEFT JOIN classifications USING (fp))"
    return workshop.rows(f"SELECT {', '.join(columns)} FROM {kinds} ORDER BY request_id, attempt, ts")
