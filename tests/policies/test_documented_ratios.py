"""Documented behaviours of Polly and opossum.

Sources: Polly at 173d6d1d (CircuitStateController, AdvancedCircuitBehavior, RollingHealthMetrics); opossum 10.0.0
(lib/circuit.js, lib/status.js).
"""

import pytest
from documented import BAD, IGNORED, OK, check, rule, wait

POLLY_8 = [
    rule("a hundred calls are needed", "polly-8", [BAD] * 100, {98: {"state": "closed"}, 99: {"state": "open"}}),
    rule(
        "a tenth exactly opens",
        "polly-8",
        [OK] * 90 + [BAD] * 10,
        {98: {"state": "closed"}, 99: {"state": "open", "failure_share": 0.1}},
    ),
    rule(
        "less than a tenth does not",
        "polly-8",
        [OK] * 91 + [BAD] * 11,
        {100: {"state": "closed"}, 101: {"state": "open"}},
    ),
    rule(
        "a window younger than 30 s counts",
        "polly-8",
        [wait(1), BAD, wait(29.999), BAD],
        {3: {"state": "open", "calls": 2}},
        min_calls=2,
        failure_share=1.0,
    ),
    rule(
        "one of 30 s exactly does not",
        "polly-8",
        [wait(1), BAD, wait(30), BAD],
        {3: {"state": "closed", "calls": 1}},
        min_calls=2,
        failure_share=1.0,
    ),
    rule(
        "a window lasts 3 s from its first event and leaves as a whole",
        "polly-8",
        [wait(1), OK, wait(2.9), OK, wait(27.1), OK],
        {5: {"calls": 1}},
    ),
    rule(
        "after 3 s exactly the next one begins",
        "polly-8",
        [wait(1), OK, wait(3.0), OK, wait(27.0), OK],
        {5: {"calls": 2}},
    ),
    rule(
        "5 s exactly is enough",
        "polly-8",
        [("trip",), wait(4.999), OK, wait(0.001), OK],
        {2: {"code": 1, "state": "open"}, 4: {"admitted": True, "state": "closed", "calls": 0}},
    ),
    rule("a cancelled probe closes", "polly-8", [("trip",), wait(5), ("call", "CANCELLED")], {-1: {"state": "closed"}}),
    rule(
        "late success closes half-open",
        "polly-8",
        [("start", "x"), ("trip",), wait(5), ("start", "a"), ("finish", "x", "success")],
        {3: {"state": "half_open"}, 4: {"state": "closed"}},
    ),
    rule(
        "late success in open",
        "polly-8",
        [("start", "x"), ("trip",), ("finish", "x", "success")],
        {2: {"state": "open"}},
    ),
    rule(
        "closing resets the metrics",
        "polly-8",
        [BAD] * 100 + [wait(5), OK] + [BAD] * 99,
        {-1: {"state": "closed", "calls": 99}},
    ),
    rule(
        "every kind but cancel",
        "polly-8",
        [("call", "VALIDATION_ERROR"), ("call", "PROGRAMMING_ERROR"), ("call", "CANCELLED")],
        {1: {"failure_share": 1.0, "calls": 2}, 2: {"calls": 3}},
    ),
    rule("2 throughput", "polly-8", [BAD, BAD], {0: {"state": "closed"}, 1: {"state": "open"}}, min_calls=2),
    rule(
        "slow is nothing", "polly-8", [("call", "success", 900.0)] * 5, {-1: {"failure_share": 0.0, "slow_share": 0.0}}
    ),
    rule(
        "closed after isolate",
        "polly-8",
        [("force", "open"), BAD, ("force", "closed"), OK],
        {1: {"code": 3}, 3: {"state": "closed", "calls": 1}},
    ),
    rule(
        "failing probe not in metrics",
        "polly-8",
        [BAD] * 100 + [wait(5), BAD, wait(5), OK] + [BAD] * 99,
        {-1: {"state": "closed", "calls": 99}},
    ),
]

