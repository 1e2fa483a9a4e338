"""The normal form of a notebook: what does not tell the reader anything is taken out, so equal runs are equal bytes."""

from typing import Any, Final

import nbformat
from nbformat import NotebookNode

KERNELSPEC: Final = {"display_name": "Python 3", "language": "python", "name": "python3"}
_KEPT_TAGS: Final = ("tags",)


def normalise(notebook: NotebookNode) -> NotebookNode:
    """Return a copy with fixed kernelspec, cell ids by position, counts in order, and no machine's metadata."""
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
            for output in cell.outputs:
                output["metadata"] = nbformat.from_dict({}) if "metadata" in output else output.get("metadata")
                if "metadata" in output and output["metadata"] is None:
                    del output["metadata"]
                if "execution_count" in output:
                    output["execution_count"] = count
    return clean


def to_text(notebook: NotebookNode) -> str:
    """Write a notebook as text, keys sorted, one line end at the end."""
    text: Any = nbformat.writes(notebook, indent=1, sort_keys=True, ensure_ascii=False)
    return str(text).rstrip("\n") + "\n"
