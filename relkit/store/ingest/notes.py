"""What a reader should hear about a file that was read all the same."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

from duckdb import DuckDBPyConnection

from relkit.store.ingest.mapping import EPOCHS, Mapping
from relkit.store.ingest.rejects import REJECTS_KEPT
from relkit.units import US_PER_SECOND, several

_HOUR_US = 3600 * US_PER_SECOND


def notes_on(
    connection: DuckDBPyConnection, mapping: Mapping, unseen: list[str], rejected: int, *, has_clock: bool
) -> tuple[str, ...]:
    """Say what may have been meant otherwise.

    Parameters
    ----------
    connection : DuckDBPyConnection
        Holds `staged`.
    mapping : Mapping
        What the file was read with.
    unseen : list of str
        JSON keys that stand in no line.
    rejected : int
        New rejects.
    has_clock : bool
        Whether `staged` has a column ts.
    """
    notes = [f"no line has the key {key!r}, which {mapping.name} asks for" for key in unseen]
    if rejected > REJECTS_KEPT:
        notes.append(f"of {rejected} rejects the first {REJECTS_KEPT} are kept, and told by reason")
    if has_clock and mapping.time and mapping.time.zone and mapping.time.format not in EPOCHS:
        notes += _twice_shown(connection, mapping.time.zone)
    return tuple(notes)


def _twice_shown(connection: DuckDBPyConnection, zone: str) -> list[str]:
    """Count the rows in hours that the clock of a zone shows twice, when it is set back."""
    row = connection.execute("SELECT min(ts), max(ts) FROM staged WHERE fresh").fetchone()
    if row is None or row[0] is None:
        return []
    notes = []
    for at_us, width_us in set_back(zone, row[0], row[1]):
        low, high = at_us - width_us, at_us + width_us
        found = connection.execute("SELECT count(*) FROM staged WHERE fresh AND ts >= ? AND ts < ?", [low, high])
        number = (found.fetchone() or (0,))[0]
        if number:
            day = datetime.fromtimestamp(low // US_PER_SECOND, ZoneInfo(zone))
            notes.append(
                f"{several(number, 'row')} in the hour from {day:%Y-%m-%d %H:%M} that the clock of {zone} shows twice; "
                "stamps without an offset are taken for the second time"
            )
    return notes


def set_back(zone: str, first_us: int, last_us: int) -> list[tuple[int, int]]:
    """Find when the clock of a zone is set back between two moments, and by how much, in microseconds.

    >>> set_back("Europe/Berlin", 1_790_000_000_000_000, 1_800_000_000_000_000)
    [(1792890000000000, 3600000000)]
    """
    clock = ZoneInfo(zone)

    def offset_us(hour: int) -> int:
        offset = datetime.fromtimestamp(hour * 3600, UTC).astimezone(clock).utcoffset() or timedelta()
        return offset // timedelta(microseconds=1)

    first, last = first_us // _HOUR_US - 1, last_us // _HOUR_US + 2
    found = []
    for day, next_day in pairwise([*range(first, last, 24), last]):
        if offset_us(next_day) < offset_us(day):
            hour = next(hour for hour in range(day, next_day) if offset_us(hour + 1) < offset_us(hour))
            found.append(((hour + 1) * _HOUR_US, offset_us(hour) - offset_us(hour + 1)))
    return found
