"""Random scenarios and policies of every family, for comparing the two engines."""

from dataclasses import replace
from random import Random

from relkit.errors import ErrorKind
from relkit.exceptions import ParameterError
from relkit.policies.backoff import DECORRELATED
from relkit.policies.fallback import FallbackModel, FallbackSettings
from relkit.policies.freshness import FreshnessSettings
from relkit.policies.policy import Policy
from relkit.policies.presets import presets
from relkit.policies.records import BreakerSettings
from relkit.policies.retry_budget import RetryBudgetSettings
from relkit.policies.retry_settings import Retry, RetrySettings
from relkit.simulation.arrivals import Arrivals, held, in_visits, modulated, poisson, replayed, varying
from relkit.simulation.episodes import (
    Episode,
    brownout,
    bursts,
    cut,
    flapping,
    gray,
    outage,
    rate_limited,
    recovering,
    slow,
)
from relkit.simulation.latency import Latency, constant, empirical, exponential, lognormal, mixture
from relkit.simulation.scenario import CachedAnswers, ErrorShare, Scenario, ServedModel
from relkit.simulation.sessions import Sessions
from relkit.simulation.tokens import Tokens
from relkit.simulation.visits import Visits

BREAKERS = [policy.breaker for policy in presets.values() if policy.breaker is not None]
RETRIES = [policy for policy in presets.values() if policy.retry is not None]


def arrivals(chance: Random, requests: int) -> Arrivals:
    rate = chance.choice([5.0, 20.0, 60.0])
    which = chance.randrange(6)
    if which == 0:
        return varying([(5.0, rate), (3.0, 0.0), (4.0, 3.0 * rate)])
    if which == 1:
        return modulated([(4.0, rate), (1.5, 6.0 * rate)])
    if which == 2:
        times_s = sorted(round(chance.random() * requests / rate, 1) for _ in range(requests))  # with many ties
        return replayed(times_s)
    if which == 3:
        return in_visits(
            varying([(5.0, rate), (3.0, 0.0), (4.0, 3.0 * rate)]), Visits(0.7, 1.5, chance.choice([0.0, 0.6]))
        )
    return poisson(rate)


def gaps(chance: Random, arriving: Arrivals) -> Arrivals:
    if chance.random() < 0.75:
        return arriving
    start_s = chance.uniform(0.5, 4.0)
    return held(arriving, [(start_s, start_s + 2.0), (start_s + 2.5, start_s + 3.0)])


def latency(chance: Random) -> Latency:
    return chance.choice(
        [
            constant(0.25),
            exponential(0.4),
            lognormal(0.45, 0.6),
            mixture([(0.85, 0.2, 0.4), (0.15, 2.0, 0.5)]),
            empirical([chance.expovariate(2.0) for _ in range(40)]),
        ]
    )


def episodes(chance: Random, names: list[str]) -> list[Episode]:
    found = []
    for name in chance.choice([["*"], names, ["p", "q"][: len(names)], []]):
        start_s = chance.uniform(0.0, 8.0)
        end_s = start_s + chance.uniform(1.0, 15.0)
        found.append(
            chance.choice(
                [
                    outage(name, start_s, end_s),
                    brownout(name, start_s, end_s, 0.6, 2.0),
                    rate_limited(name, start_s, end_s, 0.7, chance.choice([None, 0.0, 1.5, 12.0, 200.0])),
                    slow(name, start_s, end_s, 8.0),
                    flapping(name, start_s, end_s, 1.3, 0.5),
                    gray(name, start_s, end_s, chance.choice(list(ErrorKind)[:19]), 0.5),
                    cut(name, start_s, end_s, chance.choice([0.4, 1.0])),
                    recovering(name, start_s, end_s, chance.choice([0.0, 0.3])),
                    bursts(name, start_s, end_s, 1.5, 0.7, 0.9),
                ]
            )
        )
        if chance.random() < 0.5:
            found.append(outage(name, end_s, end_s + 2.0))
            if chance.random() < 0.5:
                found.append(recovering(name, end_s + 2.0, end_s + 6.0, 0.1))
    return found


