"""`python -m benchmarks [ingest] [report] [--rows 10000 100000] [--repeats 3] [--full] [--json]`."""

import argparse
import json
import os
import sys
import tempfile
from pathlib import Path

from benchmarks import ingest, report
from benchmarks.measure import Row

BENCHMARKS = {"ingest": ingest.run, "report": report.run}
HEAD = f"{'rows':>10}  {'case':<18}  {'candidate':<20}  {'CPU s, median (range)':<24}  {'wall s':>7}  {'peak MB':>7}  ratio"


def main() -> int:
    """Run the benchmarks asked for, each side by side with its alternative."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", choices=[*BENCHMARKS, []], metavar="name", help=", ".join(BENCHMARKS))
    parser.add_argument("--rows", nargs="+", type=int, help="sizes; default 10^4 10^5 10^6")
    parser.add_argument("--repeats", type=int, default=3, help="runs of each candidate; 1 above 10^6 rows")
    parser.add_argument("--full", action="store_true", help="also 10^7 rows: several minutes, 3 GB of disk")
    parser.add_argument("--json", action="store_true", help="one JSON list instead of the table")
    asked = parser.parse_args()
    sizes = asked.rows or [10_000, 100_000, 1_000_000, *([10_000_000] if asked.full else [])]
    rows: list[Row] = []
    for name in asked.names or list(BENCHMARKS):
        if not asked.json:
            print(f"\n{name}: ratio = CPU seconds over those of the baseline (1.00x)   [{os.cpu_count()} processors]")
            print(HEAD)
        with tempfile.TemporaryDirectory(prefix="relkit-bench-") as folder:
            for row in BENCHMARKS[name](sizes, Path(folder), asked.repeats):
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
        ratio += f" (goal {row.goal:g}x: {'kept' if row.ratio <= row.goal else 'MISSED'})"
    end = "  ".join(part for part in (ratio, row.note) if part)
    return f"{row.rows:>10,}  {row.case:<18}  {row.candidate:<20}  {spread:<24}  {row.wall:>7.3f}  {row.peak_mb:>7.0f}  {end}"


if __name__ == "__main__":
    sys.exit(main())
