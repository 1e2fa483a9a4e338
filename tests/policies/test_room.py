"""The room of policies loads nothing heavy, and its decisions have no clock and no chance of their own."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOM = Path(__file__).parents[2] / "relkit/policies"
DECISIONS = ("backoff", "breaker", "loop", "retry", "retry_budget", "switches", "transitions", "trips", "windows")
BANNED = {"numba", "numpy", "pandas", "time", "random", "datetime", "enum", "threading"}


@pytest.mark.parametrize("module", DECISIONS)
def test_decisions_import_no_clock_no_chance_and_no_enum(module: str) -> None:
    for node in ast.walk(ast.parse((ROOM / f"{module}.py").read_text(encoding="utf-8"))):
        names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        if isinstance(node, ast.ImportFrom):
            names = [node.module or ""]
        assert not {name.split(".")[0] for name in names} & BANNED, module


def test_the_room_loads_nothing_heavy() -> None:
    heavy = {"numpy", "pandas", "numba", "scipy", "duckdb", "matplotlib", "pydantic"}
    code = f"import sys, relkit.policies.guard, relkit.policies.presets; print(sorted(set(sys.modules) & {heavy}))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
