"""Envoy's outlier detection as documented: outlier_detection_impl.cc and outlier_detection.proto at 00c7146d."""

import pytest

from relkit import drive
from relkit.policies.records import Peers

OK, BAD = ("call", "success"), ("call", "failure")
TEN = {"members": 10}


def test_five_in_a_row_eject() -> None:
    assert [step.state for step in drive("envoy-consecutive", [BAD] * 5, **TEN)[-2:]] == ["closed", "open"]
    assert drive("envoy-consecutive", [BAD] * 4 + [OK] + [BAD] * 4, **TEN)[-1].state == "closed"


def test_what_is_no_server_error_ends_the_row() -> None:
    script = [BAD] * 4 + [("call", "API_INVALID_REQUEST")] + [BAD] * 4
    assert drive("envoy-consecutive", script, **TEN)[-1].state == "closed"


@pytest.mark.parametrize(
    ("members", "open_members", "ejects"), [(9, 0, False), (10, 0, True), (19, 1, False), (20, 1, True)]
)
def test_at_most_a_tenth_of_the_hosts(members: int, open_members: int, ejects: bool) -> None:
    last = drive("envoy-consecutive", [BAD] * 5, members=members, open_members=open_members)[-1]
    assert (last.state == "open") is ejects
    assert ("cannot be ejected" in last.sentence) is not ejects


def test_the_count_begins_anew_when_ejection_is_not_allowed() -> None:
    script = [BAD] * 5 + [("peers", Peers(members=10))] + [BAD] * 5
    steps = drive("envoy-consecutive", script, members=9)
    assert [step.state for step in steps[5:]] == ["closed"] * 5 + ["open"]


def test_release_comes_with_the_sweep_after_thirty_seconds() -> None:
    """Ejected at 2 s, due at 32 s, released at the sweep of 40 s; it comes back without a trial."""
    steps = drive("envoy-consecutive", [("wait", 2.0), *[BAD] * 5, ("wait", 37.9), BAD, ("wait", 0.1), OK], **TEN)
    assert [step.state for step in steps[-4:]] == ["open", "open", "closed", "closed"]
    assert steps[-3].retry_after_s == pytest.approx(0.1)


def test_the_time_grows_by_thirty_seconds_an_ejection() -> None:
    steps = drive("envoy-consecutive", [*[BAD] * 5, ("wait", 30.0), *[BAD] * 5, BAD], **TEN)
    assert steps[-1].retry_after_s == pytest.approx(60.0)


def test_the_multiplier_falls_with_each_healthy_interval() -> None:
    script = [*[BAD] * 5, ("wait", 30.0), *[BAD] * 5, ("wait", 60.0), ("wait", 20.0), *[BAD] * 5, BAD]
    assert drive("envoy-consecutive", script, **TEN)[-1].retry_after_s == pytest.approx(30.0)


def test_the_time_is_capped_at_three_hundred_seconds() -> None:
    script = [line for n in range(1, 15) for line in (*[BAD] * 6, ("wait", min(30.0 * n, 300.0)))]
    waits = [step.retry_after_s for step in drive("envoy-consecutive", script, **TEN) if step.code == 1]
    assert waits == [min(30.0 * n, 300.0) for n in range(1, 15)]


def test_a_passing_health_check_brings_it_back_at_once() -> None:
    assert drive("envoy-consecutive", [*[BAD] * 5, ("probe", "success")], **TEN)[-1].state == "closed"


def test_enforcement_is_a_share_of_the_ejections() -> None:
    assert drive("envoy-consecutive", [BAD] * 5, enforced_share=0.4, draw=0.5, **TEN)[-1].state == "closed"
    assert drive("envoy-consecutive", [BAD] * 5, enforced_share=0.6, draw=0.5, **TEN)[-1].state == "open"
    assert drive("envoy-consecutive", [BAD] * 5, enforced_share=0.0, draw=0.0, **TEN)[-1].state == "closed"


SWEEP = [OK] * 90 + [BAD] * 10 + [("wait", 10.0)]


def test_a_success_share_far_below_the_fleet_ejects_at_the_sweep() -> None:
    """Ten hosts, mean 0.98, deviation 0.03: below 0.98 - 1.9 * 0.03 = 0.923 is an outlier, 0.9 is one."""
    fleet = {"members": 10, "mean_share": 0.98, "sd_share": 0.03}
    steps = drive("envoy-success-rate", SWEEP, **fleet)
    assert [step.state for step in steps[-2:]] == ["closed", "open"]
    assert drive("envoy-success-rate", SWEEP, members=10, mean_share=0.98, sd_share=0.05)[-1].state == "closed"


def test_a_hundred_calls_of_one_interval_are_needed() -> None:
    fleet = {"members": 10, "mean_share": 0.98, "sd_share": 0.01}
    assert drive("envoy-success-rate", [BAD] * 99 + [("wait", 10.0)], **fleet)[-1].state == "closed"
    split = [BAD] * 60 + [("wait", 10.0)] + [BAD] * 60 + [("wait", 10.0)]
    assert drive("envoy-success-rate", split, **fleet)[-1].state == "closed"


def test_four_hosts_are_too_few() -> None:
    fleet = {"mean_share": 0.98, "sd_share": 0.01, "ejected_share": 1.0}
    assert drive("envoy-success-rate", SWEEP, members=4, **fleet)[-1].state == "closed"
    assert drive("envoy-success-rate", SWEEP, members=5, **fleet)[-1].state == "open"


def test_an_outage_of_the_whole_fleet_is_not_seen() -> None:
    steps = drive("envoy-success-rate", [BAD] * 200 + [("wait", 10.0)], peers=[0.0] * 9)
    assert steps[-1].state == "closed"


def test_other_members_shares_may_be_given() -> None:
    """Nine healthy hosts and this one at 0.9: mean 0.99, deviation 0.03, limit 0.933."""
    assert drive("envoy-success-rate", SWEEP, peers=[1.0] * 9)[-1].state == "open"
    assert drive("envoy-success-rate", SWEEP, peers=[0.9] * 9)[-1].state == "closed"


def test_consecutive_failures_do_not_eject_there() -> None:
    assert drive("envoy-success-rate", [BAD] * 50, **TEN)[-1].state == "closed"


def test_a_long_wait_is_the_same_as_many_sweeps() -> None:
    script = [*[BAD] * 5, ("wait", 30.0), *[BAD] * 5]
    once = drive("envoy-consecutive", [*script, ("wait", 1000.0), BAD], **TEN)[-1]
    often = drive("envoy-consecutive", [*script, *[("wait", 1.0)] * 1000, BAD], **TEN)[-1]
    assert (once.state, once.generation, once.at_s) == (often.state, often.generation, often.at_s)
