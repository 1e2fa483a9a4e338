"""`python -m tests.prove AREA [--slow] [--only WORD] [--write]`: prove every promised point; exit 1 when one fails."""

import argparse
import importlib
import platform
import sys
import traceback
from importlib import metadata
from pathlib import Path
from typing import Final

from .point import POINTS, ROOT, Point, Skipped, run, scratch

AREAS: Final = ("spine", "errors", "policies", "simulation", "tune", "slo", "shadow", "live", "product")
PAGES: Final = ROOT / "docs/proofs"


def main() -> int:
    """Run the points of an area, one line each."""
    parser = argparse.ArgumentParser(prog="python -m tests.prove", description=__doc__)
    parser.add_argument("area", choices=AREAS)
    parser.add_argument("--slow", action="store_true", help="also what installs everything anew, some minutes")
    parser.add_argument("--only", default="", help="points whose name holds this word")
    parser.add_argument("--write", action="store_true", help="keep the lines in docs/proofs/AREA.md")
    asked = parser.parse_args()
    for module in sorted(Path(__file__).parent.glob(f"{asked.area}_*.py")):
        importlib.import_module(f"{__package__}.{module.stem}")
    points = [point for point in POINTS.get(asked.area, ()) if asked.only in point.name]
    if not points:
        print(f"{asked.area}: no points yet: later issues own them")
        return 0
    lines = []
    for number, point in enumerate(points):
        lines.append(_tried(point, number, slow=asked.slow))
        print(lines[-1], flush=True)
    if asked.write:
        (PAGES / f"{asked.area}.md").write_text(_page(asked.area, lines, slow=asked.slow), encoding="utf-8")
    return int(any(line.startswith("FAIL") for line in lines))


def _tried(point: Point, number: int, *, slow: bool) -> str:
    if point.slow and not slow:
        return f"SKIP  {point.name}: takes minutes; ask with --slow"
    folder = scratch() / f"point {number}"
    folder.mkdir()
    try:
        found = point.prove(folder)
    except Skipped as why:
        return f"SKIP  {point.name}: {why}"
    except Exception as error:  # noqa: BLE001  a proof that breaks has failed, and the others still run
        print(traceback.format_exc(), file=sys.stderr)
        return f"FAIL  {point.name}: broke: {type(error).__name__}: {_hidden(str(error))}"
    return f"{'PASS' if found.holds else 'FAIL'}  {point.name}: goal {found.goal}; figure {_hidden(found.figure)}"


def _hidden(text: str) -> str:
    """Keep this machine's folders out of lines that are stored, and the lines single."""
    shown = " ".join(text.split())
    for folder, name in ((scratch(), "SCRATCH"), (ROOT, "PROJECT"), (ROOT.parent, "BESIDE")):
        shown = shown.replace(str(folder), name)
    return shown[:600]


def _page(area: str, lines: list[str], *, slow: bool) -> str:
    commit = run(["git", "rev-parse", "--short=12", "HEAD"], ROOT).stdout.strip() or "unknown"
    changed = run(["git", "status", "--porcelain", "--untracked-files=no", "--", "relkit", "notebooks"], ROOT).stdout
    made = f"commit {commit}{' with changes' if changed else ''}, Python {platform.python_version()}, DuckDB {metadata.version('duckdb')}"
    command = f"make prove AREA={area}" if not slow else f"python -m tests.prove {area} --slow"
    body = "\n".join(lines)
    return (
        f"# Proofs: {area}\n\nThe last output of `{command}`, written with `--write`: one line for each promised point. {made}.\n\n"
        f"```text\n{body}\n```\n"
    )


if __name__ == "__main__":
    sys.exit(main())
