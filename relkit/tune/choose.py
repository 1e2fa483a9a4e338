"""`choose`: from a sweep to one setting, with the probability that it is the best, or a refusal that says why.

The sweep screens: its best candidates, and today's setting, are then compared on fresh seeds by sequential halving,
and the last of them on 30 more, from which alone the numbers of the choice come.
"""

import math
from collections.abc import Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from itertools import islice
from typing import Final

import numpy as np

from relkit.batch import Sink
from relkit.exceptions import ParameterError
from relkit.policies.policy import Policy
from relkit.tune.choice import Choice, changes_of
from relkit.tune.goal import Goal
from relkit.tune.judge import Judge, regret
from relkit.tune.measures import interval_of
from relkit.tune.results import Sweep, Values
from relkit.tune.select import halve, p_best, posterior_means
from relkit.tune.space import Candidate
from relkit.tune.sweep import sweep
from relkit.tune.telling import (
    LEVEL,
    SURE,
    Trusted,
    contradictory,
    gain_of,
    kept,
    recommended,
    refused,
    unfounded,
    unsure,
)

FRESH_SEEDS: Final = 30
STARTERS: Final = 16
_FINALISTS: Final = 4
_SCREEN_DRAWS: Final = 400
_CHUNK: Final = 64


@dataclass(frozen=True, slots=True)
class Playing:
    """How further runs are played: as `sweep` takes it."""

    executor: Executor | None
    workers: int | None
    sink: Sink | None
    progress: bool | None

    def play(self, found: Sweep, candidates: Sequence[Candidate], seeds: Sequence[int]) -> Sweep:
        """Play candidates in the suite of a sweep with other seeds."""
        label, alone = found.label, len(candidates) == 1
        try:
            played = sweep(
                candidates, found.scenarios, seeds, executor=self.executor, workers=self.workers, sink=self.sink,
                label=label, objective=found.objective, progress=self.progress,
            )  # fmt: skip
        except ParameterError as error:
            if not alone:
                raise
            raise ParameterError(f"{candidates[0].name} cannot run in the suite of {label}: {error}") from error
        if not played.complete:
            raise KeyboardInterrupt
        if played.refused:
            name, why = played.refused[0]
            raise ParameterError(f"{name} cannot run in the suite of {label}: {why}")
        return played


def choose(
    found: Sweep,
    goal: Goal | str,
    today: Policy,
    *,
    logged_requests: int | None = None,
    calibration: Trusted | None = None,
    requests_a_month: float | None = None,
    weights: Mapping[str, float] | None = None,
    indifference: float = 0.01,
    evaluations: int = 10 * STARTERS,
    may_stay: bool = True,
    executor: Executor | None = None,
    workers: int | None = None,
    sink: Sink | None = None,
    progress: bool | None = None,
) -> Choice:
    """Choose one setting, or refuse.

    Parameters
    ----------
    found : Sweep
        Screened candidates; at least two seeds.
    goal : Goal or str
        Such as "cheapest with success >= 98 % and p95 <= 2 s in every scenario".
    today : Policy
        The settings in force, against which the gain is told.
    logged_requests : int or None
        Requests of the log that the scenarios were made from; fewer than 1,000 are refused. None for a what-if
        without a log.
    calibration : Trusted or None
        Whether the simulated traffic looks like the log; a failed check is refused.
    requests_a_month : float or None
        For the money; None leaves it out.
    weights : mapping of str to float or None
        Share of the time of each scenario; None weighs all alike. Limits hold everywhere whatever the weights.
    indifference : float
        Share of the goal's measure below which two settings count as equally good, in [0, 1).
    evaluations : int
        Runs of the whole suite for the halving, beside the 30 for each of the last.
    may_stay : bool
        Whether today's settings may be kept; False where something outside of the goal speaks against them.
    executor, workers, sink, progress
        As for `sweep`.

    Returns
    -------
    Choice
        Its verdict is RECOMMENDED or REFUSED.

    Raises
    ------
    ParameterError
        For a goal that cannot be read or does not fit the suite, or a sweep of a single seed.

    Notes
    -----
    Today's settings are always among the last. Where they keep every limit surely, others are recommended only when the
    interval of the gain over them lies above 0; else the verdict is to keep them.

    p_best is the product of the probability that the best is among the candidates that the sweep let through, and of
    the probability that none of these is better; both from the posterior of paired means (`posterior_means`).

    Examples
    --------
    >>> from relkit.policies.presets import presets
    >>> from relkit.simulation.suite import w0
    >>> names = ("pybreaker", "sre-k2", "polly-8")
    >>> found = sweep([presets[name] for name in names], [w0(300)], seeds=2, workers=1)
    >>> choose(found, "most successful", presets["polly-8"], logged_requests=20, workers=1).verdict.code
    'REFUSED'
    """
    wanted = Goal.parse(goal) if isinstance(goal, str) else goal
    if len(found.seeds) < 2:
        raise ParameterError.of("seeds", len(found.seeds), "a sweep of at least 2", "sweep with seeds=4")
    if not 0.0 <= indifference < 1.0:
        raise ParameterError.of("indifference", indifference, "a share from 0 to below 1", "0.01 = one percent")
    judge = Judge.of(found, wanted, weights)
    reason = unfounded(logged_requests, calibration)
    if reason:
        return refused(found, wanted, today, *reason)
    screened = judge.values(found)
    means = screened.mean(axis=1)
    playing = Playing(executor, workers, sink, progress)
    if not judge.keeps(means).any():
        return _give_way(judge, found, today, playing)
    order = _starters(judge, screened)
    starters = [found.candidates[place] for place in order]
    first = max(found.seeds) + 1
    seen, finalists = _halve(judge, found, starters, today, evaluations, first, playing)
    fresh_from = first + max(map(len, seen))
    last = playing.play(found, [starters[place] for place in finalists], range(fresh_from, fresh_from + FRESH_SEEDS))
    confirmed = judge.values(last)
    for row, place in enumerate(finalists):
        seen[place] = np.concatenate([seen[place], confirmed[row]])
    return _conclude(
        judge, found, last, today, starters, finalists, seen, screened, order, indifference, requests_a_month, may_stay
    )


