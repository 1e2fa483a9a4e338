"""Documented behaviours of client throttling, Finagle and LiteLLM.

Sources: SRE book, ch. 21, and Beam's AdaptiveThrottler; Finagle at 4feb34cb (FailureAccrualFactory, Backoff.scala);
litellm 1.109.1 (router_utils/cooldown_handlers.py, utils.calculate_retry_after).
"""

import pytest
from documented import BAD, OK, check, rule, starts, wait

SRE_K2 = [
    rule(
        "after two failures two thirds are rejected",
        "sre-k2",
        [BAD] * 3,
        {1: {"admitted": True}, 2: {"code": 4, "state": "closed"}},
        draw=0.5,
    ),
    rule(
        "100 tries and 40 accepts reject 20/101",
        "sre-k2",
        [OK] * 40 + [BAD] * 61,
        {99: {"admitted": True}, 100: {"admitted": False, "code": 4}},
        draw=0.197,
    ),
    rule("and no more", "sre-k2", [OK] * 40 + [BAD] * 61, {100: {"admitted": True}}, draw=0.1985),
    rule(
        "nothing is rejected while half is accepted",
        "sre-k2",
        [OK] * 50 + [BAD] * 52,
        {100: {"admitted": True}, 101: {"code": 4}},
        draw=0.0,
    ),
    rule("the cap holds", "sre-k2", [BAD] * 500, {-1: {"admitted": True}}, draw=0.95, reject_cap=0.9),
    rule("counts rejected", "sre-k2", [BAD] * 50, {-1: {"calls": 50}}, draw=0.5),
    rule("K 1.5", "sre-k2", [OK] * 40 + [BAD] * 61, {100: {"code": 4}}, draw=0.395, accepts_factor=1.5),
    rule(
        "K 1.5 starts at 60", "sre-k2", [OK] * 40 + [BAD] * 21, {60: {"admitted": True}}, draw=0.0, accepts_factor=1.5
    ),
    rule("running counts as not accepted", "sre-k2", starts("abcd"), {2: {"code": 4}}, draw=0.5),
]

FINAGLE = [
    rule("five in a row mark dead", "finagle", [BAD] * 5, {3: {"state": "closed"}, 4: {"state": "open"}}),
    rule(
        "dead times are equal-jittered: 5, 7.5, 15 s",
        "finagle",
        [BAD] * 5 + [OK, wait(5), BAD, OK, wait(7.5), BAD, OK],
        {5: {"retry_after_s": 5.0}, 8: {"retry_after_s": 7.5}, 11: {"retry_after_s": 15.0}},
    ),
    rule(
        "revive resets",
        "finagle",
        [BAD] * 5 + [wait(5), BAD, wait(7.5), OK] + [BAD] * 5,
        {-2: {"state": "closed"}, -1: {"state": "open"}},
    ),
    rule(
        "a total outage takes 6.7 s at the EMA",
        "finagle",
        [x for i in range(31) for x in (OK, wait(1))] + [x for i in range(80) for x in (wait(0.1), BAD)],
        {62 + 2 * 55 + 1: {"state": "closed"}, 62 + 2 * 56 + 1: {"state": "open"}},
        failure_threshold=0,
    ),
    rule(
        "one probe",
        "finagle",
        [BAD] * 5 + [wait(5), ("start", "a"), ("start", "b")],
        {6: {"state": "half_open"}, 7: {"code": 2}},
    ),
    rule(
        "4/5 failing warm",
        "finagle",
        [x for i in range(29) for x in (BAD if i % 5 != 4 else OK, wait(1))],
        {-1: {"state": "closed"}},
    ),
    rule(
        "4/5 failing after 30",
        "finagle",
        [x for i in range(36) for x in (BAD if i % 5 != 4 else OK, wait(1))],
        {58: {"state": "closed"}, 60: {"state": "open"}},
    ),
    rule("consecutive needs no warm-up", "finagle", [BAD] * 5, {-1: {"state": "open"}}),
    rule("row broken by success", "finagle", [BAD] * 4 + [OK] + [BAD] * 4, {-1: {"state": "closed"}}),
    rule(
        "dead capped 300",
        "finagle",
        [BAD] * 5
        + [x for t in (5, 7.5, 15, 30, 60, 120, 240) for x in (wait(t), BAD)]
        + [wait(299.9), OK, wait(0.1), OK],
        {-3: {"code": 1}, -1: {"state": "closed"}},
    ),
]

