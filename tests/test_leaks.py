"""Canaries planted in every place of a log and of a record are found in nothing that relkit writes, sink by sink.

Sinks are found by reading the code: a call that writes, prints or stores and is not listed here fails the test, so that
whoever adds one says which of the searches below covers it.
"""

import ast
import csv
import json
import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pytest

from relkit.batch import Batch
from relkit.cli import app
from relkit.errors.context import error_context
from relkit.errors.redact import redact
from relkit.errors.signals import read_signals
from relkit.exceptions import DataError
from relkit.live.events import AttemptEvent
from relkit.live.files import RotatingFile
from relkit.live.journal import Journal
from relkit.store import open_store, sink_into

ROOT: Final = Path(__file__).parents[1]
CANARY: Final = "Zx9Qw7Er5Ty3Ui1Op8As6"
# One for each pattern that a word can stand in; numbers of cards and people have tests of their own.
SECRETS: Final = {
    "url_credentials": f"postgres://app:{CANARY}@db.example.org/x",
    "pem_block": f"-----BEGIN PRIVATE KEY-----\nMII{CANARY}\n-----END PRIVATE KEY-----",
    "jwt": f"eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.{CANARY}",
    "provider_key": f"sk-proj-{CANARY}",
    "bearer": f"Bearer {CANARY}",
    "email": f"{CANARY}@example.org",
    "url_query": f"https://api.example.org/v1?user={CANARY}&page=2",
    "key_quoted": f'{{"api_key": "{CANARY}"}}',
    "cookie": f"Cookie: a=b; sid={CANARY}",
    "key_bare": f"password={CANARY}",
}


@dataclass(frozen=True, slots=True)
class Holder:
    """A record of somebody's program."""

    note: str


def _raised(text: str, note: str = "", cause: BaseException | None = None) -> Exception:
    error = RuntimeError(text)
    error.add_note(note)
    error.__cause__ = cause
    return error


POSITIONS: Final = {
    "key": lambda secret: {secret: 1},
    "value": lambda secret: {"field": secret},
    "message": lambda secret: f"it failed: {secret} was refused",
    "nested list": lambda secret: [1, [2, [secret]]],
    "tuple": lambda secret: ("a", (secret, 1), 2),
    "bytes": lambda secret: secret.encode(),
    "dataclass": Holder,
    "exception arg": _raised,
    "cause": lambda secret: _raised("outer", cause=ValueError(secret)),
    "note": lambda secret: _raised("outer", secret),
    "url": lambda secret: f"https://example.org/a?note={secret}",
    "header": lambda secret: {"headers": {"X-Anything": secret}},
}
TEXTS: Final = ("id", "who", "model", "operation", "message", "code", "kind")
MAPPING: Final = """
kind = "attempts"
source = "leaky"
[time]
column = "ts"
[columns]
request_id = "id"
session_id = "who"
model = "model"
operation = "operation"
message = "message"
code = "code"
exception_type = "kind"
status = "status"
[constants]
service = "chat"
"""
COMMANDS: Final = {
    "ingest",
    "demo",
    "report",
    "check",
    "serve",
    "forget",
    "notebooks",
    "simulate",
    "shadow",
    "slo",
    "tune",
    "lint",
    "export",
}

