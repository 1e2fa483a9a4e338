"""From logged traffic to the calibrated generator: one part of it at a time."""

import math
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import numpy.typing as npt

from relkit.errors.kinds import ADVICE, ErrorKind
from relkit.exceptions import DataError
from relkit.simulation.calibrate.arriving import Arriving, read_arrivals
from relkit.simulation.calibrate.bad_times import FEWEST_IN_STATE, SLOWER, Calls, bad_states, bad_times_of, commonest
from relkit.simulation.calibrate.hidden import States, chance_of_bad
from relkit.simulation.calibrate.model import MOST_TRIES, Drawn, TrafficModel
from relkit.simulation.calibrate.slow import slow_stretches
from relkit.simulation.calibrate.times import Part, fit_factor, fit_times
from relkit.simulation.traffic import FAILED, NOT_MEASURED, UNTOLD, LoggedTraffic

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]

FEWEST: Final = 200
_TIMEOUT: Final = ADVICE[ErrorKind.NETWORK_TIMEOUT].int_code
_CANCELLED: Final = ADVICE[ErrorKind.CANCELLED].int_code


@dataclass(frozen=True, slots=True, eq=False)
class Fitted:
    """The model, what was seen on the way, and the log in the form that the checks compare.

    Parameters
    ----------
    model : TrafficModel
        The generator.
    arriving : Arriving
        Diagnostics of the arrivals.
    log : Drawn
        The log.
    failed_share : float
        Share of the attempts seen that failed: the naive figure.
    error_share : float
        Share that would have failed, had none been hidden: the model's figure over the whole time.
    kinds : mapping of int to int
        Failures by code of kind.
    bad_kind : int
        Commonest kind in the bad state, 0 where there is none.
    rejected, unfinished, untold : int
        Attempts never sent; without an end; with an outcome that nobody knows.
    censored : int
        Attempts known only to have taken longer than their client waited.
    retry_after_s : float or None
        Median wait that servers stated with a rate limit.
    """

    model: TrafficModel
    arriving: Arriving
    log: Drawn
    failed_share: float
    error_share: float
    kinds: dict[int, int]
    bad_kind: int
    rejected: int
    unfinished: int
    untold: int
    censored: int
    retry_after_s: float | None


def fit(traffic: LoggedTraffic) -> Fitted:
    """Fit every part of the generator to logged traffic.

    Raises
    ------
    DataError
        Fewer than 200 attempts were sent and have a known outcome, or none took a measured time.
    """
    known = ~traffic.rejected & (traffic.outcome != UNTOLD) & (traffic.kind != _CANCELLED)
    users = known & traffic.is_user
    if int(users.sum()) < FEWEST:
        raise DataError(
            f"{traffic.model}: {int(users.sum())} attempts were sent and have a known outcome; calibration needs {FEWEST}. "
            "Take a longer period, or all of the log"
        )
    start_us = int(traffic.start_us[0])
    starts = (traffic.start_us - start_us) / 1e6
    took = np.where(traffic.latency_us == NOT_MEASURED, np.nan, traffic.latency_us / 1e6)
    failed = traffic.outcome == FAILED
    span_s = max(float(starts[-1]), 1e-3)
    timeout_s, timed_out = _timeouts(took, failed, traffic.kind)
    arrived = np.sort(starts[traffic.is_user & (traffic.number == _first(traffic))])
    arriving = read_arrivals(arrived)
    long, states = bad_states(starts[known], failed[known], span_s)
    inside = np.zeros(starts.size, bool)
    for low, high in long:
        inside |= (starts >= low) & (starts < high)
    chance = np.zeros(starts.size)
    if states is not None:
        rest = known & ~inside
        chance[rest] = chance_of_bad(starts[rest], failed[rest], states)
    in_bad = chance > 0.5
    answered, late = users & ~inside & ~failed & (took > 0.0), users & ~inside & timed_out
    latency = _usual_times(took, answered & ~in_bad, late & ~in_bad, timeout_s)
    ended = (answered | late) & ~in_bad
    cuts = np.array([edge for span in long for edge in span])
    slow_times = slow_stretches(starts[ended], took[ended], late[ended], latency, timeout_s, cuts)
    for low, high in slow_times:
        inside |= (starts >= low) & (starts < high)
    if slow_times:
        answered, late = answered & ~inside, late & ~inside
        latency = _usual_times(took, answered & ~in_bad, late & ~in_bad, timeout_s)
    quiet = users & ~inside
    calls = Calls(starts, took, failed, timed_out, traffic.kind, users)
    bad_times = bad_times_of([*long, *slow_times], calls, latency, timeout_s)
    slow = took[answered & in_bad]
    factor = 1.0
    if slow.size >= FEWEST_IN_STATE:
        factor = fit_factor(latency, slow, int((late & in_bad).sum()), timeout_s)
    levels = _levels(failed & ~timed_out, quiet, chance)
    errors = users & failed & ~timed_out & (took > 0.0)
    model = TrafficModel(
        span_s,
        arriving.arrivals,
        levels[0],
        None if states is None else replace(states, good_level=levels[0], bad_level=levels[1]),
        bad_times,
        latency,
        factor if abs(factor - 1.0) > SLOWER else 1.0,
        timeout_s,
        float(np.median(took[errors])) if errors.any() else 0.02,
        *_again(traffic, starts, took, failed),
    )
    hints = traffic.retry_after_us[(traffic.retry_after_us >= 0) & traffic.is_user]
    sent = Drawn(
        starts[users],
        took[users],
        failed[users],
        timed_out[users],
        traffic.number[users] - _first(traffic) + 1,
        traffic.request[users],
        arrived,
        span_s,
    )
    return Fitted(
        model,
        arriving,
        sent,
        float(np.mean(failed[users])),
        _over_time(model, states, float(np.mean(failed[quiet])) if quiet.any() else 0.0),
        {
            int(code): int(number)
            for code, number in zip(*np.unique(traffic.kind[users & failed], return_counts=True), strict=True)
        },
        commonest(traffic.kind[users & failed & in_bad]),
        int(np.count_nonzero(traffic.rejected)),
        int(np.count_nonzero(~traffic.ended)),
        int(np.count_nonzero(traffic.outcome == UNTOLD)),
        int(np.count_nonzero(users & timed_out)),
        float(np.median(hints)) / 1e6 if hints.size else None,
    )


