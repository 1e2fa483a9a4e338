"""The house rules that no reader should have to check: arrows point down, SQL has one home, modules stay short."""

import ast
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import relkit

PROJECT = Path(__file__).parents[1]
PACKAGE = PROJECT / "relkit"
MODULES = sorted(PACKAGE.rglob("*.py"))
LONGEST = 450
SQL = re.compile(
    r"\b(SELECT\s|INSERT\s+INTO\s|UPDATE\s+\S+\s+SET\s|DELETE\s+FROM\s|(CREATE|ALTER|DROP)\s+(TABLE|VIEW|TEMP)|"
    r"(GROUP|ORDER)\s+BY\s|(FROM|JOIN)\s+(attempts|pairs|probes|samples|fingerprints|ingests|meta)\b)"
)


def test_arrows_point_downwards() -> None:
    """import-linter's contracts of pyproject.toml; by `python -c`, because the lint-imports script breaks in a folder with a space."""
    code = "from importlinter.cli import lint_imports_command; lint_imports_command(['--no-cache'])"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=PROJECT, capture_output=True, text=True, check=False, timeout=120
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "0 broken" in done.stdout


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_a_module_is_short_enough_to_read(path: Path) -> None:
    assert len(path.read_text(encoding="utf-8").splitlines()) <= LONGEST


def _texts(path: Path) -> Iterator[tuple[int, str]]:
    """Every text constant of a module but its docstrings."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    docstrings = {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)
        and node.body
        and isinstance(node.body[0], ast.Expr)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docstrings:
            yield node.lineno, node.value


@pytest.mark.parametrize(
    "path",
    [path for path in MODULES if "store" not in path.relative_to(PACKAGE).parts],
    ids=lambda path: str(path.relative_to(PACKAGE)),
)
def test_sql_lives_in_the_store_alone(path: Path) -> None:
    assert [(line, text) for line, text in _texts(path) if SQL.search(text)] == []


def test_sql_would_be_seen() -> None:
    """The rule's own check: it sees the store's SQL, and is not blind."""
    store = [path for path in MODULES if "readings" in path.parts]
    assert any(SQL.search(text) for path in store for _, text in _texts(path))


def test_the_public_names_are_few_and_each_is_there() -> None:
    assert len(relkit.__all__) <= 25
    assert sorted(relkit.__all__) == list(relkit.__all__)
    for name in relkit.__all__:
        assert getattr(relkit, name) is not None
    assert set(relkit.__all__) <= set(dir(relkit))


def test_an_unknown_public_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="module 'relkit' has no attribute 'nothing'"):
        _ = relkit.nothing  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    "path",
    [path for path in MODULES if path.name != "__init__.py" or path.stat().st_size],
    ids=lambda path: str(path.relative_to(PACKAGE)),
)
def test_a_module_says_what_it_is_for(path: Path) -> None:
    assert ast.get_docstring(ast.parse(path.read_text(encoding="utf-8")))


SKIPS = """
import pytest

@pytest.mark.skipif(True, reason="chromium is not installed")
def test_a(): ...

def test_b():
    pytest.skip("node is not installed")

@pytest.fixture
def tool():
    pytest.skip("promtool is not installed")

def test_c(tool): ...

def test_d():
    pytest.skip("the trace is not beside the project")

@pytest.mark.xfail(reason="chromium draws it otherwise")
def test_e():
    assert False
"""


@pytest.mark.parametrize(
    ("setting", "expected"), [("1", "1 failed, 1 skipped, 1 xfailed, 2 errors"), ("", "4 skipped, 1 xfailed")]
)
def test_a_skip_for_want_of_a_program_fails_where_all_are_installed(
    setting: str, expected: str, tmp_path: Path
) -> None:
    """RELKIT_NO_SKIP=1 is CI's word that Chromium, node and promtool are there; other skips stay skips."""
    shutil.copy(PROJECT / "tests" / "conftest.py", tmp_path)
    (tmp_path / "test_skips.py").write_text(SKIPS)
    words = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--rootdir", str(tmp_path), str(tmp_path)]
    environment = {**os.environ, "RELKIT_NO_SKIP": setting}
    done = subprocess.run(words, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False, timeout=60)
    assert expected in done.stdout
    assert setting != "1" or "RELKIT_NO_SKIP=1 forbids this skip: " in done.stdout
