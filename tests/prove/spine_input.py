"""Points of the spine about bad input: each message is printed once, to be read by a person."""

import shutil
import sys
import time
from pathlib import Path

from .point import ROOT, Found, demo_database, point, relkit

PARAMETERS = {"misspelt": {"wek": "2026-W47"}, "mistyped": {"level": "0.95"}, "out of range": {"level": 95.0}}


@point("spine", "every bad input gets one clear message")
def bad_inputs(folder: Path) -> Found:
    sys.path.insert(0, str(ROOT / "tests/store"))
    try:
        from bad_inputs import CASES, HEAD, MAP, STAMP, log  # noqa: PLC0415  beside the tests of the store
    finally:
        sys.path.remove(str(ROOT / "tests/store"))
    first = folder / "first"
    first.mkdir()
    log(HEAD + f"{STAMP},200,5\n", mapping=MAP.replace('"web"', '"first"'))(first)
    relkit(first, "ingest", "log.csv", "--as", "attempts", "--map", "map.toml")
    wrong = []
    for number, case in enumerate(CASES):
        place = folder / str(number)
        place.mkdir()
        shutil.copy(first / "relkit.duckdb", place)
        (place / "map.toml").write_text(MAP, encoding="utf-8")
        case.make(place)
        done = relkit(place, *case.words)
        said = (done.stdout + done.stderr).strip()
        holds = done.returncode == (0 if case.kept else 1) and all(part in said for part in case.says)
        wrong += [] if holds and "Traceback" not in said else [case.name]
        print(f"      {case.name}: {' | '.join(said.splitlines())[:240]}", flush=True)
        shutil.rmtree(place)
    return Found(
        "exit 1 and one message, or rejects with their reason",
        f"{len(CASES)} inputs; wrong: {', '.join(wrong) or 'none'}",
        not wrong,
    )


@point("spine", "a report that cannot be made says why")
def bad_reports(folder: Path) -> Found:
    shutil.copy(demo_database(), folder / "relkit.duckdb")
    (folder / "taken").write_text("a file\n", encoding="utf-8")
    (folder / "relkit.toml").write_text("[shadow]\nmargin = 0.01\n", encoding="utf-8")
    (folder / "good.toml").write_text("", encoding="utf-8")
    tried = {
        "folder that is a file": ("report", "--week", "2026-W47", "--reports", "taken", "--config", "good.toml"),
        "relkit.toml with a bad section": ("report", "--week", "2026-W47", "--reports", "pages"),
        "database that is not there": ("report", "--database", "none.duckdb", "--config", "good.toml"),
    }
    wrong = []
    for name, words in tried.items():
        done = relkit(folder, *words)
        print(f"      {name}: {done.stderr.strip()[:240]}", flush=True)
        wrong += [] if done.returncode == 1 and done.stderr.startswith("relkit: ") and not done.stdout else [name]
    return Found(
        "exit 1, one message, nothing written", f"{len(tried)} tried; wrong: {', '.join(wrong) or 'none'}", not wrong
    )


@point("spine", "a bad notebook parameter is refused before a kernel starts")
def bad_parameters(folder: Path) -> Found:
    from relkit.exceptions import ParameterError  # noqa: PLC0415  pytest collects this module and must not pay for it
    from relkit.report.launch import run_notebook  # noqa: PLC0415

    slowest, refused = 0.0, 0
    for name, given in PARAMETERS.items():
        begun = time.process_time()
        try:
            run_notebook(ROOT / "notebooks/6_weekly.ipynb", given)
        except ParameterError as error:
            refused += 1
            print(f"      {name}: {error}", flush=True)
        slowest = max(slowest, time.process_time() - begun)
    return Found(
        "misspelt, mistyped and out of range: refused in less than a second of CPU",
        f"{refused} of {len(PARAMETERS)} refused; slowest {slowest:.3f} s of CPU",
        refused == len(PARAMETERS) and slowest < 1,
    )
