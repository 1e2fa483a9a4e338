"""`replay`: a log through other policies, with bounds for the calls that the log does not show."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from relkit.exceptions import DataError, ParameterError
from relkit.policies.codes import STATES
from relkit.policies.policy import Policy
from relkit.simulation.calibrate.calibration import Calibration
from relkit.simulation.calibrate.hidden import States, fit_failing
from relkit.simulation.replay.breaker_run import FAILED, GOOD, UNTOLD, Flags, Floats, Ints, Outcomes, watch
from relkit.simulation.replay.closed_loop import closed_loop
from relkit.simulation.replay.incidents import Incident, detection_s, find_incidents
from relkit.simulation.replay.levels import CLOSED_LOOP, DRAWN, LEVELS, OPEN_LOOP
from relkit.simulation.replay.missing import draw_states, filled, seen
from relkit.simulation.replay.records import Arm, Change, Logged, Replay, Tally
from relkit.simulation.room import Rows
from relkit.simulation.traffic import LoggedTraffic

_LEAST_KNOWN: Final = 200
_LEAST_FAILED: Final = 20
_MOST_POLICIES: Final = 50
_BAND: Final = (0.05, 0.95)


@dataclass(frozen=True, slots=True)
class _Watched:
    """One breaker under one supposition about the missing calls."""

    let: Flags
    changes: Rows
    told: Outcomes


def replay(
    traffic: LoggedTraffic,
    policies: Sequence[Policy],
    level: str = OPEN_LOOP,
    *,
    calibration: Calibration | None = None,
    servers: int | None = None,
    incidents: Sequence[Incident] | None = None,
    draws: int = 20,
    seed: int = 1,
) -> Replay:
    """Send a log through other policies.

    Parameters
    ----------
    traffic : LoggedTraffic
        The log of one model.
    policies : sequence of Policy
        What to try, each with a breaker and a name of its own.
    level : str
        R0: every breaker decides about the logged attempts; calls that the log's own breaker rejected are no evidence.
        R1: the same, and what those would have come to is drawn from the calibration. R2: the log's requests come to a
        simulated service with `servers`, whose errors are the calibration's; retries and load follow the policy.
    calibration : Calibration or None
        Of the same log; R1 and R2 need it.
    servers : int or None
        Services at once; R2 needs it, because no log tells it.
    incidents : sequence of Incident or None
        Bad times to be detected; None for those found in the log.
    draws : int
        How often R1 draws the missing calls, and how many seeds R2 plays; 1 to 1000.
    seed : int
        Of all draws.

    Returns
    -------
    Replay
        For each policy what it lets through, spares and turns away, how soon it opens, and its states over time.

    Raises
    ------
    DataError
        Fewer than 200 attempts have a known outcome.
    ParameterError
        An unknown level, a policy without breaker, two of one name, or a level without what it needs.

    Examples
    --------
    >>> from relkit.policies.presets import presets
    >>> from relkit.simulation.traffic import traffic_of
    >>> at_s = np.arange(1000.0)
    >>> down = (at_s >= 400) & (at_s < 500)
    >>> found = replay(traffic_of(at_s, np.full(1000, 0.2), ~down), [presets["pybreaker"]])
    >>> found.level, found.arms[0].failures_avoided.value, round(found.arms[0].detection_s[0], 1)
    ('R0', 94.0, 4.2)
    """
    _check(traffic, policies, level, calibration, servers, draws)
    told = seen(traffic)
    origin_us = int(traffic.start_us[0])
    starts_s = (traffic.start_us - origin_us) / 1e6
    bad_times = tuple(incidents) if incidents is not None else _incidents(starts_s, told, calibration)
    if level == CLOSED_LOOP:
        assert calibration is not None
        assert servers is not None
        arms = closed_loop(
            starts_s, traffic, policies, calibration.scenario, servers, bad_times, range(seed, seed + draws)
        )
    else:
        users = np.flatnonzero(traffic.is_user)
        suppositions = _suppositions(starts_s, told, traffic, calibration if level == DRAWN else None, draws, seed)
        arms = tuple(
            _arm(policy, starts_s[users], [_of(one, users) for one in suppositions], bad_times, seed)
            for policy in policies
        )
    return Replay(
        level, traffic.model, origin_us, float(starts_s[-1]), int(np.count_nonzero(traffic.is_user)),
        int(np.count_nonzero(traffic.is_user & traffic.rejected)), bad_times, tuple(_logged(traffic, told, starts_s, one) for one in bad_times),
        arms, "" if calibration is None else calibration.stamp,
    )  # fmt: skip


def _check(
    traffic: LoggedTraffic,
    policies: Sequence[Policy],
    level: str,
    calibration: Calibration | None,
    servers: int | None,
    draws: int,
) -> None:
    if level not in LEVELS:
        raise ParameterError.of(
            "level", level, ", ".join(LEVELS), "R0 needs the log alone, R1 a calibration, R2 the capacity too"
        )
    if not 1 <= len(policies) <= _MOST_POLICIES:
        raise ParameterError.of("policies", len(policies), f"from 1 to {_MOST_POLICIES}", "name what to try")
    names = [policy.name for policy in policies]
    for policy in policies:
        if policy.breaker is None:
            raise ParameterError.of(
                "policies", policy.name, "policies with a breaker", "leave it out: there is nothing to replay"
            )
        if names.count(policy.name) > 1:
            raise ParameterError.of("policies", policy.name, "every name once", "give the second another name")
    if level != OPEN_LOOP and calibration is None:
        raise ParameterError.of(
            "calibration", None, f"a calibration, which {level} needs", "pass relkit.calibrate(traffic)"
        )
    if level == CLOSED_LOOP and servers is None:
        raise ParameterError.of(
            "servers", None, "services at once, which R2 needs", "say the capacity; no log tells it"
        )
    if not 1 <= draws <= 1000:
        raise ParameterError.of("draws", draws, "from 1 to 1000", "20 is usual")
    known = int(np.count_nonzero(~traffic.rejected & traffic.ended & traffic.is_user & (traffic.outcome != UNTOLD)))
    if known < _LEAST_KNOWN:
        raise DataError(
            f"replay needs {_LEAST_KNOWN} attempts with a known outcome; the log of {traffic.model!r} has {known}: "
            "take a longer period, or map the column that says whether a call succeeded"
        )


def _incidents(starts_s: Floats, told: Outcomes, calibration: Calibration | None) -> tuple[Incident, ...]:
    """Bad times of the log: those the calibration keeps, and the bad stretches of the fitted states."""
    kept = () if calibration is None else calibration.model.bad_times
    long = [Incident(time.start_s, time.end_s, "bad time") for time in kept]
    states: States | None = None
    if calibration is not None:
        states = calibration.model.states
    elif np.count_nonzero(told.outcome == FAILED) >= _LEAST_FAILED:
        known = told.outcome != UNTOLD
        states = fit_failing(starts_s[known], told.outcome[known] == FAILED)
    if states is None:
        return tuple(long)
    short = find_incidents(starts_s, told.outcome, states)
    apart = [one for one in short if all(one.end_s < time.start_s or one.start_s > time.end_s for time in long)]
    return tuple(sorted([*long, *apart], key=lambda one: one.start_s))


def _suppositions(
    starts_s: Floats, told: Outcomes, traffic: LoggedTraffic, calibration: Calibration | None, draws: int, seed: int
) -> list[Outcomes]:
    """What the missing calls came to: all good, all failed, and then untold once (R0) or drawn some times (R1)."""
    rng = np.random.default_rng(seed)
    missing = traffic.rejected
    yes = np.ones(missing.size, dtype=np.bool_)
    if not missing.any():
        return [told, told, told]
    found = [filled(told, missing, yes, rng), filled(told, missing, ~yes, rng)]
    if calibration is None:
        return [*found, told]
    for _ in range(draws):
        failing = _failing_shares(starts_s, told, calibration, rng)
        found.append(filled(told, missing, rng.random(missing.size) >= failing, rng))
    return found


def _failing_shares(starts_s: Floats, told: Outcomes, calibration: Calibration, rng: np.random.Generator) -> Floats:
    """Chance of failing of each call under one drawn path of the states."""
    model = calibration.model
    shares = np.full(starts_s.size, model.failing)
    if model.states is not None:
        is_bad = draw_states(starts_s, told.outcome, model.states, rng)
        shares = np.where(is_bad, model.states.bad_level, model.states.good_level)
    for time in model.bad_times:
        shares[(starts_s >= time.start_s) & (starts_s < time.end_s)] = time.lost
    return shares


def _of(told: Outcomes, places: Ints) -> Outcomes:
    return Outcomes(told.outcome[places], told.kind[places], told.latency_s[places], told.hint_s[places])


def _arm(
    policy: Policy, starts_s: Floats, suppositions: list[Outcomes], incidents: Sequence[Incident], seed: int
) -> Arm:
    known: dict[int, _Watched] = {}
    for one in suppositions:
        if id(one) not in known:
            known[id(one)] = _Watched(*watch(starts_s, one, policy, seed), one)
    watched = [known[id(one)] for one in suppositions]
    middle = watched[2]
    return Arm(
        policy.name,
        policy.hash,
        tuple(Change(float(row["at_s"]), STATES[row["state"]]) for row in middle.changes),
        _tally([float(one.let.sum()) for one in watched]),
        _tally([float((~one.let).sum()) for one in watched]),
        _tally([float(np.count_nonzero(~one.let & (one.told.outcome == FAILED))) for one in watched]),
        _tally([float(np.count_nonzero(~one.let & (one.told.outcome == GOOD))) for one in watched]),
        tuple(detection_s(middle.changes, incident) for incident in incidents),
        tuple(_tally([_failed_within(one, starts_s, incident) for one in watched]) for incident in incidents),
    )


def _failed_within(one: _Watched, starts_s: Floats, incident: Incident) -> float:
    sent = one.let & incident.holds(starts_s)
    return float(np.count_nonzero(sent & (one.told.outcome == FAILED)))


def _logged(traffic: LoggedTraffic, told: Outcomes, starts_s: Floats, incident: Incident) -> Logged:
    its = incident.holds(starts_s) & traffic.is_user
    failed = np.count_nonzero(its & (told.outcome == FAILED))
    return Logged(int(failed), int(np.count_nonzero(its & traffic.rejected)))


def _tally(values: list[float]) -> Tally:
    """Sum up: the first two are the extreme suppositions, the value and its band come from the rest."""
    rest = values[2:]
    low, high = np.quantile(rest, _BAND)
    return Tally(float(np.mean(rest)), float(low), float(high), min(values), max(values))