OPOSSUM_10 = [
    rule(
        "half exactly does not open",
        "opossum-10",
        [OK, BAD, BAD],
        {1: {"state": "closed", "failure_share": 0.5}, 2: {"state": "open"}},
    ),
    rule(
        "below the volume threshold nothing opens",
        "opossum-10",
        [BAD] * 5,
        {3: {"state": "closed"}, 4: {"state": "open"}},
        min_calls=5,
    ),
    rule(
        "the timer half-opens at 30 s without a call",
        "opossum-10",
        [BAD, wait(29.999), wait(0.001)],
        {1: {"state": "open"}, 2: {"state": "half_open"}},
    ),
    rule(
        "one trial, and its failure opens for as long",
        "opossum-10",
        [BAD, wait(30), ("start", "a"), ("start", "b"), ("finish", "a", "failure"), wait(30)],
        {3: {"code": 2}, 4: {"state": "open"}, 5: {"state": "half_open"}},
    ),
    rule("a filtered error closes", "opossum-10", [BAD, wait(30), IGNORED], {2: {"state": "closed"}}),
    rule(
        "rejected calls dilute the share after recovery",
        "opossum-10",
        [OK, BAD, BAD, OK, OK, OK, wait(1), OK, BAD],
        {
            2: {"state": "open"},
            5: {"code": 1, "failure_share": 1 / 3, "calls": 6},
            7: {"state": "closed"},
            8: {"state": "closed", "failure_share": 3 / 8},
        },
        open_s=1.0,
    ),
    rule("10 s is a failure", "opossum-10", [("call", "success", 10.0)], {0: {"state": "open"}}),
    rule("less is not", "opossum-10", [("call", "success", 9.999)], {0: {"state": "closed"}}),
    rule(
        "running calls are in the denominator",
        "opossum-10",
        [("start", "a"), ("start", "b"), BAD],
        {1: {"calls": 2}, 2: {"state": "closed", "failure_share": 1 / 3}},
    ),
    rule(
        "a failing check opens, a passing one does nothing",
        "opossum-10",
        [("probe", "success"), ("probe", "failure"), ("probe", "success")],
        {0: {"state": "closed"}, 1: {"state": "open"}, 2: {"state": "open"}},
    ),
    rule(
        "no opening while warming up",
        "opossum-10",
        [BAD, BAD, wait(9.9), BAD, wait(0.2), BAD],
        {3: {"state": "closed"}, 5: {"state": "open"}},
        warm_up_s=10.0,
    ),
    rule(
        "half open asks for no volume", "opossum-10", [BAD] * 5 + [wait(30), BAD], {-1: {"state": "open"}}, min_calls=5
    ),
    rule(
        "running call times out",
        "opossum-10",
        [("start", "a"), wait(9.999), wait(0.001), wait(30)],
        {1: {"state": "closed"}, 2: {"state": "open"}, 3: {"state": "half_open"}},
    ),
    rule(
        "finish after its time-out says nothing",
        "opossum-10",
        [("start", "a"), wait(10), ("finish", "a", "success")],
        {-1: {"state": "open"}},
    ),
    rule(
        "rejects count as fires", "opossum-10", [BAD, OK, OK, OK], {-1: {"calls": 4, "failure_share": 0.25, "code": 1}}
    ),
    rule(
        "volume counts rejects",
        "opossum-10",
        [BAD] * 4 + [("trip",)] + [OK] * 3 + [wait(1), OK, OK, BAD],
        {-1: {"state": "closed", "failure_share": 0.5}},
        min_calls=5,
        open_s=1.0,
    ),
]


@pytest.mark.parametrize(("preset", "script", "expected", "settings"), POLLY_8)
def test_polly_8_as_documented(preset, script, expected, settings):
    """Each row is one rule of the source named above."""
    check(preset, script, expected, settings)


@pytest.mark.parametrize(("preset", "script", "expected", "settings"), OPOSSUM_10)
def test_opossum_10_as_documented(preset, script, expected, settings):
    """Each row is one rule of the source named above."""
    check(preset, script, expected, settings)
