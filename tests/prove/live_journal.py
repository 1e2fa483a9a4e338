"""Journal, follow and shadowing: kills, canaries, sinks that block, the lock of the database, pairs that must not mix."""

import asyncio
import random
import re
import resource
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from .killed_journal import kill_writers
from .point import ROOT, Found, point, run

AT_US = 1_795_000_000_000_000


@point("live", "journal: 100 kills lose the unflushed tail alone", slow=True)
def kills(folder: Path) -> Found:
    found = kill_writers(folder, 100, random.Random(100))
    figure = (
        f"{found.kills} kills; of {found.written:,} lines found whole {found.promised:,} had been promised, and none of those is lost; "
        f"{found.torn} cut lines; {len(found.wrong)} files that did not ingest as they lie"
        + "".join(f"; {each}" for each in found.wrong[:3])
    )
    return Found(
        "100 kills; nothing but the unflushed tail lost, the file always ingests",
        figure,
        not found.wrong and found.kills == 100,
    )


@point("live", "journal: canaries reach no sink")
def canaries(_folder: Path) -> Found:
    from tests.live.test_journal_leaks import EVENTS, PLANTED, POSITIONS  # noqa: PLC0415  see killed_journal

    done = run([sys.executable, "-m", "pytest", "-q", "tests/live/test_journal_leaks.py"], ROOT)
    planted = (
        f"{len(PLANTED)} secrets in every text of {len(EVENTS)} events and in {len(POSITIONS)} places of own lines"
    )
    figure = f"{planted}: {'found nowhere' if not done.returncode else done.stdout[-300:]}"
    return Found("files, standard output, callables and the database hold none", figure, not done.returncode)


@point("live", "journal: a sink that blocks or raises slows no call")
def slow_sinks(folder: Path) -> Found:
    from relkit.live.answers import Request  # noqa: PLC0415
    from relkit.live.files import RotatingFile  # noqa: PLC0415
    from relkit.live.journal import Journal  # noqa: PLC0415
    from relkit.live.pipeline import Pipeline  # noqa: PLC0415
    from relkit.policies.presets import presets  # noqa: PLC0415

    never = threading.Event()

    def raising(record: dict[str, Any]) -> None:
        raise OSError(f"no aggregator for {len(record)} fields")

    sinks: dict[str, Callable[[], list[Any]]] = {
        "file": lambda: [RotatingFile(folder / "file")],
        "blocking": lambda: [RotatingFile(folder / "blocking"), lambda _: never.wait()],
        "raising": lambda: [RotatingFile(folder / "raising"), raising],
    }
    journals = {name: Journal(make(), service="booking", capacity=500) for name, make in sinks.items()}
    request = Request(only_reads=True, session_id="s")
    pipelines = {name: Pipeline(presets["plan-fixed"], record=journal) for name, journal in journals.items()}
    took: dict[str, list[float]] = {name: [] for name in sinks}
    for _ in range(3_000):
        for name in random.sample(list(sinks), len(sinks)):
            began_s = time.perf_counter()
            pipelines[name].call(abs, -1, request=request)
            took[name].append(time.perf_counter() - began_s)
        time.sleep(0.000_5)
    drops = journals["blocking"].status[1].dropped
    for journal in journals.values():
        journal.close(0.2)
    never.set()
    medians = {name: statistics.median(each) for name, each in took.items()}
    tails = {name: statistics.quantiles(each, n=100)[98] for name, each in took.items()}
    ratios = [medians[name] / medians["file"] for name in ("blocking", "raising")]
    figure = (
        f"call with a file alone p50 {1e6 * medians['file']:.0f} us, p99 {1e6 * tails['file']:.0f} us; with a second sink that blocks "
        f"x{ratios[0]:.2f} (p99 x{tails['blocking'] / tails['file']:.2f}; {drops:,} lines dropped and counted), that raises "
        f"x{ratios[1]:.2f} (p99 x{tails['raising'] / tails['file']:.2f})"
    )
    return Found("p50 at most 1.2 times that of a file alone, same run", figure, max(ratios) <= 1.2 and drops > 2_000)


