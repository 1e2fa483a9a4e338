"""What people look at: figures, tables, and one module a page; nothing else knows matplotlib."""

from importlib import import_module
from typing import Any, Final

from relkit.plates import alerts, errors, evaluation, groups, page, retries, shadow, slo, storms, weekly
from relkit.plates.plate import Plate, plate
from relkit.plates.table import Table

_OF_SIMULATIONS: Final = frozenset(
    {"breakers", "calendar", "explorer", "replay", "timeline", "trial", "tuning"}
)  # loaded when used: they load the compiler

__all__ = [
    "Plate",
    "Table",
    "alerts",
    "errors",
    "evaluation",
    "groups",
    "page",
    "plate",
    "retries",
    "shadow",
    "slo",
    "storms",
    "weekly",
]


def __getattr__(name: str) -> Any:
    if name in _OF_SIMULATIONS:
        return import_module(f"relkit.plates.{name}")
    raise AttributeError(f"module 'relkit.plates' has no attribute {name!r}")
