"""Grids and traces that the tests of the slo room share."""

import csv
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from relkit.slo import Minutes

TRACES = Path(__file__).parents[3] / "shared" / "traces"


@pytest.fixture
def trace() -> Callable[[str], list[dict[str, str]]]:
    def read(name: str) -> list[dict[str, str]]:
        path = TRACES / name
        if not path.exists():
            pytest.skip(f"the trace {name} is not beside the project; it is not ours to publish")
        with path.open(newline="", encoding="utf-8") as lines:
            return list(csv.DictReader(lines))

    return read


@pytest.fixture
def grid() -> Callable[..., Minutes]:
    def make(good: list[int], bad: list[int], covered: list[bool] | None = None, start_minute: int = 0) -> Minutes:
        none = np.zeros(len(good), dtype=np.int64)
        there = np.ones(len(good), dtype=bool) if covered is None else np.array(covered, dtype=bool)
        return Minutes(start_minute, np.array(good, np.int64), np.array(bad, np.int64), none, none, there)

    return make
