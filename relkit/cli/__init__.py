"""The command line: composes the rooms, joins sources to sinks, and turns errors into one clear line and an exit code.

Exit codes: 0 fine, 1 could not run (wrong words included), 3 a guardrail was broken.
"""

import os
import signal
import sys
from io import TextIOWrapper
from types import FrameType
from typing import Final

import typer
from typer.exceptions import TyperException

from relkit.cli import alerts, export, lint, logs, pages, serve, shadow, simulate, slo, tune
from relkit.cli.said import COULD_NOT_RUN, FINE
from relkit.exceptions import RelkitError
from relkit.units import printable

_INTERRUPTED: Final = 130  # typer's word for it
_ENDINGS: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

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
report_app = typer.Typer(invoke_without_command=True, rich_markup_mode=None)
report_app.callback()(pages.report)
report_app.command()(pages.diff)
app.add_typer(report_app, name="report")
app.add_typer(notebooks_app, name="notebooks")
app.add_typer(shadow.shadow_app, name="shadow")
app.add_typer(slo.slo_app, name="slo")
slo.slo_app.command()(alerts.backtest)
slo.slo_app.command()(alerts.export)
for _command in (
    logs.ingest,
    logs.forget,
    logs.demo,
    logs.check,
    simulate.simulate,
    tune.tune,
    lint.lint,
    export.export,
    serve.serve,
):
    app.command()(_command)
notebooks_app.command()(pages.refresh)


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