# Where relkit writes, and which search covers it: console, store, pages, outputs; "own" writes nothing of a log.
SINKS: Final = {
    **dict.fromkeys(["relkit/cli/said.py:say:print", "relkit/cli/logs.py:_confirm:print", "relkit/cli/logs.py:_confirm:confirm"], "console"),
    **dict.fromkeys(["relkit/cli/__init__.py:_complain:print", "relkit/store/ingest/run.py:_drafted:confirm"], "console"),
    **dict.fromkeys(["relkit/cli/__init__.py:_complain_of_usage:print", "relkit/cli/pages.py:refresh:print"], "own"),
    "relkit/plates/plate.py:plate:savefig": "pages",
    "relkit/simulation/compiled.py:announce:write": "own",
    "relkit/cli/serve.py:serve:print": "own",  # where it answers; what it answers is searched by tests/serve/test_any_question.py
    "relkit/simulation/scenario_toml.py:write_scenario:write_text": "own",
    "relkit/cli/simulate.py:simulate:print": "own",
    # counts by the minute, and labels of faults, which were redacted when they were read
    "relkit/cli/alerts.py:export:write_text": "own",
    "relkit/cli/tune.py:tune:print": "own",
    # settings: what a policy says in another library's words
    **dict.fromkeys([f"relkit/cli/export.py:export:{name}" for name in ("print", "write_text")], "own"),
    # settings of a test, and what a gate found in numbers
    **dict.fromkeys(["relkit/cli/shadow.py:protocol:write_text", "relkit/store/rollouts.py:append_rollout:execute"], "own"),
    # who left which time out, and why, as typed by an operator
    "relkit/store/exclusions.py:add_exclusion:execute": "own",
    "relkit/store/pair_bodies.py:add_pair_bodies:executemany": "store",
    # the journal: its files, standard output and any function, and what is followed into the database
    **dict.fromkeys(
        ["relkit/live/files.py:_append:write", *(f"relkit/live/sinks.py:{name}:write" for name in ("_try", "_write", "write"))], "journal"
    ),
    **dict.fromkeys(
        [f"relkit/store/journal_landing.py:{name}" for name in ("_enter:execute", "_land:execute", "store_part:executemany")], "store"
    ),
    # what the pretended service answers: its script's own words
    **dict.fromkeys([f"relkit/live/upstream.py:{name}:write" for name in ("_give", "_piece", "_refuse_request")], "own"),
    "relkit/cli/logs.py:_notice:print": "console",
    "relkit/report/publish.py:_make:write_text": "pages",
    "relkit/report/spreadsheet.py:write_tables:write_text": "pages",
    "relkit/report/launch.py:_run:write_bytes": "outputs",
    **dict.fromkeys(
        ["relkit/report/demo.py:_write:write_text", "relkit/report/notebooks.py:refresh_notebooks:write_text",
         "relkit/report/sample.py::print", "relkit/report/sample.py:write_sample:write_text",
         "relkit/report/plan_defects.py::print", "relkit/report/plan_defects.py::write_text"], "own"
    ),
    **dict.fromkeys(
        [f"relkit/store/{name}:execute" for name in (
            "classify.py:classify_new", "classify.py:kinds_table", "ingest/known.py:_mark_by_identity", "ingest/known.py:_mark_by_line",
            "ingest/known.py:_mark_repeated", "ingest/load.py:_load", "ingest/settle.py:settle_tail", "landing.py:_land_fingerprints",
            "landing.py:land", "landing.py:land_samples", "sinks.py:sink_into",
        )], "store"
    ),
    "relkit/store/labels.py:add_labels:executemany": "store",
    **dict.fromkeys(["relkit/store/migrate.py:_move_forward:execute", "relkit/store/migrate.py:migrate:execute"], "own"),
    # a copy of the log that is read, gone when it has been
    **dict.fromkeys(["relkit/store/ingest/scan.py:copied:open", "relkit/store/ingest/scan.py:copied:write"], "own"),
    **dict.fromkeys(
        [f"relkit/store/ingest/importers/documents.py:{name}" for name in (
            "as_lines:open", "as_lines:write", "feed:write", "_with_resources:open", "_with_resources:writelines",
            "_without_resources:open", "_without_resources:writelines",
        )], "own"
    ),
    # the key of the pseudonyms, for its owner alone
    **dict.fromkeys([f"relkit/store/keys.py:keep_key:{name}" for name in ("execute", "fdopen", "write")], "own"),
}  # fmt: skip


def _writes(call: ast.Call) -> str:
    """Name what a call writes with; empty when it writes nothing."""
    function = call.func
    name = (
        function.id if isinstance(function, ast.Name) else function.attr if isinstance(function, ast.Attribute) else ""
    )
    if name in {
        "print",
        "echo",
        "secho",
        "confirm",
        "prompt",
        "write",
        "writelines",
        "write_text",
        "write_bytes",
        "savefig",
        "dump",
        "executemany",
    }:
        return name
    if re.fullmatch(r"to_(csv|json|html|parquet|pickle|excel|feather|sql|latex|markdown|clipboard)", name):
        return name
    if name in {"open", "fdopen"}:
        modes = [
            word.value for word in [*call.args, *(key.value for key in call.keywords)] if isinstance(word, ast.Constant)
        ]
        if any(isinstance(mode, str) and re.fullmatch(r"[rbt+]*[wax][bt+]*", mode) for mode in modes):
            return name
    if name == "execute" and re.search(
        r"\b(INSERT INTO|UPDATE \w+ SET|COPY .* TO|EXPORT DATABASE|CREATE (OR REPLACE )?TABLE)\b", ast.unparse(call)
    ):
        return name
    return ""


