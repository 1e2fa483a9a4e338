"""How often each rule stops a healthy shadow and misses a harmful one, on the user's own sessions.

Healthy: sessions are drawn from the log with replacement and the two arms of each are exchanged by a coin, which leaves no
difference but all that sessions have in common. Harmful: the same, with a loss of known size planted in the shadow.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
from scipy.special import ndtr, stdtr

from relkit.intervals import wilson
from relkit.shadow.decide import Rules
from relkit.shadow.guardrails import ENDPOINTS
from relkit.shadow.naive import (
    DIFFY_ABSOLUTE,
    DIFFY_RELATIVE,
    PLAN_DIFFERENCE_SHARE,
    PLAN_ERROR_SHARE,
    PLAN_SLOWER_US,
)
from relkit.shadow.sessions import SPARSE_SESSIONS
from relkit.shadow.study import PER_DOUBLING, SessionSample

Floats = npt.NDArray[np.float64]

LOOKS: Final = 24
REPLICATIONS: Final = 400
MOST_SESSIONS: Final = 1_000
RULES: Final = ("gate", "gate_horizon", "plan_z", "plan_errors", "plan_differences", "plan_latency", "diffy")


@dataclass(frozen=True, slots=True)
class World:
    """What is planted: losses of right answers, differences and latency, as shares.

    >>> World("errors, 2 margins", errors=0.02).latency
    0.0
    """

    name: str
    errors: float = 0.0
    differences: float = 0.0
    latency: float = 0.0


@dataclass(frozen=True, slots=True)
class Characteristic:
    """How often one rule stops the shadow in one world.

    Parameters
    ----------
    rule : str
        One of `RULES`: this gate at every look, this gate once at the horizon, the plan's rules, Diffy's.
    world : str
        What was planted.
    stops, low, high : float
        Share of the replications in which it stopped at any look, with Wilson's 95 % interval.
    median_sessions : float or None
        Sessions until it stopped, in the middle of those that stopped; None where none did.
    """

    rule: str
    world: str
    stops: float
    low: float
    high: float
    median_sessions: float | None


def worlds(rules: Rules) -> tuple[World, ...]:
    """Plant nothing, then losses in multiples of the margins."""
    margins = rules.margins
    return (
        World("nothing is wrong"),
        World("errors, 1 margin", errors=margins.errors),
        World("errors, 2 margins", errors=2 * margins.errors),
        World("errors, 5 margins", errors=5 * margins.errors),
        World("differences, 2 margins", differences=2 * margins.differences),
        World("latency, 2 margins", latency=2 * margins.latency),
    )


def operating_characteristics(
    sample: SessionSample,
    rules: Rules,
    *,
    primary_mean_us: float = 0.0,
    seed: int = 20251008,
    replications: int = REPLICATIONS,
    looks: int = LOOKS,
    planted: tuple[World, ...] | None = None,
) -> tuple[Characteristic, ...]:
    """Replay rollouts on resampled sessions and count who is stopped.

    Parameters
    ----------
    sample : SessionSample
        Sessions of the log; at most 1,000 a rollout are drawn.
    rules : Rules
        What this gate holds a shadow to.
    primary_mean_us : float
        Mean latency of the primary, microseconds: what a planted slowdown is a share of.
    seed : int
        Of all draws.
    replications : int
        Rollouts a world; the standard error of a share is at most 0.5 / sqrt(replications).
    looks : int
        Looks a rollout, evenly spaced over its sessions.
    planted : tuple of World, optional
        Default: `worlds(rules)`.

    Returns
    -------
    tuple of Characteristic
        One for each rule and world; empty when there are fewer than 30 sessions to draw from.
    """
    if sample.size < rules.minimum_sessions:
        return ()
    rng = np.random.default_rng(seed)
    size = min(sample.sessions, MOST_SESSIONS)
    found = []
    for world in planted or worlds(rules):
        drawn = _rollouts(sample, world, rng, (replications, size), primary_mean_us)
        at = np.unique(np.linspace(size / looks, size, looks).round().astype(np.int64)) - 1
        stopped = _stops(
            {name: np.cumsum(values, axis=1)[:, at] for name, values in drawn.items()},
            (at + 1).astype(np.float64),
            rules,
        )
        for rule in RULES:
            ever = stopped[rule].any(axis=1)
            times = int(ever.sum())
            first = (at + 1)[stopped[rule].argmax(axis=1)][ever]
            low, high = wilson(times, replications, 0.95)
            found.append(
                Characteristic(
                    rule, world.name, times / replications, low, high, float(np.median(first)) if times else None
                )
            )
    return tuple(found)


def _rollouts(
    sample: SessionSample, world: World, rng: np.random.Generator, shape: tuple[int, int], primary_mean_us: float
) -> dict[str, Floats]:
    """Draw sessions, exchange arms, plant the harm; one row a rollout."""
    chosen = rng.integers(sample.size, size=shape)
    drawn = {name: values[chosen] for name, values in sample.columns.items()}
    swap = rng.random(shape) < 0.5
    for left, right in (("only_primary", "only_shadow"), ("more", "less")):
        drawn[left], drawn[right] = np.where(swap, drawn[right], drawn[left]), np.where(swap, drawn[left], drawn[right])
    for name in ("bins", "excess_us"):
        drawn[name] = np.where(swap, -drawn[name], drawn[name])
    if world.errors:
        shadow_right = drawn["both_ok"] + drawn["only_shadow"]
        share = min(1.0, world.errors * drawn["pairs"].sum() / max(1, shadow_right.sum()))
        lost = rng.binomial(drawn["both_ok"], share)
        drawn["only_primary"] = drawn["only_primary"] + lost
        drawn["both_ok"] = drawn["both_ok"] - lost
        drawn["only_shadow"] = drawn["only_shadow"] - rng.binomial(drawn["only_shadow"], share)
    if world.differences:
        agree = drawn["triples"] - drawn["more"] - drawn["x11"]  # the shadow agrees with the primary
        share = min(1.0, world.differences * drawn["triples"].sum() / max(1, agree.sum()))
        from_less = rng.binomial(drawn["less"], share)
        drawn["more"] = drawn["more"] + rng.binomial(agree - drawn["less"], share)
        drawn["less"], drawn["x11"] = drawn["less"] - from_less, drawn["x11"] + from_less
    floats = {name: values.astype(np.float64) for name, values in drawn.items()}
    if world.latency:
        floats["bins"] += drawn["timed"] * np.log2(1 + world.latency) * PER_DOUBLING
        floats["excess_us"] += drawn["timed"] * world.latency * primary_mean_us
    d = floats["only_primary"] - floats["only_shadow"]
    floats["lost"], floats["won"] = (d > 0).astype(np.float64), (d < 0).astype(np.float64)
    for name, (numerator, weight) in _products(floats).items():
        floats |= {
            f"{name}_v": numerator**2,
            f"{name}_dm": numerator * weight,
            f"{name}_mm": weight**2,
            f"{name}_k": (weight > 0).astype(np.float64),
            f"{name}_differing": (numerator != 0).astype(np.float64),
        }
    return floats


def _products(sums: Mapping[str, Floats]) -> dict[str, tuple[Floats, Floats]]:
    return {
        "errors": (sums["only_primary"] - sums["only_shadow"], sums["pairs"]),
        "differences": (sums["more"] - sums["less"], sums["triples"]),
        "latency": (sums["bins"], sums["timed"]),
    }


def _stops(sums: dict[str, Floats], sessions: Floats, rules: Rules) -> dict[str, npt.NDArray[np.bool_]]:
    """Apply every rule at every look."""
    pairs = np.maximum(sums["pairs"], 1)
    shadow_wrong = 1 - (sums["both_ok"] + sums["only_shadow"]) / pairs
    raw, noise = sums["more"] + sums["x11"], sums["less"] + sums["x11"]
    triples = np.maximum(sums["triples"], 1)
    gap = raw - noise
    last = np.arange(sessions.size) == sessions.size - 1
    return {
        "gate": _gate(sums, rules, anytime=True),
        "gate_horizon": _gate(sums, rules, anytime=False) & last,
        # It can only ever name a better shadow significant.
        "plan_z": np.zeros_like(pairs, dtype=bool),
        "plan_errors": shadow_wrong > PLAN_ERROR_SHARE,
        "plan_differences": raw / triples > PLAN_DIFFERENCE_SHARE,
        "plan_latency": sums["excess_us"] / np.maximum(sums["timed"], 1) > PLAN_SLOWER_US,
        "diffy": (gap > DIFFY_RELATIVE * (raw + noise)) & (gap / triples > DIFFY_ABSOLUTE),
    }


def _gate(sums: dict[str, Floats], rules: Rules, *, anytime: bool) -> npt.NDArray[np.bool_]:
    """`relkit.shadow.guardrails` and the breaker, for every rollout and look at once."""
    limits = {
        "errors": rules.margins.errors,
        "differences": rules.margins.differences,
        "latency": float(np.log2(1 + rules.margins.latency) * PER_DOUBLING),
    }
    alpha = (1 - rules.level) / 2
    products = _products(sums)
    stops = np.zeros_like(sums["pairs"], dtype=bool)
    for name, limit in limits.items():
        k = sums[f"{name}_k"]
        numerator, weight = products[name]
        p = _p_above(
            numerator,
            weight,
            k,
            sums[f"{name}_v"],
            sums[f"{name}_dm"],
            sums[f"{name}_mm"],
            limit,
            rules,
            anytime,
        )
        if name != "latency":
            sparse = sums[f"{name}_differing"] < SPARSE_SESSIONS
            worse, better = ("only_primary", "only_shadow") if name == "errors" else ("more", "less")
            scale = weight / np.maximum(sums[f"{name}_mm"], 1)
            z = _score_z(sums[better] * scale, sums[worse] * scale, weight * scale, limit)
            score = _anytime_p(z, k, rules) if anytime else ndtr(-z)
            p = np.where(sparse, np.maximum(p, score), p)
        # Any rejection of Holm's procedure begins with the smallest p, at alpha over the size of the family.
        family = 1 if name == "errors" else len(ENDPOINTS) - 1
        stops |= (p <= alpha / family) & (k >= rules.minimum_sessions)
    rule = rules.catastrophe
    loss = products["errors"][0] / np.maximum(sums["pairs"], 1)
    lopsided = (sums["lost"] >= rule.sessions) & (sums["lost"] >= rule.ratio * sums["won"])
    stops |= lopsided & (loss >= max(rule.loss, rules.margins.errors))
    return stops


def _p_above(
    s: Floats, m: Floats, k: Floats, v: Floats, dm: Floats, mm: Floats, limit: float, rules: Rules, anytime: bool
) -> Floats:
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = s / m
        spread = np.maximum(v - 2 * ratio * dm + ratio**2 * mm, 0.0)
        z = (ratio - limit) / (np.sqrt(k / (k - 1) * spread) / m)
        p: Floats = _anytime_p(z, k, rules) if anytime else stdtr(np.maximum(k - 1, 1), -z)
    return np.where((k >= 2) & np.isfinite(p), p, 1.0)


def _anytime_p(z: Floats, k: Floats, rules: Rules) -> Floats:
    once = -2 * np.log(1 - rules.level)
    c = rules.tight_at / ((once + np.log1p(once)) * np.maximum(k, 1))
    log_e = 0.5 * np.log(c / (1 + c)) + z**2 / (2 * (1 + c))
    return np.where(z > 0, np.minimum(1.0, np.exp(-log_e)), 1.0)


def _score_z(b: Floats, c: Floats, n: Floats, delta0: float) -> Floats:
    """Tango's statistic for delta0 above 0, as `relkit.shadow.paired` has it, for arrays."""
    n = np.maximum(n, 1e-9)
    slope = (2 * n + b - c) * delta0 - (b + c)
    constant = b * delta0 * (1 - delta0)
    root = np.sqrt(slope**2 + 8 * n * constant)
    with np.errstate(divide="ignore", invalid="ignore"):
        q = np.where(slope > 0, 2 * constant / (slope + root), (root - slope) / (4 * n))
    z: Floats = (c - b - n * delta0) / np.sqrt(n * (2 * q + delta0 * (1 - delta0)))
    return z
