"""The settings of the reference's simulations: pairs of a correlation, sessions of chats, latencies; and how often a rule rejects on them.

Rejection regions are found by calling the functions that are judged, once for each number of discordant pairs or sum of
squares that can come: every decision is theirs, and 10^5 replications cost seconds.
"""

from collections.abc import Callable
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from relkit.shadow import (
    PairCounts,
    SessionSums,
    e_pairs,
    e_rate,
    mcnemar,
    mixture_bound,
    mixture_rho,
    session_sequence,
)
from relkit.shadow.plan_z import plan_z

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


def cells(p: float, rho: float, delta: float = 0.0) -> list[float]:
    """Shares of both, only primary, only shadow, neither: primary right with p, shadow with p + delta, correlation rho."""
    other = p + delta
    both = p * other + rho * (p * (1 - p) * other * (1 - other)) ** 0.5
    return [both, p - both, other - both, 1 - p - other + both]


def rejected_share(drawn: Ints, rejects: Callable[[PairCounts], bool], *, all_cells: bool = False) -> float:
    """Share of drawn tables that a rule rejects; each distinct table is judged once."""
    columns = (
        drawn if all_cells else np.column_stack([np.zeros(len(drawn), int), drawn[:, 1:3], np.zeros(len(drawn), int)])
    )
    tables, times = np.unique(columns, axis=0, return_counts=True)
    hits = [bool(rejects(PairCounts(*table))) for table in tables.tolist()]
    return float(times[np.array(hits)].sum() / len(drawn))


def smallest(rejects: Callable[[int], bool], most: int) -> int:
    """Smallest number from 0 to most that is rejected, `most + 1` where none is; larger ones are rejected too."""
    low, high = -1, most + 1
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if rejects(middle) else (middle, high)
    return high


@lru_cache(maxsize=100_000)
def discordant_limit(rule: str, m: int, alpha: float = 0.05) -> int:
    """Smallest number of pairs for the shadow, of m discordant ones, at which a rule finds it better; the mirror image finds it worse."""

    def rejects(c: int) -> bool:
        counts = PairCounts(0, m - c, c, 0)
        if rule == "mid_p":
            return c > m - c and mcnemar(counts).p_mid <= alpha
        if rule.startswith("benefit"):
            return e_pairs(counts, float(rule.split()[1])).p_benefit <= alpha
        return c > m - c and e_pairs(counts, float(rule.split()[1])).p <= alpha

    return smallest(rejects, m)


def any_look(b: Ints, c: Ints, rule: str, alpha: float = 0.05) -> npt.NDArray[np.bool_]:
    """For paths of cumulative discordant counts, shape (R, looks): whether a rule ever rejects, either way (one way for "benefit")."""
    m = b + c
    limits = np.zeros(int(m.max()) + 1, dtype=np.int64)
    for count in np.unique(m).tolist():
        limits[count] = discordant_limit(rule, count, alpha)
    hit = c >= limits[m]
    if not rule.startswith("benefit"):
        hit |= b >= limits[m]
    return hit.any(axis=1)


def any_session_look(s: Ints, v: Ints, v_opt: float, alpha: float = 0.05) -> npt.NDArray[np.bool_]:
    """The same for paths of session sums and the two-sided normal mixture."""
    rho = mixture_rho(v_opt, alpha)
    bounds = np.zeros(int(v.max()) + 1)
    for value in np.unique(v).tolist():
        bounds[value] = mixture_bound(value, rho, alpha)
    return (np.abs(s) >= bounds[v]).any(axis=1)


def any_rate_look(failures: Ints, n: Ints, limit: float, alpha: float = 0.05) -> npt.NDArray[np.bool_]:
    """For paths of cumulative failures of n so far: whether the evidence ever says that the rate exceeds the limit."""
    limits = np.array(
        [
            smallest(lambda k, total=total: k <= total and e_rate(k, total, limit).p_harm <= alpha, total)
            for total in n.tolist()
        ]
    )
    return (failures >= limits).any(axis=1)


