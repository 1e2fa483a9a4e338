from dataclasses import replace
from datetime import date

import pytest
from lint_against_runs import Why, cases, explain_outage, explain_strays, tried

from relkit.exceptions import ParameterError
from relkit.policies.fallback import FallbackModel, FallbackSettings
from relkit.policies.policy import Policy
from relkit.policies.presets import changed, presets
from relkit.policies.retry_settings import Retry, RetrySettings
from relkit.simulation.traffic import traffic_of
from relkit.tune.lint import ModelTally, Traffic, lint
from relkit.tune.stray import stray_opens

MONTH = Traffic.a_month(10_000)
PLAN_CHAIN = FallbackSettings(
    (
        FallbackModel("llama-3.1-8b-instant", "groq", 131_072),
        FallbackModel("llama-3.1-70b-versatile", "groq", 131_072),
        FallbackModel("mixtral-8x7b-32768", "groq", 32_768),
    )
)


def codes_of(policy: Policy, traffic: Traffic) -> list[str]:
    return [finding.code for finding in lint(policy, traffic)]


def test_random_breakers_do_in_a_simulated_month_what_the_lint_says() -> None:
    found = [tried(case, seed) for seed, case in enumerate(cases(200, 3))]
    assert sum(each.never for each in found) >= 40
    assert sum(each.hair for each in found) >= 40
    assert not [each for each in found if each.unexplained]


def test_what_is_built_to_never_open_and_to_open_for_nothing_is_flagged() -> None:
    for case in cases(24, 8):
        policy = Policy("case", "2026", "random", breaker=case.cfg)
        said = codes_of(policy, Traffic(case.calls_per_s, case.failure_share, 0.0))
        if case.made == "never":
            assert "NEVER_TRIPS" in said
        elif case.made == "hair":
            assert "HAIR_TRIGGER" in said


def test_explanations_are_chance_bounds_and_union_and_nothing_else() -> None:
    assert len(Why) <= 4
    assert explain_strays(0.5, 1.0, 2.0, 0) is Why.CHANCE
    assert explain_strays(1.0, 30.0, 300.0, 2) is Why.BOUNDS
    assert explain_strays(10.0, 20.0, 40.0, 400) is None
    assert explain_outage(2.0, 0) is Why.CHANCE
    assert explain_outage(60.0, 0) is Why.UNION
    assert explain_outage(10_000.0, 0) is None
    assert explain_outage(1e-9, 1) is None


def test_at_the_plans_traffic_the_time_windows_never_open() -> None:
    never = [name for name, policy in presets.items() if "NEVER_TRIPS" in codes_of(policy, MONTH)]
    assert never == ["resilience4j-time", "polly-8", "envoy-success-rate", "sre-k2", "litellm"]


def test_a_window_with_one_call_in_it_is_a_hair_trigger() -> None:
    finding = next(each for each in lint(presets["opossum-10"], MONTH) if each.code == "HAIR_TRIGGER")
    assert finding.severity == "error"
    assert 90 < (finding.value or 0) <= 100  # each of the month's 100 failures


def test_failures_in_a_row_follow_the_closed_form() -> None:
    found = stray_opens(changed(presets["pybreaker"], open_s=1e-6).breaker, 1.0, 0.1)
    assert found is not None
    assert found.value == pytest.approx(2_592_000 / ((0.1**-5 - 1) / 0.9 + 1), rel=1e-6)


def test_what_no_formula_knows_is_not_said() -> None:
    assert stray_opens(presets["relkit-adaptive"].breaker, 1.0, 0.05) is None


def test_retries_that_outlive_their_caller_have_both_times() -> None:
    finding = next(
        each
        for each in lint(presets["polly"], replace(MONTH, latency_s=10.0, deadline_s=30.0))
        if each.code == "OUTLIVES_DEADLINE"
    )
    assert (finding.value, finding.threshold, finding.severity) == (46.0, 30.0, "error")  # 4 x 10 s + 3 x 2 s


def test_a_deadline_that_holds_is_no_finding() -> None:
    assert "OUTLIVES_DEADLINE" not in codes_of(presets["plan-fixed"], replace(MONTH, deadline_s=60.0))


