"""What a user may get wrong with `drive`: each is refused with the name, what came, what is allowed and what to do."""

import pytest

from relkit import RelkitError, drive, presets

BAD = ("call", "failure")


@pytest.mark.parametrize(
    ("script", "told"),
    [
        (None, "script = None"),
        ("call", "script = 'call'"),
        ([5], r"script\[0\] = 5"),
        ([{"call": "failure"}], r"script\[0\] = \{"),
        ([()], r"script\[0\] = \(\)"),
        ([BAD, ("start", [])], r"script\[1\] = \[\].*name of a call"),
        ([("finish", "a", "success")], r"script\[0\] = 'a'.*started and is not finished"),
        ([("start", "a"), ("finish", "a", "success"), ("finish", "a", "success")], r"script\[2\] = 'a'"),
        ([("start", "a"), ("start", "a")], r"script\[1\] = 'a'.*not running"),
        ([("wait", -1.0)], r"script\[0\] = -1.0.*seconds from 0 on"),
        ([("call", "failure", -0.1)], r"script\[0\] = -0.1"),
        ([("call", "api_rate_limit")], "an error kind such as API_RATE_LIMIT"),
        ([("force", "half_open")], "open, forced_open, closed, disabled, metrics_only"),
    ],
)
def test_a_script_that_says_nothing_sensible(script: object, told: str) -> None:
    with pytest.raises(RelkitError, match=told):
        drive("pybreaker", script)


@pytest.mark.parametrize(
    ("preset", "settings", "told"),
    [
        ("pybreaker", {"failure_treshold": 3}, r"did you mean failure_threshold\?"),
        ("pybreaker", {"open_s": float("inf")}, "open_s = inf"),
        ("polly-8", {"failure_share": 50}, "no percentage"),
        ("resilience4j-count", {"slow_share": 100.0}, "no percentage"),
        ("stamina", {"failure_threshold": 2}, "stamina has no breaker"),
        ("plan", {"half_open_successes": 0}, "keeps_window would mix calls from before half open"),
        ("sre-k2", {"half_open_successes": 0}, "counts_at_start would mix"),
        ("pybreaker", {"seed": "x"}, "seed = 'x'"),
        ("pybreaker", {"start_s": float("nan")}, "start_s = nan"),
    ],
)
def test_settings_that_cannot_be(preset: str, settings: dict[str, object], told: str) -> None:
    with pytest.raises(RelkitError, match=told):
        drive(preset, [], **settings)


def test_a_misspelt_preset_is_told_the_nearest() -> None:
    with pytest.raises(RelkitError, match=r"did you mean resilience4j-(count|time|retry)\?"):
        drive("resilience4j-cont", [])


def test_a_call_that_its_breaker_rejected_or_timed_out_may_still_be_finished_once() -> None:
    timed_out = [("start", "a"), ("wait", 10.0), ("finish", "a", "success")]
    assert drive("opossum-10", timed_out)[-1].state == "open"
    with pytest.raises(RelkitError, match=r"script\[3\]"):
        drive("opossum-10", [*timed_out, ("finish", "a", "success")])


def test_an_empty_script_has_no_steps() -> None:
    assert all(drive(name, []) == [] for name in presets)


def test_a_share_is_never_outside_zero_and_one() -> None:
    """sre-k2 counts a request when it starts and its acceptance when it ends, which may be after the start was forgotten."""
    script = [("start", "a"), ("wait", 121.0), ("call", "failure"), ("finish", "a", "success")]
    assert drive("sre-k2", script)[-1].failure_share == 0.0
