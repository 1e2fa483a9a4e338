"""Record what pybreaker decides: `cd tests && python -m golden.policies.record_pybreaker` where pybreaker is installed.

pybreaker holds its lock while a call runs, so calls come one after the other. Times are multiples of 1/64 s, which are
exact both as doubles and as whole microseconds.
"""

import random
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from importlib.metadata import version
from unittest.mock import patch

from golden.policies.policy_golden import EVENTS, SEED, write

NAME = "pybreaker"
SETTINGS: tuple[dict[str, float], ...] = (
    {},
    {"fail_max": 1, "reset_timeout": 5.0},
    {"fail_max": 3, "reset_timeout": 20.0, "success_threshold": 3},
    {"fail_max": 10, "reset_timeout": 2.5, "success_threshold": 2},
)
CALLS_EACH = 500


@dataclass(frozen=True)
class Call:
    """One call: how long after the last it comes, how it ends and how long it takes."""

    gap_s: float
    outcome: str  # ok, error or excluded
    latency_s: float


def calls(count: int = EVENTS, seed: int = SEED) -> Iterator[Call]:
    rng = random.Random(seed)
    failing = 0.1
    for number in range(count):
        if number % 50 == 0:
            failing = (0.02, 0.3, 0.7, 1.0)[int(rng.random() * 4)]
        kind = rng.random()
        outcome = "error" if kind < failing else "excluded" if kind < failing + 0.1 * (1 - failing) else "ok"
        yield Call(int(rng.random() * 192) / 64, outcome, int(rng.random() * 64) / 64)


class FailedError(Exception):
    pass


class ExcludedError(Exception):
    pass


def lines(count: int = EVENTS) -> Iterator[str]:
    """Yield one decision for each call: admitted or not, and the state after it. Settings change every 500 calls."""
    import pybreaker  # noqa: PLC0415  the tests read this module without it

    now = datetime(2026, 11, 25, tzinfo=UTC)

    class Clock(datetime):
        @classmethod
        def now(cls, tz: object = None) -> datetime:
            return now

    with patch.object(pybreaker, "datetime", Clock):
        breaker = pybreaker.CircuitBreaker()
        for number, call in enumerate(calls(count)):
            if number % CALLS_EACH == 0:
                settings = SETTINGS[number // CALLS_EACH % len(SETTINGS)]
                breaker = pybreaker.CircuitBreaker(exclude=[ExcludedError], **settings)
            now += timedelta(seconds=call.gap_s)
            sent = False

            def action(call: Call = call) -> None:
                nonlocal now, sent
                sent = True
                now += timedelta(seconds=call.latency_s)
                if call.outcome == "error":
                    raise FailedError
                if call.outcome == "excluded":
                    raise ExcludedError

            with suppress(FailedError, ExcludedError, pybreaker.CircuitBreakerError):
                breaker.call(action)
            yield f"{'sent' if sent else 'rejected'} {breaker.current_state.replace('-', '_')}"


if __name__ == "__main__":
    write(NAME, "pybreaker", version("pybreaker"), lines())
