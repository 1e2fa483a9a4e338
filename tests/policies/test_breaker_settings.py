"""Settings that are out of range or cannot work together are refused: name, got, allowed, remedy."""

from dataclasses import fields

import pytest

from relkit import Policy, drive, presets
from relkit.exceptions import ParameterError
from relkit.policies.breaker_presets import BREAKER_PRESETS
from relkit.policies.codes import CHOICES
from relkit.policies.records import BreakerSettings
from relkit.policies.retry_budget import RetryBudgetSettings
from relkit.policies.retry_settings import Retry, RetrySettings

REFUSED = [
    ({"family": "count", "window_calls": 10, "min_calls": 20}, "min_calls = 20", "at most window_calls, 10"),
    ({"failure_threshold": 0}, "failure_threshold = 0", "from 1"),
    ({"family": "adaptive", "failure_threshold": 11}, "failure_threshold = 11", "threshold_ceiling, 10"),
    ({"family": "adaptive", "lower_below_share": 0.95}, "lower_below_share = 0.95", "below raise_above_share"),
    ({"family": "outlier"}, "interval_s = 0.0", "above 0"),
    ({"permits_in_all": True, "half_open_successes": 2}, "half_open_successes = 2", "half_open_permits, 1"),
    ({"open_s": 60.0, "open_max_s": 30.0}, "open_max_s = 30.0", "at least open_s"),
    ({"open_s": 0.0}, "open_s = 0.0", "above 0"),
    ({"open_s": float("nan")}, "open_s = nan", "above 0"),
    ({"open_factor": 0.5}, "open_factor = 0.5", "from 1"),
    ({"failure_share": 0.0}, "failure_share = 0.0", "above 0"),
    ({"ejected_share": 10.0}, "ejected_share = 10.0", "from 0 to 1"),
    ({"min_calls": 2.5}, "min_calls = 2.5", "whole number"),
    ({"keeps_window": 1}, "keeps_window = 1", "true or false"),
    ({"family": "magic"}, "family = 'magic'", "consecutive"),
    ({"open_growth": 9}, "open_growth = 9", "steady"),
]


@pytest.mark.parametrize(("changes", "got", "allowed"), REFUSED, ids=lambda value: str(value)[:30])
def test_what_cannot_work_is_refused(changes: dict[str, object], got: str, allowed: str) -> None:
    with pytest.raises(ParameterError) as refused:
        BreakerSettings().changed(**changes)
    text = str(refused.value)
    assert got in text
    assert allowed in text
    assert ";" in text.split("allowed is")[1], "there is a remedy"


def test_an_unknown_setting_is_refused_with_the_known_ones() -> None:
    with pytest.raises(ParameterError, match=r"'open_seconds'.*open_s"):
        BreakerSettings().changed(open_seconds=5.0)


def test_resilience4j_alone_lowers_its_minimum_to_the_window() -> None:
    assert presets["resilience4j-count"].breaker is not None
    assert presets["resilience4j-count"].breaker.changed(window_calls=10).window_calls == 10


def test_words_and_numbers_mean_the_same() -> None:
    for name, words in CHOICES.items():
        for number, word in enumerate(words):
            if name == "family" and word == "outlier":
                continue
            assert BreakerSettings().changed(**{name: word}) == BreakerSettings().changed(**{name: number})


def test_a_breaker_open_longer_than_the_retries_deadline_is_refused() -> None:
    retry = Retry.of(RetrySettings(deadline_s=30.0))
    with pytest.raises(ParameterError, match=r"open_s = 60.0 .* deadline_s, 30; shorten open_s"):
        Policy("mine", "2026-11", "test", BreakerSettings(open_s=60.0), retry)
    assert Policy("mine", "2026-11", "test", BreakerSettings(open_s=30.0), retry).retry == retry
    once = Retry.of(RetrySettings(deadline_s=30.0, max_attempts=1))
    assert Policy("mine", "2026-11", "test", BreakerSettings(open_s=60.0), once).retry == once


def test_retries_that_need_a_budget_are_refused_without_one() -> None:
    needy = Retry.of(RetrySettings(needs_budget=True))
    with pytest.raises(ParameterError, match="retry_budget"):
        Policy("mine", "2026-11", "test", retry=needy)
    assert Policy("mine", "2026-11", "test", retry=needy, retry_budget=RetryBudgetSettings()).retry == needy


def test_the_hash_tells_settings_apart_and_nothing_else() -> None:
    one = Policy("a", "2026-11", "test", BreakerSettings())
    assert one.hash == Policy("b", "2025-01", "other", BreakerSettings()).hash
    seconds = [
        field.name for field in fields(BreakerSettings) if field.name.endswith("_s") and field.name != "open_max_s"
    ]
    flags = [
        field.name for field in fields(BreakerSettings) if isinstance(getattr(BreakerSettings(), field.name), bool)
    ]
    changed = [BreakerSettings().changed(**{name: 7.5}) for name in seconds]
    changed += [BreakerSettings().changed(**{name: not getattr(BreakerSettings(), name)}) for name in flags]
    hashes = {Policy("a", "", "", cfg).hash for cfg in changed}
    assert len(hashes) == len(changed)
    assert one.hash not in hashes


def test_no_setting_of_breakers_and_retries_shares_a_name() -> None:
    breaker = {field.name for field in fields(BreakerSettings)}
    assert breaker & {field.name for field in fields(RetrySettings)} == set()


@pytest.mark.parametrize("name", presets)
def test_every_preset_is_dated_sourced_and_sound(name: str) -> None:
    policy = presets[name]
    assert policy.name == name
    assert policy.dated[:2] == "20"
    assert len(policy.source) > 20
    if policy.breaker is not None:
        assert policy.breaker.changed() == policy.breaker


def test_the_promised_breakers_are_there() -> None:
    promised = {
        "plan", "plan-fixed", "resilience4j-count", "resilience4j-time", "polly-8", "opossum-10", "pybreaker", "gobreaker",
        "envoy-consecutive", "envoy-success-rate", "sre-k2", "finagle", "litellm",
    }  # fmt: skip
    assert promised <= set(BREAKER_PRESETS)
    assert len({presets[name].hash for name in BREAKER_PRESETS}) == len(BREAKER_PRESETS)


def test_an_unknown_preset_is_refused_with_the_known_ones() -> None:
    with pytest.raises(ParameterError, match=r"'hystrix'.*polly-8"):
        drive("hystrix", [])
    assert "hystrix" not in presets
    assert len(presets) == len(list(presets))
