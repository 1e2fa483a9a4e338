"""Simulated runs of retry storms: how tries multiply, what gets through a trigger, when it stays down, what it costs."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Final

import numpy as np

from relkit.errors import ErrorKind
from relkit.exceptions import ParameterError
from relkit.policies.policy import Policy
from relkit.policies.presets import presets
from relkit.policies.records import BreakerSettings
from relkit.policies.retry_budget import NO_BUDGET, PER_REQUEST, RetryBudgetSettings
from relkit.simulation.arrivals import poisson
from relkit.simulation.collect import collect, whole
from relkit.simulation.demo_draws import Floats
from relkit.simulation.episodes import slow
from relkit.simulation.latency import constant
from relkit.simulation.room import COUNTERS
from relkit.simulation.run import Run, simulate
from relkit.simulation.scenario import UNLIMITED, ErrorShare, Scenario, ServedModel
from relkit.simulation.storms import (
    STEP_S,
    STORM_BEGINS_S,
    STORM_ENDS_S,
    WATCHED_S,
    Amplification,
    Cell,
    Course,
    Storms,
    Strategy,
    across_seeds,
    answered_course,
    most_attempts,
    recovery_s,
)
from relkit.simulation.suite import metastable, retrying
from relkit.simulation.workload import FRESH

SEEDS: Final = (1, 2, 3, 4, 5, 6)
"""The fewest seeds that give the median an interval at 95 %."""
_TRIGGER: Final = slow("only", STORM_BEGINS_S, STORM_ENDS_S, 10.0)
_STORM_S: Final = STORM_ENDS_S + WATCHED_S
_ALONE: Final = " (retries alone)"
_TENTH: Final = RetryBudgetSettings(PER_REQUEST, capacity=50.0, earn=0.1)
_PRICE: Final = 1000
_CALLS: Final = 3000

FAILING_SHARES: Final = (0.0, 0.2, 0.4, 0.6, 0.8, 1.0)
RETRIES: Final = (0, 1, 2, 3)
LOADS: Final = tuple(round(0.15 + 0.075 * step, 3) for step in range(11))
STRATEGIES: Final = (
    "plan-no-retry", "plan-transient", "plan-rate-limited", "plan-critical", f"plan{_ALONE}", "plan",
    "plan-aggressive", "plan-standard", "plan-conservative", f"plan-fixed{_ALONE}", "plan-fixed", "aws-standard-2026",
)  # fmt: skip


def strategy_policy(name: str) -> Policy:
    """Return a preset without fallback, or its retries and budget alone.

    Parameters
    ----------
    name : str
        A preset; "plan (retries alone)" leaves the breaker out.

    Examples
    --------
    >>> strategy_policy("plan").breaker is None, strategy_policy("plan (retries alone)").breaker is None
    (False, True)
    """
    found = presets[name.removesuffix(_ALONE)]
    breaker = None if name.endswith(_ALONE) else found.breaker
    return replace(found, name=name, breaker=breaker, fallback=None, freshness=None)


def lessons() -> dict[str, Policy]:
    """Return the four policies that the courses through a trigger compare, by what they are called.

    >>> list(lessons())
    ['no retries', '3 retries', '3 retries, budget of a tenth', '3 retries, breaker']
    """
    breaker = BreakerSettings(failure_threshold=5, open_s=10.0, half_open_permits=3, half_open_successes=3, counts=0)
    return {
        "no retries": retrying(0),
        "3 retries": retrying(3),
        "3 retries, budget of a tenth": retrying(3, budget=_TENTH),
        "3 retries, breaker": retrying(3, breaker=breaker),
    }


def storm(load: float, duration_s: float = _STORM_S) -> Scenario:
    """Return a service of 40 a second that is ten times slower from second 20 to 30; work nobody waits for goes on.

    Parameters
    ----------
    load : float
        Requests without retries as a share of the capacity, in (0, 1).
    duration_s : float
        Length of the traffic, in seconds.
    """
    slowed = metastable(load, duration_s=duration_s, trigger=_TRIGGER)
    return _priced(slowed.changed(name=f"storm {load:g}"))


def weather(load: float, failing_share: float = 0.1, duration_s: float = _STORM_S) -> Scenario:
    """Return the same service without a trigger, a share of whose tries fails by chance.

    Parameters
    ----------
    load, duration_s
        As `storm` takes them.
    failing_share : float
        Share of the tries that fail, in [0, 1].
    """
    calm = _priced(metastable(load, duration_s=duration_s, trigger=None))
    model = replace(calm.models[0], errors=(ErrorShare(ErrorKind.API_SERVER_ERROR, failing_share),))
    return calm.changed(name=f"weather {load:g}", models=(model,))


def _priced(scenario: Scenario) -> Scenario:
    return scenario.changed(models=tuple(replace(model, cost_microusd=_PRICE) for model in scenario.models))


def amplification(
    name: str,
    policy: Policy,
    failing_share: float,
    retries: int,
    seeds: Sequence[int] = SEEDS,
    level: float = 0.95,
) -> Amplification:
    """Measure the tries a request makes where each fails by chance and nothing is ever full.

    Parameters
    ----------
    name : str
        What the policy is called.
    policy : Policy
        The retries.
    failing_share : float
        Share of the tries that fail, in [0, 1].
    retries : int
        Most retries of a request, for the closed form.
    seeds : sequence of int
        The runs.
    level : float
        Confidence level in (0, 1).
    """
    usual = (ErrorShare(ErrorKind.API_SERVER_ERROR, failing_share),) if failing_share else ()
    model = ServedModel("only", "only", constant(0.01), UNLIMITED, UNLIMITED, usual)
    scenario = Scenario("chance", _CALLS, poisson(40.0), (model,))
    tries = [whole(simulate(scenario, policy, seed)).attempts_per_request for seed in seeds]
    most = most_attempts(policy.retry_budget, _CALLS)
    return Amplification(name, failing_share, across_seeds(tries, level), retries, most)


def course(name: str, policy: Policy, scenario: Scenario, seeds: Sequence[int] = SEEDS, level: float = 0.95) -> Course:
    """Follow a policy through a trigger that is over at `STORM_ENDS_S`, in steps of `STEP_S`.

    Parameters
    ----------
    name : str
        What the policy is called.
    policy : Policy
        The settings.
    scenario : Scenario
        As `storm` makes it.
    seeds, level
        As `amplification` takes them.
    """
    runs = [whole(simulate(scenario, policy, seed)) for seed in seeds]
    steps = int(scenario.duration_s) // STEP_S
    shares = [_course_of(run, steps) for run in runs]
    answered = tuple(across_seeds([row[step] or 0.0 for row in shares], level) for step in range(steps))
    sent = np.median([_sent_per_s(run, steps) for run in runs], axis=0)
    well = across_seeds([recovery_s(row, STORM_ENDS_S) for row in shares], level)
    return Course(name, tuple(float(step * STEP_S) for step in range(steps)), answered, tuple(sent.tolist()), well)


def _course_of(run: Run, steps: int) -> list[float | None]:
    rows = run.requests
    return answered_course(rows["arrival_s"], rows["outcome"] == FRESH, steps)


def _sent_per_s(run: Run, steps: int) -> Floats:
    counted = np.zeros(steps * STEP_S)
    rows = run.seconds[: len(counted), COUNTERS.index("attempts")]
    counted[: len(rows)] = rows
    summed: Floats = counted.reshape(steps, STEP_S).sum(axis=1) / STEP_S
    return summed


def cell(load: float, retries: int, seeds: Sequence[int] = SEEDS, level: float = 0.95) -> Cell:
    """Let a service of some load and retries through the storm; say how long it took to be well.

    Parameters
    ----------
    load : float
        Requests without retries as a share of the capacity, in (0, 1).
    retries : int
        Retries of a request, without a budget.
    seeds, level
        As `amplification` takes them.
    """
    scenario, policy = storm(load), retrying(retries)
    steps = int(scenario.duration_s) // STEP_S
    found = [recovery_s(_course_of(whole(simulate(scenario, policy, seed)), steps), STORM_ENDS_S) for seed in seeds]
    return Cell(load, retries, across_seeds(found, level), sum(seconds == np.inf for seconds in found))


def strategy(name: str, policy: Policy, load: float, seeds: Sequence[int] = SEEDS, level: float = 0.95) -> Strategy:
    """Let a strategy through the weather and through the storm.

    Parameters
    ----------
    name : str
        What it is called.
    policy : Policy
        The settings.
    load : float
        Requests without retries as a share of the capacity, in (0, 1).
    seeds, level
        As `amplification` takes them.
    """
    fair, foul = weather(load), storm(load)
    steps = int(foul.duration_s) // STEP_S
    answered, attempts, p95_s, paid, well = [], [], [], [], []
    for seed in seeds:
        calm, rough = whole(simulate(fair, policy, seed)), whole(simulate(foul, policy, seed))
        answered.append(calm.answered_share)
        attempts.append(calm.attempts_per_request)
        p95_s.append(float(calm.latency_s(0.95)[0]))
        answers = sum(run.counts["fresh"] for run in (calm, rough))
        bill = sum(int(run.requests["cost_microusd"].sum()) for run in (calm, rough))
        paid.append(bill / _PRICE / answers if answers else np.inf)
        well.append(recovery_s(_course_of(rough, steps), STORM_ENDS_S))
    figures = (across_seeds(found, level) for found in (answered, attempts, p95_s, paid, well))
    budget = policy.retry_budget
    has_budget = budget is not None and budget.budget_family != NO_BUDGET
    return Strategy(name, has_budget, policy.breaker is not None, *figures)


def storms(
    load: float = 0.7,
    level: float = 0.95,
    *,
    seeds: Sequence[int] = SEEDS,
    extra: Mapping[str, Policy] | None = None,
    progress: Callable[[int, int], object] | None = None,
) -> Storms:
    """Measure all that says whether retries help or feed a storm.

    Parameters
    ----------
    load : float
        Requests without retries as a share of the capacity, in (0, 1).
    level : float
        Confidence level of every interval.
    seeds : sequence of int
        The runs of each figure.
    extra : mapping of str to Policy, optional
        Strategies of your own, measured beside the presets.
    progress : callable or None
        Told after each figure how many are done, and how many there are.

    Returns
    -------
    Storms
        After Ctrl-C it holds what was finished, and `complete` is False.

    Raises
    ------
    ParameterError
        For a load that is no share.
    """
    if not 0.0 < load < 1.0:
        raise ParameterError.of("load", load, "a share between 0 and 1", "0.7 for a service that is 70 % busy")
    policies = {name: strategy_policy(name) for name in STRATEGIES} | dict(extra or {})
    work: list[Callable[[], object]] = [
        partial(strategy, name, policy, load, seeds, level) for name, policy in policies.items()
    ]
    work += [partial(course, name, policy, storm(load), seeds, level) for name, policy in lessons().items()]
    curves = {
        "1 retry": (retrying(1), 1), "3 retries": (retrying(3), 3), "5 retries": (retrying(5), 5),
        "3 retries, budget of a tenth": (retrying(3, budget=_TENTH), 3),
    }  # fmt: skip
    work += [
        partial(amplification, name, policy, share, retries, seeds, level)
        for name, (policy, retries) in curves.items()
        for share in FAILING_SHARES
    ]
    work += [partial(cell, each, retries, seeds, level) for retries in RETRIES for each in LOADS]
    found = collect(work, progress)
    return Storms(
        load,
        level,
        tuple(one for one in found if isinstance(one, Amplification)),
        tuple(one for one in found if isinstance(one, Course)),
        tuple(one for one in found if isinstance(one, Cell)),
        tuple(one for one in found if isinstance(one, Strategy)),
        len(found),
        len(work),
    )
