"""What a retry storm is measured by: records, closed forms, and the moment a service is well again.

`storm_runs` makes the simulated runs. This module loads no compiler, so that who only draws or tests need not wait.
"""

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from relkit.exceptions import ParameterError
from relkit.policies.retry_budget import PER_REQUEST, RetryBudgetSettings
from relkit.simulation.demo_draws import Floats
from relkit.slo import rank_interval

Bools = npt.NDArray[np.bool_]

NEVER: Final = math.inf
WELL: Final = 0.95
"""Share of the arrivals answered from which a service counts as well."""
STEP_S: Final = 5
"""Seconds over which answers are added up."""
STORM_BEGINS_S: Final = 20.0
STORM_ENDS_S: Final = 30.0
WATCHED_S: Final = 230.0
"""Seconds after the cause that a service is watched; "never" means not within these."""
STAYS_S: Final = 60
"""Seconds for which a service must stay well."""
_ON_THE_LINE: Final = 0.03


@dataclass(frozen=True, slots=True)
class AcrossSeeds:
    """The median of some seeds with the interval that its rank allows.

    Parameters
    ----------
    median : float
        Middle value; infinite where most seeds never got there.
    low, high : float or None
        Ends of the interval; None where there are too few seeds for one (fewer than 6 at 95 %).
    seeds : int
        How many seeds.
    """

    median: float
    low: float | None
    high: float | None
    seeds: int


def across_seeds(found: Sequence[float], level: float = 0.95) -> AcrossSeeds:
    """Return the median of one figure a seed, with its interval; infinite stands for "never".

    Parameters
    ----------
    found : sequence of float
        The figure of each seed.
    level : float
        Confidence level in (0, 1).

    Returns
    -------
    AcrossSeeds
        Distribution-free, see `relkit.slo.rank_interval`. At 9 significant digits, so that the last bits of another
        machine's logarithm change no page.

    Examples
    --------
    >>> across_seeds([42.0, 40.0, 44.0, 41.0, 43.0, float("inf")])
    AcrossSeeds(median=42.5, low=40.0, high=inf, seeds=6)
    """
    if not found:
        raise ParameterError.of("found", found, "at least one figure", "measure at least one seed")
    ordered = sorted(float(f"{each:.9g}") for each in found)
    ranks = rank_interval(len(ordered), 0.5, level)
    low, high = (None, None) if ranks is None else (ordered[ranks[0] - 1], ordered[ranks[1] - 1])
    return AcrossSeeds(statistics.median(ordered), low, high, len(ordered))


def expected_attempts(failing_share: float, retries: int) -> float:
    """Return the tries a request makes when each fails by itself: (1 - p^(R+1)) / (1 - p).

    Parameters
    ----------
    failing_share : float
        p, share of the tries that fail, in [0, 1].
    retries : int
        R, most retries of a request.

    Examples
    --------
    >>> expected_attempts(0.5, 3), expected_attempts(1.0, 3)
    (1.875, 4.0)
    """
    return math.fsum(failing_share**tried for tried in range(retries + 1))


def most_attempts(budget: RetryBudgetSettings | None, requests: int) -> float | None:
    """Return the tries a request that a budget lets through when all fails: 1 + b + store / requests.

    Parameters
    ----------
    budget : RetryBudgetSettings or None
        The store of retries; None for none.
    requests : int
        Requests that share it.

    Returns
    -------
    float or None
        Infinite without a budget; None for one that is not filled by requests: its cap depends on what succeeds.

    Examples
    --------
    >>> most_attempts(RetryBudgetSettings(PER_REQUEST, capacity=50.0, earn=0.1), 5000)
    1.11
    """
    if budget is None:
        return math.inf
    if budget.budget_family != PER_REQUEST:
        return None
    return 1.0 + (budget.earn + budget.capacity / requests) / budget.cost


def stays_down(load: float, retries: int) -> bool:
    """Say whether a queue that was once full stays full: load (1 + R) > 1.

    Parameters
    ----------
    load : float
        Share of the capacity that the requests take without retries.
    retries : int
        R, retries of a request without a budget.

    Examples
    --------
    >>> stays_down(0.7, 0), stays_down(0.7, 1)
    (False, True)
    """
    return load * (1 + retries) > 1.0


def most_safe_retries(load: float) -> int:
    """Return the most retries, without a budget, that a service of this load recovers from by itself.

    >>> [most_safe_retries(load) for load in (0.2, 0.4, 0.7)]
    [4, 1, 0]
    """
    return max(0, math.floor(1.0 / load - 1.0 + 1e-9))


