"""Points of the spine about strictness: small seeded changes to code, data and stored outputs that strict notebooks must catch."""

import ast
import json
import os
import random
import re
import sys
from collections.abc import Callable
from pathlib import Path

import duckdb

from .point import Found, must, point, run
from .spine_start import clone

SEED = 20251008
OF_CODE, MOST_DRAWN = 8, 30
# Where the numbers of a page are made. Waits, paddings and colours change no number and are not drawn from.
CODE = (
    "relkit/slo/budget.py", "relkit/slo/burn.py", "relkit/slo/minutes.py", "relkit/slo/percentiles.py", "relkit/shadow/paired/score.py",
    "relkit/shadow/paired/mcnemar.py", "relkit/shadow/sessions/student.py", "relkit/shadow/plan_z.py",
    "relkit/errors/counts.py", "relkit/intervals.py", "relkit/units.py",
    "relkit/store/readings/requests.py", "relkit/plates/slo/budget.py", "relkit/plates/weekly.py", "relkit/plates/shadow/verdict.py",
)  # fmt: skip
ROWS = (
    "UPDATE attempt_rows SET ok = FALSE WHERE rowid = (SELECT rowid FROM attempt_rows WHERE ok AND role = 'user' ORDER BY hash(rowid + {k}) LIMIT 1)",
    "DELETE FROM attempt_rows WHERE rowid = (SELECT rowid FROM attempt_rows WHERE NOT ok AND role = 'user' ORDER BY hash(rowid + {k}) LIMIT 1)",
    "UPDATE pairs SET shadow_ok = NOT shadow_ok WHERE rowid = (SELECT rowid FROM pairs WHERE shadow_ok IS NOT NULL ORDER BY hash(rowid + {k}) LIMIT 1)",
    "UPDATE attempt_rows SET latency_us = 60000000 WHERE rowid = (SELECT rowid FROM attempt_rows WHERE ok AND attempt = 1 ORDER BY hash(rowid + {k}) LIMIT 1)",
    "UPDATE attempt_rows SET ts = ts + 3600000000 WHERE rowid = (SELECT rowid FROM attempt_rows WHERE NOT ok AND role='user' ORDER BY hash(rowid+{k}) LIMIT 1)",
    "DELETE FROM pairs WHERE rowid = (SELECT rowid FROM pairs WHERE state = 'compared' ORDER BY hash(rowid + {k}) LIMIT 1)",
)  # fmt: skip


# Every code cell of every notebook, run in this process; what a cell shows goes to `keep`.
RUN = """
import glob, json
from IPython.core.interactiveshell import InteractiveShell
def run_all(keep):
    for name in sorted(glob.glob('notebooks/*.ipynb')):
        scope = {'__name__': '__main__'}
        for cell in json.load(open(name))['cells']:
            if cell['cell_type'] == 'code':
                lines = ''.join(cell['source']).rstrip().split('\\n')
                exec('\\n'.join(lines), scope)
                try: shown = eval(lines[-1], scope)
                except SyntaxError: continue
                keep(getattr(shown, '_repr_mimebundle_', dict)())
"""
COVERED = """
import coverage
measured = coverage.Coverage(include=['relkit/*'], data_file=None); measured.start()
run_all(lambda shown: None)
measured.stop(); data = measured.get_data()
print(json.dumps({name: data.lines(name) for name in data.measured_files()}))
"""
# With nothing rounded: numbers in texts as they are, numbers of pictures and records with every digit.
UNROUNDED = """
import hashlib
import relkit.units as units
for name in ('percent', 'points', 'duration', 'dollars', 'count'):
    setattr(units, name, lambda number, *more, **named: repr(number))
import relkit.verdict
relkit.verdict.shown = lambda number: number
import relkit.plates.plate
relkit.plates.plate._short_number = lambda found: found[0]
digest = hashlib.sha256()
run_all(lambda shown: digest.update(repr(shown).encode()))
print(digest.hexdigest())
"""


def executed_lines(place: Path, env: dict[str, str]) -> dict[str, set[int]]:
    """Run the code cells of every notebook under coverage; return the lines of the package they execute."""
    printed = must(run([sys.executable, "-c", RUN + COVERED], place, env))
    found = json.loads(printed.strip().splitlines()[-1])
    return {str(Path(name).resolve().relative_to(place.resolve())): set(lines) for name, lines in found.items()}


def unrounded(place: Path, env: dict[str, str]) -> str:
    """Digest of all that the notebooks show, at full precision; what broke instead where they do not run."""
    done = run([sys.executable, "-c", RUN + UNROUNDED], place, env)
    return done.stdout.strip().splitlines()[-1] if done.returncode == 0 else "broken"


