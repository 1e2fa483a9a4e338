"""Documented behaviours of pybreaker, gobreaker and Envoy's outlier detection.

Sources: pybreaker 1.4.1; gobreaker at fed8e9eb (gobreaker.go); Envoy at 00c7146d (outlier_detection_impl.cc).
"""

import pytest
from documented import BAD, IGNORED, OK, check, rule, wait

PYBREAKER = [
    rule(
        "60 s exactly is enough",
        "pybreaker",
        [BAD] * 5 + [wait(59.999), OK, wait(0.001), OK],
        {6: {"code": 1, "state": "open"}, 8: {"state": "closed"}},
    ),
    rule("a failed trial opens for another minute", "pybreaker", [BAD] * 5 + [wait(60), BAD], {-1: {"state": "open"}}),
    rule(
        "two successes close where two are asked for",
        "pybreaker",
        [BAD] * 5 + [wait(60), OK, OK],
        {-2: {"state": "half_open"}, -1: {"state": "closed"}},
        half_open_successes=2,
    ),
    rule(
        "an excluded exception ends the row", "pybreaker", [BAD] * 4 + [IGNORED] + [BAD] * 4, {-1: {"state": "closed"}}
    ),
    rule(
        "an excluded exception closes half open",
        "pybreaker",
        [BAD] * 5 + [wait(60), IGNORED],
        {-1: {"state": "closed"}},
    ),
    rule("it half-opens with a call alone", "pybreaker", [BAD] * 5 + [wait(600)], {-1: {"state": "open"}}),
    rule(
        "a stated wait rejects with code 4 and ends when it is reached",
        "pybreaker",
        [("throttle", 5.0), OK, wait(4.999), OK, wait(0.001), OK],
        {0: {"state": "open"}, 1: {"code": 4, "retry_after_s": 5.0}, 3: {"code": 4}, 5: {"admitted": True}},
    ),
    rule(
        "a shorter stated wait does not shorten",
        "pybreaker",
        [("throttle", 5.0), ("throttle", 1.0), wait(2), OK],
        {-1: {"code": 4}},
    ),
    rule("slow is no failure", "pybreaker", [("call", "success", 900.0)] * 9, {-1: {"state": "closed", "calls": 0}}),
    rule(
        "open and close by hand",
        "pybreaker",
        [("trip",), OK, ("force", "closed"), OK],
        {1: {"code": 1}, 3: {"admitted": True}},
    ),
    rule(
        "forced closed forgets row",
        "pybreaker",
        [BAD] * 4 + [("force", "closed")] + [BAD] * 4,
        {-1: {"state": "closed"}},
    ),
    rule(
        "throttle extends open",
        "pybreaker",
        [BAD] * 5 + [("throttle", 100.0), wait(60), OK, wait(40), OK],
        {7: {"admitted": False, "code": 4}, 9: {"admitted": True}},
    ),
]