def _sinks() -> set[str]:
    found = set()
    for path in sorted((ROOT / "relkit").rglob("*.py")):

        def visit(node: ast.AST, inside: str, path: Path = path) -> None:
            for child in ast.iter_child_nodes(node):
                within = child.name if isinstance(child, (ast.FunctionDef, ast.AsyncFunctionDef)) else inside
                if isinstance(child, ast.Call) and (what := _writes(child)):
                    found.add(f"{path.relative_to(ROOT).as_posix()}:{within}:{what}")
                visit(child, within)

        visit(ast.parse(path.read_text(encoding="utf-8")), "")
    return found


def test_every_sink_of_the_code_is_listed_with_the_search_that_covers_it():
    found = _sinks()
    assert found - set(SINKS) == set(), "say in SINKS which search covers these"
    assert set(SINKS) - found == set(), "these are gone"
    assert set(SINKS.values()) <= {*SEARCHES, "own"}


def test_every_command_is_run():
    from typer.main import get_command  # noqa: PLC0415

    assert set(get_command(app).commands) == COMMANDS


def _log(folder: Path) -> Path:
    place = folder / f"log of {CANARY}@example.org.csv"
    with place.open("w", newline="", encoding="utf-8") as file:
        rows = csv.writer(file)
        rows.writerow(["ts", "status", *TEXTS])
        number = 0
        for secret in SECRETS.values():
            for place_in in POSITIONS.values():
                value = place_in(secret)
                notes = " ".join(getattr(value, "__notes__", ()))
                texts = [
                    secret,
                    str(value),
                    repr(value),
                    f"{value!r} {value.__cause__!r} {notes}"
                    if isinstance(value, Exception)
                    else json.dumps(value, default=str),
                ]
                for text in texts:
                    number += 1
                    rows.writerow(
                        [
                            f"2026-11-18T{number // 60 % 24:02d}:{number % 60:02d}:00Z",
                            500,
                            *(f"{text} {number}" for _ in TEXTS),
                        ]
                    )
        for secret in SECRETS.values():
            rows.writerow([secret, 500, *(secret for _ in TEXTS)])
            rows.writerow(["2026-11-18T09:00:00Z", secret, *(secret for _ in TEXTS)])
        for number in range(2_000):
            rows.writerow(
                [
                    f"2026-11-{16 + number % 7}T{number % 24:02d}:{number % 60:02d}:00Z",
                    200,
                    f"fine-{number}",
                    "s",
                    "m",
                    "o",
                    "",
                    "",
                    "",
                ]
            )
    return place


def _relkit(folder: Path, *words: str) -> bytes:
    done = subprocess.run([sys.executable, "-m", "relkit", *words], cwd=folder, capture_output=True, timeout=600, check=False,
                          env={**os.environ, "PYTHONPATH": str(ROOT)})  # fmt: skip
    return done.stdout + done.stderr


