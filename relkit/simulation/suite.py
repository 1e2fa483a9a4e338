"""The fixed workloads that speed, exactness, theory and tuning are measured on, and the policies that go with them.

What a scenario file can say lies in `scenarios/`; here is the rest: named policies and the metastable family.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Final

from relkit.exceptions import ParameterError
from relkit.policies.backoff import EQUAL
from relkit.policies.codes import ADAPTIVE, CONSECUTIVE, PER_ATTEMPT, VOTES_ACCEPTED
from relkit.policies.fallback import FallbackModel, FallbackSettings
from relkit.policies.freshness import FreshnessSettings
from relkit.policies.policy import Policy
from relkit.policies.presets import presets
from relkit.policies.records import BreakerSettings
from relkit.policies.retry_budget import PER_REQUEST, RetryBudgetSettings
from relkit.policies.retry_settings import NO_RETRIES, Retry, RetrySettings
from relkit.simulation.arrivals import poisson
from relkit.simulation.episodes import Episode, slow
from relkit.simulation.latency import lognormal
from relkit.simulation.scenario import Scenario, ServedModel

REQUESTS: Final = 100_000
TRIGGER: Final = slow("only", 200.0, 210.0, 10.0)


def w1(requests: int = REQUESTS) -> Scenario:
    """Three models with queues, an outage and a spell of rate limits of the first, and a cache.

    >>> round(w1().duration_s)
    2000
    """
    return _packaged("w1").changed(requests=requests)


def w0(requests: int = REQUESTS) -> Scenario:
    """One model without a limit of servers, one attempt in ten failing, and the outage: no queue, no feedback."""
    return _packaged("w0").changed(requests=requests)


def _packaged(name: str) -> Scenario:
    from relkit.simulation.scenario_toml import packaged  # noqa: PLC0415  it checks the policies that are named here

    return packaged(name)


def w_policy(*, chain: bool = True, adaptive: bool = True, threshold: int = 5, open_s: float = 10.0) -> Policy:
    """Return the settings of W1: 5 retries, 429s with their own, a bucket of 100, an adaptive breaker for each model.

    Parameters
    ----------
    chain : bool
        Whether the second and third model are fallbacks; W0 has the first alone.
    adaptive : bool
        Whether the threshold moves between 2 and 10; W2 keeps it.
    threshold, open_s : int, float
        Failures in a row that open a breaker, and for how many seconds.
    """
    deadline_s = max(30.0, open_s)  # a Policy refuses a breaker that stays open beyond the deadline
    ordinary = RetrySettings(
        max_attempts=6, first_delay_s=0.1, growth=1.5, cap_s=2.0, jitter=EQUAL, timeout_factor=0.5, plan_factors=True,
        deadline_s=deadline_s,
    )  # fmt: skip
    limited = RetrySettings(
        max_attempts=4,
        first_delay_s=5.0,
        growth=3.0,
        rate_limit_factor=3.0,
        cap_s=60.0,
        jitter=EQUAL,
        deadline_s=deadline_s,
    )
    names = ("first", "second", "third")[: 3 if chain else 1]
    return Policy(
        name="W2" if not adaptive else "W1" if chain else "W0",
        dated="2026-11",
        source="relkit: the settings that the engine is measured with",
        breaker=BreakerSettings(
            family=ADAPTIVE if adaptive else CONSECUTIVE, failure_threshold=threshold, open_s=open_s,
            half_open_permits=3, half_open_successes=3, votes=VOTES_ACCEPTED, counts=PER_ATTEMPT,
        ),
        retry=Retry(ordinary, limited, ordinary),
        retry_budget=RetryBudgetSettings(PER_REQUEST, capacity=100.0, earn=0.1),
        fallback=FallbackSettings(tuple(FallbackModel(name, name, 8192) for name in names), uses_budget=False),
        freshness=FreshnessSettings(ttl_s=300.0, stale_on_error_s=86_400.0) if chain else None,
    )  # fmt: skip


def w2_policy(number: int) -> Policy:
    """Return the settings of one of the 500 configurations of W2: 20 thresholds by 25 open times, not adaptive.

    >>> w2_policy(21).breaker.failure_threshold, w2_policy(21).breaker.open_s
    (3, 10.0)
    """
    return w_policy(adaptive=False, threshold=2 + number % 20, open_s=5.0 + 5.0 * (number // 20 % 25))


def metastable(
    rho: float,
    *,
    duration_s: float = 1000.0,
    queue: int = 100_000,
    trigger: Episode | None = TRIGGER,
) -> Scenario:
    """Return a service near its capacity that is ten times slower for ten seconds, and may never recover.

    Parameters
    ----------
    rho : float
        Load without retries as a share of the capacity of 40 a second.
    duration_s : float
        Length of the traffic, in seconds.
    queue : int
        Places to wait.
    trigger : Episode or None
        What starts it.
    """
    mean_s, sigma = 0.5, 0.5
    median_s = mean_s / 1.1331484530668263  # exp(sigma² / 2)
    rate = 40.0 * rho
    return Scenario(
        f"metastable {rho:g}",
        round(rate * duration_s),
        poisson(rate),
        (ServedModel("only", "only", lognormal(median_s, sigma), 20, queue),),
        () if trigger is None else (trigger,),
        timeout_s=2.0,
    )


def retrying(
    retries: int,
    *,
    budget: RetryBudgetSettings | None = None,
    breaker: BreakerSettings | None = None,
    **settings: float,
) -> Policy:
    """Return a policy of so many retries after 0.1 s times 1.5 up to 2 s, as the metastable states are measured with."""
    given = {"first_delay_s": 0.1, "growth": 1.5, "cap_s": 2.0, **settings}
    loop = RetrySettings(max_attempts=retries + 1, jitter=EQUAL, **given) if retries else NO_RETRIES  # type: ignore[arg-type]
    source = "relkit: the settings that metastable states are measured with"
    return Policy(f"{retries} retries", "2026-11", source, breaker, Retry.of(loop), budget)


def booking_policy() -> Policy:
    """Return the repaired settings of the plan with its three models as fallbacks, and answers a day old in need.

    >>> [model.name for model in booking_policy().fallback.models]
    ['llama-3.1-8b-instant', 'llama-3.3-70b-versatile', 'openai/gpt-oss-20b']
    """
    names = ("llama-3.1-8b-instant", "llama-3.3-70b-versatile", "openai/gpt-oss-20b")
    chain = FallbackSettings(tuple(FallbackModel(name, "groq", 131_072) for name in names), uses_budget=False)
    freshness = FreshnessSettings(ttl_s=300.0, stale_on_error_s=86_400.0)
    return replace(presets["plan-fixed"], name="booking chat", fallback=chain, freshness=freshness)


SUITE: Final = (
    "healthy", "outage", "brownout", "rate-limit-told", "rate-limit-untold", "slow", "flapping", "gray", "overload",
    "recovery-herd", "cut-streams", "bursts",

)  # fmt: skip
POLICIES: Final[Mapping[str, Callable[[], Policy]]] = {
    "W0": lambda: w_policy(chain=False),
    "W1": w_policy,
    "W2": lambda: w2_policy(0),
    "three retries": lambda: retrying(3),
    "booking chat": booking_policy,
}


def policy_for(scenario: Scenario) -> Policy:
    """Return the policy that a scenario is made for.

    Raises
    ------
    ParameterError
        When it names none, or one that there is not.

    Examples
    --------
    >>> policy_for(w1()).name
    'W1'
    """
    if scenario.policy in POLICIES:
        return POLICIES[scenario.policy]()
    if scenario.policy in presets:
        return presets[scenario.policy]
    remedy = "choose a policy yourself" if not scenario.policy else "name one of these or a preset"
    raise ParameterError.of("policy", scenario.policy, ", ".join(POLICIES), remedy)
