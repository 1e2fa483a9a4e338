"""Log files as they lie on disk: packed or plain, their digest, their header.

A file is known by its uncompressed content, not by its name: rotation renames, gzip packs, the content stays.
"""

import csv
import gzip
import hashlib
import io
import json
import re
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Final, Literal, cast

import zstandard

from relkit.exceptions import DataError

Format = Literal["csv", "jsonl", "parquet", "text"]
CHUNK: Final = 1 << 20
PACKED: Final = {".gz": "gzip", ".zst": "zstd", ".gzip": "gzip", ".zstd": "zstd"}
DELIMITERS: Final = (",", "\t", ";", "|")
ENDINGS: Final[dict[str, Format]] = {
    ".csv": "csv",
    ".tsv": "csv",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".json": "jsonl",
    ".parquet": "parquet",
    ".pq": "parquet",
}
_UNPACK: Final = "unpack it, or pack it with gzip or zstd"
_FIRST_BYTES: Final = {
    b"\xff\xfe": "UTF-16 text; save it as UTF-8",
    b"\xfe\xff": "UTF-16 text; save it as UTF-8",
    b"\x1f\x8b": "packed with gzip; give its name the ending .gz",
    b"\x28\xb5\x2f\xfd": "packed with zstd; give its name the ending .zst",
    b"BZh": f"packed with bzip2, which is not read; {_UNPACK}",
    b"\xfd7zXZ": f"packed with xz, which is not read; {_UNPACK}",
    b"PK\x03\x04": f"a zip archive or a spreadsheet, which is not read; {_UNPACK}, or save it as CSV",
    b"PAR1": "Parquet; give its name the ending .parquet",
    b"SQLite format 3": "an SQLite database; write the table out as CSV",
}
_COMBINED: Final = re.compile(rb'\S+ \S+ [^\[\n]{1,80} ?\[\d{1,2}/[A-Z][a-z]{2}/\d{4}:\d\d:\d\d:\d\d [+-]\d{4}\] "')


@dataclass(frozen=True, slots=True)
class LogFile:
    """A log file and what its name and first lines tell.

    Parameters
    ----------
    path : Path
        Where it lies.
    format : "csv" | "jsonl" | "parquet" | "text"
        How rows are written; text: in lines that an importer takes apart.
    packing : "none" | "gzip" | "zstd"
        How the bytes are packed.
    delimiter : str
        Between the cells of a CSV line; empty for other formats.
    columns : tuple of str
        Header cells, or the keys seen in the first lines (dotted where nested).
    """

    path: Path
    format: Format
    packing: str
    delimiter: str
    columns: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Digest:
    """Content of a file: bytes, ended lines, sha256 of all, whether its last line has no end yet.

    `prefixes` holds the sha256 of its first k bytes for each k that was asked for.
    """

    bytes: int
    lines: int
    sha256: str
    has_open_tail: bool
    prefixes: dict[int, str]


def open_bytes(path: Path, packing: str) -> IO[bytes]:
    """Open a file for reading its uncompressed bytes."""
    if packing == "gzip":
        return cast("IO[bytes]", gzip.open(path, "rb"))
    if packing == "zstd":
        return cast("IO[bytes]", io.BufferedReader(_Unpacked(path), CHUNK))
    return path.open("rb")


class _Unpacked(io.RawIOBase):
    """The content of a zstd file of any number of frames; unlike zstandard's own reader it notices a missing end."""

    def __init__(self, path: Path) -> None:
        self._packed = path.open("rb")
        self._frame: Any = None
        self._ready = b""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        while not self._ready:
            packed = (self._frame.unused_data if self._frame and self._frame.eof else b"") or self._packed.read(CHUNK)
            if not packed:
                if self._frame and not self._frame.eof:
                    raise EOFError("compressed file ended before the end of its last frame")
                return 0
            if self._frame is None or self._frame.eof:
                self._frame = zstandard.ZstdDecompressor().decompressobj()
            self._ready = self._frame.decompress(packed)
        taken = len(memoryview(buffer)[: len(self._ready)])
        buffer[:taken], self._ready = self._ready[:taken], self._ready[taken:]
        return taken

    def close(self) -> None:
        self._packed.close()
        super().close()


def digest(path: Path, packing: str, sizes: Iterable[int] = ()) -> Digest:
    """Hash the uncompressed content in one pass, also at each of the sizes.

    Raises
    ------
    DataError
        The file is cut off or not packed as its name says.
    """
    wanted = sorted(set(sizes))
    prefixes: dict[int, str] = {}
    whole = hashlib.sha256()
    seen, lines, last = 0, 0, b""
    try:
        with open_bytes(path, packing) as stream:
            while chunk := stream.read(CHUNK):
                for size in [size for size in wanted if seen < size <= seen + len(chunk)]:
                    part = whole.copy()
                    part.update(chunk[: size - seen])
                    prefixes[size] = part.hexdigest()
                whole.update(chunk)
                seen += len(chunk)
                lines += chunk.count(b"\n")
                last = chunk[-1:]
    except (EOFError, zlib.error, gzip.BadGzipFile, zstandard.ZstdError) as error:
        raise DataError(
            f"{path.name}: the packed file is cut off or damaged ({error}); nothing of it was stored"
        ) from None
    except OSError as error:
        raise DataError(f"{path.name}: cannot be read: {error.strerror or error}") from None
    return Digest(seen, lines, whole.hexdigest(), bool(last) and last != b"\n", prefixes)


