"""One sentence says why a breaker did or did not open, with the numbers that decided."""

import re

import pytest

from relkit import drive, presets
from relkit.policies.breaker_presets import BREAKER_PRESETS

OK, BAD = ("call", "success"), ("call", "failure")

SAID = [
    ("pybreaker", [BAD] * 3, {}, "Closed: 3 failures in a row; 5 open it."),
    ("pybreaker", [BAD] * 5, {}, "5 failures in a row reached the threshold; 60 s of 60 s are left"),
    ("pybreaker", [*[BAD] * 5, ("wait", 60.0)], {}, "its time is over, and the next call is the trial"),
    ("plan", [OK] * 9, {}, "10 open it (the threshold moves within 2 to 10)"),
    ("resilience4j-count", [BAD] * 12, {}, "12 of 12 calls failed; no share is judged below 100 calls"),
    ("resilience4j-count", [OK] * 100, {}, "0 of 100 calls failed; 50 % failed or 100 % slow opens it"),
    ("resilience4j-count", [BAD] * 100, {}, "100.0 % of calls failed (50 % opens it)"),
    ("resilience4j-count", [("call", "slow")] * 100, {}, "100.0 % of calls were slow (100 % opens it)"),
    ("resilience4j-count", [*[BAD] * 100, ("wait", 61.0), OK], {}, "0 of 10 permits out, 0 of 1 calls failed; 10 decide"),
    ("opossum-10", [OK, BAD], {}, "1 of 2 calls failed; more than 50 % failed opens it"),
    ("opossum-10", [("probe", "failure")], {}, "a health check failed"),
    ("finagle", [OK, OK], {}, "moving failure share 0.0 % over 2 calls; more than 20 % of at least 5 opens it, or 5 in a row (now 0)"),
    ("relkit-adaptive", [BAD], {}, "evidence 0.8 of the 12.0 that open it, against a usual failure share of at most 15.9 %"),
    ("relkit-adaptive", [BAD] * 15, {}, "the evidence reached 12"),
    ("relkit-adaptive", [*[BAD] * 15, ("wait", 30.0), BAD, BAD, BAD], {}, "too many calls of half open failed;"),
    ("sre-k2", [OK] + [BAD] * 9, {"draw": 0.99}, "1 of 10 requests were accepted; 72.7 % of calls are rejected"),
    ("envoy-consecutive", [BAD] * 5, {"members": 5}, "one more of 5 members cannot be ejected, since at most 10 % may be"),
    ("envoy-success-rate", [OK], {"members": 4, "ejected_share": 1.0}, "judged against at least 5 members, and 4 are known"),
    ("envoy-success-rate", [BAD] * 100 + [("wait", 10.0)], {"members": 10, "mean_share": 0.9}, "0.0 % of its calls succeeded, too far below its peers"),
    ("litellm", [BAD] * 5, {}, "a sole deployment is spared until all of 1000 calls of a minute have failed"),
    ("pybreaker", [("throttle", 7.0)], {}, "the server asked for 7 s; 7 s of 7 s are left"),
    ("pybreaker", [("trip",)], {}, "it was opened from outside"),
    ("pybreaker", [("force", "open")], {}, "Forced open: every call is rejected until somebody closes it."),
    ("pybreaker", [("force", "disabled")], {}, "Disabled: every call is admitted and nothing is counted."),
]  # fmt: skip


@pytest.mark.parametrize(("preset", "script", "more", "said"), SAID)
def test_the_sentence_says_it(preset: str, script: list[tuple[object, ...]], more: dict[str, float], said: str) -> None:
    assert said in drive(preset, script, **more)[-1].sentence


@pytest.mark.parametrize("name", BREAKER_PRESETS)
def test_every_step_has_one_sentence_with_a_number(name: str) -> None:
    script = [*[OK, BAD] * 40, *[BAD] * 130, ("wait", 61.0), ("start", "a"), BAD, ("finish", "a", "success"), OK]
    for step in drive(name, script, members=20, mean_share=0.99, sd_share=0.01):
        assert step.sentence.endswith(".")
        assert re.search(r"\d", step.sentence), step.sentence
        assert "\n" not in step.sentence


def test_every_breaker_preset_can_be_named() -> None:
    assert set(BREAKER_PRESETS) <= set(presets)
