"""What threshold rules would have said: the plan's and Diffy's, kept to stand beside the gate."""

from dataclasses import dataclass
from typing import Final

from relkit.shadow.paired import PairCounts
from relkit.shadow.plan_z import plan_z
from relkit.shadow.study import Study

PLAN_ERROR_SHARE: Final = 0.05
PLAN_DIFFERENCE_SHARE: Final = 0.30
PLAN_SLOWER_US: Final = 500_000
_PLAN_ALPHA: Final = 0.05
DIFFY_RELATIVE: Final = 0.20
DIFFY_ABSOLUTE: Final = 0.0003


@dataclass(frozen=True, slots=True)
class Said:
    """What one rule says of an experiment.

    Parameters
    ----------
    rule : str
        Name, as `relkit.shadow.characteristics` has it.
    text : str
        The rule in words.
    value : float or None
        What it looks at; None where it has nothing to look at.
    stops : bool
        Whether it would stop the shadow.
    """

    rule: str
    text: str
    value: float | None
    stops: bool


def naive_rules(study: Study) -> tuple[Said, ...]:
    """Apply each rule to the whole experiment.

    The plan reads the pairs that were compared, so what timed out is not in its rates.

    Parameters
    ----------
    study : Study
        The experiment.

    Returns
    -------
    tuple of Said
        The plan's z-test at its smallest p over the hours (it can name a better shadow alone, so it stops nothing), > 5 % errors,
        > 30 % differences, > 500 ms; Diffy: more than 20 % of all differences and 0.03 points beyond the noise.
    """
    errors = None if study.compared.shadow_share is None else 1 - study.compared.shadow_share
    different, told = study.differing
    share = different / told if told else None
    mean_us = _mean_excess(study)
    relative = absolute = None
    if (baseline := study.experiment.baseline) is not None:
        shadow, primary = baseline.both + baseline.only_shadow, baseline.both + baseline.only_primary
        relative, absolute = diffy(shadow, primary, baseline.n)
    is_noisy = relative is not None and absolute is not None and relative > DIFFY_RELATIVE and absolute > DIFFY_ABSOLUTE
    return (
        Said("plan_z", "the plan's z-test, looked at each hour", smallest_plan_p(study), stops=False),
        Said("plan_errors", "the plan: more than 5 % errors", errors, _above(errors, PLAN_ERROR_SHARE)),
        Said("plan_differences", "the plan: more than 30 % differ", share, _above(share, PLAN_DIFFERENCE_SHARE)),
        Said("plan_latency", "the plan: mean more than 500 ms slower", mean_us, _above(mean_us, PLAN_SLOWER_US)),
        Said("diffy", "Diffy: > 20 % of all differences and > 0.03 %", relative, is_noisy),
    )


def plan_verdict(said: tuple[Said, ...]) -> str:
    """Say what the plan would do: halt, declare the shadow the winner, or go on.

    >>> plan_verdict((Said("plan_z", "", 0.03, False), Said("plan_errors", "", 0.02, False)))
    'shadow wins'
    """
    if any(one.stops for one in said if one.rule != "diffy"):
        return "halt"
    p = next(one.value for one in said if one.rule == "plan_z")
    return "shadow wins" if p is not None and p < _PLAN_ALPHA else "go on"


def smallest_plan_p(study: Study) -> float | None:
    """Smallest p-value of the plan's test over the ends of the hours and the end; None when it never has one."""
    hours = study.hours
    looks = [study.compared]
    if hours.start_us.size:
        so_far = (hours.so_far(name).tolist() for name in ("both_ok", "only_primary", "only_shadow", "pairs"))
        looks += [PairCounts(a, b, c, n - a - b - c) for a, b, c, n in zip(*so_far, strict=True)]
    found = [p for p in (plan_z(look).p_value for look in looks) if p is not None]
    return min(found, default=None)


def _above(value: float | None, limit: float) -> bool:
    return value is not None and value > limit


def diffy(shadow_differs: int, baseline_differs: int, n: int) -> tuple[float | None, float | None]:
    """Give Diffy's relative and absolute difference of two counts of differing answers; None where they have no value.

    relative = (raw - noise) / (raw + noise), absolute = (raw - noise) / n; below 0 the shadow differs less than the noise.

    >>> diffy(30, 20, 1000)
    (0.2, 0.01)
    """
    both = shadow_differs + baseline_differs
    if n == 0 or both == 0:
        return None, None
    return (shadow_differs - baseline_differs) / both, (shadow_differs - baseline_differs) / n


def _mean_excess(study: Study) -> float | None:
    """Mean of shadow minus primary latency, microseconds, over pairs with both answers."""
    timed = int(study.buckets["timed"].sum())
    return float(study.buckets["excess_us"].sum() / timed) if timed else None
