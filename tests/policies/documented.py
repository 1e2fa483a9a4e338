"""How the tables of documented behaviours are written: a script, and what its steps must be."""

from collections.abc import Sequence
from typing import Any

import pytest

from relkit import drive

BAD = ("call", "failure")
OK = ("call", "success")
SLOW_BAD = ("call", "slow_failure")
IGNORED = ("call", "ignored")
ABANDONED = ("call", "abandoned")


def wait(seconds: float) -> tuple[str, float]:
    """Return the line that lets time pass."""
    return "wait", seconds


def starts(names: str) -> list[tuple[str, str]]:
    """Return lines that start a call for each letter."""
    return [("start", name) for name in names]


def rule(says: str, preset: str, script: Sequence[Any], expected: dict[int, dict[str, Any]], **settings: Any) -> Any:
    """Return one row of a table: the rule, and the fields that the steps at some places must have."""
    return pytest.param(preset, script, expected, settings, id=says)


def delays(says: str, preset: str, script: Sequence[Any], *waits_s: float | None, **settings: Any) -> Any:
    """Return one row about the waits before the retries, in the order of the script."""
    return rule(says, preset, script, {place: {"delay_s": each} for place, each in enumerate(waits_s)}, **settings)


def check(preset: str, script: Sequence[Any], expected: dict[int, dict[str, Any]], settings: dict[str, Any]) -> None:
    """Play a script and compare the steps; numbers to twelve digits."""
    steps = drive(preset, script, **settings)
    for place, named in expected.items():
        for name, value in named.items():
            got = getattr(steps[place], name)
            assert got == (pytest.approx(value, rel=1e-12) if isinstance(value, float) else value), (
                f"step {place}: {name} is {got}, not {value}: {steps[place].sentence}"
            )
