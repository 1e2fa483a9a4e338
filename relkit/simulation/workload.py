"""A scenario and a policy as plain numbers: what the kernel and the oracle both read.

Words, enumerations and rules about kinds of error end here. Behind this border there are integers, floats and rows.
"""

from dataclasses import dataclass, fields
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from relkit.errors.kinds import ADVICE
from relkit.exceptions import ParameterError
from relkit.policies.codes import EQUAL_JITTER, FAILURE, IGNORED, PER_ATTEMPT, SUCCESS, THROTTLE
from relkit.policies.failure import FALLBACKS, NO_LIMIT, Failure, plan_failure
from relkit.policies.freshness import FreshnessSettings
from relkit.policies.policy import Policy
from relkit.policies.records import BreakerSettings
from relkit.policies.retry import NO_HINT, choose_strategy
from relkit.policies.retry_budget import UNLIMITED as NO_BUDGET
from relkit.policies.retry_budget import RetryBudgetSettings
from relkit.policies.retry_presets import plan_hint_s
from relkit.policies.retry_settings import NO_RETRIES, PLAN_ORDER, RetrySettings
from relkit.policies.votes import opens_at_once, outcome_of
from relkit.simulation.arrivals import pieces_of, times_of
from relkit.simulation.demo_draws import Floats, Ints
from relkit.simulation.episodes import Episode, by_model, stretches
from relkit.simulation.scenario import Scenario
from relkit.simulation.sessions import luck_for
from relkit.simulation.tokens import Tokens

KINDS: Final = 27  # kinds are numbered from 1; 0 is "nothing failed"
_VOTES: Final = {"failure": FAILURE, "ignore": IGNORED, "success": SUCCESS}
_WINDOW_TOKENS: Final = 1 << 30

# How a request ended.
UNFINISHED: Final = -1
FRESH: Final = 0
CACHED: Final = 1
STALE: Final = 2
FAILED: Final = 3
REJECTED: Final = 4
ENDS: Final = ("fresh", "cached", "stale", "failed", "rejected")


@dataclass(frozen=True, slots=True)
class Setup:
    """The numbers of a run that stand alone.

    Parameters
    ----------
    seed, requests, clients, places : int
        Seed, how many requests, clients, and models of the policy's chain.
    timeout_s, invalid_share : float
        As in the scenario.
    has_key, has_breaker, has_retry, asks_each_attempt, budgets_models, draws_permit, plan_hints : bool
        Safe repeats; whether there is a breaker and a retry loop; whether each attempt takes a permit; whether another
        model costs a retry; whether the breaker uses its draw; whether Retry-After is read as the plan does.
    keys, cache_capacity, hit_s : int, int, float
        The cache; 0 keys for none.
    replayed, keeps_attempts, counts_tokens : bool
        Whether arrivals are given; whether each try becomes a row; whether anything counts tokens.
    in_median, in_sigma, out_median, out_sigma : float
        Tokens of a request.
    """

    seed: int
    requests: int
    clients: int
    places: int
    timeout_s: float
    invalid_share: float
    has_key: bool
    has_breaker: bool
    has_retry: bool
    asks_each_attempt: bool
    budgets_models: bool
    draws_permit: bool
    plan_hints: bool
    keys: int
    cache_capacity: int
    hit_s: float
    replayed: bool
    keeps_attempts: bool
    counts_tokens: bool
    in_median: float
    in_sigma: float
    out_median: float
    out_sigma: float


@dataclass(frozen=True, slots=True)
class ModelRow:
    """A served model in numbers; the pairs are places in tables, `ramps` says whether an episode takes servers away."""

    servers: int
    queue: int
    family: int
    values_from: int
    values_to: int
    errors_from: int
    errors_to: int
    episodes_from: int
    episodes_to: int
    error_s: float
    cancels: bool
    requests_per_minute: int
    cost_microusd: int
    tokens_per_minute: int
    input_usd_per_million: float
    output_usd_per_million: float
    ramps: bool


@dataclass(frozen=True, slots=True)
class EpisodeRow:
    """An episode of one model in numbers."""

    start_s: float
    end_s: float
    kind: int
    share: float
    hint_s: float
    slow_factor: float
    period_s: float
    bad_s: float
    cut_share: float
    capacity_share: float


