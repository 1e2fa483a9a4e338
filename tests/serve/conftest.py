"""Fixtures of the tests of serve; see served.py for what they hold."""

import shutil
from pathlib import Path

import pytest
from served import Log

from relkit.store import open_store


@pytest.fixture(scope="session")
def blank(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make a database without rows once; copying it is faster than making its tables."""
    path = tmp_path_factory.mktemp("blank") / "log.duckdb"
    with open_store(path, write=True):
        pass
    return path


@pytest.fixture
def log(tmp_path: Path, blank: Path) -> Log:
    shutil.copy(blank, tmp_path)
    return Log(tmp_path / "log.duckdb")


@pytest.fixture(scope="session")
def known(tmp_path_factory: pytest.TempPathFactory, blank: Path) -> Log:
    """A log of everything that is served; for tests that only read it."""
    folder = tmp_path_factory.mktemp("known")
    shutil.copy(blank, folder)
    made = Log(folder / "log.duckdb")
    made.fill()
    return made


@pytest.fixture
def full(tmp_path: Path, known: Log) -> Log:
    """A log of everything that is served; for a test that changes it."""
    shutil.copy(known.path, tmp_path)
    return Log(tmp_path / known.path.name)
