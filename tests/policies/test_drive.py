"""The script language: every operation, every outcome, and a clear refusal of what it does not know."""

import pytest

from relkit import Policy, drive, presets
from relkit.errors import ErrorKind
from relkit.exceptions import ParameterError
from relkit.policies.codes import OUTCOMES
from relkit.policies.records import BreakerSettings, Peers
from relkit.policies.retry_settings import Retry, RetrySettings

OK, BAD = ("call", "success"), ("call", "failure")


def test_the_designs_own_script_runs() -> None:
    script = [
        ("call", "failure", 0.2), ("start", "a"), ("finish", "a", "success"), ("wait", 60.0), ("probe", "failure"),
        ("force", "open"), ("throttle", 5.0),
    ]  # fmt: skip
    for name in presets:
        steps = drive(name, script)
        assert [step.op for step in steps] == [line[0] for line in script]


def test_time_moves_as_the_script_says() -> None:
    steps = drive(
        "pybreaker", [("call", "success", 0.25), ("wait", 2.0), ("start", "a"), ("probe", "success"), OK], start_s=100.0
    )
    assert [step.at_s for step in steps] == [100.25, 102.25, 102.25, 102.25, 102.25]


def test_a_rejected_call_takes_no_time() -> None:
    steps = drive("pybreaker", [*[BAD] * 5, ("call", "success", 9.0)])
    assert (steps[-1].at_s, steps[-1].admitted) == (0.0, False)


def test_only_what_asks_has_a_code() -> None:
    script = [
        OK,
        ("request", "success"),
        ("start", "a"),
        ("finish", "a", "success"),
        ("wait", 1.0),
        ("probe", "success"),
    ]
    script += [("trip",), ("throttle", 1.0), ("force", "closed"), ("peers", Peers())]
    steps = drive("pybreaker", script)
    assert [step.code is not None for step in steps] == [True] * 3 + [False] * 7
    assert [step.admitted is not None for step in steps] == [True] * 3 + [False] * 7


@pytest.mark.parametrize("outcome", [*OUTCOMES, *ErrorKind.__members__])
def test_every_outcome_and_kind_is_known(outcome: str) -> None:
    for name in ("plan", "plan-fixed", "litellm", "sre-k2", "polly-8"):
        assert drive(name, [("call", outcome, 0.1), ("start", "a"), ("finish", "a", outcome)])[0].admitted


def test_overlapping_calls_end_in_any_order() -> None:
    script = [("start", "a"), ("start", "b"), ("wait", 1.0), ("finish", "b", "failure"), ("finish", "a", "success")]
    assert [step.calls for step in drive("pybreaker", script)] == [0, 0, 0, 1, 0]


def test_finishing_a_call_that_was_rejected_changes_nothing() -> None:
    steps = drive("pybreaker", [*[BAD] * 5, ("start", "a"), ("finish", "a", "success")])
    assert (steps[-1].state, steps[-1].calls) == ("open", 5)


def test_draws_are_used_in_turn_or_from_a_seed() -> None:
    def wait(**draws: object) -> float:
        return drive("plan-fixed", [BAD] * 6, **draws)[-1].retry_after_s

    assert wait() == pytest.approx(30.0)
    assert wait(draw=0.0) == pytest.approx(27.0)
    assert wait(seed=1) == wait(seed=1) != wait(seed=2)
    assert wait(draw=[0.0, 0.9]) != wait(draw=[0.9, 0.0])


def test_settings_policies_and_names_are_accepted() -> None:
    cfg = BreakerSettings(failure_threshold=3)
    policy = Policy("mine", "2026-11", "test", cfg)
    for settings in (cfg, policy):
        assert drive(settings, [BAD] * 3)[-1].state == "open"
        assert drive(settings, [BAD] * 3, failure_threshold=4)[-1].state == "closed"
    assert drive("pybreaker", [BAD] * 3, failure_threshold=3)[-1].state == "open"


def test_words_of_the_settings_are_overrides_too() -> None:
    assert drive("pybreaker", [BAD] * 5, family="count", window_calls=5, min_calls=5)[-1].sentence.startswith(
        "Open because 100"
    )


def test_failures_that_follow_each_other_are_attempts_of_one_request() -> None:
    cfg = Policy("mine", "", "", None, Retry.of(RetrySettings(max_attempts=3, first_delay_s=1.0, growth=2.0, jitter=0)))
    steps = drive(cfg, [BAD, BAD, BAD, BAD, OK, BAD])
    assert [step.delay_s for step in steps] == [1.0, 2.0, None, 1.0, None, 1.0]
    assert {step.state for step in steps} == {"disabled"}


def test_a_request_waits_and_asks_again_before_each_attempt() -> None:
    retry = Retry.of(RetrySettings(max_attempts=10, first_delay_s=1.0, growth=1.0, jitter=0))
    policy = Policy("mine", "", "", BreakerSettings(failure_threshold=3, open_s=100.0).changed(counts="attempt"), retry)
    step = drive(policy, [("request", "failure", 0.5)])[-1]
    assert (step.state, step.admitted, step.code) == ("open", False, 1)
    assert step.at_s == pytest.approx(3 * 0.5 + 3 * 1.0)
    by_call = drive(policy, [("request", "failure", 0.5)], counts="call")[-1]
    assert (by_call.state, by_call.calls) == ("closed", 1)
    assert by_call.at_s == pytest.approx(10 * 0.5 + 9 * 1.0)
    assert by_call.delay_s == pytest.approx(9.0)


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (("jump",), r"script\[1\].*call, request, start"),
        ("call", r"script\[1\]"),
        ((), r"script\[1\]"),
        (("call",), r"'call' and 1 to 3 more"),
        (("wait", 1.0, 2.0), r"'wait' and 1 more"),
        (("call", "broken"), r"success, failure, slow"),
        (("call", "success", -1.0), r"seconds from 0 on"),
        (("wait", float("inf")), r"seconds from 0 on"),
        (("wait", "long"), r"seconds from 0 on"),
        (("probe", "maybe"), r"success or failure"),
        (("force", "half_open"), r"open, forced_open, closed"),
        (("start", "a"), r"not running"),
    ],
)
def test_what_a_script_may_not_say_is_refused_with_its_place(line: object, said: str) -> None:
    with pytest.raises(ParameterError, match=said):
        drive("pybreaker", [("start", "a"), line])


@pytest.mark.parametrize("draw", [1.0, -0.1, [], [0.5, 2.0]])
def test_draws_outside_their_range_are_refused(draw: object) -> None:
    with pytest.raises(ParameterError, match="draw"):
        drive("pybreaker", [], draw=draw)


def test_an_unknown_setting_is_refused() -> None:
    with pytest.raises(ParameterError, match=r"'open_seconds'.*open_s"):
        drive("pybreaker", [], open_seconds=3.0)


@pytest.mark.parametrize("peers", [5, "all", [2.0], ["good"]])
def test_a_fleet_that_cannot_be_is_refused(peers: object) -> None:
    with pytest.raises(ParameterError, match="peers"):
        drive("envoy-success-rate", [], peers=peers)
    with pytest.raises(ParameterError, match="peers"):
        drive("envoy-success-rate", [("peers", peers)])
    with pytest.raises(ParameterError, match="members"):
        drive("litellm", [], members=-1)