@dataclass(frozen=True, slots=True)
class Workload:
    """Everything a run reads.

    Parameters
    ----------
    setup : Setup
        Single numbers.
    models, episodes : list
        Rows of all models and of their episodes.
    values, rates, lengths_s, times_s, held_s : array of float
        Latency values, pieces of the arrival rate, replayed times, and gaps whose requests come at their end.
    luck : array of float
        For each request the factor on the usual errors that its session has; empty without sessions.
    error_kinds, error_until : array
        Kinds of the usual errors, and their cumulative shares, model by model.
    chain, windows : array of int
        For each place of the policy's chain its model, and its window in tokens.
    popularity : array of float
        Cumulative share of the keys; empty without a cache.
    breaker, budget, freshness, retries : settings
        The policy's parts, with defaults that do nothing where it has none.
    failures : list of Failure
        What each kind is to the retry loop, by its number.
    strategies, votes, at_once : array
        For each kind: which of the three `retries` applies, its outcome to the breaker, whether it opens it at once.
    """

    setup: Setup
    models: list[ModelRow]
    episodes: list[EpisodeRow]
    values: Floats
    rates: Floats
    lengths_s: Floats
    times_s: Floats
    held_s: Floats
    luck: Floats
    error_kinds: Ints
    error_until: Floats
    chain: Ints
    windows: Ints
    popularity: Floats
    breaker: BreakerSettings
    budget: RetryBudgetSettings
    freshness: FreshnessSettings
    retries: tuple[RetrySettings, RetrySettings, RetrySettings]
    failures: list[Failure]
    strategies: Ints
    votes: Ints
    at_once: npt.NDArray[np.bool_]


def _chain(scenario: Scenario, policy: Policy) -> tuple[list[int], list[int]]:
    """Places of the policy's models among the scenario's; without a chain the first model alone."""
    if policy.fallback is None:
        return [0], [_WINDOW_TOKENS]
    names = [model.name for model in scenario.models]
    for model in policy.fallback.models:
        if model.name not in names:
            remedy = f"add it to the scenario {scenario.name}, or name the policy's chain after its models"
            raise ParameterError.of("fallback", model.name, ", ".join(names), remedy)
    return [names.index(model.name) for model in policy.fallback.models], list(policy.fallback.windows)


def _hint_s(episode: Episode, *, as_plan: bool) -> float:
    if episode.retry_after_s is None:
        return NO_HINT
    return plan_hint_s(f"{episode.retry_after_s:.3f}") if as_plan else episode.retry_after_s


def _episode_row(episode: Episode, start_s: float, end_s: float, *, as_plan: bool) -> EpisodeRow:
    return EpisodeRow(
        start_s,
        end_s,
        ADVICE[episode.error].int_code,
        float(episode.share),
        _hint_s(episode, as_plan=as_plan),
        float(episode.slow_factor),
        float(episode.period_s),
        episode.period_s * episode.bad_share,
        float(episode.cut_share),
        float(episode.capacity_share),
    )


def _failures(order: int) -> list[Failure]:
    found = [Failure(0, retryable=False)]
    for advice in sorted(ADVICE.values(), key=lambda one: one.int_code):
        kind = advice.int_code
        if order == PLAN_ORDER:
            found.append(plan_failure(kind))
            continue
        found.append(
            Failure(
                kind,
                retryable=advice.retryable,
                max_retries=NO_LIMIT if advice.max_retries is None else advice.max_retries,
                maybe_executed=advice.maybe_executed_default,
                critical=advice.severity == "critical",
                fallback=FALLBACKS.index(advice.fallback),
            )
        )
    return found


def _draws_permit(breaker: BreakerSettings) -> bool:
    """Whether any rule of these settings reads the draw that comes with `allow`."""
    grows = breaker.open_growth == EQUAL_JITTER
    return grows or breaker.family == THROTTLE or breaker.open_jitter > 0.0 or breaker.enforced_share < 1.0


