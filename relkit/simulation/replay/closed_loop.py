"""R2: the requests of a log come to a simulated service of known capacity, with a breaker and without."""

from collections.abc import Iterable, Sequence
from dataclasses import replace

import numpy as np

from relkit.exceptions import ParameterError
from relkit.policies.codes import STATES
from relkit.policies.policy import Policy
from relkit.simulation.arrivals import replayed
from relkit.simulation.collect import whole
from relkit.simulation.replay.breaker_run import Flags, Floats
from relkit.simulation.replay.incidents import Incident, detection_s
from relkit.simulation.replay.records import Arm, Change, Tally
from relkit.simulation.run import Run, simulate
from relkit.simulation.scenario import Scenario
from relkit.simulation.traffic import LoggedTraffic
from relkit.simulation.workload import CACHED, FRESH, STALE


def closed_loop(
    starts_s: Floats,
    traffic: LoggedTraffic,
    policies: Sequence[Policy],
    scenario: Scenario,
    servers: int,
    incidents: Sequence[Incident],
    seeds: Iterable[int],
) -> tuple[Arm, ...]:
    """Play the log's requests against the calibrated service, each policy beside itself without its breaker.

    Parameters
    ----------
    starts_s : array of float, shape (attempts,)
        Starts of the log's attempts, seconds from its beginning.
    traffic : LoggedTraffic
        The log; a request comes at its first attempt, sent or rejected.
    policies : sequence of Policy
        What to try; fallback chains are left out, because the log is of one model.
    scenario : Scenario
        Of the calibration; its arrivals are replaced by those of the log.
    servers : int
        Services at once.
    incidents : sequence of Incident
        Bad times to be detected.
    seeds : iterable of int
        A run each.

    Returns
    -------
    tuple of Arm
        Tallies count attempts (let through, spared, failures avoided) and requests (good turned away), against the same
        policy without breaker on the same draws. Their bounds are the extremes over the seeds.
    """
    if servers < 1:
        raise ParameterError.of("servers", servers, "at least 1", "say how many services run at once")
    users = np.flatnonzero(traffic.is_user)
    _, firsts = np.unique(traffic.request[users], return_index=True)
    times_s = np.sort(starts_s[users][firsts])
    served = replace(
        scenario,
        arrivals=replayed(times_s.tolist()),
        requests=int(times_s.size),
        models=tuple(replace(model, servers=servers) for model in scenario.models),
    )
    chosen = tuple(seeds)
    return tuple(_arm(policy, served, incidents, chosen) for policy in policies)


def _arm(policy: Policy, scenario: Scenario, incidents: Sequence[Incident], seeds: Sequence[int]) -> Arm:
    alone = replace(policy, fallback=None)
    with_breaker = [_run(scenario, alone, seed) for seed in seeds]
    without = [_run(scenario, replace(alone, breaker=None), seed) for seed in seeds]
    pairs = list(zip(with_breaker, without, strict=True))
    detections = [[detection_s(run.transitions, incident) for run in with_breaker] for incident in incidents]
    return Arm(
        policy.name,
        policy.hash,
        tuple(Change(float(row["at_s"]), STATES[row["state"]]) for row in with_breaker[0].transitions),
        _tally([_sent(run) for run in with_breaker]),
        _tally([_sent(plain) - _sent(run) for run, plain in pairs]),
        _tally([_failed(plain) - _failed(run) for run, plain in pairs]),
        _tally([float(np.count_nonzero(_answered(plain) & ~_answered(run))) for run, plain in pairs]),
        tuple(_median(found) for found in detections),
        tuple(_tally([_failed_within(run, incident) for run in with_breaker]) for incident in incidents),
    )


def _run(scenario: Scenario, policy: Policy, seed: int) -> Run:
    return whole(simulate(scenario, policy, seed, keep_attempts=True))


def _sent(run: Run) -> float:
    return float(run.requests["attempts"].sum())


def _failed(run: Run) -> float:
    assert run.attempts is not None
    return float(np.count_nonzero(run.attempts["kind"] != 0))


def _failed_within(run: Run, incident: Incident) -> float:
    assert run.attempts is not None
    return float(np.count_nonzero(incident.holds(run.attempts["start_s"]) & (run.attempts["kind"] != 0)))


def _answered(run: Run) -> Flags:
    answered: Flags = np.isin(run.requests["outcome"], (FRESH, CACHED, STALE))
    return answered


def _median(found: list[float | None]) -> float | None:
    """Median over the seeds, where it opened in most of them."""
    known = [one for one in found if one is not None]
    return float(np.median(known)) if 2 * len(known) > len(found) else None


def _tally(values: list[float]) -> Tally:
    low, high = np.quantile(values, (0.05, 0.95))
    return Tally(float(np.mean(values)), float(low), float(high), min(values), max(values))
