"""The verdict a page leads with stands on requests where outcomes are told, else on what there is, and says which."""

import numpy as np
import pytest

from relkit.slo import Goal, Latency, Minutes, MinuteShares, Objective, Service, Uptime, error_budget, headline, verdict

OBJECTIVE = Objective("availability", "0.999")


def service(good=0, bad=0, *, shares=None, uptimes=None, coverage=None, flowing=True):
    minutes = Minutes(0, [good], [bad], [0], [0], [True])
    budget = error_budget(OBJECTIVE, minutes)
    goal = Goal(OBJECTIVE, minutes, budget, budget, verdict(budget))
    return Service((goal,), Latency(0, None, None, None), shares, uptimes or {}, coverage, (), flowing)


def test_requests_with_outcomes_decide():
    assert headline(service(good=9000, bad=1000)).code == "MISSED"


def test_minute_shares_decide_where_no_outcome_is_told_and_admit_to_no_interval():
    found = headline(service(shares=MinuteShares(0, [1.0, 0.9, 1.0], "minutes")))
    assert found.code == "MISSED"
    assert "unweighted mean of 3 minute shares" in found.sentence
    assert found.low is None
    assert "no interval" in found.why_not


def test_a_dead_metric_is_no_signal_and_no_outage():
    found = headline(service(shares=MinuteShares(0, np.zeros(60), "minutes")))
    assert found.code == "UNDECIDED"
    assert found.sentence.startswith("No signal")


def test_zero_percent_without_traffic_may_be_an_outage():
    assert headline(service(shares=MinuteShares(0, np.zeros(60), "minutes"), flowing=False)).code == "MISSED"


def test_a_week_that_is_mostly_missing_is_undecided_and_names_the_gap():
    shares = np.full(10_080, np.nan)
    shares[:1000] = 1.0
    found = headline(service(shares=MinuteShares(0, shares, "minutes"), coverage=0.01))
    assert found.code == "UNDECIDED"
    assert "9.9 % of the minutes are covered" in found.why_not
    assert "1970-01-01 16:40" in found.why_not


def test_probes_are_weighted_by_time():
    uptimes = {"a": Uptime(999, 1, ((0, 1),)), "b": Uptime(1, 0, ())}
    found = headline(service(uptimes=uptimes))
    assert found.value == pytest.approx(1000 / 1001)
    assert "2 probed services" in found.sentence


def test_nothing_at_all_is_undecided():
    assert headline(service(flowing=False)).code == "UNDECIDED"
