"""Points of calibration: planted bursts found, hidden failures counted, wrong models caught and right ones left alone."""

import sys
from pathlib import Path

from .point import MAPPINGS, ROOT, TRACES, Found, Skipped, ingest, point

LOGS = 200
sys.path.insert(0, str(ROOT / "tests"))


@point("simulation", "planted bursts, 10 seeds")
def bursts_found(folder: Path) -> Found:
    import numpy as np  # noqa: PLC0415  pytest collects this module
    from logs_with_known_truth import planted  # noqa: PLC0415

    from relkit.simulation.calibrate.fit import fit  # noqa: PLC0415
    from relkit.simulation.traffic import traffic_of  # noqa: PLC0415

    wanted = np.array([240.0, 20.0, 0.004, 0.55])
    found = []
    for seed in range(10):
        starts, took, failed = planted(seed, *wanted, hours=30, rate=1.2)
        states = fit(traffic_of(starts, took, ~failed)).model.states
        assert states is not None
        found.append([states.good_s, states.bad_s, states.good_level, states.bad_level])
    off = np.array(found) / wanted - 1.0
    medians, worst = np.abs(np.median(off, axis=0)), np.abs(off).max(axis=0)
    figure = "good and bad seconds, good and bad share: median off by " + ", ".join(f"{one:.1%}" for one in medians)
    figure += "; worst " + ", ".join(f"{one:.1%}" for one in worst)
    return Found("median within 15 %, none beyond 30 %", figure, bool(medians.max() <= 0.15 and worst.max() <= 0.30))


@point("simulation", "error rate of breaker-censored logs, 10 seeds", slow=True)
def hidden_failures(folder: Path) -> Found:
    import numpy as np  # noqa: PLC0415
    from logs_with_known_truth import hidden_by_a_breaker, planted  # noqa: PLC0415

    from relkit.simulation.calibrate.fit import fit  # noqa: PLC0415
    from relkit.simulation.traffic import traffic_of  # noqa: PLC0415

    ours, naive = [], []
    for seed in range(10):
        starts, took, failed = planted(100 + seed, 1500.0, 250.0, 0.004, 0.9, hours=60, rate=3.0)
        hidden = hidden_by_a_breaker(starts, failed)
        share = fit(traffic_of(starts, took, ~failed, rejected=hidden)).error_share
        ours.append(share / failed.mean())
        naive.append(failed.mean() / failed[~hidden].mean())
    off = np.abs(np.array(ours) - 1.0)
    figure = f"off by {off.max():.1%} at most, {np.median(off):.1%} in the median; "
    figure += f"the share of the calls seen is {min(naive):.0f} to {max(naive):.0f} times too low"
    return Found(
        "within 10 % of the truth where the naive figure is 5x off", figure, bool(off.max() <= 0.10 and min(naive) >= 5)
    )


@point("simulation", f"six wrong models, {LOGS} logs", slow=True)
def wrong_models_caught(folder: Path) -> Found:
    import numpy as np  # noqa: PLC0415
    from logs_with_known_truth import as_traffic, drawn, wrong_models  # noqa: PLC0415
    from tqdm import tqdm  # noqa: PLC0415

    from relkit.simulation.calibrate.checks import check_model  # noqa: PLC0415
    from relkit.simulation.calibrate.fit import fit  # noqa: PLC0415

    stamped, caught = 0, {}
    for seed in tqdm(range(LOGS), disable=None, leave=False):
        fitted = fit(as_traffic(drawn(1000 + seed)))
        rng = np.random.default_rng(seed)
        stamped += not all(check.passed for check in check_model(fitted.model, fitted.log, rng))
        for name, model in wrong_models(fitted.model, fitted.log).items():
            passed = all(check.passed for check in check_model(model, fitted.log, rng))
            caught[name] = caught.get(name, 0) + (not passed)
    limit = 0.05 + 4.0 * np.sqrt(0.05 * 0.95 / LOGS)
    figure = "; ".join(f"{name} {number / LOGS:.1%}" for name, number in caught.items())
    figure += f"; right models stamped {stamped / LOGS:.1%}"
    holds = min(caught.values()) >= 0.95 * LOGS and stamped <= limit * LOGS
    return Found(f"each caught in 95 %; right models stamped in at most {limit:.1%}", figure, bool(holds))


@point("simulation", "real traces: bursty, Poisson, censored")
def real_traces(folder: Path) -> Found:
    import duckdb  # noqa: PLC0415
    import numpy as np  # noqa: PLC0415

    from relkit.period import period_of  # noqa: PLC0415
    from relkit.simulation.calibrate.arriving import read_arrivals  # noqa: PLC0415
    from relkit.simulation.calibrate.fit import fit  # noqa: PLC0415
    from relkit.store import open_store, readings  # noqa: PLC0415

    if not TRACES.is_dir():
        raise Skipped("the real traces are not beside the project")
    found, censored, everything = {}, 0, period_of("all")
    for name, kind, mapping in (
        ("azure-llm-2023-code.csv", "attempts", "azure-llm-arrivals"),
        ("aider-llm-events-a.csv", "events", "aider-events"),
    ):
        place = folder / mapping
        place.mkdir()
        ingest(place, TRACES / name, kind, MAPPINGS / f"{mapping}.toml")
        with open_store(place / "relkit.duckdb") as store:
            found[mapping] = readings.traffic(store, everything)
            if kind == "events":
                censored = readings.log_span(store, everything).censored
    azure = found["azure-llm-arrivals"].start_us
    bursty = read_arrivals((azure - azure[0]) / 1e6)
    place = str(TRACES / "mooncake-synthetic.parquet")
    moon = np.sort(
        duckdb.execute("SELECT timestamp_ms FROM read_parquet(?)", [place]).fetchnumpy()["timestamp_ms"] / 1e3
    )
    even = read_arrivals(moon - moon[0])
    aider = found["aider-events"]
    unfinished = int(np.count_nonzero(~aider.ended))
    fitted = fit(aider)
    figure = (
        f"azure: {bursty.process}, CV {bursty.variation:.1f}; mooncake: {even.process}, CV {even.variation:.2f}; "
        f"aider: {censored} calls without an end; {fitted.unfinished} of the {aider.attempts} on its commonest model, arrivals {fitted.arriving.process}"
    )
    holds = bursty.process != "poisson" and abs(bursty.variation - 13.2) < 0.1 and even.process == "poisson"
    return Found(
        "azure bursty (CV 13.2), mooncake Poisson, aider censored (289 without an end)",
        figure,
        bool(holds and censored == 289 and 0 < fitted.unfinished == unfinished),
    )
