"""A shadow arm on top of a Run: what another variant would have answered, with a harm that is known exactly.

Whether an answer is right follows a logistic model with effects of the session, so turns of one session are alike. The
shift of the shadow's logit is solved so that the two marginal shares differ by the wanted amount. The shadow has its own
latency, cost and timeouts.
"""

import math
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from scipy.special import expit, ndtri

from relkit.exceptions import ParameterError
from relkit.simulation.demo_draws import Flags, Floats, Ints, pick
from relkit.simulation.draws import PAIR, PAIRED_SESSION, drawn_many
from relkit.simulation.log import request_name, session_name, sessions_in
from relkit.simulation.workload import FRESH
from relkit.units import US_PER_SECOND

if TYPE_CHECKING:
    from relkit.simulation.run import Run

Columns = dict[str, list[Any]]

ACTIONS: Final = ("book", "continue", "clarify", "escalate")  # the first two when the turn goes well
SESSION_DRAWS: Final = 5
TURN_DRAWS: Final = 14


@dataclass(frozen=True, slots=True)
class Stage:
    """From when on which share of the sessions is mirrored, and the step of the rollout that this is.

    Parameters
    ----------
    start_s : float
        From when on, in seconds from the start; a session belongs to the stage in which it begins.
    share : float
        Share of the sessions, in [0, 1].
    step : int
        Step of the rollout.

    Examples
    --------
    >>> Stage(0.0, 0.2, 1).share
    0.2
    """

    start_s: float
    share: float
    step: int


@dataclass(frozen=True, slots=True)
class ShadowArm:
    """A shadow variant beside the primary one.

    Parameters
    ----------
    experiment, primary, shadow : str
        Name of the experiment and of the two variants.
    delta : float
        P(shadow right) - P(primary right), timeouts counted as not right.
    intercept, shared_sd, own_sd : float
        logit P(right) = intercept + u + v: u is normal and shared by both variants, v a variant's own; both belong to the
        session.
    timeout_share : float
        Share of the mirrored turns that the shadow does not answer in time.
    same_draw_share : float
        Share of the turns that the question decides alone: both variants meet the same luck.
    unmirrored_share, uncompared_share : float
        Share of the eligible turns that are not mirrored, and of the answered ones that are not compared.
    book_share, escalate_share : float
        Of the turns that go well, those that book; of the others, those that escalate.
    action_noise, baseline_share : float
        How often the same variant asked twice acts differently; share of the pairs with a second primary answer (A/A).
    latency_median_s, latency_sigma, latency_correlation : float
        The shadow's latency, lognormal, and its correlation with the primary's on the logarithm.
    cost_factor_percent : int
        Its cost in percent of the primary's.
    segments : tuple of (str, float)
        Names and shares; the shares add up to 1.
    stages : tuple of Stage
        In order of time.

    Raises
    ------
    ParameterError
        For shares outside [0, 1], stages out of order, or segments that do not add up.

    Examples
    --------
    >>> arm = ShadowArm("candidate", delta=-0.02)
    >>> round(arm.expected_shares[1] - arm.expected_shares[0], 9)
    -0.02
    """

    experiment: str
    primary: str = "base"
    shadow: str = "shadow"
    delta: float = 0.0
    intercept: float = 2.6
    shared_sd: float = 1.0
    own_sd: float = 0.65
    timeout_share: float = 0.005
    same_draw_share: float = 0.6
    unmirrored_share: float = 0.0
    uncompared_share: float = 0.0
    book_share: float = 0.15
    escalate_share: float = 0.3
    action_noise: float = 0.03
    baseline_share: float = 0.2
    latency_median_s: float = 0.5
    latency_sigma: float = 0.6
    latency_correlation: float = 0.5
    cost_factor_percent: int = 100
    segments: tuple[tuple[str, float], ...] = (("all", 1.0),)
    stages: tuple[Stage, ...] = (Stage(0.0, 1.0, 1),)

    def __post_init__(self) -> None:
        shares = (
            "timeout_share", "same_draw_share", "unmirrored_share", "uncompared_share", "book_share", "escalate_share",
            "action_noise", "baseline_share",
        )  # fmt: skip
        for name in shares:
            if not 0.0 <= getattr(self, name) <= 1.0:
                raise ParameterError.of(name, getattr(self, name), "a share from 0 to 1", "give e.g. 0.1")
        if not -1.0 <= self.latency_correlation <= 1.0:
            got = self.latency_correlation
            raise ParameterError.of("latency_correlation", got, "from -1 to 1", "0 for latencies of their own")
        for name in ("shared_sd", "own_sd", "latency_sigma"):
            if not 0.0 <= getattr(self, name) <= 10.0:
                raise ParameterError.of(name, getattr(self, name), "a number from 0 to 10", "give a spread")
        if not 0.0 < self.latency_median_s < math.inf:
            raise ParameterError.of("latency_median_s", self.latency_median_s, "seconds above 0", "give a finite time")
        if not self.cost_factor_percent >= 0:
            raise ParameterError.of("cost_factor_percent", self.cost_factor_percent, "from 0 on", "100 = the same")
        if not math.isclose(sum(share for _, share in self.segments), 1.0):
            raise ParameterError.of("segments", self.segments, "shares that add up to 1", "scale them")
        starts = [stage.start_s for stage in self.stages]
        fits = all(0.0 <= stage.share <= 1.0 for stage in self.stages)
        if not starts or starts[0] != 0.0 or starts != sorted(set(starts)) or not fits:
            remedy = "begin at 0 and go on in order of time, with shares in [0, 1]"
            raise ParameterError.of("stages", self.stages, "stages in order from 0 s on", remedy)
        low, high = (self._shadow_share(shift) - marginal_share(self.intercept, self.sd) for shift in (-5.0, 5.0))
        if not low < self.delta < high:
            remedy = "a shadow cannot be so much better or worse at this intercept"
            raise ParameterError.of("delta", self.delta, f"between {low:.4f} and {high:.4f}", remedy)

    @property
    def sd(self) -> float:
        """Spread of a variant's logit between sessions."""
        return float(np.hypot(self.shared_sd, self.own_sd))

    @property
    def shift(self) -> float:
        """Shift of the shadow's logit that makes its marginal share differ by delta."""
        wanted = marginal_share(self.intercept, self.sd) + self.delta
        low, high = -5.0, 5.0
        for _ in range(60):
            middle = (low + high) / 2
            low, high = (middle, high) if self._shadow_share(middle) < wanted else (low, middle)
        return (low + high) / 2

    @property
    def expected_shares(self) -> tuple[float, float]:
        """Exact shares of right answers, of the primary and of the shadow."""
        return marginal_share(self.intercept, self.sd), self._shadow_share(self.shift)

    def _shadow_share(self, shift: float) -> float:
        return (1 - self.timeout_share) * marginal_share(self.intercept + shift, self.sd)


