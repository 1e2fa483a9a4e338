"""Before a rollout: can its traffic show what its margin asks for? A plan that cannot is refused."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil, inf

from relkit.exceptions import ParameterError
from relkit.shadow._checks import checked_level, checked_margin
from relkit.shadow.power import sample_size, smallest_effect
from relkit.units import count, points, several


@dataclass(frozen=True, slots=True)
class PlannedStep:
    """One step of a rollout, as its traffic allows.

    Parameters
    ----------
    share : float
        Share of requests mirrored.
    hours : float
        How long.
    pairs, pairs_so_far : float
        Pairs expected in the step, and until its end.
    smallest_effect : float or None
        Smallest difference found by then, a share; None where nothing would be.
    """

    share: float
    hours: float
    pairs: float
    pairs_so_far: float
    smallest_effect: float | None


@dataclass(frozen=True, slots=True)
class RolloutPlan:
    """What a rollout could find, and whether that is enough.

    Parameters
    ----------
    accepted : bool
        The smallest difference it finds is at most the margin.
    steps : tuple of PlannedStep
        Step by step.
    margin : float
        What the shadow may lose, a share.
    pairs : float
        Expected in all.
    smallest_effect : float or None
        Found with the target power at the end; None where nothing would be.
    needed_pairs : int
        At which the margin is found.
    needed_hours_at_full_share : float
        Time to collect them when every request is mirrored.
    needed_requests_per_hour : float
        Traffic at which this schedule collects them.
    sentence : str
        The finding, in words.
    would_change : str
        What would make it acceptable; empty when it is.
    """

    accepted: bool
    steps: tuple[PlannedStep, ...]
    margin: float
    pairs: float
    smallest_effect: float | None
    needed_pairs: int
    needed_hours_at_full_share: float
    needed_requests_per_hour: float
    sentence: str
    would_change: str


def plan_rollout(
    steps: Sequence[tuple[float, float]],
    *,
    requests_per_hour: float,
    margin: float,
    discordant_share: float,
    design_effect: float = 1.0,
    level: float = 0.95,
    target: float = 0.8,
) -> RolloutPlan:
    """Say what a rollout's traffic could show, and refuse it where that is coarser than its margin.

    Pairs of a step are requests_per_hour x share x hours. The smallest effect is that of McNemar's mid-p at the level and
    target power; at 10,000 requests a month, steps of 10, 25 and 50 % for two hours each see 2.8, 6.9 and 13.9 pairs,
    which show nothing. Looking on the way costs more pairs still: this is the least a plan must have.

    Parameters
    ----------
    steps : sequence of (float, float)
        Share of requests mirrored, in (0, 1], and hours.
    requests_per_hour : float
        Traffic, above 0.
    margin : float
        Loss that is still acceptable, a share in (0, 1).
    discordant_share : float
        Share of pairs in which exactly one arm is right, from a first day of shadowing or a like model; in (0, 1].
    design_effect : float
        Of sessions, at least 1.
    level : float
        Two-sided confidence level of the gate.
    target : float
        Power, in (0, 1).

    Returns
    -------
    RolloutPlan
        With what traffic or duration would do.

    Raises
    ------
    ParameterError
        When a share, duration or traffic is out of range.

    Examples
    --------
    >>> plan = plan_rollout(
    ...     [(0.1, 2), (0.25, 2), (0.5, 2)], requests_per_hour=13.9, margin=0.01, discordant_share=0.04
    ... )
    >>> plan.accepted, [round(step.pairs, 1) for step in plan.steps]
    (False, [2.8, 7.0, 13.9])
    """
    if not 0 < requests_per_hour < inf:
        raise ParameterError.of("requests_per_hour", requests_per_hour, "a number above 0", "count a usual day")
    if not checked_margin(margin) > 0:
        raise ParameterError.of("margin", margin, "0 < margin < 1", "no number of pairs shows a loss of 0")
    if not steps or any(not (0 < share <= 1 and 0 < hours < inf) for share, hours in steps):
        raise ParameterError.of(
            "steps", list(steps), "(share in (0, 1], hours above 0)", "pass [(0.1, 24), (1.0, 144)]"
        )
    alpha = 1 - checked_level(level)
    told, so_far = [], 0.0
    for share, hours in steps:
        pairs = requests_per_hour * share * hours
        so_far += pairs
        effect = smallest_effect(int(so_far), discordant_share, target=target, alpha=alpha, design_effect=design_effect)
        told.append(PlannedStep(share, hours, pairs, so_far, effect))
    spread = max(discordant_share, margin)
    needed = sample_size(
        (spread + margin) / 2, (spread - margin) / 2, target=target, alpha=alpha, design_effect=design_effect
    )
    smallest = told[-1].smallest_effect
    accepted = so_far >= needed
    mirrored_hours = sum(share * hours for share, hours in steps)
    full_hours, traffic = needed / requests_per_hour, needed / mirrored_hours
    finds = "no difference at all" if smallest is None else f"a difference of {_size(smallest)}"
    sentence = (
        f"{several(int(so_far), 'pair')} find {finds} in {100 * target:.0f} % of such rollouts; the margin is {_size(margin)}, "
        f"which {several(needed, 'pair')} find{'s' if needed == 1 else ''}."
    )
    would_change = "" if accepted else (
        f"It would take {count(ceil(full_hours))} hours with every request mirrored, or this schedule at {count(ceil(traffic))} requests an hour"
        + (f", or a margin of {_size(smallest)}." if smallest is not None else ".")
    )  # fmt: skip
    return RolloutPlan(
        accepted, tuple(told), margin, so_far, smallest, needed, full_hours, traffic,
        f"{'Accepted' if accepted else 'Refused'}: {sentence}", would_change,
    )  # fmt: skip


def _size(share: float) -> str:
    return points(share).lstrip("+")


def steps_until(at_s: Sequence[float], shares: Sequence[float], horizon_s: float) -> list[tuple[float, float]]:
    """Turn a schedule into shares and hours, up to the one look at the horizon; steps that begin later are left out.

    >>> steps_until((0.0, 7200.0, 14400.0), (0.1, 0.25, 0.5), 10_800.0)
    [(0.1, 2.0), (0.25, 1.0)]
    """
    ends = [*at_s[1:], inf]
    return [
        (share, (min(end, horizon_s) - begin) / 3600)
        for begin, end, share in zip(at_s, ends, shares, strict=True)
        if begin < horizon_s
    ]
