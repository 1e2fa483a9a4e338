"""The command line: composes the rooms, joins sources to sinks, and turns errors into one clear line and an exit code.

Exit codes: 0 fine, 1 could not run (wrong words included), 3 a guardrail was broken.
"""

import json
import os
import signal
import sys
from io import TextIOWrapper
from pathlib import Path
from types import FrameType
from typing import Annotated, Any, Final

import typer
from typer.exceptions import TyperException

from relkit.exceptions import ParameterError, RelkitError
from relkit.units import count, printable, several

FINE: Final = 0
COULD_NOT_RUN: Final = 1
GUARDRAIL_BROKEN: Final = 3
_INTERRUPTED: Final = 130  # typer's word for it
_ENDINGS: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
KINDS: Final = ("attempts", "events", "minutes", "pairs", "arms", "faults", "probes")

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    help="relkit: from your request log to the thresholds you should deploy, with error bars.",
)
notebooks_app = typer.Typer(
    no_args_is_help=True, rich_markup_mode=None, help="Keep the stored notebooks executed and in normal form."
)
app.add_typer(notebooks_app, name="notebooks")

Database = Annotated[
    Path | None, typer.Option("--database", "-d", help="DuckDB file; default relkit.duckdb here, else the demo week.")
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON instead of text.")]


def _say(record: dict[str, Any], lines: list[str], *, as_json: bool) -> None:
    # JSON in ASCII: what a terminal would act on is escaped whoever reads it
    print(json.dumps(record, indent=1, sort_keys=True) if as_json else "\n".join(map(printable, lines)))


@app.command()
def ingest(
    files: Annotated[list[str], typer.Argument(help="Log files or patterns such as 'logs/*.csv.gz'.")],
    kind: Annotated[str, typer.Option("--as", help=f"What a row is: {', '.join(KINDS)}.")],
    database: Annotated[Path, typer.Option("--database", "-d", help="DuckDB file; made when absent.")] = Path(
        "relkit.duckdb"
    ),
    mapping: Annotated[Path | None, typer.Option("--map", help="Mapping file; without it one is drafted.")] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Use the drafted mapping without asking.")] = False,
    as_json: AsJson = False,
) -> None:
    """Read log files into the database; only new rows are added."""
    from relkit.store.ingest.run import ingest_files  # noqa: PLC0415  duckdb takes a while to load

    if kind not in KINDS:
        raise ParameterError.of("--as", kind, ", ".join(KINDS), "say what one row of the log is")
    outcomes = ingest_files(
        files,
        kind,
        database,
        mapping,
        confirm=(lambda text: True) if yes else _confirm,
        show_progress=sys.stderr.isatty(),
    )
    lines = []
    for outcome in outcomes:
        lines.append(
            f"{outcome.name}: read {several(outcome.read, 'row')} = {count(outcome.kept)} kept + {count(outcome.rejected)} rejected "
            f"+ {count(outcome.already_there)} already there"
            + (f"; {several(outcome.left_out, 'line')} left out by the mapping" if outcome.left_out else "")
        )
        lines += [f"  rejected {number}: {reason}" for reason, number in outcome.reasons]
        lines += [f"  note: {note}" for note in outcome.notes]
    _say({"files": [_plain(outcome) for outcome in outcomes]}, lines, as_json=as_json)


@app.command()
def forget(
    source: Annotated[str, typer.Argument(help="The log's name, as its mapping says it.")],
    database: Annotated[Path, typer.Option("--database", "-d", help="DuckDB file.")] = Path("relkit.duckdb"),
    as_json: AsJson = False,
) -> None:
    """Take back all that was read of one log, for example with a wrong mapping."""
    from relkit.store import open_store  # noqa: PLC0415
    from relkit.store.forget import forget_source  # noqa: PLC0415

    with open_store(database, write=database.exists()) as store:
        gone = forget_source(store, source)
    _say(
        {"source": source, "rows": gone},
        [f"{source}: {several(gone, 'row')} and its entries in the ledger are gone"],
        as_json=as_json,
    )


def _plain(record: Any) -> dict[str, Any]:
    return {name: getattr(record, name) for name in record.__dataclass_fields__}


def _confirm(draft: str) -> bool:
    print("\n".join(map(printable, draft.splitlines())))
    if not sys.stdin.isatty():
        return False
    return typer.confirm("Use this mapping?", default=False)


@app.command()
def demo(
    database: Annotated[
        Path | None, typer.Option("--database", "-d", help="Where to; default data/demo.duckdb of the project.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Make the demo week 2026-W47, with its known truth beside it."""
    from relkit.report.demo import make_demo  # noqa: PLC0415
    from relkit.report.places import demo_database  # noqa: PLC0415

    path = database or demo_database()
    if not path.parent.is_dir():
        raise ParameterError.of("--database", str(path), "a file in a folder that exists", f"make {path.parent} first")
    truth = make_demo(path)
    requests = truth["requests"]
    _say(
        {"database": str(path), "truth": truth},
        [
            f"{path}: {several(requests, 'request')} of week {truth['week']}; its truth is in {path.with_name('demo-truth.json')}"
        ],
        as_json=as_json,
    )


@app.command()
def report(
    week: Annotated[
        str | None, typer.Option("--week", help="ISO week such as 2026-W47; default the newest that is over.")
    ] = None,
    everything: Annotated[bool, typer.Option("--all", help="Report everything, also data without a clock.")] = False,
    database: Database = None,
    config: Annotated[
        Path | None, typer.Option("--config", help="relkit.toml; default the one here, else the packaged objectives.")
    ] = None,
    reports: Annotated[
        Path | None, typer.Option("--reports", help="Folder for pages; default reports/ of the project.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Publish the weekly page."""
    from tqdm.auto import tqdm  # noqa: PLC0415  the notebooks' libraries take a while to load

    from relkit.report.publish import NOTEBOOKS  # noqa: PLC0415
    from relkit.report.weekly import publish_week  # noqa: PLC0415

    if week is not None and everything:
        raise ParameterError("--week and --all exclude each other; give one")
    with tqdm(total=len(NOTEBOOKS), desc="running notebooks", unit="", leave=False, disable=None) as bar:
        done = publish_week(
            database=database,
            week="all" if everything else week,
            config=config,
            reports=reports,
            on_step=lambda name: bar.update(),
        )
    lines = list(done.lines)
    lines += [f"changed since the last run: {change}" for change in done.published.changed]
    if not done.published.is_new:
        lines.append("nothing changed since the last run; its page stands")
    lines.append(f"page: {done.published.page}")
    record = {
        "page": str(done.published.page),
        "is_new": done.published.is_new,
        "changed": list(done.published.changed),
        "summary": dict(done.published.summary),
        "broken": list(done.broken),
    }
    lines += [f"guardrail broken: {name}" for name in done.broken]
    _say(record, lines, as_json=as_json)
    if done.broken:
        raise typer.Exit(GUARDRAIL_BROKEN)


@app.command()
def check(
    database: Annotated[
        Path | None, typer.Argument(help="DuckDB file; default relkit.duckdb here, else the demo week.")
    ] = None,
    max_unknown: Annotated[
        float, typer.Option("--max-unknown", help="Largest share of failed attempts, 0 to 1, that may be unknown.")
    ] = 0.05,
    config: Annotated[
        Path | None, typer.Option("--config", help="relkit.toml with [[rule]]; default the one here, if any.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Say how far the rules know the errors of a database; exit 3 when too many are unknown."""
    from relkit.config import load_config  # noqa: PLC0415  duckdb takes a while to load
    from relkit.report.check import check_errors  # noqa: PLC0415
    from relkit.report.weekly import chosen_config, chosen_database  # noqa: PLC0415

    found = check_errors(chosen_database(database), max_unknown, load_config(chosen_config(config)).rules)
    _say(found.record, found.lines, as_json=as_json)
    if found.is_broken:
        raise typer.Exit(GUARDRAIL_BROKEN)


@notebooks_app.command()
def refresh(names: Annotated[list[str] | None, typer.Argument(help="Which notebooks; default all.")] = None) -> None:
    """Execute the stored notebooks on the demo week and store them in normal form."""
    from relkit.report.notebooks import refresh_notebooks  # noqa: PLC0415

    for path in refresh_notebooks(names or None):
        print(f"refreshed {path.name}")


def main(arguments: list[str] | None = None) -> None:
    """Run the command line and exit."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # a terminal without Unicode is no reason to fail
    try:
        _end_politely()
        code = app(arguments, prog_name="relkit", standalone_mode=False) or FINE
        sys.stdout.flush()
    except typer.Exit as stop:
        code = stop.exit_code
    except RelkitError as error:
        _complain(str(error))
        code = COULD_NOT_RUN
    except (KeyboardInterrupt, typer.Abort):
        code = _INTERRUPTED
    except RuntimeError as error:
        if "Query interrupted" not in str(error):  # what DuckDB makes of Ctrl-C in the middle of a query
            raise
        code = _INTERRUPTED
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = COULD_NOT_RUN
    except TyperException as error:
        _complain_of_usage(error)
        code = COULD_NOT_RUN
    if code == _INTERRUPTED:
        _complain("interrupted; nothing half done was kept")
        code = COULD_NOT_RUN
    sys.exit(code)


def _complain(text: str) -> None:
    from relkit.errors import redact_text  # noqa: PLC0415  only who has something to complain of needs it

    print("\n".join(f"relkit: {printable(line)}" for line in redact_text(text).splitlines()), file=sys.stderr)


def _complain_of_usage(error: TyperException) -> None:
    """Say in one line what typer says in four; its own exit code 2 would be a third way to say "could not run"."""
    context = getattr(error, "ctx", None)
    where = context.command_path if context else "relkit"
    if context and error.format_message() == context.get_help():  # no command was given: the help is the answer
        print(context.get_help(), file=sys.stderr)
        return
    _complain(f"{' '.join(error.format_message().split())} (see {where} --help)")


def _end_politely() -> None:
    """Let every signal that ends a program be an interrupt, which clears up; but what nohup or a shell ignores stays so."""
    for number in _ENDINGS:
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, _end)


def _end(_signal: int, _frame: FrameType | None) -> None:
    """Interrupt what runs; once, for a second Ctrl-C must not interrupt the clearing up."""
    for number in _ENDINGS:
        signal.signal(number, signal.SIG_IGN)
    raise KeyboardInterrupt