@dataclass(frozen=True, slots=True)
class Turns:
    """The turns that the user got an answer to, an array a field; sessions are numbered from 0.

    Parameters
    ----------
    ts_us : array of int
        When each turn began, in microseconds.
    request, session, turn : array of int
        Number of the request from 0, of its session, and which turn of the session it is, from 1.
    latency_us, cost_microusd : array of int
        Of the primary answer.
    begun_s : array of float
        For each session when it began, in seconds from the start.
    """

    ts_us: Ints
    request: Ints
    session: Ints
    turn: Ints
    latency_us: Ints
    cost_microusd: Ints
    begun_s: Floats


def marginal_share(centre: float, sd: float) -> float:
    """Mean of the logistic function over a normal logit, by Gauss-Hermite quadrature.

    >>> round(marginal_share(0.0, 1.5), 12)
    0.5
    """
    nodes, weights = _quadrature()
    return float((weights * expit(centre + sd * nodes)).sum() / weights.sum())


@cache
def _quadrature() -> tuple[Floats, Floats]:
    nodes, weights = np.polynomial.hermite_e.hermegauss(80)
    return nodes, weights


def shadow_pairs(run: "Run", arm: ShadowArm, seed: int, *, start_us: int = 0) -> Columns:
    """Mirror the answered requests of a Run to a shadow arm.

    Parameters
    ----------
    run : Run
        Its fresh answers are the primary's; its scenario says which requests are turns of one session.
    arm : ShadowArm
        The shadow.
    seed : int
        Seed of the arm's own luck: the same three arguments give the same pairs.
    start_us : int
        The time of the run's beginning, in microseconds since 1970.

    Returns
    -------
    dict of str to list
        Columns of the pairs table, a row for each turn of a mirrored session.

    Raises
    ------
    ParameterError
        For a run without an answer, or timeouts where the scenario's timeout is infinite.

    Examples
    --------
    >>> from relkit.policies.presets import presets
    >>> from relkit.simulation.run import simulate
    >>> from relkit.simulation.suite import w0
    >>> run = simulate(w0().changed(requests=500, timeout_s=3.0), presets["plan-fixed"], seed=1, engine="oracle")
    >>> columns = shadow_pairs(run, ShadowArm("candidate", delta=-0.02), seed=1)
    >>> len(columns["pair_id"]) == run.counts["fresh"], sorted(set(columns["state"]))
    (True, ['compared', 'mirrored'])
    """
    timeout_s = run.scenario.timeout_s
    if arm.timeout_share > 0.0 and math.isinf(timeout_s):
        raise ParameterError.of(
            "timeout_share", arm.timeout_share, "0 without a timeout", "give the scenario a timeout_s"
        )
    rows = np.flatnonzero(run.requests["outcome"] == FRESH)
    if len(rows) == 0:
        remedy = "simulate a scenario in which a model answers"
        raise ParameterError.of("run", run.counts, "at least one fresh answer to mirror", remedy)
    session, turn = sessions_in(run)
    latency_us = np.maximum(np.rint(run.requests["latency_s"][rows] * US_PER_SECOND), 1).astype(np.int64)
    begun_s = np.full(int(session.max()) + 1, math.inf)
    np.minimum.at(begun_s, session, run.requests["arrival_s"])
    turns = Turns(
        start_us + np.rint(run.requests["arrival_s"][rows] * US_PER_SECOND).astype(np.int64),
        rows,
        session[rows],
        turn[rows],
        latency_us,
        run.requests["cost_microusd"][rows],
        begun_s,
    )
    logs = np.log(latency_us)
    by_session = _keyed(seed, len(begun_s), SESSION_DRAWS, PAIRED_SESSION)
    by_turn = _keyed(seed, len(run.requests), TURN_DRAWS, PAIR)[:, rows]
    score: Floats = (logs - logs.mean()) / (logs.std() or 1.0)
    return pair_rows(arm, turns, score, timeout_s, by_session, by_turn)[0]


