"""The page of breakers: every picture says its finding, says that it is under reserve where it is, and never fails for want of a log."""

import json
import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from tuned import quiet_study

from relkit.plates import breakers, calendar, timeline, trial, tuning
from relkit.policies.presets import presets
from relkit.simulation.scenario_toml import scenario_in
from relkit.tune.reach import reach
from relkit.tune.sensitivity import Effect, Sensitivity
from relkit.tune.study import Study, Unfounded, map_of

NOTHING = Unfounded("no attempt has a clock")
DRAWN: tuple[Callable[..., Any], ...] = (
    breakers.traffic_table, breakers.checks_plate, breakers.today_table, breakers.reach_table, breakers.detection_plate,
    breakers.choice_table, breakers.replay_plate, breakers.replayed_table, breakers.export_table, breakers.settings_table,
    tuning.front_plate, tuning.regret_plate, timeline.trial_plate, trial.trial, calendar.calendar_plate,
)  # fmt: skip
NEEDS_NO_LOG = (breakers.reach_table, breakers.detection_plate)


@pytest.fixture(scope="module")
def found() -> Study:
    return quiet_study()


@pytest.fixture(scope="module")
def doubtful(found: Study) -> Study:
    checks = (replace(found.calibration.checks[0], passed=False), *found.calibration.checks[1:])
    return replace(found, calibration=replace(found.calibration, checks=checks))


@pytest.mark.parametrize("drawn", DRAWN, ids=lambda each: each.__name__)
def test_the_caption_holds_a_number_and_the_bytes_are_the_same_again(drawn: Callable[..., Any], found: Study) -> None:
    shown = drawn(found)
    assert re.search(r"\d", shown.caption)
    assert drawn(found)._repr_mimebundle_() == shown._repr_mimebundle_()
    assert len(shown._repr_mimebundle_()["text/html"]) < 45_000


@pytest.mark.parametrize("drawn", DRAWN, ids=lambda each: each.__name__)
def test_without_a_log_the_reason_stands_in_its_place(drawn: Callable[..., Any]) -> None:
    shown = drawn(NOTHING)
    if drawn not in NEEDS_NO_LOG:
        assert "no attempt has a clock" in shown.caption
    assert shown.record()["name"]


@pytest.mark.parametrize("drawn", [each for each in DRAWN if each not in NEEDS_NO_LOG], ids=lambda each: each.__name__)
def test_a_failed_check_is_said_on_every_picture_that_rests_on_it(drawn: Callable[..., Any], doubtful: Study) -> None:
    if drawn in {breakers.replay_plate, breakers.replayed_table, breakers.settings_table}:
        return  # the log itself, or the verdict's own words
    caption = drawn(doubtful).caption
    assert caption.startswith(("Under reserve (1 check of the calibration failed)", "Not to be trusted"))


def test_the_explorer_finds_what_the_page_played_to_the_last_bit(found: Study) -> None:
    told = json.loads(json.dumps(breakers.traffic_table(found).record()))["values"]
    assert scenario_in(told["played"]) == found.base
    assert (told["bad_s"], told["stamp"]) == (found.bad_s, found.stamp)


def test_at_the_plans_traffic_five_presets_never_open_and_ten_calls_are_the_month() -> None:
    shown = breakers.reach_table(NOTHING)
    assert "5 presets never open: resilience4j-time, polly-8, envoy-success-rate, sre-k2, litellm" in shown.caption
    assert "10 failing calls, 43.2 minutes: 100 % of the month's budget of 99.9 %" in shown.caption
    assert shown.values["plan"] == pytest.approx(2592.0)
    assert shown.values["polly-8"] is None


def test_detection_is_marked_at_your_rate_with_what_reach_says(found: Study) -> None:
    shown = breakers.detection_plate(found)
    for name in ("pybreaker", "resilience4j-count"):
        told = reach(presets[name], found.requests_a_month).outage_s
        assert shown.values[name] == pytest.approx(told, rel=1e-6)
    assert "your rate" in shown.svg
    assert "the plan's rate".replace("'", "") in breakers.detection_plate(NOTHING).svg


def test_the_front_marks_the_choice_and_counts_everybody(found: Study) -> None:
    shown = tuning.front_plate(found)
    assert "the choice" in shown.svg
    assert sum(shown.values[state] for state in ("on", "off", "not resolved")) == len(found.found.candidates)


def test_the_choice_table_gives_each_setting_before_and_after(found: Study) -> None:
    shown = breakers.choice_table(found)
    cells = {row[0]: row[1:] for row in shown.rows}
    assert cells["family"] == ("adaptive", "count")
    assert cells["open_s"][1] == f"{found.best.policy.breaker.open_s:g}"
    assert "probability that it is the best" in cells
    assert shown.values["low"] <= shown.values["gain"] <= shown.values["high"]


def test_a_refusal_by_its_limits_says_which(found: Study) -> None:
    verdict = replace(found.best.verdict, code="REFUSED", sentence="No setting is recommended: 1.", why_not="too near")
    refused = replace(found, best=replace(found.best, verdict=verdict, gain=None))
    assert ("why not", "too near") in breakers.choice_table(refused).rows


def test_regret_is_never_below_zero_and_of_the_choice_the_smallest_is_said(found: Study) -> None:
    shown = tuning.regret_plate(found)
    assert all(value >= 0.0 for value in shown.values.values() if value is not None)
    assert any(name.startswith("the choice, ") for name in shown.values)


def test_a_map_hatches_what_is_below_the_limit(found: Study) -> None:
    grid = map_of(found)
    assert grid is not None
    poor = replace(grid, success=np.zeros_like(grid.success))
    fine = replace(grid, success=np.ones_like(grid.success))
    assert "Every point keeps the limit" in tuning.heat_plate(found, fine).caption
    assert "url(#h" not in tuning.heat_plate(found, fine).svg
    assert "Hatched" in tuning.heat_plate(found, poor).caption
    assert "url(#h" in tuning.heat_plate(found, poor).svg
    assert "No map was played" in tuning.heat_plate(found, None).caption


def test_nothing_is_ranked_where_an_interval_is_wide(found: Study) -> None:
    wide = Sensitivity("morris", "success", (Effect("open_s", 0.5, 0.1, 0.9),), False, "Wide by 0.8.", 10)
    assert "Nothing is ranked" in tuning.tornado_plate(found, wide).caption
    sharp = replace(wide, effects=(Effect("open_s", 0.5, 0.45, 0.55),), is_ranked=True)
    assert "open_s matters most" in tuning.tornado_plate(found, sharp).caption


def test_a_target_that_cannot_say_it_gives_its_reason(found: Study) -> None:
    rows = {row[0]: row for row in breakers.export_table(found).rows}
    assert rows["pybreaker"][1] == "no"
    assert "failures in a row" in rows["pybreaker"][2]
    assert rows["relkit"][1] == "yes"
    assert "to be deployed." in breakers.settings_table(found).caption


def test_the_still_of_the_trial_holds_no_widget(found: Study) -> None:
    shown = trial.trial(found)
    assert set(shown._repr_mimebundle_()) == {"text/html", "text/plain", "application/vnd.relkit+json"}
