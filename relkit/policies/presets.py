"""Named policies with their source and date: what libraries do by default, what the plan says, and relkit's own.

A library's numbers are not advice. A preset without a date would be wrong: AWS changed its own on 10 November 2026.
"""

from collections.abc import Iterator, Mapping
from dataclasses import fields
from typing import Any, Final, NoReturn

from relkit.exceptions import ParameterError
from relkit.policies._checks import meant
from relkit.policies.breaker_presets import BREAKER_PRESETS
from relkit.policies.policy import Policy
from relkit.policies.records import BreakerSettings
from relkit.policies.retry_budget import UNLIMITED, RetryBudgetSettings
from relkit.policies.retry_presets import RETRY_PRESETS
from relkit.policies.retry_settings import RetrySettings


class Presets(Mapping[str, Policy]):
    """All presets by name, in a fixed order; an unknown name is refused with the names there are.

    Examples
    --------
    >>> presets["polly-8"].breaker.failure_share, presets["aws-standard-2026"].dated
    (0.1, '2026-11-10')
    """

    def __init__(self, policies: Mapping[str, Policy]) -> None:
        self._policies = dict(policies)

    def __getitem__(self, name: str) -> Policy:
        if name not in self._policies:
            raise ParameterError.of(
                "preset", name, ", ".join(self._policies), meant(name, self._policies, "use one of these names")
            )
        return self._policies[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._policies)

    def __len__(self) -> int:
        return len(self._policies)

    def __contains__(self, name: object) -> bool:
        return name in self._policies

    def __repr__(self) -> str:
        return f"Presets({', '.join(self._policies)})"


def _joined(name: str) -> Policy:
    """Return a preset of both halves; where they differ in date or source, both are told."""
    parts = [part for part in (BREAKER_PRESETS.get(name), RETRY_PRESETS.get(name)) if part is not None]
    breaker, retry = BREAKER_PRESETS.get(name), RETRY_PRESETS.get(name)
    return Policy(
        name=name,
        dated=max(part.dated for part in parts),
        source=" ".join(part.source for part in parts),
        breaker=None if breaker is None else breaker.breaker,
        retry=None if retry is None else retry.retry,
        retry_budget=None if retry is None or retry.retry_budget == UNLIMITED else retry.retry_budget,
    )


presets: Final = Presets({name: _joined(name) for name in dict.fromkeys((*BREAKER_PRESETS, *RETRY_PRESETS))})
"""Every preset by name."""

_BREAKER_FIELDS: Final = frozenset(field.name for field in fields(BreakerSettings))
_RETRY_FIELDS: Final = frozenset(field.name for field in fields(RetrySettings))
_BUDGET_FIELDS: Final = frozenset(field.name for field in fields(RetryBudgetSettings))


def changed(policy: Policy, **overrides: Any) -> Policy:
    """Return a policy with settings of its breaker, retries or RetryBudget replaced.

    Parameters
    ----------
    policy : Policy
        Where to begin.
    **overrides
        Field names of `BreakerSettings`, `RetrySettings` or `RetryBudgetSettings` and their values; words where a field
        is one of several.

    Returns
    -------
    Policy
        The changed copy.

    Raises
    ------
    ParameterError
        For a name that no part of the policy has, or a value that does not fit.

    Examples
    --------
    >>> changed(presets["pybreaker"], failure_threshold=3).breaker.failure_threshold
    3
    """
    of_breaker = {name: value for name, value in overrides.items() if name in _BREAKER_FIELDS}
    of_retry = {name: value for name, value in overrides.items() if name in _RETRY_FIELDS}
    of_budget = {name: value for name, value in overrides.items() if name in _BUDGET_FIELDS}
    for name in overrides:
        if not (name in of_breaker and policy.breaker) and not (name in {*of_retry, *of_budget} and policy.retry):
            _refuse_field(policy, name)
    breaker, retry, budget = policy.breaker, policy.retry, policy.retry_budget
    return Policy(
        name=policy.name,
        dated=policy.dated,
        source=policy.source,
        breaker=None if breaker is None else breaker.changed(**of_breaker),
        retry=None if retry is None else retry.changed(**of_retry),
        retry_budget=(budget or UNLIMITED).changed(**of_budget) if of_budget else budget,
        fallback=policy.fallback,
        freshness=policy.freshness,
    )


def _refuse_field(policy: Policy, name: str) -> NoReturn:
    of_retries = sorted(_RETRY_FIELDS | _BUDGET_FIELDS) if policy.retry else ()
    known = [*(sorted(_BREAKER_FIELDS) if policy.breaker else ()), *of_retries]
    if name in _BREAKER_FIELDS or name in _RETRY_FIELDS | _BUDGET_FIELDS:
        remedy = f"{policy.name} has no {'breaker' if name in _BREAKER_FIELDS else 'retries'}: take a preset that has"
    else:
        remedy = meant(name, known, f"use the name of a setting that {policy.name} has")
    raise ParameterError.of("setting", name, ", ".join(known), remedy)
