"""How often the plan's tests and limits are wrong, beside the right ones, on pairs drawn from a known truth.

The truth is a two by two table: shares of right answers of both arms, and their correlation. What the tests say of a
table is worked out once for each different table.
"""

from collections.abc import Callable
from dataclasses import dataclass
from math import log, sqrt
from typing import Final

import numpy as np
import numpy.typing as npt

from relkit.intervals import wilson
from relkit.shadow.paired import PairCounts, mcnemar
from relkit.shadow.plan_z import plan_z
from relkit.shadow.sequential.evidence import e_pairs
from relkit.shadow.sessions import session_sums, session_t

Ints = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]

SEED: Final = 20251008
PRIMARY_SHARE: Final = 0.9
CORRELATION: Final = 0.6
ALPHA: Final = 0.05
LOG_BOUND: Final = log(1 / ALPHA)


@dataclass(frozen=True, slots=True)
class Flagged:
    """How often each rule says something.

    Parameters
    ----------
    at : float
        What was varied: the true difference, the number of looks, the true error share.
    plan, ours : float
        Shares of the runs in which the plan's rule and the right one spoke.
    plan_interval, our_interval : Interval
        Wilson's.
    runs : int
        Runs of both.
    """

    at: float
    plan: float
    plan_interval: tuple[float, float]
    ours: float
    our_interval: tuple[float, float]
    runs: int


def flagged(at: float, plan: Flags, ours: Flags, level: float) -> Flagged:
    """Count how often each rule spoke, with Wilson's intervals."""
    runs = len(plan)
    return Flagged(
        at,
        float(plan.mean()),
        wilson(int(plan.sum()), runs, level),
        float(ours.mean()),
        wilson(int(ours.sum()), runs, level),
        runs,
    )


def cells(delta: float, share: float = PRIMARY_SHARE, correlation: float = CORRELATION) -> tuple[float, ...]:
    """Return the shares of both, only_primary, only_shadow and neither.

    p11 = p1 p2 + rho sqrt(p1 q1 p2 q2).

    >>> [round(each, 3) for each in cells(0.0)]
    [0.864, 0.036, 0.036, 0.064]
    """
    other = share + delta
    both = share * other + correlation * sqrt(share * (1 - share) * other * (1 - other))
    return both, share - both, other - both, 1 - share - other + both


def _drawn(rng: np.random.Generator, n: int, delta: float, size: int | tuple[int, ...]) -> Ints:
    found: Ints = rng.multinomial(n, cells(delta), size)
    return found


def said_of_each(tables: Ints, says: Callable[[PairCounts], bool]) -> Flags:
    """Ask a rule about each row of cells, once for each different row."""
    rows, place = np.unique(tables.reshape(-1, 4), axis=0, return_inverse=True)
    said = np.fromiter((says(PairCounts(*map(int, row))) for row in rows), dtype=np.bool_, count=len(rows))
    found: Flags = said[place.reshape(tables.shape[:-1])]
    return found


def _plan_speaks(counts: PairCounts) -> bool:
    return plan_z(counts).statistically_significant


def _mid_p_speaks(counts: PairCounts) -> bool:
    return mcnemar(counts).p_mid < ALPHA


def _evidence_speaks(counts: PairCounts) -> bool:
    return e_pairs(counts).log_e >= LOG_BOUND


def discordant(tables: Ints) -> Ints:
    """Leave the concordant cells out: the right tests do not look at them, so fewer different tables are left."""
    found = tables.copy()
    found[..., (0, 3)] = 0
    return found


def _two_sided(tables: Ints, says: Callable[[PairCounts], bool]) -> Flags:
    """Ask a rule that looks at the discordant cells alone, whichever arm has which, and speaks when the smaller is small.

    For each sum of the two the largest smaller cell at which it speaks is looked for once: it grows with the sum.
    """
    both = tables[..., 1] + tables[..., 2]
    largest = np.full(int(both.max()) + 1, -1, dtype=np.int64)
    edge = -1
    for total in range(1, len(largest)):
        while edge + 1 <= total // 2 and says(PairCounts(0, edge + 1, total - edge - 1, 0)):
            edge += 1
        while edge >= 0 and not says(PairCounts(0, edge, total - edge, 0)):
            edge -= 1
        largest[total] = edge
    found: Flags = np.minimum(tables[..., 1], tables[..., 2]) <= largest[both]
    return found


