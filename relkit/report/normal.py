"""The normal form of a notebook: what does not tell the reader anything is taken out, so equal runs are equal bytes.

The one module that loads nbformat. It does so without the grammar of international addresses, which jsonschema would
build on the way and which takes longer than a notebook runs; nobody here checks such an address.
"""

import sys
from pathlib import Path
from typing import Any, Final

from relkit.units import printable

_GRAMMAR: Final = "rfc3987_syntax"
_is_held_back = _GRAMMAR not in sys.modules
if _is_held_back:
    sys.modules[_GRAMMAR] = None  # type: ignore[assignment]  # Python's own sign for "cannot be imported"
try:
    import nbformat
    from nbformat import NotebookNode
finally:
    if _is_held_back:
        del sys.modules[_GRAMMAR]

__all__ = ["KERNELSPEC", "NotebookNode", "normalise", "read_notebook", "to_text"]

KERNELSPEC: Final = {"display_name": "Python 3", "language": "python", "name": "python3"}
_KEPT_TAGS: Final = ("tags",)


def read_notebook(path: Path) -> NotebookNode:
    """Read a stored notebook."""
    notebook: NotebookNode = nbformat.read(path, as_version=4)
    return notebook


def normalise(notebook: NotebookNode) -> NotebookNode:
    """Return a copy with fixed kernelspec, cell ids by position, counts in order, and no machine's metadata.

    Text from logs stands in the outputs: what a terminal or a line of text would act on (escape sequences, direction
    marks, NUL) is shown as what it is.
    """
    clean: NotebookNode = nbformat.from_dict(dict(notebook))
    clean.metadata = nbformat.from_dict({"kernelspec": dict(KERNELSPEC), "language_info": {"name": "python"}})
    count = 0
    for place, cell in enumerate(clean.cells):
        cell["id"] = f"cell-{place:02d}"
        cell["metadata"] = nbformat.from_dict({key: cell.metadata[key] for key in _KEPT_TAGS if key in cell.metadata})
        if cell.cell_type == "code":
            count += 1
            ran = cell.execution_count is not None
            cell["execution_count"] = count if ran else None
            cell["outputs"] = [_normal_output(output, count) for output in cell.outputs]
    return clean


def _normal_output(output: NotebookNode, count: int) -> NotebookNode:
    clean: NotebookNode = nbformat.from_dict(_visible(output))
    if "metadata" in clean:
        clean["metadata"] = nbformat.from_dict({})
    if "execution_count" in clean:
        clean["execution_count"] = count
    return clean


def _visible(value: Any) -> Any:
    """Show in every text of an output what would act unseen; line ends and tabs stay."""
    if isinstance(value, str):
        if value.isascii() and value.isprintable():
            return value
        return "\n".join("\t".join(map(printable, line.split("\t"))) for line in value.split("\n"))
    if isinstance(value, dict):
        return {key: _visible(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_visible(item) for item in value]
    return value


def to_text(notebook: NotebookNode) -> str:
    """Write a notebook as text, keys sorted, one line end at the end."""
    text: Any = nbformat.writes(notebook, indent=1, sort_keys=True, ensure_ascii=False)
    return str(text).rstrip("\n") + "\n"
