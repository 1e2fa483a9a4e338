"""What we remember: a DuckDB file, and nothing else knows it."""

from relkit.store.ingest.load import Ingested, ingest_file
from relkit.store.labels import add_labels, import_labels, label_error
from relkit.store.open import Store, open_store
from relkit.store.sinks import sink_into

__all__ = ["Ingested", "Store", "add_labels", "import_labels", "ingest_file", "label_error", "open_store", "sink_into"]
