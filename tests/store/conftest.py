"""Fixtures of the tests of the store; see workshop.py for what they hold."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from workshop import TRACES, Workshop

from relkit.store import open_store


@pytest.fixture(scope="session")
def empty_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make a database without rows once; copying it is faster than making its tables."""
    path = tmp_path_factory.mktemp("blank") / "log.duckdb"
    with open_store(path, write=True):
        pass
    return path


@pytest.fixture
def workshop(tmp_path: Path, empty_database: Path) -> Iterator[Workshop]:
    shutil.copy(empty_database, tmp_path)
    with open_store(tmp_path / "log.duckdb", write=True, threads=2) as store:
        yield Workshop(tmp_path, store)


@pytest.fixture
def another(tmp_path: Path, empty_database: Path) -> Iterator[Callable[[], Workshop]]:
    """Make further workshops, each with a folder and a database of its own."""
    made: list[Any] = []

    def make() -> Workshop:
        folder = tmp_path / f"other{len(made)}"
        folder.mkdir()
        shutil.copy(empty_database, folder)
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
