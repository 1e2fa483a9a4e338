"""pybreaker, gobreaker, Finagle, LiteLLM and the SRE book as documented; sources are in the presets."""

import math
from random import Random

import pytest

from relkit import drive
from relkit.policies.breaker import allow, settle
from relkit.policies.presets import presets
from relkit.policies.records import Peers
from relkit.policies.transitions import new_breaker, open_time_s

OK, BAD = ("call", "success"), ("call", "failure")
TWO = {"members": 2}


# pybreaker 1.4.1


def test_pybreaker_opens_at_the_fifth_failure_in_a_row() -> None:
    steps = drive("pybreaker", [BAD] * 4 + [OK] + [BAD] * 5)
    assert [step.state for step in steps[-2:]] == ["closed", "open"]


def test_pybreaker_tries_again_when_sixty_seconds_are_reached_and_called() -> None:
    steps = drive("pybreaker", [BAD] * 5 + [("wait", 59.9), OK, ("wait", 0.1), OK])
    assert [step.state for step in steps[5:]] == ["open", "open", "open", "closed"]


def test_pybreaker_reopens_after_one_failed_trial() -> None:
    steps = drive("pybreaker", [BAD] * 5 + [("wait", 60.0), BAD, ("wait", 59.0), OK])
    assert [step.state for step in steps[6:]] == ["open", "open", "open"]


def test_pybreaker_may_ask_for_several_successes() -> None:
    steps = drive("pybreaker", [BAD] * 5 + [("wait", 60.0), OK, OK, OK], half_open_successes=3)
    assert [step.state for step in steps[6:]] == ["half_open", "half_open", "closed"]


def test_pybreaker_takes_an_excluded_exception_for_a_success() -> None:
    assert drive("pybreaker", [BAD] * 4 + [("call", "ignored")] + [BAD] * 4)[-1].state == "closed"
    assert drive("pybreaker", [BAD] * 5 + [("wait", 60.0), ("call", "ignored")])[-1].state == "closed"


# gobreaker, as it stands


def test_gobreaker_opens_at_the_sixth_failure_in_a_row() -> None:
    assert [step.state for step in drive("gobreaker", [BAD] * 6)[-2:]] == ["closed", "open"]


def test_gobreaker_half_opens_strictly_after_a_minute_without_a_call() -> None:
    steps = drive("gobreaker", [BAD] * 6 + [("wait", 60.0), ("wait", 0.001)])
    assert [step.state for step in steps[6:]] == ["open", "half_open"]


def test_gobreaker_closes_after_as_many_successes_as_it_admits() -> None:
    script = [BAD] * 6 + [("wait", 61.0), ("start", "a"), ("start", "b"), ("start", "c"), ("start", "d")]
    finished = [("finish", name, "success") for name in "abc"]
    steps = drive("gobreaker", script + finished, half_open_permits=3, half_open_successes=3)
    assert [step.code for step in steps[7:11]] == [0, 0, 0, 2]
    assert [step.state for step in steps[11:]] == ["half_open", "half_open", "closed"]


def test_gobreaker_drops_the_answers_of_an_earlier_generation() -> None:
    script = [("start", "late"), *[BAD] * 6, ("wait", 61.0), ("finish", "late", "failure"), OK]
    steps = drive("gobreaker", script)
    assert [step.state for step in steps[-2:]] == ["half_open", "closed"]


# Finagle


def test_finagle_five_in_a_row_mark_dead_at_once() -> None:
    steps = drive("finagle", [BAD] * 5)
    assert [step.state for step in steps[-2:]] == ["closed", "open"]
    assert drive("finagle", [BAD] * 6)[-1].retry_after_s == pytest.approx(5.0)


def test_finagle_needs_thirty_seconds_before_it_judges_the_share() -> None:
    line = [BAD, ("wait", 1.0), OK, ("wait", 1.0)]
    steps = drive("finagle", line * 20)
    opened = next(step.at_s for step in steps if step.state == "open")
    assert opened == pytest.approx(30.0, abs=2.0)


def test_finagle_total_outage_takes_six_point_seven_seconds() -> None:
    """30 ln(1 / 0.8) s after the last of many successes, without the rule of failures in a row."""
    healthy = [line for _ in range(300) for line in (("wait", 1.0), OK)]
    outage = [line for _ in range(1000) for line in (("wait", 0.01), BAD)]
    steps = drive("finagle", healthy + outage, failure_threshold=0)
    opened = next(step.at_s for step in steps if step.state == "open")
    assert opened - 300 == pytest.approx(30 * math.log(1 / 0.8), abs=0.02)


def test_finagle_by_requests_trips_at_the_seventieth_failure() -> None:
    """A window of 100 requests at 50 %: exp(-n / 100) < 0.5 first at n = 70."""
    settings = {"ema_calls": 100.0, "failure_share": 0.5, "failure_threshold": 0, "warm_up_s": 0.0}
    steps = drive("finagle", [OK] + [BAD] * 70, **settings)
    assert [step.state for step in steps[-2:]] == ["closed", "open"]


def test_finagle_dead_times_are_equal_jittered() -> None:
    cfg = presets["finagle"].breaker
    assert cfg is not None
    assert [open_time_s(cfg, trips, 0.0) for trips in (1, 2, 3, 4)] == [5.0, 5.0, 10.0, 20.0]
    assert [open_time_s(cfg, trips, 0.5) for trips in (1, 2, 3, 4)] == [5.0, 7.5, 15.0, 30.0]
    assert open_time_s(cfg, 12, 0.9) == 300.0


