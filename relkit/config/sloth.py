"""Sloth: an alert set as a spec and a catalogue of windows, from which it generates its own Prometheus rules.

Sloth knows one shape: a quick and a slow page, a quick and a slow ticket, each with two windows and a share of the budget.
What does not have that shape is refused; `relkit.config.prometheus` writes every alert set.
"""

from fractions import Fraction
from typing import Any, Final

from relkit.config.prometheus import Counters, refuse_slices
from relkit.config.yaml_text import yaml_text
from relkit.exceptions import ParameterError
from relkit.slo.alerts import AlertSet, AlertTier, span_text
from relkit.slo.objective import Objective

_SPEEDS: Final = ("quick", "slow")


def sloth_spec(alert_set: AlertSet, objective: Objective, counters: Counters | None = None) -> str:
    """Write an objective and its alerts as a Sloth spec, version prometheus/v1.

    Parameters
    ----------
    alert_set : AlertSet
        Two pages and two tickets of measure burn, each with a long and a short window and without waits.
    objective : Objective
        One that counts requests in a rolling window.
    counters : Counters or None
        Where the counts come from.

    Returns
    -------
    str
        YAML of two documents: the spec, and the catalogue of windows (AlertWindows) to put into the folder that Sloth is
        given as its window catalogue. A comment says which period to run it with.

    Raises
    ------
    ParameterError
        For an alert set that Sloth cannot say, with the reason.

    Notes
    -----
    Sloth derives the factor of a tier from its share of the budget, q x window / long. It computes in binary: 99.9 %
    becomes 0.09999999999999432 % there, so at the very threshold its rules may differ from ours.

    Examples
    --------
    >>> from relkit.slo.alert_sets import alert_set
    >>> text = sloth_spec(alert_set("sloth"), Objective("availability", "0.999"))
    >>> [line.strip() for line in text.splitlines() if "errorBudgetPercent" in line]
    ['errorBudgetPercent: 2', 'errorBudgetPercent: 5', 'errorBudgetPercent: 10', 'errorBudgetPercent: 10']
    """
    refuse_slices(objective)
    if objective.calendar:
        raise ParameterError.of("calendar", objective.calendar, "a rolling window", "Sloth knows no calendar")
    source = counters or Counters()
    labels = source.labels(objective)
    windows = {severity: _windows(alert_set, severity, objective) for severity in ("page", "ticket")}
    query = {name: f"sum(rate({getattr(source, name)}[{{{{.window}}}}]))" for name in ("bad", "valid")}
    spec = {
        "version": "prometheus/v1",
        "service": labels["sloth_service"],
        "slos": [
            {
                "name": labels["sloth_slo"],
                "objective": _number(100 * objective.target),
                "description": f"{objective.target_text} of requests are good over {objective.window_text}",
                "sli": {"events": {"error_query": query["bad"], "total_query": query["valid"]}},
                "alerting": {
                    "name": "ErrorBudgetBurn",
                    "page_alert": {"labels": {"severity": "page"}},
                    "ticket_alert": {"labels": {"severity": "ticket"}},
                },
            }
        ],
    }
    period = f"{objective.window_days}d"
    catalogue = {
        "apiVersion": "sloth.slok.dev/v1",
        "kind": "AlertWindows",
        "spec": {"sloPeriod": period, **windows},
    }
    first = (
        f"{alert_set.name}, for {objective.name}. Written by relkit.",
        f"sloth generate --default-slo-period={period} --slo-period-windows-path=FOLDER -i FILE",
    )
    second = ("The catalogue of windows: a file of its own in FOLDER.",)
    return yaml_text(spec, first) + "---\n" + yaml_text(catalogue, second)


def _windows(alert_set: AlertSet, severity: str, objective: Objective) -> dict[str, Any]:
    rules = alert_set.of(severity)
    tiers = [tier for rule in rules for tier in rule.tiers]
    waits = any(rule.for_minutes or rule.keep_firing_minutes for rule in rules)
    why = _misfit(tiers, severity) or (f"its {severity} waits before it fires" if waits else "")
    if why:
        raise ParameterError.of(
            "alert set", f"{alert_set.name}: {why}", "two tiers a severity, each a burn over two windows, without waits",
            "take workbook-code or sloth, or write Prometheus rules",
        )  # fmt: skip
    ordered = sorted(tiers, key=lambda tier: tier.long_minutes)
    return {speed: _window(tier, objective) for speed, tier in zip(_SPEEDS, ordered, strict=True)}


def _misfit(tiers: list[AlertTier], severity: str) -> str:
    if len(tiers) != len(_SPEEDS):
        return f"it has {len(tiers)} tiers of severity {severity}"
    for tier in tiers:
        if tier.measure != "burn" or tier.minimum_bad:
            return f"a {severity} does not look at the burn alone"
        if tier.short_minutes is None:
            return f"a {severity} has a single window"
    return ""


def _window(tier: AlertTier, objective: Objective) -> dict[str, Any]:
    share = tier.threshold * tier.long_minutes / objective.window_minutes
    return {
        "errorBudgetPercent": _number(100 * share),
        "shortWindow": span_text(tier.windows[-1]),
        "longWindow": span_text(tier.long_minutes),
    }


def _number(exact: Fraction) -> int | float:
    return int(exact) if exact.denominator == 1 else float(exact)
