"""OpenSLO v1: an objective with one AlertCondition and one AlertPolicy for each tier.

A policy takes a single condition, and a condition a single look-back window; so OpenSLO cannot say that two windows must be
over at once. Each tier is written with its long window, and the text says what got lost.
"""

import re
from typing import Any, Final

from relkit.config.prometheus import Counters
from relkit.config.yaml_text import yaml_text
from relkit.exceptions import ParameterError
from relkit.slo.alerts import AlertRule, AlertSet, AlertTier, span_text, tier_text
from relkit.slo.objective import Objective

_VERSION: Final = "openslo/v1"
_METHODS: Final = {"occurrences": "Occurrences", "time_slices": "Timeslices", "ratio_time_slices": "RatioTimeslices"}
_CALENDAR_SPANS: Final = {"week": "1w", "month": "1M", "quarter": "1Q"}
_CALENDAR_START: Final = "2024-01-01 00:00:00"  # a Monday that begins a week, a month and a quarter


def openslo_spec(alert_set: AlertSet, objective: Objective, counters: Counters | None = None, zone: str = "UTC") -> str:
    """Write an objective and its alerts as OpenSLO documents.

    Parameters
    ----------
    alert_set : AlertSet
        The alerts; every tier of measure burn.
    objective : Objective
        Of any method, rolling or by the calendar.
    counters : Counters or None
        Where the counts come from.
    zone : str
        IANA time zone in which a calendar window begins.

    Returns
    -------
    str
        YAML: one SLO, then for each tier an AlertPolicy and its AlertCondition. Comments say what OpenSLO cannot: the
        short window, minimum counts, and that tiers of one alert are joined by or.

    Raises
    ------
    ParameterError
        For a tier that looks at anything but the burn rate: the specification knows no other kind.

    Examples
    --------
    >>> from relkit.slo.alert_sets import alert_set
    >>> text = openslo_spec(alert_set("workbook"), Objective("availability", "0.999"))
    >>> [line.strip() for line in text.splitlines() if "lookbackWindow" in line]
    ['lookbackWindow: "1h"', 'lookbackWindow: "6h"', 'lookbackWindow: "3d"']
    """
    source = counters or Counters()
    name = source.labels(objective)["sloth_slo"]
    tiers = [(rule, place, tier) for rule in alert_set for place, tier in enumerate(rule.tiers, 1)]
    for rule, _, tier in tiers:
        if tier.measure not in ("burn", "burn_lower"):
            raise ParameterError.of(
                "tier",
                f"{rule.name}: {tier_text(tier)}",
                "burn rates",
                "OpenSLO knows no other kind: write Prometheus rules",
            )
    policies = [f"{name}-{_slug(rule)}-{place}" for rule, place, _ in tiers]
    documents = [yaml_text(_objective(objective, source, name, policies, zone), _notes(alert_set, objective))]
    for policy, (rule, _, tier) in zip(policies, tiers, strict=True):
        documents.append(yaml_text(_policy(policy), _lost(tier)))
        documents.append(yaml_text(_condition(policy, rule, tier)))
    return "---\n".join(documents)


def _objective(objective: Objective, source: Counters, name: str, policies: list[str], zone: str) -> dict[str, Any]:
    query = {
        part: {"metricSource": {"type": "Prometheus", "spec": {"query": f"sum({selector})"}}}
        for part, selector in (("bad", source.bad), ("total", source.valid))
    }
    window: dict[str, Any] = {"duration": f"{objective.window_days}d", "isRolling": True}
    if objective.calendar:
        start = {"startTime": _CALENDAR_START, "timeZone": zone}
        window = {"duration": _CALENDAR_SPANS[objective.calendar], "isRolling": False, "calendar": start}
    target: dict[str, Any] = {"displayName": objective.name, "target": float(objective.target)}
    if objective.method == "time_slices" and objective.slice_target is not None:
        target["timeSliceTarget"] = float(objective.slice_target)
    if objective.method != "occurrences":
        target["timeSliceWindow"] = f"{objective.slice_minutes}m"
    indicator = {"metadata": {"name": f"{name}-ratio"}, "spec": {"ratioMetric": {"counter": True, **query}}}
    spec = {
        "description": f"{objective.target_text} over {objective.window_text}",
        "service": source.service,
        "indicator": indicator,
        "timeWindow": [window],
        "budgetingMethod": _METHODS[objective.method],
        "objectives": [target],
        "alertPolicies": [{"alertPolicyRef": policy} for policy in policies],
    }
    return {"apiVersion": _VERSION, "kind": "SLO", "metadata": {"name": name}, "spec": spec}


def _policy(name: str) -> dict[str, Any]:
    spec = {
        "alertWhenBreaching": True,
        "alertWhenResolved": False,
        "alertWhenNoData": False,
        "conditions": [{"conditionRef": name}],
        "notificationTargets": [],
    }
    return {"apiVersion": _VERSION, "kind": "AlertPolicy", "metadata": {"name": name}, "spec": spec}


def _condition(name: str, rule: AlertRule, tier: AlertTier) -> dict[str, Any]:
    condition = {
        "kind": "burnrate",
        "op": "gt",
        "threshold": float(tier.threshold),
        "lookbackWindow": span_text(tier.long_minutes),
        "alertAfter": span_text(rule.for_minutes) if rule.for_minutes else "0m",
    }
    spec = {"description": tier_text(tier), "severity": rule.severity, "condition": condition}
    return {"apiVersion": _VERSION, "kind": "AlertCondition", "metadata": {"name": name}, "spec": spec}


def _notes(alert_set: AlertSet, objective: Objective) -> tuple[str, ...]:
    return (
        f"{alert_set.name}, for {objective.name}. Written by relkit.",
        "OpenSLO v1 has one condition a policy and one look-back window a condition, so each tier is a policy of its own",
        "and only its long window is here. Name a notification target in each policy.",
    )


def _lost(tier: AlertTier) -> tuple[str, ...]:
    lost = []
    if tier.short_minutes is not None:
        short = span_text(tier.short_minutes)
        lost.append(f"Lost: the window of {short} must be over as well, which ends the alert soon after the trouble.")
    if tier.minimum_bad:
        lost.append(f"Lost: at least {tier.minimum_bad} bad requests in the long window.")
    if tier.measure == "burn_lower":
        lost.append(f"Lost: with {100 * tier.level:g} % confidence.")
    return tuple(lost)


def _slug(rule: AlertRule) -> str:
    """Name a rule as resources are named: small letters and dashes."""
    return re.sub(r"[^a-z0-9]+", "-", re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "-", rule.name).lower()).strip("-")
