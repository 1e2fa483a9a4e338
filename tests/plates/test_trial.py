"""The live trial: a control for every setting, within what the settings themselves allow, and a new picture at each move."""

import json
import math
import re
from dataclasses import fields
from typing import Any

import pytest
from tuned import quiet, quiet_study

from relkit.exceptions import ParameterError
from relkit.plates import trial
from relkit.plates.knobs import ENDLESS, GROUPS, PAYS, SECOND, TIMEOUT, knobs_of, tried
from relkit.policies.presets import changed, presets
from relkit.policies.records import BreakerSettings
from relkit.policies.retry_budget import RetryBudgetSettings
from relkit.policies.retry_settings import RetrySettings
from relkit.simulation.run import simulate
from relkit.simulation.scenario import Scenario
from relkit.slo.objective import Objective
from relkit.tune.groundwork import base_of, suite_of
from relkit.tune.study import Study

WITH_BREAKER = [name for name, each in presets.items() if each.breaker]
PLAIN = presets["plan-fixed"]


@pytest.fixture(scope="module")
def outage() -> Scenario:
    return next(each for each in suite_of(base_of(quiet()).changed(requests=1500), 200.0) if each.name == "outage")


@pytest.fixture(scope="module")
def found() -> Study:
    return quiet_study()


def values(policy: Any, scenario: Scenario) -> dict[str, Any]:
    return {each.name: each.value for each in knobs_of(policy, scenario)}


def test_every_setting_has_a_knob_in_a_group(outage: Scenario) -> None:
    found = knobs_of(PLAIN, outage)
    names = [each.name for of in (BreakerSettings, RetrySettings, RetryBudgetSettings) for each in fields(of)]
    assert [each.name for each in found] == [*names, TIMEOUT, SECOND, PAYS]
    assert {each.group for each in found} == set(GROUPS)
    numbers = [each for each in found if not each.words and not isinstance(each.value, bool)]
    assert [each.name for each in numbers if not each.unit] == []


@pytest.mark.parametrize("name", WITH_BREAKER)
def test_knobs_that_nobody_moves_change_nothing(name: str, outage: Scenario) -> None:
    before = values(presets[name], outage)
    policy, scenario = tried(presets[name], outage, before, before)
    assert (policy.hash, scenario) == (presets[name].hash, outage)


@pytest.mark.parametrize("name", WITH_BREAKER)
def test_a_range_is_what_the_settings_own_checks_take(name: str, outage: Scenario) -> None:
    """Both ends and where it stands are inside; a step beyond a lower end above zero is refused by the settings."""
    for each in knobs_of(presets[name], outage):
        if each.words or isinstance(each.value, bool):
            continue
        assert each.low <= each.value <= each.high
    by_name = {each.name: each for each in knobs_of(PLAIN, outage)}
    for setting, low, high in (
        ("growth", 1.0, 1000.0),
        ("deposit_s", 1.0, 60.0),
        ("jitter_share", 0.0, 1.0),
        ("failure_share", 0.01, 1.0),
    ):
        assert (by_name[setting].low, by_name[setting].high) == (low, high)


def test_what_is_moved_arrives_in_its_part(outage: Scenario) -> None:
    before = values(PLAIN, outage)
    moved = {"open_s": 12.0, "max_attempts": 2, "capacity": 5.0, TIMEOUT: 2.0}
    policy, scenario = tried(PLAIN, outage, before, before | moved)
    assert policy.breaker is not None
    assert policy.retry is not None
    assert policy.retry_budget is not None
    assert (policy.breaker.open_s, policy.retry.transient.max_attempts, policy.retry_budget.capacity) == (12.0, 2, 5.0)
    assert scenario.timeout_s == 2.0
    assert changed(PLAIN, open_s=12.0, max_attempts=2, capacity=5.0).hash == policy.hash


