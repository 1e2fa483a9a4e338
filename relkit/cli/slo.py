"""Commands on objectives: where they stand, and which time they leave out."""

from pathlib import Path
from typing import Annotated

import typer

from relkit.cli.said import GUARDRAIL_BROKEN, AsJson, Database, say
from relkit.exceptions import ParameterError
from relkit.period import moment_us

slo_app = typer.Typer(rich_markup_mode=None, help="Say where objectives and error budgets stand.")

Stretch = Annotated[str, typer.Argument(help="A time with its zone, e.g. 2026-11-18T02:00:00Z.")]
OneService = Annotated[str | None, typer.Option("--service", help="The one service it holds for; default all.")]


@slo_app.callback(invoke_without_command=True)
def status(
    context: typer.Context,
    week: Annotated[
        str | None, typer.Option("--week", help="ISO week such as 2026-W47; default the newest that is over.")
    ] = None,
    everything: Annotated[bool, typer.Option("--all", help="Everything, also data without a clock.")] = False,
    database: Database = None,
    config: Annotated[
        Path | None, typer.Option("--config", help="relkit.toml; default the one here, else the packaged objectives.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Say where objectives and error budgets stand: verdict, budget left, and the chance to keep them; exit 3 when a guardrail is broken."""
    if context.invoked_subcommand is not None:
        return
    from relkit.report.slo_status import slo_status  # noqa: PLC0415  duckdb and scipy take a while to load

    if week is not None and everything:
        raise ParameterError("--week and --all exclude each other; give one")
    found = slo_status(database, "all" if everything else week, config)
    say(found.record, list(found.lines), as_json=as_json)
    if found.broken:
        raise typer.Exit(GUARDRAIL_BROKEN)


@slo_app.command()
def exclude(
    start: Stretch,
    end: Stretch,
    reason: Annotated[str, typer.Option("--reason", help="Why, in words for who audits it.")] = "",
    by: Annotated[str, typer.Option("--by", help="Who decided.")] = "",
    service: OneService = None,
    remove: Annotated[bool, typer.Option("--remove", help="Take this exclusion back.")] = False,
    database: Annotated[Path, typer.Option("--database", "-d", help="DuckDB file.")] = Path("relkit.duckdb"),
    as_json: AsJson = False,
) -> None:
    """Leave a stretch of time out of the objectives; pages show every number with and without it."""
    from relkit.slo import Exclusion  # noqa: PLC0415
    from relkit.store import open_store  # noqa: PLC0415
    from relkit.store.exclusions import add_exclusion, remove_exclusion  # noqa: PLC0415

    start_us, end_us = _moment(start), _moment(end)
    of = f" of {service}" if service else ""
    if remove:
        with open_store(database, write=database.exists()) as store:
            remove_exclusion(store, start_us, end_us, service)
        said = f"{start} to {end}{of} counts again"
    else:
        one = Exclusion(start_us, end_us, reason, by, service)
        with open_store(database, write=database.exists()) as store:
            add_exclusion(store, one)
        said = f"{start} to {end}{of} is left out: {reason} ({by})"
    record = {"start_us": start_us, "end_us": end_us, "service": service, "removed": remove}
    say(record | ({} if remove else {"reason": reason, "decided_by": by}), [said], as_json=as_json)


def _moment(text: str) -> int:
    at_us = moment_us(text)
    if at_us is None:
        raise ParameterError.of("time", text, "a time with its zone", "write it as 2026-11-18T02:00:00Z")
    return at_us
