"""Points of the spine about a newcomer: a clone in a folder with a space, and the commands as typed."""

import os
import sys
from pathlib import Path

from .point import ROOT, Found, must, point, run

COMMANDS = (
    "pytest --nbval notebooks",
    "papermill notebooks/6_weekly.ipynb out.ipynb -p week 2026-W47",
    "jupyter execute notebooks/6_weekly.ipynb",  # what Run All does
)


def clone(folder: Path) -> Path:
    """Clone what is committed into a folder whose name holds a space."""
    place = folder / "new user"
    must(run(["git", "clone", "--quiet", "--no-hardlinks", str(ROOT), str(place)], folder))
    return place


def typed(place: Path, bin_folder: Path, **more: str) -> dict[str, int]:
    """Type the three commands in a clone; return their exit codes."""
    env = {**os.environ, **more, "PATH": f"{bin_folder}{os.pathsep}{os.environ.get('PATH', '')}"}
    return {command: run(command.split(), place, env).returncode for command in COMMANDS}


@point("spine", "the three commands as typed, on a clone")
def three_commands(folder: Path) -> Found:
    place = clone(folder)
    # the clone's own relkit, in this environment; --slow installs one of its own
    codes = typed(place, Path(sys.executable).parent, PYTHONPATH=str(place))
    made = (place / "data/demo.duckdb").is_file() and (place / "out.ipynb").is_file()
    shown = ", ".join(f"{command.split()[0]} {code}" for command, code in codes.items())
    return Found(
        "pytest --nbval, papermill and Run All exit 0; the demo is made when absent",
        f"{shown}; {'made' if made else 'not made'}",
        made and not any(codes.values()),
    )


@point("spine", "clean clone, python3 and make, folder with a space", slow=True)
def clean_clone(folder: Path) -> Found:
    place = clone(folder)
    home = folder / "home"
    home.mkdir()
    env = {name: value for name, value in os.environ.items() if not name.startswith(("VIRTUAL_ENV", "PYTHON"))}
    env |= {"HOME": str(home), "PIP_NO_CACHE_DIR": "1"}
    printed = must(run(["make", "report"], place, env))
    page = next((line.removeprefix("page: ") for line in printed.splitlines() if line.startswith("page: ")), "")
    shown = bool(page) and (place / page).is_file()
    tests = run(["make", "test"], place, env)
    codes = typed(place, place / ".venv/bin", HOME=str(home))
    last = (tests.stdout.strip().splitlines() or [""])[-1]
    told = ", ".join(f"{command.split()[0]} {code}" for command, code in codes.items())
    return Found(
        "make report prints a page that is there; make test passes; the three commands too",
        f"page {'there' if shown else 'missing'}; make test exit {tests.returncode} ({last}); {told}",
        shown and not tests.returncode and not any(codes.values()),
    )