def test_finagle_one_probe_revives() -> None:
    steps = drive("finagle", [BAD] * 5 + [("wait", 5.0), ("start", "probe"), OK, ("finish", "probe", "success")])
    assert [step.state for step in steps[5:]] == ["half_open", "half_open", "half_open", "closed"]
    assert steps[7].code == 2


# LiteLLM


def test_litellm_more_than_half_of_five_cools() -> None:
    assert drive("litellm", [OK, OK, BAD, BAD, BAD], **TWO)[-1].state == "open"
    assert drive("litellm", [OK, OK, OK, BAD, BAD, BAD], **TWO)[-1].state == "closed"
    assert drive("litellm", [BAD] * 4, **TWO)[-1].state == "closed"


def test_litellm_counts_by_calendar_minute() -> None:
    steps = drive("litellm", [BAD] * 4 + [("wait", 20.0), BAD], start_s=50.0, **TWO)
    assert (steps[-1].state, steps[-1].calls) == ("closed", 1)


@pytest.mark.parametrize("kind", ["API_RATE_LIMIT", "API_AUTH_ERROR", "API_NOT_FOUND"])
def test_litellm_cools_at_once_by_status(kind: str) -> None:
    assert drive("litellm", [("call", kind)], **TWO)[-1].state == "open"


@pytest.mark.parametrize("kind", ["API_INVALID_REQUEST", "MODEL_CONTEXT_LENGTH", "API_CONFLICT"])
def test_litellm_other_statuses_of_the_caller_never_cool(kind: str) -> None:
    assert drive("litellm", [("call", kind)] * 20, **TWO)[-1].state == "closed"


def test_litellm_spares_a_sole_deployment() -> None:
    assert drive("litellm", [BAD] * 999)[-1].state == "closed"
    assert drive("litellm", [("call", "API_RATE_LIMIT")] * 5)[-1].state == "closed"
    assert drive("litellm", [BAD] * 1000)[-1].state == "open"


def test_litellm_comes_back_blindly_after_five_seconds() -> None:
    steps = drive("litellm", [BAD] * 5 + [("wait", 4.9), OK, ("wait", 0.1), OK], **TWO)
    assert [step.state for step in steps[5:]] == ["open", "open", "closed", "closed"]


def test_litellm_cools_for_as_long_as_the_server_says() -> None:
    steps = drive("litellm", [("call", "API_RATE_LIMIT", 0.0, 20.0), ("wait", 19.0), OK, ("wait", 1.0), OK], **TWO)
    assert [step.admitted for step in steps] == [True, None, False, None, True]
    assert steps[2].code == 4


# SRE book, chapter 21


def test_sre_rejects_nothing_while_half_of_the_requests_are_accepted() -> None:
    steps = drive("sre-k2", [OK, BAD] * 500, seed=1)
    assert all(step.admitted for step in steps)


@pytest.mark.parametrize(("accepts", "share"), [(40, 20 / 101), (0, 100 / 101), (50, 0.0)])
def test_sre_rejects_by_the_books_formula(accepts: int, share: float) -> None:
    script = [OK] * accepts + [BAD] * (100 - accepts)
    just_below, just_above = max(share - 1e-9, 0.0), min(share + 1e-9, 0.999999)
    low = drive("sre-k2", [*script, BAD], draw=[0.999999] * 100 + [just_below])
    high = drive("sre-k2", [*script, BAD], draw=[0.999999] * 100 + [just_above])
    assert (low[-1].code, high[-1].code) == (4 if share > 0 else 0, 0)


def test_sre_never_opens_and_counts_what_it_rejects() -> None:
    steps = drive("sre-k2", [BAD] * 300, seed=2)
    assert {step.state for step in steps} == {"closed"}
    assert steps[-1].calls == 300
    assert sum(step.code == 4 for step in steps) > 250


def test_sre_forgets_after_two_minutes() -> None:
    steps = drive("sre-k2", [BAD] * 300 + [("wait", 121.0), OK], seed=3)
    assert (steps[-2].calls, steps[-1].admitted) == (0, True)


def test_sre_a_rate_limit_is_not_accepted_and_a_bad_request_is() -> None:
    assert drive("sre-k2", [("call", "API_RATE_LIMIT")])[-1].failure_share == 1.0
    assert drive("sre-k2", [("call", "API_INVALID_REQUEST")])[-1].failure_share == 0.0


def test_sre_settles_at_twice_what_a_limited_backend_accepts() -> None:
    """With C accepted a second, 2 C are sent: here 5 of 40 a second are accepted, so 10 are sent."""
    accepted_of: dict[int, int] = {}
    sent = 0
    rng, cfg = Random(7), presets["sre-k2"].breaker
    assert cfg is not None
    state, window = new_breaker(cfg, 0.0)
    for number in range(40 * 1200):
        now_s = number / 40
        code, generation, _ = allow(state, window, cfg, Peers(), now_s, rng.random())
        if code:
            continue
        second = int(now_s)
        accepted_of[second] = accepted_of.get(second, 0) + 1
        settle(state, window, cfg, Peers(), now_s, generation, 0 if accepted_of[second] <= 5 else 1, 0.0)
        sent += now_s >= 600
    assert sent / 600 == pytest.approx(10, rel=0.05)
