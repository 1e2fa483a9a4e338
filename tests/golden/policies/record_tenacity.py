"""Record what tenacity decides: `cd tests && python -m golden.policies.record_tenacity` where tenacity is installed.

Time is a number that attempts and sleeps move; the draws come from the script, one for each attempt.
"""

import time
from collections.abc import Iterator
from importlib.metadata import version
from typing import Any
from unittest.mock import patch

from golden.policies.policy_golden import EVENTS, Try, tries, write

NAME = "tenacity"
OUTCOMES = (("error", 6.0), ("refused", 1.0), ("poor", 1.0))
SETTINGS = (
    "default",
    "fixed",
    "linear",
    "exponential",
    "base 3",
    "random exponential",
    "random exponential with floor",
    "exponential jitter",
    "before delay",
    "results",
)


class WorthATryError(Exception):
    pass


class RefusedError(Exception):
    pass


class ScriptEndedError(Exception):
    pass


class Draws:
    """Stands in for the module `random` inside the library."""

    def __init__(self) -> None:
        self.draw = 0.0

    def random(self) -> float:
        return self.draw

    def uniform(self, low: float, high: float) -> float:
        return low + (high - low) * self.draw


def retrying(name: str) -> dict[str, Any]:
    import tenacity as t  # noqa: PLC0415  the tests read this module without it

    attempts = t.stop_after_attempt
    return {
        "default": {},
        "fixed": {"stop": attempts(3), "wait": t.wait_fixed(2)},
        "linear": {"stop": attempts(6), "wait": t.wait_incrementing(start=1, increment=0.7, max=3)},
        "exponential": {"stop": attempts(8), "wait": t.wait_exponential(multiplier=0.3, max=10, min=1)},
        "base 3": {"stop": t.stop_after_delay(30), "wait": t.wait_exponential(multiplier=0.1, exp_base=3, max=12)},
        "random exponential": {"stop": attempts(7), "wait": t.wait_random_exponential(multiplier=0.5, max=60)},
        "random exponential with floor": {
            "stop": attempts(9) | t.stop_after_delay(40),
            "wait": t.wait_random_exponential(multiplier=1, max=8, min=2),
        },
        "exponential jitter": {
            "stop": attempts(10) | t.stop_after_delay(45),
            "wait": t.wait_exponential_jitter(multiplier=0.1, max=5, jitter=1),
        },
        "before delay": {"stop": t.stop_before_delay(20), "wait": t.wait_exponential(multiplier=0.5)},
        "results": {
            "stop": attempts(4),
            "wait": t.wait_fixed(1.5),
            "retry": t.retry_if_exception_type(WorthATryError) | t.retry_if_result(lambda answer: answer == "poor"),
        },
    }[name]


class Clock:
    def __init__(self) -> None:
        self.now_s = 0.0

    def monotonic(self) -> float:
        return self.now_s


def lines(count: int = EVENTS) -> Iterator[str]:
    """Yield one decision for each attempt; calls take the settings in turn."""
    import tenacity  # noqa: PLC0415

    script = tries(OUTCOMES, count=count)
    clock, draws = Clock(), Draws()
    told: list[str] = []
    last: list[Try] = []

    def attempt() -> str:
        each = next(script, None)
        if each is None:
            raise ScriptEndedError
        last.append(each)
        draws.draw = each.draw
        clock.now_s += each.latency_s
        if each.outcome == "error":
            raise WorthATryError
        if each.outcome == "refused":
            raise RefusedError
        return each.outcome

    def sleep(seconds: float) -> None:
        told.append(f"retry {float(seconds)!r}")
        clock.now_s += seconds

    with patch.object(time, "monotonic", clock.monotonic), patch.object(tenacity.wait, "random", draws):
        for turn in range(count):
            settings = {
                "retry": tenacity.retry_if_exception_type(WorthATryError),
                **retrying(SETTINGS[turn % len(SETTINGS)]),
            }
            loop = tenacity.Retrying(sleep=sleep, **settings)
            try:
                loop(attempt)
                told.append("done")
            except tenacity.RetryError:
                told.append("stop")
            except RefusedError:
                told.append("raised")
            except ScriptEndedError:
                yield from told
                return
            clock.now_s += last[-1].pause_s
            yield from told
            told.clear()


if __name__ == "__main__":
    write(NAME, "tenacity", version("tenacity"), lines())
