import json
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from relkit.config import SOURCES, TARGETS, RefusedExportError, exported, imported, load_config, refused
from relkit.config.unread import read_policy
from relkit.exceptions import ParameterError
from relkit.policies.fallback import FallbackModel, FallbackSettings
from relkit.policies.policy import Policy
from relkit.policies.presets import changed, presets
from relkit.policies.retry_settings import Retry
from relkit.simulation.drive import drive

PARTS = ("breaker", "retry", "retry_budget", "fallback", "freshness")
CHAIN = FallbackSettings((FallbackModel("a", "x", 8192, 0.05, 0.08), FallbackModel("b", "y", 32768, 0.59, 0.79)))
MS = st.integers(1, 10**7).map(lambda ms: ms / 1000)
SHARE = st.integers(1, 10_000).map(lambda parts: parts / 10_000)
COUNT = st.integers(1, 1000)


def settings_of(policy: Policy) -> list:
    read = read_policy(policy)
    return [getattr(read, part) for part in PARTS]


def comes_back(policy: Policy, target: str) -> bool:
    """Whether the file of a target says the same settings."""
    return settings_of(imported(str(exported(policy, target)), target)) == settings_of(policy)


@pytest.mark.parametrize("name", list(presets))
def test_every_preset_comes_back_from_relkit_toml(name: str) -> None:
    policy = presets[name]
    assert comes_back(policy, "relkit")
    assert imported(str(exported(policy, "relkit")), "relkit").hash == policy.hash


@pytest.mark.parametrize("target", [target for target in SOURCES if target != "relkit"])
def test_every_preset_comes_back_from_a_target_or_is_refused_with_reasons(target: str) -> None:
    said = 0
    for policy in presets.values():
        if refused(policy, target):
            assert all(each.why and each.setting for each in refused(policy, target))
            with pytest.raises(RefusedExportError, match="nothing was written"):
                exported(policy, target)
        else:
            held = [part for part in PARTS if getattr(policy, part) is not None]
            if not any(note.startswith(tuple(held)) for note in exported(policy, target).notes):
                assert comes_back(policy, target)
            said += 1
    assert said >= 1


@given(st.data())
@settings(max_examples=20, derandomize=True, deadline=None)
def test_any_settings_a_target_can_say_come_back_exactly(data: st.DataObject) -> None:
    draw = data.draw
    window = draw(COUNT)
    r4j = changed(
        presets["resilience4j-count"], window_calls=window, min_calls=draw(COUNT), failure_share=draw(SHARE), slow_share=draw(SHARE),
        slow_call_s=draw(MS), open_s=draw(MS), half_open_permits=draw(COUNT), half_open_max_s=draw(MS), waits_for_call=draw(st.booleans()),
        half_open_expiry_closes=draw(st.booleans()), open_jitter=draw(st.integers(0, 99)) / 100,
    )  # fmt: skip
    assert comes_back(r4j, "resilience4j")
    assert comes_back(
        changed(
            r4j,
            open_growth="exponential",
            open_factor=draw(SHARE) + 1.0,
            open_max_s=round(r4j.breaker.open_s + draw(MS), 3),
        ),
        "resilience4j",
    )
    timed = changed(presets["resilience4j-time"], window_s=float(window), buckets=window, min_calls=draw(COUNT))
    assert comes_back(timed, "resilience4j")
    assert comes_back(
        changed(
            presets["resilience4j-retry"],
            max_attempts=draw(COUNT),
            first_delay_s=draw(MS),
            cap_s=1e5,
        ),
        "resilience4j",
    )
    span = draw(MS)
    opossum = changed(
        presets["opossum-10"], failure_share=draw(SHARE), open_s=draw(MS), window_s=span, buckets=draw(COUNT), min_calls=draw(COUNT),
        timeout_s=draw(st.sampled_from([0.0, 0.25, 3.0])), warm_up_s=draw(st.sampled_from([0.0, span])),
    )  # fmt: skip
    assert comes_back(opossum, "opossum")
    assert comes_back(
        changed(presets["pybreaker"], failure_threshold=draw(COUNT), open_s=draw(MS), half_open_successes=draw(COUNT)),
        "pybreaker",
    )
    assert comes_back(
        replace(changed(presets["litellm"], open_s=draw(MS), max_attempts=draw(COUNT)), fallback=CHAIN), "litellm"
    )
    assert comes_back(
        changed(presets["plan-fixed"], open_s=0.5 + draw(st.floats(0, 20)), failure_threshold=3, max_attempts=2),
        "relkit",
    )


@pytest.mark.parametrize(
    ("policy", "target", "setting"),
    [
        (presets["resilience4j-count"], "pybreaker", "breaker.family"),
        (changed(presets["pybreaker"], open_jitter=0.1), "pybreaker", "breaker.open_jitter"),
        (changed(presets["opossum-10"], open_s=0.0005), "opossum", "breaker.open_s"),
        (changed(presets["resilience4j-time"], window_s=1.5), "resilience4j", "breaker.window_s"),
        (changed(presets["litellm"], failure_share=0.4), "litellm", "breaker.failure_share"),
        (presets["plan-fixed"], "tenacity", "retry_budget"),
        (presets["polly"], "stamina", "retry.backoff"),
        (presets["pybreaker"], "tenacity", "policy"),
    ],
)
def test_what_a_target_cannot_say_is_refused_by_name(policy: Policy, target: str, setting: str) -> None:
    assert setting in [each.setting for each in refused(policy, target)]


