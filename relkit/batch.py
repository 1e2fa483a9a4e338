"""Rows on their way to a table: what producers hand to a sink.

Rooms that produce rows (the demo, later the simulator, sweeps and the journal) take `sink: Sink` and know no database;
the store offers sinks. Columns are sequences of one length, named as the columns of DESIGN 2 (integers in
microseconds, counts and millionths of a dollar).
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias


@dataclass(frozen=True, slots=True)
class Batch:
    """Rows of one table.

    Parameters
    ----------
    table : str
        Name of the table the rows belong to.
    columns : mapping of str to sequence
        Column name to values, all of one length.

    Examples
    --------
    >>> len(Batch("faults", {"ts_start": [0], "label": ["outage"]}))
    1
    """

    table: str
    columns: Mapping[str, Sequence[Any]]

    def __len__(self) -> int:
        return len(next(iter(self.columns.values()), ()))


Sink: TypeAlias = Callable[[Batch], None]
