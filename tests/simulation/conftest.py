from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from relkit.simulation.demo import Demo, demo_week


@pytest.fixture(scope="session")
def demo() -> Demo:
    return demo_week()


@pytest.fixture(scope="session")
def weeks() -> list[tuple[Mapping[str, Any], Mapping[str, Sequence[Any]]]]:
    """Truth and pairs of the weeks of seeds 0 to 11."""
    demos = (demo_week(seed) for seed in range(12))
    return [(demo.truth, demo.batches[2].columns) for demo in demos]


@pytest.fixture(scope="session")
def attempts(demo: Demo) -> Mapping[str, Sequence[Any]]:
    return demo.batches[0].columns


@pytest.fixture(scope="session")
def pairs(demo: Demo) -> Mapping[str, Sequence[Any]]:
    return demo.batches[2].columns
