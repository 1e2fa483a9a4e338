"""Commands on pages: publish the weekly report, keep the stored notebooks executed."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from relkit.cli.said import GUARDRAIL_BROKEN, AsJson, Database, say
from relkit.exceptions import ParameterError


def report(
    context: typer.Context,
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
    """Publish the weekly page; `relkit report diff W46 W47` compares two that were published."""
    if context.invoked_subcommand is not None:
        return
    if sys.stderr.isatty():
        from relkit.simulation.compiled import announce  # noqa: PLC0415  it loads the compiler

        announce()  # the kernel of the page of retries cannot say so itself: what it writes would stand on the page
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
    say(record, lines, as_json=as_json)
    if done.broken:
        raise typer.Exit(GUARDRAIL_BROKEN)


def diff(
    before: Annotated[str, typer.Argument(help="Report to compare with, such as 2026-W46 or W46.")],
    after: Annotated[str, typer.Argument(help="Report that is compared, such as W47.")],
    database: Database = None,
    reports: Annotated[
        Path | None, typer.Option("--reports", help="Folder of pages; default the one that relkit report writes to.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Say what changed between two published reports: verdicts, answers, and what moved by more than chance."""
    from relkit.report.diff import diff_reports  # noqa: PLC0415
    from relkit.report.places import reports_folder  # noqa: PLC0415
    from relkit.report.weekly import chosen_database  # noqa: PLC0415

    found = diff_reports(reports or reports_folder(chosen_database(database)), before, after)
    lines = [f"{found.before} -> {found.after}", *(found.lines or ("nothing differs",))]
    say(found.record, lines, as_json=as_json)


def refresh(names: Annotated[list[str] | None, typer.Argument(help="Which notebooks; default all.")] = None) -> None:
    """Execute the stored notebooks on the demo week and store them in normal form."""
    from relkit.report.notebooks import refresh_notebooks  # noqa: PLC0415

    for path in refresh_notebooks(names or None):
        print(f"refreshed {path.name}")
