"""Counts on a grid of minutes that grows at its end: what is over is counted once and kept."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from relkit.errors import GOOD_KINDS
from relkit.period import Period
from relkit.slo import Minutes, Objective, covered_minutes
from relkit.store import Store
from relkit.store.readings.requests import CELLS, minute_counts
from relkit.store.readings.standing import rows_by_minute
from relkit.units import MINUTES_PER_DAY, US_PER_MINUTE

Ints = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class Grid:
    """Counts of clock minutes, by name.

    Parameters
    ----------
    start_minute : int
        First minute, since 1970 UTC.
    columns : mapping of str to integer array
        Counts, all of one length.
    """

    start_minute: int
    columns: Mapping[str, Ints]

    def __len__(self) -> int:
        return len(next(iter(self.columns.values())))

    @property
    def end_minute(self) -> int:
        """Return the first minute after the grid."""
        return self.start_minute + len(self)

    def part(self, start: int, end: int) -> "Grid":
        """Return the minutes of a stretch that lie on the grid; at least none."""
        low = min(max(start, self.start_minute), self.end_minute)
        high = max(low, min(end, self.end_minute))
        cut = slice(low - self.start_minute, high - self.start_minute)
        return Grid(low, {name: counts[cut] for name, counts in self.columns.items()})

    def then(self, later: "Grid") -> "Grid":
        """Return this grid and the one that begins where it ends; of an empty one, the later alone."""
        if not len(self):
            return later
        return Grid(
            self.start_minute,
            {name: np.concatenate((counts, later.columns[name])) for name, counts in self.columns.items()},
        )

    def over(self, start: int, end: int) -> "Grid":
        """Return the grid of exactly a stretch; minutes that were not counted hold nothing."""
        inner = self.part(start, end)
        before = min(max(inner.start_minute - start, 0), end - start)
        after = (end - start) - before - len(inner)
        return Grid(start, {name: np.pad(counts, (before, after)) for name, counts in inner.columns.items()})


def counted(store: Store, objectives: tuple[Objective, ...], start_us: int, end_us: int) -> Grid:
    """Count a stretch for every objective, within `requests_between` of it.

    Parameters
    ----------
    store : Store
        Open database.
    objectives : tuple of Objective
        What is counted: of each the four outcomes, and the rows of its service by which coverage is told.
    start_us, end_us : int
        The stretch, microseconds since 1970 UTC; it begins on a whole minute.
    """
    first, beyond = start_us // US_PER_MINUTE, -(-end_us // US_PER_MINUTE)
    period = Period("", start_us, end_us)
    columns: dict[str, Ints] = {}
    for objective in objectives:
        cells = minute_counts(store, period, objective, GOOD_KINDS)
        for cell in CELLS:
            columns[f"{objective.name} {cell}"] = _placed(cells["minute"] - first, cells[cell], beyond - first)
    for service in dict.fromkeys(objective.service for objective in objectives):
        minutes, rows = rows_by_minute(store, start_us, end_us, service)
        columns[_rows(service)] = _placed(np.array(minutes, dtype=np.int64) - first, np.array(rows), beyond - first)
    return Grid(first, columns)


def minutes_of(grid: Grid, objective: Objective, start: int, end: int) -> Minutes:
    """Give the minutes of an objective over a stretch, coverage told by the log's rhythm from a day before it."""
    reach = grid.over(start - MINUTES_PER_DAY, end)
    rows = reach.columns[_rows(objective.service)]
    there = np.flatnonzero(rows)
    covered = covered_minutes(there + reach.start_minute, start, end, rows[there])
    inner = grid.over(start, end).columns
    good, bad, excluded, unknown = (inner[f"{objective.name} {cell}"] for cell in CELLS)
    return Minutes(start, good, bad, excluded, unknown, covered | (good + bad + excluded + unknown > 0))


def _rows(service: str | None) -> str:
    return "rows" if service is None else f"rows of {service}"


def _placed(places: Ints, counts: Ints, size: int) -> Ints:
    column = np.zeros(size, dtype=np.int64)
    column[places] = counts
    return column