def scenario(chance: Random, requests: int) -> Scenario:
    count = chance.choice([1, 1, 2, 3, 6])
    names = [f"m{number}" for number in range(count)]
    tokens = Tokens(chance.choice([200.0, 900.0]), 0.5, 100.0, 0.8) if chance.random() < 0.4 else None
    kinds = chance.sample(list(ErrorKind)[:19], 3)
    models = tuple(
        ServedModel(
            name,
            "q" if number % 2 else "p",
            latency(chance),
            servers=chance.choice([-1, 1, 4, 20]),
            queue=chance.choice([-1, 0, 3, 50]),
            errors=tuple(ErrorShare(kind, chance.choice([0.0, 0.02, 0.3])) for kind in kinds),
            error_s=chance.choice([0.0, 0.02, 5.0]),
            cancels=chance.random() < 0.5,
            requests_per_minute=chance.choice([0, 0, 0, 100]),
            cost_microusd=chance.choice([0, 900]),
            tokens_per_minute=0 if tokens is None else chance.choice([0, 100_000, 150_000]),
            input_usd_per_million=0.0 if tokens is None else 0.59,
            output_usd_per_million=0.0 if tokens is None else 0.79,
        )
        for number, name in enumerate(names)
    )
    return Scenario(
        "random",
        requests,
        gaps(chance, arrivals(chance, requests)),
        models,
        tuple(episodes(chance, names)),
        timeout_s=chance.choice([0.5, 2.0, 1e9, float("inf")]),
        clients=chance.choice([1, 1, 3]),
        cache=CachedAnswers(200, chance.choice([0.0, 0.8]), chance.choice([1, 20, 500]))
        if chance.random() < 0.4
        else None,
        invalid_share=chance.choice([0.0, 0.05]),
        has_key=chance.random() < 0.7,
        sessions=Sessions(chance.choice([1.0, 6.0]), 20, chance.choice([0.0, 1.5])) if chance.random() < 0.4 else None,
        tokens=tokens,
    )


def breaker(chance: Random) -> BreakerSettings | None:
    if chance.random() < 0.1:
        return None
    chosen = chance.choice(BREAKERS)
    assert chosen is not None
    changes = {
        "open_s": chance.choice([0.5, 2.0, 10.0]),
        "counts": chance.choice([0, 1]),
        "half_open_max_s": chance.choice([0.0, 3.0]),
        "open_jitter": chance.choice([0.0, 0.2]),
        "votes": chance.choice([0, 1, 2, 3, 4, 5]),
        "slow_call_s": chance.choice([0.0, 0.8]),
        "min_calls": chance.choice([chosen.min_calls, 4]),
        "min_peers": chance.choice([chosen.min_peers, 2]),
        "ejected_share": chance.choice([chosen.ejected_share, 0.5]),
    }
    for name, value in changes.items():
        if chance.random() < 0.5:
            try:
                chosen = replace(chosen, **{name: value})
            except ParameterError:  # some settings cannot stand together: keep what there was
                continue
    return chosen


def retry(chance: Random) -> tuple[Retry | None, RetryBudgetSettings | None]:
    if chance.random() < 0.1:
        return None, None
    if chance.random() < 0.6:
        preset = chance.choice(RETRIES)
        assert preset.retry is not None
        # One that tries for ever against a limit of the minute makes a million tries: equal, and slow.
        parts = (preset.retry.transient, preset.retry.rate_limited, preset.retry.critical)
        ended = [part if part.max_attempts else replace(part, max_total_attempts=300) for part in parts]
        return Retry(*ended, preset.retry.order), preset.retry_budget
    family = chance.randrange(8)
    settings = RetrySettings(
        max_attempts=chance.choice([1, 3, 6]),
        backoff=family,
        first_delay_s=chance.choice([0.0, 0.1, 1.0]),
        jitter=0 if family >= DECORRELATED else chance.randrange(5),
        jitter_share=0.3,
        jitter_s=0.5,
        hint=chance.randrange(5),
        deadline_s=chance.choice([4.0, 30.0]),
        guard_repeats=chance.random() < 0.5,
    )
    budget = RetryBudgetSettings(chance.randrange(7), capacity=chance.choice([5.0, 50.0]), earn=0.1)
    return Retry(settings, settings, settings, chance.randrange(2)), budget


def policy(chance: Random, names: list[str]) -> Policy:
    while True:
        loop, budget = retry(chance)
        chain = tuple(FallbackModel(name, "p", chance.choice([8192, 32768])) for name in names)
        try:
            return Policy(
                "random",
                "2026-11",
                "test",
                breaker(chance),
                loop,
                budget,
                FallbackSettings(chain, uses_budget=chance.random() < 0.5) if chance.random() < 0.8 else None,
                FreshnessSettings(5.0, chance.choice([0.0, 60.0])) if chance.random() < 0.7 else None,
            )
        except ParameterError:  # a breaker that outlasts the deadline, retries without their budget: draw again
            continue


def random_run(seed: int, requests: int = 400) -> tuple[Scenario, Policy]:
    chance = Random(seed)
    met = scenario(chance, requests)
    return met, policy(chance, [model.name for model in met.models])
