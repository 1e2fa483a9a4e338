"""Can this breaker open on this traffic at all? How many calls must fail, how long that takes, and what it costs.

Settings in calls and seconds are tuned to somebody's rate. At 10,000 requests a month a call comes every 4.3 minutes:
no window of seconds ever holds two, and ten failing calls in a row are the whole monthly budget of 99.9 %.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from scipy.special import pdtrc

from relkit.exceptions import ParameterError
from relkit.policies.breaker import allow, settle, tick
from relkit.policies.codes import ADMIT, ANCHORED, COOLDOWN, FAILURE, OPEN, SUCCESS, THROTTLE, TIME
from relkit.policies.policy import Policy
from relkit.policies.records import ALONE, BreakerSettings
from relkit.policies.transitions import new_breaker
from relkit.slo.objective import Objective
from relkit.tune.results import DEFAULT_OBJECTIVE
from relkit.units import count, duration, percent

MONTH_S: Final = 30 * 86_400.0
NEVER_A_MONTH: Final = 1e-3
"""Expected openings in a month in which every call fails, below which a breaker is said never to open: 83 years."""
_HISTORY: Final = 1_000  # good calls before the failures begin
_MOST_CALLS: Final = 20_000
_EVEN: Final = 0.5


@dataclass(frozen=True, slots=True)
class Reach:
    """Whether a breaker can open on some traffic, and after what.

    Parameters
    ----------
    name : str
        Of the policy.
    requests_a_month : float
        The traffic, over 30 days.
    failing_calls : int or None
        Fewest calls that open it after good health, all failing; None when no number does.
    within_s : float
        Time in which these must come; infinite when there is no such time.
    openings_a_month : float
        Expected openings, at most, in a month in which every call fails.
    outage_s : float or None
        Length of an outage until it opens at this rate, calls coming evenly; None when it does not within a month.
    budget_share : float or None
        Share of the month's ErrorBudget that these calls are.
    objective : Objective
        Whose budget that is.
    """

    name: str
    requests_a_month: float
    failing_calls: int | None
    within_s: float
    openings_a_month: float
    outage_s: float | None
    budget_share: float | None
    objective: Objective

    @property
    def can_open(self) -> bool:
        """Whether it can open at all."""
        return self.openings_a_month >= NEVER_A_MONTH

    @property
    def sentence(self) -> str:
        """What there is to know, in one sentence."""
        rate = f"at {count(self.requests_a_month)} requests a month"
        if self.failing_calls is None:
            return f"{self.name} never opens, whatever fails: it needs other members, or does not open by design."
        if not self.can_open:
            needs = f"{count(self.failing_calls)} failing calls within {duration(self.within_s)}"
            return f"{self.name} never opens {rate}: it needs {needs}."
        if self.outage_s is None or self.budget_share is None:
            return f"{self.name} opens {rate} only by chance, when calls come close together."
        spent = percent(self.budget_share, 0)
        return (
            f"{self.name} opens {rate} after {count(self.failing_calls)} failing calls, {duration(self.outage_s)} into an "
            f"outage: {spent} of the month's budget of {self.objective.target_text}."
        )


def reach(policy: Policy, requests_a_month: float, objective: Objective = DEFAULT_OBJECTIVE) -> Reach:
    """Say whether a policy's breaker can open on some traffic, and after what.

    Parameters
    ----------
    policy : Policy
        With a breaker; each request is taken for one call.
    requests_a_month : float
        Over 30 days, above 0.
    objective : Objective
        Whose ErrorBudget the failing calls are a share of.

    Returns
    -------
    Reach

    Raises
    ------
    ParameterError
        For a policy without a breaker, or no traffic.

    Notes
    -----
    The breaker itself is asked: 1,000 good calls, then failing ones until it opens. Where a window of W seconds must
    hold n calls, openings a month are at most calls · P(Poisson(λW) ≥ n − 1), since some call must find n − 1 others in
    the W seconds before it (Slivnyak's theorem).

    Examples
    --------
    >>> from relkit.policies.presets import presets
    >>> found = reach(presets["plan"], 10_000)
    >>> found.failing_calls, round(found.outage_s / 60.0, 1), found.budget_share
    (10, 43.2, 1.0)
    >>> reach(presets["polly-8"], 10_000).can_open
    False
    """
    if policy.breaker is None:
        raise ParameterError.of("policy", policy.name, "one with a breaker", "take a preset that has one")
    if not 0.0 < requests_a_month < math.inf:
        raise ParameterError.of("requests_a_month", requests_a_month, "a number above 0", "give the month's requests")
    cfg = policy.breaker
    gap_s = MONTH_S / requests_a_month
    calls = failing_calls(cfg, 0.0, gap_s, max(gap_s, 2.0 * cfg.window_s))  # a pause that empties every window
    within_s = cfg.window_s if cfg.family in {TIME, ANCHORED, COOLDOWN} else math.inf
    if calls is None or calls > requests_a_month:
        openings = 0.0
    elif within_s == math.inf:
        openings = requests_a_month / calls
    else:
        others = 1.0 if calls < 2 else float(pdtrc(calls - 2, within_s / gap_s))
        openings = requests_a_month * others
    evenly = failing_calls(cfg, gap_s, gap_s, gap_s)
    lasts = evenly is not None and evenly <= requests_a_month
    allowed = float(objective.budget_share) * requests_a_month
    return Reach(
        name=policy.name,
        requests_a_month=requests_a_month,
        failing_calls=calls if evenly is None or not lasts else evenly,
        within_s=within_s,
        openings_a_month=openings,
        outage_s=evenly * gap_s if evenly is not None and lasts else None,
        budget_share=round(evenly / allowed, 12) if evenly is not None and lasts else None,
        objective=objective,
    )


def never_open(policies: Iterable[Policy], requests_a_month: float) -> tuple[Reach, ...]:
    """Return those breakers that can never open on some traffic; policies without a breaker are left out.

    Examples
    --------
    >>> from relkit.policies.presets import presets
    >>> [each.name for each in never_open(presets.values(), 10_000)]
    ['resilience4j-time', 'polly-8', 'envoy-success-rate', 'sre-k2', 'litellm']
    """
    found = (reach(policy, requests_a_month) for policy in policies if policy.breaker is not None)
    return tuple(each for each in found if not each.can_open)


def detection_s(policy: Policy, rates: Sequence[float]) -> tuple[float | None, ...]:
    """Return how long a total outage lasts until the breaker opens, for each rate of evenly coming calls.

    Parameters
    ----------
    policy : Policy
        With a breaker.
    rates : sequence of float
        Calls a second, above 0.

    Returns
    -------
    tuple of float or None
        Seconds; None where it does not open within 20,000 calls.

    Examples
    --------
    >>> from relkit.policies.presets import presets
    >>> detection_s(presets["polly-8"], (0.004, 10.0)), detection_s(presets["pybreaker"], (10.0,))
    ((None, 2.9), (0.5,))
    """
    if policy.breaker is None:
        raise ParameterError.of("policy", policy.name, "one with a breaker", "take a preset that has one")
    found = []
    for rate in rates:
        if not 0.0 < rate < math.inf:
            raise ParameterError.of("rate", rate, "calls a second above 0", "give e.g. 0.004")
        calls = failing_calls(policy.breaker, 1.0 / rate, 1.0 / rate, 1.0 / rate)
        found.append(None if calls is None else calls / rate)
    return tuple(found)


def failing_calls(cfg: BreakerSettings, gap_s: float, history_gap_s: float, pause_s: float) -> int | None:
    """Return how many failing calls open a breaker that has seen 1,000 good ones; None for more than 20,000.

    Parameters
    ----------
    cfg : BreakerSettings
        The breaker.
    gap_s, history_gap_s, pause_s : float
        Time between failing calls, between the good ones before, and between the last of these and the first of those, in
        seconds.
    """
    if cfg.family == THROTTLE:
        return None
    if cfg.family in {TIME, ANCHORED} and gap_s > 0.0 and cfg.min_calls > 2.0 * cfg.window_s / gap_s + 2.0:
        return None  # the window never holds so many, with room to spare for where its parts begin: nothing to play
    state, window = new_breaker(cfg, 0.0)
    now_s = 0.0
    for number in range(_HISTORY + _MOST_CALLS):
        is_failing = number >= _HISTORY
        now_s += pause_s if number == _HISTORY else gap_s if is_failing else history_gap_s
        tick(state, window, cfg, ALONE, now_s)
        if state.state == OPEN and is_failing:
            return number - _HISTORY  # a sweep between two calls opened it
        code, generation, _ = allow(state, window, cfg, ALONE, now_s, _EVEN)
        if code == ADMIT:
            settle(state, window, cfg, ALONE, now_s, generation, FAILURE if is_failing else SUCCESS, 0.0)
        if state.state == OPEN and is_failing:
            return number - _HISTORY + 1
    return None