def _keyed(seed: int, count: int, rows: int, purpose: int) -> Floats:
    """Draws of so many things: each has its own, whatever the others do."""
    blocks = [drawn_many(seed, 0, count, number, purpose) for number in range((rows + 1) // 2)]
    return np.stack([draws for block in blocks for draws in block])[:rows]


def pair_rows(
    arm: ShadowArm, turns: Turns, score: Floats, timeout_s: float, by_session: Floats, by_turn: Floats
) -> tuple[Columns, dict[str, Any]]:
    """Return rows of the pairs table and what came of them.

    Parameters
    ----------
    arm : ShadowArm
        The shadow.
    turns : Turns
        What there is to mirror.
    score : array of float
        Standard score of the logarithm of each turn's primary latency.
    timeout_s : float
        After how long the shadow is given up, in seconds.
    by_session, by_turn : arrays of float, shapes (5, sessions) and (14, turns)
        Uniform draws in [0, 1).

    Returns
    -------
    columns, seen : dict
        The rows; and rows, n, sessions, cells, realised_delta, timeouts and baseline_pairs.
    """
    stage = np.searchsorted([one.start_s for one in arm.stages], turns.begun_s, side="right") - 1
    joins = by_session[0] < np.array([one.share for one in arm.stages])[stage]
    chosen = np.flatnonzero(joins[turns.session])
    session, draws, size = turns.session[chosen], by_turn[:, chosen], len(chosen)
    names = [name for name, _ in arm.segments]
    segment = pick(by_session[1], [share for _, share in arm.segments])
    shared, own_primary, own_shadow = ndtri(by_session[2:])
    centre = arm.intercept + arm.shared_sd * shared
    primary_share = expit(centre + arm.own_sd * own_primary)[session]
    shadow_share = expit(centre + arm.own_sd * own_shadow + arm.shift)[session]
    same = draws[0] < arm.same_draw_share
    primary_ok = draws[1] < primary_share
    timeout = draws[3] < arm.timeout_share
    shadow_ok = (np.where(same, draws[1], draws[2]) < shadow_share) & ~timeout
    good, bad = draws[4] >= arm.book_share, 2 + (draws[5] < arm.escalate_share)
    noisy = draws[6] < arm.action_noise
    primary_action = np.where(primary_ok, good, bad)
    shadow_action = np.where(shadow_ok, good ^ noisy, 2 + ((bad - 2) ^ noisy))
    mirrored = draws[7] >= arm.unmirrored_share
    answered = mirrored & ~timeout
    compared = answered & (draws[8] >= arm.uncompared_share)
    state = np.select([compared, answered, mirrored], [3, 2, 1], default=0)
    repeated = compared & (draws[9] < arm.baseline_share)
    latency_us = _shadow_latency_us(arm, score[chosen], timeout_s, draws[11:13])
    if timeout.any():
        latency_us[timeout] = timeout_s * US_PER_SECOND
    cost_microusd = (turns.cost_microusd[chosen] * arm.cost_factor_percent + 50) // 100
    columns: Columns = {
        "pair_id": [f"x{number + 1:05d}" for number in range(size)],
        "ts": turns.ts_us[chosen].tolist(),
        "experiment": [arm.experiment] * size,
        "request_id": [request_name(number) for number in turns.request[chosen].tolist()],
        "session_id": [session_name(number) for number in session.tolist()],
        "turn": turns.turn[chosen].tolist(),
        "segment": [names[place] for place in segment[session].tolist()],
        "primary_variant": [arm.primary] * size,
        "primary_action": [ACTIONS[place] for place in primary_action.tolist()],
        "primary_ok": primary_ok.tolist(),
        "primary_latency_us": turns.latency_us[chosen].tolist(),
        "primary_cost_microusd": turns.cost_microusd[chosen].tolist(),
        "primary_flags": [None] * size,
        "shadow_variant": [arm.shadow] * size,
        "shadow_action": _keep(answered, [ACTIONS[place] for place in shadow_action.tolist()]),
        "shadow_ok": _keep(mirrored, shadow_ok.tolist()),
        "shadow_latency_us": _keep(mirrored, latency_us.tolist()),
        "shadow_cost_microusd": _keep(answered, cost_microusd.tolist()),
        "shadow_flags": _keep(mirrored & timeout, ["timeout"] * size),
        "state": [("eligible", "mirrored", "answered", "compared")[place] for place in state.tolist()],
        "differs": _keep(compared, (primary_action != shadow_action).tolist()),
        "differs_baseline": _keep(repeated, (draws[10] < arm.action_noise).tolist()),
        "primary_first": _keep(mirrored, (draws[13] < 0.5).tolist()),
        "step": np.array([one.step for one in arm.stages])[stage][session].tolist(),
    }
    cells = (primary_ok[mirrored] * 2 + shadow_ok[mirrored]).tolist()
    both, lost, won, neither = cells.count(3), cells.count(2), cells.count(1), cells.count(0)
    return columns, {
        "rows": size,
        "n": len(cells),
        "sessions": len(np.unique(session[mirrored])),
        "cells": {"a": both, "b": lost, "c": won, "d": neither},  # b: only the primary ok; c: only the shadow ok
        "realised_delta": (won - lost) / len(cells) if cells else 0.0,
        "timeouts": int((mirrored & timeout).sum()),
        "baseline_pairs": int(repeated.sum()),
    }


def _shadow_latency_us(arm: ShadowArm, score: Floats, timeout_s: float, draws: Floats) -> Ints:
    """Latencies of the shadow: slow where the primary was slow, and always short of a timeout."""
    rho = arm.latency_correlation
    log_s = np.log(arm.latency_median_s) + arm.latency_sigma * (rho * score + np.sqrt(1 - rho**2) * ndtri(draws[0]))
    limit = (timeout_s - 0.1 * min(timeout_s, 1.0) * draws[1]) * US_PER_SECOND
    latency: Ints = np.rint(np.minimum(US_PER_SECOND * np.exp(log_s), limit)).astype(np.int64)
    return latency


def _keep(known: Flags, values: list[Any]) -> list[Any]:
    """Values, None where they are not known."""
    return [value if here else None for here, value in zip(known.tolist(), values, strict=True)]
