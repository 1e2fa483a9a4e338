"""The calendar: what happened as the log has it, beside what the replay says, with its level and its bounds."""

from dataclasses import replace

import numpy as np
import pytest
from tuned import quiet_study

from relkit import presets, replay
from relkit.plates.calendar import calendar_plate
from relkit.simulation.replay import Incident, Replay
from relkit.simulation.traffic import traffic_of
from relkit.tune.study import Study, Unfounded


@pytest.fixture(scope="module")
def found() -> Study:
    return quiet_study()


def with_incidents(found: Study, *, hides: bool = False) -> Study:
    """A log of two days with two outages, 100 and 60 calls long; of the second the log's own breaker may hide half."""
    starts = np.arange(0.0, 2 * 86_400.0, 10.0)
    bad = ((starts >= 40_000) & (starts < 41_000)) | ((starts >= 120_000) & (starts < 120_600))
    rejected = (starts >= 120_300) & (starts < 120_600) & hides
    log = traffic_of(starts, np.full(len(starts), 0.2), ~bad, rejected=rejected, kind=np.where(bad, 7, 0))
    log = replace(log, outcome=np.where(rejected, -1, (~bad).astype(np.int64)))
    policies = [
        replace(found.today, name="today"),
        replace(found.chosen.policy, name="the choice"),
        presets["pybreaker"],
    ]
    incidents = (Incident(40_000.0, 41_000.0), Incident(120_000.0, 120_600.0))
    return replace(found, replayed=replay(log, policies, incidents=incidents))


def test_before_and_after_are_the_logs_and_the_replays(found: Study) -> None:
    seen = with_incidents(found)
    shown = calendar_plate(seen)
    arm = next(each for each in seen.replayed.arms if each.policy == "the choice")
    assert shown.values["failed_before"] == 160
    assert [each.failed for each in seen.replayed.logged] == [100, 60]
    assert shown.values["failed_after"] == sum(each.value for each in arm.failed_within)
    assert shown.values["failed_after"] == 160 - arm.failures_avoided.value
    assert shown.values["opened_in"] == arm.detected == 2
    assert "160 calls failed in the log" in shown.caption
    assert "R0" in shown.caption
    assert "R0, open loop on logged attempts" in shown.svg


def test_calls_that_the_log_hides_are_told_with_bounds(found: Study) -> None:
    shown = calendar_plate(with_incidents(found, hides=True))
    assert shown.values["turned_away_before"] == 30
    assert shown.values["failed_after_low"] < shown.values["failed_after_high"]
    assert "by what the missing calls were" in shown.caption


def test_a_log_without_incidents_says_so(found: Study) -> None:
    calm = replace(found.replayed, incidents=(), logged=(), arms=tuple(_without(each) for each in found.replayed.arms))
    shown = calendar_plate(replace(found, replayed=calm))
    assert shown.svg == ""
    assert shown.caption.startswith("No incident to lay side by side: in ")
    assert "no attempt" in calendar_plate(Unfounded("no attempt has a clock")).caption


def _without(arm: object) -> object:
    return replace(arm, detection_s=(), failed_within=())  # type: ignore[type-var]


def test_many_days_are_those_that_have_an_incident(found: Study) -> None:
    seen = with_incidents(found).replayed
    many = _repeated(seen, 40)
    shown = calendar_plate(replace(found, replayed=many))
    assert "9 days more with incidents not drawn." in shown.caption


def _repeated(seen: Replay, times: int) -> Replay:
    """The first incident again every second day."""
    first = seen.incidents[0]
    incidents = tuple(
        Incident(first.start_s + 2 * 86_400.0 * day, first.end_s + 2 * 86_400.0 * day) for day in range(times)
    )
    arms = tuple(
        replace(each, detection_s=each.detection_s[:1] * times, failed_within=each.failed_within[:1] * times)
        for each in seen.arms
    )
    return replace(seen, incidents=incidents, logged=seen.logged[:1] * times, arms=arms)
