"""Which code a number was made by: a hash of all modules that a run and its measures are computed with."""

import ast
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Final

_PACKAGE: Final = Path(__file__).parents[1]
_FIRST: Final = ("tune/measures.py", "simulation/run.py", "simulation/kernel.py", "policies/policy.py")


@cache
def code_hash() -> str:
    """Return sixteen hex digits over the sources that a sweep's numbers depend on.

    Examples
    --------
    >>> len(code_hash())
    16
    """
    known = sha256()
    for path in sorted(made_of(_FIRST)):
        known.update(str(path.relative_to(_PACKAGE)).encode() + b"\0" + path.read_bytes())
    return known.hexdigest()[:16]


def made_of(first: tuple[str, ...]) -> set[Path]:
    """Return the modules of relkit that some modules import, and those that these import.

    Parameters
    ----------
    first : tuple of str
        Paths within the package.
    """
    waiting = [_PACKAGE / name for name in first]
    found: set[Path] = set()
    while waiting:
        path = waiting.pop()
        if path in found or not path.is_file():
            continue
        found.add(path)
        for node in ast.walk(ast.parse(path.read_bytes())):
            if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith("relkit."):
                room = _PACKAGE.joinpath(*node.module.split(".")[1:])
                waiting += [
                    room.with_suffix(".py"),
                    room / "__init__.py",
                    *(room / f"{one.name}.py" for one in node.names),
                ]
    return found
