"""A step of the live trial: a setting moves, a run is played and becomes what the page's script draws; beside a matplotlib figure of it."""

import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, Final

from benchmarks.measure import Cost, Row, alone, in_turn, row_of

MOST_MS: Final = 150.0
"""The 95th percentile that a step may take at the size that pages play: below it a slider feels attached."""
PAGE_REQUESTS: Final = 6_000
_LARGEST: Final = 100_000
_STEPS: Final = 60


def run(sizes: Sequence[int], folder: Path, repeats: int) -> Iterator[Row]:  # noqa: ARG001  nothing is written
    """Move a slider through its range, with the size that pages play first."""
    for requests in (PAGE_REQUESTS, *(size for size in sizes if size <= _LARGEST)):
        works = [
            lambda: alone("benchmarks.live_trial:steps", requests),  # noqa: B023  run before the next size
            lambda: alone("benchmarks.live_trial:figures", requests),  # noqa: B023
        ]
        ours, drawn = in_turn(repeats, works)
        base = row_of(
            "live_trial",
            f"{_STEPS} steps",
            requests,
            "matplotlib figure",
            drawn,
            note=f"p95 {_p95(drawn):.0f} ms a step",
        )
        told = f"p95 {_p95(ours):.0f} ms a step"
        if requests == PAGE_REQUESTS:
            told += f", goal {MOST_MS:.0f} ms {'kept' if _p95(ours) <= MOST_MS else 'MISSED'}"
        yield row_of("live_trial", f"{_STEPS} steps", requests, "relkit", ours, over=base, note=told)
        yield base


def _p95(costs: Sequence[Cost]) -> float:
    """Of the quietest run: what else a machine does can only lengthen a step."""
    return min(float(cost.returned) for cost in costs)


def steps(requests: int) -> float:
    """Take the steps of the live trial; return the 95th percentile of one, milliseconds."""
    from relkit.plates.trial import Bench  # noqa: PLC0415  only the measured process needs it
    from relkit.policies.presets import presets  # noqa: PLC0415
    from relkit.slo.objective import Objective  # noqa: PLC0415

    bench = Bench(presets["plan-fixed"], presets["plan"], _suite(requests), Objective("availability", "0.999"))
    knobs = {each.name: each.value for each in bench.knobs("the choice", "outage")}

    def step(open_s: float) -> None:
        bench.step("the choice", "outage", knobs, knobs | {"open_s": open_s}, "here")

    return _timed(step)


def figures(requests: int) -> float:
    """Draw each run as a new matplotlib figure instead; return the 95th percentile of one, milliseconds."""
    from relkit.plates.timeline import timeline_plate  # noqa: PLC0415  only the measured process needs it
    from relkit.policies.presets import changed, presets  # noqa: PLC0415
    from relkit.simulation.run import simulate  # noqa: PLC0415
    from relkit.tune.course import course_of  # noqa: PLC0415

    outage = next(each for each in _suite(requests) if each.name == "outage")
    trouble = [(each.start_s, each.end_s) for each in outage.episodes]

    def step(open_s: float) -> None:
        run = simulate(outage, changed(presets["plan-fixed"], open_s=open_s), 1)
        timeline_plate(course_of(run), [outage.models[0].name], trouble)

    return _timed(step)


def _suite(requests: int) -> tuple[Any, ...]:
    from relkit.simulation.arrivals import poisson  # noqa: PLC0415  only the measured process needs it
    from relkit.simulation.latency import lognormal  # noqa: PLC0415
    from relkit.simulation.scenario import Scenario, ServedModel  # noqa: PLC0415
    from relkit.tune.suite import around  # noqa: PLC0415

    chat = Scenario("chat", requests, poisson(1.0), (ServedModel("small", "a", lognormal(0.4, 0.5)),), timeout_s=10.0)
    return around(chat)


def _timed(step: Callable[[float], object]) -> float:
    took = []
    step(30.0)  # what is compiled or read once is no part of a step
    for place in range(_STEPS):
        begun = time.perf_counter()
        step(1.0 + place * 29.0 / _STEPS)
        took.append(time.perf_counter() - begun)
    return 1e3 * sorted(took)[int(0.95 * len(took))]
