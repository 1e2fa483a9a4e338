"""The demo week's shadow comparison: what "professional" would have answered, with a known harm.

Whether an answer is right follows a logistic model with effects of the session, so turns of one session are alike. The
harm is exact: the shift of the shadow's logit is solved so that the two marginal shares differ by the wanted amount.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.special import expit, ndtri

from relkit.simulation.demo_draws import Flags, Floats, Ints, pick
from relkit.simulation.demo_rows import Columns
from relkit.simulation.demo_traffic import LLM, OPERATIONS, Requests, Streams, day_of
from relkit.simulation.demo_truth import Truth
from relkit.units import US_PER_SECOND

ACTIONS = ("book", "continue", "clarify", "escalate")  # the first two when the turn goes well


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a request ended for the user, an array a field: its latency from first start to last end, and its cost."""

    ok: Flags
    latency_us: Ints
    cost_microusd: Ints


def marginal_share(centre: float, sd: float) -> float:
    """Mean of the logistic function over a normal logit, by Gauss-Hermite quadrature.

    >>> round(marginal_share(0.0, 1.5), 12)
    0.5
    """
    nodes, weights = np.polynomial.hermite_e.hermegauss(80)
    return float((weights * expit(centre + sd * nodes)).sum() / weights.sum())


def solve_shift(settings: Mapping[str, Any]) -> float:
    """Shift of the shadow's logit that makes its marginal share differ by `settings["delta"]`.

    >>> from relkit.simulation.demo_truth import read_truth
    >>> solve_shift(read_truth().pairs) < 0
    True
    """
    sd = float(np.hypot(settings["shared_sd"], settings["own_sd"]))
    wanted = marginal_share(settings["intercept"], sd) + settings["delta"]
    low, high = -5.0, 5.0
    for _ in range(60):
        middle = (low + high) / 2
        share = (1 - settings["timeout_share"]) * marginal_share(settings["intercept"] + middle, sd)
        low, high = (middle, high) if share < wanted else (low, middle)
    return (low + high) / 2


