"""Random breakers on random traffic, what the lint says of each, and what a simulated month does to it."""

from dataclasses import dataclass, replace
from enum import Enum

import numpy as np
from scipy.stats import poisson as poisson_law

from relkit import simulate
from relkit.errors import ErrorKind
from relkit.policies import codes
from relkit.policies.policy import Policy
from relkit.policies.records import BreakerSettings
from relkit.simulation.arrivals import poisson
from relkit.simulation.latency import constant
from relkit.simulation.scenario import ErrorShare, Scenario, ServedModel
from relkit.tune.false_opens import MONTH_S, openings_from_closed
from relkit.tune.lint import HAIR_A_MONTH, Traffic, lint
from relkit.tune.reach import NEVER_A_MONTH, reach
from relkit.tune.stray import stray_opens

UNLIKELY = 1e-6  # of 2 x 3,000 runs, 0.006 are expected to be called unexplained by luck alone
FASTER = 1000.0  # a run keeps a row a second, and a month has 2.6 million
CLUMP = 10.0  # how many windows in a row may share one burst of calls


class Why(Enum):
    """Why the lint and a run may differ; anything else is a disagreement that nothing explains."""

    CHANCE = "the lint's own number makes what was seen no wonder"
    BOUNDS = "a number within the lint's stated bounds does"
    UNION = "openings in an outage are counted at most: windows that overlap share their calls"


@dataclass(frozen=True, slots=True)
class Case:
    """A breaker on traffic, and what it was built to be."""

    made: str
    cfg: BreakerSettings
    calls_per_s: float
    failure_share: float


@dataclass(frozen=True, slots=True)
class Tried:
    """What the lint said and what the month did."""

    case: Case
    never: bool
    opened: int
    hair: bool
    strays: int
    why_never: "Why | None"
    why_hair: "Why | None"
    unexplained: bool


def cases(number: int, seed: int) -> list[Case]:
    """Return random cases: a quarter built to never open, a quarter to be hair triggers, the rest at random."""
    rng = np.random.default_rng(seed)
    return [_case(("never", "hair", "random", "random")[place % 4], rng) for place in range(number)]


def _case(made: str, rng: np.random.Generator) -> Case:
    rate = float(10 ** rng.uniform(-3.0, -2.2))  # 2,600 to 16,000 calls a month
    share = float(10 ** rng.uniform(-2.3, -0.6)) if made != "hair" else float(rng.uniform(0.05, 0.25))
    settings: dict = {
        "open_s": float(10 ** rng.uniform(0, 3)),
        "half_open_successes": 1,
        "judges_success": bool(rng.integers(2)),
    }
    if made == "never":
        settings |= _never(rng, rate)
    elif made == "hair":
        settings |= _hair(rng, rate)
    else:
        settings |= _any(rng, rate)
    return Case(made, BreakerSettings(**settings), rate, share)


def _never(rng: np.random.Generator, rate: float) -> dict:
    kind = rng.integers(3)
    if kind == 0:
        return {"family": codes.THROTTLE, "window_s": 120.0, "counts_at_start": True}
    if kind == 1:
        return {"family": codes.TIME, "window_s": 10.0 / rate, "min_calls": 1, "failure_share": 1.5}
    in_window = float(10 ** rng.uniform(-2.0, 0.5))
    return {
        "family": int(rng.choice([codes.TIME, codes.ANCHORED])),
        "window_s": in_window / rate,
        "min_calls": int(in_window * 3 + 25),
        "failure_share": float(rng.uniform(0.1, 1.0)),
    }


def _hair(rng: np.random.Generator, rate: float) -> dict:
    kind = rng.integers(3)
    if kind == 0:
        return {"family": codes.CONSECUTIVE, "failure_threshold": int(rng.integers(1, 3))}
    if kind == 1:
        window = float(10 ** rng.uniform(-2, 0.3)) / rate
        return {"family": codes.TIME, "window_s": window, "min_calls": 1, "failure_share": float(rng.uniform(0.1, 0.5))}
    calls = int(rng.integers(3, 11))
    return {"family": codes.COUNT, "window_calls": calls, "min_calls": 2, "failure_share": float(rng.uniform(0.1, 0.3))}


