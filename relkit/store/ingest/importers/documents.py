"""One JSON document of any size, written out as lines: an array of objects, or the spans of an OTLP export.

Only brackets and quotes are looked at, many at once, so that a document of gigabytes needs no more memory than a chunk
of it. What stands between the objects (the skeleton) is small; for spans it tells which resource they belong to.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from itertools import islice
from pathlib import Path
from typing import IO, Any, Final

import numpy as np

from relkit.exceptions import DataError
from relkit.scratch import leased_folder, process_folder
from relkit.store.ingest.files import LogFile, first_text, open_bytes
from relkit.store.ingest.scan import MAX_LINE_BYTES

_CHUNK: Final = 4 << 20
_LOOKED_AT: Final = 5
_LARGEST_SKELETON: Final = 256 << 20
_LINE_ENDS: Final = bytes.maketrans(b"\r\n", b"  ")


def is_document(file: LogFile, importer: str) -> bool:
    """Say whether a JSON log is one document, and not an object a line.

    Parameters
    ----------
    file : LogFile
        The file.
    importer : str
        What reads it.
    """
    if file.format != "jsonl":
        return False
    text = first_text(file)
    if text.startswith("["):
        return True
    if importer not in {"otlp", "litellm"}:
        return False
    with open_bytes(file.path, file.packing) as stream:
        left = MAX_LINE_BYTES
        for _ in range(_LOOKED_AT):
            line = stream.readline(left)
            left -= len(line)
            if not line or left <= 0:
                break
            found = _parsed(line)
            if isinstance(found, dict):
                return importer == "litellm" and isinstance(found.get("data"), list)
    return True


def _parsed(line: bytes) -> Any:
    try:
        return json.loads(line.decode("utf-8-sig", "replace"))
    except (ValueError, RecursionError):
        return None


@contextmanager
def as_lines(file: LogFile, importer: str, first_bytes: int | None) -> Iterator[tuple[LogFile, int]]:
    """Lend the objects of a document as a file of lines, for the length of a `with`.

    Parameters
    ----------
    file : LogFile
        The document.
    importer : str
        "otlp": its objects are spans; else those of the one array.
    first_bytes : int, optional
        Only so many, for a file that is being written to.

    Returns
    -------
    (LogFile, int)
        The lines, and how many.

    Raises
    ------
    DataError
        What stands between the objects is no JSON.
    """
    is_array = first_text(file).startswith("[")
    depth = (3 + is_array, 4) if importer == "otlp" else (1, 1 if is_array else 2)
    with leased_folder(process_folder(), "lines-") as folder:
        place = folder / file.path.name
        with open_bytes(file.path, file.packing) as stream, place.open("wb") as lines:
            splitter = _Splitter(*depth, lines)
            left = first_bytes
            while chunk := stream.read(_CHUNK if left is None else min(_CHUNK, left)):
                left = None if left is None else left - len(chunk)
                splitter.feed(chunk)
            rest = splitter.close()
        skeleton = bytes(splitter.skeleton)
        if rest is None and importer == "otlp":
            place = _with_resources(place, folder, skeleton, file.path.name)
        elif rest is None and _parsed(skeleton) is None:
            raise _no_document(file.path.name)
        elif rest is not None and importer == "otlp":
            place = _without_resources(place, folder)
        if rest is not None:
            with place.open("ab") as lines:
                lines.write(rest + b"\n")
        yield replace(file, path=place, packing="none"), splitter.objects + (rest is not None)


def _no_document(name: str) -> DataError:
    return DataError(
        f"{name}: is no valid JSON document; nothing of it was stored. Export it anew, or as one object a line"
    )


@dataclass(slots=True)
class _Splitter:
    """Finds the objects that lie in `square` arrays and are the `curly`th object from outside."""

    square: int
    curly: int
    lines: IO[bytes]
    objects: int = 0
    skeleton: bytearray = field(default_factory=bytearray)
    _in_text: bool = False
    _square: int = 0
    _curly: int = 0
    _held: bytes = b""
    _open: list[bytes] | None = None  # parts of an object that has begun

    def feed(self, chunk: bytes) -> None:
        chunk = (self._held + chunk).translate(_LINE_ENDS)
        # an escape must not be parted from what it escapes
        slashes = len(chunk) - len(chunk.rstrip(b"\\"))
        self._held = chunk[len(chunk) - slashes :] if slashes else b""
        chunk = chunk[: len(chunk) - slashes]
        upto = 0
        for at, opens in self._edges(chunk):
            if opens:
                self.skeleton += chunk[upto:at]
                self.skeleton += b"0"
                self._open, upto = [], at
            elif self._open is not None:
                self._open.append(chunk[upto : at + 1])
                self.lines.write(b"".join(self._open) + b"\n")
                self.objects += 1
                self._open, upto = None, at + 1
        if self._open is not None:
            self._open.append(chunk[upto:])
        else:
            self.skeleton += chunk[upto:]
            if len(self.skeleton) > _LARGEST_SKELETON:
                raise DataError(
                    "the document holds more beside its objects than in them; export it as one object a line"
                )

    def close(self) -> bytes | None:
        """Return the beginning of an object that the end of the document cuts off, None where it is whole."""
        if self._open is not None:
            return b"".join(self._open) + self._held
        return b"" if self._curly or self._square else None

    def _edges(self, chunk: bytes) -> Iterator[tuple[int, bool]]:
        """Yield where objects begin (True) and end (False)."""
        letters = np.frombuffer(chunk, np.uint8)
        quotes = np.flatnonzero(letters == ord('"'))
        slashes = np.flatnonzero(letters == ord("\\"))
        if slashes.size and quotes.size:
            quotes = quotes[~_escaped(quotes, slashes)]
        marks = np.flatnonzero(_IS_BRACKET[letters])
        inside = (np.searchsorted(quotes, marks) + self._in_text) & 1
        marks = marks[inside == 0]
        self._in_text ^= bool(quotes.size & 1)
        kinds = letters[marks]
        curly = self._curly + np.cumsum(_CURLY[kinds])
        square = self._square + np.cumsum(_SQUARE[kinds])
        if marks.size:
            self._curly, self._square = int(curly[-1]), int(square[-1])
        here = square == self.square
        opens = here & (kinds == ord("{")) & (curly == self.curly)
        closes = here & (kinds == ord("}")) & (curly == self.curly - 1)
        chosen = np.flatnonzero(opens | closes)
        yield from zip(marks[chosen].tolist(), opens[chosen].tolist(), strict=True)


def _steps(up: str, down: str) -> "np.ndarray[Any, np.dtype[np.int64]]":
    table = np.zeros(256, np.int64)
    table[ord(up)], table[ord(down)] = 1, -1
    return table


_CURLY: Final = _steps("{", "}")
_SQUARE: Final = _steps("[", "]")
_IS_BRACKET: Final = (_CURLY != 0) | (_SQUARE != 0)


def _escaped(
    quotes: "np.ndarray[Any, np.dtype[np.intp]]", slashes: "np.ndarray[Any, np.dtype[np.intp]]"
) -> "np.ndarray[Any, np.dtype[np.bool_]]":
    """Say which quotes stand behind an odd number of backslashes."""
    is_first = np.concatenate(([True], np.diff(slashes) > 1))
    firsts = slashes[is_first]
    lengths = np.diff(np.concatenate((np.flatnonzero(is_first), [slashes.size])))
    run = np.searchsorted(firsts, quotes) - 1
    behind = (run >= 0) & (firsts[run] + lengths[run] == quotes)
    escaped: np.ndarray[Any, np.dtype[np.bool_]] = behind & (lengths[run] % 2 == 1)
    return escaped


def _with_resources(place: Path, folder: Path, skeleton: bytes, name: str) -> Path:
    """Wrap each span as an export of its own, with the name of the service that made it."""
    found = _parsed(skeleton)
    exports = found if isinstance(found, list) else [found]
    written = folder / "wrapped" / place.name
    written.parent.mkdir()
    with place.open("rb") as spans, written.open("wb") as lines:
        for resource, number in _resources(exports, name):
            service = json.dumps({"attributes": resource}).encode()
            before = b'{"resourceSpans":[{"resource":' + service + b',"scopeSpans":[{"spans":['
            lines.writelines(before + span[:-1] + b"]}]}]}\n" for span in islice(spans, number))
    return written


def _without_resources(place: Path, folder: Path) -> Path:
    """Wrap the spans of a document that is cut off: where it ends nobody knows who made them."""
    written = folder / "wrapped" / place.name
    written.parent.mkdir()
    with place.open("rb") as spans, written.open("wb") as lines:
        lines.writelines(b'{"resourceSpans":[{"scopeSpans":[{"spans":[' + span[:-1] + b"]}]}]}\n" for span in spans)
    return written


def _resources(exports: list[Any], name: str) -> Iterator[tuple[list[Any], int]]:
    try:
        for export in exports:
            for one in export["resourceSpans"]:
                attributes = (one.get("resource") or {}).get("attributes") or []
                service = [a for a in attributes if isinstance(a, dict) and a.get("key") == "service.name"]
                scopes = one.get("scopeSpans") or one.get("instrumentationLibrarySpans") or []
                yield service, sum(len(scope.get("spans") or []) for scope in scopes)
    except (TypeError, KeyError, AttributeError):
        raise _no_document(name) from None
