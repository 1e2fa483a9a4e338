"""The settings of a live trial: each with its group, its unit and the range that the settings' own checks allow."""

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, fields, replace
from typing import Any, Final

from relkit.exceptions import ParameterError
from relkit.policies.codes import CHOICES
from relkit.policies.fallback import FallbackModel, FallbackSettings
from relkit.policies.policy import Policy
from relkit.policies.presets import changed
from relkit.policies.records import BreakerSettings
from relkit.policies.retry_budget import BUDGETS, UNLIMITED, RetryBudgetSettings
from relkit.policies.retry_settings import NO_RETRIES, RETRY_CHOICES, Retry, RetrySettings
from relkit.simulation.scenario import Scenario, ServedModel

TIMEOUT: Final = "attempt_timeout_s"
SECOND: Final = "second_model"
PAYS: Final = "uses_budget"
ENDLESS: Final = 1e6
"""Shown for a time without a limit: eleven days, longer than any run."""
GROUPS: Final = (
    "when it opens",
    "how long it stays open",
    "half open",
    "retries",
    "RetryBudget",
    "timeout and fallback",
)
_SLIDERS: Final = {
    "failure_share": (0.0, 1.0), "open_s": (0.0, 300.0), "min_calls": (0, 100), "window_calls": (0, 200), "failure_threshold": (0, 50)
}  # fmt: skip
FIRST: Final = tuple(_SLIDERS)
"""Settings that have a slider above the groups."""
_LASTING: Final = ("open_", "trips_", "waits_for_call", "probe_")
_WORDS: Final = {**CHOICES, **RETRY_CHOICES, "budget_family": BUDGETS}
_UNITS: Final = {
    "_s": "s", "_share": "share", "_cap": "share", "_jitter": "share", "_gap": "share", "_low": "share", "_high": "share",
    "_threshold": "failures", "_floor": "failures", "_ceiling": "failures", "_calls": "calls", "_permits": "calls",
    "_successes": "calls", "_factor": "factor", "_limit": "nats", "_doubt": "standard errors", "_peers": "members",
    "_attempts": "tries", "_retries": "retries", "capacity": "tokens", "earn": "tokens", "cost": "tokens", "_per_s": "a second",
    "growth": "factor", "load_threshold": "share", "buckets": "parts",
}  # fmt: skip
_STEPS: Final = {"share": 0.01, "s": 0.5}
_ROOMY: Final = replace(NO_RETRIES, cap_s=math.inf, hint_cap_s=math.inf)
_WINDOW_TOKENS: Final = 1_000_000


@dataclass(frozen=True, slots=True)
class Knob:
    """One setting that can be moved.

    Parameters
    ----------
    name, group, unit : str
        Field name of the settings, one of `GROUPS`, and its unit; empty for none.
    value : bool, int or float
        Where it stands; a number for a word.
    low, high, step : float
        Range that the settings' own checks allow, a slider's at most as far as it is of use; 0, 0, 0 for a switch or a word.
    words : tuple of str
        What it can be, in the order of the numbers; empty for numbers and switches.

    Examples
    --------
    >>> Knob("open_s", "how long it stays open", "s", 30.0, 0.5, 300.0, 0.5).words
    ()
    """

    name: str
    group: str
    unit: str
    value: Any
    low: float = 0.0
    high: float = 0.0
    step: float = 0.0
    words: tuple[str, ...] = ()


def knobs_of(policy: Policy, scenario: Scenario) -> tuple[Knob, ...]:
    """Return a knob for every setting of breaker, retries and RetryBudget, for the timeout, and for a second model.

    Parameters
    ----------
    policy : Policy
        Where they stand; with a breaker. Parts it lacks stand where they do nothing.
    scenario : Scenario
        Whose timeout of an attempt it is.

    Examples
    --------
    >>> from relkit.policies.presets import presets
    >>> from relkit.simulation.suite import w0
    >>> found = {each.name: each for each in knobs_of(presets["plan-fixed"], w0(1000))}
    >>> found["failure_share"].low, found["failure_share"].high, found["max_attempts"].value, found["jitter"].words[0]
    (0.01, 1.0, 3, 'no_jitter')
    """
    whole = whole_of(policy)
    return tuple(_knobs(whole, scenario))


def whole_of(policy: Policy) -> Policy:
    """Return a policy that behaves alike and has retries: one try where it had none, so that there is something to move."""
    return policy if policy.retry is not None else replace(policy, retry=Retry.of(NO_RETRIES))


