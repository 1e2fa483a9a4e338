"""What cannot be simulated is refused before anything runs, with a remedy."""

import math
from collections.abc import Callable

import pytest

import relkit
from relkit.errors import ErrorKind
from relkit.exceptions import ParameterError
from relkit.policies.fallback import FallbackModel, FallbackSettings
from relkit.policies.policy import Policy
from relkit.policies.presets import presets
from relkit.policies.retry_settings import Retry, RetrySettings
from relkit.simulation.arrivals import modulated, poisson, replayed, varying
from relkit.simulation.episodes import brownout, outage, rate_limited, slow
from relkit.simulation.latency import constant, empirical, exponential, lognormal, mixture
from relkit.simulation.run import simulate
from relkit.simulation.scenario import CachedAnswers, ErrorShare, Scenario, ServedModel
from relkit.simulation.suite import w0, w1

REFUSED: dict[str, tuple[Callable[[], object], str]] = {
    "negative rate": (lambda: poisson(-1.0), "rate"),
    "no rate at all": (lambda: varying([(5.0, 0.0)]), "one above 0"),
    "state without length": (lambda: modulated([(0.0, 5.0)]), "length_s"),
    "log that runs backwards": (lambda: replayed([1.0, 0.5]), "sort the log"),
    "empty log": (lambda: replayed([]), "at least one time"),
    "negative latency": (lambda: exponential(-1.0), "negative"),
    "infinite latency": (lambda: constant(math.inf), "finite"),
    "negative spread": (lambda: lognormal(1.0, -0.5), "sigma"),
    "shares beyond one": (lambda: mixture([(0.7, 1.0, 0.1), (0.7, 2.0, 0.1)]), "add up to 1"),
    "one observation": (lambda: empirical([1.0]), "at least two"),
    "no capacity": (lambda: ServedModel("m", "p", constant(1.0), servers=0), "outage episode"),
    "negative queue": (lambda: ServedModel("m", "p", constant(1.0), queue=-2), "places to wait"),
    "errors beyond one": (
        lambda: ServedModel("m", "p", constant(1.0), errors=(ErrorShare(ErrorKind.UNKNOWN, 0.6),) * 2),
        "at most 1",
    ),
    "share beyond one": (lambda: ErrorShare(ErrorKind.UNKNOWN, 1.5), "from 0 to 1"),
    "episode that ends first": (lambda: outage("*", 5.0, 5.0), "start_s < end_s"),
    "episode's share": (lambda: brownout("*", 0.0, 5.0, 1.2), "from 0 to 1"),
    "time that stands still": (lambda: slow("*", 0.0, 5.0, 0.0), "slow_factor"),
    "negative Retry-After": (lambda: rate_limited("*", 0.0, 5.0, 0.5, -1.0), "retry_after_s"),
    "overlapping episodes": (
        lambda: w1().changed(episodes=(outage("first", 0.0, 9.0), slow("*", 8.0, 20.0, 2.0))),
        "do not overlap",
    ),
    "episode of nobody": (lambda: w1().changed(episodes=(outage("fourth", 0.0, 9.0),)), "name a model, a provider"),
    "no requests": (lambda: w1().changed(requests=0), "whole number from 1"),
    "more than memory holds": (lambda: w1().changed(requests=10**12), "several seeds"),
    "more than the log": (lambda: w1().changed(arrivals=replayed([0.0]), requests=2), "longer log"),
    "no model": (lambda: w1().changed(models=()), "at least one model"),
    "a model twice": (lambda: w1().changed(models=w1().models[:1] * 2), "every model once"),
    "no time": (lambda: w1().changed(timeout_s=0.0), "above 0"),
    "no client": (lambda: w1().changed(clients=0), "from 1"),
    "no key": (lambda: CachedAnswers(0, 0.8, 10), "keys"),
    "no room in the cache": (lambda: CachedAnswers(10, 0.8, 0), "leave the cache out"),
    "negative seed": (lambda: simulate(w0(10), presets["plan"], -1), "seed"),
    "unknown engine": (lambda: simulate(w0(10), presets["plan"], 1, engine="gpu"), "kernel, oracle"),
    "chain of strangers": (
        lambda: simulate(
            w0(10), Policy("p", "2026-11", "s", fallback=FallbackSettings((FallbackModel("x", "y", 10),))), 1
        ),
        "add it to the scenario",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_be_is_refused_with_a_remedy(case: str) -> None:
    made, words = REFUSED[case]
    with pytest.raises(ParameterError, match=words.replace("(", r"\(")) as told:
        made()
    assert "; " in str(told.value), "a remedy stands behind the semicolon"


def test_a_request_that_never_ends_is_refused() -> None:
    policy = Policy("p", "2026-11", "s", retry=Retry.of(RetrySettings(max_attempts=0, first_delay_s=0.0)))
    down = w0(1).changed(episodes=(outage("*", 0.0, 1e9),))
    with pytest.raises(ParameterError, match="set max_attempts"):
        simulate(down, policy, 1)


def test_the_public_names_are_these() -> None:
    assert relkit.simulate is simulate
    assert relkit.Scenario is Scenario
