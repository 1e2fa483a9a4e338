"""Points of the breakers: how fast each opens in an outage, how often for nothing, and the run length oracle."""

import sys
from collections.abc import Mapping
from functools import cache
from importlib.util import find_spec
from math import inf, isinf
from pathlib import Path
from random import Random
from statistics import fmean, stdev
from typing import Final

from scipy.stats import chi2

from benchmarks.measure import alone
from relkit.policies.codes import COUNT
from relkit.policies.records import BreakerSettings
from tests.policies.detection import OUTAGES, calls_to_open, false_openings, fresh, serve, watched_preset

from .point import ROOT, Found, Skipped, point, run

OURS: Final = "relkit-adaptive"
_GOALS: Final = dict(zip(OUTAGES, (10, 12, 15, 30, 80), strict=True))
_STEADY: Final = (0.01, 0.02, 0.05, 0.10)
_RUNS: Final = 400
_MOST: Final = 2000
_FALSE_CALLS: Final = 1_000_000
_TABLE_CALLS: Final = 200_000
_FIXED: Final = ("plan", "plan-fixed", "resilience4j-count", "resilience4j-time", "polly-8", "20 % of 50")


def _settings(name: str) -> BreakerSettings:
    if name == "20 % of 50":
        return BreakerSettings(family=COUNT, window_calls=50, min_calls=20, failure_share=0.2)
    return watched_preset(name)


@cache
def _medians(name: str) -> Mapping[float, float]:
    return calls_to_open(_settings(name), OUTAGES, _RUNS, seed=20251008, most=_MOST)


@cache
def _false(name: str, calls: int) -> Mapping[float, float]:
    """Openings in 100,000 calls at each steady failure share, over ten breakers."""
    cfg = _settings(name)
    return {share: false_openings(cfg, share, calls, seed=5, runs=10) * 100_000 / calls for share in _STEADY}


def _shown(counts: Mapping[float, float], most: float = inf) -> str:
    return " ".join(f">{most:g}" if isinf(count) else f"{count:g}" for count in counts.values())


@point("policies", "the corrected adaptive breaker opens fast")
def opens_fast(_: Path) -> Found:
    found = _medians(OURS)
    goal = f"median calls to open at 100/70/50/30/20 % at most {_shown(_GOALS)} after 2,000 calls at 2 %"
    return Found(goal, f"{_shown(found)} ({_RUNS} runs)", all(found[share] <= _GOALS[share] for share in OUTAGES))


@point("policies", "the corrected adaptive breaker does not open for nothing")
def stays_closed(_: Path) -> Found:
    found = _false(OURS, _FALSE_CALLS)
    # One-sided Poisson bound: half the 95 % quantile of chi-square with 2 n + 2 degrees of freedom.
    per = 100_000 / _FALSE_CALLS
    highest = {share: round(float(chi2.ppf(0.95, 2 * count / per + 2)) / 2 * per, 2) for share, count in found.items()}
    return Found(
        "at most 1 false opening in 100,000 calls at steady 1, 2, 5, 10 %, after 2,000 calls at that share",
        f"{_shown(found)} in 100,000 ({_FALSE_CALLS:,} calls each; 95 % bounds {_shown(highest)})",
        all(count <= 1 for count in highest.values()),
    )


@point("policies", "an outage leaves its sensitivity as it was")
def forgets_outages(_: Path) -> Found:
    after = calls_to_open(_settings(OURS), OUTAGES, _RUNS, seed=20251008, most=_MOST, outage=True)
    before = _medians(OURS)
    holds = all(abs(after[share] - before[share]) <= max(1, 0.1 * before[share]) for share in OUTAGES)
    return Found(
        "the same medians, within a call or a tenth, after 60 calls at 60 % and 200 healthy ones",
        f"before {_shown(before)}; after {_shown(after)}",
        holds and all(after[share] <= _GOALS[share] for share in OUTAGES),
    )


@point("policies", "no fixed preset beats it in every column")
def is_on_the_front(_: Path) -> Found:
    """Nine columns: medians at five shares of failures, false openings at four steady ones, at 10 calls a second."""
    ours = {**_medians(OURS), **{("false", share): count for share, count in _false(OURS, _TABLE_CALLS).items()}}
    lines, beaten = [f"{OURS} {_shown(_medians(OURS))} | {_shown(_false(OURS, _TABLE_CALLS))}"], []
    for name in _FIXED:
        theirs = {**_medians(name), **{("false", share): count for share, count in _false(name, _TABLE_CALLS).items()}}
        lines.append(f"{name} {_shown(_medians(name), _MOST)} | {_shown(_false(name, _TABLE_CALLS))}")
        if all(theirs[column] <= ours[column] for column in ours):
            beaten.append(name)
    goal = "medians at 100/70/50/30/20 % | false openings in 100,000 at 1/2/5/10 %: no preset at least as good in all"
    return Found(goal, "; ".join(lines), not beaten)


@point("policies", "run length of the consecutive breaker")
def run_length(_: Path) -> Found:
    """Mean calls until k failures in a row, (1 - q^k) / ((1 - q) q^k); false alarm about 3 in 1,000 over nine cells."""
    worst, cells = 0.0, []
    for q, k in ((0.5, 2), (0.5, 5), (0.5, 10), (0.3, 2), (0.3, 5), (0.1, 2), (0.7, 5), (0.9, 10), (0.2, 3)):
        rng = Random(f"{q} {k}")
        cfg = BreakerSettings(failure_threshold=k)
        runs = [serve(fresh(cfg), q, 10**9, rng, until_open=True)[0] for _ in range(400)]
        expected = (1 - q**k) / ((1 - q) * q**k)
        z = (fmean(runs) - expected) / (stdev(runs) / 20)
        worst = max(worst, abs(z))
        cells.append(f"{q}/{k}: {fmean(runs):.4g} of {expected:.4g}")
    return Found(
        "mean of 400 runs within 3.8 standard errors in 9 cells", f"{'; '.join(cells)}; worst {worst:.1f}", worst < 3.8
    )


@point("policies", "breakers beside pybreaker, and 10^5 of them")
def costs_little(_: Path) -> Found:
    from benchmarks.breakers import BREAKERS, GOAL_MB, GOALS, compare  # noqa: PLC0415  it starts processes

    if not find_spec("pybreaker"):
        raise Skipped("pybreaker is not installed; pip install pybreaker==1.4.1")
    taken = alone("benchmarks.breaker_work:many", BREAKERS, "pybreaker").returned
    ratios = [row.ratio or 99 for row in list(compare(300_000, 5))[:2]]
    goals = list(GOALS.values())
    return Found(
        f"CPU of pybreaker with permit and clock at most {goals[0]:g}x, bare under a lock {goals[1]:g}x; at most {GOAL_MB} MB",
        f"{ratios[0]:.2f}x, {ratios[1]:.2f}x; {taken:.0f} MB",
        ratios[0] <= goals[0] and ratios[1] <= goals[1] and taken <= GOAL_MB,
    )


@point("policies", "every half-open permit settles once")
def no_permit_leaks(_: Path) -> Found:
    done = run([sys.executable, "-m", "pytest", "-q", "tests/policies/test_breaker_machine.py"], ROOT)
    told = done.stdout.strip().splitlines()[-1] if done.stdout.strip() else done.stderr[-200:]
    return Found(
        "a state machine over all presets, orders, abandonments and late answers finds no leak",
        told,
        done.returncode == 0,
    )