def _starters(judge: Judge, screened: Values) -> np.ndarray:
    """Return the places of the best candidates, half of them by their means, half among those that surely keep all limits.

    The best in a goal with limits lie at the edge of these, where it cannot be told whether they keep them.
    """
    order = np.argsort(judge.score(screened.mean(axis=1)), kind="stable")
    starters = order[: STARTERS // 2].tolist()
    for start in range(0, len(order), _CHUNK):
        rows = [screened[order[0]], *(screened[place] for place in order[start : start + _CHUNK])]
        keeps = judge.keeps(posterior_means(rows, 0, _SCREEN_DRAWS)[:, 1:]).mean(axis=0)
        for place, share in zip(order[start : start + _CHUNK].tolist(), keeps.tolist(), strict=True):
            if share >= SURE and place not in starters and len(starters) < STARTERS:
                starters.append(place)
        if len(starters) >= STARTERS:
            break
    rest = (place for place in order.tolist() if place not in set(starters))
    return np.array([*starters, *islice(rest, STARTERS - len(starters))])


def _give_way(judge: Judge, found: Sweep, today: Policy, playing: Playing) -> Choice:
    """Refuse, and find on fresh seeds how far limits would have to give way."""
    alone, limits = judge.gives_way(found)
    candidates = [found.candidates[place] for place in dict.fromkeys(place for _, place in limits)]
    first = max(found.seeds) + 1
    last = playing.play(found, candidates, range(first, first + FRESH_SEEDS))
    given_way = [judge.relaxed(limit, found.candidates[place], (found, last)) for limit, place in limits]
    spent = FRESH_SEEDS * len(candidates)
    return contradictory(judge, found, today, given_way, alone=alone, spent=spent)


def _halve(
    judge: Judge, found: Sweep, starters: list[Candidate], today: Policy, evaluations: int, first: int, playing: Playing
) -> tuple[list[Values], list[int]]:
    """Return what each starter showed, on seeds common to all, and the places of the finalists, the best first.

    Today's settings are one of them, and become the last starter where they are none.
    """

    def sample(places: Sequence[int], draws: Sequence[int]) -> Values:
        played = playing.play(found, [starters[place] for place in places], [first + draw for draw in draws])
        return judge.values(played)

    if len(starters) == 1:
        seen, finalists = [sample([0], range(2))[0]], [0]
    else:
        seen, ranked = halve(sample, len(starters), evaluations, judge.score)
        keeps = judge.keeps(posterior_means(seen, ranked[0])).mean(axis=0)
        surely = [
            place for place in _by_score(judge, seen) if keeps[place] >= SURE and place not in ranked[: _FINALISTS // 2]
        ]
        finalists = list(dict.fromkeys([*ranked[: _FINALISTS // 2], *surely[: _FINALISTS // 2], *ranked]))[:_FINALISTS]
    most = max(map(len, seen))
    own = _place(starters, today)
    if own is None:
        own = len(starters)
        starters.append(Candidate("today", today))
        seen.append(np.empty((0, seen[0].shape[1])))
    finalists = list(dict.fromkeys([*finalists, own]))
    for place in finalists:
        # the last are compared on the same seeds, those of the round they were dropped in included
        if len(seen[place]) < most:
            seen[place] = np.concatenate([seen[place], sample([place], range(len(seen[place]), most))[0]])
    return seen, finalists


def _place(candidates: Sequence[Candidate], today: Policy) -> int | None:
    """Where today's settings are among candidates."""
    return next((place for place, one in enumerate(candidates) if one.policy.hash == today.hash), None)


def _by_score(judge: Judge, seen: Sequence[Values]) -> list[int]:
    return sorted(range(len(seen)), key=lambda place: float(judge.score(seen[place].mean(axis=0))))


def _conclude(
    judge: Judge, found: Sweep, last: Sweep, today: Policy, starters: Sequence[Candidate], finalists: Sequence[int],
    seen: list[Values], screened: Values, order: np.ndarray, indifference: float, requests_a_month: float | None, may_stay: bool,
) -> Choice:  # fmt: skip
    """Pick among the finalists and say how sure it is."""
    scored = {place: float(judge.score(seen[place].mean(axis=0))) for place in finalists}
    posterior = posterior_means(seen, finalists[0])
    keeps = judge.keeps(posterior).mean(axis=0)
    spent, own = sum(map(len, seen)), _place(starters, today)
    eligible = [place for place in finalists if may_stay or place != own]
    sure = [place for place in eligible if keeps[place] >= SURE]
    chosen = min(sure or eligible, key=lambda place: (scored[place], place))
    if not sure:
        return unsure(judge, found, last, today, starters[chosen], float(keeps[chosen]), spent)
    rival = starters[chosen]
    gain = gain_of(judge, last, rival, today, requests_a_month)
    is_kept = own in sure and gain.low <= 0.0
    if own is not None and is_kept:
        chosen = own
    candidate = starters[chosen]
    scores = judge.score(posterior)
    slack = indifference * np.abs(judge.best_in(posterior)[:, chosen])
    through = _let_through(judge, screened, order)
    strict = through * p_best(scores, chosen)
    others = np.delete(scores, chosen, axis=1)
    good = float(np.mean(scores[:, chosen] <= others.min(axis=1) + slack)) if others.shape[1] else 1.0
    good *= _let_through(judge, screened, order, indifference)
    if is_kept:
        verdict = kept(rival, today, gain, good, indifference, len(found.candidates))
    else:
        is_fine = own is not None and bool(keeps[own] >= SURE)
        verdict = recommended(
            judge, candidate, today, gain, good, indifference, len(found.candidates), today_keeps=is_fine
        )
    its = last.place_of(candidate.policy.hash)
    measured = tuple(
        (scenario.name, interval_of(name, last.of(name)[its, place], scenario.requests, LEVEL))
        for place, scenario in enumerate(found.scenarios)
        for name in judge.measures
    )
    return Choice(
        verdict=verdict, goal=judge.goal, sweep_id=found.sweep_id, name=candidate.name, policy=candidate.policy, today=today,
        changes=changes_of(today, candidate.policy), p_best=strict, p_good=good, indifference=indifference,
        p_keeps=float(keeps[chosen]), gain=gain_of(judge, last, candidate, today, requests_a_month),
        regret=_regret(judge, found, candidate), measured=measured, candidates=len(found.candidates), evaluations=spent,
    )  # fmt: skip


def _regret(judge: Judge, found: Sweep, candidate: Candidate) -> tuple[tuple[str, float], ...]:
    """What another candidate of the sweep would gain in each scenario; empty for settings that were not in it."""
    place = _place(found.candidates, candidate.policy)
    if place is None:
        return ()
    losses = regret(found, judge.goal.best_in)[place]
    return tuple(
        (name, float(loss)) for name, loss in zip(found.scenario_names, losses, strict=True) if not math.isnan(loss)
    )


def _let_through(judge: Judge, screened: Values, order: np.ndarray, indifference: float = 0.0) -> float:
    """Probability, from the sweep alone, that no candidate it did not let through is better than all that it did."""
    left = np.setdiff1d(np.arange(len(screened)), order)
    if not len(left):
        return 1.0
    anchor = int(order[0])
    inside = posterior_means([screened[place] for place in order], 0, _SCREEN_DRAWS)
    base = judge.score(inside)
    best = base.min(axis=1)
    slack = indifference * np.abs(judge.best_in(inside)[:, 0])
    is_beaten = np.zeros(_SCREEN_DRAWS, dtype=np.bool_)
    for chunk in np.array_split(left, max(len(left) // _CHUNK, 1)):
        rows = [screened[anchor], *(screened[place] for place in chunk)]
        scores = judge.score(posterior_means(rows, 0, _SCREEN_DRAWS))[:, 1:]
        is_beaten |= scores.min(axis=1) < best - slack
    return float(1.0 - is_beaten.mean())