def workload_of(scenario: Scenario, policy: Policy, seed: int, *, keeps_attempts: bool = False) -> Workload:
    """Turn a scenario and a policy into numbers.

    Parameters
    ----------
    scenario : Scenario
        The traffic.
    policy : Policy
        The settings.
    seed : int
        At least 0.
    keeps_attempts : bool
        Whether each try becomes a row of the Run.

    Raises
    ------
    ParameterError
        When the policy's chain names a model that the scenario does not have, or the seed is no whole number.
    """
    if isinstance(seed, bool) or not isinstance(seed, int) or not 0 <= seed < 1 << 62:
        raise ParameterError.of("seed", seed, "a whole number from 0 to 2^62", "give any, and keep it: it is the run")
    chain, windows = _chain(scenario, policy)
    order = 0 if policy.retry is None else policy.retry.order
    as_plan = order == PLAN_ORDER
    breaker = policy.breaker or BreakerSettings()
    rows: list[ModelRow] = []
    episodes: list[EpisodeRow] = []
    values: list[float] = []
    kinds: list[int] = []
    until: list[float] = []
    names, providers = [one.name for one in scenario.models], [one.provider for one in scenario.models]
    for model, its in zip(scenario.models, by_model(scenario.episodes, names, providers), strict=True):
        starts = (len(values), len(kinds), len(episodes))
        values += model.latency.values
        total = 0.0
        for error in model.errors:
            total += error.share
            kinds.append(ADVICE[error.kind].int_code)
            until.append(total)
        episodes += [
            _episode_row(episode, start_s, end_s, as_plan=as_plan)
            for episode in its
            for start_s, end_s in stretches(episode, scenario.episodes.index(episode), seed)
        ]
        rows.append(
            ModelRow(
                model.servers, model.queue, model.latency.family, starts[0], len(values), starts[1], len(kinds), starts[2],
                len(episodes), float(model.error_s), model.cancels, model.requests_per_minute, model.cost_microusd,
                model.tokens_per_minute, float(model.input_usd_per_million), float(model.output_usd_per_million),
                any(episode.capacity_share < 1.0 for episode in its),
            )
        )  # fmt: skip
    failures = _failures(order)
    advised = [SUCCESS] * KINDS
    for advice in ADVICE.values():
        advised[advice.int_code] = _VOTES[advice.breaker]
    votes = [outcome_of(breaker.votes, kind, advised[kind]) if kind else SUCCESS for kind in range(KINDS)]
    # room for the arrivals of the most crowded run there is: eight standard errors above the mean
    expected = scenario.requests + 8.0 * scenario.requests**0.5 + 100.0
    times_s = times_of(scenario.arrivals, seed, scenario.requests)
    rates, lengths_s = ([], []) if times_s else pieces_of(scenario.arrivals, seed, expected)
    tokens = scenario.tokens or Tokens(1.0, 0.0, 1.0, 0.0)
    setup = Setup(
        seed=seed,
        requests=scenario.requests,
        clients=scenario.clients,
        places=len(chain),
        timeout_s=float(scenario.timeout_s),
        invalid_share=float(scenario.invalid_share),
        has_key=scenario.has_key,
        has_breaker=policy.breaker is not None,
        has_retry=policy.retry is not None,
        asks_each_attempt=breaker.counts == PER_ATTEMPT,
        budgets_models=policy.fallback is not None and policy.fallback.uses_budget,
        draws_permit=_draws_permit(breaker),
        plan_hints=as_plan,
        keys=scenario.cache.keys if scenario.cache is not None and policy.freshness is not None else 0,
        cache_capacity=0 if scenario.cache is None else scenario.cache.capacity,
        hit_s=0.0 if scenario.cache is None else float(scenario.cache.hit_s),
        replayed=bool(times_s),
        keeps_attempts=keeps_attempts,
        counts_tokens=scenario.tokens is not None,
        in_median=float(tokens.in_median),
        in_sigma=float(tokens.in_sigma),
        out_median=float(tokens.out_median),
        out_sigma=float(tokens.out_sigma),
    )
    retry = policy.retry
    return Workload(
        setup=setup,
        models=rows,
        episodes=episodes,
        values=np.array(values),
        rates=np.array(rates),
        lengths_s=np.array(lengths_s),
        times_s=np.array(times_s),
        held_s=np.array(scenario.arrivals.held_s),
        luck=luck_for(scenario.sessions, seed, scenario.requests),
        error_kinds=np.array(kinds, dtype=np.int64),
        error_until=np.array(until, dtype=np.float64),
        chain=np.array(chain, dtype=np.int64),
        windows=np.array(windows, dtype=np.int64),
        popularity=popularity_of(setup.keys, scenario),
        breaker=breaker,
        budget=policy.retry_budget or NO_BUDGET,
        freshness=policy.freshness or FreshnessSettings(),
        retries=(NO_RETRIES,) * 3 if retry is None else (retry.transient, retry.rate_limited, retry.critical),
        failures=failures,
        strategies=np.array([max(choose_strategy(order, failure) - 1, 0) for failure in failures], dtype=np.int64),
        votes=np.array(votes, dtype=np.int64),
        at_once=np.array([opens_at_once(breaker.votes, kind, len(chain)) for kind in range(KINDS)], dtype=np.bool_),
    )


def popularity_of(keys: int, scenario: Scenario) -> Floats:
    """Cumulative shares of the keys by Zipf's law, the most popular first; empty for no keys."""
    if keys == 0 or scenario.cache is None:
        return np.empty(0)
    weights = np.arange(1, keys + 1, dtype=np.float64) ** -scenario.cache.popularity
    shares: Floats = np.cumsum(weights) / weights.sum()
    return shares


def filled(record: Any) -> tuple[Any, ...]:
    """Values of a record of numbers in the order of its fields."""
    return tuple(getattr(record, field.name) for field in fields(record))