GOBREAKER = [
    rule(
        "60 s must be exceeded, no call is needed",
        "gobreaker",
        [BAD] * 6 + [wait(60), wait(0.001)],
        {6: {"state": "open"}, 7: {"state": "half_open"}},
    ),
    rule(
        "an excluded error neither ends nor lengthens the row",
        "gobreaker",
        [BAD] * 5 + [IGNORED, BAD],
        {5: {"state": "closed"}, 6: {"state": "open"}},
    ),
    rule(
        "one request half open", "gobreaker", [BAD] * 6 + [wait(61), ("start", "a"), ("start", "b")], {-1: {"code": 2}}
    ),
    rule(
        "MaxRequests 3 admits and needs three",
        "gobreaker",
        [BAD] * 6
        + [
            wait(61),
            ("start", "a"),
            ("start", "b"),
            ("start", "c"),
            ("start", "d"),
            ("finish", "a", "success"),
            ("start", "e"),
            ("finish", "b", "success"),
            ("finish", "c", "success"),
        ],
        {10: {"code": 2}, 12: {"code": 2, "admitted": False}, 13: {"state": "half_open"}, 14: {"state": "closed"}},
        half_open_permits=3,
        half_open_successes=3,
    ),
    rule(
        "an excluded request frees its place",
        "gobreaker",
        [BAD] * 6 + [wait(61), ("start", "a"), ("start", "b"), ("finish", "a", "ignored"), ("start", "c")],
        {8: {"code": 2}, 10: {"admitted": True, "state": "half_open"}},
    ),
    rule(
        "old success dropped",
        "gobreaker",
        [("start", "x")]
        + [BAD] * 6
        + [wait(61), ("start", "p"), ("finish", "x", "success"), ("finish", "p", "success")],
        {9: {"state": "half_open"}, 10: {"state": "closed"}},
    ),
    rule(
        "old failure dropped",
        "gobreaker",
        [("start", "x")] + [BAD] * 6 + [wait(61), ("start", "p"), ("finish", "x", "failure")],
        {9: {"state": "half_open"}},
    ),
    rule(
        "one failure half open opens",
        "gobreaker",
        [BAD] * 6 + [wait(61), OK, BAD],
        {7: {"state": "half_open"}, 8: {"state": "open"}},
        half_open_permits=3,
        half_open_successes=3,
    ),
    rule("closing starts the row anew", "gobreaker", [BAD] * 6 + [wait(61), OK] + [BAD] * 5, {-1: {"state": "closed"}}),
    rule(
        "half-open straggler dropped",
        "gobreaker",
        [BAD] * 6 + [wait(61), ("start", "a"), ("start", "b"), ("finish", "a", "failure"), ("finish", "b", "success")],
        {9: {"state": "open"}, 10: {"state": "open"}},
        half_open_permits=2,
        half_open_successes=2,
    ),
    rule(
        "permits renewed",
        "gobreaker",
        [BAD] * 6 + [wait(61), BAD, wait(60.5), ("start", "a"), ("start", "b")],
        {-2: {"admitted": True}, -1: {"code": 2}},
    ),
    rule(
        "straggler of the first half-open in the second",
        "gobreaker",
        [BAD] * 6
        + [
            wait(61),
            ("start", "a"),
            ("start", "b"),
            ("finish", "a", "failure"),
            wait(61),
            ("start", "c"),
            ("finish", "b", "failure"),
        ],
        {-1: {"state": "half_open"}},
        half_open_permits=2,
        half_open_successes=2,
    ),
]

ENVOY_CONSECUTIVE = [
    rule(
        "one of ten hosts may be ejected",
        "envoy-consecutive",
        [BAD] * 5,
        {3: {"state": "closed"}, 4: {"state": "open"}},
        members=10,
    ),
    rule("one of nine may not", "envoy-consecutive", [BAD] * 50, {-1: {"state": "closed"}}, members=9),
    rule("one out already", "envoy-consecutive", [BAD] * 5, {-1: {"state": "closed"}}, members=10, open_members=1),
    rule("20 hosts 1 out", "envoy-consecutive", [BAD] * 5, {-1: {"state": "open"}}, members=20, open_members=1),
    rule(
        "release at sweep",
        "envoy-consecutive",
        [wait(3)] + [BAD] * 5 + [wait(36.9), OK, wait(0.1), OK],
        {5: {"state": "open"}, 7: {"code": 1}, 9: {"admitted": True, "state": "closed"}},
        members=10,
    ),
    rule("exact sweep", "envoy-consecutive", [BAD] * 5 + [wait(30)], {-1: {"state": "closed"}}, members=10),
    rule(
        "the second ejection lasts twice as long",
        "envoy-consecutive",
        [BAD] * 5 + [wait(31)] + [BAD] * 5 + [wait(68.9), wait(0.1)],
        {5: {"state": "closed"}, 10: {"state": "open"}, 11: {"state": "open"}, 12: {"state": "closed"}},
        members=10,
    ),
    rule(
        "a healthy interval takes one ejection back",
        "envoy-consecutive",
        [BAD] * 5 + [wait(41)] + [BAD] * 5 + [wait(38.9), wait(0.1)],
        {10: {"state": "open"}, 11: {"state": "open"}, 12: {"state": "closed"}},
        members=10,
    ),
    rule(
        "a passing health check un-ejects at once",
        "envoy-consecutive",
        [BAD] * 5 + [("probe", "success")],
        {-1: {"state": "closed"}},
        members=10,
    ),
    rule(
        "a 4xx ends the row",
        "envoy-consecutive",
        [("call", "API_SERVER_ERROR")] * 4 + [("call", "API_AUTH_ERROR")] + [("call", "API_SERVER_ERROR")] * 4,
        {-1: {"state": "closed"}},
        members=10,
    ),
    rule(
        "429 is no 5xx", "envoy-consecutive", [("call", "API_RATE_LIMIT")] * 20, {-1: {"state": "closed"}}, members=10
    ),
    rule("refused counts", "envoy-consecutive", [("call", "NETWORK_REFUSED")] * 5, {-1: {"state": "open"}}, members=10),
    rule(
        "admits all after release",
        "envoy-consecutive",
        [BAD] * 5 + [wait(30)] + [("start", name) for name in range(50)],
        {-1: {"admitted": True, "state": "closed"}},
        members=10,
    ),
    rule(
        "enforcing 0 % ejects nobody",
        "envoy-consecutive",
        [BAD] * 50,
        {-1: {"state": "closed"}},
        members=10,
        enforced_share=0.0,
    ),
    rule("failing health nothing", "envoy-consecutive", [("probe", "failure")], {0: {"state": "closed"}}, members=10),
    rule(
        "retry_after is next sweep",
        "envoy-consecutive",
        [wait(3)] + [BAD] * 5 + [OK],
        {-1: {"retry_after_s": 37.0}},
        members=10,
    ),
]

