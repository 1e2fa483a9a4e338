"""Record what stamina decides: `cd tests && python -m golden.policies.record_stamina` where stamina is installed."""

import time
from collections.abc import Iterator
from importlib.metadata import version
from unittest.mock import patch

from golden.policies.policy_golden import EVENTS, Try, tries, write
from golden.policies.record_tenacity import Clock, Draws, RefusedError, ScriptEndedError, WorthATryError

NAME = "stamina"
OUTCOMES = (("error", 7.0), ("refused", 1.0))
SETTINGS: tuple[dict[str, object], ...] = (
    {},
    {"attempts": 3, "timeout": None, "wait_initial": 0.5, "wait_max": 2.0, "wait_jitter": 0.0},
    {"attempts": None, "timeout": 20.0, "wait_initial": 0.2, "wait_max": 30.0, "wait_jitter": 0.3, "wait_exp_base": 3},
    {"attempts": 6, "timeout": 10.0, "wait_initial": 0.1, "wait_max": 60.0, "wait_jitter": 2.0, "wait_exp_base": 1.5},
)


def lines(count: int = EVENTS) -> Iterator[str]:
    """Yield one decision for each attempt; calls take the settings in turn."""
    import stamina  # noqa: PLC0415  the tests read this module without it
    import stamina.instrumentation  # noqa: PLC0415

    stamina.instrumentation.set_on_retry_hooks([])
    script = tries(OUTCOMES, count=count)
    clock, draws = Clock(), Draws()
    told: list[str] = []
    last: list[Try] = []

    def attempt() -> None:
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

    def sleep(seconds: float) -> None:
        told.append(f"retry {float(seconds)!r}")
        clock.now_s += seconds

    with (
        patch.object(time, "monotonic", clock.monotonic),
        patch.object(time, "sleep", sleep),
        patch.object(stamina._core, "random", draws),
    ):
        for turn in range(count):
            try:
                for tried in stamina.retry_context(on=WorthATryError, **SETTINGS[turn % len(SETTINGS)]):
                    with tried:
                        attempt()
                told.append("done")
            except WorthATryError:
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
    write(NAME, "stamina", version("stamina"), lines())