@dataclass(frozen=True)
class Written:
    """All that one run of everything wrote, by search."""

    console: bytes
    store: bytes
    pages: bytes
    outputs: bytes
    journal: bytes


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Written:
    folder = tmp_path_factory.mktemp("leaks")
    log = _log(folder)
    (folder / "map.toml").write_text(MAPPING)
    (folder / "bad.toml").write_text(MAPPING.replace('"status"', f'"sk-{CANARY}"'))
    console = [
        _relkit(folder, "ingest", log.name, "--as", "attempts"),  # the draft is shown
        _relkit(folder, "ingest", log.name, "--as", "attempts", "--map", "bad.toml"),
        _relkit(folder, "ingest", log.name, "--as", "attempts", "--map", "map.toml"),
        _relkit(folder, "ingest", log.name, "--as", "attempts", "--map", "map.toml", "--json"),
        _relkit(folder, "ingest", log.name, "--as", f"password={CANARY}"),
        _relkit(folder, "report", "--week", "2026-W47", "--database", "relkit.duckdb", "--reports", "pages", "--json"),
        _relkit(folder, "report", "--week", f"token={CANARY}", "--database", "relkit.duckdb", "--reports", "pages"),
        _relkit(folder, "check", "--database", "relkit.duckdb"),
        _relkit(folder, "check", "--database", "relkit.duckdb", "--json"),
        _relkit(folder, "shadow", "report", f"sk-{CANARY}", "--database", "relkit.duckdb"),
        _relkit(folder, "shadow", "report", "--database", "relkit.duckdb", "--json"),
        _relkit(folder, "shadow", "step", f"sk-{CANARY}", "--database", "relkit.duckdb"),
        _relkit(folder, "lint", "--database", "relkit.duckdb"),
        _relkit(folder, "export", "--to", f"password={CANARY}"),
        _relkit(folder, "notebooks", "refresh", f"password={CANARY}"),
        _relkit(folder, "demo", "--database", f"nowhere/{CANARY}@example.org/x.duckdb"),
    ]
    _write_records(folder)
    _keep_journal(folder)
    console.append(_relkit(folder, "ingest", "--follow", "journal", "--once"))
    with open_store(folder / "relkit.duckdb") as store:  # unpacked too: the file's own compression could hide a text
        store.connection.execute(f"EXPORT DATABASE '{folder / 'plain'}'")
    pages = [path for path in (folder / "pages").rglob("*") if path.is_file() and not path.is_symlink()]
    return Written(
        b"".join(console),
        b"".join(path.read_bytes() for path in [folder / "relkit.duckdb", *(folder / "plain").iterdir()]),
        b"".join(path.read_bytes() for path in pages if path.suffix != ".ipynb"),
        b"".join(path.read_bytes() for path in pages if path.suffix == ".ipynb"),
        b"".join(path.read_bytes() for path in (folder / "journal").iterdir()),
    )


def _write_records(folder: Path) -> None:
    """Take live errors through the door that a running program uses."""
    errors = [place(secret) for secret in SECRETS.values() for place in POSITIONS.values()]
    contexts = [
        error_context(error, request_id=str(error), operation=repr(error), session_id=str(error)) for error in errors
    ]
    columns: dict[str, list[Any]] = {
        "request_id": [f"{n} {error}" for n, error in enumerate(errors)], "session_id": [str(error) for error in errors],
        "message": [repr(error) for error in errors], "operation": [context.operation for context in contexts],
        "attempt": [1] * len(errors), "ended": [True] * len(errors), "ok": [False] * len(errors), "role": ["user"] * len(errors),
        "granularity": ["request"] * len(errors),
    }  # fmt: skip
    with open_store(folder / "relkit.duckdb", write=True) as store, sink_into(store, "live", "records") as sink:
        sink(Batch("attempts", columns))


def _keep_journal(folder: Path) -> None:
    """Keep a journal as a running service does; tests/live/test_journal_leaks.py looks into every event and sink."""
    with Journal([RotatingFile(folder / "journal")], service="live") as journal:
        for secret in SECRETS.values():
            for number, place in enumerate(POSITIONS.values()):
                journal.logger().error(str(place(secret)), held=place(secret))
                signals = read_signals({"message": str(place(secret)), "code": secret})
                journal(
                    AttemptEvent(
                        secret, number + 1, number, 1, ok=False, service=secret, operation=secret, signals=signals
                    )
                )


SEARCHES: Final = ("console", "store", "pages", "outputs", "journal")


@pytest.mark.parametrize("search", SEARCHES)
def test_no_canary_leaves_by_any_sink(written: Written, search: str):
    content = getattr(written, search)
    marks = {
        "console": b"rejected",
        "store": b"[redacted]",
        "pages": b"[redacted]",
        "outputs": b"[redacted]",
        "journal": b"[redacted]",
    }
    assert marks[search] in content, "nothing was written: the search would prove nothing"
    places = [
        content[max(0, at.start() - 80) : at.end() + 10] for at in re.finditer(CANARY.encode(), content, re.IGNORECASE)
    ]
    assert places == []


@pytest.mark.parametrize("position", POSITIONS)
@pytest.mark.parametrize("secret", SECRETS)
def test_no_canary_stays_in_a_record(position: str, secret: str):
    value = POSITIONS[position](SECRETS[secret])
    assert CANARY not in repr(redact(value))
    assert CANARY not in json.dumps(error_context(value, url=str(value), operation=value).record())


def test_errors_for_people_are_redacted_where_they_are_printed(capsys: pytest.CaptureFixture[str]):
    from relkit.cli import _complain  # noqa: PLC0415

    _complain(str(DataError(f"log.csv: password={CANARY} is no status")))
    assert CANARY not in capsys.readouterr().err
