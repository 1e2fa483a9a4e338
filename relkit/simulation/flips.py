"""Five small experiments on which the plan's rules and an honest reading disagree; what is true of each is exact.

harm_missed: a shadow three points worse, which the plan's test cannot say. cluster_false_alarm: a dozen long sessions carry
a "significant" gain. peeking: no difference at all, looked at each hour. dropped_timeouts: better only where it answers.
noisy_field: texts that differ from themselves, and a shadow that differs no more than that.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from relkit.batch import Batch
from relkit.units import US_PER_DAY, US_PER_MINUTE, US_PER_SECOND

SEED: Final = 20251008
_BOTH, _PRIMARY, _SHADOW, _NEITHER = range(4)


@dataclass(frozen=True, slots=True)
class Flip:
    """What is planted in one experiment.

    Parameters
    ----------
    name : str
        Of the experiment.
    both, only_primary, only_shadow, neither : int
        Pairs, a timeout of the shadow counted as its failure.
    timeouts : int
        Of the failures of the shadow, the pairs in which it never answered.
    turns : int
        Pairs a session, but for `swings`.
    swings : tuple of int
        Net differences of long sessions of 40 pairs, part of the counts above.
    differs, differs_baseline : float or None
        Shares of answers that differ from the primary's: the shadow's, and the primary's own.
    seed : int
        Added to the seed of all: the order of the sessions.
    """

    name: str
    both: int
    only_primary: int
    only_shadow: int
    neither: int
    timeouts: int = 0
    turns: int = 3
    swings: tuple[int, ...] = ()
    differs: float | None = None
    differs_baseline: float | None = None
    seed: int = 0

    @property
    def pairs(self) -> int:
        """Number of pairs."""
        return self.both + self.only_primary + self.only_shadow + self.neither

    @property
    def delta(self) -> float:
        """Shadow minus primary, share of right answers."""
        return (self.only_shadow - self.only_primary) / self.pairs


FLIPS: Final = (
    Flip("harm_missed", both=2_826, only_primary=135, only_shadow=36, neither=3),
    Flip(
        "cluster_false_alarm", both=1_359, only_primary=61, only_shadow=91, neither=9,
        swings=(19, 18, 17, 16, -9, -9, -8, -7, -7),
    ),
    Flip("peeking", both=1_404, only_primary=48, only_shadow=48, neither=0, turns=1, seed=31),
    Flip("dropped_timeouts", both=2_691, only_primary=174, only_shadow=102, neither=33, timeouts=135),
    Flip("noisy_field", both=3_820, only_primary=22, only_shadow=20, neither=138, differs=0.36, differs_baseline=0.35),
)  # fmt: skip


def flip_batch(start_us: int, seed: int = SEED) -> Batch:
    """Make the pairs of all five, spread over five days from `start_us`.

    Parameters
    ----------
    start_us : int
        First pair, microseconds since 1970 UTC.
    seed : int
        Of order, latency and cost; the counts are what `FLIPS` says, whatever the seed.

    Examples
    --------
    >>> batch = flip_batch(0)
    >>> batch.table, len(batch) == sum(flip.pairs for flip in FLIPS)
    ('pairs', True)
    """
    columns: dict[str, list[Any]] = {}
    for flip in FLIPS:
        for name, values in _columns(flip, start_us, seed).items():
            columns.setdefault(name, []).extend(values)
    return Batch("pairs", columns)


def flip_truth() -> dict[str, Mapping[str, Any]]:
    """Return what is true of each, plain enough for JSON.

    >>> flip_truth()["peeking"]["delta"]
    0.0
    """
    return {
        flip.name: {
            "pairs": flip.pairs, "delta": flip.delta, "timeouts": flip.timeouts,
            "cells": {"a": flip.both, "b": flip.only_primary, "c": flip.only_shadow, "d": flip.neither},
        }
        for flip in FLIPS
    }  # fmt: skip


def _columns(flip: Flip, start_us: int, seed: int) -> dict[str, list[Any]]:
    rng = np.random.default_rng([seed, flip.seed, *flip.name.encode()])
    session, cell = _dealt(flip, rng)
    size = flip.pairs
    order = rng.permutation(session.max() + 1)  # sessions come in any order, their turns one after another
    rank = order[session]
    by_time = np.lexsort((np.arange(size), rank))
    session, cell, rank = session[by_time], cell[by_time], rank[by_time]
    turn = np.arange(size) - np.searchsorted(rank, rank, side="left") + 1
    ts = start_us + rank * (5 * US_PER_DAY // (session.max() + 1)) + turn * US_PER_MINUTE // 2
    primary_us = np.rint(450_000 * np.exp(0.5 * rng.standard_normal(size))).astype(np.int64)
    shadow_us = np.rint(primary_us * np.exp(0.15 * rng.standard_normal(size))).astype(np.int64)
    lost = np.zeros(size, dtype=bool)
    lost[rng.permutation(np.flatnonzero((cell == _PRIMARY) | (cell == _NEITHER)))[: flip.timeouts]] = True
    shadow_us[lost] = 30 * US_PER_SECOND
    cost = rng.integers(40, 80, size)
    primary_ok, shadow_ok = (cell == _BOTH) | (cell == _PRIMARY), (cell == _BOTH) | (cell == _SHADOW)
    differs, baseline = _differing(flip, rng, size)
    return {
        "pair_id": [f"{flip.name}-{number + 1:05d}" for number in range(size)],
        "ts": ts.tolist(),
        "experiment": [flip.name] * size,
        "session_id": [f"{flip.name}-s{number + 1:04d}" for number in session.tolist()],
        "turn": turn.tolist(),
        "segment": [("en", "de", "es")[number % 3] for number in session.tolist()],
        "primary_variant": ["base"] * size,
        "primary_action": np.where(primary_ok, "continue", "clarify").tolist(),
        "primary_ok": primary_ok.tolist(),
        "primary_latency_us": primary_us.tolist(),
        "primary_cost_microusd": cost.tolist(),
        "shadow_variant": [flip.name] * size,
        "shadow_action": [
            None if gone else "continue" if ok else "clarify" for ok, gone in zip(shadow_ok, lost, strict=True)
        ],
        "shadow_ok": shadow_ok.tolist(),
        "shadow_latency_us": shadow_us.tolist(),
        "shadow_cost_microusd": cost.tolist(),
        "shadow_flags": ["timeout" if gone else None for gone in lost],
        "state": ["mirrored" if gone else "compared" for gone in lost],
        "differs": differs,
        "differs_baseline": baseline,
        "primary_first": (rng.permutation(size) % 2 == 0).tolist(),
    }


def _dealt(flip: Flip, rng: np.random.Generator) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    """Deal the cells to sessions: the long ones first, with their swings, then what is left in any order."""
    left = np.array([flip.both, flip.only_primary, flip.only_shadow, flip.neither])
    session, cell = [], []
    for number, swing in enumerate(flip.swings):
        kind = _SHADOW if swing > 0 else _PRIMARY
        cells = [kind] * abs(swing) + [_BOTH] * (40 - abs(swing))
        left -= np.bincount(cells, minlength=4)
        session += [number] * 40
        cell += list(rng.permutation(cells))
    rest = rng.permutation(np.repeat(np.arange(4), left))
    session += (len(flip.swings) + np.arange(rest.size) // flip.turns).tolist()
    return np.array(session), np.array([*cell, *rest.tolist()])


def _differing(flip: Flip, rng: np.random.Generator, size: int) -> tuple[list[bool | None], list[bool | None]]:
    if flip.differs is None or flip.differs_baseline is None:
        return [None] * size, [None] * size
    shadow, primary = (rng.permutation(size) < round(share * size) for share in (flip.differs, flip.differs_baseline))
    return shadow.tolist(), primary.tolist()
