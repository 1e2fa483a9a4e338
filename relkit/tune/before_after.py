"""Before and after the plan: nothing, the plan, the plan put right and relkit's choice through the same scenarios and luck.

All four have the same response cache, which the plan counts among what is there already; what they add is told apart.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Final

import numpy as np
import numpy.typing as npt
from scipy.special import stdtrit

from relkit.errors import ErrorKind
from relkit.exceptions import ParameterError
from relkit.policies.fallback import FallbackModel, FallbackSettings
from relkit.policies.freshness import FreshnessSettings
from relkit.policies.policy import Policy
from relkit.policies.presets import changed, presets
from relkit.simulation.run import Run, simulate
from relkit.simulation.scenario import ErrorShare, Scenario
from relkit.simulation.scenario_toml import packaged
from relkit.simulation.suite import SUITE
from relkit.simulation.workload import FRESH, STALE
from relkit.tune.measures import quantiles
from relkit.units import MICROUSD_PER_USD

Floats = npt.NDArray[np.float64]

BARE: Final = "bare"
DATED: Final = "plan as dated"
PLAN: Final = "plan"
FIXED: Final = "plan-fixed"
CHOICE: Final = "our choice"
MEASURED: Final = ("success", "stale", "p95_s", "wasted_per_1k", "usd_per_10k")
_SHARES: Final = frozenset({"success", "stale"})
SEEDS: Final = (101, 102, 103, 104)
"""None of those that `CHOSEN` was chosen on: a choice looks best where it was made."""
CHOSEN: Final[Mapping[str, float]] = MappingProxyType(
    {"open_s": 4.05, "open_max_s": 36.7, "half_open_permits": 7, "max_attempts": 4}
)
"""What `relkit.choose` recommends for this suite: "cheapest with success >= 97 % and p95 <= 2 s in every scenario"."""
_CACHE: Final = FreshnessSettings(ttl_s=300.0)
_DAY_OLD: Final = FreshnessSettings(ttl_s=300.0, stale_on_error_s=86_400.0)
_WINDOW_TOKENS: Final = 8192


def policies(scenario: Scenario) -> Mapping[str, Policy]:
    """Return the policies that are compared, for the models of a scenario.

    Parameters
    ----------
    scenario : Scenario
        Its models are the chain, in their order.

    Returns
    -------
    mapping of str to Policy
        bare: one try of the first model. plan as dated and plan: the plan's breaker, retries and chain (the two differ in
        the scenario, see `dated`). plan-fixed: the same, put right. our choice: that with the
        settings that were chosen on this suite, and answers of a day ago in need.

    Examples
    --------
    >>> list(policies(packaged("outage")))
    ['bare', 'plan as dated', 'plan', 'plan-fixed', 'our choice']
    """
    models = tuple(FallbackModel(model.name, model.provider, _WINDOW_TOKENS) for model in scenario.models)
    chain = FallbackSettings(models, uses_budget=False)
    plan = replace(presets[PLAN], fallback=chain, freshness=_CACHE)
    fixed = replace(presets[FIXED], fallback=chain, freshness=_CACHE)
    ours = replace(changed(fixed, **CHOSEN), name=CHOICE, freshness=_DAY_OLD)
    bare = Policy(BARE, "", "one try, and the cache that was there before", freshness=_CACHE)
    return MappingProxyType({BARE: bare, DATED: plan, PLAN: plan, FIXED: fixed, CHOICE: ours})


def dated(scenario: Scenario) -> Scenario:
    """Return the scenario as it was on the plan's date: every model but the first had been retired and answers 400.

    Examples
    --------
    >>> [model.errors[0].share for model in dated(packaged("outage")).models]
    [0.004, 1.0, 1.0]
    """
    gone = (ErrorShare(ErrorKind.API_NOT_FOUND, 1.0),)
    first, *others = scenario.models
    return scenario.changed(models=(first, *(replace(each, errors=gone) for each in others)))


@dataclass(frozen=True, slots=True)
class Interval:
    """A mean over seeds, with its interval.

    Parameters
    ----------
    value : float
        The mean.
    low, high : float or None
        Student's interval; None for a single seed.
    """

    value: float
    low: float | None
    high: float | None


@dataclass(frozen=True, slots=True, eq=False)
class BeforeAfter:
    """What each policy came to in each scenario with each seed.

    Parameters
    ----------
    names : tuple of str
        Policies, in the order of `policies`.
    scenarios : tuple of str
        Names of the scenarios.
    values : array of float [policy, scenario, seed, measure]
        In the order of `MEASURED`: share of the requests answered, share answered with an old answer, 95th percentile of
        the latency of answers in seconds, tries that brought no answer per 1,000 requests, dollars per 10,000 requests.
    level : float
        Confidence level.
    """

    names: tuple[str, ...]
    scenarios: tuple[str, ...]
    values: Floats
    level: float

    @property
    def seeds(self) -> int:
        """How many seeds."""
        return int(self.values.shape[2])

    def of(self, policy: str, measure: str, scenario: str | None = None) -> Interval:
        """Return a measure, as the mean over the scenarios or in one of them.

        Parameters
        ----------
        policy, measure : str
            One of `names` and of `MEASURED`.
        scenario : str or None
            One of `scenarios`; None for the mean over all.
        """
        found = mean_interval(self._by_seed(policy, measure, scenario), self.level)
        if found.low is None or found.high is None:
            return found
        most = 1.0 if measure in _SHARES else math.inf
        return Interval(found.value, max(found.low, 0.0), min(found.high, most))

    def gain(self, policy: str, over: str, measure: str) -> Interval:
        """Return a measure minus that of another policy, over all scenarios, seed by seed: both met the same luck."""
        return mean_interval(self._by_seed(policy, measure) - self._by_seed(over, measure), self.level)

    def _by_seed(self, policy: str, measure: str, scenario: str | None = None) -> Floats:
        for what, name, known in (("policy", policy, self.names), ("measure", measure, MEASURED)):
            if name not in known:
                raise ParameterError.of(what, name, ", ".join(known), "use one of these names")
        found = self.values[self.names.index(policy), :, :, MEASURED.index(measure)]
        picked: Floats = found.mean(axis=0) if scenario is None else found[self.scenarios.index(scenario)]
        return picked


def mean_interval(values: Floats, level: float) -> Interval:
    """Return the mean and Student's interval, mean ± t(n−1) s/√n.

    >>> found = mean_interval(np.array([1.0, 3.0]), 0.5)
    >>> found.value, round(found.low, 9), round(found.high, 9)
    (2.0, 1.0, 3.0)
    """
    mean, n = float(values.mean()), len(values)
    if n < 2:
        return Interval(mean, None, None)
    half = float(stdtrit(n - 1, (1.0 + level) / 2.0)) * float(values.std(ddof=1)) / math.sqrt(n)
    return Interval(mean, mean - half, mean + half)


def measured(run: Run) -> tuple[float, ...]:
    """Return the measures of a run, in the order of `MEASURED`.

    Examples
    --------
    >>> short = packaged("healthy").changed(requests=500)
    >>> measured(simulate(short, policies(short)["bare"], 1))[3] < 20
    True
    """
    requests = run.requests
    outcome = requests["outcome"]
    is_answer = outcome <= STALE
    number = len(requests)
    answers = int(np.count_nonzero(is_answer))
    wasted = int(requests["attempts"].sum()) - int(np.count_nonzero(outcome == FRESH))
    p95_s = float(quantiles(requests["latency_s"][is_answer], (0.95,))[0]) if answers else math.inf
    usd = int(requests["cost_microusd"].sum()) / MICROUSD_PER_USD
    stale = int(np.count_nonzero(outcome == STALE))
    return answers / number, stale / number, p95_s, 1000.0 * wasted / number, 10_000.0 * usd / number


def before_after(
    level: float = 0.95, seeds: Sequence[int] = SEEDS, scenarios: Sequence[Scenario] | None = None
) -> BeforeAfter:
    """Play every policy through every scenario with every seed.

    Parameters
    ----------
    level : float
        Confidence level of the intervals, in (0, 1).
    seeds : sequence of int
        The same for all policies.
    scenarios : sequence of Scenario or None
        None for the packaged suite of twelve.

    Returns
    -------
    BeforeAfter

    Examples
    --------
    >>> found = before_after(seeds=(1, 2), scenarios=[packaged("outage").changed(requests=12_000)])
    >>> found.of("bare", "success").value < found.of("plan-fixed", "success").value
    True
    """
    suite = [packaged(name) for name in SUITE] if scenarios is None else list(scenarios)
    names = tuple(policies(suite[0]))
    values = np.array(
        [
            [
                [measured(simulate(dated(one) if name == DATED else one, policies(one)[name], seed)) for seed in seeds]
                for one in suite
            ]
            for name in names
        ]
    )
    return BeforeAfter(names, tuple(one.name for one in suite), values, level)