def tried(
    policy: Policy, scenario: Scenario, before: Mapping[str, Any], after: Mapping[str, Any]
) -> tuple[Policy, Scenario]:
    """Return policy and scenario with what was moved.

    Parameters
    ----------
    policy, scenario : Policy, Scenario
        Before.
    before, after : mapping
        Values of the knobs by name, then and now. Those that stand where they stood change nothing: a policy may treat
        rate limits and other failures differently, and a knob shows the first of both.

    Returns
    -------
    tuple of Policy and Scenario
        A second model is like the first, runs elsewhere, and is not in the trouble of the first.

    Raises
    ------
    ParameterError
        No policy can have these settings.
    """
    moved = {name: _back(value) for name, value in after.items() if value != before[name]}
    timeout_s = moved.pop(TIMEOUT, None)
    has_second, pays = moved.pop(SECOND, False), moved.pop(PAYS, after[PAYS])
    found = changed(whole_of(policy), **moved) if moved else policy
    found = replace(found, fallback=None)
    if timeout_s is not None:
        scenario = scenario.changed(timeout_s=timeout_s)
    if has_second:
        first = scenario.models[0]
        second = replace(first, name=f"second {first.name}", provider=f"second {first.provider}")
        scenario = scenario.changed(models=(first, second))
        found = replace(found, fallback=FallbackSettings((_in_chain(first), _in_chain(second)), uses_budget=bool(pays)))
    return found, scenario


def _back(value: Any) -> Any:
    return math.inf if isinstance(value, float) and value >= ENDLESS else value


def _in_chain(model: ServedModel) -> FallbackModel:
    return FallbackModel(model.name, model.provider, _WINDOW_TOKENS)


def _knobs(policy: Policy, scenario: Scenario) -> Iterator[Knob]:
    breaker, retry, budget = policy.breaker, policy.retry, policy.retry_budget or UNLIMITED
    assert breaker is not None
    assert retry is not None
    for each in fields(BreakerSettings):
        yield _knob(each.name, _group(each.name), breaker, BreakerSettings())
    for each in fields(RetrySettings):
        yield _knob(each.name, "retries", retry.transient, _ROOMY)
    for each in fields(RetryBudgetSettings):
        yield _knob(each.name, "RetryBudget", budget, UNLIMITED)
    shown_s = min(scenario.timeout_s, ENDLESS)
    yield Knob(TIMEOUT, GROUPS[-1], "s", shown_s, 0.5, max(60.0, shown_s), 0.5)
    yield Knob(SECOND, GROUPS[-1], "", value=False)
    yield Knob(PAYS, GROUPS[-1], "", value=True)


def _group(name: str) -> str:
    if name.startswith("half_open") or name == "permits_in_all":
        return GROUPS[2]
    return GROUPS[1] if name.startswith(_LASTING) else GROUPS[0]


def _knob(name: str, group: str, settings: Any, plain: Any) -> Knob:
    value = getattr(settings, name)
    if name in _WORDS:
        return Knob(name, group, "", value, words=_WORDS[name])
    if isinstance(value, bool):
        return Knob(name, group, "", value)
    unit = _unit(name)
    shown = min(value, ENDLESS) if isinstance(value, float) else value
    step: float = 1 if isinstance(value, int) else _STEPS.get(unit, 0.1)
    low, high = (type(value)(end) for end in _SLIDERS.get(name, (0, ENDLESS)))

    def allows(number: float) -> bool:
        return any(_fits(replace, base, name, type(value)(number)) for base in (settings, plain))

    return Knob(name, group, unit, shown, *_within(allows, shown, low, max(high, shown), step), step)


def _unit(name: str) -> str:
    ends = sorted((end for end in _UNITS if name.endswith(end)), key=len)
    return _UNITS[ends[-1]] if ends else ""


def _fits(make: Callable[..., Any], base: Any, name: str, value: Any) -> bool:
    try:
        make(base, **{name: value})
    except ParameterError:
        return False
    return True


def _within(allows: Callable[[float], bool], value: float, low: float, high: float, step: float) -> tuple[float, float]:
    """Return the ends of the range that the checks take, in steps from `low`; `value` is one that they take."""
    return (
        _last(allows, value, low, step) if not allows(low) else low,
        _last(allows, value, high, step) if not allows(high) else high,
    )


def _last(allows: Callable[[float], bool], good: float, bad: float, step: float) -> float:
    """Bisect to the last multiple of a step that is allowed on the way from a good number to a bad one."""
    from_step, to_step = round(good / step), round(bad / step)
    while abs(to_step - from_step) > 1:
        middle = (from_step + to_step) // 2
        if allows(round(middle * step, 9)):
            from_step = middle
        else:
            to_step = middle
    return type(good)(round(from_step * step, 9))
