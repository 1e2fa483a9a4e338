"""Prometheus: an alert set as recording and alerting rules of one group.

One group, because its rules run in order at one instant: an alert compares what was recorded at that instant, and says
the same as `relkit.slo.firing.fire`, minute by minute. Windows are counted with increase() and divided as they are;
rate() divides by the seconds first, which costs the last digit that a strict comparison needs.
"""

import re
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Final

from scipy.special import ndtri

from relkit.config.yaml_text import yaml_text
from relkit.exceptions import ParameterError
from relkit.slo.alerts import AlertRule, AlertSet, AlertTier, span_text, tier_text
from relkit.slo.objective import Objective

_MATCHER: Final = r'[a-zA-Z_][a-zA-Z0-9_]*\s*(?:=|!=|=~|!~)\s*"(?:[^"\\\n]|\\.)*"'
_SELECTOR: Final = re.compile(rf"[a-zA-Z_:][a-zA-Z0-9_:]*(?:\{{\s*(?:{_MATCHER}\s*(?:,\s*{_MATCHER}\s*)*)?\}})?")
_LABEL: Final = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")
_SILENT_FOR: Final = "10m"
_PERIOD_INTERVAL: Final = "5m"


@dataclass(frozen=True, slots=True)
class Counters:
    """Which two counters of a service the rules read, and how series of theirs are told apart.

    Parameters
    ----------
    service : str
        Lower-case letters, digits and hyphens; the label sloth_service of every series.
    valid, bad : str
        Selectors of the counters of valid and of bad requests; all series that one selects are added up.

    Examples
    --------
    >>> Counters("checkout").bad
    'requests_bad_total'
    >>> Counters("checkout", "http_requests_total", 'http_requests_total{code=~"5.."}').valid
    'http_requests_total'
    """

    service: str = "service"
    valid: str = "requests_valid_total"
    bad: str = "requests_bad_total"

    def __post_init__(self) -> None:
        if not _LABEL.fullmatch(self.service):
            raise ParameterError.of(
                "service", self.service, "lower-case letters, digits, hyphens", "rename it for export"
            )
        for name in ("valid", "bad"):
            if not _SELECTOR.fullmatch(getattr(self, name)):
                allowed = 'a selector such as requests_total{job="api"}'
                raise ParameterError.of(name, getattr(self, name), allowed, "leave out functions and ranges")

    def labels(self, objective: Objective) -> dict[str, str]:
        """Return the labels of all that is recorded for an objective, as Sloth names them.

        >>> Counters("checkout").labels(Objective("Fast answers", "0.95", threshold_us=500_000))
        {'sloth_service': 'checkout', 'sloth_slo': 'fast-answers'}
        """
        name = re.sub(r"[^a-z0-9-]+", "-", objective.name.lower()).strip("-") or "slo"
        return {"sloth_service": self.service, "sloth_slo": name}


def prometheus_rules(
    alert_set: AlertSet,
    objective: Objective,
    *,
    period_valid: int,
    counters: Counters | None = None,
    step_minutes: int = 1,
) -> str:
    """Write an alert set as a Prometheus rule file.

    Parameters
    ----------
    alert_set : AlertSet
        What to deploy.
    objective : Objective
        Whose budget it guards; one that counts requests.
    period_valid : int
        Requests expected in one window of the objective; only tiers that count against the budget use it.
    counters : Counters or None
        Where the counts come from.
    step_minutes : int
        Evaluation interval, in minutes.

    Returns
    -------
    str
        A rule file. For each window the increases of bad and of valid requests and the error ratio, under Sloth's name
        for it; the alerts; an alert for a counter that is not there. A slower second group has the ratio over the
        objective's whole window, weighted by requests and never a mean of ratios, and the share of the budget left.

    Raises
    ------
    ParameterError
        For an objective in slices of time, which two counters cannot tell.

    Notes
    -----
    Minute by minute equal to `fire` on Prometheus 2 where samples lie on the edges of the windows, as in promtool. Where a
    server scrapes between them, and from version 3 on, a window sees one increment less and is extended by it: what
    fires can move by one scrape.

    Examples
    --------
    >>> from relkit.slo.alert_sets import alert_set
    >>> text = prometheus_rules(alert_set("plan-10x"), Objective("availability", "0.999"), period_valid=10**6)
    >>> [line.strip() for line in text.splitlines() if " > " in line][0].replace(chr(92), "")
    'expr: "slo:sli_error:ratio_rate1h{sloth_service="service",sloth_slo="availability"} > 0.01"'
    """
    refuse_slices(objective)
    source = counters or Counters()
    labels = source.labels(objective)
    windows, whole = windows_of(alert_set, objective), objective.window_minutes
    name = f"slo-{source.service}-{labels['sloth_slo']}"
    recorded = [record for window in windows for record in _records(window, source, labels)]
    alerts = [_alert(rule, objective, period_valid, labels) for rule in alert_set]
    left = f"1 - {_series('ratio', whole, labels)} / {number_text(objective.budget_share)}"
    period = [] if whole in windows else _records(whole, source, labels)
    period.append({"record": "slo:error_budget:left_share", "expr": left, "labels": labels})
    comments = (
        f"{alert_set.name}: {objective.name}, {objective.target_text} over {objective.window_text}. Written by relkit.",
        f"Tiers that count against the budget expect {period_valid} requests in that window.",
        f"Initialise {source.bad} and {source.valid} at zero when a process starts: of a series that is born in an outage",
        "the first increment is lost, and a burst that is all in it never fires.",
    )
    groups = [
        {"name": name, "interval": f"{step_minutes}m", "rules": [*recorded, *alerts, _silence(source, labels)]},
        {"name": f"{name}-period", "interval": _PERIOD_INTERVAL, "rules": period},
    ]
    return yaml_text({"groups": groups}, comments)


