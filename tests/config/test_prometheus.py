"""Rule files for Prometheus: what they say, and that a real Prometheus fires in the same minutes as the engine."""

import numpy as np
import prometheus_referee as referee
import pytest
import yaml

from relkit.config.prometheus import Counters, prometheus_rules
from relkit.config.promtool import promtool_tests
from relkit.config.yaml_text import yaml_text
from relkit.exceptions import ParameterError
from relkit.slo import Minutes, Objective
from relkit.slo.alert_sets import ALERT_SETS, alert_set, budget_share
from relkit.slo.firing import fire
from relkit.slo.incidents import Incident

GOAL = Objective("availability", "0.999")
MONTH = 250_000
QUICK = ("workbook", "slo-computer", "plan-10x", "budget share 2 % in 1h", "at least 5", "sure")  # `make prove` has all
needs_prometheus = pytest.mark.skipif(not referee.is_there(), reason=referee.ABSENT)


def rules_of(alerts, goal=GOAL, month=MONTH, **more):
    return prometheus_rules(alerts, goal, period_valid=month, **more)


def flat(bad, valid=100, covered=None):
    bad = np.array(bad)
    there = np.ones(len(bad), dtype=bool) if covered is None else np.array(covered)
    none = np.zeros_like(bad)
    return Minutes(0, np.where(there, valid - bad, 0), np.where(there, bad, 0), none, none, there)


@needs_prometheus
def test_a_real_prometheus_fires_in_the_same_minutes_with_gaps_and_a_restart(tmp_path):
    minutes, _, restarts = referee.log(seed=1, month=MONTH)
    with referee.Server(tmp_path, minutes, restarts) as server:
        found = {
            alerts.name: referee.differing(server, alerts, GOAL, minutes, restarts, MONTH)
            for alerts in referee.alert_sets()
            if alerts.name in QUICK
        }
        every_five = referee.differing(server, budget_share(), GOAL, minutes, restarts, MONTH, step=5)
    assert len(found) == len(QUICK)
    assert {name: wrong for name, (wrong, _) in found.items()} == dict.fromkeys(found, 0)
    assert sum(firing > 0 for _, firing in found.values()) == len(found)  # a referee of silence proves nothing
    assert every_five[0] == 0
    assert every_five[1] > 0


@needs_prometheus
def test_the_generated_promtool_file_passes_and_each_wrong_minute_fails(tmp_path):
    minutes, incidents, restarts = referee.log(seed=11, month=1_000_000, days=1)
    alerts, month = referee.patient(), 1_000_000
    rules = rules_of(alerts, month=month)
    tests = promtool_tests(
        alerts, minutes, GOAL, incidents, rule_file="slo.rules.yml", period_valid=month, restarts=restarts
    )
    done = referee.rule_tests(tmp_path, rules, tests)
    assert (done.returncode, "SUCCESS" in done.stdout) == (0, True), done.stderr[-500:]
    firing = [
        case for test in yaml.safe_load(tests)["tests"] for case in test["promql_expr_test"] if case["exp_samples"]
    ]
    assert len(firing) >= 4
    one = yaml.safe_load(tests)
    one["tests"] = [
        next(test for test in one["tests"] if any(case["exp_samples"] for case in test["promql_expr_test"]))
    ]
    hit = next(case for case in one["tests"][0]["promql_expr_test"] if case["exp_samples"])
    hit["exp_samples"][0]["value"] -= 1
    assert referee.rule_tests(tmp_path, rules, yaml.safe_dump(one)).returncode == 1


@needs_prometheus
@pytest.mark.parametrize("step", [1, 5])
def test_a_whole_log_replays_in_one_test_with_waits_and_another_step(tmp_path, step):
    minutes, _, restarts = referee.log(seed=11, month=1_000_000, days=1)
    alerts = referee.patient()
    whole = [Incident(minutes.start_minute, minutes.end_minute, "all of it")]
    tests = promtool_tests(alerts, minutes, GOAL, whole, rule_file="slo.rules.yml", period_valid=MONTH, restarts=restarts, step_minutes=step)  # fmt: skip
    done = referee.rule_tests(tmp_path, rules_of(alerts, step_minutes=step), tests)
    assert done.returncode == 0, done.stderr[-500:]
    assert fire(alerts, minutes, GOAL, period_valid=MONTH, restarts=restarts, step_minutes=step).pages


@needs_prometheus
def test_promtool_accepts_every_rule_file(tmp_path):
    for place, alerts in enumerate(referee.alert_sets()):
        (tmp_path / f"{place}.yml").write_text(rules_of(alerts), encoding="utf-8")
    done = referee.promtool(tmp_path, "check", "rules", *sorted(path.name for path in tmp_path.iterdir()))
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("SUCCESS") == len(referee.alert_sets())


