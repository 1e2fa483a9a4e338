"""Logs drawn from a generator whose numbers are known, and generators that are wrong in one thing each."""

from dataclasses import replace

import numpy as np

from relkit.errors.kinds import ADVICE, ErrorKind
from relkit.simulation.arrivals import modulated, poisson
from relkit.simulation.calibrate.hidden import States
from relkit.simulation.calibrate.model import BadTime, Drawn, TrafficModel, draw_log
from relkit.simulation.calibrate.times import fit_times
from relkit.simulation.traffic import LoggedTraffic, traffic_of

SERVER = ADVICE[ErrorKind.API_SERVER_ERROR].int_code
TIMEOUT = ADVICE[ErrorKind.NETWORK_TIMEOUT].int_code


def truth(hours: float = 6.0) -> TrafficModel:
    """Bursty arrivals, clustered failures, slow bad states, a client that gives up, retries, and one outage."""
    span_s = hours * 3600.0
    return TrafficModel(
        span_s,
        modulated([(120.0, 0.3), (30.0, 1.8)]),
        0.01,
        States(300.0, 25.0, 0.01, 0.6, 0.0),
        (BadTime(0.55 * span_s, 0.55 * span_s + 420.0, 0.97, 0, SERVER),),
        ((1.0, 0.5, 0.7),),
        slow_factor=3.0,
        timeout_s=2.0,
        error_s=0.05,
        again=(0.8, 0.7, 0.6),
        wait_s=2.0,
    )


def as_traffic(log: Drawn) -> LoggedTraffic:
    kind = np.where(log.timed_out, TIMEOUT, np.where(log.failed, SERVER, 0))
    return traffic_of(
        log.start_s, log.latency_s, ~log.failed, kind=kind, request=log.request, number=log.number, model="small"
    )


def wrong_models(model: TrafficModel, log: Drawn) -> dict[str, TrafficModel]:
    """The fitted model with one thing wrong."""
    answered = log.latency_s[~log.failed]
    mean_level = float(np.mean(log.failed & ~log.timed_out))
    return {
        "Poisson for bursty": replace(model, arrivals=poisson(log.arrived_s.size / log.span_s)),
        "independent for clustered": replace(model, states=None, failing=mean_level),
        "uncensored latency": replace(model, latency=fit_times(answered, np.empty(0))),
        "one state for two": replace(model, slow_factor=1.0),
        "missing episode": replace(model, bad_times=()),
        "wrong attempt mix": replace(model, again=tuple(share / 2.0 for share in model.again)),
    }


def drawn(seed: int, hours: float = 6.0) -> Drawn:
    return draw_log(truth(hours), np.random.default_rng(seed))


def planted(seed, good_s, bad_s, usual, bad, hours, rate):
    """Poisson calls on a service with good and bad states: (starts in seconds, latency in seconds, failed)."""
    rng = np.random.default_rng(seed)
    span_s = hours * 3600.0
    number = int(span_s / (good_s + bad_s) * 1.6) + 50
    ends = np.cumsum(np.column_stack([rng.exponential(good_s, number), rng.exponential(bad_s, number)]).ravel())
    starts = np.sort(rng.uniform(0.0, span_s, rng.poisson(span_s * rate)))
    in_bad = np.searchsorted(ends, starts) % 2 == 1
    return (
        starts,
        0.3 * np.exp(0.4 * rng.standard_normal(starts.size)),
        rng.random(starts.size) < np.where(in_bad, bad, usual),
    )


def hidden_by_a_breaker(starts, failed, threshold=3, cooldown_s=60.0):
    """Which calls a breaker that opens after failures in a row would never have sent."""
    hidden = np.zeros(starts.size, bool)
    row, open_until_s = 0, -1.0
    for place, at_s in enumerate(starts):
        if at_s < open_until_s:
            hidden[place] = True
            continue
        row = row + 1 if failed[place] else 0
        if row >= threshold:
            row, open_until_s = threshold - 1, at_s + cooldown_s
    return hidden
