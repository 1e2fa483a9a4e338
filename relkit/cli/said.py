"""What every command shares: exit codes, the options they have in common, and how they print."""

import json
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from relkit.units import printable

FINE: Final = 0
COULD_NOT_RUN: Final = 1
GUARDRAIL_BROKEN: Final = 3

Database = Annotated[
    Path | None, typer.Option("--database", "-d", help="DuckDB file; default relkit.duckdb here, else the demo week.")
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON instead of text.")]


def say(record: dict[str, Any], lines: list[str], *, as_json: bool) -> None:
    """Print a record as JSON, or its lines as text."""
    # JSON in ASCII: what a terminal would act on is escaped whoever reads it
    print(json.dumps(record, indent=1, sort_keys=True) if as_json else "\n".join(map(printable, lines)))


def plain(record: Any) -> dict[str, Any]:
    """Return the fields of a record by name."""
    return {name: getattr(record, name) for name in record.__dataclass_fields__}
