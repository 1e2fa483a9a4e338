"""Rule sets by name: what the field deploys, the plan's, and families that look at counts instead of rates.

The factors of the Workbook and of Sloth belong to shares of the budget (2, 5, 10 and 10 %), so they are scaled to the
objective's window; the others are taken as their authors wrote them.
"""

import math
from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import Final

from relkit.exceptions import ParameterError
from relkit.slo.alerts import AlertRule, AlertSet, AlertTier

_WORKBOOK: Final = "Beyer et al., The Site Reliability Workbook (2018), chapter 5"


def alert_set(name: str, window_days: int = 30) -> AlertSet:
    """Return a rule set by its name.

    Parameters
    ----------
    name : str
        One of `ALERT_SETS`.
    window_days : int
        The objective's window, in days.

    Examples
    --------
    >>> [float(tier.threshold) for rule in alert_set("sloth", 28) for tier in rule.tiers]
    [13.44, 5.6, 2.8, 0.9333333333333333]
    >>> [rule.for_minutes for rule in alert_set("pyrra", 28)]
    [2, 15, 60, 180]
    """
    if name not in _MAKERS:
        raise ParameterError.of("alert set", name, ", ".join(ALERT_SETS), "name one of these")
    return _MAKERS[name](window_days)


def burn_rules(
    name: str,
    tiers: Sequence[tuple[str, int, int | None, str | int | Fraction]],
    source: str = "",
    *,
    minimum_bad: int = 0,
    level: float | None = None,
) -> AlertSet:
    """Return burn-rate alerts: one page and one ticket, each the or of its tiers.

    Parameters
    ----------
    name : str
        Name of the rule set.
    tiers : sequence of (severity, long minutes, short minutes or None, factor)
        As in the tables of the field.
    source : str
        Where the numbers come from.
    minimum_bad : int
        Bad requests that every long window must hold.
    level : float or None
        One-sided confidence with which the long window must be over the factor; None for the plain rate.

    >>> [rule.name for rule in burn_rules("mine", [("page", 60, 5, "14.4"), ("ticket", 4320, 360, 1)])]
    ['BudgetBurnPage', 'BudgetBurnTicket']
    """
    rules = []
    for severity in ("page", "ticket"):
        made = tuple(
            AlertTier("burn", factor, long, short, minimum_bad)
            if level is None
            else AlertTier("burn_lower", factor, long, short, minimum_bad, level)
            for kind, long, short, factor in tiers
            if kind == severity
        )
        if made:
            rules.append(AlertRule(f"BudgetBurn{severity.title()}", severity, made))
    return AlertSet(name, tuple(rules), source)


def budget_share(
    long_minutes: int = 60, short_minutes: int | None = 5, share: str | Fraction = "0.02", minimum_bad: int = 0
) -> AlertSet:
    """Return a page on failures counted against the budget: more than so large a share of it within the long window.

    At night a burn-rate rule pages for a handful of failures, because few requests are few to divide by. This one
    counts failures against the budget of the whole window, which does not sleep.

    >>> budget_share().name
    'budget share 2 % in 1h'
    """
    tier = AlertTier("budget_share", share, long_minutes, short_minutes, minimum_bad)
    return AlertSet(
        f"budget share {100 * float(tier.threshold):.4g} % in {_hours(long_minutes)}",
        (AlertRule("BudgetSharePage", "page", (tier,)),),
        "Y. Stark's proposal for low traffic",
    )


def exhaustion(hours: str | int | Fraction = 12, long_minutes: int = 60, short_minutes: int | None = 5) -> AlertSet:
    """Return a page on the time until the budget is gone at the pace of the last hour.

    >>> exhaustion(24).rules[0].tiers[0].measure
    'hours_left'
    """
    tier = AlertTier("hours_left", hours, long_minutes, short_minutes)
    name = f"budget gone within {float(tier.threshold):g} h"
    return AlertSet(name, (AlertRule("BudgetExhaustionPage", "page", (tier,)),), "Honeycomb's exhaustion time")


def _hours(minutes: int) -> str:
    return f"{minutes / 60:g}h" if minutes >= 60 else f"{minutes}m"


