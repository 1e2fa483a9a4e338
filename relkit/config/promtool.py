"""promtool: a unit test of a rule file, which replays incidents of a log and expects the minutes that were computed here.

It lets Prometheus' own engine check a rule file before anyone deploys it: `promtool test rules FILE`.
"""

import re
from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import Any, Final

from relkit.config.prometheus import Counters, alert_annotations, alert_labels, refuse_slices, windows_of
from relkit.config.yaml_text import yaml_text
from relkit.exceptions import ParameterError
from relkit.slo.alerts import AlertRule, AlertSet
from relkit.slo.firing import Firing, expected_valid, fire
from relkit.slo.incidents import Incident
from relkit.slo.increases import counter_samples
from relkit.slo.minutes import Gap, Minutes, utc_text
from relkit.slo.objective import Objective

_MARGIN: Final = 5
_LOOSE: Final = re.compile(r'(?:!=|=~|!~)\s*"')


def promtool_tests(
    alert_set: AlertSet,
    minutes: Minutes,
    objective: Objective,
    incidents: Sequence[Incident],
    *,
    rule_file: str,
    period_valid: int | None = None,
    restarts: Sequence[int] = (),
    counters: Counters | None = None,
    step_minutes: int = 1,
) -> str:
    """Write a promtool test file that replays incidents and tells for every minute of them which alert fires.

    Parameters
    ----------
    alert_set, objective, counters, step_minutes
        As for `prometheus_rules`; the counters must name single series here, so matchers with = alone.
    minutes : Minutes
        The log; its counts become samples of both counters, a missing minute a missing sample.
    incidents : sequence of Incident
        Each that lies on the log becomes one test, from shortly before it until all alerts are quiet again.
    rule_file : str
        The rule file, as promtool finds it from the test file.
    period_valid : int or None
        As for `fire`; give `prometheus_rules` the same.
    restarts : sequence of int
        Unix minutes at which the counters began anew.

    Returns
    -------
    str
        A test file. Sample k stands at k minutes, and the first is the zero at which counters begin. For each stretch in
        which an alert fires or is silent, one expectation counts its firing samples: all of the stretch or none. So
        promtool fails on any minute that differs. One more at each start names the labels.

    Raises
    ------
    ParameterError
        Without an incident on the log, for counters that are no single series, or for an objective in slices.

    Examples
    --------
    >>> from relkit.slo.alert_sets import alert_set
    >>> bad = [0] * 90 + [50] * 10 + [0] * 80
    >>> log = Minutes(0, [100 - many for many in bad], bad, [0] * 180, [0] * 180, [True] * 180)
    >>> goal, alerts = Objective("a", "0.999"), alert_set("plan-10x")
    >>> text = promtool_tests(alerts, log, goal, [Incident(90, 100)], rule_file="slo.rules.yml")
    >>> [line.strip() for line in text.splitlines() if "eval_time" in line]
    ['eval_time: "67m"', 'eval_time: "134m"', 'eval_time: "139m"', '- eval_time: "68m"']
    """
    refuse_slices(objective)
    source = counters or Counters()
    for name in ("valid", "bad"):
        if _LOOSE.search(getattr(source, name)):
            raise ParameterError.of(
                name, getattr(source, name), "matchers with = alone", "name one series to test with"
            )
    on_log = [one for one in incidents if minutes.start_minute <= one.start_minute < minutes.end_minute]
    if not on_log:
        raise ParameterError.of(
            "incidents", f"{len(incidents)}, none on the log", "at least one", "replay what was counted"
        )
    expected = expected_valid(minutes, objective) if period_valid is None else period_valid
    replay = _Replay(alert_set, minutes, objective, source, expected, restarts, step_minutes)
    document = {
        "rule_files": [rule_file],
        "evaluation_interval": f"{step_minutes}m",
        "tests": [replay.test(incident) for incident in on_log],
    }
    comments = (
        f"{alert_set.name}, for {objective.name}: {len(on_log)} of its incidents. Written by relkit.",
        f"Run it beside {rule_file}: promtool test rules THIS_FILE",
    )
    return yaml_text(document, comments)


