"""Guardrails: how much worse the shadow is, endpoint by endpoint, against the margin each may lose.

Every endpoint is written as an excess of the shadow, so that above 0 is worse: errors and flags in shares of pairs,
differences in shares of A/A/B triples, latency and cost as shares of the primary's.
"""

from dataclasses import dataclass, replace
from math import exp, log, log1p
from typing import Final

from scipy.special import ndtr, ndtri

from relkit.shadow.margins import Margins
from relkit.shadow.multiplicity import adjust
from relkit.shadow.paired import PairCounts
from relkit.shadow.paired.score import score_limits, score_z
from relkit.shadow.ratio import (
    TIGHT_AT,
    RatioInterval,
    RatioSums,
    anytime_p,
    anytime_z,
    ratio_interval,
    ratio_p_above,
)
from relkit.shadow.sessions import SPARSE_SESSIONS, SessionSums
from relkit.shadow.study import PER_DOUBLING, Study

SAFE: Final = "SAFE"
HARM: Final = "HARM"
UNDECIDED: Final = "UNDECIDED"
NOT_MEASURED: Final = "NOT_MEASURED"


@dataclass(frozen=True, slots=True)
class Guardrail:
    """One endpoint against its margin.

    Parameters
    ----------
    name : str
        errors, differences, latency, cost or flags.
    value, low, high : float or None
        Excess of the shadow and its interval; None where it was not measured.
    margin : float
        What it may lose.
    p_harm, p_harm_adjusted : float
        P-value of "worse by the margin at most", raw and after Holm (errors, the primary endpoint, stand alone).
    p_safe : float
        P-value of "worse by the margin or more".
    code : str
        SAFE, HARM, UNDECIDED or NOT_MEASURED.
    sessions : int
        Units behind it.
    why_not : str
        Why it was not measured; empty where it was.
    """

    name: str
    value: float | None
    low: float | None
    high: float | None
    margin: float
    p_harm: float
    p_harm_adjusted: float
    p_safe: float
    code: str
    sessions: int
    why_not: str = ""


ENDPOINTS: Final = ("errors", "differences", "latency", "cost", "flags")
"""The primary endpoint, a family of its own, and the guardrails: declared whole, so one that could not be measured keeps
its place in Holm's procedure."""
_WHY_NOT: Final = {
    "errors": "no pair was compared",
    "differences": "no baseline was run (the primary against itself), so a difference cannot be told from noise",
    "latency": "no pair has a latency on both sides",
    "cost": "no pair has a cost on both sides",
    "flags": "the log has no flags",
}


@dataclass(frozen=True, slots=True)
class _Binary:
    """What the score test needs where few sessions differ."""

    worse: int
    better: int
    n: int
    differing: int


def guardrails(
    study: Study, margins: Margins, level: float = 0.95, *, anytime: bool, tight_at: int = TIGHT_AT, minimum: int = 2
) -> tuple[Guardrail, ...]:
    """Judge every endpoint with the session as the unit.

    HARM when the p of "worse by the margin at most" is at most (1 - level)/2, that of the guardrails after Holm over all four:
    a shadow that is within all margins is stopped with at most that chance for its errors, and once more for the four
    together, however many there are. SAFE when the interval's end lies below the margin;
    a shadow goes live only when all are safe, so these need no correction (an intersection-union test).

    Parameters
    ----------
    study : Study
        The experiment.
    margins : Margins
        What it may lose.
    level : float
        Two-sided confidence level, in (0, 1).
    anytime : bool
        Evidence that holds at every look (while the rollout runs), or at the one declared beforehand.
    tight_at : int
        Sessions at which anytime evidence is strongest.
    minimum : int
        Sessions below which nothing is called safe or harmful.

    Returns
    -------
    tuple of Guardrail
        errors, differences, latency, cost, flags.

    Notes
    -----
    Holm, Scandinavian Journal of Statistics 6 (1979); Berger, Technometrics 24 (1982), for the intersection-union test.
    """
    raw = [_judged(name, study, margins, level, anytime, tight_at) for name in ENDPOINTS]
    primary, *others = (None if rail.code == NOT_MEASURED else rail.p_harm for rail in raw)
    adjusted = (primary, *adjust(others, "holm"))
    return tuple(
        rail if p is None else _coded(replace(rail, p_harm_adjusted=p), (1 - level) / 2, minimum)
        for rail, p in zip(raw, adjusted, strict=True)
    )