def test_a_limit_at_the_far_end_is_none(outage: Scenario) -> None:
    before = values(PLAIN, outage)
    policy, _ = tried(PLAIN, outage, before, before | {"deadline_s": ENDLESS})
    assert policy.retry is not None
    assert policy.retry.transient.deadline_s == math.inf


def test_retries_can_be_given_to_a_policy_that_had_none(outage: Scenario) -> None:
    before = values(presets["pybreaker"], outage)
    policy, _ = tried(presets["pybreaker"], outage, before, before | {"max_attempts": 3})
    assert policy.retry is not None
    assert policy.retry.critical.max_attempts == 3


def test_a_second_model_answers_while_the_first_is_down(outage: Scenario) -> None:
    before = values(PLAIN, outage)
    alone = simulate(outage, PLAIN, 1).answered_share
    policy, scenario = tried(PLAIN, outage, before, before | {SECOND: True, PAYS: False})
    assert [model.name for model in scenario.models] == ["model", "second model"]
    assert simulate(scenario, policy, 1).answered_share > max(alone, 0.99)


def test_settings_that_no_policy_can_have_are_refused(outage: Scenario) -> None:
    count = changed(PLAIN, family="count", min_calls=5, window_calls=20)
    before = values(count, outage)
    with pytest.raises(ParameterError, match="min_calls"):
        tried(count, outage, before, before | {"min_calls": 90})


def test_a_step_is_drawn_with_kinds_pages_and_a_ribbon_for_each_model(outage: Scenario) -> None:
    bench = trial.Bench(PLAIN, presets["plan"], [outage], Objective("availability", "0.999"))
    before = {each.name: each.value for each in bench.knobs("the choice", "outage")}
    html, told = bench.step("the choice", "outage", before, before | {SECOND: True}, "here")
    record = json.loads(re.search(r"getElementById\('here'\), (\{.*?\}), \{", html)[1])  # type: ignore[index]
    assert [name for name, _ in record["ribbons"]] == ["model", "second model"]
    assert sum(sum(counts) for _, counts in record["kinds"]) == sum(record["failed"])
    assert sum(record["answered"]) + sum(record["failed"]) + sum(record["rejected"]) == 1500
    assert "answered" in told
    assert "page" in told


def test_a_setting_that_its_family_does_not_read_is_said_to_make_no_difference(outage: Scenario) -> None:
    bench = trial.Bench(PLAIN, presets["plan"], [outage], Objective("availability", "0.999"))
    before = {each.name: each.value for each in bench.knobs("the choice", "outage")}
    said = [
        bench.step("the choice", "outage", before, before | moved, "here")[1]
        for moved in ({}, {"failure_share": 0.3}, {"open_s": 5.0})
    ]
    assert ["no difference" in each for each in said] == [False, True, False]


def test_moving_a_control_plays_a_new_run_and_a_refusal_is_said(found: Study, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also from another beginning, whose ranges lie elsewhere; what no policy can have is said and not drawn."""
    updates: list[str] = []

    class Handle:
        def update(self, shown: Any) -> None:
            updates.append(shown.data)

    monkeypatch.setattr("IPython.display.display", lambda *_, **__: Handle())
    box = trial.trial(found, interactive=True)
    (scenario, beginning), told, *first, rest = (box.children[0].children, *box.children[1:])
    assert [part.description.split(",")[0] for part in first] == list(trial.FIRST)
    assert tuple(rest.titles) == GROUPS
    assert sum(len(group.children) for group in rest.children) + len(first) == len(knobs_of(PLAIN, found.base))
    assert len(updates) == 1
    first[0].value = 0.9
    assert len(updates) == 2
    assert updates[0] != updates[1]
    first[2].value = 90  # more calls than the window has
    assert len(updates) == 2
    assert "min_calls" in told.value
    for name in WITH_BREAKER:
        beginning.value = name
        assert first[1].value == min(presets[name].breaker.open_s, ENDLESS)
    assert len(updates) == 2 + len(WITH_BREAKER)
    scenario.value = "brownout"
    assert len(updates) == 3 + len(WITH_BREAKER)
