"""The demo week's shadow comparison: what "professional" would have answered, with a known harm."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

import numpy as np

from relkit.simulation.demo_draws import Flags, Ints
from relkit.simulation.demo_rows import Columns
from relkit.simulation.demo_traffic import LLM, OPERATIONS, Requests, Streams
from relkit.simulation.demo_truth import Truth
from relkit.simulation.pairs import SESSION_DRAWS, TURN_DRAWS, ShadowArm, Stage, Turns, pair_rows
from relkit.units import US_PER_DAY, US_PER_SECOND


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a request ended for the user, an array a field: its latency from first start to last end, and its cost."""

    ok: Flags
    latency_us: Ints
    cost_microusd: Ints


def arm_of(settings: Mapping[str, Any]) -> ShadowArm:
    """Return the shadow arm that the pairs table of demo.toml describes.

    >>> from relkit.simulation.demo_truth import read_truth
    >>> arm_of(read_truth().pairs).delta
    -0.02
    """
    by_day = zip(settings["session_share_by_day"], settings["step_by_day"], strict=True)
    day_s = US_PER_DAY / US_PER_SECOND
    stages = tuple(Stage(day * day_s, share, step) for day, (share, step) in enumerate(by_day))
    known = {field.name for field in fields(ShadowArm)} - {"segments"}
    said = {name: value for name, value in settings.items() if name in known}
    return ShadowArm(**said, segments=tuple(settings["segments"].items()), stages=stages)


def pair_columns(
    truth: Truth, requests: Requests, outcome: Outcome, streams: Streams
) -> tuple[Columns, dict[str, Any]]:
    """Rows of the pairs table and what is true about them.

    A turn is eligible when the user got an answer: with none there is nothing to compare with.
    """
    arm, sessions = arm_of(truth.pairs), int(truth.traffic["sessions"])
    by_session = streams["pair_sessions"].random((SESSION_DRAWS, sessions))
    begun_us = np.full(sessions, truth.end_us)
    np.minimum.at(begun_us, requests.session, requests.ts)
    chat = (requests.service == LLM) & (requests.operation == OPERATIONS.index("chat"))
    rows = np.flatnonzero(chat & outcome.ok)
    turns = Turns(
        requests.ts[rows],
        rows,
        requests.session[rows],
        _rank_within(requests.session, chat)[rows],
        outcome.latency_us[rows],
        outcome.cost_microusd[rows],
        (begun_us - truth.start_us) / US_PER_SECOND,
    )
    primary = truth.models[0]
    score = np.log(turns.latency_us / (primary.median_s * US_PER_SECOND)) / primary.sigma
    # Drawn for every request, so that one more or less eligible turn leaves the others alone.
    by_turn = streams["pairs"].random((TURN_DRAWS, len(requests.ts)))[:, rows]
    columns, seen = pair_rows(arm, turns, score, truth.calls["timeout_s"], by_session, by_turn)
    expected_primary, expected_shadow = arm.expected_shares
    return columns, {
        "experiment": arm.experiment,
        "expected_primary": expected_primary,
        "expected_shadow": expected_shadow,
        "expected_delta": expected_shadow - expected_primary,
        "shift": arm.shift,
        **seen,
    }


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
