"""Points of replay: bounds and drawn values against a truth that is known, and what a breaker over a log costs."""

import time
from dataclasses import replace
from pathlib import Path

from .point import Found, point

LOGS = 40


@point("simulation", "replay of a breaker-censored log against the whole truth, 40 logs", slow=True)
def replay_truth(folder: Path) -> Found:
    import numpy as np  # noqa: PLC0415  pytest collects this module

    from relkit.errors.kinds import ADVICE, ErrorKind  # noqa: PLC0415
    from relkit.policies.presets import presets  # noqa: PLC0415
    from relkit.simulation.calibrate.calibration import Calibration, scenario_of  # noqa: PLC0415
    from relkit.simulation.calibrate.fit import fit  # noqa: PLC0415
    from relkit.simulation.replay import replay  # noqa: PLC0415
    from relkit.simulation.replay.breaker_run import Outcomes, watch  # noqa: PLC0415
    from relkit.simulation.traffic import traffic_of  # noqa: PLC0415

    server_error = ADVICE[ErrorKind.API_SERVER_ERROR].int_code
    inside, drawn, ignored = 0, [], []
    for seed in range(LOGS):
        rng = np.random.default_rng(500 + seed)
        ends = np.cumsum(np.column_stack([rng.exponential(270.0, 200), rng.exponential(30.0, 200)]).ravel())
        starts = np.sort(rng.uniform(0.0, 4000.0, 20_000))
        bad = np.searchsorted(ends, starts) % 2 == 1
        good = rng.random(20_000) >= np.where(bad, 0.7, 0.005)
        kinds = np.where(good, 0, server_error)
        whole = traffic_of(starts, rng.lognormal(np.log(0.3), 0.4, 20_000), good, kind=kinds)
        told = Outcomes(whole.outcome, whole.kind, whole.latency_us / 1e6, np.full(starts.size, -1.0))
        let, _ = watch((whole.start_us - whole.start_us[0]) / 1e6, told, presets["pybreaker"], 1)
        hidden = replace(whole, rejected=~let, outcome=np.where(let, whole.outcome, -1))
        fitted = fit(hidden)
        calibration = Calibration(
            scenario_of(fitted, "log", "m"), fitted.model, (), (), 0.0, 0.0, 0.0, 0.0, 0.0, fitted
        )
        truth = replay(whole, [presets["plan-fixed"]]).arms[0].failures_avoided.value
        tally = (
            replay(hidden, [presets["plan-fixed"]], "R1", calibration=calibration, draws=10).arms[0].failures_avoided
        )
        naive = replay(hidden, [presets["plan-fixed"]]).arms[0].failures_avoided
        inside += tally.low <= truth <= tally.high
        drawn.append(abs(tally.value / truth - 1.0))
        ignored.append(abs(naive.value / truth - 1.0))
    figure = f"{inside} of {LOGS} within the bounds; failures avoided off by {np.median(drawn):.0%} drawn, {np.median(ignored):.0%} left out"
    holds = inside == LOGS and np.median(drawn) <= 0.25 and np.median(drawn) < np.median(ignored)
    return Found(
        "every truth within the bounds; drawn within 25 % in the median, and better than leaving out", figure, holds
    )


@point("simulation", "one breaker over a log of a million attempts")
def replay_speed(folder: Path) -> Found:
    import numpy as np  # noqa: PLC0415

    from relkit.policies.presets import presets  # noqa: PLC0415
    from relkit.simulation.replay.breaker_run import Outcomes, watch  # noqa: PLC0415

    rng, size = np.random.default_rng(1), 1_000_000
    starts = np.sort(rng.uniform(0.0, 1e5, size))
    told = Outcomes(
        (rng.random(size) > 0.1).astype(np.int64), np.full(size, 7), np.full(size, 0.3), np.full(size, -1.0)
    )
    watch(starts, told, presets["plan-fixed"], 1)  # compiles
    began = time.process_time()
    watch(starts, told, presets["plan-fixed"], 1)
    took_s = time.process_time() - began
    return Found("at most 1 s of CPU", f"{took_s:.2f} s", took_s <= 1.0)
