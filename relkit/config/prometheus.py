"""Prometheus: an alert set as recording and alerting rules, and a promtool test that replays incidents.

The rules read two counters, of valid and of bad requests. Both must be initialised at zero: of a counter that is born
inside an outage the first increment is lost, and a burst that is all in it never fires.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Final

from scipy.special import ndtri

from relkit.config.yaml_text import yaml_text
from relkit.exceptions import ParameterError
from relkit.slo.alerts import AlertRule, AlertSet, AlertTier, span_text, tier_text
from relkit.slo.firing import Engine
from relkit.slo.incidents import Incident
from relkit.slo.increases import counter_samples
from relkit.slo.minutes import Gap, Minutes, utc_text
from relkit.slo.objective import Objective

_METRIC: Final = re.compile(r"[a-zA-Z_:][a-zA-Z0-9_:]*")
_LABEL: Final = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")


@dataclass(frozen=True, slots=True)
class Counters:
    """Which two counters of a service the rules read, and how series of theirs are told apart.

    Parameters
    ----------
    service : str
        Lower-case letters, digits and hyphens; the label sloth_service of every series.
    valid, bad : str
        Metric names of the counters of valid and of bad requests.

    >>> Counters("checkout").bad
    'requests_bad_total'
    """

    service: str = "service"
    valid: str = "requests_valid_total"
    bad: str = "requests_bad_total"

    def __post_init__(self) -> None:
        if not _LABEL.fullmatch(self.service):
            raise ParameterError.of(
                "service", self.service, "lower-case letters, digits, hyphens", "rename it for export"
            )
        for name in (self.valid, self.bad):
            if not _METRIC.fullmatch(name):
                raise ParameterError.of("metric", name, "letters, digits, _ and :", "give the name of a counter")


def prometheus_rules(
    alert_set: AlertSet, objective: Objective, *, period_valid: int, counters: Counters | None = None
) -> str:
    """Write an alert set as a Prometheus rule file.

    Parameters
    ----------
    alert_set : AlertSet
        What to deploy.
    objective : Objective
        Whose budget it guards.
    period_valid : int
        Requests expected in one window of the objective; only rules that count against the budget use it.
    counters : Counters or None
        Where the counts come from.

    Returns
    -------
    str
        A rule file. Increases are recorded once for each window, the error ratio beside them under Sloth's name for
        dashboards. Alerts compare the increases with whole numbers, which Prometheus' floats hold exactly: in binary
        14.4 x 0.001 is 0.014400000000000001. The ratio of the period is a sum over a sum, never a mean of ratios.

    Examples
    --------
    >>> from relkit.slo.alert_sets import alert_set
    >>> text = prometheus_rules(alert_set("plan-10x"), Objective("availability", "0.999"), period_valid=10**6)
    >>> [line.strip() for line in text.splitlines() if "expr" in line][-1]
    'expr: "slo:bad:increase1h{sloth_slo=\\\\"availability\\\\",sloth_service=\\\\"service\\\\"} * 100 > slo:valid:increase1h{sloth_slo=\\\\"availability\\\\",sloth_service=\\\\"service\\\\"} * 1"'
    """
    source = counters or Counters()
    labels = {"sloth_service": source.service, "sloth_slo": _slo_name(objective)}
    recorded = []
    for window in _windows(alert_set, objective):
        span = span_text(window)
        recorded += [
            {"record": f"slo:bad:increase{span}", "expr": f"sum(increase({source.bad}[{span}]))", "labels": labels},
            {"record": f"slo:valid:increase{span}", "expr": f"sum(increase({source.valid}[{span}]))", "labels": labels},
        ]
        ratio = f"{_series('bad', window, labels)} / {_series('valid', window, labels)}"
        recorded.append({"record": f"slo:sli_error:ratio_rate{span}", "expr": ratio, "labels": labels})
    alerts = [_alert(rule, objective, period_valid, labels) for rule in alert_set]
    name = f"slo-{source.service}-{labels['sloth_slo']}"
    comments = (
        f"{alert_set.name}: {objective.name}, {objective.target_text} over {objective.window_days} days. Written by relkit.",
        f"Initialise {source.bad} and {source.valid} at zero when a process starts: of a series that is born in an outage",
        "the first increment is lost. Recording and alerting rules share a group, so alerts read what was just recorded.",
    )
    return yaml_text({"groups": [{"name": name, "interval": "1m", "rules": [*recorded, *alerts]}]}, comments)


def promtool_tests(
    alert_set: AlertSet,
    minutes: Minutes,
    objective: Objective,
    incidents: Sequence[Incident],
    *,
    rule_file: str,
    period_valid: int,
    restarts: Sequence[int] = (),
    counters: Counters | None = None,
    lead_minutes: int | None = None,
    tail_minutes: int = 60,
) -> str:
    """Write a promtool test file that replays incidents minute by minute and expects when each alert fires.

    Parameters
    ----------
    alert_set, minutes, objective, period_valid, restarts, counters
        As for `prometheus_rules` and `relkit.slo.firing.fire`.
    incidents : sequence of Incident
        Each becomes one test, which begins before it.
    rule_file : str
        Name of the rule file, as promtool finds it from the test file.
    lead_minutes : int or None
        Minutes replayed before each incident; None takes the longest window, so that it is full when trouble begins.
    tail_minutes : int
        Minutes replayed after it.

    Returns
    -------
    str
        One test an incident. For each alert and each stretch in which it fires or is silent one expectation counts
        its firing samples; so every minute of the replay is told for, and `promtool test rules` fails on any that
        differs. Sample k stands at k minutes; the first is the zero at which the counters begin.
    """
    if not incidents:
        raise ParameterError.of("incidents", "none", "at least one", "there is nothing to replay without an incident")
    source = counters or Counters()
    labels = {"sloth_service": source.service, "sloth_slo": _slo_name(objective)}
    lead = max(_windows(alert_set, objective)) if lead_minutes is None else lead_minutes
    tests = []
    for incident in incidents:
        start = max(minutes.start_minute, incident.start_minute - lead)
        end = min(minutes.end_minute, incident.end_minute + tail_minutes)
        if start >= end:
            raise ParameterError.of(
                "incident", utc_text(incident.start_minute), "on the grid", "replay what was counted"
            )
        part = minutes.slice(start, end)
        began = [minute for minute in restarts if start <= minute < end]
        engine = Engine(part, objective, period_valid=period_valid, restarts=began)
        bad, valid = counter_samples(part, began)
        fired = engine.fire(alert_set).by_rule
        tests.append(
            {
                "name": f"{utc_text(incident.start_minute)} {incident.label}".strip(),
                "interval": "1m",
                "input_series": [
                    {"series": source.bad, "values": _values(bad)},
                    {"series": source.valid, "values": _values(valid)},
                ],
                "promql_expr_test": [
                    expectation
                    for rule, spans in zip(alert_set, fired, strict=True)
                    for expectation in _expectations(rule, spans, start, len(part), labels)
                ],
            }
        )
    comments = (f"Replays {len(tests)} incidents; run it with: promtool test rules THIS_FILE. Written by relkit.",)
    return yaml_text({"rule_files": [rule_file], "evaluation_interval": "1m", "tests": tests}, comments)


def _expectations(
    rule: AlertRule, spans: Sequence[Gap], start: int, size: int, labels: dict[str, str]
) -> list[dict[str, Any]]:
    """Return for each stretch of firing and of silence how many of its evaluations fire: all or none."""
    series = f'ALERTS{{alertname="{rule.name}",alertstate="firing",sloth_slo="{labels["sloth_slo"]}"}}'
    edges = [0, *(edge - start for span in spans for edge in span), size]
    found = []
    for place, (begin, end) in enumerate(zip(edges, edges[1:], strict=False)):
        end = min(end, size)  # noqa: PLW2901  keep_firing_for runs on past the replay
        if end > begin:
            # Position i is the evaluation at minute i + 1; half a minute less than the stretch holds exactly its samples
            samples = [{"labels": "{}", "value": end - begin}] if place % 2 else []
            expr = f"sum(count_over_time({series}[{(end - begin) * 60 - 30}s]))"
            found.append({"expr": expr, "eval_time": f"{end}m", "exp_samples": samples})
    return found


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
    return alert | {
        "labels": {"severity": rule.severity} | labels,
        "annotations": {"summary": "; or ".join(tier_text(tier) for tier in rule.tiers)},
    }


def _expression(tier: AlertTier, objective: Objective, period_valid: int, labels: dict[str, str]) -> str:
    parts = [_over(tier, window, objective, period_valid, labels) for window in tier.windows]
    bad = _series("bad", tier.long_minutes, labels)
    if tier.minimum_bad:
        parts.insert(1, f"{bad} >= {tier.minimum_bad}")
    if tier.measure == "burn_lower":
        limit = tier.threshold * objective.budget_share
        z = repr(float(ndtri(tier.level)) / 3)
        valid = _series("valid", tier.long_minutes, labels)
        # Byar's lower bound of a Poisson count
        sure = f"{bad} * clamp_min(1 - 1 / (9 * {bad}) - {z} / sqrt({bad}), 0) ^ 3"
        parts.insert(1, f"{sure} * {limit.denominator} > {valid} * {limit.numerator}")
    return " and ".join(parts)


def _over(tier: AlertTier, window: int, objective: Objective, period_valid: int, labels: dict[str, str]) -> str:
    bad, budget = _series("bad", window, labels), objective.budget_share
    if tier.measure == "budget_share":
        return f"{bad} > {_number(tier.threshold * budget * period_valid * window / tier.long_minutes)}"
    if tier.measure == "hours_left":
        spent = _series("bad", objective.window_minutes, labels)
        left = f"clamp_min({_number(budget * period_valid)} - {spent}, 0)"
        return f"{left} * {window} < {bad} * {_number(tier.threshold * 60)}"
    limit = tier.threshold * budget
    return f"{bad} * {limit.denominator} > {_series('valid', window, labels)} * {limit.numerator}"


def _series(what: str, window: int, labels: dict[str, str]) -> str:
    return f'slo:{what}:increase{span_text(window)}{{sloth_slo="{labels["sloth_slo"]}",sloth_service="{labels["sloth_service"]}"}}'


def _number(exact: Fraction) -> str:
    """Write a number so that Prometheus reads the same float as we compare with."""
    return str(exact.numerator) if exact.denominator == 1 else repr(float(exact))


def _windows(alert_set: AlertSet, objective: Objective) -> list[int]:
    windows = set(alert_set.windows)
    if any(tier.measure == "hours_left" for rule in alert_set for tier in rule.tiers):
        windows.add(objective.window_minutes)
    return sorted(windows)


def _values(samples: Sequence[int | None]) -> str:
    return " ".join("_" if value is None else str(value) for value in samples)


def _slo_name(objective: Objective) -> str:
    return re.sub(r"[^a-z0-9-]+", "-", objective.name.lower()).strip("-") or "slo"
