"""Incidents of a log: long stretches in which the dependency was in its bad state."""

from dataclasses import dataclass
from typing import Final

import numpy as np

from relkit.policies.codes import CLOSED, OPEN
from relkit.simulation.calibrate.hidden import States
from relkit.simulation.replay.breaker_run import Flags, Floats, Ints
from relkit.simulation.replay.missing import draw_states
from relkit.simulation.room import Rows

_LEAST_FAILED: Final = 3
_PATHS: Final = 60


@dataclass(frozen=True, slots=True)
class Incident:
    """A bad time of the dependency, in seconds from the start of the log.

    Examples
    --------
    >>> Incident(600.0, 660.0, "outage").length_s
    60.0
    """

    start_s: float
    end_s: float
    label: str = "incident"

    @property
    def length_s(self) -> float:
        """How long it took, in seconds."""
        return self.end_s - self.start_s

    def holds(self, times_s: Floats) -> Flags:
        """Say which times lie in it, its end left out."""
        within: Flags = (times_s >= self.start_s) & (times_s < self.end_s)
        return within


def find_incidents(times_s: Floats, outcome: Ints, states: States, least_s: float = 0.0) -> tuple[Incident, ...]:
    """Find the stretches in which the bad state is likelier than the good one.

    Parameters
    ----------
    times_s : array of float, shape (attempts,)
        Ascending, in seconds.
    outcome : array of int
        1 good, 0 failed, -1 missing: no evidence, so that a breaker that opened does not end the incident it opened for.
    states : States
        The fitted chain.
    least_s : float
        Shorter ones are left out, seconds. One with fewer than three failures is left out too.

    Returns
    -------
    tuple of Incident
        In order. Each runs from its first call to the first one after it.

    Examples
    --------
    >>> times_s = np.arange(100.0)
    >>> outcome = np.where((times_s >= 40) & (times_s < 60), 0, 1)
    >>> find_incidents(times_s, outcome, States(80.0, 20.0, 0.01, 0.9, 0.0))
    (Incident(start_s=40.0, end_s=60.0, label='incident'),)
    """
    if times_s.size == 0:
        return ()
    rng = np.random.default_rng(0)  # the same log has the same incidents
    chance = np.mean([draw_states(times_s, outcome, states, rng) for _ in range(_PATHS)], axis=0)
    bad = chance > 0.5
    failed = np.cumsum(np.concatenate([[False], outcome == 0]))
    edges = np.flatnonzero(np.diff(np.concatenate([[False], bad, [False]]).astype(np.int8))).reshape(-1, 2)
    last = times_s.size - 1
    found = [
        Incident(float(times_s[first]), float(times_s[min(end, last)]))
        for first, end in edges
        if failed[end] - failed[first] >= _LEAST_FAILED
    ]
    return tuple(one for one in found if one.length_s >= least_s)


def detection_s(changes: Rows, incident: Incident) -> float | None:
    """Return seconds from the start of an incident until the breaker is open; 0 where it was, None where it never is.

    Parameters
    ----------
    changes : array of records
        Changes of state, in order: at_s, state.
    incident : Incident
        The bad time.
    """
    before = changes[changes["at_s"] <= incident.start_s]
    state = int(before["state"][-1]) if before.size else CLOSED
    if state == OPEN:
        return 0.0
    within = changes[
        (changes["at_s"] > incident.start_s) & (changes["at_s"] <= incident.end_s) & (changes["state"] == OPEN)
    ]
    return float(within["at_s"][0] - incident.start_s) if within.size else None