def power_of_tests(
    delta: float, *, pairs: int = 2_000, runs: int = 2_000, level: float = 0.95, seed: int = SEED
) -> Flagged:
    """Count how often the plan's z-test and McNemar's mid-p find a true difference.

    Parameters
    ----------
    delta : float
        Shadow minus primary, a share.
    pairs, runs : int
        Pairs of a run, and runs.
    level : float
        Confidence level of the intervals.
    seed : int
        Of the pairs.

    Examples
    --------
    >>> found = power_of_tests(-0.02, runs=100)
    >>> found.plan, found.ours > 0.7
    (0.0, True)
    """
    rng = np.random.default_rng([seed, round(delta * 10_000) + 10_000])
    tables = _drawn(rng, pairs, delta, runs)
    plan, ours = said_of_each(tables, _plan_speaks), _two_sided(tables, _mid_p_speaks)
    return flagged(delta, plan, ours, level)


def peeking(
    looks: int, *, pairs_a_look: int = 200, runs: int = 2_000, level: float = 0.95, seed: int = SEED
) -> tuple[Flagged, ...]:
    """Count the runs without any difference in which some look so far was "significant": fixed test and evidence.

    The fixed test is McNemar's mid-p, which is right for one look; the evidence is the e-value of discordant pairs, which
    may be looked at for ever.

    Parameters
    ----------
    looks : int
        Looks of a run.
    pairs_a_look, runs : int
        Pairs that come between two looks, and runs.
    level : float
        Confidence level of the intervals.
    seed : int
        Of the pairs.

    Returns
    -------
    tuple of Flagged
        After each look; `at` is the number of looks, `plan` the fixed test at every look.

    Examples
    --------
    >>> last = peeking(24, runs=200)[-1]
    >>> last.plan > 0.15 > 0.05 >= last.ours
    True
    """
    rng = np.random.default_rng([seed, looks])
    tables = np.cumsum(_drawn(rng, pairs_a_look, 0.0, (runs, looks)), axis=1)
    ever = [np.logical_or.accumulate(_two_sided(tables, one), axis=1) for one in (_mid_p_speaks, _evidence_speaks)]
    return tuple(flagged(look + 1, ever[0][:, look], ever[1][:, look], level) for look in range(looks))


def named_winner(*, pairs: int = 1_000, runs: int = 1_000, level: float = 0.95, seed: int = SEED) -> Flagged:
    """Count how often the shadow is named the winner although both arms are alike.

    Returns
    -------
    Flagged
        `plan` its field "winner", `ours` McNemar's one-sided mid-p for benefit below 2.5 %.

    Examples
    --------
    >>> found = named_winner(runs=200)
    >>> found.plan > 0.35 > 0.08 > found.ours
    True
    """
    rng = np.random.default_rng([seed, pairs, runs])
    tables = _drawn(rng, pairs, 0.0, runs)
    plan = said_of_each(tables, lambda counts: plan_z(counts).winner == "shadow")
    ours = said_of_each(discordant(tables), lambda counts: mcnemar(counts).p_benefit_mid < ALPHA / 2)
    return flagged(0.0, plan, ours, level)


def sessions_ignored(
    luck_sd: float = 1.0, *, sessions: int = 100, runs: int = 400, level: float = 0.95, seed: int = SEED
) -> Flagged:
    """Count the runs of equal arms that are "significant" where turns of a session share their luck.

    Parameters
    ----------
    luck_sd : float
        Standard deviation of what an arm's answers of one session have in common, in logits.
    sessions, runs : int
        Sessions of a run, of 6 turns in the mean (geometric, at most 60), and runs.
    level : float
        Confidence level of the intervals.
    seed : int
        Of the pairs.

    Returns
    -------
    Flagged
        `plan` McNemar's mid-p over turns, `ours` the t-test over sessions.

    Notes
    -----
    logit of being right: 2.6 + u + v for each arm, u of the session with deviation 1, v of session and arm.

    Examples
    --------
    >>> found = sessions_ignored(runs=100)
    >>> found.plan > 0.1 > found.ours
    True
    """
    rng = np.random.default_rng([seed, sessions, round(luck_sd * 100)])
    plan, ours = np.zeros(runs, dtype=np.bool_), np.zeros(runs, dtype=np.bool_)
    for run in range(runs):
        ids = np.repeat(np.arange(sessions), np.minimum(rng.geometric(1 / 6, sessions), 60))
        shared, own = rng.standard_normal(sessions), luck_sd * rng.standard_normal((2, sessions))
        share = 1 / (1 + np.exp(-(2.6 + shared + own)))
        primary, shadow = rng.random((2, ids.size)) < share[:, ids]
        counts = PairCounts(
            int((primary & shadow).sum()),
            int((primary & ~shadow).sum()),
            int((~primary & shadow).sum()),
            int((~primary & ~shadow).sum()),
        )
        plan[run] = _mid_p_speaks(counts)
        ours[run] = session_t(session_sums(ids, primary, shadow), counts).p < ALPHA
    return flagged(luck_sd, plan, ours, level)
