"""Folders for what can be made again: one of this user, one of this process, and others that go with who made them.

A killed process cannot clear up. So whoever makes a folder holds a lock on it, which the system takes back when the
process ends, however it ends; and the next one that makes a folder of that name removes those that nobody holds.
"""

import atexit
import contextlib
import fcntl
import functools
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from relkit.exceptions import ParameterError


def scratch_folder(where: Path | None = None) -> Path:
    """Return a folder of this user's for what can be made again, outside the checkout.

    Parameters
    ----------
    where : Path, optional
        A folder of everybody's; default the system's temporary one.

    Raises
    ------
    ParameterError
        Somebody else has taken its name.
    """
    folder = (where or Path(tempfile.gettempdir())) / f"relkit-{os.getuid()}"
    folder.mkdir(mode=0o700, exist_ok=True)
    # the temporary folder is everybody's: who comes first could own the name
    if folder.is_symlink() or folder.stat().st_uid != os.getuid():
        raise ParameterError(f"{folder}: belongs to somebody else; set TMPDIR to a folder of your own")
    return folder


def process_folder() -> Path:
    """Return the private folder of this process; it goes when the process ends, or after a kill with the next one's.

    >>> process_folder() == process_folder()
    True
    """
    scratch = scratch_folder()
    folder = _leased_until_exit(scratch, os.getpid())
    if not folder.is_dir():  # whoever tidies the temporary folder knows nothing of locks
        _leased_until_exit.cache_clear()
        folder = _leased_until_exit(scratch, os.getpid())
    return folder


@functools.cache
def _leased_until_exit(scratch: Path, _process: int) -> Path:
    life = contextlib.ExitStack()
    atexit.register(life.close)
    return life.enter_context(leased_folder(scratch, "process-"))


@contextlib.contextmanager
def leased_folder(parent: Path, prefix: str) -> Iterator[Path]:
    """Make a private folder for the length of a `with`, and remove those that killed processes left.

    Parameters
    ----------
    parent : Path
        Where it lies.
    prefix : str
        How its name begins. Every folder there that begins so, and that nobody holds, is taken for left over.

    Yields
    ------
    Path

    Examples
    --------
    >>> with tempfile.TemporaryDirectory() as parent, leased_folder(Path(parent), "making-") as folder:
    ...     (folder / "page.html").write_text("half a page")
    11
    """
    for left in parent.glob(f"{prefix}*"):
        with contextlib.suppress(OSError), held(left, wait=False):
            shutil.rmtree(left, ignore_errors=True)
    with contextlib.ExitStack() as life:
        while True:
            folder = Path(tempfile.mkdtemp(prefix=prefix, dir=parent))
            try:
                life.enter_context(held(folder))
                break
            except FileNotFoundError:
                continue  # another process took it for left over in the instant before it was held
        life.callback(shutil.rmtree, folder, ignore_errors=True)
        yield folder


@contextlib.contextmanager
def held(folder: Path, *, wait: bool = True) -> Iterator[None]:
    """Hold a folder alone for the length of a `with`, or until this process ends.

    Parameters
    ----------
    folder : Path
        A folder, not a link to one.
    wait : bool
        Wait until whoever holds it lets go. Where the file system knows no locks, go on without.

    Raises
    ------
    BlockingIOError
        Somebody else holds it, and there was no waiting.
    FileNotFoundError
        It is gone.
    """
    lock = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    try:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX if wait else fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            if not wait:
                raise
        if not os.path.samestat(os.fstat(lock), folder.lstat()):
            raise FileNotFoundError(folder)
        yield
    finally:
        os.close(lock)
