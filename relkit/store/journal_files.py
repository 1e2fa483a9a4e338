"""The files of a journal's folder as they grow: whole lines from where one stopped reading, a few at a time."""

import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

from relkit.exceptions import DataError
from relkit.live.files import DONE, GROWING
from relkit.store.ingest.files import CHUNK
from relkit.store.ingest.scan import MAX_LINE_BYTES


@dataclass(slots=True)
class JournalFile:
    """One file and how far it was read.

    Parameters
    ----------
    path : Path
        Where it lies now; a finished file has another name than while it grew.
    offset, lines : int
        Bytes and lines read and stored.
    content : hash
        SHA-256 of those bytes.
    ingest_id : int or None
        Its entry in the ledger; None before its first row.
    source : str
        The application that wrote it; "" before its first line.
    """

    path: Path
    offset: int = 0
    lines: int = 0
    content: Any = field(default_factory=hashlib.sha256)
    ingest_id: int | None = None
    source: str = ""

    @property
    def name(self) -> str:
        """Its name when finished, which it keeps in the ledger from the beginning."""
        name = self.path.name.removesuffix(GROWING).removesuffix(DONE) + DONE
        return name.encode("utf-8", "replace").decode()  # a file system allows any bytes

    @property
    def is_done(self) -> bool:
        """Whether nothing will be added to it."""
        return not self.path.name.endswith(GROWING)


def files_in(folder: Path) -> dict[tuple[int, int], tuple[Path, int]]:
    """List a journal's files by what the file system knows them by, whatever their name: path and size.

    Raises
    ------
    DataError
        There is no such folder.
    """
    found: dict[tuple[int, int], tuple[Path, int]] = {}
    try:
        with os.scandir(folder) as entries:
            for entry in sorted(entries, key=lambda entry: entry.name):
                if not entry.name.endswith((DONE, GROWING)):
                    continue
                try:
                    known = entry.stat()
                    if not entry.is_file():
                        continue
                except OSError:  # renamed while we looked: it comes with its new name; or links in a ring
                    continue
                found[known.st_dev, known.st_ino] = (Path(entry.path), known.st_size)
    except OSError as error:
        raise DataError(
            f"{folder}: cannot be read as a folder ({error.strerror}); name the folder of a journal"
        ) from None
    return found


def lines_after(file: JournalFile, most: int) -> list[bytes]:
    """Read the next whole lines of a file, each with its end; the last one of a finished file may lack it.

    Parameters
    ----------
    file : JournalFile
        Where to go on; it is not changed.
    most : int
        Lines to read at most.

    Raises
    ------
    FileNotFoundError
        It was renamed, or pruned, since it was listed.
    DataError
        It cannot be read.
    """
    with _opened(file.path) as stream:
        stream.seek(file.offset)
        return list(_whole_lines(stream, most, is_done=file.is_done))


@contextmanager
def _opened(path: Path) -> Iterator[IO[bytes]]:
    try:
        with path.open("rb") as stream:
            yield stream
    except FileNotFoundError:
        raise
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror}); let this user read the journal") from None


def _whole_lines(stream: IO[bytes], most: int, *, is_done: bool) -> Iterator[bytes]:
    for _ in range(most):
        line = stream.readline(MAX_LINE_BYTES)
        # a cut line of a file that grows is still being written; one that never ends is handed on, to be refused
        if not line or (not line.endswith(b"\n") and not is_done and len(line) < MAX_LINE_BYTES):
            return
        yield line


def prefixes_of(path: Path, sizes: set[int]) -> dict[int, Any]:
    """Hash the first bytes of a file at each of the sizes, in one pass; sizes it has not reached are left out."""
    found: dict[int, Any] = {}
    content = hashlib.sha256()
    seen = 0
    with _opened(path) as stream:
        for size in sorted(sizes):
            while seen < size and (chunk := stream.read(min(CHUNK, size - seen))):
                content.update(chunk)
                seen += len(chunk)
            if seen < size:
                break
            found[size] = content.copy()
    return found
