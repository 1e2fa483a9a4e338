"""A rollout watched: evidence, running p-value and interval at each look."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from relkit.exceptions import DataError
from relkit.shadow._checks import checked_level
from relkit.shadow.paired.counts import PairCounts
from relkit.shadow.sequential.evidence import DEFAULT_PRIOR, Evidence, e_pairs, e_sessions, mixture_rho
from relkit.shadow.sequential.sequences import session_sequence
from relkit.shadow.sessions.sums import SessionSums


@dataclass(frozen=True, slots=True)
class Look:
    """What is known at one look, all earlier looks counted.

    Parameters
    ----------
    sessions, pairs : int
        So far.
    delta : float or None
        shadow - primary so far; None without pairs.
    low, high : float
        Confidence sequence of it.
    log_e, log_e_harm, log_e_benefit : float
        Evidence at this look.
    p, p_harm, p_benefit : float
        Running p-values, 1 / largest E so far: they never rise, and may be read at any look.
    """

    sessions: int
    pairs: int
    delta: float | None
    low: float
    high: float
    log_e: float
    log_e_harm: float
    log_e_benefit: float
    p: float
    p_harm: float
    p_benefit: float


def watch_pairs(
    looks: Sequence[PairCounts], v_opt: float, level: float = 0.95, prior: float = DEFAULT_PRIOR
) -> tuple[Look, ...]:
    """Follow a rollout without sessions: evidence and interval at each look, each pair a session of its own.

    Parameters
    ----------
    looks : sequence of PairCounts
        Everything so far, at each look.
    v_opt : float
        Discordant pairs expected at the horizon; tunes the interval.
    level : float
        Of the interval.
    prior : float
        Of the e-process, see `e_pairs`.

    Returns
    -------
    tuple of Look
        One for each look.

    Raises
    ------
    DataError
        When a later look holds less than an earlier one.

    Examples
    --------
    >>> looks = watch_pairs([PairCounts(90, 1, 2, 7), PairCounts(900, 12, 60, 28)], v_opt=80)
    >>> [round(look.p, 4) for look in looks]
    [1.0, 0.0]
    """
    _check_growing([look.n for look in looks])
    alone = [
        SessionSums(
            look.n,
            look.n,
            look.only_shadow - look.only_primary,
            look.discordant,
            look.only_shadow - look.only_primary,
            look.n,
            look.only_shadow,
            look.only_primary,
            look.both + look.neither,
            min(1, look.n),
        )
        for look in looks
    ]
    return _watch(alone, [e_pairs(look, prior) for look in looks], v_opt, level)


def watch_sessions(looks: Sequence[SessionSums], v_opt: float, level: float = 0.95) -> tuple[Look, ...]:
    """Follow a rollout by session: evidence and interval at each look.

    A session counts at the look after its last turn; counted earlier, its later turns would not be news of their own.

    Parameters
    ----------
    looks : sequence of SessionSums
        Everything so far, at each look.
    v_opt : float
        Sum of D_k squared expected at the horizon, declared beforehand.
    level : float
        Of the interval; the mixture is tuned for alpha = 1 - level.

    Returns
    -------
    tuple of Look
        One for each look.

    Raises
    ------
    DataError
        When a later look holds less than an earlier one.

    Examples
    --------
    >>> looks = watch_sessions([SessionSums(400, 2400, -144, 300, -900, 16000, 40, 160, 200, 20)], v_opt=300)
    >>> looks[0].p_harm < 0.05 < looks[0].p_benefit
    True
    """
    _check_growing([look.sessions for look in looks])
    rho = mixture_rho(v_opt, 1 - checked_level(level))
    return _watch(looks, [e_sessions(look.s, look.v, rho) for look in looks], v_opt, level)


def _watch(looks: Sequence[SessionSums], weighed: Iterable[Evidence], v_opt: float, level: float) -> tuple[Look, ...]:
    told, p, p_harm, p_benefit = [], 1.0, 1.0, 1.0
    for sums, evidence in zip(looks, weighed, strict=True):
        p, p_harm = min(p, evidence.p), min(p_harm, evidence.p_harm)
        p_benefit = min(p_benefit, evidence.p_benefit)
        interval = session_sequence(sums, v_opt, level)
        told.append(
            Look(
                sums.sessions,
                sums.pairs,
                sums.s / sums.pairs if sums.pairs else None,
                interval.low,
                interval.high,
                evidence.log_e,
                evidence.log_e_harm,
                evidence.log_e_benefit,
                p,
                p_harm,
                p_benefit,
            )
        )
    return tuple(told)


def _check_growing(sizes: Sequence[int]) -> None:
    for place, (earlier, later) in enumerate(pairwise(sizes), start=1):
        if later < earlier:
            raise DataError(f"look {place + 1} holds {later}, look {place} {earlier}: each look counts all so far")
