"""The plan's rollout loop, letter for letter (plan, 4.1), to stand beside `relkit.policies.rollout`, and never to be used."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from relkit.policies.rollout import RolloutSchedule

OFF: Final = 0.0


@dataclass(frozen=True, slots=True)
class PlanPass:
    """What one pass of the plan's loop did.

    Parameters
    ----------
    shares : tuple of float
        Every share of the traffic that it set, in order; 0 where it rolled back.
    share : float
        The share when it ended.
    checks : int
        How often it looked at the error rate.
    """

    shares: tuple[float, ...]
    share: float
    checks: int

    @property
    def switched_on_again(self) -> int:
        """How often it switched on again after it had rolled back."""
        first = self.shares.index(OFF) if OFF in self.shares else len(self.shares)
        return sum(share != OFF for share in self.shares[first:])


def plan_pass(schedule: RolloutSchedule, share: float, now_s: float, fails: Callable[[], bool]) -> PlanPass:
    """Make one pass of the plan's `setInterval`: walk every step whose time has come.

    Each step whose share is not the present one is set, and only then is the error rate looked at. A roll-back switches
    off and clears the timer, which does not end the pass, so each later step switches on again.

    Parameters
    ----------
    schedule : RolloutSchedule
        The steps.
    share : float
        Share of the traffic when the pass begins, in [0, 1].
    now_s : float
        The time, on the schedule's clock.
    fails : callable
        Whether the error rate is above the plan's 5 %, asked whenever the plan asks.

    Returns
    -------
    PlanPass

    Examples
    --------
    >>> schedule = RolloutSchedule((0.0, 7200.0, 14400.0, 21600.0), (0.1, 0.25, 0.5, 1.0))
    >>> plan_pass(schedule, 1.0, 30000.0, lambda: False).shares
    (0.1, 0.25, 0.5, 1.0)
    >>> plan_pass(schedule, 1.0, 30000.0, lambda: True).shares
    (0.1, 0.0, 0.25, 0.0, 0.5, 0.0, 1.0, 0.0)
    """
    found: list[float] = []
    checks = 0
    for at_s, wanted in zip(schedule.at_s, schedule.share, strict=True):
        if now_s >= at_s and share != wanted:
            share = wanted
            found.append(share)
            checks += 1
            if fails():
                share = OFF
                found.append(share)
    return PlanPass(tuple(found), share, checks)


def plan_day(schedule: RolloutSchedule, start_s: float, hours: float = 24.0, every_s: float = 60.0) -> list[PlanPass]:
    """Run the plan's loop once a minute while nothing fails.

    Parameters
    ----------
    schedule : RolloutSchedule
        The steps.
    start_s : float
        When the loop is started, on the schedule's clock; its first pass comes one interval later.
    hours : float
        For how long.
    every_s : float
        The interval, the plan's minute.

    Returns
    -------
    list of PlanPass
        One a pass, each beginning with the share the one before left.

    Examples
    --------
    >>> schedule = RolloutSchedule((3600.0,), (0.1,))
    >>> sum(len(one.shares) for one in plan_day(schedule, 0.0))
    1
    """
    found: list[PlanPass] = []
    share = OFF
    for number in range(1, round(hours * 3600.0 / every_s) + 1):
        found.append(plan_pass(schedule, share, start_s + number * every_s, lambda: False))
        share = found[-1].share
    return found
