"""Documented behaviours of resilience4j's breakers.

Source: resilience4j at af9e7c97 (CircuitBreakerConfig, CircuitBreakerMetrics, CircuitBreakerStateMachine).
"""

import pytest
from documented import ABANDONED, BAD, IGNORED, OK, SLOW_BAD, check, rule, starts, wait

RESILIENCE4J_COUNT = [
    rule(
        "half of the calls exactly opens",
        "resilience4j-count",
        [OK] * 50 + [BAD] * 50,
        {98: {"state": "closed"}, 99: {"state": "open", "failure_share": 0.5}},
    ),
    rule(
        "the window slides over successes",
        "resilience4j-count",
        [OK] * 100 + [BAD] * 50,
        {148: {"state": "closed", "calls": 100}, 149: {"state": "open"}},
    ),
    rule(
        "three of four open",
        "resilience4j-count",
        [BAD] * 2 + [OK] * 2 + [OK] * 2 + [BAD],
        {3: {"state": "open"}},
        window_calls=4,
    ),
    rule(
        "a call that left the window no longer counts",
        "resilience4j-count",
        [BAD, OK, OK, OK, OK, BAD],
        {4: {"failure_share": 0.0, "calls": 4}, 5: {"state": "closed", "failure_share": 0.25}},
        window_calls=4,
    ),
    rule(
        "the minimum is cut to the window",
        "resilience4j-count",
        [BAD] * 10,
        {8: {"state": "closed"}, 9: {"state": "open"}},
        window_calls=10,
    ),
    rule(
        "a minimum below the window judges early",
        "resilience4j-count",
        [BAD] * 5,
        {3: {"state": "closed", "failure_share": 1.0}, 4: {"state": "open", "calls": 5}},
        window_calls=10,
        min_calls=5,
    ),
    rule(
        "60 s exactly is not slow",
        "resilience4j-count",
        [("call", "success", 60.0)] * 100,
        {-1: {"state": "closed", "slow_share": 0.0}},
    ),
    rule(
        "all calls slower than 60 s open",
        "resilience4j-count",
        [("call", "success", 60.001)] * 100,
        {98: {"state": "closed"}, 99: {"state": "open", "slow_share": 1.0, "failure_share": 0.0}},
    ),
    rule(
        "99 slow calls of 100 do not",
        "resilience4j-count",
        [("call", "success", 61.0)] * 99 + [OK],
        {-1: {"state": "closed", "slow_share": 0.99}},
    ),
    rule(
        "a slow failure counts as both",
        "resilience4j-count",
        [SLOW_BAD, OK, OK, OK],
        {3: {"failure_share": 0.25, "slow_share": 0.25}},
    ),
    rule(
        "a failure is slow by its latency too",
        "resilience4j-count",
        [("call", "failure", 61.0), OK],
        {1: {"failure_share": 0.5, "slow_share": 0.5}},
    ),
    rule(
        "60 s exactly is too early",
        "resilience4j-count",
        [BAD] * 10 + [wait(60), BAD, wait(0.001), OK],
        {11: {"state": "open", "admitted": False, "code": 1}, 13: {"state": "half_open", "admitted": True}},
        window_calls=10,
    ),
    rule(
        "it half-opens with a call alone",
        "resilience4j-count",
        [BAD] * 10 + [wait(1000)],
        {-1: {"state": "open"}},
        window_calls=10,
    ),
    rule(
        "or by itself where told",
        "resilience4j-count",
        [BAD] * 10 + [wait(60.001)],
        {-1: {"state": "half_open"}},
        window_calls=10,
        waits_for_call=False,
    ),
    rule(
        "ten permits and no eleventh",
        "resilience4j-count",
        [BAD] * 10 + [wait(61)] + starts("abcdefghijk"),
        {20: {"admitted": True}, 21: {"admitted": False, "code": 2, "state": "half_open"}},
        window_calls=10,
    ),
    rule(
        "a smaller minimum decides half open",
        "resilience4j-count",
        [BAD] * 4 + [wait(61)] + [OK] * 4,
        {7: {"state": "half_open"}, 8: {"state": "closed", "calls": 0}},
        window_calls=10,
        min_calls=4,
    ),
    rule(
        "half of half open's calls open again",
        "resilience4j-count",
        [BAD] * 10 + [wait(61)] + [OK] * 5 + [BAD] * 5,
        {19: {"state": "half_open"}, 20: {"state": "open"}},
        window_calls=10,
    ),
    rule(
        "four of ten close, with an empty window",
        "resilience4j-count",
        [BAD] * 10 + [wait(61)] + [BAD] * 4 + [OK] * 6,
        {20: {"state": "closed", "calls": 0, "failure_share": 0.0}},
        window_calls=10,
    ),
    rule(
        "unfinished trials hold half open for ever",
        "resilience4j-count",
        [BAD] * 10 + [wait(61)] + starts("abcdefghij") + [wait(1e6), OK],
        {-1: {"state": "half_open", "code": 2}},
        window_calls=10,
    ),
    rule(
        "an ignored call gives its permit back",
        "resilience4j-count",
        [BAD] * 10 + [wait(61)] + starts("abcdefghij") + [("start", "k"), ("finish", "a", "ignored"), ("start", "l")],
        {21: {"code": 2}, 23: {"admitted": True}},
        window_calls=10,
    ),
    rule(
        "an abandoned call gives its permit back, once",
        "resilience4j-count",
        [BAD] * 10
        + [wait(61)]
        + starts("abcdefghij")
        + [("start", "k"), ("finish", "a", "abandoned"), ("start", "l"), ("start", "m")],
        {23: {"admitted": True}, 24: {"code": 2}},
        window_calls=10,
    ),
    rule(
        "ignored and abandoned calls are not recorded",
        "resilience4j-count",
        [BAD, IGNORED, ABANDONED],
        {1: {"calls": 1}, 2: {"calls": 1}},
    ),
    rule(
        "the longest stay in half open ends in open",
        "resilience4j-count",
        [BAD] * 10 + [wait(61), OK, wait(9.9), OK, wait(0.2), OK],
        {13: {"state": "half_open", "admitted": True}, -1: {"admitted": False, "state": "open", "code": 1}},
        window_calls=10,
        half_open_max_s=10.0,
    ),
    rule(
        "or in closed, where told",
        "resilience4j-count",
        [BAD] * 10 + [wait(61), OK, wait(10.2), OK],
        {-1: {"admitted": True, "state": "closed"}},
        window_calls=10,
        half_open_max_s=10.0,
        half_open_expiry_closes=True,
    ),
    rule(
        "disabled records nothing",
        "resilience4j-count",
        [("force", "disabled")] + [BAD] * 200,
        {-1: {"state": "disabled", "calls": 0, "admitted": True}},
    ),
    rule(
        "metrics-only records and never rejects",
        "resilience4j-count",
        [("force", "metrics_only")] + [BAD] * 200,
        {-1: {"state": "metrics_only", "calls": 100, "failure_share": 1.0, "admitted": True}},
    ),
    rule(
        "close by hand forgets",
        "resilience4j-count",
        [BAD] * 50 + [("force", "closed")],
        {-1: {"state": "closed", "calls": 0}},
    ),
    rule(
        "opened by hand it waits like any other",
        "resilience4j-count",
        [("trip",), OK, wait(60), OK, wait(0.01), OK],
        {
            0: {
                "state": "open",
            },
            1: {"code": 1},
            3: {"code": 1},
            5: {"state": "half_open"},
        },
    ),
    rule(
        "rejected calls are not counted",
        "resilience4j-count",
        [BAD] * 10 + [OK] * 50,
        {-1: {"calls": 10}},
        window_calls=10,
    ),
    rule(
        "a late answer counts in half open",
        "resilience4j-count",
        [("start", "x")] + [BAD] * 10 + [wait(61), ("start", "a"), ("finish", "x", "failure")],
        {12: {"state": "half_open", "calls": 0}, 13: {"calls": 1, "failure_share": 1.0}},
        window_calls=10,
    ),
    rule(
        "a late answer counts while open",
        "resilience4j-count",
        [("start", "x")] + [BAD] * 4 + [("finish", "x", "success")],
        {4: {"state": "open", "failure_share": 1.0}, 5: {"state": "open", "failure_share": 0.75}},
        window_calls=4,
    ),
    rule(
        "slow calls fail half open",
        "resilience4j-count",
        [BAD] * 10 + [wait(61)] + [("call", "success", 61.0)] * 10,
        {-1: {"state": "open", "slow_share": 1.0}},
        window_calls=10,
    ),
    rule(
        "a threshold of 100 % can trip",
        "resilience4j-count",
        [BAD] * 10,
        {-1: {"state": "open"}},
        window_calls=10,
        failure_share=1.0,
    ),
    rule(
        "late success decides half-open",
        "resilience4j-count",
        [("start", "x")] + [BAD] * 10 + [wait(61)] + [OK] * 9 + [("finish", "x", "success")],
        {-2: {"state": "half_open", "calls": 9}, -1: {"state": "closed", "calls": 0}},
        window_calls=10,
    ),
    rule(
        "late ignored in half-open counts nothing",
        "resilience4j-count",
        [("start", "x")] + [BAD] * 10 + [wait(61)] + [OK] + [("finish", "x", "ignored")],
        {-1: {"state": "half_open", "calls": 1}},
        window_calls=10,
    ),
    rule(
        "metrics-only then closed forgets",
        "resilience4j-count",
        [("force", "metrics_only")] + [BAD] * 50 + [("force", "closed")],
        {-2: {"calls": 50, "failure_share": 1.0}, -1: {"state": "closed", "calls": 0}},
    ),
    rule(
        "forced open ends by closed",
        "resilience4j-count",
        [("force", "open"), ("force", "closed"), OK],
        {-1: {"admitted": True, "state": "closed"}},
    ),
    rule(
        "reopen counts attempts not in half-open",
        "resilience4j-count",
        [BAD] * 10 + [wait(61)] + [BAD] * 10 + [wait(60.5), OK],
        {-1: {"state": "half_open"}},
        window_calls=10,
    ),
    rule(
        "throttle r4j half-opens",
        "resilience4j-count",
        [("throttle", 5.0), wait(5), OK],
        {-1: {"state": "half_open", "admitted": True}},
    ),
]