def constants(place: Path, lines: dict[str, set[int]]) -> list[tuple[str, ast.Constant]]:
    """List the numbers in executed lines of the bodies of functions (a default is executed when the module is read)."""
    found = []
    for name in CODE:
        tree = ast.parse((place / name).read_text(encoding="utf-8"))
        for function in ast.walk(tree):
            if not isinstance(function, ast.FunctionDef):
                continue
            for node in (node for line in function.body for node in ast.walk(line)):
                is_number = isinstance(node, ast.Constant) and type(node.value) in {int, float}
                if is_number and node.lineno in lines.get(name, ()) and node.lineno == node.end_lineno:
                    found.append((name, node))
    return found


def mutate_code(place: Path, name: str, node: ast.Constant) -> tuple[str, Callable[[], object]]:
    """Change one number by a tenth, at least by one; return what was done and how to undo it."""
    path = place / name
    before = path.read_text(encoding="utf-8")
    lines = before.split("\n")
    new = node.value + 1 if isinstance(node.value, int) else node.value * 1.1 + 0.001
    line = lines[node.lineno - 1].encode()
    lines[node.lineno - 1] = (line[: node.col_offset] + repr(new).encode() + line[node.end_col_offset :]).decode()
    path.write_text("\n".join(lines), encoding="utf-8")
    return f"{name}:{node.lineno} {node.value!r} -> {new!r}", lambda: path.write_text(before, encoding="utf-8")


def mutate_rows(place: Path, sql: str, key: int) -> tuple[str, Callable[[], object]]:
    """Change one row of the demo database."""
    path = place / "data/demo.duckdb"
    before = path.read_bytes()
    with duckdb.connect(str(path)) as connection:
        connection.execute(sql.format(k=key))
    return "demo: " + " ".join(sql.split())[:60], lambda: path.write_bytes(before)


def mutate_output(place: Path, draw: random.Random) -> tuple[str, Callable[[], object]]:
    """Change one digit in one stored output."""
    path = draw.choice(sorted((place / "notebooks").glob("*.ipynb")))
    before = path.read_text(encoding="utf-8")
    stored = json.loads(before)
    cell = draw.choice([cell for cell in stored["cells"] if cell.get("outputs")])
    html = cell["outputs"][0]["data"]["text/html"]
    text = "".join(html)
    spot = draw.choice([found.start() for found in re.finditer("[1-8]", text)])
    cell["outputs"][0]["data"]["text/html"] = text[:spot] + str(int(text[spot]) + 1) + text[spot + 1 :]
    path.write_text(json.dumps(stored), encoding="utf-8")
    return f"{path.name}: a digit of a stored output", lambda: path.write_text(before, encoding="utf-8")


@point("spine", "strict notebooks catch small changes", slow=True)
def strictness(folder: Path) -> Found:
    draw = random.Random(SEED)
    place = clone(folder)
    env = {**os.environ, "PYTHONPATH": str(place), "PYTHONDONTWRITEBYTECODE": "1"}
    check = [sys.executable, "-m", "pytest", "--nbval", "notebooks", "-x", "-q", "-p", "no:cacheprovider"]
    must(run(check, place, env))
    numbers = constants(place, executed_lines(place, env))
    draw.shuffle(numbers)
    as_it_is = unrounded(place, env)
    if as_it_is == "broken" or unrounded(place, env) != as_it_is:
        return Found("a digest of what is shown that is the same twice", f"{as_it_is} and another", False)
    caught, idle = 0, 0
    changes: list[Callable[[], tuple[str, Callable[[], object]]]] = []
    changes += [lambda sql=sql, key=key: mutate_rows(place, sql, key) for key, sql in enumerate(ROWS)]
    changes += [lambda: mutate_output(place, draw)] * 6
    tried = 0
    for name, node in numbers[:MOST_DRAWN]:
        if tried == OF_CODE:
            break
        what, undo = mutate_code(place, name, node)
        failed = run(check, place, env).returncode != 0
        # What changes nothing that is shown, at any precision, is no change a notebook could notice: another is drawn.
        is_idle = not failed and unrounded(place, env) == as_it_is
        undo()
        caught, idle, tried = caught + failed, idle + is_idle, tried + (not is_idle)
        print(f"      {'caught' if failed else 'no effect' if is_idle else 'MISSED'}  {what}", flush=True)
    for change in changes:
        what, undo = change()
        failed = run(check, place, env).returncode != 0
        undo()
        caught += failed
        print(f"      {'caught' if failed else 'MISSED'}  {what}", flush=True)
    return Found(
        "at least 19 of 20 seeded changes fail the strict run",
        f"seed {SEED}: {caught} of {tried + len(changes)}; {idle} further numbers of the code changed nothing that is shown, at any precision",
        tried == OF_CODE and caught >= 19,
    )