def alert_labels(rule: AlertRule, labels: dict[str, str]) -> dict[str, str]:
    """Return the labels an alert carries besides its name.

    >>> alert_labels(AlertRule("Burn", "page", (AlertTier("burn", 10, 60),)), {"sloth_slo": "a"})
    {'severity': 'page', 'sloth_slo': 'a'}
    """
    return {"severity": rule.severity} | labels


def alert_annotations(rule: AlertRule) -> dict[str, str]:
    """Return the texts an alert carries: which conditions make it fire.

    >>> alert_annotations(AlertRule("Burn", "page", (AlertTier("burn", 10, 60),)))
    {'summary': 'burn > 10 over 1h'}
    """
    return {"summary": "; or ".join(tier_text(tier) for tier in rule.tiers)}


def windows_of(alert_set: AlertSet, objective: Objective) -> list[int]:
    """Return every window the alerts look at, in minutes, ascending; hours left look at the objective's whole window.

    >>> windows_of(AlertSet("a", (AlertRule("Burn", "page", (AlertTier("burn", 10, 60, 5),)),)), Objective("a", "0.9"))
    [5, 60]
    """
    windows = set(alert_set.windows)
    if any(tier.measure == "hours_left" for rule in alert_set for tier in rule.tiers):
        windows.add(objective.window_minutes)
    return sorted(windows)


def refuse_slices(objective: Objective) -> None:
    """Refuse an objective in slices of time: foreign alert rules count requests.

    >>> refuse_slices(Objective("availability", "0.999"))
    """
    if objective.method != "occurrences":
        remedy = "slices of time need a metric of slices: export an objective that counts requests"
        raise ParameterError.of("method", objective.method, "occurrences", remedy)


def number_text(exact: Fraction | float) -> str:
    """Write a number so that Prometheus reads the very float that the engine compares with.

    >>> number_text(Fraction("14.4") * Fraction(1, 1000)), 14.4 * 0.001, number_text(Fraction(20))
    ('0.0144', 0.014400000000000001, '20')
    """
    number = float(exact)
    return str(int(number)) if number.is_integer() and abs(number) < 2**53 else repr(number)


def _records(window: int, source: Counters, labels: dict[str, str]) -> list[dict[str, Any]]:
    span = span_text(window)
    ratio = f"{_series('bad', window, labels)} / {_series('valid', window, labels)}"
    expressions = {"bad": f"sum(increase({source.bad}[{span}]))", "valid": f"sum(increase({source.valid}[{span}]))"}
    return [
        {"record": _NAMES[what] + span, "expr": expression, "labels": labels}
        for what, expression in (expressions | {"ratio": ratio}).items()
    ]


def _silence(source: Counters, labels: dict[str, str]) -> dict[str, Any]:
    return {
        "alert": "ErrorBudgetSignalMissing",
        "expr": f"absent({source.bad}) or absent({source.valid})",
        "for": _SILENT_FOR,
        "labels": {"severity": "ticket"} | labels,
        "annotations": {"summary": "a counter is not there, so no alert of this objective can fire"},
    }


def _alert(rule: AlertRule, objective: Objective, period_valid: int, labels: dict[str, str]) -> dict[str, Any]:
    tiers = [_expression(tier, objective, period_valid, labels) for tier in rule.tiers]
    alert: dict[str, Any] = {
        "alert": rule.name,
        "expr": tiers[0] if len(tiers) == 1 else " or ".join(f"({tier})" for tier in tiers),
    }
    if rule.for_minutes:
        alert["for"] = f"{rule.for_minutes}m"
    if rule.keep_firing_minutes:
        alert["keep_firing_for"] = f"{rule.keep_firing_minutes}m"
    return alert | {"labels": alert_labels(rule, labels), "annotations": alert_annotations(rule)}


def _expression(tier: AlertTier, objective: Objective, period_valid: int, labels: dict[str, str]) -> str:
    """Write a tier in the order and the arithmetic of the engine."""
    parts = [_over(tier, window, objective, period_valid, labels) for window in tier.windows]
    bad, valid = (_series(what, tier.long_minutes, labels) for what in ("bad", "valid"))
    if tier.minimum_bad:
        parts.insert(1, f"{bad} >= {tier.minimum_bad}")
    if tier.measure == "burn_lower":
        # Byar's lower bound of a Poisson count
        inner = f"1 - 1 / (9 * {bad}) - {number_text(float(ndtri(tier.level)))} / (3 * sqrt({bad}))"
        limit = number_text(tier.threshold * objective.budget_share)
        parts.insert(1, f"{bad} * clamp_min({inner}, 0) ^ 3 > {limit} * {valid}")
    return " and ".join(parts)


def _over(tier: AlertTier, window: int, objective: Objective, period_valid: int, labels: dict[str, str]) -> str:
    bad, budget = _series("bad", window, labels), objective.budget_share
    if tier.measure == "budget_share":
        return f"{bad} > {number_text(tier.threshold * budget * period_valid * window / tier.long_minutes)}"
    if tier.measure == "hours_left":
        spent = _series("bad", objective.window_minutes, labels)
        left = f"clamp_min({number_text(budget * period_valid)} - {spent}, 0)"
        return f"{left} * {window} < {bad} * {number_text(tier.threshold * 60)}"
    return f"{_series('ratio', window, labels)} > {number_text(tier.threshold * budget)}"


_NAMES: Final = {"bad": "slo:bad:increase", "valid": "slo:valid:increase", "ratio": "slo:sli_error:ratio_rate"}


def _series(what: str, window: int, labels: dict[str, str]) -> str:
    inside = ",".join(f'{name}="{value}"' for name, value in labels.items())
    return f"{_NAMES[what]}{span_text(window)}{{{inside}}}"
