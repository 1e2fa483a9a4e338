"""What one request comes to under the plan's chain of models, played by the engine: calls made, time lost on a dead model."""

from dataclasses import replace
from typing import Final

from relkit.errors import ErrorKind
from relkit.policies.fallback import FallbackModel, FallbackSettings
from relkit.policies.policy import Policy
from relkit.policies.presets import presets
from relkit.simulation.arrivals import poisson
from relkit.simulation.latency import constant
from relkit.simulation.run import simulate
from relkit.simulation.scenario import ErrorShare, Scenario, ServedModel

_NAMES: Final = ("first", "second", "third")
_WINDOW_TOKENS: Final = 8192
_ANSWER_S: Final = 0.5
_SEED: Final = 1


def chained(name: str, *, breaker: bool = False) -> Policy:
    """Return a preset with a chain of three models of one provider.

    Parameters
    ----------
    name : str
        The preset.
    breaker : bool
        Whether its breakers are asked; the plan's fallback does not ask them.

    Examples
    --------
    >>> [model.name for model in chained("plan").fallback.models]
    ['first', 'second', 'third']
    """
    chain = FallbackSettings(tuple(FallbackModel(model, "one", _WINDOW_TOKENS) for model in _NAMES), uses_budget=False)
    found = presets[name]
    return replace(found, fallback=chain, breaker=found.breaker if breaker else None)


def _models(errors: tuple[ErrorShare, ...], *, others_fail: bool) -> tuple[ServedModel, ...]:
    return tuple(
        ServedModel(name, "one", constant(_ANSWER_S), errors=errors if others_fail or not place else ())
        for place, name in enumerate(_NAMES)
    )


def calls_a_request(name: str, kind: ErrorKind = ErrorKind.NETWORK_REFUSED) -> float:
    """Return the calls that one request makes when every model fails in one way.

    Parameters
    ----------
    name : str
        Preset; its breaker is left out, which a single request would not open anyway.
    kind : ErrorKind
        How every call fails.

    Examples
    --------
    >>> calls_a_request("plan"), calls_a_request("plan-fixed"), calls_a_request("plan-critical")
    (18.0, 6.0, 33.0)
    """
    models = _models((ErrorShare(kind, 1.0),), others_fail=True)
    run = simulate(Scenario("all fail", 1, poisson(1.0), models), chained(name), _SEED)
    return run.attempts_per_request


def first_model_delay_s(name: str, requests: int = 400) -> float:
    """Return the median time that a request loses before the second model is asked, while the first is down.

    Parameters
    ----------
    name : str
        Preset; the plan's chain asks no breaker, any other's does.
    requests : int
        Requests of the run, 5 a second.

    Examples
    --------
    >>> first_model_delay_s("plan") > 1.0, first_model_delay_s("plan-fixed")
    (True, 0.0)
    """
    models = _models((ErrorShare(ErrorKind.NETWORK_REFUSED, 1.0),), others_fail=False)
    run = simulate(
        Scenario("first is down", requests, poisson(5.0), models), chained(name, breaker=name != "plan"), _SEED
    )
    return round(float(run.latency_s(0.5)[0]) - _ANSWER_S, 9)