@point("live", "follow: the database is held below 200 ms a time")
def held(folder: Path) -> Found:
    from relkit.store.follow import Follower  # noqa: PLC0415

    _fill(folder / "relkit.duckdb", 1_000_000)
    writers = [
        subprocess.Popen([sys.executable, "-c", _WRITER, str(folder / "journal"), name, "8000"])
        for name in ("a", "b", "c")
    ]
    (folder / "journal").mkdir(exist_ok=True)
    follower, kept, times = Follower(folder / "journal", folder / "relkit.duckdb"), 0, []
    opened = follower._when_free

    def measured(work: Callable[[Any], Any], *, write: bool) -> tuple[Any, float]:
        began_s = time.process_time()
        found, held_s = opened(work, write=write)
        times.append((held_s, time.process_time() - began_s))
        return found, held_s

    follower._when_free = measured  # type: ignore[method-assign]
    while True:
        at_work = any(writer.poll() is None for writer in writers)
        kept += sum(landed.kept.get("attempts", 0) for landed in follower.landings(once=True))
        if not at_work:
            break
        time.sleep(0.2)
    walls, processors = (sorted(1000 * each for each in column) for column in zip(*times, strict=True))
    figure = (
        f"{kept:,} attempts of 3 writers into 1,000,000, in {len(times)} openings of the database: held for {statistics.median(walls):.0f} ms (median), "
        f"{walls[-1]:.0f} ms (longest) by the clock; {statistics.median(processors):.0f} ms and {processors[-1]:.0f} ms of processor"
    )
    return Found("each < 200 ms, no row lost or twice", figure, walls[-1] < 200 and kept == 24_000)


@point("live", "follow: memory stays flat")
def flat(folder: Path) -> Found:
    from relkit.live.files import RotatingFile  # noqa: PLC0415
    from relkit.store.follow import Follower  # noqa: PLC0415
    from tests.store.test_follow import line  # noqa: PLC0415

    journal, follower = RotatingFile(folder / "journal", max_bytes=60_000, keep=3), None
    sizes = []
    for turn in range(400):
        journal.write(
            [
                line(turn * 100 + number, ts=f"2026-11-18T{turn // 60 % 24:02d}:{turn % 60:02d}:40.000001Z")
                for number in range(100)
            ]
        )
        follower = follower or Follower(journal.folder, folder / "relkit.duckdb")
        for _ in follower.landings(once=True):
            pass
        if turn % 50 == 49:
            sizes.append(_memory_mb())
    grown_mb = sizes[-1] - sizes[1]
    figure = (
        f"400 landings, 40,000 rows, files turning: {sizes[1]:.0f} MB after 100 landings, {sizes[-1]:.0f} MB after 400"
    )
    return Found("less than 20 MB more after 400 landings than after 100", figure, grown_mb < 20)


