"""The decisions of this room can be compiled as they stand: arithmetic on numbers, and nothing else inside."""

import ast
import inspect
import typing
from dataclasses import fields
from types import FunctionType

import numpy as np
import pytest

from relkit.policies import (
    backoff,
    breaker,
    fallback,
    freshness,
    loop,
    retry,
    retry_budget,
    switches,
    transitions,
    trips,
    windows,
)
from relkit.policies.failure import Failure
from relkit.policies.freshness import FreshnessSettings
from relkit.policies.records import BreakerSettings, BreakerState, Peers
from relkit.policies.retry import RetryState
from relkit.policies.retry_budget import RetryBudgetSettings, RetryBudgetState
from relkit.policies.retry_settings import RetrySettings

# Names on the border of the room, which check, raise or build records.
BORDER = {"refuse_unbudgeted", "settings_for", "waits", "new_breaker"}
DECISIONS = [
    function
    for module in (
        backoff,
        breaker,
        fallback,
        freshness,
        loop,
        retry,
        retry_budget,
        switches,
        transitions,
        trips,
        windows,
    )
    for name, function in vars(module).items()
    if isinstance(function, FunctionType) and function.__module__ == module.__name__ and name not in BORDER
]
RECORDS = [
    BreakerSettings,
    BreakerState,
    Failure,
    FreshnessSettings,
    Peers,
    RetryBudgetSettings,
    RetryBudgetState,
    RetrySettings,
    RetryState,
]
FORBIDDEN = (ast.Raise, ast.Try, ast.JoinedStr, ast.Dict, ast.DictComp, ast.ListComp, ast.Lambda, ast.With, ast.Yield)


def body_of(function):
    """The statements of a function without its docstring."""
    tree = ast.parse(inspect.getsource(function)).body[0]
    assert isinstance(tree, ast.FunctionDef)
    return tree.body[1:] if ast.get_docstring(tree) else tree.body


@pytest.mark.parametrize("function", DECISIONS, ids=lambda function: function.__name__)
def test_a_decision_holds_no_text_no_exception_and_no_power(function):
    """Integer powers differ between compiled and interpreted code in their last digit."""
    for statement in body_of(function):
        for node in ast.walk(statement):
            assert not isinstance(node, FORBIDDEN), ast.dump(node)
            assert not (isinstance(node, ast.BinOp) and isinstance(node.op, ast.Pow))
            assert not (isinstance(node, ast.Constant) and isinstance(node.value, str))


@pytest.mark.parametrize("record", RECORDS, ids=lambda record: record.__name__)
def test_a_record_is_flat_numbers_under_names_that_numpy_does_not_use(record):
    """A field called like an attribute of a numpy record would be read as that attribute."""
    hints = typing.get_type_hints(record)
    taken = set(dir(np.recarray)) | set(dir(np.record))
    for field in fields(record):
        assert hints[field.name] in {int, float, bool}
        assert field.name not in taken


@pytest.mark.parametrize("record", RECORDS, ids=lambda record: record.__name__)
def test_every_field_has_one_meaning_that_is_written_down(record):
    """The plan sets a monitoringPeriod of 10 s and never says what it is; times here carry their unit in the name."""
    assert record.__doc__ is not None
    told = record.__doc__.split("Parameters\n    ----------\n")[1]
    heads = {name for line in told.splitlines() if " : " in line for name in line.split(" : ")[0].strip().split(", ")}
    assert {field.name for field in fields(record)} <= heads
    assert not any(field.name.lower().endswith(("period", "timeout", "delay", "interval")) for field in fields(record))


def test_the_test_sees_the_decisions():
    assert len(DECISIONS) > 50
    assert {"allow", "settle", "decide", "withdraw", "backoff_s", "next_model"} <= {each.__name__ for each in DECISIONS}
