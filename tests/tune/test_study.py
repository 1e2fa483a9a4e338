"""A study: what is played, what may be chosen, what is taken from the store, and that doubt ends in a refusal."""

from dataclasses import replace

import numpy as np
import pytest
from tuned import quiet, quiet_log, quiet_study

from relkit.exceptions import ParameterError
from relkit.policies.presets import presets
from relkit.simulation.arrivals import varying
from relkit.simulation.replay import Incident
from relkit.tune import study as studies
from relkit.tune.groundwork import base_of, space_of, steady, suite_of, trouble_s, usual_goal
from relkit.tune.results import scenario_key
from relkit.tune.study import Unfounded, map_of, matters_of, study


def test_a_log_that_can_be_trusted_ends_in_a_recommendation() -> None:
    found = quiet_study()
    assert found.verdict.code == "RECOMMENDED"
    assert found.best is found.judged
    assert found.stamp == ""
    assert found.judged.gain is not None
    assert found.judged.gain.low > 0.0
    assert found.replayed.level == "R1"
    assert {arm.policy for arm in found.replayed.arms} >= {"plan", "the choice", "polly-8"}


def test_a_failed_check_refuses_and_still_shows_what_it_would_have_been(monkeypatch: pytest.MonkeyPatch) -> None:
    """The pictures show the choice under reserve; the verdict recommends nothing."""
    monkeypatch.setattr(studies, "SMALL_POINTS", 4)
    doubtful = replace(quiet(), checks=(replace(quiet().checks[0], passed=False), *quiet().checks[1:]))
    found = study(quiet_log(), doubtful, presets["plan"], workers=1, progress=False)
    assert found.verdict.code == "REFUSED"
    assert found.verdict.why_not == found.stamp != ""
    assert found.best.evaluations > 0
    assert found.judged.policy_hash == presets["plan"].hash


def test_without_traffic_the_verdict_is_a_refusal_that_says_why() -> None:
    verdict = Unfounded("no attempt has a clock").verdict
    assert (verdict.code, verdict.why_not) == ("REFUSED", "No attempt has a clock.")
    assert map_of(Unfounded("none")) is None
    assert matters_of(Unfounded("none")) is None


def test_hours_become_the_rate_that_a_request_sees() -> None:
    """Of an hour at 1 and one at 9 a second, nine requests in ten see 9: (1 + 81) / (1 + 9)."""
    uneven = quiet().scenario.changed(arrivals=varying([(3600.0, 1.0), (3600.0, 9.0)]))
    base = base_of(replace(quiet(), scenario=uneven), 7)
    assert base.arrivals.mean_rate == pytest.approx(8.2)
    assert (base.requests, base.episodes) == (6000, ())
    assert [model.cost_microusd for model in base.models] == [7]


def test_trouble_lasts_as_the_longest_incident_and_holds_twenty_calls_at_least() -> None:
    base = base_of(quiet())
    rate, run_s = base.arrivals.mean_rate, base.duration_s
    assert trouble_s(base, ()) == pytest.approx(20.0 / rate, rel=0.01)
    assert trouble_s(base, [Incident(0.0, 60.0), Incident(100.0, 200.0)]) == 100.0
    assert trouble_s(base, [Incident(0.0, 1e6)]) == pytest.approx(0.2 * run_s, rel=0.01)
    assert len(suite_of(base, 60.0)) == 12
    assert len(suite_of(base, 60.0, small=True)) == 6


def test_todays_setting_takes_part_and_every_point_can_be_built() -> None:
    space = space_of(presets["plan-fixed"])
    assert space.fixed[0].hash == presets["plan-fixed"].hash
    assert space.design(64).refused == ()
    longest = max(
        loop.deadline_s for loop in (presets["plan-fixed"].retry.transient, presets["plan-fixed"].retry.rate_limited)
    )
    assert space.ranges["open_s"].high <= longest
    with pytest.raises(ParameterError, match="policy with a breaker"):
        space_of(presets["aws-standard-2026"])


def test_who_opens_for_nothing_may_not_be_chosen() -> None:
    """finagle opens at the first failure: of 2 % failing, hundreds of times a month."""
    found = quiet_study().found
    kept = {each.name for each in steady(found, 0.02, 0.83).candidates}
    assert {"finagle", "opossum-10"} & {each.name for each in found.candidates}
    assert not {"finagle", "opossum-10"} & kept
    assert "pybreaker" in kept
    assert len(steady(found, 0.0, 0.83).candidates) == len(found.candidates)


def test_the_usual_goal_is_one_that_today_keeps() -> None:
    found = quiet_study()
    goal = usual_goal(found.found, found.today)
    means = found.found.of("success")[found.found.place_of(found.today.hash)].mean(axis=1)
    worst, healthy = (limit.value for limit in goal.limits)
    assert worst < means.min()
    assert healthy < means[found.found.scenario_names.index("healthy")]
    assert goal.best_in == "wasted_per_1k"


def test_a_whole_sweep_of_the_store_is_taken_and_a_torn_one_is_not() -> None:
    space, suite = space_of(presets["plan"]), suite_of(base_of(quiet()), 60.0)
    known = {
        (one.policy.hash, scenario_key(scenario), seed): (0.0,)
        for one in space.design(16).candidates
        for scenario in suite
        for seed in range(1, studies.WHOLE_SEEDS + 1)
    }
    assert studies._stored_points(space, suite, known, 1) == 16
    known.pop(next(iter(known)))
    assert studies._stored_points(space, suite, known, 1) is None
    assert studies._stored_points(space, suite, {}, 1) is None


def test_maps_and_screening_are_of_the_searched_space() -> None:
    found = quiet_study()
    grid, matters = map_of(found), matters_of(found)
    assert grid is not None
    assert matters is not None
    assert grid.success.shape == (8, 8, 3, studies.SMALL_SEEDS)
    assert np.all((grid.success >= 0.0) & (grid.success <= 1.0))
    assert {each.setting for each in matters.effects} == set(found.space.ranges)
