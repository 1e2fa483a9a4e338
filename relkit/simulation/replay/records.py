"""What a replay returns."""

from dataclasses import dataclass

from relkit.simulation.replay.incidents import Incident
from relkit.simulation.replay.levels import LEVELS


@dataclass(frozen=True, slots=True)
class Tally:
    """A number of calls, and what is not known of it.

    Parameters
    ----------
    value : float
        By the level's supposition about the missing calls: the mean over draws.
    model_low, model_high : float
        5 % and 95 % of the draws; equal to the value where nothing is drawn.
    low, high : float
        Bounds: the smallest and the largest of all missing calls good, all of them failed, and the draws.

    Examples
    --------
    >>> Tally(10.0, 8.0, 12.0, 2.0, 40.0).is_known
    False
    """

    value: float
    model_low: float
    model_high: float
    low: float
    high: float

    @property
    def is_known(self) -> bool:
        """Whether the bounds are the value itself."""
        return self.low == self.high


@dataclass(frozen=True, slots=True)
class Change:
    """When a breaker changed its state, in seconds from the start of the log, and to which."""

    at_s: float
    state: str


@dataclass(frozen=True, slots=True)
class Logged:
    """What an incident was in the log itself.

    Parameters
    ----------
    failed : int
        Calls of users that began in it, were sent and failed.
    turned_away : int
        Those that the log's own breaker rejected.

    Examples
    --------
    >>> Logged(failed=40, turned_away=2).failed
    40
    """

    failed: int
    turned_away: int


@dataclass(frozen=True, slots=True)
class Arm:
    """One policy of a replay.

    Parameters
    ----------
    policy, policy_hash : str
        Its name, and the hash of its settings.
    changes : tuple of Change
        Its breaker over time; it begins closed.
    let_through, spared : Tally
        Calls sent, and calls not sent.
    failures_avoided, good_turned_away : Tally
        Of those not sent, the ones that failed or would have, and the ones that were answered or would have been.
    detection_s : tuple of float or None
        For each incident the seconds until the breaker was open; None where it never opened within.
    failed_within : tuple of Tally
        For each incident the calls sent in it that fail.

    Examples
    --------
    >>> nothing = Tally(0.0, 0.0, 0.0, 0.0, 0.0)
    >>> changes = (Change(5.0, "open"), Change(9.0, "half_open"))
    >>> one = Arm("a", "", changes, nothing, nothing, nothing, nothing, (5.0, None), (nothing, nothing))
    >>> one.stretches("open", 20.0), one.detected
    ([(5.0, 9.0)], 1)
    """

    policy: str
    policy_hash: str
    changes: tuple[Change, ...]
    let_through: Tally
    spared: Tally
    failures_avoided: Tally
    good_turned_away: Tally
    detection_s: tuple[float | None, ...]
    failed_within: tuple[Tally, ...]

    @property
    def detected(self) -> int:
        """Incidents in which it opened."""
        return sum(one is not None for one in self.detection_s)

    def stretches(self, state: str, end_s: float) -> list[tuple[float, float]]:
        """Return from when to when it was in a state, until `end_s`."""
        begins = [Change(0.0, "closed"), *self.changes]
        ends = [*(change.at_s for change in self.changes), max(end_s, begins[-1].at_s)]
        return [(one.at_s, end) for one, end in zip(begins, ends, strict=True) if one.state == state and end > one.at_s]


@dataclass(frozen=True, slots=True)
class Replay:
    """A log under other policies.

    Parameters
    ----------
    level : str
        R0, R1 or R2: what it supposes, see `supposes`.
    model : str
        What was called.
    start_us : int
        Start of the log, microseconds since 1970.
    span_s : float
        Its length, seconds.
    calls : int
        Calls of users, sent or not.
    missing : int
        Those of them that the log's own breaker rejected: nobody knows what would have come of them.
    incidents : tuple of Incident
        Bad times of the dependency.
    logged : tuple of Logged
        What each of them was in the log.
    arms : tuple of Arm
        One a policy, in the order they were given.
    stamp : str
        What its calibration says against itself; empty for nothing.

    Examples
    --------
    >>> Replay("R0", "m", 0, 60.0, 10, 2, (), (), (), "").missing_share
    0.2
    """

    level: str
    model: str
    start_us: int
    span_s: float
    calls: int
    missing: int
    incidents: tuple[Incident, ...]
    logged: tuple[Logged, ...]
    arms: tuple[Arm, ...]
    stamp: str

    @property
    def missing_share(self) -> float:
        """Share of the calls that are missing."""
        return self.missing / self.calls if self.calls else 0.0

    @property
    def supposes(self) -> str:
        """What the level is and supposes, for charts."""
        return LEVELS[self.level]
