"""What we remember: a DuckDB file, and nothing else knows it."""

from relkit.store.ingest.load import Ingested, ingest_file
from relkit.store.open import Store, open_store
from relkit.store.sinks import sink_into

__all__ = ["Ingested", "Store", "ingest_file", "open_store", "sink_into"]
