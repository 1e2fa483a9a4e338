"""Live load: 2,000 requests a second through an async Pipeline, without and with a shadow of every call, beside tenacity + pybreaker.

rows are the calls of one turn of a second; each candidate has 30 of them, in turn, in one process. Latency is what a call took
beyond the service itself, of calls that needed no retry; with as many processors as threads want to run it says little.
"""

from collections.abc import Iterator, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

from benchmarks.measure import Row, alone

RATE: Final = 2000.0
SECONDS: Final = 30
BARE: Final = "bare"
THEIRS: Final = "tenacity + pybreaker"
OURS: Final = ("Pipeline", "Pipeline, shadowed")


def run(sizes: Sequence[int], folder: Path, repeats: int) -> Iterator[Row]:  # noqa: ARG001  every benchmark has these
    """Measure once: a turn is a repeat."""
    absent = [name for name in ("tenacity", "pybreaker") if find_spec(name) is None]
    candidates = (BARE, *(() if absent else (THEIRS,)), *OURS)
    found: dict[str, dict[str, Any]] = alone("benchmarks.live_load_work:play", candidates, RATE, SECONDS, 1.0).returned
    if absent:
        print(f"without {THEIRS}: {' and '.join(absent)} is not installed here (pip install {' '.join(absent)})")
    baseline = sum(found[BARE if absent else THEIRS]["cpu_s"])
    for name in candidates:
        one = found[name]
        cpu_s = tuple(one["cpu_s"])
        yield Row(
            "live_load", f"{RATE:,.0f} a second", one["calls"] // SECONDS, name, cpu_s, (1.0,) * len(cpu_s),
            max(one["rss_mb"]), sum(cpu_s) / baseline, note=note(one),
        )  # fmt: skip


def note(one: dict[str, Any]) -> str:
    """Say in words what a candidate's turns showed."""
    rss_mb = one["rss_mb"]
    parts = [
        f"added p50 {one['p50_us']:.0f} us, p99 {one['p99_us']:.0f} us",
        f"RSS {rss_mb[len(rss_mb) // 3]:.1f} MB at 10 s, {rss_mb[-1]:.1f} MB at 30 s",
        f"{one['failed']} failed, {one['wrong']} wrong",
    ]
    if "permits_out" in one:
        parts.append(f"{one['permits_out']} permits out")
    if "compared" in one:
        parts.append(
            f"{one['mirrored']} mirrored, {one['compared']} compared, {one['mismatched']} mismatched, {one['dropped']} dropped, "
            f"{one['in_flight']} in flight"
        )
    return "; ".join(parts)