def inspect(path: Path, fmt: Format | None = None, delimiter: str | None = None) -> LogFile:
    """Find out how a file is packed and written, and which columns it has.

    Raises
    ------
    DataError
        Absent, empty, not text, or without any column.
    """
    if not path.exists():
        raise DataError(f"{path}: no such file")
    if path.is_dir():
        raise DataError(f"{path}: is a folder; name the files, or use a pattern such as '{path.name}/*.csv'")
    packing = PACKED.get(path.suffix.lower(), "none")
    bare = Path(path.stem) if packing != "none" else path
    # logrotate appends .1, .2 ...: the ending that tells the format stands before it
    suffixes = [suffix.lower() for suffix in bare.suffixes if not suffix[1:].isdigit()]
    found: Format | None = fmt or next((ENDINGS[suffix] for suffix in reversed(suffixes) if suffix in ENDINGS), None)
    if found == "parquet":
        return LogFile(path, "parquet", "none", "", ())
    head = _head(path, packing)
    if not head.strip():
        raise DataError(f"{path.name}: is empty; there is nothing to read")
    _must_be_text(path.name, head, packing, is_taken_apart=found == "text")
    if b"\0" in head[:4096]:
        raise DataError(
            f"{path.name}: does not look like text (it holds zero bytes); CSV, JSONL and Parquet can be read"
        )
    if b"\r" in head.rstrip(b"\r\n") and b"\n" not in head:
        raise DataError(
            f"{path.name}: its lines end with a carriage return alone; write it out with LF or CR LF line ends"
        )
    if found is None:
        found = "jsonl" if head.lstrip()[:1] == b"{" else "csv"
    if found == "text":
        return LogFile(path, "text", packing, "", ())
    if found == "jsonl":
        return LogFile(path, "jsonl", packing, "", _json_keys(path, head))
    text = head.decode("utf-8-sig", errors="replace")
    chosen = delimiter or _delimiter(text)
    header = next(csv.reader(io.StringIO(text), delimiter=chosen), [])
    if not any(cell.strip() for cell in header):
        raise DataError(f"{path.name}: the first line names no columns; a CSV log needs a header line")
    if twice := sorted({cell for cell in header if header.count(cell) > 1}):
        raise DataError(f"{path.name}: the header names {', '.join(map(repr, twice))} twice; rename one")
    return LogFile(path, "csv", packing, chosen, tuple(header))


def _must_be_text(name: str, head: bytes, packing: str, *, is_taken_apart: bool) -> None:
    """Refuse by name what a file's first bytes tell to be something else than lines of UTF-8 text."""
    for start, what in _FIRST_BYTES.items():
        if head.startswith(start):
            inside = "" if packing == "none" else " inside its packing"
            raise DataError(f"{name}: is {what}{inside}")
    if _COMBINED.match(head) and not is_taken_apart:
        raise DataError(
            f"{name}: is an access log in the servers' common or combined format, which names no columns; have the server write "
            "JSON lines (nginx: log_format with escape=json) or say how it writes (log_format, see Importers in docs/live.md), or convert it to CSV"
        )


def first_text(file: LogFile) -> str:
    """Return the beginning of a text file, from its first letter that is no blank."""
    return _head(file.path, file.packing).decode("utf-8-sig", errors="replace").lstrip()


def _head(path: Path, packing: str, size: int = 1 << 16) -> bytes:
    try:
        with open_bytes(path, packing) as stream:
            return stream.read(size)
    except (EOFError, zlib.error, gzip.BadGzipFile, zstandard.ZstdError) as error:
        raise DataError(
            f"{path.name}: the packed file is cut off or damaged ({error}); nothing of it was stored"
        ) from None
    except OSError as error:
        raise DataError(f"{path.name}: cannot be read: {error.strerror or error}") from None


def _delimiter(text: str) -> str:
    """Pick the delimiter that splits the header most, and the next lines alike."""
    lines = text.splitlines()[:20]
    whole = lines[:-1] if len(lines) > 1 else lines  # the last one may be cut

    def score(mark: str) -> tuple[int, int]:
        widths = [len(row) for row in csv.reader(whole, delimiter=mark)]
        return (sum(width == widths[0] for width in widths) if widths[0] > 1 else 0, widths[0])

    return max(DELIMITERS, key=score)


def _json_keys(path: Path, head: bytes) -> tuple[str, ...]:
    keys: dict[str, None] = {}
    for line in head.decode("utf-8-sig", errors="replace").splitlines()[:50]:
        try:
            row = json.loads(line)
        except ValueError:
            continue
        if isinstance(row, dict):
            keys.update(dict.fromkeys(_dotted(row)))
    if not keys:
        raise DataError(f"{path.name}: no line of the first 50 is a JSON object; JSONL holds one object a line")
    return tuple(keys)


def _dotted(row: dict[str, object], prefix: str = "", depth: int = 0) -> Iterator[str]:
    for key, value in row.items():
        if isinstance(value, dict) and value and depth < 4:
            yield from _dotted(value, f"{prefix}{key}.", depth + 1)
        else:
            yield f"{prefix}{key}"
