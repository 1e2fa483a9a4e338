"""Commands on logs: read one, take it back, say how far its errors are known, make the demo week."""

import sys
import time
from pathlib import Path
from typing import Annotated, Final

import typer

from relkit.cli.said import GUARDRAIL_BROKEN, AsJson, Database, plain, say
from relkit.exceptions import ParameterError
from relkit.units import count, printable, several

KINDS: Final = ("attempts", "events", "minutes", "pairs", "arms", "faults", "probes")
TOLD_EVERY_S: Final = 10.0


def ingest(
    files: Annotated[
        list[str] | None, typer.Argument(help="Log files or patterns such as 'logs/*.csv.gz'.", show_default=False)
    ] = None,
    kind: Annotated[
        str | None,
        typer.Option(
            "--as",
            help=f"What a row is: {', '.join(KINDS)}. Not needed where the mapping says it or the log is recognised.",
        ),
    ] = None,
    database: Annotated[Path, typer.Option("--database", "-d", help="DuckDB file; made when absent.")] = Path(
        "relkit.duckdb"
    ),
    mapping: Annotated[
        Path | None,
        typer.Option(
            "--map",
            help="Mapping file, or otlp, litellm, nginx, envoy; without it the log is recognised or a mapping drafted.",
        ),
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Use the drafted mapping without asking.")] = False,
    follow: Annotated[
        Path | None,
        typer.Option("--follow", help="Folder of a journal: take what is there and what comes, until Ctrl-C."),
    ] = None,
    once: Annotated[bool, typer.Option("--once", help="With --follow: end when nothing more is there.")] = False,
    as_json: AsJson = False,
) -> None:
    """Read log files into the database; only new rows are added."""
    if follow is not None:
        if files or kind or mapping or yes:
            raise ParameterError("--follow takes a folder alone: leave files, --as, --map and --yes away")
        _follow(follow, database, once=once, as_json=as_json)
        return
    if once or not files:
        raise ParameterError("say which log files to read, or --follow FOLDER for a journal (--once goes with it)")
    from relkit.store.ingest.run import ingest_files  # noqa: PLC0415  duckdb takes a while to load

    if kind is not None and kind not in KINDS:
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
    say({"files": [plain(outcome) for outcome in outcomes]}, lines, as_json=as_json)


def _follow(folder: Path, database: Path, *, once: bool, as_json: bool) -> None:
    from relkit.store.follow import Follower, landed_line, total_of  # noqa: PLC0415  duckdb takes a while to load

    total, told_s = total_of([]), float("-inf")
    try:
        for landed in Follower(folder, database, notice=_notice).landings(once=once):
            total = total_of([total, landed])
            if not as_json and time.monotonic() - told_s >= TOLD_EVERY_S:
                say({}, [f"{time.strftime('%H:%M:%S')} {landed_line(landed)}"], as_json=False)
                sys.stdout.flush()
                told_s = time.monotonic()
    except (KeyboardInterrupt, RuntimeError) as error:
        # the second is what DuckDB makes of Ctrl-C in the middle of a query; its transaction was taken back
        if isinstance(error, RuntimeError) and "interrupted" not in str(error).lower():
            raise
    say(plain(total), [f"in all {landed_line(total)}"], as_json=as_json)


def _notice(text: str) -> None:
    from relkit.errors import redact_text  # noqa: PLC0415  only who has something to say needs it

    print(f"relkit: {printable(redact_text(text))}", file=sys.stderr, flush=True)


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
    say(
        {"source": source, "rows": gone},
        [f"{source}: {several(gone, 'row')} and its entries in the ledger are gone"],
        as_json=as_json,
    )


def _confirm(draft: str) -> bool:
    print("\n".join(map(printable, draft.splitlines())))
    if not sys.stdin.isatty():
        return False
    return typer.confirm("Use this mapping?", default=False)


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
    say(
        {"database": str(path), "truth": truth},
        [
            f"{path}: {several(requests, 'request')} of week {truth['week']}; its truth is in {path.with_name('demo-truth.json')}"
        ],
        as_json=as_json,
    )


def check(
    file: Annotated[Path | None, typer.Argument(help="The same as --database.", show_default=False)] = None,
    database: Database = None,
    max_unknown: Annotated[
        float, typer.Option("--max-unknown", help="Largest share of failed attempts, 0 to 1, that may be unknown.")
    ] = 0.05,
    config: Annotated[
        Path | None, typer.Option("--config", help="relkit.toml with [[rule]]; default the one here, if any.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Say how far the rules know the errors of a database; exit 3 when too many are unknown."""
    if file is not None and database is not None and file != database:
        raise ParameterError(f"{file} and --database {database} exclude each other; give one")
    from relkit.config import load_config  # noqa: PLC0415  duckdb takes a while to load
    from relkit.report.check import check_errors  # noqa: PLC0415
    from relkit.report.weekly import chosen_config, chosen_database  # noqa: PLC0415

    found = check_errors(chosen_database(database or file), max_unknown, load_config(chosen_config(config)).rules)
    say(found.record, found.lines, as_json=as_json)
    if found.is_broken:
        raise typer.Exit(GUARDRAIL_BROKEN)
