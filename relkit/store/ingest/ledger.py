"""The ledger: which content of which log was read before, and how far."""

from dataclasses import dataclass

from duckdb import DuckDBPyConnection

from relkit.store.ingest.files import Digest


@dataclass(frozen=True, slots=True)
class Entry:
    """One reading of a file; `lineage` is shared by all readings of a file that grew.

    Parameters
    ----------
    ingest_id, lineage : int
        This reading, and the first one of the same file.
    overlaps : bool
        Whether the file shares rows with another one of its source.
    bytes, sha256
        Of the content as it was.
    lines : int
        Lines that are settled: the last one may have been cut off then, and is looked at again.
    records : int
        Records that could be split into cells.
    tail_hash : int or None
        line_hash of a last record whose line had no end yet.
    mapping_sha256 : str
        The mapping it was read with.
    read, left_out : int
        Rows in that content, and lines its mapping leaves out.
    """

    ingest_id: int
    lineage: int
    overlaps: bool
    bytes: int
    sha256: str
    lines: int
    records: int
    tail_hash: int | None
    mapping_sha256: str
    read: int
    left_out: int

    @property
    def settled_records(self) -> int:
        """Records that will not change any more."""
        return self.records - (self.tail_hash is not None)


def entries_of(connection: DuckDBPyConnection, source: str) -> list[Entry]:
    """Return the readings of a source, newest first."""
    rows = connection.execute(
        "SELECT ingest_id, lineage, is_overlap, bytes, sha256, lines, records, tail_hash, mapping_sha256, read_rows, left_out_rows "
        "FROM ingests WHERE source = ? AND kind <> 'sink' ORDER BY ingest_id DESC",
        [source],
    ).fetchall()
    return [Entry(*row) for row in rows]


def same_content(entries: list[Entry], content: Digest) -> Entry | None:
    """Find the reading of exactly this content, under whatever name."""
    return next((entry for entry in entries if (entry.bytes, entry.sha256) == (content.bytes, content.sha256)), None)


def grown_from(entries: list[Entry], content: Digest) -> Entry | None:
    """Find the file that this one is, grown since.

    Only the newest reading of each file counts: a log that begins like an early state of another one, and not like
    what became of it, is a log of its own (rotation within a burst of equal lines).
    """
    newest: dict[int, Entry] = {}
    for entry in entries:
        newest.setdefault(entry.lineage, entry)
    grown = [entry for entry in newest.values() if content.prefixes.get(entry.bytes) == entry.sha256]
    return max(grown, key=lambda entry: entry.bytes, default=None)
