"""One breaker beside a log: asked at the start of each attempt, told its outcome at the end."""

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

import relkit.simulation.kernel  # noqa: F401  it makes the policies callable from compiled code
from relkit.errors.kinds import ADVICE
from relkit.policies.breaker import allow, settle
from relkit.policies.codes import ABANDONED, ADMIT, FAILURE, IGNORED, SUCCESS
from relkit.policies.policy import Policy
from relkit.policies.records import Peers
from relkit.policies.switches import throttle, trip_now
from relkit.policies.transitions import new_breaker
from relkit.policies.votes import opens_at_once, outcome_of
from relkit.simulation.compiled import compiled
from relkit.simulation.draws import PERMIT, drawn
from relkit.simulation.fleet import note_change
from relkit.simulation.room import BREAKER, PEERS, STATE, TRANSITION, Rows, rows_of
from relkit.simulation.workload import KINDS

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]

GOOD: Final = 1
FAILED: Final = 0
UNTOLD: Final = -1
_VOTES: Final = {"failure": FAILURE, "ignore": IGNORED, "success": SUCCESS}
_MARKS: Final = np.dtype([("transitions", np.int64)])
_NOT_LET: Final = -1


@dataclass(frozen=True, slots=True, eq=False)
class Outcomes:
    """What each attempt of a log came to, or would have come to.

    Parameters
    ----------
    outcome : array of int, shape (attempts,)
        1 good, 0 failed, -1 nobody knows: it is no evidence.
    kind : array of int
        Number of the error kind of those that failed; 0 where it is not known.
    latency_s : array of float
        Seconds each took.
    hint_s : array of float
        Wait that the server stated; -1 for none.

    Examples
    --------
    >>> Outcomes(np.array([1]), np.array([0]), np.array([0.2]), np.array([-1.0])).outcome.size
    1
    """

    outcome: Ints
    kind: Ints
    latency_s: Floats
    hint_s: Floats


def _watch(
    starts_s: Any, order: Any, outcome: Any, kind: Any, latency_s: Any, hint_s: Any, votes: Any, at_once: Any, cfg_: Any, states: Any,
    window: Any, peers_: Any, transitions: Any, marks_: Any, granted: Any, next_event: int, seed: int,
) -> int:  # fmt: skip
    """Play events from `next_event` on; stop where the room for changes is full, and return where."""
    cfg, state, peers, marks = cfg_[0], states[0], peers_[0], marks_[0]
    size = starts_s.shape[0]
    while next_event < order.shape[0]:
        if marks.transitions + 4 > transitions.shape[0]:
            return next_event
        event = order[next_event]
        next_event += 1
        generation = state.generation
        if event < size:
            now_s = starts_s[event]
            code, given, _ = allow(state, window, cfg, peers, now_s, drawn(seed, event, 0, PERMIT)[0])
            granted[event] = given if code == ADMIT else _NOT_LET
        else:
            attempt = event - size
            if granted[attempt] == _NOT_LET:
                continue
            now_s = starts_s[attempt] + latency_s[attempt]
            told = ABANDONED
            if outcome[attempt] == GOOD:
                told = SUCCESS
            elif outcome[attempt] == FAILED:
                told = votes[kind[attempt]]
            settle(state, window, cfg, peers, now_s, granted[attempt], told, latency_s[attempt])
            if outcome[attempt] == FAILED and at_once[kind[attempt]]:
                if hint_s[attempt] > 0.0:
                    throttle(state, window, cfg, peers, now_s, hint_s[attempt])
                else:
                    trip_now(state, window, cfg, peers, now_s)
        if state.generation != generation:
            note_change(state, 0, 0, transitions, marks)
    return next_event


_watch_fast = compiled(_watch)


def event_order(starts_s: Floats, latency_s: Floats) -> Ints:
    """Return starts (0 to n-1) and ends (n to 2n-1) in the order of time; at one moment what ends comes before what starts.

    >>> event_order(np.array([0.0, 1.0]), np.array([1.0, 0.0])).tolist()
    [0, 2, 1, 3]
    """
    size = starts_s.size
    at_s = np.concatenate([starts_s, starts_s + latency_s])
    # An attempt that took no time must start before it ends.
    turn = np.concatenate([np.ones(size, np.int8), np.where(latency_s > 0.0, 0, 2).astype(np.int8)])
    return np.lexsort((turn, at_s)).astype(np.int64)


def watch(starts_s: Floats, told: Outcomes, policy: Policy, seed: int) -> tuple[Flags, Rows]:
    """Let the breaker of a policy decide on every attempt of a log.

    Parameters
    ----------
    starts_s : array of float, shape (attempts,)
        Ascending, in seconds.
    told : Outcomes
        What came of each.
    policy : Policy
        With a breaker.
    seed : int
        For the breakers that let a share through at random.

    Returns
    -------
    array of bool, shape (attempts,)
        Which ones it would have let through.
    array of records
        Changes of its state: at_s, state, why, why_value, threshold and columns without meaning here.

    Examples
    --------
    >>> from relkit.policies.presets import presets
    >>> starts_s = np.arange(10.0)
    >>> bad = Outcomes(np.zeros(10, np.int64), np.full(10, 7), np.full(10, 0.1), np.full(10, -1.0))
    >>> let, changes = watch(starts_s, bad, presets["pybreaker"], 1)
    >>> let.sum(), changes["at_s"].tolist()
    (np.int64(5), [4.1])
    """
    settings = policy.breaker
    assert settings is not None  # `replay` refuses such policies with a remedy
    advised = {advice.int_code: _VOTES[advice.breaker] for advice in ADVICE.values()}
    votes = [FAILURE, *(outcome_of(settings.votes, kind, advised[kind]) for kind in range(1, KINDS))]
    at_once = [False, *(opens_at_once(settings.votes, kind, 1) for kind in range(1, KINDS))]
    state, window = new_breaker(settings, 0.0)
    granted = np.full(starts_s.size, _NOT_LET, dtype=np.int64)
    marks = np.zeros(1, dtype=_MARKS).view(np.recarray)
    transitions = np.zeros(1024, dtype=TRANSITION)
    states = rows_of(STATE, [state])
    order = event_order(starts_s, told.latency_s)
    room = np.array(window or [0.0])
    at = 0
    while True:
        at = _watch_fast(
            starts_s, order, told.outcome, told.kind, told.latency_s, told.hint_s, np.array(votes, np.int64), np.array(at_once),
            rows_of(BREAKER, [settings]), states, room, rows_of(PEERS, [Peers()]), transitions, marks, granted, at, seed,
        )  # fmt: skip
        if at == order.size:
            return granted != _NOT_LET, transitions[: int(marks["transitions"][0])]
        transitions = np.concatenate([transitions, np.zeros_like(transitions)])