RESILIENCE4J_TIME = [
    rule(
        "slots hang on full seconds",
        "resilience4j-time",
        [wait(0.9), BAD, wait(9.0), BAD, wait(0.1), BAD],
        {3: {"calls": 2}, 5: {"calls": 2}},
        window_s=10.0,
        buckets=10,
    ),
    rule(
        "whatever the time of making",
        "resilience4j-time",
        [BAD, wait(9.4), OK, wait(0.1), OK],
        {2: {"calls": 2}, 4: {"calls": 2}},
        window_s=10.0,
        buckets=10,
        start_s=0.5,
    ),
    rule(
        "a hundred calls are needed", "resilience4j-time", [BAD] * 100, {98: {"state": "closed"}, 99: {"state": "open"}}
    ),
    rule(
        "a whole window later nothing is left", "resilience4j-time", [BAD] * 50 + [wait(100), BAD], {-1: {"calls": 1}}
    ),
    rule(
        "half-open keeps its counts",
        "resilience4j-time",
        [BAD] * 100 + [wait(61)] + [OK] + [wait(200)] + [OK] * 9,
        {-1: {"state": "closed"}, -2: {"state": "half_open", "calls": 9}},
    ),
    rule(
        "closed again needs 100",
        "resilience4j-time",
        [BAD] * 100 + [wait(61)] + [OK] * 10 + [BAD] * 99,
        {-1: {"state": "closed", "calls": 99}},
    ),
]


@pytest.mark.parametrize(("preset", "script", "expected", "settings"), RESILIENCE4J_COUNT)
def test_resilience4j_count_as_documented(preset, script, expected, settings):
    """Each row is one rule of the source named above."""
    check(preset, script, expected, settings)


@pytest.mark.parametrize(("preset", "script", "expected", "settings"), RESILIENCE4J_TIME)
def test_resilience4j_time_as_documented(preset, script, expected, settings):
    """Each row is one rule of the source named above."""
    check(preset, script, expected, settings)
