"""What people look at: figures, tables, and one module a page; nothing else knows matplotlib."""

from relkit.plates import (
    alerts,
    breakers,
    errors,
    evaluation,
    groups,
    page,
    retries,
    shadow,
    slo,
    storms,
    tuning,
    weekly,
)
from relkit.plates.plate import Plate, plate
from relkit.plates.table import Table

__all__ = [
    "Plate",
    "Table",
    "alerts",
    "breakers",
    "errors",
    "evaluation",
    "groups",
    "page",
    "plate",
    "retries",
    "shadow",
    "slo",
    "storms",
    "tuning",
    "weekly",
]
