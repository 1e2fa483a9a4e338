"""The one place that knows numba: policy functions made callable from the kernel, records made of dataclasses.

The policies stay as they are. The cache of compiled code lies in a folder named by a hash of everything that is
compiled, because numba itself does not notice that a function in another file has changed (numba issue 1833).
"""

import ast
import os
import re
import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import fields
from functools import cache
from hashlib import sha256
from pathlib import Path
from types import FunctionType, ModuleType
from typing import Any, Final, TypeVar, cast

import numba
import numpy as np
from numba.core import config as _config
from numba.extending import register_jitable

_Function = TypeVar("_Function", bound=Callable[..., Any])
_PACKAGE: Final = Path(__file__).parents[1]
_FIRST: Final = ("simulation/compiled.py", "simulation/kernel.py")
_KEPT: Final = 4
_HOUR_S: Final = 3600.0
_MONTH_S: Final = 30 * 86_400.0
_GONE: Final = "gone-"
_NAME: Final = re.compile("[0-9a-f]{16}")
_TYPES: Final[dict[object, type[np.generic]]] = {bool: np.bool_, int: np.int64, float: np.float64}


@cache
def cache_folder() -> Path:
    """Return the folder of compiled code: RELKIT_CACHE or the user's cache, then a hash of sources and numba's version.

    >>> len(cache_folder().name)
    16
    """
    known = sha256(f"{numba.__version__} {np.__version__}".encode())
    for path in _compiled_sources():
        known.update(path.name.encode() + b"\0" + path.read_bytes())
    home = os.environ.get("RELKIT_CACHE") or os.environ.get("XDG_CACHE_HOME")
    parent = Path(home) if home else Path.home() / ".cache"
    if not os.access(parent if parent.exists() else parent.parent, os.W_OK):
        parent = Path(tempfile.gettempdir()) / f"relkit-{os.getuid()}"
    return parent / "relkit" / "compiled" / known.hexdigest()[:16]


def _compiled_sources() -> list[Path]:
    """The files the kernel is made of: itself and what it imports of simulation and policies, and what those import."""
    waiting = [_PACKAGE / name for name in _FIRST]
    found: set[Path] = set()
    while waiting:
        path = waiting.pop()
        if path in found or not path.is_file():
            continue
        found.add(path)
        for node in ast.walk(ast.parse(path.read_bytes())):
            if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith("relkit."):
                room = _PACKAGE.joinpath(*node.module.split(".")[1:])
                if room.parts[len(_PACKAGE.parts)] in {"simulation", "policies"}:
                    waiting += [room.with_suffix(".py"), *(room / f"{alias.name}.py" for alias in node.names)]
    return sorted(found)


def announce() -> None:
    """Say on a terminal that a first run compiles, where nothing compiled lies in the cache: it would look like a hang."""
    if sys.stderr.isatty() and not any(cache_folder().rglob("kernel.run_events*.nbi")):
        sys.stderr.write("relkit: compiling the simulation, once for this version: half a minute or so\n")


def _begin(folder: Path) -> None:
    """Mark the folder as used now, and clear away old ones."""
    with suppress(OSError):  # a cache that cannot be written is numba's to complain of
        folder.mkdir(parents=True, exist_ok=True)
        os.utime(folder)
        prune(folder.parent, folder)


def prune(parent: Path, keep: Path) -> None:
    """Remove folders of compiled code that no version has used for a month, and all but the newest few.

    Another process may use, make or remove them at the same time: what was touched within the hour stays, a folder is
    taken out of sight by one rename before its files go, and whatever fails is left for the next time.

    Parameters
    ----------
    parent : Path
        Where the folders lie.
    keep : Path
        The one in use.
    """
    now_s = time.time()
    try:
        aged = sorted(
            ((now_s - entry.stat().st_mtime, entry) for entry in parent.iterdir() if entry.is_dir() and entry != keep),
            key=lambda both: both[0],
        )
    except OSError:
        return
    for place, (age_s, entry) in enumerate(aged):
        left_over = entry.name.startswith(_GONE)
        if age_s < _HOUR_S or not (left_over or place >= _KEPT - 1 or age_s > _MONTH_S):
            continue
        if not left_over and not _NAME.fullmatch(entry.name):
            continue  # nothing of ours
        gone = entry if left_over else entry.with_name(f"{_GONE}{entry.name}-{os.getpid()}")
        try:
            entry.rename(gone)
            shutil.rmtree(gone, ignore_errors=True)
        except OSError:
            continue


def compiled(function: _Function) -> _Function:
    """Compile a function that keeps no global state, cached on disk; it runs without the GIL."""
    config: Any = _config
    _begin(cache_folder())
    before = config.CACHE_DIR
    config.CACHE_DIR = str(cache_folder())
    try:
        made: Any = numba.njit(cache=True, nogil=True, error_model="numpy")(function)
    finally:
        config.CACHE_DIR = before
    return cast("_Function", made)


def callable_inside(*modules: ModuleType) -> None:
    """Let compiled code call the free functions of modules; the functions themselves stay what they are."""
    for module in modules:
        for found in list(vars(module).values()):
            if isinstance(found, FunctionType) and found.__module__ == module.__name__:
                register_jitable(found)


def record_dtype(*records: type, **more: type) -> np.dtype[np.void]:
    """Return the numpy record of dataclasses made of numbers alone, field by field, with more fields behind.

    >>> from relkit.policies.records import Peers
    >>> record_dtype(Peers).names
    ('members', 'open_members', 'mean_share', 'sd_share')
    """
    named = [(field.name, _TYPES[field.type]) for record in records for field in fields(record)]
    return np.dtype([*named, *((name, _TYPES[kind]) for name, kind in more.items())], align=True)
