"""The fixed workloads that speed, exactness and theory are measured on, and the policies that go with them."""

from typing import Final

from relkit.errors import ErrorKind
from relkit.policies.backoff import EQUAL
from relkit.policies.codes import ADAPTIVE, CONSECUTIVE, PER_ATTEMPT
from relkit.policies.fallback import FallbackModel, FallbackSettings
from relkit.policies.freshness import FreshnessSettings
from relkit.policies.policy import Policy
from relkit.policies.records import BreakerSettings
from relkit.policies.retry_budget import PER_REQUEST, RetryBudgetSettings
from relkit.policies.retry_settings import NO_RETRIES, Retry, RetrySettings
from relkit.simulation.arrivals import poisson
from relkit.simulation.episodes import Episode, outage, rate_limited, slow
from relkit.simulation.latency import lognormal
from relkit.simulation.scenario import UNLIMITED, CachedAnswers, ErrorShare, Scenario, ServedModel

REQUESTS: Final = 100_000
_EPISODES: Final = (outage("first", 600.0, 660.0), rate_limited("first", 1200.0, 1320.0, 0.3))
TRIGGER: Final = slow("only", 200.0, 210.0, 10.0)
_USUAL: Final = (ErrorShare(ErrorKind.API_SERVER_ERROR, 0.01),)


def w1(requests: int = REQUESTS) -> Scenario:
    """Three models with queues, an outage and a spell of rate limits of the first, and a cache.

    >>> round(w1().duration_s)
    2000
    """
    speeds = (("first", 28, 0.45), ("second", 16, 0.90), ("third", 16, 0.70))
    return Scenario(
        "W1",
        requests,
        poisson(50.0),
        tuple(
            ServedModel(name, name, lognormal(median_s, 0.6), servers, 256, _USUAL, cost_microusd=900)
            for name, servers, median_s in speeds
        ),
        _EPISODES,
        timeout_s=3.0,
        cache=CachedAnswers(keys=100_000, popularity=0.8, capacity=5_000),
        invalid_share=0.005,
    )


def w0(requests: int = REQUESTS) -> Scenario:
    """One model without a limit of servers, one attempt in ten failing, and the outage: no queue, no feedback."""
    usual = (ErrorShare(ErrorKind.API_SERVER_ERROR, 0.10),)
    model = ServedModel("first", "first", lognormal(0.45, 0.6), UNLIMITED, UNLIMITED, usual)
    return Scenario("W0", requests, poisson(50.0), (model,), _EPISODES[:1])


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
            half_open_permits=3, half_open_successes=3, ignored_is_success=True, counts=PER_ATTEMPT,
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