def answered_course(arrival_s: Floats, answered: Bools, steps: int, step_s: int = STEP_S) -> list[float | None]:
    """Return the answered share of the requests that came in each step.

    Parameters
    ----------
    arrival_s : array of float
        When each request came, in seconds.
    answered : array of bool
        Whether it got an answer.
    steps : int
        How many steps, from second 0 on.
    step_s : int
        Seconds that are added up.

    Returns
    -------
    list of float or None
        None for a step in which nobody came.

    Examples
    --------
    >>> answered_course(np.array([0.0, 1.0, 6.0]), np.array([True, False, True]), steps=3)
    [0.5, 1.0, None]
    """
    place = (arrival_s // step_s).astype(np.int64)
    inside = place < steps
    came = np.bincount(place[inside], minlength=steps)
    got = np.bincount(place[inside & answered], minlength=steps)
    return [float(good / all_) if all_ else None for good, all_ in zip(got, came, strict=True)]


def recovery_s(course: Sequence[float | None], since_s: float, step_s: int = STEP_S) -> float:
    """Return how long after its cause was over a service was well again, and stayed so for a minute.

    Parameters
    ----------
    course : sequence of float or None
        Answered share of each step, as `answered_course` returns it.
    since_s : float
        When the cause was over, in seconds.
    step_s : int
        Seconds of a step.

    Returns
    -------
    float
        Seconds from `since_s` to the first step from which on, for a minute, at least 95 % of those who come are
        answered; infinite where there is none.

    Examples
    --------
    >>> recovery_s([1.0, 0.2, 0.1, 0.9, *[1.0] * 12], since_s=10.0)
    10.0
    >>> recovery_s([1.0, 0.2, 0.1, 0.9, *[1.0] * 11], since_s=10.0)
    inf
    """
    run, wanted = 0, STAYS_S // step_s
    for place in range(math.ceil(since_s / step_s), len(course)):
        share = course[place]
        run = run + 1 if share is not None and share >= WELL else 0
        if run == wanted:
            return max(0.0, (place - wanted + 1) * step_s - since_s)
    return NEVER


@dataclass(frozen=True, slots=True)
class Amplification:
    """How many tries a request makes where tries fail by chance.

    Parameters
    ----------
    policy : str
        Which retries.
    failing_share : float
        Share of the tries that fail.
    attempts : AcrossSeeds
        Tries a request, measured.
    retries : int
        Most retries of a request.
    most : float or None
        Cap that the budget sets, as `most_attempts` returns it.
    """

    policy: str
    failing_share: float
    attempts: AcrossSeeds
    retries: int
    most: float | None

    def closed_form(self, failing_share: float) -> float | None:
        """Return the tries a request by the closed form, at any share; None where there is none."""
        return None if self.most is None else min(expected_attempts(failing_share, self.retries), self.most)


@dataclass(frozen=True, slots=True)
class Course:
    """A policy through a trigger: what got through, and what was sent, step by step.

    Parameters
    ----------
    policy : str
        Which retries.
    starts_s : tuple of float
        Begin of each step.
    answered : tuple of AcrossSeeds
        Answers per arrival.
    sent_per_s : tuple of float
        Tries a second, median of the seeds.
    recovery : AcrossSeeds
        Seconds after the trigger until it was well.
    """

    policy: str
    starts_s: tuple[float, ...]
    answered: tuple[AcrossSeeds, ...]
    sent_per_s: tuple[float, ...]
    recovery: AcrossSeeds


@dataclass(frozen=True, slots=True)
class Cell:
    """One load with one number of retries, after the trigger.

    Parameters
    ----------
    load : float
        Share of the capacity that the requests take without retries.
    retries : int
        Retries of a request, without a budget.
    recovery : AcrossSeeds
        Seconds after the trigger until it was well.
    stuck : int
        Seeds that never were.
    """

    load: float
    retries: int
    recovery: AcrossSeeds
    stuck: int

    @property
    def is_stuck(self) -> bool:
        """Whether most seeds never recovered."""
        return self.recovery.median == NEVER

    @property
    def is_on_the_line(self) -> bool:
        """Whether load (1 + R) is so near to 1 that no run of finite length can tell."""
        return abs(self.load * (1 + self.retries) - 1.0) < _ON_THE_LINE

    @property
    def agrees(self) -> bool:
        """Whether it did what load (1 + R) > 1 says."""
        return self.is_stuck == stays_down(self.load, self.retries)


@dataclass(frozen=True, slots=True)
class Strategy:
    """One way to retry, in weather (tries fail by chance) and in a storm (everybody retries at once).

    Parameters
    ----------
    policy : str
        Name of the preset, or what it is.
    has_budget, has_breaker : bool
        Whether a budget limits the retries, and whether a breaker stands before them.
    answered : AcrossSeeds
        Share of the requests that got an answer in the weather.
    attempts : AcrossSeeds
        Tries a request there.
    p95_s : AcrossSeeds
        95th percentile of the latency of answers there, waits included.
    paid : AcrossSeeds
        Calls paid for each answer, over weather and storm together; infinite without any answer. Work that nobody
        waited for any more is paid too.
    recovery : AcrossSeeds
        Seconds after the storm's cause until it was well.
    """

    policy: str
    has_budget: bool
    has_breaker: bool
    answered: AcrossSeeds
    attempts: AcrossSeeds
    p95_s: AcrossSeeds
    paid: AcrossSeeds
    recovery: AcrossSeeds

    @property
    def retries(self) -> bool:
        """Whether it ever tries again."""
        return self.attempts.median > 1.0

    @property
    def always_recovers(self) -> bool:
        """Whether every seed recovered from the storm."""
        return self.recovery.high is not None and self.recovery.high < NEVER


@dataclass(frozen=True, slots=True)
class Storms:
    """All that the page of retries is made of; after Ctrl-C what was finished until then.

    Parameters
    ----------
    load : float
        Share of the capacity that the requests take without retries.
    level : float
        Confidence level of the intervals.
    amplification, courses, cells, strategies : tuple
        What was measured.
    runs, wanted : int
        Measurements that were finished, and that there should be.
    """

    load: float
    level: float
    amplification: tuple[Amplification, ...]
    courses: tuple[Course, ...]
    cells: tuple[Cell, ...]
    strategies: tuple[Strategy, ...]
    runs: int
    wanted: int

    @property
    def complete(self) -> bool:
        """Whether nothing was left out."""
        return self.runs == self.wanted
