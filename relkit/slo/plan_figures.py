"""The plan's figures on objectives and cost, each beside what it comes to: computed, so that they can be checked.

"Metrics & SLOs", "Cost Analysis" and "Conclusion" of the plan; the ids are those of docs/plan_defects.toml.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Final

from relkit.slo.budget import ErrorBudget
from relkit.slo.burn import TIERS, threshold_reachable
from relkit.slo.objective import Objective
from relkit.slo.percentiles import rank_interval
from relkit.units import MINUTES_PER_DAY, MINUTES_PER_HOUR, count, percent

USD_PER_CALL: Final = Fraction(130, 1_000_000)
RETRY_SHARE: Final = Fraction(3, 100)
SHADOW_DAYS: Final = 7
MONTH_DAYS: Final = 30
VOLUMES: Final = (10_000, 1_000_000)
_FACTOR: Final = 10
_AVAILABILITY: Final = Objective("availability", "0.999", MONTH_DAYS)
_SUCCESS: Final = Objective("success", "0.98", MONTH_DAYS)
_RATE_LIMIT_WAITS_S: Final = (5, 15, 45)
_METRIC_WINDOWS_MINUTES: Final = frozenset({5, 60, MINUTES_PER_DAY})


@dataclass(frozen=True, slots=True)
class PlanFigure:
    """One statement of the plan and what it comes to.

    Parameters
    ----------
    id : str
        Of the defect.
    says : str
        The plan's words.
    is_so : str
        What they come to.
    values : mapping of str to float
        The numbers behind it; None where there is none to tell.

    >>> PlanFigure("O02", "720 errors", "1 000 errors", {"errors": 1000.0}).id
    'O02'
    """

    id: str
    says: str
    is_so: str
    values: Mapping[str, float | None] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class PlanCost:
    """One line of the plan's bill, in US dollars, at two volumes of requests a month.

    Parameters
    ----------
    id : str
        Of the defect.
    name : str
        The line.
    says : str
        The plan's claim.
    usd : tuple of Fraction
        What it costs at each of `VOLUMES`, exactly.
    verdict : str
        What the claim is.

    >>> plan_costs()[0].says, [float(amount) for amount in plan_costs()[0].usd]
    ('$3.90 a month at 10,000 requests', [0.039, 3.9])
    """

    id: str
    name: str
    says: str
    usd: tuple[Fraction, ...]
    verdict: str


def plan_costs() -> tuple[PlanCost, ...]:
    """Work out the plan's three lines and their total at 10,000 and at a million requests a month.

    Notes
    -----
    Retries: 3 % of the requests at $0.000130 a call. Shadow: every request of seven days of thirty, once more. Total: both,
    in the first month; monitoring is said to be free. All three claims fit a million requests, or none.

    >>> [[round(float(amount), 2) for amount in line.usd] for line in plan_costs()]
    [[0.04, 3.9], [0.3, 30.33], [0.0, 0.0], [0.34, 34.23]]
    """
    retries = tuple(RETRY_SHARE * volume * USD_PER_CALL for volume in VOLUMES)
    shadow = tuple(Fraction(SHADOW_DAYS, MONTH_DAYS) * volume * USD_PER_CALL for volume in VOLUMES)
    total = tuple(one + other for one, other in zip(retries, shadow, strict=True))
    share = percent(float(shadow[1] / total[1]), 0)
    return (
        PlanCost("M01", "retries", "$3.90 a month at 10,000 requests", retries, "a hundred times too high: it is the bill of a million"),
        PlanCost("M03", "shadow, one week", "~$30, once", shadow, "right for a million requests a month alone"),
        PlanCost("M04", "monitoring", "$0", tuple(Fraction(0) for _ in VOLUMES), "the hours to run it are not counted"),
        PlanCost("M04", "first month", "< $5 a month, mostly retries", total, f"wrong at a million, and {share} of it is the shadow"),
    )  # fmt: skip


def retry_calls(volume: int, *, again: bool) -> Fraction:
    """Return how many calls 3 % of retries add to a month's requests: once each, or until none fails (geometric).

    >>> float(retry_calls(10_000, again=False)), round(float(retry_calls(10_000, again=True)), 1)
    (300.0, 309.3)
    """
    return volume * (RETRY_SHARE / (1 - RETRY_SHARE) if again else RETRY_SHARE)


def alert_at(
    factor: float, window_minutes: int, objective: Objective, burn_rate: Fraction
) -> tuple[float, float, float] | None:
    """Return what one burn alert over one window does in an incident: seconds to fire, budget spent, minutes on after it.

    Parameters
    ----------
    factor, window_minutes : float, int
        The rule: burn over the window is above the factor.
    objective : Objective
        Gives budget and window.
    burn_rate : Fraction
        Of the incident, from a clean start at flat traffic.

    Returns
    -------
    tuple of float or None
        Seconds w b / beta, share of the budget b w / P, minutes w (1 - b / beta); None when it never fires.

    Examples
    --------
    >>> fires_s, spent, on_minutes = alert_at(10, 60, Objective("a", "0.999"), Fraction(1000))
    >>> fires_s, round(100 * spent, 2), on_minutes
    (36.0, 1.39, 59.4)
    """
    if burn_rate <= factor:
        return None
    return (
        float(60 * window_minutes * factor / burn_rate),
        factor * window_minutes / objective.window_minutes,
        float(window_minutes * (1 - factor / burn_rate)),
    )


def plan_figures() -> tuple[PlanFigure, ...]:
    """Put every figure of the plan's objectives beside what it comes to, in the order of the plan's defects.

    >>> [figure.id for figure in plan_figures()][:4]
    ['O01', 'O02', 'O03', 'O04']
    """
    return (*_objectives(), *_alert(), *_latency(), _windows(), _shadow_gate())


def _objectives() -> tuple[PlanFigure, ...]:
    share = _AVAILABILITY.budget_share
    down = {days: float(share * days * MINUTES_PER_DAY) for days in (28, 30, 31)}
    errors = ErrorBudget(_AVAILABILITY, 1_000_000, 0).allowed
    burned = _SUCCESS.budget_share / share
    lasts_days = MONTH_DAYS / burned
    left_out, counted_good = Fraction(885, 900), Fraction(985, 1000)
    hidden = float(Fraction(1, 10) ** 4 / share)
    return (
        PlanFigure(
            "O01",
            "43 minutes of downtime a month",
            f"{down[30]:g} min in 30 days, {down[28]:g} in 28, {down[31]:g} in 31; minutes only where time is what is counted",
            {f"minutes_{days}": minutes for days, minutes in down.items()},
        ),
        PlanFigure(
            "O02",
            "0.1 % of 1M requests is about 720 errors",
            f"{count(float(errors))}; 720 is the number of hours in a month",
            {"errors": float(errors), "hours": float(MONTH_DAYS * 24)},
        ),
        PlanFigure(
            "O03",
            "99.9 % availability and 98 % success",
            f"they contradict: at 98 % the budget of 99.9 % burns at {float(burned):g}x and is gone in {float(lasts_days):g} days",
            {"burn": float(burned), "days": float(lasts_days)},
        ),
        PlanFigure(
            "O04",
            "success excludes user errors (4xx)",
            f"1,000 requests, 100 of them 4xx, 15 failed: {percent(float(left_out))} left out, {percent(float(counted_good))} "
            "counted good; a revoked key (401) is 0 of 0",
            {"left_out": float(left_out), "counted_good": float(counted_good)},
        ),
        PlanFigure(
            "O05",
            "success includes retries",
            f"one try in ten failing is a burn of {float(Fraction(1, 10) / share):g}x by attempts and, with three retries, {hidden:g}x by requests",
            {"burn_attempts": float(Fraction(1, 10) / share), "burn_requests": hidden},
        ),
    )


def _alert() -> tuple[PlanFigure, ...]:
    outage = alert_at(_FACTOR, MINUTES_PER_HOUR, _AVAILABILITY, 1 / _AVAILABILITY.budget_share)
    assert outage is not None
    fires_s, spent, stays_minutes = outage
    never_hours = float(Fraction(MONTH_DAYS * 24, _FACTOR - 1))
    median = Objective("p50", "0.5", MONTH_DAYS, threshold_us=500_000)
    most = float(1 / median.budget_share)
    reachable = threshold_reachable(_FACTOR, median)
    at_98 = float(_FACTOR * _SUCCESS.budget_share)
    return (
        PlanFigure(
            "O06",
            "burn alert at more than 10x, no window",
            f"over one hour an outage fires it after {fires_s:g} s, at {percent(spent)} of the budget, and it stays on "
            f"{stays_minutes:g} min after the end",
            {"fires_s": fires_s, "spent_share": spent, "stays_minutes": stays_minutes},
        ),
        PlanFigure(
            "O07",
            "one factor, no slow tier",
            f"a burn of 9x never alerts and empties the month in {never_hours:g} h",
            {"hours": never_hours},
        ),
        PlanFigure(
            "O08",
            "one factor for every objective",
            f"P50 burns at {most:g} at most, so 10x {'can' if reachable else 'can never'} fire; for 98 % it means {percent(at_98, 0)} errors",
            {"most_burn_p50": most, "errors_98": at_98},
        ),
    )


def _latency() -> tuple[PlanFigure, ...]:
    daily = round(VOLUMES[0] / MONTH_DAYS)
    ranks = rank_interval(daily, 0.99)
    told = "cannot be told from the maximum" if ranks is None else f"lies between ranks {ranks[0]} and {ranks[1]}"
    waits_s = sum(_RATE_LIMIT_WAITS_S)
    return (
        PlanFigure(
            "O09",
            "P99 < 5000 ms, no window, no volume",
            f"at 10,000 requests a month a day has {daily}, {daily / 100:.1f} of them above its p99: it {told}",
            {"requests_a_day": float(daily), "above": daily / 100},
        ),
        PlanFigure(
            "O10",
            "P99 < 5 s beside waits of 5, 15 and 45 s",
            f"a rate-limited request waits {waits_s} s before it gives up: more than 1 % of them and P99 is broken by design",
            {"waits_s": float(waits_s)},
        ),
    )


def _windows() -> PlanFigure:
    needed = {minutes for tier in TIERS for minutes in (tier.long_minutes, tier.short_minutes)}
    needed.add(MONTH_DAYS * MINUTES_PER_DAY)
    missing = sorted(needed - _METRIC_WINDOWS_MINUTES)
    return PlanFigure(
        "O11",
        "error rates for 5 m, 1 h and 24 h",
        f"burn rules need {len(needed)} windows; {len(missing)} of them are not there, the objective's own among them",
        {"needed": float(len(needed)), "missing": float(len(missing))},
    )


def _shadow_gate() -> PlanFigure:
    burned = float(Fraction(5, 100) / _AVAILABILITY.budget_share)
    first_step = float(Fraction(VOLUMES[0], MONTH_DAYS * 24) * 2 / 10)
    return PlanFigure(
        "S04",
        "shadow rolled back above 5 % errors",
        f"5 % is a burn of {burned:g}x; the first step (10 % for 2 h) has {first_step:.1f} requests at 10,000 a month",
        {"burn": burned, "requests_first_step": first_step},
    )
