"""What a choice buys and how it is said: the gain over today's setting, and every sentence of a verdict on tuning."""

import math
from collections.abc import Sequence
from typing import Final, Protocol

import numpy as np
from scipy.special import stdtrit

from relkit.policies.policy import Policy
from relkit.simulation.demo_draws import Floats
from relkit.tune.choice import Choice, Gain, changes_of, changes_text
from relkit.tune.goal import Goal, said, short
from relkit.tune.judge import Judge, Relaxation
from relkit.tune.measures import measure
from relkit.tune.results import Sweep
from relkit.tune.space import Candidate
from relkit.units import count, percent, signed
from relkit.verdict import Verdict

LEAST_REQUESTS: Final = 1_000
"""Logged requests below which nothing is recommended: at 1 % of failures these are ten."""
SURE: Final = 0.95
"""Probability of keeping every limit that a recommendation needs."""
LEVEL: Final = 0.95
"""Of the intervals."""


class Trusted(Protocol):
    """What a calibration says of itself."""

    @property
    def is_trusted(self) -> bool:
        """Whether every predictive check passed."""

    @property
    def stamp(self) -> str:
        """What to print over a page that rests on it."""


def gain_of(judge: Judge, last: Sweep, candidate: Candidate, today: Policy, requests_a_month: float | None) -> Gain:
    """Differences between today's setting and the choice, seed by seed."""
    new, old = last.place_of(candidate.policy.hash), last.place_of(today.hash)
    values = judge.values(last)
    sign = 1.0 if measure(judge.goal.best_in).more_is_better else -1.0
    main = _paired(sign * (judge.best_in(values[new]) - judge.best_in(values[old])))
    success = np.average(last.of("success"), axis=1, weights=judge.weights)
    better = _paired(success[new] - success[old])
    usd: tuple[float, float, float] | tuple[None, None, None] = (None, None, None)
    prices = any(model.cost_microusd for scenario in last.scenarios for model in scenario.models)
    if requests_a_month is not None and prices:
        # an answer's price times the share answered: dollars a request; a run without an answer counts as free
        paid = np.average(np.nan_to_num(last.of("usd_per_answer") * last.of("success")), axis=1, weights=judge.weights)
        usd = _paired((paid[old] - paid[new]) * requests_a_month)
    return Gain(judge.goal.best_in, *main, LEVEL, len(last.seeds), *better, *usd)


def _paired(differences: Floats) -> tuple[float, float, float]:
    n = len(differences)
    mean = float(differences.mean())
    half = float(stdtrit(n - 1, (1.0 + LEVEL) / 2.0) * differences.std(ddof=1)) / math.sqrt(n)
    return mean, mean - half, mean + half


def unfounded(logged_requests: int | None, calibration: Trusted | None) -> tuple[str, str, str] | None:
    """Sentence, reason and remedy where there is nothing to found a choice on."""
    if logged_requests is not None and logged_requests < LEAST_REQUESTS:
        return (
            f"No setting is recommended: the log has {count(logged_requests)} requests, and {count(LEAST_REQUESTS)} is the least.",
            "From so few requests neither the failures nor their bursts can be told.",
            f"{count(LEAST_REQUESTS - logged_requests)} more logged requests.",
        )
    if calibration is not None and not calibration.is_trusted:
        return (
            "No setting is recommended: the simulated traffic does not look like the log.",
            calibration.stamp,
            "A calibration whose predictive checks pass.",
        )
    return None


def refused(found: Sweep, goal: Goal, today: Policy, sentence: str, why: str, remedy: str) -> Choice:
    """Refuse before anything is compared."""
    verdict = Verdict("tuning", "REFUSED", sentence, n=len(found.candidates), why_not=why, would_change=remedy)
    return Choice(verdict, goal, found.sweep_id, "", today, today, candidates=len(found.candidates))


def contradictory(
    judge: Judge, found: Sweep, today: Policy, given_way: Sequence[Relaxation], *, alone: bool, spent: int
) -> Choice:
    """Refuse because no candidate keeps all limits, and say which would have to give way, and how far."""
    sentence = (
        f"No setting is recommended: none of {count(len(found.candidates))} candidates keeps {_limits(judge.goal)}."
    )
    verdict = Verdict(
        "tuning", "REFUSED", sentence, n=len(found.candidates), why_not="The limits contradict each other on this traffic.",
        would_change=f"Relax {(' or ' if alone else ' and ').join(map(str, given_way))}.",
    )  # fmt: skip
    return Choice(
        verdict, judge.goal, found.sweep_id, "", today, today, relaxations=tuple(given_way),
        candidates=len(found.candidates), evaluations=spent,
    )  # fmt: skip


def unsure(
    judge: Judge, found: Sweep, last: Sweep, today: Policy, candidate: Candidate, keeps: float, spent: int
) -> Choice:
    """No finalist keeps the limits surely enough: say how far they would have to give way."""
    values = judge.values(last)[[last.place_of(candidate.policy.hash)]].mean(axis=1)
    tightest = min(
        judge.goal.limits,
        key=lambda limit: abs(float(judge.worst(values, limit)[0]) - limit.value) / max(abs(limit.value), 1e-12),
    )
    shown = said(tightest.measure, float(judge.worst(values, tightest)[0]))
    verdict = Verdict(
        "tuning", "REFUSED",
        f"No setting is recommended: the best, {candidate.name}, keeps {_limits(judge.goal)} with a probability of only "
        f"{percent(keeps, 0)}; {percent(SURE, 0)} is asked for.",
        value=keeps, n=len(last.seeds), why_not=f"Its {short(tightest.measure)} is {shown} where it is worst, too near the limit.",
        would_change=f"A limit that leaves more room than {tightest}, or longer scenarios.",
    )  # fmt: skip
    return Choice(
        verdict, judge.goal, found.sweep_id, candidate.name, today, today, p_keeps=keeps,
        candidates=len(found.candidates), evaluations=spent,
    )  # fmt: skip


