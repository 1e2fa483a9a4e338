"""A small service with a fallback, its suite, and one sweep of it that several tests look at."""

from dataclasses import replace

import pytest

from relkit.errors import ErrorKind
from relkit.policies.fallback import FallbackModel, FallbackSettings
from relkit.policies.policy import Policy
from relkit.policies.presets import presets
from relkit.simulation.arrivals import poisson
from relkit.simulation.latency import lognormal
from relkit.simulation.scenario import ErrorShare, Scenario, ServedModel
from relkit.tune import Log, Space, Sweep, Whole, around
from relkit.tune.sweep import sweep

_USUAL = (ErrorShare(ErrorKind.API_SERVER_ERROR, 0.01),)


@pytest.fixture(scope="session")
def chat() -> Scenario:
    models = tuple(
        ServedModel(name, name, lognormal(0.45, 0.6), 40, 256, _USUAL, cost_microusd=cost)
        for name, cost in (("first", 130), ("second", 260))
    )
    return Scenario("chat", 1500, poisson(50.0), models, timeout_s=3.0)


@pytest.fixture(scope="session")
def today() -> Policy:
    chain = FallbackSettings(
        (FallbackModel("first", "first", 8192), FallbackModel("second", "second", 8192)), uses_budget=False
    )
    return replace(presets["plan-fixed"], name="chat", fallback=chain)


@pytest.fixture(scope="session")
def suite(chat: Scenario) -> tuple[Scenario, ...]:
    return tuple(each for each in around(chat) if each.name in {"healthy", "outage", "gray"})


@pytest.fixture(scope="session")
def space(today: Policy) -> Space:
    return Space(
        today, {"failure_threshold": Whole(2, 5), "open_s": Log(2.0, 30.0), "max_attempts": Whole(1, 4)}, [today]
    )


@pytest.fixture(scope="session")
def found(space: Space, suite: tuple[Scenario, ...]) -> Sweep:
    return sweep(space.design(16), suite, 3, workers=1)
