"""relkit beside what a user would pick instead: `python -m benchmarks [name ...] [--rows 10000 ...] [--full] [--json]`."""

import argparse
import importlib
import json
import os
import sys
import tempfile
from pathlib import Path
from typing import Final

from benchmarks.measure import Row

BENCHMARKS: Final = (
    "ingest",
    "report",
    "reclassify",
    "redact",
    "breakers",
    "classify",
    "simulation",
    "shadow",
    "alerts",
    "live_trial",
    "live_load",
)
_HEAD: Final = f"{'rows':>10}  {'case':<18}  {'candidate':<19}  {'CPU s, median (range)':<24}  {'wall s':>7}  {'rows/s':>9}  {'peak MB':>7}  ratio"


def main() -> int:
    """Run the benchmarks asked for, each side by side with its alternative."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="name", help=f"{' or '.join(BENCHMARKS)}; default all")
    parser.add_argument("--rows", nargs="+", type=int, help="sizes; default 10^4 10^5 10^6")
    parser.add_argument("--repeats", type=int, default=3, help="runs of each candidate (one above 10^6 rows)")
    parser.add_argument("--full", action="store_true", help="also 10^7 rows: several minutes, 4 GB of disk")
    parser.add_argument("--json", action="store_true", help="one JSON list instead of the table")
    asked = parser.parse_args()
    if unknown := set(asked.names) - set(BENCHMARKS):
        parser.error(f"unknown benchmark {', '.join(sorted(unknown))}; there are {', '.join(BENCHMARKS)}")
    sizes = asked.rows or [10_000, 100_000, 1_000_000, *([10_000_000] if asked.full else [])]
    rows: list[Row] = []
    for name in asked.names or BENCHMARKS:
        # imported here, because each measured process imports this module again
        benchmark = importlib.import_module(f"benchmarks.{name}")
        if not asked.json:
            print(
                f"\n{benchmark.__doc__}\nratio = CPU seconds over those of the baseline; {os.cpu_count()} processors\n"
            )
            print(_HEAD)
        with tempfile.TemporaryDirectory(prefix="relkit-bench-") as folder:
            for row in benchmark.run(sizes, Path(folder), asked.repeats):
                rows.append(row)
                if not asked.json:
                    print(_line(row), flush=True)
    if asked.json:
        json.dump([row.record() for row in rows], sys.stdout, indent=1)
        print()
    return 0


def _line(row: Row) -> str:
    spread = f"{row.cpu:.3f} ({min(row.cpu_s):.3f} to {max(row.cpu_s):.3f})"
    ratio = "" if row.ratio is None else f"{row.ratio:.2f}x"
    if row.goal is not None and row.ratio is not None:
        ratio += f", goal {row.goal:g}x {'kept' if row.ratio <= row.goal else 'MISSED'}"
    end = "  ".join(part for part in (ratio, row.note) if part)
    speed = row.rows / max(row.cpu, 1e-4)
    return f"{row.rows:>10,}  {row.case:<18}  {row.candidate:<19}  {spread:<24}  {row.wall:>7.3f}  {speed:>9,.0f}  {row.peak_mb:>7.0f}  {end}"


if __name__ == "__main__":
    sys.exit(main())
