"""The command that finds which breaker settings to deploy, and says how sure that is."""

import sys
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from relkit.cli.said import COULD_NOT_RUN, AsJson, Database, plain, say
from relkit.exceptions import ParameterError
from relkit.units import count, several

if TYPE_CHECKING:
    from relkit.tune.choice import Choice
    from relkit.tune.study import Study, Unfounded


def tune(
    database: Database = None,
    week: Annotated[
        str | None,
        typer.Option("--week", help="ISO week such as 2026-W47, or all; default the newest week that is over."),
    ] = None,
    config: Annotated[
        Path | None, typer.Option("--config", help="relkit.toml; default the one here, else the packaged objectives.")
    ] = None,
    goal: Annotated[
        str, typer.Option("--goal", help='Such as "least wasteful with success >= 98 % and p95 <= 2 s in healthy".')
    ] = "",
    today: Annotated[str, typer.Option("--today", help="Preset in force; default that of relkit.toml.")] = "",
    points: Annotated[int, typer.Option("--points", help="Settings to try, a power of two.")] = 512,
    workers: Annotated[int | None, typer.Option("--workers", min=1, help="Threads; default one a processor.")] = None,
    seed: Annotated[int, typer.Option("--seed", min=0, help="Of the settings that are tried.")] = 1,
    forget: Annotated[
        bool, typer.Option("--forget", help="Remove the runs that are kept first, whatever code made them.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Find which breaker settings to deploy on a log's traffic, and how sure that is."""
    from relkit.report.places import demo_database  # noqa: PLC0415  everything below loads the simulation
    from relkit.report.tuned import scope_of  # noqa: PLC0415
    from relkit.report.tuning import LABEL, read_tuning  # noqa: PLC0415
    from relkit.store import forget_sweep, open_store, tuning_sink  # noqa: PLC0415

    scope = scope_of(database, week, config)
    keeps = scope.database.resolve() != demo_database().resolve()
    if forget and not keeps:
        raise ParameterError("--forget: the demo week keeps no runs; name your own file with --database")
    if forget:
        with open_store(scope.database, write=True) as store:
            forget_sweep(store, LABEL)
    with ExitStack() as life:
        sink = life.enter_context(tuning_sink(scope.database)) if keeps else None
        try:
            found = read_tuning(
                scope, today=today, goal=goal, points=points, sink=sink, workers=workers, seed=seed, progress=None
            )
        except KeyboardInterrupt:
            kept = "the runs that were finished are kept; run it again to go on" if keeps else "nothing was kept"
            print(f"relkit: interrupted; {kept}", file=sys.stderr)
            raise typer.Exit(COULD_NOT_RUN) from None
        choice = _choice(found)
        if sink is not None and choice is not None:
            sink(choice.batch(datetime.now(UTC)))
    say(_record(found), _lines(found, keeps=keeps), as_json=as_json)


def _choice(found: "Study | Unfounded") -> "Choice | None":
    from relkit.tune.study import Unfounded  # noqa: PLC0415

    return None if isinstance(found, Unfounded) else found.judged


def _lines(found: "Study | Unfounded", *, keeps: bool) -> list[str]:
    verdict = found.verdict
    lines = [f"{verdict.code}: {verdict.sentence}"]
    lines += [
        f"  {text}"
        for text in (verdict.why_not, verdict.would_change and f"Would change it: {verdict.would_change}")
        if text
    ]
    choice = _choice(found)
    if choice is None:
        return lines
    lines += [f"  {change}" for change in choice.changes] if choice.is_recommended else []
    from relkit.tune.study import Unfounded  # noqa: PLC0415

    assert not isinstance(found, Unfounded)
    sweep = found.found
    lines.append(
        f"Wanted: {found.goal}. {several(len(sweep.candidates), 'candidate')}, {several(len(sweep.scenarios), 'scenario')}, "
        f"{several(len(sweep.seeds), 'seed')}: {count(sweep.ran)} runs played, {count(sweep.taken)} taken from the store."
    )
    lines += list(found.notes)
    lines.append("Kept: the weekly report says what to change." if keeps else "The demo week is not written to.")
    return lines


def _record(found: "Study | Unfounded") -> dict[str, Any]:
    from relkit.tune.study import Unfounded  # noqa: PLC0415

    record: dict[str, Any] = {"verdict": found.verdict.record()}
    if isinstance(found, Unfounded):
        return record
    choice = found.judged
    return record | {
        "goal": str(found.goal),
        "today": found.today.hash,
        "choice": choice.name,
        "policy_hash": choice.policy_hash,
        "changes": [plain(change) for change in choice.changes],
        "p_best": choice.p_best,
        "p_good": choice.p_good,
        "p_keeps": choice.p_keeps,
        "gain": None if choice.gain is None else plain(choice.gain),
        "regret": dict(choice.regret),
        "sweep": {
            "id": found.found.sweep_id,
            "candidates": len(found.found.candidates),
            "scenarios": list(found.found.scenario_names),
            "seeds": len(found.found.seeds),
            "ran": found.found.ran,
            "taken": found.found.taken,
        },
        "requests_a_month": found.requests_a_month,
        "logged_requests": found.logged_requests,
        "stamp": found.stamp,
        "notes": list(found.notes),
    }