def pair_columns(
    truth: Truth, requests: Requests, outcome: Outcome, streams: Streams
) -> tuple[Columns, dict[str, Any]]:
    """Rows of the pairs table and what is true about them.

    A turn is eligible when the user got an answer: with none there is nothing to compare with.
    """
    settings, rng = truth.pairs, streams["pairs"]
    sessions = int(truth.traffic["sessions"])
    by_session = streams["pair_sessions"].random((5, sessions))
    begun = np.full(sessions, truth.end_us)
    np.minimum.at(begun, requests.session, requests.ts)
    day = np.minimum(day_of(truth, begun), 6)
    joins = by_session[0] < np.asarray(settings["session_share_by_day"])[day]
    segments = list(settings["segments"])
    segment = pick(by_session[1], list(settings["segments"].values()))
    shared, own_primary, own_shadow = ndtri(by_session[2:])
    chat = (requests.service == LLM) & (requests.operation == OPERATIONS.index("chat"))
    turn = _rank_within(requests.session, chat)
    rows = np.flatnonzero(chat & joins[requests.session] & outcome.ok)
    session = requests.session[rows]
    size = len(rows)
    # Drawn for every request, so that one more or less eligible turn leaves the others alone.
    draws = rng.random((14, len(requests.ts)))[:, rows]
    shift = solve_shift(settings)
    centre = settings["intercept"] + settings["shared_sd"] * shared
    primary_share = expit(centre + settings["own_sd"] * own_primary)[session]
    shadow_share = expit(centre + settings["own_sd"] * own_shadow + shift)[session]
    same = draws[0] < settings["same_draw_share"]
    primary_ok = draws[1] < primary_share
    timeout = draws[3] < settings["timeout_share"]
    shadow_ok = (np.where(same, draws[1], draws[2]) < shadow_share) & ~timeout
    good, bad = draws[4] >= settings["book_share"], 2 + (draws[5] < settings["escalate_share"])
    noisy = draws[6] < settings["action_noise"]
    primary_action = np.where(primary_ok, good, bad)
    shadow_action = np.where(shadow_ok, good ^ noisy, 2 + ((bad - 2) ^ noisy))
    mirrored = draws[7] >= settings["unmirrored_share"]
    answered = mirrored & ~timeout
    compared = answered & (draws[8] >= settings["uncompared_share"])
    state = np.select([compared, answered, mirrored], [3, 2, 1], default=0)
    repeated = compared & (draws[9] < settings["baseline_share"])
    shadow_latency = _shadow_latency(truth, outcome.latency_us[rows], draws[11:13])
    shadow_latency[timeout] = truth.calls["timeout_s"] * US_PER_SECOND
    shadow_cost = (outcome.cost_microusd[rows] * settings["cost_factor_percent"] + 50) // 100
    nothing = [None] * size
    columns: Columns = {
        "pair_id": [f"x{number + 1:05d}" for number in range(size)],
        "ts": requests.ts[rows].tolist(),
        "experiment": [settings["experiment"]] * size,
        "request_id": [f"r{number + 1:06d}" for number in rows.tolist()],
        "session_id": [f"s{number + 1:05d}" for number in session.tolist()],
        "turn": turn[rows].tolist(),
        "segment": [segments[place] for place in segment[session].tolist()],
        "primary_variant": [settings["primary"]] * size,
        "primary_action": [ACTIONS[place] for place in primary_action.tolist()],
        "primary_ok": primary_ok.tolist(),
        "primary_latency_us": outcome.latency_us[rows].tolist(),
        "primary_cost_microusd": outcome.cost_microusd[rows].tolist(),
        "primary_flags": nothing,
        "shadow_variant": [settings["shadow"]] * size,
        "shadow_action": _keep(answered, [ACTIONS[place] for place in shadow_action.tolist()]),
        "shadow_ok": _keep(mirrored, shadow_ok.tolist()),
        "shadow_latency_us": _keep(mirrored, shadow_latency.tolist()),
        "shadow_cost_microusd": _keep(answered, shadow_cost.tolist()),
        "shadow_flags": _keep(mirrored & timeout, ["timeout"] * size),
        "state": [("eligible", "mirrored", "answered", "compared")[place] for place in state.tolist()],
        "differs": _keep(compared, (primary_action != shadow_action).tolist()),
        "differs_baseline": _keep(repeated, (draws[10] < settings["action_noise"]).tolist()),
        "primary_first": _keep(mirrored, (draws[13] < 0.5).tolist()),
        "step": np.asarray(settings["step_by_day"])[day][session].tolist(),
    }
    cells = (primary_ok[mirrored] * 2 + shadow_ok[mirrored]).tolist()
    sd = float(np.hypot(settings["shared_sd"], settings["own_sd"]))
    expected_primary = marginal_share(settings["intercept"], sd)
    expected_shadow = (1 - settings["timeout_share"]) * marginal_share(settings["intercept"] + shift, sd)
    both, lost, won, neither = cells.count(3), cells.count(2), cells.count(1), cells.count(0)
    return columns, {
        "experiment": settings["experiment"],
        "expected_primary": expected_primary,
        "expected_shadow": expected_shadow,
        "expected_delta": expected_shadow - expected_primary,
        "shift": shift,
        "rows": size,
        "n": len(cells),
        "sessions": len(np.unique(session[mirrored])),
        "cells": {"a": both, "b": lost, "c": won, "d": neither},  # b: only the primary ok; c: only the shadow ok
        "realised_delta": (won - lost) / len(cells),
        "timeouts": int((mirrored & timeout).sum()),
        "baseline_pairs": int(repeated.sum()),
    }


def _shadow_latency(truth: Truth, primary_us: Ints, draws: Floats) -> Ints:
    """Latencies of the shadow: slow where the primary was slow, and always short of a timeout."""
    settings, primary = truth.pairs, truth.models[0]
    z = np.log(primary_us / (primary.median_s * US_PER_SECOND)) / primary.sigma
    rho = settings["latency_correlation"]
    log_s = np.log(settings["latency_median_s"]) + settings["latency_sigma"] * (
        rho * z + np.sqrt(1 - rho**2) * ndtri(draws[0])
    )
    limit = (truth.calls["timeout_s"] - 0.1 * draws[1]) * US_PER_SECOND
    latency: Ints = np.rint(np.minimum(US_PER_SECOND * np.exp(log_s), limit)).astype(np.int64)
    return latency


def _rank_within(session: Ints, chosen: Flags) -> Ints:
    """1, 2, ... for the chosen rows of each session, in their order; 0 elsewhere."""
    rank = np.zeros(len(session), dtype=np.int64)
    rows = np.flatnonzero(chosen)
    grouped = rows[np.argsort(session[rows], kind="stable")]
    owner = session[grouped]
    first = np.flatnonzero(np.concatenate([[True], owner[1:] != owner[:-1]]))
    length = np.diff(np.concatenate([first, [len(grouped)]]))
    rank[grouped] = np.arange(len(grouped)) - np.repeat(first, length) + 1
    return rank


def _keep(known: Flags, values: list[Any]) -> list[Any]:
    """Values, None where they are not known."""
    return [value if here else None for here, value in zip(known.tolist(), values, strict=True)]