def plans_rule(counts: PairCounts) -> bool:
    """The plan document's "p < .05"."""
    return plan_z(counts).statistically_significant


class Chats:
    """Chats of the reference: sizes geometric with mean 6, at most 60; each arm's logit 2.6 + u + v, u shared by the session, v of sd `own`."""

    def __init__(self, seed: int, replications: int, sessions: int, own: float, shift: float = 0.0) -> None:
        rng = np.random.default_rng(seed)
        shape = (replications, sessions)
        self.m = np.minimum(rng.geometric(1 / 6, shape), 60)
        u, v1, v2 = rng.standard_normal(shape), own * rng.standard_normal(shape), own * rng.standard_normal(shape)
        p1, p2 = 1 / (1 + np.exp(-(2.6 + u + v1))), 1 / (1 + np.exp(-(2.6 + u + v2 + shift)))
        shares = np.stack([p1 * p2, p1 * (1 - p2), (1 - p1) * p2, (1 - p1) * (1 - p2)], axis=-1)
        self.cells = rng.multinomial(self.m, shares)
        self.d = self.cells[..., 2] - self.cells[..., 1]

    def table(self, replication: int) -> PairCounts:
        return PairCounts(*self.cells[replication].sum(axis=0))

    def sums(self, replication: int) -> SessionSums:
        d, m = self.d[replication], self.m[replication]
        return SessionSums(
            d.size, m.sum(), d.sum(), (d * d).sum(), (d * m).sum(), (m * m).sum(),
            (d > 0).sum(), (d < 0).sum(), (d == 0).sum(), m.max(),
        )  # fmt: skip


class Skewed:
    """Sessions of 12 pairs: the shadow wins one in 12 of 13 sessions and loses all 12 in the other. No difference, far from symmetric."""

    def __init__(self, seed: int, replications: int, sessions: int) -> None:
        lost = np.random.default_rng(seed).random((replications, sessions)) < 1 / 13
        self.d, self.m = np.where(lost, -12, 1), np.full((replications, sessions), 12)


def true_delta(own: float, shift: float) -> float:
    """The difference of the two arms of `Chats`, from 10^6 sessions."""
    rng = np.random.default_rng(1)
    u, v1, v2 = rng.standard_normal((3, 1_000_000)) * np.array([[1], [own], [own]])
    return float(np.mean(1 / (1 + np.exp(-(2.6 + u + v2 + shift))) - 1 / (1 + np.exp(-(2.6 + u + v1)))))


def misses_any_look(drawn: "Chats | Skewed", truth: float, every: int = 10) -> int:
    """How many replications have a look, one every so many sessions from the third on, whose confidence sequence misses the truth."""
    missed = 0
    for d, m in zip(drawn.d, drawn.m, strict=True):
        looks = slice(3 * every - 1, None, every)
        columns = [
            column.cumsum()[looks] for column in (np.ones_like(d), m, d, d * d, d * m, m * m, d > 0, d < 0, d == 0)
        ]
        largest = np.maximum.accumulate(m)[looks]
        v_opt = float((d * d).sum())
        for row in zip(*columns, largest, strict=True):
            missed_here = session_sequence(SessionSums(*row), v_opt).excludes(truth)
            if missed_here:
                missed += 1
                break
    return missed


def latencies(seed: int, n: int, slower: float, timeout_share: float = 0.005) -> Floats:
    """log2(shadow/primary) of pairs that both answered: lognormal, median 450 ms, sigma .6, correlation .7; a timeout leaves no ratio."""
    rng = np.random.default_rng(seed)
    first, second = rng.standard_normal((2, n))
    primary = 0.6 * first
    shadow = 0.6 * (0.7 * first + 0.51**0.5 * second) + np.log(slower)
    answered = rng.random((2, n)) >= timeout_share
    return ((shadow - primary) / np.log(2))[answered.all(axis=0)]


def four_se(share: float, replications: int) -> float:
    """Four Monte-Carlo standard errors of a share."""
    return float(4 * (share * (1 - share) / replications) ** 0.5)