def _any(rng: np.random.Generator, rate: float) -> dict:
    family = int(rng.choice([codes.CONSECUTIVE, codes.COUNT, codes.TIME, codes.ANCHORED, codes.EMA, codes.ADAPTIVE]))
    settings: dict = {
        "family": family,
        "failure_threshold": int(rng.integers(2, 11)),
        "failure_share": float(rng.uniform(0.1, 1.0)),
    }
    if family == codes.COUNT:
        calls = int(10 ** rng.uniform(0.5, 2.3))
        return settings | {"window_calls": calls, "min_calls": int(rng.integers(1, calls + 1))}
    if family in {codes.TIME, codes.ANCHORED}:
        window_s = float(10 ** rng.uniform(-1.5, 2)) / rate
        return settings | {
            "window_s": window_s,
            "buckets": int(rng.choice([1, 2, 5, 10])),
            "min_calls": int(rng.integers(0, 21)),
        }
    if family == codes.EMA:
        return settings | {"ema_s": float(10 ** rng.uniform(-1, 1.5)) / rate, "min_calls": int(rng.integers(1, 10))}
    return settings


def tried(case: Case, seed: int) -> Tried:
    """Lint a case, play a month of total outage and a month of good health, and explain where they differ."""
    policy = Policy("case", "2026", "random", breaker=case.cfg)
    traffic = Traffic(case.calls_per_s, case.failure_share, latency_s=0.0)
    codes_found = {finding.code for finding in lint(policy, traffic)}
    never, hair = "NEVER_TRIPS" in codes_found, "HAIR_TRIGGER" in codes_found
    opened = _openings(policy, case.calls_per_s, 1.0, seed)
    strays = _openings(policy, case.calls_per_s, case.failure_share, seed)
    why_never, why_hair, unexplained = None, None, False
    if never != (opened == 0):
        why_never = explain_outage(reach(policy, traffic.calls_a_month).openings_a_month, opened)
        unexplained |= why_never is None
    stray = stray_opens(case.cfg, case.calls_per_s, case.failure_share)
    if hair != (strays >= HAIR_A_MONTH) and stray is not None and not never:
        why_hair = explain_strays(stray.low, stray.value, stray.high, strays)
        unexplained |= why_hair is None
    if never and strays:  # what cannot open in an outage cannot open in good health
        why_hair = explain_outage(reach(policy, traffic.calls_a_month).openings_a_month, strays)
        unexplained |= why_hair is None
    return Tried(case, never, opened, hair, strays, why_never, why_hair, unexplained)


def explain_outage(at_most: float, opened: int) -> Why | None:
    """Explain a month of outage in which a breaker opened against `NEVER_A_MONTH`, or did not open at all."""
    if _likely(at_most, opened):
        return Why.CHANCE
    return Why.UNION if at_most >= NEVER_A_MONTH and opened == 0 and _likely(at_most / CLUMP, 0) else None


def explain_strays(low: float, value: float, high: float, strays: int) -> Why | None:
    """Explain a healthy month with fewer or more openings than the lint's flag says."""
    if _likely(value, strays):
        return Why.CHANCE
    nearest = min(max(float(strays), low), high)
    return Why.BOUNDS if _likely(nearest, strays) else None


def _likely(mean: float, seen: int) -> bool:
    """Whether a Poisson count with this mean is at least as far out as what was seen with more than `UNLIKELY`."""
    return min(poisson_law.cdf(seen, mean), poisson_law.sf(seen - 1, mean)) >= UNLIKELY


def _openings(policy: Policy, calls_per_s: float, failure_share: float, seed: int) -> int:
    """Play a month, a thousand times as fast: the settings' seconds shrink as the gaps between calls do."""
    assert policy.breaker is not None
    quick = {name: getattr(policy.breaker, name) / FASTER for name in ("window_s", "open_s", "ema_s")}
    errors = (ErrorShare(ErrorKind.API_SERVER_ERROR, failure_share),)
    model = ServedModel("only", "one", constant(0.001 / FASTER), errors=errors, error_s=0.001 / FASTER)
    month = Scenario("month", round(calls_per_s * MONTH_S), poisson(calls_per_s * FASTER), (model,))
    return openings_from_closed(simulate(month, replace(policy, breaker=replace(policy.breaker, **quick)), seed))