ENVOY_SUCCESS_RATE = [
    rule(
        "one failure in a perfect fleet ejects (Envoy 18752)",
        "envoy-success-rate",
        [OK] * 99 + [BAD] + [wait(10)],
        {99: {"state": "closed"}, 100: {"state": "open"}},
        peers=[1.0] * 9,
    ),
    rule(
        "99 calls are too few",
        "envoy-success-rate",
        [BAD] * 99 + [wait(10)],
        {-1: {"state": "closed"}},
        peers=[1.0] * 9,
    ),
    rule(
        "five hosts are enough",
        "envoy-success-rate",
        [BAD] * 200 + [wait(10)],
        {-1: {"state": "open"}},
        peers=[1.0] * 4,
        ejected_share=1.0,
    ),
    rule(
        "intervals are judged apart",
        "envoy-success-rate",
        [BAD] * 60 + [wait(10)] + [BAD] * 60 + [wait(10)],
        {-1: {"state": "closed"}},
        peers=[1.0] * 9,
    ),
    rule(
        "it is released after 30 s",
        "envoy-success-rate",
        [BAD] * 100 + [wait(10), wait(29.9), wait(0.1)],
        {100: {"state": "open"}, 101: {"state": "open"}, 102: {"state": "closed"}},
        peers=[1.0] * 9,
    ),
]


@pytest.mark.parametrize(("preset", "script", "expected", "settings"), PYBREAKER)
def test_pybreaker_as_documented(preset, script, expected, settings):
    """Each row is one rule of the source named above."""
    check(preset, script, expected, settings)


@pytest.mark.parametrize(("preset", "script", "expected", "settings"), GOBREAKER)
def test_gobreaker_as_documented(preset, script, expected, settings):
    """Each row is one rule of the source named above."""
    check(preset, script, expected, settings)


@pytest.mark.parametrize(("preset", "script", "expected", "settings"), ENVOY_CONSECUTIVE)
def test_envoy_consecutive_as_documented(preset, script, expected, settings):
    """Each row is one rule of the source named above."""
    check(preset, script, expected, settings)


@pytest.mark.parametrize(("preset", "script", "expected", "settings"), ENVOY_SUCCESS_RATE)
def test_envoy_success_rate_as_documented(preset, script, expected, settings):
    """Each row is one rule of the source named above."""
    check(preset, script, expected, settings)