class _Replay:
    """Cuts a log into tests, each with the history that makes it fire as the whole log does."""

    def __init__(
        self,
        alert_set: AlertSet,
        minutes: Minutes,
        objective: Objective,
        counters: Counters,
        period_valid: int,
        restarts: Sequence[int],
        step: int,
    ) -> None:
        self._alert_set, self._minutes, self._objective, self._counters = alert_set, minutes, objective, counters
        self._valid, self._restarts, self._step = period_valid, restarts, step
        self._labels = counters.labels(objective)
        self._whole = self._fire(minutes)
        waits = max(rule.for_minutes + rule.keep_firing_minutes for rule in alert_set)
        self._history = windows_of(alert_set, objective)[-1] + waits + step

    def test(self, incident: Incident) -> dict[str, Any]:
        start = max(incident.start_minute - _MARGIN, self._minutes.start_minute)
        end = self._quiet_again(incident)
        part = self._part(start, end)
        bad, valid = counter_samples(part, self._within(part))
        told = [
            (
                rule,
                [(first - part.start_minute, last - part.start_minute) for first, last in _clipped(spans, start, end)],
            )
            for rule, spans in zip(self._alert_set, self._whole.by_rule, strict=True)
        ]
        first_place, size = start - part.start_minute, end - part.start_minute
        return {
            "name": f"{utc_text(incident.start_minute)} {incident.label}".strip(),
            "interval": "1m",
            "input_series": [
                {"series": self._counters.bad, "values": _values(bad)},
                {"series": self._counters.valid, "values": _values(valid)},
            ],
            "promql_expr_test": [
                case for rule, spans in told for case in self._counted(rule, spans, first_place, size)
            ],
            "alert_rule_test": [case for rule, spans in told for case in self._named(rule, spans, first_place)],
        }

    def _fire(self, part: Minutes) -> Firing:
        return fire(
            self._alert_set,
            part,
            self._objective,
            period_valid=self._valid,
            restarts=self._within(part),
            step_minutes=self._step,
        )

    def _within(self, part: Minutes) -> list[int]:
        return [minute for minute in self._restarts if part.start_minute <= minute < part.end_minute]

    def _quiet_again(self, incident: Incident) -> int:
        """Return the first minute from which no alert of the incident fires, and a margin."""
        ends = [
            last
            for spans in self._whole.by_rule
            for first, last in spans
            if first <= incident.end_minute and last > incident.start_minute
        ]
        return min(max([incident.end_minute, *ends]) + _MARGIN, self._minutes.end_minute)

    def _part(self, start: int, end: int) -> Minutes:
        """Cut the log so that from `start` to `end` the cut fires as the whole does, with more history where it must be."""
        history = self._history
        while True:
            earliest = max(start - history, self._minutes.start_minute)
            begin = min(-(-earliest // self._step) * self._step, start)  # a test begins at an evaluation
            part = self._minutes.slice(begin, end)
            if earliest == self._minutes.start_minute or self._agrees(part, start, end):
                return part
            history *= 2

    def _agrees(self, part: Minutes, start: int, end: int) -> bool:
        ours, theirs = self._fire(part).by_rule, self._whole.by_rule
        return all(_clipped(a, start, end) == _clipped(b, start, end) for a, b in zip(ours, theirs, strict=True))

    def _counted(self, rule: AlertRule, spans: Iterable[Gap], start: int, size: int) -> list[dict[str, Any]]:
        """Return for each stretch of firing and of silence how many of its evaluations fire: all or none."""
        series = f'ALERTS{{alertname="{rule.name}",alertstate="firing",sloth_slo="{self._labels["sloth_slo"]}"}}'
        edges = [start, *(edge for span in spans for edge in span), size]
        found = []
        for place, (begin, end) in enumerate(pairwise(edges)):
            # Position i is the evaluation at minute i + 1; where the step is longer, those at its multiples
            many = end // self._step - begin // self._step
            if not many:
                continue
            samples = [{"labels": "{}", "value": many}] if place % 2 else []
            # Half a minute less than the stretch holds exactly its evaluations
            expr = f"sum(count_over_time({series}[{(end - begin) * 60 - 30}s]))"
            found.append({"expr": expr, "eval_time": f"{end}m", "exp_samples": samples})
        return found

    def _named(self, rule: AlertRule, spans: Iterable[Gap], start: int) -> list[dict[str, Any]]:
        """Return for each start of firing the alert in full."""
        alert = {"exp_labels": alert_labels(rule, self._labels), "exp_annotations": alert_annotations(rule)}
        return [
            {"eval_time": f"{first + 1}m", "alertname": rule.name, "exp_alerts": [alert]}
            for first, _ in spans
            if first > start
        ]


def _clipped(spans: Iterable[Gap], start: int, end: int) -> list[Gap]:
    return [(max(first, start), min(last, end)) for first, last in spans if first < end and last > start]


def _values(samples: Sequence[int | None]) -> str:
    return " ".join("_" if value is None else str(value) for value in samples)