def kept(rival: Candidate, today: Policy, gain: Gain, good: float, indifference: float, candidates: int) -> Verdict:
    """Say that today's settings stay, because no gain over them can be told from none.

    Parameters
    ----------
    rival : Candidate
        The best of the others, or today's settings themselves.
    today : Policy
        The settings in force.
    gain : Gain
        Of the rival over them.
    good, indifference : float
        Probability that none is better than today's by more than this share.
    candidates : int
        How many were compared.
    """
    sure = _sureness(good, indifference, candidates)
    if rival.policy.hash == today.hash:
        sentence, why = f"Keep today's settings: {sure}.", ""
    else:
        best = f"the best of {count(candidates)} candidates, {rival.name}, is not surely better"
        sentence = f"Keep today's settings: {best} ({'; '.join(_parts(gain))})."
        why = f"An interval that holds 0 is no ground for a change. {sure[0].upper()}{sure[1:]}."
    return Verdict(
        "tuning", "RECOMMENDED", sentence, level=LEVEL, n=gain.n, why_not=why,
        would_change="Other traffic, other prices, or a scenario that is not in the suite.",
    )  # fmt: skip


def _parts(gain: Gain) -> list[str]:
    """What a change buys, each with its interval."""
    better = (
        f"better by {_amount(gain.measure, gain.value)}"
        if gain.value >= 0.0
        else f"worse by {_amount(gain.measure, -gain.value)}"
    )
    parts = [f"{short(gain.measure)} {better}, {_span(gain.measure, gain.low, gain.high)}"]
    if gain.measure != "success":
        parts.append(f"success {signed(100 * gain.success, 2)} points")
    if gain.usd_a_month is not None and gain.usd_low is not None and gain.usd_high is not None:
        way, sign = ("falls", 1.0) if gain.usd_a_month >= 0.0 else ("rises", -1.0)
        low, high = sorted((sign * gain.usd_low, sign * gain.usd_high))
        parts.append(f"the month's bill {way} by ${sign * gain.usd_a_month:,.2f}, {low:,.2f} to {high:,.2f}")
    return parts


def _sureness(good: float, indifference: float, candidates: int) -> str:
    sure = f"{'more than 99 %' if good > 0.99 else percent(good, 0)} sure that none of {count(candidates)} is better"
    return sure + (f" by more than {percent(indifference, 0)}" if indifference else "")


def recommended(
    judge: Judge, candidate: Candidate, today: Policy, gain: Gain, good: float, indifference: float, candidates: int,
    *, today_keeps: bool,
) -> Verdict:  # fmt: skip
    """Say what to change, what it buys and how sure that is.

    Parameters
    ----------
    judge : Judge
        The goal.
    candidate : Candidate
        What to take instead of today's settings.
    today : Policy
        The settings in force.
    gain : Gain
        What it buys.
    good, indifference : float
        Probability that none is better by more than this share.
    candidates : int
        How many were compared.
    today_keeps : bool
        Whether today's settings surely keep every limit.
    """
    what = changes_text(changes_of(today, candidate.policy), today, candidate.policy)
    if (
        candidate.values and candidate.policy.name != today.name
    ):  # a point of another kind of breaker: what was searched
        searched = (
            f"{setting} {value:g}" if isinstance(value, float) else f"{setting} {value}"
            for setting, value in candidate.values
        )
        what = f"take {candidate.policy.name} with {', '.join(searched)}"
    parts = _parts(gain)
    if judge.goal.limits and not today_keeps:
        parts.append("today's settings do not surely keep the limits")
    sentence = f"{what[0].upper()}{what[1:]}: {'; '.join([*parts, _sureness(good, indifference, candidates)])}."
    doubts = [] if gain.low > 0.0 else ["The gain itself cannot be told from none."]
    if good < 0.8:
        doubts.append("Several settings are about equally good; any of them would do.")
    return Verdict(
        "tuning", "RECOMMENDED", sentence, value=gain.value, low=gain.low, high=gain.high, unit=measure(gain.measure).unit,
        level=LEVEL, n=gain.n, why_not=" ".join(doubts),
        would_change="Other traffic, other prices, or a scenario that is not in the suite.",
    )  # fmt: skip


def _span(name: str, low: float, high: float) -> str:
    return " to ".join(f"{'−' if end < 0.0 else ''}{_amount(name, abs(end))}" for end in (low, high))


def _amount(name: str, difference: float) -> str:
    """Write a difference: of shares in points, of counts to three digits, of others in their unit."""
    unit = measure(name).unit
    if unit == "share":
        return f"{100 * difference:.2f} points"
    return said(name, difference) if unit in {"s", "usd"} else f"{difference:.3g}"


def _limits(goal: Goal) -> str:
    return " and ".join(map(str, goal.limits))