@needs_prometheus
def test_a_counter_that_is_born_with_its_failures_never_fires_and_one_from_zero_does(tmp_path):
    rules = rules_of(alert_set("plan-10x"))
    fires = {"expr": 'count(ALERTS{alertname="BudgetBurnPage",alertstate="firing"})', "eval_time": "12m"}
    for values, expected in (("_x9 6000+0x20", []), ("0x9 6000+0x20", [{"labels": "{}", "value": 1}])):
        series = [
            {"series": "requests_bad_total", "values": values},
            {"series": "requests_valid_total", "values": "0+6000x30"},
        ]
        test = {"interval": "1m", "input_series": series, "promql_expr_test": [{**fires, "exp_samples": expected}]}
        document = {"rule_files": ["slo.rules.yml"], "evaluation_interval": "1m", "tests": [test]}
        done = referee.rule_tests(tmp_path, rules, yaml_text(document))
        assert done.returncode == 0, done.stderr[-500:]


@needs_prometheus
def test_a_counter_that_is_not_there_is_told_after_ten_minutes(tmp_path):
    missing = {"alertname": "ErrorBudgetSignalMissing"}
    labels = {"severity": "ticket", "sloth_service": "service", "sloth_slo": "availability"}
    summary = {"summary": "a counter is not there, so no alert of this objective can fire"}
    alert = [{"exp_labels": labels, "exp_annotations": summary}]
    test = {"interval": "1m", "input_series": [{"series": "requests_valid_total", "values": "0+6000x30"}],
            "alert_rule_test": [{**missing, "eval_time": "9m", "exp_alerts": []}, {**missing, "eval_time": "10m", "exp_alerts": alert}]}  # fmt: skip
    document = {"rule_files": ["slo.rules.yml"], "evaluation_interval": "1m", "tests": [test]}
    assert referee.rule_tests(tmp_path, rules_of(alert_set("plan-10x")), yaml_text(document)).returncode == 0


def test_thresholds_are_the_exact_numbers_and_not_their_binary_products():
    """14.4 x 0.001 is 0.014400000000000001 in binary; the file says 0.0144."""
    text = rules_of(alert_set("workbook"))
    assert "> 0.0144" in text
    assert "> 0.006" in text
    assert "00000000" not in text
    assert "> 20 and" in rules_of(budget_share(), month=1_000_000)


def test_the_ratio_over_the_objectives_window_is_a_sum_over_a_sum():
    queries = {
        rule["record"]: rule["expr"]
        for group in yaml.safe_load(rules_of(alert_set("workbook")))["groups"]
        for rule in group["rules"]
        if "record" in rule
    }
    assert queries["slo:bad:increase30d"] == "sum(increase(requests_bad_total[30d]))"
    assert queries["slo:sli_error:ratio_rate30d"].startswith("slo:bad:increase30d{")
    assert queries["slo:error_budget:left_share"].endswith("/ 0.001")
    assert "avg" not in rules_of(alert_set("workbook"))


def test_own_counters_stand_in_every_query():
    own = Counters("shop", 'http_requests_total{job="shop"}', 'http_requests_total{job="shop",code=~"5..|429"}')
    text = rules_of(alert_set("plan-10x"), counters=own)
    queries = [rule["expr"] for group in yaml.safe_load(text)["groups"] for rule in group["rules"]]
    assert f"sum(increase({own.bad}[1h]))" in queries
    assert f"absent({own.bad}) or absent({own.valid})" in queries
    with pytest.raises(ParameterError, match="matchers with = alone"):
        promtool_tests(alert_set("plan-10x"), flat([0] * 90), GOAL, [Incident(5, 9)], rule_file="x.yml", counters=own)


@pytest.mark.parametrize("given", ["rate(x[5m])", "x[5m]", 'x{code="500"', "1x", "x{code=500}", "x or y", ""])
def test_what_is_no_selector_is_refused(given):
    with pytest.raises(ParameterError, match="selector"):
        Counters(bad=given)


def test_slices_and_a_log_without_the_incident_are_refused():
    slices = Objective("minutes", "0.999", method="time_slices", slice_target="0.95")
    with pytest.raises(ParameterError, match="slices of time"):
        rules_of(alert_set("workbook"), goal=slices)
    with pytest.raises(ParameterError, match="none on the log"):
        promtool_tests(alert_set("plan-10x"), flat([0] * 90), GOAL, [Incident(500, 510)], rule_file="x.yml")


@pytest.mark.parametrize("name", ALERT_SETS)
def test_equal_inputs_write_equal_bytes_and_every_window_is_recorded_before_it_is_read(name):
    text = rules_of(alert_set(name, 28), Objective("availability", "0.9995", window_days=28))
    assert text == rules_of(alert_set(name, 28), Objective("availability", "0.9995", window_days=28))
    known = ""
    for rule in yaml.safe_load(text)["groups"][0]["rules"]:
        for word in rule["expr"].replace("(", " ").split():
            assert not word.startswith("slo:") or word.split("{")[0] in known.split()
        known += f" {rule.get('record', '')}"


def test_yaml_is_read_back_as_it_was(tmp_path):
    texts = ["no", "1e3", "0x1", "", "a: b", "- c", "~", "#d", "5m", "01", "é\n\t\"'\\"]
    odd = {"a": texts, "b": [], "c": {}, "d": {"e": [{"f": 1.5, "g": None}, {"h": True}]}, "off": "x", "1": -2}
    assert yaml.safe_load(yaml_text(odd, ["a note", ""])) == odd
