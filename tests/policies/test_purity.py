"""The decisions compile: no text, no exception, no clock, no draw of their own, no whole-number power, no Enum."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

from relkit.policies.records import BreakerSettings, BreakerState, Peers

ROOM = Path(__file__).parents[2] / "relkit/policies"
DECISIONS = ("backoff", "breaker", "loop", "retry", "retry_budget", "switches", "transitions", "trips", "windows")
BANNED_MODULES = {"numba", "numpy", "pandas", "time", "random", "datetime", "enum", "threading"}
# A numpy record would hide a field of such a name (tried: `base` crashed).
NUMPY_NAMES = {
    "T", "all", "any", "astype", "base", "byteswap", "choose", "clip", "compress", "conj", "conjugate", "copy", "cumprod",
    "cumsum", "data", "device", "diagonal", "dtype", "dump", "dumps", "fill", "flags", "flat", "flatten", "getfield", "imag",
    "item", "itemset", "itemsize", "max", "mean", "min", "nbytes", "ndim", "newbyteorder", "nonzero", "prod", "ptp", "put",
    "ravel", "real", "repeat", "reshape", "resize", "round", "searchsorted", "setfield", "setflags", "shape", "size", "sort",
    "squeeze", "std", "strides", "sum", "swapaxes", "take", "tobytes", "tofile", "tolist", "trace", "transpose", "var", "view",
}  # fmt: skip


def tree(module: str) -> ast.Module:
    return ast.parse((ROOM / f"{module}.py").read_text(encoding="utf-8"))


def functions(module: str) -> list[ast.FunctionDef]:
    """The free functions of a module; a record's own methods run at its making and need not compile."""
    return [node for node in tree(module).body if isinstance(node, ast.FunctionDef)]


@pytest.mark.parametrize("module", DECISIONS)
def test_no_decision_raises_to_a_power(module: str) -> None:
    """Whole-number powers differ between CPython and numba in 26 % of cases: multiply instead."""
    nodes = ast.walk(tree(module))
    assert [
        node.lineno for node in nodes if isinstance(node, ast.BinOp | ast.AugAssign) and isinstance(node.op, ast.Pow)
    ] == []


@pytest.mark.parametrize("module", ["breaker", "switches", "transitions", "trips", "windows"])
def test_decisions_hold_no_text_and_raise_nothing(module: str) -> None:
    for function in functions(module):
        body = function.body[1:] if ast.get_docstring(function) else function.body
        for node in (inner for statement in body for inner in ast.walk(statement)):
            assert not isinstance(node, ast.Raise | ast.Try | ast.JoinedStr | ast.With), (module, node.lineno)
            assert not (isinstance(node, ast.Constant) and isinstance(node.value, str)), (module, node.lineno)


@pytest.mark.parametrize("module", DECISIONS)
def test_decisions_import_no_clock_and_no_chance(module: str) -> None:
    for node in ast.walk(tree(module)):
        names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        if isinstance(node, ast.ImportFrom):
            names = [node.module or ""]
        assert not {name.split(".")[0] for name in names} & BANNED_MODULES, module


@pytest.mark.parametrize("record", [BreakerSettings, BreakerState, Peers])
def test_records_are_flat_numbers_whose_names_numpy_leaves_free(record: type) -> None:
    assert set(record.__annotations__.values()) <= {int, float, bool}
    assert not set(record.__annotations__) & NUMPY_NAMES
    assert not hasattr(record(), "__dict__")


def test_the_room_loads_nothing_heavy() -> None:
    code = "import sys, relkit.policies.guard, relkit.policies.presets; print(sorted(set(sys.modules) & {names}))"
    names = {"numpy", "pandas", "numba", "scipy", "duckdb", "matplotlib", "pydantic"}
    done = subprocess.run([sys.executable, "-c", code.format(names=names)], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
