"""Which of many is best: sequential halving on common draws, and the probability that its answer is right.

Every candidate meets the same draws, so what counts is the difference of two on one seed, from which the luck they
share is gone. Half of the candidates are dropped after each round; the others are drawn more often.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

import numpy as np
import numpy.typing as npt

from relkit.exceptions import ParameterError

Values: TypeAlias = npt.NDArray[np.float64]
Sample: TypeAlias = Callable[[Sequence[int], Sequence[int]], Values]
"""(candidates, draws) -> values [candidate, draw, component]."""
Score: TypeAlias = Callable[[Values], Values]
"""Means [..., candidate, component] -> [..., candidate]; the lowest is best."""

LEAST_DRAWS: Final = 2
_POSTERIOR_DRAWS: Final = 4000
_SHRINK_MOST: Final = 8.0  # draws that the spread of the others is worth, at most
_SEED: Final = 20251008


@dataclass(frozen=True, slots=True)
class Selection:
    """The best of some candidates, as far as it can be told.

    Parameters
    ----------
    best : int
        Its place.
    p_best : float
        Probability that no other is truly better.
    evaluations : int
        Values drawn.
    draws : tuple of int
        For each candidate how many it was given.
    ranked : tuple of int
        All places, the best first: those of the last round, of the one before, and so on.
    """

    best: int
    p_best: float
    evaluations: int
    draws: tuple[int, ...]
    ranked: tuple[int, ...]


def halving(count: int, evaluations: int, least: int = LEAST_DRAWS) -> list[tuple[int, int]]:
    """Return for each round how many candidates are left and how many draws each is given.

    Parameters
    ----------
    count : int
        Candidates.
    evaluations : int
        What may be drawn in all.
    least : int
        Draws in the first round, at least 2: from one alone no spread can be told.

    Raises
    ------
    ParameterError
        When that is not enough for the first round and one draw of the others.

    Examples
    --------
    >>> halving(20, 100)
    [(20, 2), (10, 1), (5, 3), (3, 5), (2, 10)]
    """
    sizes = [count]
    while sizes[-1] > 2:
        sizes.append((sizes[-1] + 1) // 2)
    need = count * least + sum(sizes[1:])
    if count < 2 or evaluations < need:
        allowed = f"at least {need} for {count} candidates"
        raise ParameterError.of("evaluations", evaluations, allowed, "allow more, or compare fewer candidates")
    left = evaluations
    plan: list[tuple[int, int]] = []
    for number, size in enumerate(sizes):
        later = sum(sizes[number + 1 :])
        even = left // (len(sizes) - number) // size
        draws = max(even, least if number == 0 else 1)
        draws = min(draws, (left - later) // size)
        plan.append((size, draws))
        left -= draws * size
    return plan


def select(sample: Sample, count: int, evaluations: int, score: Score) -> Selection:
    """Select the best of some candidates by sequential halving on common draws.

    Parameters
    ----------
    sample : callable
        (candidates, draws) -> values [candidate, draw, component]; the same draw means the same luck for all.
    count : int
        Candidates.
    evaluations : int
        Values that may be drawn in all.
    score : callable
        Means [..., candidate, component] -> [..., candidate]; the lowest is best.

    Returns
    -------
    Selection

    References
    ----------
    Z. Karnin, T. Koren, O. Somekh, Almost optimal exploration in multi-armed bandits, ICML 2013 (the halving).
    B. L. Nelson, F. J. Matejcik, Using common random numbers for indifference-zone selection, Management Science 1995.

    Examples
    --------
    >>> luck = np.random.default_rng(1).normal(size=1000)
    >>> means = np.array([0.0, 0.5, 0.4])
    >>> def sample(places, draws):
    ...     return (means[list(places)][:, None] + luck[list(draws)])[..., None]
    >>> found = select(sample, 3, 30, lambda mean: -mean[..., 0])
    >>> found.best, found.p_best
    (1, 1.0)
    """
    seen, finalists = halve(sample, count, evaluations, score)
    best = finalists[0]
    probability = p_best(score(posterior_means(seen, best)), best)
    draws = tuple(len(each) for each in seen)
    return Selection(best, probability, sum(draws), draws, finalists)


def halve(sample: Sample, count: int, evaluations: int, score: Score) -> tuple[list[Values], tuple[int, ...]]:
    """Play the rounds of `halving`; return what each candidate showed, and all by their place, the last round's first.

    Parameters
    ----------
    sample, count, evaluations, score
        As for `select`.
    """
    alive = np.arange(count)
    seen: list[Values] = [np.empty((0, 0))] * count
    ranked: list[int] = []
    drawn = 0
    for _, draws in halving(count, evaluations):
        new = sample(alive.tolist(), range(drawn, drawn + draws))
        for place, rows in zip(alive.tolist(), new, strict=True):
            seen[place] = rows if drawn == 0 else np.concatenate([seen[place], rows])
        drawn += draws
        means = np.stack([seen[place].mean(axis=0) for place in alive])
        order = alive[np.argsort(score(means), kind="stable")].tolist()
        ranked[: len(order)] = order
        alive = np.sort(order[: (len(order) + 1) // 2])
    return seen, tuple(ranked)


def p_best(scores: Values, best: int) -> float:
    """Return the share of posterior draws in which no other candidate scores lower.

    Parameters
    ----------
    scores : array of float [draw, candidate]
        The lowest is best.
    best : int
        Place of the candidate asked about.
    """
    others = np.delete(scores, best, axis=1)
    return float(np.mean(scores[:, best] <= others.min(axis=1))) if others.shape[1] else 1.0


def posterior_means(seen: Sequence[Values], anchor: int, draws: int = _POSTERIOR_DRAWS, seed: int = _SEED) -> Values:
    """Draw what the true means may be, given paired values of which some candidates have fewer.

    Parameters
    ----------
    seen : sequence of array [draw, component]
        For each candidate its values; the first draws are common to all, and every one has at least 2.
    anchor : int
        The candidate with the most draws; the others are drawn by their difference from it on common draws.
    draws, seed : int
        How many, and their seed.

    Returns
    -------
    array of float [draw, candidate, component]

    Notes
    -----
    With a flat prior the mean of n paired differences is d̄ + t(ν) s/√n. All candidates of as many draws share the
    normal numbers g: (gᵀ(D − d̄))/√(n(n−1)) has the covariance of their means without a matrix being made. The spread of a candidate
    with few draws is drawn towards that of the others, as if these were worth up to 8 draws (Smyth 2004).
    """
    rng = np.random.default_rng(seed)
    base = seen[anchor]
    found = np.empty((draws, len(seen), base.shape[1]))
    found[:, anchor] = _drawn(base[None], rng, draws)[:, 0]
    counts = np.array([len(each) for each in seen])
    for n in np.unique(counts):
        group = [place for place in np.flatnonzero(counts == n).tolist() if place != anchor]
        if group:
            differences = np.stack([seen[place] for place in group]) - base[:n]
            found[:, group] = found[:, [anchor]] + _drawn(differences, rng, draws)
    return found


def _drawn(values: Values, rng: np.random.Generator, draws: int) -> Values:
    """Posterior of the means of values [candidate, draw, component], as [posterior draw, candidate, component]."""
    candidates, n, _ = values.shape
    means = values.mean(axis=1)
    off = values - means[:, None]
    own = off.var(axis=1) * n / (n - 1)
    worth = min(float((candidates - 1) * (n - 1)), _SHRINK_MOST)
    moderated = (worth * own.mean(axis=0) + (n - 1) * own) / (worth + n - 1)
    shared = rng.normal(size=(draws, n))
    unit = np.einsum("bn,knc->bkc", shared, off) / np.sqrt(n - 1)  # standard deviation: own
    heavy = np.sqrt((worth + n - 1) / rng.chisquare(worth + n - 1, size=draws))
    with np.errstate(invalid="ignore", divide="ignore"):
        scale = np.where(own > 0.0, np.sqrt(moderated / own), 0.0) / np.sqrt(n)
    posterior: Values = means + unit * scale * heavy[:, None, None]
    return posterior
