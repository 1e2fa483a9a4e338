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