@point("live", "shadowing: no pair of 20,000 concurrent calls is mismatched")
def mirrored(_folder: Path) -> Found:
    from relkit.live.answers import Request  # noqa: PLC0415
    from relkit.live.events import PairEvent  # noqa: PLC0415
    from relkit.live.pipeline import Pipeline  # noqa: PLC0415
    from relkit.live.shadowing import Mirror  # noqa: PLC0415
    from relkit.policies.presets import presets  # noqa: PLC0415

    async def echo(number: int) -> int:
        await asyncio.sleep(random.random() / 200)
        return number

    def plain(number: int) -> int:
        time.sleep(random.random() / 2_000)
        return number

    async def all_of(pipeline: Pipeline, calls: int) -> None:
        gate = asyncio.Semaphore(500)

        async def one(number: int) -> None:
            async with gate:
                request = Request(only_reads=True, request_id=f"r{number}", session_id=f"s{number % 500}")
                assert (await pipeline.acall(echo, number, request=request)).value == number

        await asyncio.gather(*map(one, range(calls)))

    pairs: list[PairEvent] = []
    lost = 0
    for call, calls in ((echo, 10_000), (plain, 10_000)):
        mirror = Mirror(
            call,
            experiment="x",
            share=1.0,
            primary=call,
            baseline_share=0.1,
            capacity=20_000,
            workers=200 if call is echo else 32,
            record=pairs.append,
        )  # type: ignore[arg-type]
        pipeline = Pipeline(presets["plan-fixed"], shadow=mirror)
        if call is echo:
            asyncio.run(all_of(pipeline, calls))
        else:
            with ThreadPoolExecutor(32) as pool:
                requests = [
                    Request(only_reads=True, request_id=f"r{number}", session_id=f"s{number % 500}")
                    for number in range(calls)
                ]
                assert [
                    answer.value
                    for answer in pool.map(
                        lambda n, p=pipeline, r=requests: p.call(plain, n, request=r[n]), range(calls)
                    )
                ] == list(range(calls))
        mirror.close(120)
        lost += mirror.dropped + mirror.status.in_flight
    wrong = sum(
        pair.differs is not False or pair.differs_baseline is True or pair.state != "compared" for pair in pairs
    )
    twice = sum(pair.differs_baseline is not None for pair in pairs)
    first = sum(bool(pair.primary_first) for pair in pairs) / len(pairs)
    figure = (
        f"{len(pairs):,} pairs (half async, half in 32 threads), {twice:,} of them A/A: {wrong} mismatched, {lost} lost; "
        f"the primary was first in {first:.1%}"
    )
    return Found("20,000 pairs, none mismatched", figure, len(pairs) == 20_000 and not wrong and not lost)


_WRITER = """
import sys, time
from relkit.live.journal import Journal
from relkit.live.files import RotatingFile
from relkit.live.events import AttemptEvent
with Journal([RotatingFile(sys.argv[1], max_bytes=500_000)], service="booking") as journal:
    for number in range(int(sys.argv[3])):
        journal(AttemptEvent(f"{sys.argv[2]}{number}", 1, time.time_ns() // 1000, number, number % 50 > 0, "chat", model="m", operation="chat",
                             session_id=f"s{number % 90}", kind="" if number % 50 else "UNKNOWN", breaker_state="closed", budget_left=9))
        if number % 20 == 0:
            time.sleep(0.02)
"""


def _fill(database: Path, rows: int) -> None:
    """Make a database of so many attempts, a second apart, the last one a minute ago."""
    from relkit.batch import Batch  # noqa: PLC0415
    from relkit.store.open import open_store  # noqa: PLC0415
    from relkit.store.sinks import sink_into  # noqa: PLC0415

    last_us, step = time.time_ns() // 1000 - 60_000_000, 100_000
    with open_store(database, write=True) as store, sink_into(store, "older", "filled") as sink:
        for begin in range(0, rows, step):
            numbers = range(begin, begin + step)
            columns = {
                "request_id": [f"o{number}" for number in numbers],
                "ts": [last_us - (rows - number) * 1_000_000 for number in numbers],
                "latency_us": [number % 900_000 for number in numbers],
                "ok": [number % 100 > 0 for number in numbers],
            }
            same = {
                "service": "chat",
                "model": "m",
                "session_id": "s",
                "attempt": 1,
                "role": "user",
                "granularity": "attempt",
                "ended": True,
            }
            sink(Batch("attempts", columns | {name: [value] * step for name, value in same.items()}))


def _memory_mb() -> float:
    """Return what this process holds now; where the system does not tell, its peak."""
    status = Path("/proc/self/status")
    if status.exists() and (found := re.search(r"VmRSS:\s+(\d+) kB", status.read_text(encoding="ascii"))):
        return int(found[1]) / 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
