"""The command that plays simulated traffic under one policy or several."""

import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from relkit.cli.said import COULD_NOT_RUN, AsJson, plain, say
from relkit.exceptions import ParameterError
from relkit.period import period_of
from relkit.units import count, duration, percent, several

if TYPE_CHECKING:
    from relkit.policies.policy import Policy
    from relkit.simulation.run import Run
    from relkit.simulation.scenario import Scenario
    from relkit.simulation.summary import RunSummary

_DEFAULT: Final = "plan-fixed"
_BEGINS_US: Final = period_of("2026-W47").start_us or 0  # simulated time begins on the Monday of the demo week
_HEAD: Final = ("policy", "answered", "tries", "p50", "p95", "failed", "rejected", "transitions")


def simulate(
    scenario: Annotated[str, typer.Argument(help="Name of a packaged scenario, or a scenario file (.toml).")],
    policies: Annotated[
        list[str] | None, typer.Option("--policy", help=f"Preset; give it again to compare; default {_DEFAULT}.")
    ] = None,
    seed: Annotated[int, typer.Option("--seed", min=0, help="The run: the same seed gives the same run.")] = 1,
    requests: Annotated[
        int | None, typer.Option("--requests", help="How many come; default as the scenario says.")
    ] = None,
    attempts_to: Annotated[
        Path | None, typer.Option("--attempts-to", help="DuckDB file that takes the tries as a log; made when absent.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Play simulated traffic under a policy, or compare several on the same luck."""
    from relkit.simulation.collect import collect  # noqa: PLC0415  the simulation loads its compiler
    from relkit.simulation.summary import summary_of  # noqa: PLC0415

    chosen = [_policy(name) for name in policies or [_DEFAULT]]
    played = _scenario(scenario)
    if requests is not None:
        played = played.changed(requests=requests)
    if attempts_to is not None and len(chosen) > 1:
        raise ParameterError.of(
            "--attempts-to", str(attempts_to), "one policy", "a log has one policy; run each into its own file"
        )
    work: list[Callable[[], Run]] = [partial(_play, played, each, seed, attempts_to is not None) for each in chosen]
    runs = collect(work, is_whole=lambda run: run.complete)
    found = [summary_of(run, policy.name) for run, policy in zip(runs, chosen, strict=False)]
    if attempts_to is not None and runs and runs[0].complete:
        _keep(runs[0], attempts_to)
    stopped = len(found) < len(chosen) or not all(one.complete for one in found)
    lines = [f"{played.name}: {several(played.requests, 'request')} in {duration(played.duration_s)}, seed {seed}"]
    lines += _table(found)
    lines += [
        f"{one.policy}: stopped after {count(one.finished)} of {several(one.requests, 'request')}"
        for one in found
        if not one.complete
    ]
    record = {
        "scenario": played.name,
        "seed": seed,
        "requests": played.requests,
        "runs": [plain(one) for one in found],
        "complete": not stopped,
    }
    say(record, lines, as_json=as_json)
    if stopped:
        left = len(chosen) - len(found)
        also = f"; {several(left, 'policy', 'policies')} not begun" if left else ""
        print(f"relkit: interrupted; what was finished is shown{also}", file=sys.stderr)
        raise typer.Exit(COULD_NOT_RUN)


def _policy(name: str) -> "Policy":
    from relkit.policies.presets import presets  # noqa: PLC0415

    if name not in presets:
        raise ParameterError.of("--policy", name, ", ".join(presets), "name one of these presets")
    return presets[name]


def _scenario(word: str) -> "Scenario":
    from relkit.simulation.scenario_toml import packaged, read_scenario  # noqa: PLC0415

    return read_scenario(word) if word.endswith(".toml") else packaged(word)


def _keep(run: "Run", database: Path) -> None:
    """Write the tries of a run as a log that every page reads; the same run is there once."""
    from relkit.simulation.log import to_sink  # noqa: PLC0415
    from relkit.store import open_store, sink_into  # noqa: PLC0415
    from relkit.store.classify import classify_new  # noqa: PLC0415

    with open_store(database, write=True) as store:
        with sink_into(store, "simulated", f"{run.scenario.name} {run.policy_hash} {run.seed}") as sink:
            to_sink(run, sink, start_us=_BEGINS_US)
        classify_new(store.connection)


def _play(scenario: "Scenario", policy: "Policy", seed: int, keeps: bool) -> "Run":
    from tqdm.auto import tqdm  # noqa: PLC0415

    from relkit.simulation.run import simulate as play  # noqa: PLC0415

    with tqdm(total=scenario.requests, desc=policy.name, unit=" requests", leave=False, disable=None) as bar:
        return play(scenario, policy, seed, keep_attempts=keeps, progress=lambda finished: bar.update(finished - bar.n))


def _table(found: "list[RunSummary]") -> list[str]:
    rows = [_HEAD, *map(_cells, found)]
    widths = [max(len(row[place]) for row in rows) for place in range(len(_HEAD))]
    return [
        "  ".join(
            [row[0].ljust(widths[0]), *(cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True))]
        )
        for row in rows
    ]


def _cells(one: "RunSummary") -> tuple[str, ...]:
    def told(value: float | None, form: Any) -> str:
        return "none" if value is None else str(form(value))

    return (
        one.policy,
        told(one.answered_share, percent),
        told(one.attempts_per_request, lambda value: f"{value:.3f}"),
        told(one.p50_s, duration),
        told(one.p95_s, duration),
        count(one.failed),
        count(one.rejected),
        count(one.transitions),
    )
