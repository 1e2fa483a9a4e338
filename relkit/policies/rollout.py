"""The rollout of a shadow as a state machine: a schedule, a clock and the verdict of the gate; one transition a look.

The gate's codes are the shadow verdicts as numbers. HOLD and INVALID hold the rollout where it is, ROLL_BACK ends it,
and only PROMOTE at the last step promotes: INCONCLUSIVE lets it gather more pairs by the schedule, and no more.
"""

from dataclasses import dataclass
from typing import Final

from relkit.exceptions import ParameterError
from relkit.policies._checks import checked_number

SCHEDULED: Final = 0
RUNNING: Final = 1
HELD: Final = 2
PROMOTED: Final = 3
ROLLED_BACK: Final = 4
ROLLOUT_STATES: Final = ("scheduled", "running", "held", "promoted", "rolled_back")

GATE_PROMOTE: Final = 0
GATE_HOLD: Final = 1
GATE_ROLL_BACK: Final = 2
GATE_INCONCLUSIVE: Final = 3
GATE_INVALID: Final = 4
GATES: Final = ("PROMOTE", "HOLD", "ROLL_BACK", "INCONCLUSIVE", "INVALID")

BEFORE_FIRST: Final = -1


@dataclass(frozen=True, slots=True)
class RolloutSchedule:
    """The steps of a rollout.

    Parameters
    ----------
    at_s : tuple of float
        When each step begins, seconds since the epoch or since any other zero, ascending.
    share : tuple of float
        Share of the traffic at each step, in (0, 1], ascending.

    Raises
    ------
    ParameterError
        For no steps, unequal lengths, or steps that do not ascend.

    Examples
    --------
    >>> RolloutSchedule((0.0, 7200.0), (0.1, 1.0)).share
    (0.1, 1.0)
    """

    at_s: tuple[float, ...]
    share: tuple[float, ...]

    def __post_init__(self) -> None:
        if not self.at_s:
            raise ParameterError.of("at_s", self.at_s, "at least one step", "say when the rollout begins")
        if len(self.at_s) != len(self.share):
            text = f"as many shares as steps, {len(self.at_s)}"
            raise ParameterError.of("share", self.share, text, "give each step its time and its share")
        for at_s, share in zip(self.at_s, self.share, strict=True):
            checked_number("at_s", at_s, 0.0, 1e12, "give seconds")
            checked_number("share", share, 0.0, 1.0, "give a share such as 0.25", open_low=True)
        for name in ("at_s", "share"):
            steps = getattr(self, name)
            if list(steps) != sorted(set(steps)):
                remedy = "sort the steps; a smaller share later is a roll-back, which the gate decides"
                raise ParameterError.of(name, steps, "numbers that ascend from step to step", remedy)


@dataclass(frozen=True, slots=True)
class RolloutState:
    """Where a rollout stands.

    Parameters
    ----------
    state : int
        One of `ROLLOUT_STATES`.
    step : int
        Place of the step in force, -1 before the first.
    since_s : float
        When this state and step began.

    Examples
    --------
    >>> ROLLOUT_STATES[RolloutState().state]
    'scheduled'
    """

    state: int = SCHEDULED
    step: int = BEFORE_FIRST
    since_s: float = 0.0


def due_step(schedule: RolloutSchedule, now_s: float) -> int:
    """Return the place of the last step whose time has come, -1 before the first.

    >>> [due_step(RolloutSchedule((10.0, 20.0), (0.1, 0.5)), now) for now in (9.9, 10.0, 25.0)]
    [-1, 0, 1]
    """
    due = BEFORE_FIRST
    for place, at_s in enumerate(schedule.at_s):
        if at_s <= now_s:
            due = place
    return due


def share_of_traffic(state: RolloutState, schedule: RolloutSchedule) -> float:
    """Return the share of the traffic that the shadow gets now, in [0, 1].

    >>> share_of_traffic(RolloutState(RUNNING, 1), RolloutSchedule((0.0, 60.0), (0.1, 0.5)))
    0.5
    """
    if state.state == PROMOTED:
        return 1.0
    if state.state in (SCHEDULED, ROLLED_BACK):
        return 0.0
    return schedule.share[state.step]


def advance(state: RolloutState, schedule: RolloutSchedule, now_s: float, gate: int) -> RolloutState:
    """Take at most one transition.

    Parameters
    ----------
    state : RolloutState
        Where it stands.
    schedule : RolloutSchedule
        The steps.
    now_s : float
        The time, on the schedule's clock.
    gate : int
        The gate's verdict, one of `GATES`.

    Returns
    -------
    RolloutState
        In this order: ROLLED_BACK stays for ever. ROLL_BACK rolls back from any other state. PROMOTED stays. HOLD and
        INVALID hold a running rollout at its step and keep a scheduled or held one as it is. Otherwise a scheduled one
        runs when its first step is due; a held one runs again at its own step; a running one goes to the last step
        whose time has come, and at the last step of all PROMOTE promotes it.

    Examples
    --------
    >>> schedule = RolloutSchedule((0.0, 60.0), (0.1, 1.0))
    >>> running = advance(RolloutState(), schedule, 0.0, GATE_INCONCLUSIVE)
    >>> last = advance(running, schedule, 90.0, GATE_INCONCLUSIVE)
    >>> share_of_traffic(last, schedule), ROLLOUT_STATES[advance(last, schedule, 91.0, GATE_PROMOTE).state]
    (1.0, 'promoted')
    """
    after, step = _next(state, due_step(schedule, now_s), len(schedule.at_s) - 1, gate)
    if after == state.state and step == state.step:
        return state
    return RolloutState(after, step, now_s)


def _next(state: RolloutState, due: int, last: int, gate: int) -> tuple[int, int]:
    """Return the state and step that follow."""
    after, step = state.state, state.step
    if state.state == ROLLED_BACK:
        return after, step
    if gate == GATE_ROLL_BACK:
        return ROLLED_BACK, step
    blocked = gate in (GATE_HOLD, GATE_INVALID)
    if state.state == RUNNING:
        if blocked:
            after = HELD
        elif due > step:
            step = due
        elif gate == GATE_PROMOTE and step == last:
            after = PROMOTED
    elif state.state == HELD and not blocked:
        after = RUNNING
    elif state.state == SCHEDULED and due > BEFORE_FIRST and not blocked:
        after, step = RUNNING, due
    return after, step
