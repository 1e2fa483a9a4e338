"""What became of the calls that were never sent: nobody knows; bounds, and draws from the states around them."""

from typing import Any, Final

import numpy as np
import numpy.typing as npt

from relkit.errors.kinds import ADVICE
from relkit.simulation.calibrate.hidden import States
from relkit.simulation.compiled import compiled
from relkit.simulation.replay.breaker_run import FAILED, GOOD, UNTOLD, Floats, Ints, Outcomes
from relkit.simulation.traffic import LoggedTraffic

_KINDS: Final = max(advice.int_code for advice in ADVICE.values()) + 1


def _filtered(gaps: Any, evidence: Any, leave_good: float, leave_bad: float, chance: Any) -> None:
    """Fill `chance` with the probability of the bad state at each place, given the log up to it."""
    total = leave_good + leave_bad
    share_bad = leave_good / total
    bad = share_bad
    for place in range(gaps.shape[0]):
        bad = share_bad + (bad - share_bad) * np.exp(-total * gaps[place])
        one, two = (1.0 - bad) * evidence[place, 0], bad * evidence[place, 1]
        bad = two / max(one + two, 1e-300)
        chance[place] = bad


def _drawn_back(gaps: Any, chance: Any, leave_good: float, leave_bad: float, draws: Any, is_bad: Any) -> None:
    """Draw one whole path of states, from the last place to the first."""
    total = leave_good + leave_bad
    share_bad = leave_good / total
    size = gaps.shape[0]
    for place in range(size - 1, -1, -1):
        bad = chance[place]
        if place < size - 1:
            fade = np.exp(-total * gaps[place + 1])
            from_bad = share_bad + (1.0 - share_bad) * fade
            from_good = share_bad - share_bad * fade
            if not is_bad[place + 1]:
                from_bad, from_good = 1.0 - from_bad, 1.0 - from_good
            one, two = (1.0 - bad) * from_good, bad * from_bad
            bad = two / max(one + two, 1e-300)
        is_bad[place] = draws[place] < bad


_filtered_fast = compiled(_filtered)
_drawn_back_fast = compiled(_drawn_back)


def draw_states(times_s: Floats, outcome: Ints, states: States, rng: np.random.Generator) -> npt.NDArray[np.bool_]:
    """Draw where a dependency was in its bad state, given everything that the log shows.

    Parameters
    ----------
    times_s : array of float, shape (attempts,)
        Ascending, in seconds.
    outcome : array of int
        1 good, 0 failed, -1 missing: no evidence.
    states : States
        The fitted chain.
    rng : Generator
        For the draw.

    Returns
    -------
    array of bool
        Whether the state is bad at each time. Forward filtering, backward sampling (Chib 1996): a whole path, so that calls
        that lie close together share their fate.

    Examples
    --------
    >>> quiet = States(100.0, 10.0, 0.0, 1.0, 0.0)
    >>> draw_states(np.array([0.0, 0.001, 0.002]), np.array([0, -1, 0]), quiet, np.random.default_rng(1)).tolist()
    [True, True, True]
    """
    gaps = np.diff(times_s, prepend=times_s[0])
    levels = np.array([[states.good_level, states.bad_level]])
    told = np.where((outcome == FAILED)[:, None], levels, 1.0 - levels)
    told[outcome == UNTOLD] = 1.0
    chance = np.empty(times_s.size)
    is_bad = np.zeros(times_s.size, dtype=np.bool_)
    rates = (1.0 / states.good_s, 1.0 / states.bad_s)
    _filtered_fast(gaps, told, *rates, chance)
    _drawn_back_fast(gaps, chance, *rates, rng.random(times_s.size), is_bad)
    return is_bad


def seen(traffic: LoggedTraffic) -> Outcomes:
    """Return what the log shows; a call that was rejected, has no end or no known outcome is no evidence.

    >>> from relkit.simulation.traffic import traffic_of
    >>> seen(traffic_of([0.0, 1.0], [0.2, 0.3], [True, False])).outcome.tolist()
    [1, 0]
    """
    known = ~traffic.rejected & traffic.ended
    outcome = np.where(known, traffic.outcome, UNTOLD)
    measured = traffic.latency_us >= 0
    usual = float(np.median(traffic.latency_us[measured & known])) if np.any(measured & known) else 0.0
    latency_s = np.where(measured & ~traffic.rejected, traffic.latency_us, usual) / 1e6
    return Outcomes(
        outcome,
        _within(traffic.kind),
        latency_s,
        np.where(traffic.retry_after_us >= 0, traffic.retry_after_us / 1e6, -1.0),
    )


def filled(
    told: Outcomes, missing: npt.NDArray[np.bool_], good: npt.NDArray[np.bool_], rng: np.random.Generator
) -> Outcomes:
    """Return outcomes with those of the missing calls set; kind and time are drawn from calls that ended alike.

    Parameters
    ----------
    told : Outcomes
        What the log shows.
    missing : array of bool, shape (attempts,)
        Which calls were never sent.
    good : array of bool, shape (attempts,)
        What is supposed of each; read where it is missing.
    rng : Generator
        For the draws.

    Examples
    --------
    >>> told = Outcomes(np.array([0, -1]), np.array([7, 0]), np.array([0.5, 0.1]), np.array([-1.0, -1.0]))
    >>> one = filled(told, np.array([False, True]), np.array([False, False]), np.random.default_rng(1))
    >>> one.outcome.tolist(), one.kind.tolist(), one.latency_s.tolist()
    ([0, 0], [7, 7], [0.5, 0.5])
    """
    outcome, kind, latency_s, hint_s = told.outcome.copy(), told.kind.copy(), told.latency_s.copy(), told.hint_s.copy()
    for code, wanted in ((GOOD, missing & good), (FAILED, missing & ~good)):
        outcome[wanted] = code
        alike = np.flatnonzero(told.outcome == code)
        if alike.size:
            drawn = rng.choice(alike, int(np.count_nonzero(wanted)))
            kind[wanted], latency_s[wanted], hint_s[wanted] = kind[drawn], told.latency_s[drawn], told.hint_s[drawn]
    return Outcomes(outcome, kind, latency_s, hint_s)


def _within(kind: Ints) -> Ints:
    return np.where((kind >= 0) & (kind < _KINDS), kind, 0)