LITELLM = [
    rule("5", "litellm", [BAD] * 5, {3: {"state": "closed"}, 4: {"state": "open"}}, members=2),
    rule("429", "litellm", [("call", "API_RATE_LIMIT")], {0: {"state": "open"}}, members=2),
    rule("sole 429", "litellm", [("call", "API_RATE_LIMIT")] * 20, {-1: {"state": "closed"}}, members=1),
    rule("sole 999 then 1000", "litellm", [BAD] * 1000, {998: {"state": "closed"}, 999: {"state": "open"}}, members=1),
    rule(
        "a wrong key cools even a sole deployment",
        "litellm",
        [("call", "API_AUTH_ERROR")],
        {0: {"state": "open"}},
        members=1,
    ),
    rule("401", "litellm", [("call", "API_AUTH_ERROR")], {0: {"state": "open"}}, members=2),
    rule("404", "litellm", [("call", "API_NOT_FOUND")], {0: {"state": "open"}}, members=2),
    rule("400", "litellm", [("call", "API_INVALID_REQUEST")] * 20, {-1: {"state": "closed"}}, members=2),
    rule(
        "a calendar minute starts anew",
        "litellm",
        [wait(59)] + [BAD] * 4 + [wait(1), BAD],
        {-1: {"state": "closed", "calls": 1}},
        members=2,
    ),
    rule(
        "a rate limit cools for its Retry-After",
        "litellm",
        [("call", "API_RATE_LIMIT", 0.0, 30.0), wait(29.9), OK, wait(0.1), OK],
        {0: {"state": "open"}, 2: {"admitted": False}, 4: {"admitted": True}},
        members=2,
    ),
    rule(
        "retry",
        "litellm",
        [OK, BAD, BAD, BAD],
        {1: {"delay_s": 0.875}, 2: {"delay_s": 1.375}, 3: {"delay_s": None}},
        members=1,
    ),
    rule("408 counts", "litellm", [("call", "NETWORK_TIMEOUT")] * 5, {-1: {"state": "open"}}, members=2),
    rule(
        "connection error never cools",
        "litellm",
        [("call", "NETWORK_REFUSED")] * 20,
        {-1: {"state": "closed"}},
        members=2,
    ),
    rule(
        "server hint on 500 not cooled",
        "litellm",
        [("call", "API_SERVER_ERROR", 0.0, 30.0)],
        {-1: {"state": "closed"}},
        members=2,
    ),
    rule(
        "5th 500 with hint cools by hint",
        "litellm",
        [BAD] * 4 + [("call", "API_SERVER_ERROR", 0.0, 30.0), wait(29), OK, wait(1), OK],
        {4: {"state": "open"}, 6: {"admitted": False}, 8: {"admitted": True}},
        members=2,
    ),
    rule("402 sole", "litellm", [("call", "API_QUOTA_EXHAUSTED")], {-1: {"state": "closed"}}, members=1),
    rule("402", "litellm", [("call", "API_QUOTA_EXHAUSTED")], {-1: {"state": "open"}}, members=2),
    rule(
        "late success",
        "litellm",
        [("start", "x")] + [BAD] * 5 + [("finish", "x", "success")],
        {-1: {"state": "open"}},
        members=2,
    ),
]

PLAN_FIXED = [
    rule(
        "throttle doesn't grow next open",
        "plan-fixed",
        [("throttle", 5.0), wait(5), BAD, wait(33.0), BAD],
        {-1: {"admitted": True}},
        draw=0.5,
    ),
]


@pytest.mark.parametrize(("preset", "script", "expected", "settings"), SRE_K2)
def test_sre_k2_as_documented(preset, script, expected, settings):
    """Each row is one rule of the source named above."""
    check(preset, script, expected, settings)


@pytest.mark.parametrize(("preset", "script", "expected", "settings"), FINAGLE)
def test_finagle_as_documented(preset, script, expected, settings):
    """Each row is one rule of the source named above."""
    check(preset, script, expected, settings)


@pytest.mark.parametrize(("preset", "script", "expected", "settings"), LITELLM)
def test_litellm_as_documented(preset, script, expected, settings):
    """Each row is one rule of the source named above."""
    check(preset, script, expected, settings)


@pytest.mark.parametrize(("preset", "script", "expected", "settings"), PLAN_FIXED)
def test_plan_fixed_as_documented(preset, script, expected, settings):
    """Each row is one rule of the source named above."""
    check(preset, script, expected, settings)