def _coded(guardrail: Guardrail, alpha: float, minimum: int) -> Guardrail:
    code = UNDECIDED
    if guardrail.sessions >= minimum:
        if guardrail.p_harm_adjusted <= alpha:
            code = HARM
        elif guardrail.high is not None and guardrail.high < guardrail.margin:
            code = SAFE
    return replace(guardrail, code=code)


def _judged(name: str, study: Study, margins: Margins, level: float, anytime: bool, tight_at: int) -> Guardrail:
    margin, sums = getattr(margins, name), study.endpoints[name]
    binary = _binary(name, study)
    told = not (name == "flags" and study.flags.both + study.flags.discordant == 0)
    limit = _inner(name, margin)
    interval = _interval(sums, binary, level, anytime, tight_at) if told else None
    if interval is None:
        why = (
            _WHY_NOT[name] if sums.sessions == 0 or not told else "a single session: how sessions differ cannot be seen"
        )
        return Guardrail(name, None, None, None, margin, 1.0, 1.0, 1.0, NOT_MEASURED, sums.sessions, why)
    p_harm = _p_above(sums, binary, limit, level, anytime, tight_at)
    p_safe = _p_above(_mirrored(sums), _mirrored_binary(binary), -limit, level, anytime, tight_at)
    value, low, high = (_outer(name, end) for end in (interval.value, interval.low, interval.high))
    return Guardrail(name, value, low, high, margin, p_harm, 1.0, p_safe, UNDECIDED, interval.sessions)


def _binary(name: str, study: Study) -> _Binary | None:
    counts: PairCounts | None
    sums: SessionSums | None
    if name == "errors":
        counts, sums = study.experiment.counts.swapped(), study.experiment.sums
    elif name == "differences":
        counts, sums = study.experiment.baseline, study.differs
    elif name == "flags":
        counts, sums = study.flags, study.flag_sums
    else:
        return None
    if counts is None:
        return None
    differing = counts.discordant if sums is None else sums.positive + sums.negative
    return _Binary(counts.only_shadow, counts.only_primary, counts.n, differing)


def _interval(
    sums: RatioSums, binary: _Binary | None, level: float, anytime: bool, tight_at: int
) -> RatioInterval | None:
    found = ratio_interval(sums, level, anytime=anytime, tight_at=tight_at)
    if found is None or binary is None or not _is_sparse(sums, binary):
        return found
    z = anytime_z(sums.sessions, level, tight_at) if anytime else float(-ndtri((1 - level) / 2))
    low, high = score_limits(*_shrunk(sums, binary), z)
    return replace(found, low=max(-1.0, min(found.low, low)), high=min(1.0, max(found.high, high)))


def _p_above(
    sums: RatioSums, binary: _Binary | None, limit: float, level: float, anytime: bool, tight_at: int
) -> float:
    p = ratio_p_above(sums, limit, anytime=anytime, level=level, tight_at=tight_at)
    if binary is None or not _is_sparse(sums, binary):
        return p
    z = score_z(*_shrunk(sums, binary), limit)
    return max(p, anytime_p(z, sums.sessions, level, tight_at) if anytime else float(ndtr(-z)))


def _is_sparse(sums: RatioSums, binary: _Binary) -> bool:
    return binary.differing < SPARSE_SESSIONS or sums.standard_error() == 0


def _shrunk(sums: RatioSums, binary: _Binary) -> tuple[float, float, float]:
    """The table at the size it is worth when pairs of one session always agree."""
    scale = sums.weight / sums.mm
    return binary.better * scale, binary.worse * scale, binary.n * scale


def _mirrored(sums: RatioSums) -> RatioSums:
    return replace(sums, s=-sums.s, dm=-sums.dm)


def _mirrored_binary(binary: _Binary | None) -> _Binary | None:
    return None if binary is None else replace(binary, worse=binary.better, better=binary.worse)


def _inner(name: str, margin: float) -> float:
    """The margin on the scale of the sums: bins of the log ratio for latency."""
    return log1p(margin) / log(2) * PER_DOUBLING if name == "latency" else margin


def _outer(name: str, value: float) -> float:
    return exp(value / PER_DOUBLING * log(2)) - 1 if name == "latency" else value