def _scaled(factor: str, window_days: int) -> Fraction:
    return Fraction(factor) * window_days / 30


def _workbook(days: int) -> AlertSet:
    tiers = (("page", 60, 5, "14.4"), ("page", 360, 30, "6"), ("ticket", 4320, 360, "1"))
    scaled = [(kind, long, short, _scaled(factor, days)) for kind, long, short, factor in tiers]
    return burn_rules("workbook", scaled, f"{_WORKBOOK}, tables 5 to 8")


def _workbook_code(days: int) -> AlertSet:
    return burn_rules("workbook-code", _four(days), f"{_WORKBOOK}, its code: with 24h/2h x 3")


def _sloth(days: int) -> AlertSet:
    return burn_rules("sloth", _four(days), "slok/sloth, internal/alert/windows")


def _four(days: int) -> list[tuple[str, int, int | None, Fraction]]:
    tiers = (("page", 60, 5, "14.4"), ("page", 360, 30, "6"), ("ticket", 1440, 120, "3"), ("ticket", 4320, 360, "1"))
    return [(kind, long, short, _scaled(factor, days)) for kind, long, short, factor in tiers]


def _pyrra(days: int) -> AlertSet:
    """Pyrra scales the windows with the objective's, rounded to the minute, and waits before it fires."""
    rows = (
        ("page", 60, 5, 14, 2),
        ("page", 360, 30, 7, 15),
        ("ticket", 1440, 120, 2, 60),
        ("ticket", 5760, 360, 1, 180),
    )
    rules = tuple(
        AlertRule(
            f"ErrorBudgetBurn{place}", kind, (AlertTier("burn", factor, _part(long, days), _part(short, days)),), _part(wait, days)
        )
        for place, (kind, long, short, factor, wait) in enumerate(rows, 1)
    )  # fmt: skip
    return AlertSet("pyrra", rules, "pyrra-dev/pyrra, slo/rules.go")


def _part(minutes: int, days: int) -> int:
    return max(1, math.floor(Fraction(minutes * days, 28) + Fraction(1, 2)))  # halves up, as Go rounds


def _mixin(days: int) -> AlertSet:  # noqa: ARG001  its numbers do not follow the window
    rows = (
        ("page", 60, 5, "14.4", 2),
        ("page", 360, 30, "6", 15),
        ("ticket", 1440, 120, "3", 60),
        ("ticket", 4320, 360, "1", 180),
    )
    rules = tuple(
        AlertRule(f"ErrorBudgetBurn{place}", kind, (AlertTier("burn", factor, long, short),), wait)
        for place, (kind, long, short, factor, wait) in enumerate(rows, 1)
    )  # fmt: skip
    return AlertSet("k8s-mixin", rules, "kubernetes-monitoring/kubernetes-mixin, config.libsonnet")


def _slo_generator(days: int) -> AlertSet:  # noqa: ARG001  its numbers do not follow the window
    tiers = (
        ("page", 60, None, 9),
        ("page", 720, None, 3),
        ("ticket", 10_080, None, "1.5"),
        ("ticket", 40_320, None, 1),
    )
    return burn_rules("slo-generator", tiers, "google/slo-generator, samples/config.yaml: single windows")


def _slo_computer(days: int) -> AlertSet:  # noqa: ARG001  its numbers do not follow the window
    tiers = (("page", 60, 5, 10), ("ticket", 1440, 120, 2))
    return burn_rules("slo-computer", tiers, "last9/slo-computer, slo/service.go")


def _plan(days: int) -> AlertSet:  # noqa: ARG001  its numbers do not follow the window
    return burn_rules("plan-10x", (("page", 60, None, 10),), 'the plan: "> 10x expected", read as one hour')


_MAKERS: Final[dict[str, Callable[[int], AlertSet]]] = {
    "workbook": _workbook,
    "workbook-code": _workbook_code,
    "sloth": _sloth,
    "pyrra": _pyrra,
    "k8s-mixin": _mixin,
    "slo-generator": _slo_generator,
    "slo-computer": _slo_computer,
    "plan-10x": _plan,
}
ALERT_SETS: Final = tuple(_MAKERS)
"""The names that `alert_set` knows."""
