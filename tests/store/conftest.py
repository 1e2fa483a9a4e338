"""Fixtures of the tests of the store; see workshop.py for what they hold."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from workshop import TRACES, Workshop

from relkit.store import open_store


@pytest.fixture
def workshop(tmp_path: Path) -> Iterator[Workshop]:
    with open_store(tmp_path / "log.duckdb", write=True, threads=2) as store:
        yield Workshop(tmp_path, store)


@pytest.fixture
def another(tmp_path: Path) -> Iterator[Callable[[], Workshop]]:
    """Make further workshops, each with a folder and a database of its own."""
    made: list[Any] = []

    def make() -> Workshop:
        folder = tmp_path / f"other{len(made)}"
        folder.mkdir()
        opened = open_store(folder / "log.duckdb", write=True, threads=2)
        made.append(opened)
        return Workshop(folder, opened.__enter__())

    yield make
    for opened in made:
        opened.__exit__(None, None, None)


@pytest.fixture
def trace() -> Callable[[str], Path]:
    def find(name: str) -> Path:
        path = TRACES / name
        if not path.exists():
            pytest.skip(f"the trace {name} is not beside the project; it is not ours to publish")
        return path

    return find