def test_layers_multiply_through_chain_and_sdk() -> None:
    plan = replace(presets["plan-transient"], fallback=PLAN_CHAIN)
    finding = next(each for each in lint(plan, replace(MONTH, sdk_retries=2)) if each.code == "LAYERS_MULTIPLY")
    assert finding.value == 54  # 3 models x 6 attempts x 3 tries
    fixed = replace(presets["plan-fixed"], fallback=PLAN_CHAIN)
    assert "LAYERS_MULTIPLY" not in codes_of(fixed, MONTH)


def test_both_of_the_plans_fallbacks_were_dead_on_its_own_date() -> None:
    plan = replace(presets["plan"], fallback=PLAN_CHAIN)
    found = [each for each in lint(plan, replace(MONTH, as_of=date(2025, 10, 1))) if each.code == "DEAD_FALLBACK"]
    assert [each.where for each in found] == ["fallback.models[1]", "fallback.models[2]"]
    assert [each.value for each in found] == [250.0, 195.0]
    assert "ONE_PROVIDER" in codes_of(plan, MONTH)


def test_a_model_that_never_answered_in_the_log_is_dead_and_one_seldom_asked_is_not() -> None:
    chain = FallbackSettings((FallbackModel("a", "x", 100), FallbackModel("b", "y", 100)))
    policy = replace(presets["pybreaker"], fallback=chain)
    seen = replace(MONTH, models=(ModelTally("a", 500, 490), ModelTally("b", 40, 0)))
    assert [each.where for each in lint(policy, seen)] == ["fallback.models[1]"]
    assert not lint(policy, replace(MONTH, models=(ModelTally("b", 3, 0),)))


def test_one_request_whose_attempts_count_opens_a_breaker_alone() -> None:
    policy = replace(presets["pybreaker"], retry=Retry.of(RetrySettings(max_attempts=5, deadline_s=100.0)))
    assert "ONE_CALL_OPENS" in codes_of(policy, MONTH)
    assert "ONE_CALL_OPENS" not in codes_of(changed(policy, counts="call"), MONTH)


@pytest.mark.parametrize(
    ("policy", "latency_s", "where"),
    [
        (changed(presets["opossum-10"], timeout_s=1.0), 2.0, "breaker.timeout_s"),
        (changed(presets["resilience4j-count"], timeout_s=30.0), 1.0, "breaker.slow_call_s"),
        (changed(presets["plan-standard"], deadline_s=5.0), 6.0, "retry.transient.deadline_s"),
        (changed(presets["polly"], cap_s=1.0), 1.0, "retry.transient.cap_s"),
        (presets["tenacity"], 1.0, "retry.transient.first_delay_s"),
    ],
)
def test_settings_that_contradict_are_named(policy: Policy, latency_s: float, where: str) -> None:
    found = lint(policy, replace(MONTH, latency_s=latency_s))
    assert where in [each.where for each in found if each.code == "CONTRADICTION"]


def test_slow_calls_that_are_usual_are_named() -> None:
    assert "SLOW_IS_USUAL" in codes_of(
        changed(presets["resilience4j-count"], slow_call_s=1.0), replace(MONTH, latency_s=2.0)
    )


def test_traffic_is_read_from_a_log_and_refused_from_an_empty_one() -> None:
    log = traffic_of([float(place) for place in range(101)], [0.5] * 101, [place % 10 != 0 for place in range(101)])
    found = Traffic.of_log(log)
    assert found.calls_per_s == pytest.approx(1.01)
    assert found.failure_share == pytest.approx(11 / 101)
    assert found.latency_s == 0.5
    bad = [place % 50 == 0 or 4000 <= place < 4600 for place in range(20_000)]
    incident = traffic_of([float(place) for place in range(20_000)], [0.5] * 20_000, [not each for each in bad])
    assert Traffic.of_log(incident).failure_share == pytest.approx(0.02)  # 4.9 % with the incident
    with pytest.raises(ParameterError, match="two requests or more"):
        Traffic.of_log(traffic_of([1.0], [0.5], [True]))
    with pytest.raises(ParameterError, match="no call that succeeded"):
        Traffic.of_log(traffic_of([1.0, 2.0], [0.5, 0.5], [False, False]))


@pytest.mark.parametrize(
    "wrong",
    [{"calls_per_s": 0.0}, {"failure_share": 1.0}, {"latency_s": -1.0}, {"deadline_s": 0.0}, {"sdk_retries": -1}],
)
def test_traffic_that_cannot_be_is_refused(wrong: dict) -> None:
    with pytest.raises(ParameterError, match=next(iter(wrong))):
        replace(MONTH, **wrong)