def test_parts_of_other_libraries_are_told_and_not_dropped_silently() -> None:
    policy = replace(changed(presets["pybreaker"], open_s=30.0), retry=Retry.of(presets["stamina"].retry.transient))
    assert any(note.startswith("retry is not in this file") for note in exported(policy, "pybreaker").notes)
    assert "counts = call" in str(exported(changed(presets["pybreaker"], counts="call"), "pybreaker"))


@pytest.mark.parametrize(
    ("text", "target", "said"),
    [
        ("resilience4j: {circuitbreaker: {instances: {a: {ringBufferSizeInClosedState: 5}}}}", "resilience4j", "another version.*slidingWindowSize"),
        ("resilience4j: {retry: {instances: {a: {maxRetryAttempts: 5}}}}", "resilience4j", "another version.*maxAttempts"),
        ("resilience4j: {circuitbreaker: {backends: {a: {}}}}", "resilience4j", "another version.*instances"),
        ("resilience4j: {circuitbreaker: {instances: {a: {slidingWindowSise: 5}}}}", "resilience4j", "did you mean slidingWindowSize"),
        ("a: 1\na: 2", "resilience4j", "line 2: a is there twice"),
        ("a: [", "litellm", "line 1"),
        ('{"maxFailures": 5}', "opossum", "another version"),
        ('{"resetTimeOut": 5}', "opossum", "did you mean resetTimeout"),
        ("{", "opossum", "line 1"),
        ("CircuitBreaker(fail_max=n)", "pybreaker", "no plain value"),
        ("CircuitBreaker(timeout_duration=5)", "pybreaker", "another version"),
        ("x = 1", "pybreaker", "0 calls"),
        ("router_settings: {allowed_fails: 3}", "litellm", "another cooldown rule"),
        ("router_settings: {fallbacks: [{a: [b]}]}", "litellm", "not in model_list"),
        ('[service.default]\nbreaker = { preset = "pybraker" }', "relkit", "did you mean pybreaker"),
        ("[service.default]\nbreaker = { open_sec = 1.0 }", "relkit", "did you mean open_s"),
        ("[service.default]\nbraker = {}", "relkit", "did you mean breaker"),
        ('[service.default]\nretry_budget = { preset = "pybreaker" }', "relkit", "take a preset that has a retry_budget"),
    ],
)  # fmt: skip
def test_a_file_that_is_not_understood_wholly_is_refused_with_a_remedy(text: str, target: str, said: str) -> None:
    with pytest.raises(ParameterError, match=f"(?s){said}"):
        imported(text, target)


def test_spring_files_are_read_as_spring_reads_them() -> None:
    text = (
        "resilience4j.circuitbreaker.configs.default.sliding-window-size=50\n"
        "resilience4j.circuitbreaker.instances.a.wait-duration-in-open-state=PT1M30S\n"
        "resilience4j.circuitbreaker.instances.a.failureRateThreshold=12.5\n"
    )
    breaker = imported(text, "resilience4j").breaker
    assert (breaker.window_calls, breaker.open_s, breaker.failure_share) == (50, 90.0, 0.125)


def test_services_inherit_parts_from_default_and_are_read_by_load_config(tmp_path) -> None:
    path = tmp_path / "relkit.toml"
    path.write_text(
        '[service.default]\nbreaker = { preset = "pybreaker", open_s = 30 }\nretry = { preset = "plan-standard" }\n'
        'retry_budget = { preset = "plan-standard" }\n[service."pay.ments"]\nbreaker = { preset = "gobreaker", open_s = 5.0 }\n',
        encoding="utf-8",
    )
    with pytest.raises(ParameterError, match=r"service\.default.*open_s"):  # longer than a call may take
        load_config(path)
    path.write_text(path.read_text(encoding="utf-8").replace("open_s = 30", "open_s = 8"), encoding="utf-8")
    config = load_config(path)
    assert config.service("unknown").breaker.open_s == 8.0
    assert config.service("pay.ments").breaker.failure_threshold == 6
    assert config.service("pay.ments").retry == presets["plan-standard"].retry
    with pytest.raises(ParameterError, match="service"):
        load_config(None).service("a")


@pytest.mark.parametrize("name", [name for name, policy in presets.items() if policy.breaker is not None])
def test_settings_that_are_not_read_change_no_decision(name: str) -> None:
    script = [("call", "failure" if place % 3 else "success", 0.2) for place in range(40)]
    script += [("wait", 61.0), *script, ("wait", 400.0), *script]
    read = replace(presets[name], breaker=read_policy(presets[name]).breaker)
    seen = [[(step.state, step.admitted, step.code) for step in drive(each, script)] for each in (presets[name], read)]
    assert seen[0] == seen[1]


def test_an_unknown_target_names_those_there_are() -> None:
    with pytest.raises(ParameterError, match=", ".join(TARGETS)):
        exported(presets["pybreaker"], "hystrix")
    assert json.loads(str(exported(presets["opossum-10"], "opossum")))["timeout"] == 10_000