def _first(traffic: LoggedTraffic) -> int:
    return int(traffic.number[traffic.is_user].min()) if traffic.is_user.any() else 1


def _timeouts(took: Floats, failed: Flags, kinds: npt.NDArray[np.int64]) -> tuple[float, Flags]:
    """When the client gives up, from the time-outs that took one and the same time; and which attempts those are."""
    named = failed & (kinds == _TIMEOUT) & ~np.isnan(took)
    if int(named.sum()) < 5:
        return math.inf, np.zeros(took.size, bool)
    limit = float(np.median(took[named]))
    near = named & (np.abs(took - limit) <= 0.05 * limit)
    if near.sum() < 0.5 * named.sum():
        return math.inf, np.zeros(took.size, bool)
    return limit, near


def _levels(errors: Flags, quiet: Flags, chance: Floats) -> tuple[float, float]:
    """Share of errors, time-outs not counted, in the good and in the bad state: each attempt by its chance of either."""
    bad = float(chance[quiet].sum())
    good = float(quiet.sum()) - bad
    with_bad = float(chance[quiet & errors].sum())
    return (float((quiet & errors).sum()) - with_bad) / max(good, 1e-9), with_bad / bad if bad > 0.0 else 0.0


def _usual_times(took: Floats, answered: Flags, late: Flags, timeout_s: float) -> tuple[Part, ...]:
    return fit_times(took[answered], np.full(int(late.sum()), timeout_s))


def _again(traffic: LoggedTraffic, starts: Floats, took: Floats, failed: Flags) -> tuple[tuple[float, ...], float]:
    """Share of failed k-th attempts that are followed by another, and the median wait before it."""
    mine = np.flatnonzero(traffic.is_user & ~traffic.rejected)
    order = mine[np.lexsort((traffic.number[mine], traffic.request[mine]))]
    same = traffic.request[order][1:] == traffic.request[order][:-1]
    followed = np.concatenate([same, [False]])
    number = traffic.number[order] - _first(traffic) + 1
    shares = []
    for tried in range(1, MOST_TRIES):
        here = failed[order] & (number == tried)
        if not here.any() or not (here & followed).any():
            break
        shares.append(float(np.mean(followed[here])))
    waits = starts[order][1:][same] - (starts[order] + took[order])[:-1][same]
    waits = waits[waits > 0.0]
    return tuple(shares), float(np.median(waits)) if waits.size else 0.0


def _over_time(model: TrafficModel, states: States | None, failed_share: float) -> float:
    """Share that fails over the whole time, bad times included: states move on where nothing was seen."""
    usual = failed_share if states is None else states.mean_level
    inside = sum(time.end_s - time.start_s for time in model.bad_times)
    bad = sum((time.end_s - time.start_s) * time.lost for time in model.bad_times)
    return min((usual * max(model.span_s - inside, 0.0) + bad) / model.span_s, 1.0)
