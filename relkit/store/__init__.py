"""What we remember: a DuckDB file, and nothing else knows it."""

from relkit.store.ingest.load import Ingested, ingest_file
from relkit.store.labels import add_labels, import_labels, label_error
from relkit.store.open import Store, open_store
from relkit.store.sinks import sink_into
from relkit.store.tuning import forget_sweep, known_runs, last_choice, tuning_sink

__all__ = [
    "Ingested",
    "Store",
    "add_labels",
    "forget_sweep",
    "import_labels",
    "ingest_file",
    "known_runs",
    "label_error",
    "last_choice",
    "open_store",
    "sink_into",
    "tuning_sink",
]
