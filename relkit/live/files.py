"""Lines into files that grow to a size and are then renamed: `NAME-....jsonl.open` while it grows, `....jsonl` when done.

Every process writes files of its own, so many may share a folder. A batch is one `write` to the end of its file, so what
a killed process leaves is whole lines and at most one cut one, which is its last. Each write is with the operating
system at once, and survives the end of the process; `fsync` is called when a file is finished, so a machine that loses
power loses at most what its kernel had not yet put on disk of the file that grew.
"""

import contextlib
import fcntl
import os
import secrets
import threading
import time
import weakref
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from relkit.exceptions import ParameterError

DONE: Final = ".jsonl"
GROWING: Final = ".jsonl.open"
MAX_BYTES: Final = 16 << 20
KEEP: Final = 64


class RotatingFile:
    """A sink of JSON lines in a folder.

    Parameters
    ----------
    folder : str or Path
        Made when absent; several processes may write to one.
    max_bytes : int
        Size at which a file is finished, at least 1,000; the last line may take it a little over.
    keep : int
        Finished files that stay in the folder, at least 1; the oldest go. Whoever reads them must come by in time:
        the default keeps 1 GiB.

    Raises
    ------
    ParameterError
        The folder cannot be made, or a number is out of range.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     file = RotatingFile(folder)
    ...     file.write([b'{"event":"log"}\\n'])
    ...     file.close()
    ...     [path.suffix for path in Path(folder).iterdir()]
    ['.jsonl']
    """

    def __init__(self, folder: str | Path, *, max_bytes: int = MAX_BYTES, keep: int = KEEP) -> None:
        if max_bytes < 1_000:
            raise ParameterError.of("max_bytes", max_bytes, "at least 1,000", "give bytes, such as 16_777_216")
        if keep < 1:
            raise ParameterError.of("keep", keep, "at least 1", "say how many finished files stay")
        self.folder = Path(folder)
        self._max_bytes = max_bytes
        self._keep = keep
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise ParameterError.of(
                "folder", str(folder), f"a folder that can be made ({error.strerror})", "name another"
            ) from None
        self._begin()
        _FILES.add(self)

    def _begin(self) -> None:
        self._lock = threading.Lock()
        self._descriptor = -1
        self._size = 0
        self._number = 0
        self._is_torn = False
        self._stem = ""

    def begin_in_child(self) -> None:
        """The open file is the parent's; a forked process opens one of its own when it has something to write."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
        self._begin()

    @property
    def path(self) -> Path:
        """The file that grows, or would grow next."""
        return self.folder / f"{self._stem}-{self._number:04d}{GROWING}"

    def write(self, lines: Sequence[bytes]) -> None:
        """Append lines; finish the file when it has reached its size.

        Raises
        ------
        OSError
            They could not be written, or not all of them; the next line begins on a line of its own.
        """
        with self._lock:
            held: list[bytes] = []
            room = self._max_bytes - self._size
            for line in lines:
                held.append(line)
                room -= len(line)
                if room <= 0:
                    self._append(b"".join(held))
                    self._finish()
                    held, room = [], self._max_bytes
            if held:
                self._append(b"".join(held))

    def close(self) -> None:
        """Finish the file that grows."""
        with self._lock:
            if self._descriptor >= 0:
                self._finish()

    def _append(self, content: bytes) -> None:
        if self._descriptor >= 0 and not os.fstat(self._descriptor).st_nlink:
            # somebody cleared the folder: what is written here would be seen by nobody
            os.close(self._descriptor)
            self._descriptor = -1
        if self._descriptor < 0:
            self._open()
        if self._is_torn:
            content = b"\n" + content
        self._is_torn = True
        written = 0
        while written < len(content):
            step = os.write(self._descriptor, memoryview(content)[written:])
            written += step
            self._size += step
        self._is_torn = False

    def _open(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        if not self._stem:
            self._stem = (
                f"journal-{time.strftime('%Y%m%dT%H%M%SZ', time.gmtime())}-{os.getpid()}-{secrets.token_hex(4)}"
            )
            self._adopt()
        while True:
            self._number += 1
            flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND | os.O_CLOEXEC
            descriptor = os.open(self.path, flags, 0o600)
            with contextlib.suppress(OSError):  # not every file system has locks; then nobody adopts
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if self.path.exists():  # else another process took it for an orphan before it was locked
                self._descriptor, self._size, self._is_torn = descriptor, 0, False
                return
            os.close(descriptor)

    def _finish(self) -> None:
        descriptor, self._descriptor, self._size = self._descriptor, -1, 0
        try:
            os.fsync(descriptor)
            with contextlib.suppress(FileNotFoundError):  # somebody cleared the folder
                self.path.rename(self.path.with_name(self.path.name.removesuffix(GROWING) + DONE))
        finally:
            os.close(descriptor)
        self._prune()

    def _prune(self) -> None:
        done = sorted(self.folder.glob(f"journal-*{DONE}"), key=_age)
        for path in done[: -self._keep]:
            path.unlink(missing_ok=True)

    def _adopt(self) -> None:
        """Finish the files of processes that were killed: nobody holds their lock."""
        for path in self.folder.glob(f"journal-*{GROWING}"):
            with contextlib.suppress(OSError):
                descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
                try:
                    fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    path.rename(path.with_name(path.name.removesuffix(GROWING) + DONE))
                finally:
                    os.close(descriptor)


def _age(path: Path) -> tuple[float, str]:
    try:
        return path.stat().st_mtime, path.name
    except OSError:  # gone meanwhile
        return 0.0, path.name


_FILES: Final[weakref.WeakSet[RotatingFile]] = weakref.WeakSet()


def _begin_in_child() -> None:
    for file in _FILES:
        file.begin_in_child()


os.register_at_fork(after_in_child=_begin_in_child)
