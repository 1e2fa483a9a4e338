"""Points of the live policies under load: chosen thresholds beside the simulator, and the cost of a Pipeline."""

import json
from pathlib import Path

from .point import Found, point


@point("live", "chosen thresholds under load, in real time", slow=True)
def thresholds(folder: Path) -> Found:
    """Five runs of each script; the median of five lies within the band of single runs far more surely than one run."""
    import numpy as np  # noqa: PLC0415  pytest collects this module and must not pay for it

    from tests.fault_scripts import bands, chosen, measured  # noqa: PLC0415

    settings = chosen()
    found = measured(settings)
    (folder / "live_band.json").write_text(json.dumps(found), encoding="utf-8")
    drawn = bands(found)
    inside = [band.low <= float(np.median(band.live)) <= band.high for band in drawn]
    figure = (
        f"{settings.name}: {sum(inside)} of {len(drawn)} medians within, {sum(band.inside for band in drawn)} of "
        f"{sum(len(band.live) for band in drawn)} single runs; "
    ) + "; ".join(
        f"{band.script}, {'opened ms' if 'milli' in band.measure else 'lost'} {band.low:.0f} to {band.high:.0f}: "
        f"{', '.join(f'{value:.0f}' for value in band.live)}"
        for band in drawn
    )
    goal = "time to open and wasted calls at 200 requests/s inside the simulator's 95 % band (400 seeds), 3 scripts"
    return Found(goal, figure, all(inside))


@point("live", "2,000 requests/s through the async Pipeline with a shadow", slow=True)
def load(folder: Path) -> Found:
    from importlib.util import find_spec  # noqa: PLC0415

    from benchmarks.live_load import BARE, OURS, RATE, SECONDS, THEIRS, note  # noqa: PLC0415
    from benchmarks.measure import alone  # noqa: PLC0415

    has_theirs = bool(find_spec("tenacity") and find_spec("pybreaker"))
    candidates = (BARE, *((THEIRS,) if has_theirs else ()), *OURS)
    found = alone("benchmarks.live_load_work:play", candidates, RATE, SECONDS, 1.0).returned
    figure = "; ".join(f"{name}: {note(found[name])}" for name in candidates[1:])
    shadowed = found[OURS[1]]
    rss_mb = shadowed["rss_mb"]
    holds = (
        rss_mb[-1] - rss_mb[len(rss_mb) // 3] < 5.0
        and all(found[name]["permits_out"] == found[name]["wrong"] == found[name]["failed"] == 0 for name in OURS)
        and shadowed["mismatched"] == 0
        and shadowed["compared"] > 0.98 * shadowed["mirrored"]
        and shadowed["in_flight"] == 0
    )
    goal = "memory flat (< 5 MB from 10 s to 30 s), no permit leaked, no pair mismatched; latency beside tenacity + pybreaker told"
    return Found(goal, figure, holds)
