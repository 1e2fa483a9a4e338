"""Documented waits before retries, driven as a user would.

Sources: stamina 26.1.0 (retry); tenacity 9.2.1; gRPC A6 at 1fd061ad; botocore 1.43.0 and 1.44.5 (retries/standard.py,
quota.py); Envoy at 00c7146d; the plan, 2.1 and 2.2.
"""

import pytest
from documented import BAD, OK, check, delays, rule

RETRIES = [
    delays("stamina 45", "stamina", [("call", "failure", 45.0)], None),
    delays("stamina 44.9", "stamina", [("call", "failure", 44.9)], 0.6),
    delays("grpc low", "grpc-a6", [BAD] * 4, 0.08, 0.16, 0.32, None, draw=0.0),
    rule("grpc throttle", "grpc-a6", [BAD] * 4 + [OK] * 0 + [BAD], {4: {"delay_s": None}}),
    delays("grpc push", "grpc-a6", [("call", "failure", 0.0, 3.0), BAD], 3.0, 0.1),
    delays("grpc push neg", "grpc-a6", [("call", "failure", 0.0, -1)], None),
    delays("grpc push zero", "grpc-a6", [("call", "failure", 0.0, 0)], 0.0),
    delays("aws2026", "aws-standard-2026", [BAD] * 3, 0.025, 0.05, None),
    delays("aws2026 thr", "aws-standard-2026", [("call", "API_RATE_LIMIT")] * 3, 0.5, 1.0, None),
    delays("aws2026 hint high", "aws-standard-2026", [("call", "failure", 0.0, 100.0)], 5.025),
    delays("aws2026 hint low", "aws-standard-2026", [("call", "failure", 0.0, 0.001)], 0.025),
    delays("aws2026 hint mid", "aws-standard-2026", [("call", "failure", 0.0, 3.0)], 3.0),
    delays("aws2026 hint bad", "aws-standard-2026", [("call", "failure", 0.0, -1)], 0.025),
    delays("aws2020 hint", "aws-standard-2020", [("call", "failure", 0.0, 30.0)], 0.5),
    rule(
        "aws2020 100",
        "aws-standard-2020",
        [BAD] * 152,
        {
            147: {"delay_s": 0.5} if 147 % 3 == 0 else {"delay_s": 1.0},
            149: {"delay_s": None},
            148: {"delay_s": 1.0} if 148 % 3 == 1 else {},
            150: {"delay_s": None},
            151: {"delay_s": None},
        },
    ),
    rule(
        "aws2026 35",
        "aws-standard-2026",
        [BAD] * 55,
        {51: {"delay_s": 0.025}, 52: {"delay_s": None}, 53: {"delay_s": None}},
    ),
    rule(
        "aws2020 timeouts 50",
        "aws-standard-2020",
        [("call", "NETWORK_TIMEOUT")] * 78,
        {73: {"delay_s": 1.0}, 74: {"delay_s": None}, 75: {"delay_s": None}},
    ),
    rule("aws success returns", "aws-standard-2020", [BAD, OK] * 3000, {5998: {"delay_s": 0.5}}),
    delays("envoy retry", "envoy-retry", [BAD] * 2, 0.0125, None),
    delays("litellm RA", "litellm", [("call", "failure", 0.0, 60.0)], 60.375, members=1),
    delays("litellm RA 61", "litellm", [("call", "failure", 0.0, 61.0)], 0.875, members=1),
    delays("tenacity 3", "tenacity", [BAD] * 3, 0.0, 0.0, None, max_attempts=3),
    delays(
        "plan 429",
        "plan",
        [("call", "API_RATE_LIMIT")] * 6,
        0.3,
        0.45,
        0.675,
        1.0125,
        1.51875,
        None,
        failure_threshold=10,
    ),
    delays(
        "plan timeout",
        "plan",
        [("call", "NETWORK_TIMEOUT")] * 6,
        0.05,
        0.075,
        0.1125,
        0.16875,
        0.253125,
        None,
        failure_threshold=10,
    ),
    delays("plan 401", "plan", [("call", "API_AUTH_ERROR")], None),
    rule("grpc steady 9 %", "grpc-a6", ([BAD] + [OK] * 11) * 300, {12 * 299: {"delay_s": 0.1}}),
    rule("grpc steady 10 %", "grpc-a6", ([BAD] + [OK] * 9) * 300, {10 * 299: {"delay_s": None}}),
    rule(
        "grpc non-retryable does not drain",
        "grpc-a6",
        [("call", "API_INVALID_REQUEST")] * 50 + [BAD],
        {49: {"delay_s": None}, 50: {"delay_s": 0.1}},
    ),
    delays("grpc cap 1 s", "grpc-a6", [BAD] * 5, 0.1, 0.2, 0.4, 0.8, None, max_attempts=5, capacity=100.0),
    delays("aws non-retryable", "aws-standard-2026", [("call", "API_INVALID_REQUEST")], None),
    delays("aws draw0", "aws-standard-2026", [BAD] * 3, 0.0, 0.0, None, draw=0.0),
    rule(
        "aws2026 throttle cheap",
        "aws-standard-2026",
        [("call", "API_RATE_LIMIT")] * 152,
        {148: {"delay_s": 1.0}, 150: {"delay_s": None}},
    ),
]


@pytest.mark.parametrize(("preset", "script", "expected", "settings"), RETRIES)
def test_retries_as_documented(preset, script, expected, settings):
    """Each row is one rule of the source named above."""
    check(preset, script, expected, settings)
